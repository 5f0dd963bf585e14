use crate::sandbox::{BAD, Run, Sandbox};

#[test]
fn a_finding_is_printed_with_its_evidence_and_fails_the_run() {
    let run = Sandbox::with(&[("lxc/101.conf", BAD)]).run(&["evaluate", "--rules", "ISO-003"]);
    insta::assert_snapshot!(run.stdout, @r"
    Guest isolation: 1 critical

    critical[ISO-003]: `lxc.cap.drop` is emptied
     --> lxc/101.conf:1:1
      |
    1 | lxc.cap.drop:
      | ^^^^^^^^^^^^^ an empty value clears all that was dropped before
      |
      = note: root in the container can then load kernel modules and set the clock of the whole node
      = help: remove the line, and keep the container unprivileged if a program misses a capability

    1 finding at or above high in 1 file
    `plimsoll explain ISO-003` tells more about the first one
    ");
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
}

#[test]
fn the_threshold_decides_the_exit_code() {
    let sandbox = Sandbox::with(&[("a.sh", "uptime # plimsoll: ignore[wibble] why not\n")]);
    let code = |fail_on: &str| sandbox.run(&["evaluate", "--rules", "PLM", "--fail-on", fail_on]).code;
    assert_eq!(code("low"), 1);
    assert_eq!(code("medium"), 0);
    assert_eq!(code("never"), 0);
}

#[test]
fn only_selected_rules_run() {
    let sandbox = Sandbox::with(&[("lxc/101.conf", BAD)]);
    assert_eq!(sandbox.run(&["evaluate", "--rules", "iso-003,SEC"]).code, 1);
    assert_eq!(sandbox.run(&["evaluate", "--rules", "SEC"]).code, 0);
    let wrong = sandbox.run(&["evaluate", "--rules", "ISO-03"]);
    assert_eq!(wrong.code, 2);
    assert_eq!(wrong.stderr, "error: there is no rule `ISO-03`\n\nhint: did you mean `ISO-003`?\n");
}

#[test]
fn a_comment_with_a_reason_accepts_a_finding() {
    let text = "# plimsoll: ignore[ISO-003] the vendor asks for it\nlxc.cap.drop:\n";
    let run = Sandbox::with(&[("lxc/101.conf", text)]).run(&["evaluate", "--rules", "ISO,PLM"]);
    assert_eq!(run.code, 0);
    assert_eq!(run.stdout, "no findings in 1 file\nnot shown: 1 accepted; -v lists them\n");
}

#[test]
fn a_baseline_hides_what_is_known_and_nothing_else() {
    let sandbox = Sandbox::with(&[("lxc/101.conf", BAD)]);
    let evaluate = |extra: &[&str]| {
        // The baseline lies among the evaluated files and quotes the line that is objected to.
        let mut args = vec!["evaluate", "--rules", "ISO-003"];
        args.extend(extra);
        sandbox.run(&args)
    };
    assert_eq!(evaluate(&["--write-baseline", "known.json"]).code, 1);
    sandbox.write("lxc/101.conf", format!("arch: amd64\n\n{BAD}"));
    let known = evaluate(&["--baseline", "known.json"]);
    assert_eq!((known.code, known.stdout.lines().next()), (0, Some("no findings in 1 file")));
    sandbox.write("lxc/102.conf", BAD);
    assert_eq!(evaluate(&["--baseline", "known.json"]).code, 1);
    // Writing a baseline under a baseline keeps what was known.
    assert_eq!(evaluate(&["--baseline", "known.json", "--write-baseline", "known.json"]).code, 1);
    assert_eq!(evaluate(&["--baseline", "known.json"]).code, 0);
}

#[test]
fn a_baseline_that_is_none_is_refused() {
    let sandbox = Sandbox::with(&[("a.sh", "x\n"), ("known.json", "{}")]);
    let missing = sandbox.run(&["evaluate", "--baseline", "nothing.json"]);
    assert_eq!(missing.code, 2);
    assert!(missing.stderr.starts_with("error: cannot read `nothing.json`: no such file or directory\n"));
    let wrong = sandbox.run(&["evaluate", "--baseline", "known.json"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.starts_with("error: cannot use the baseline `known.json`: it is not a baseline: "));
}

#[test]
fn a_report_goes_to_a_file_and_leaves_nothing_else_behind() {
    let sandbox = Sandbox::with(&[("lxc/101.conf", BAD)]);
    let run =
        sandbox.run(&["evaluate", "lxc", "--rules", "ISO", "--format", "json", "--output", "report.json"]);
    assert_eq!(
        run,
        Run {
            code: 1,
            stdout: String::new(),
            stderr: "1 finding at or above high; the report is in `report.json`\n".into()
        }
    );
    let report: serde_json::Value = serde_json::from_str(&sandbox.read("report.json")).unwrap();
    assert_eq!(report["root"], "lxc");
    assert_eq!(report["findings"][0]["location"]["path"], "101.conf");
    let names = sandbox.path().read_dir().unwrap().count();
    assert_eq!(names, 2, "a temporary file was left behind");
}

#[test]
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "makes a pipe and reads from it")]
fn a_report_goes_into_a_pipe_and_through_a_link_without_replacing_them() {
    use std::os::unix::fs::FileTypeExt as _;
    let sandbox = Sandbox::with(&[("lxc/101.conf", BAD), ("kept.json", "old")]);
    let (pipe, link) = (sandbox.path().join("pipe"), sandbox.path().join("link.json"));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::os::unix::fs::symlink("kept.json", &link).unwrap();
    let evaluate =
        |to: &str| sandbox.run(&["evaluate", "lxc", "--rules", "ISO", "--format", "json", "--output", to]);
    let reader =
        std::process::Command::new("cat").arg(&pipe).stdout(std::process::Stdio::piped()).spawn().unwrap();
    assert_eq!(evaluate("pipe").code, 1);
    assert!(pipe.symlink_metadata().unwrap().file_type().is_fifo(), "the pipe was replaced by a file");
    let read = reader.wait_with_output().unwrap().stdout;
    assert_eq!(evaluate("link.json").code, 1);
    assert!(link.symlink_metadata().unwrap().is_symlink(), "the link was replaced by a file");
    assert_eq!(String::from_utf8(read).unwrap(), sandbox.read("kept.json"));
}

#[test]
fn a_report_that_cannot_be_written_is_a_failure() {
    let run = Sandbox::with(&[("a.sh", "x\n")]).run(&["evaluate", "--output", "no/such/folder.json"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.starts_with("error: cannot write `no/such/folder.json`: no such file or directory"));
}

#[test]
fn there_is_colour_only_where_it_is_wanted() {
    let sandbox = Sandbox::with(&[("lxc/101.conf", BAD)]);
    let output = |name: &str, value: &str| {
        let output = sandbox.command(&["evaluate"]).env(name, value).env("TERM", "xterm").output().unwrap();
        output.stdout.contains(&0x1b)
    };
    assert!(!output("UNRELATED", "1"), "standard output is no terminal here");
    assert!(output("CLICOLOR_FORCE", "1"));
    let both =
        sandbox.command(&["evaluate"]).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").output().unwrap();
    assert!(!both.stdout.contains(&0x1b), "NO_COLOR wins");
}

#[test]
fn quiet_output_has_one_line_for_each_finding() {
    let run = Sandbox::with(&[("lxc/101.conf", BAD)]).run(&["evaluate", "-q", "--rules", "ISO-003"]);
    assert_eq!(
        run.stdout,
        "lxc/101.conf:1:1: critical[ISO-003]: `lxc.cap.drop` is emptied\n1 finding at or above high\n"
    );
}

#[test]
#[expect(clippy::disallowed_methods, reason = "needs hold of the pipe")]
fn a_reader_that_goes_away_is_no_failure() {
    let sandbox = Sandbox::with(&[("lxc/101.conf", BAD)]);
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["evaluate", "--fail-on", "never"])
        .current_dir(sandbox.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(0), String::new()));
}
