use crate::sandbox::Sandbox;

#[test]
fn explain_takes_codes_and_names_in_any_case() {
    let sandbox = Sandbox::new();
    let by_code = sandbox.run(&["explain", "plm-002"]);
    assert_eq!(by_code.code, 0);
    assert_eq!(by_code.stdout, sandbox.run(&["explain", "unused-suppression"]).stdout);
    assert!(by_code.stdout.starts_with("PLM-002 unused-suppression: "));
    assert!(!by_code.stdout.contains("error: ["), "test markers are shown");
}

#[test]
fn explain_refuses_what_is_no_rule() {
    let run = Sandbox::new().run(&["explain", "unused-supression"]);
    assert_eq!(run.code, 2);
    assert_eq!(
        run.stderr,
        "error: there is no rule `unused-supression`\n\nhint: did you mean `unused-suppression`?\n"
    );
}

#[test]
fn rules_are_listed_for_people_and_programs() {
    let sandbox = Sandbox::new();
    let list = sandbox.run(&["rules"]).stdout;
    let json: serde_json::Value =
        serde_json::from_str(&sandbox.run(&["rules", "--format", "json"]).stdout).unwrap();
    for rule in json["rules"].as_array().unwrap() {
        assert!(list.contains(rule["code"].as_str().unwrap()), "{rule}");
    }
}

#[test]
fn completions_exist_for_each_shell() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = sandbox.run(&["completions", shell]);
        assert!(run.code == 0 && run.stdout.contains("evaluate"), "{shell}");
    }
}

#[test]
fn help_shows_examples_and_exit_codes() {
    let run = Sandbox::new().run(&["evaluate", "--help"]);
    assert_eq!(run.code, 0);
    assert!(run.stdout.contains("Examples:") && run.stdout.contains("Exit codes:"), "{}", run.stdout);
}
