use crate::sandbox::{BAD, Sandbox};

/// The paths of all findings.
fn found(sandbox: &Sandbox, args: &[&str]) -> Vec<String> {
    let mut all = vec!["evaluate", "--rules", "ISO-003", "--format", "json"];
    all.extend(args);
    let run = sandbox.run(&all);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["location"]["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn ignored_and_vendored_files_are_left_out_and_dot_files_are_not() {
    let sandbox = Sandbox::with(&[
        (".gitignore", "/secret.conf\nbuild/\n"),
        ("secret.conf", BAD),
        ("build/a.conf", BAD),
        ("node_modules/x/a.conf", BAD),
        ("deep/vendor/a.conf", BAD),
        ("cache/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n"),
        ("cache/a.conf", BAD),
        (".git/a.conf", BAD),
        (".github/a.conf", BAD),
        (".hidden.conf", BAD),
        ("deep/er/a.conf", BAD),
        ("picture.png", BAD),
    ]);
    assert_eq!(found(&sandbox, &[]), [".github/a.conf", ".hidden.conf", "deep/er/a.conf"]);
}

#[test]
fn a_file_that_is_named_is_read_although_it_is_ignored() {
    let sandbox = Sandbox::with(&[(".gitignore", "*.conf\n"), ("lxc/a.conf", BAD), ("lxc/b.conf", BAD)]);
    assert_eq!(found(&sandbox, &["lxc/a.conf"]), ["a.conf"]);
}

#[test]
fn several_paths_are_one_evaluation() {
    let sandbox = Sandbox::with(&[("a/x/1.conf", BAD), ("a/y/2.conf", BAD), ("b/3.conf", BAD)]);
    assert_eq!(found(&sandbox, &["a/x", "a/y/2.conf"]), ["x/1.conf", "y/2.conf"]);
    assert_eq!(found(&sandbox, &["a", "./b", "a/x/1.conf"]), ["a/x/1.conf", "a/y/2.conf", "b/3.conf"]);
    let absolute = sandbox.path().join("b");
    assert_eq!(found(&sandbox, &["a/x", absolute.to_str().unwrap()]), ["a/x/1.conf", "b/3.conf"]);
}

#[test]
fn paths_are_shown_as_the_user_would_write_them() {
    let sandbox = Sandbox::with(&[("deploy/lxc/1.conf", BAD)]);
    let run = sandbox.run(&["evaluate", "-q", "--rules", "ISO-003", "./deploy"]);
    assert!(run.stdout.starts_with("deploy/lxc/1.conf:1:1: "), "{}", run.stdout);
}
