//! What is wrong with the input is said with its place, and does not stop the rest.

use crate::sandbox::{BAD, Run, Sandbox};

/// A run over a directory that also holds a finding, which must be reported.
fn evaluate(sandbox: &Sandbox) -> Run {
    sandbox.write("lxc/101.conf", BAD);
    let run = sandbox.run(&["evaluate", "-v", "--rules", "ISO-003"]);
    assert!(run.stdout.contains("critical[ISO-003]"), "the rest was stopped: {run:?}");
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    run
}

fn says(run: &Run, text: &str) {
    assert!(run.stdout.lines().any(|line| line == text), "`{text}` is missing in:\n{}", run.stdout);
}

#[test]
fn missing_paths_are_refused() {
    let run = Sandbox::new().run(&["evaluate", "nowhere"]);
    assert_eq!(run.code, 2);
    assert_eq!(run.stderr, "error: cannot read `nowhere`: no such file or directory\n");
}

#[test]
fn an_empty_directory_is_refused() {
    let run = Sandbox::new().run(&["evaluate"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    insta::assert_snapshot!(run.stderr, @r"
    error: there is nothing to evaluate in the current directory

    hint: name the directory that holds the compose file and the deployment scripts; files that `.gitignore` names are not read
    ");
}

#[test]
fn wrong_usage_is_refused() {
    let sandbox = Sandbox::with(&[("a.sh", "x\n")]);
    assert_eq!(sandbox.run(&["evaluate", "--format", "yaml"]).code, 2);
    assert_eq!(sandbox.run(&["wibble"]).code, 2);
    assert_eq!(sandbox.run(&["evaluate", "-q", "-v"]).code, 2);
}

#[test]
fn invalid_utf_8_is_named_and_read_all_the_same() {
    let sandbox = Sandbox::new();
    sandbox.write("latin.conf", b"# caf\xe9\nlxc.cap.drop:\n");
    let run = evaluate(&sandbox);
    says(&run, "warning: latin.conf: not UTF-8 at line 1: read with replacement characters");
    assert!(run.stdout.contains("--> latin.conf:2:1"), "{}", run.stdout);
}

#[test]
fn large_files_are_named() {
    let sandbox = Sandbox::new();
    sandbox.write("dump.sql", vec![b'x'; 50_000_000]);
    says(&evaluate(&sandbox), "warning: dump.sql: not read: it has 50.0 MB, the limit is 5.0 MB");
}

#[test]
fn binary_files_are_passed_over() {
    let sandbox = Sandbox::new();
    sandbox.write("tool", b"\x7fELF\0\0lxc.cap.drop:\n");
    assert!(!evaluate(&sandbox).stdout.contains("tool"));
}

#[test]
fn deep_nesting_is_survived() {
    let sandbox = Sandbox::new();
    sandbox.write("deep.yml", "[".repeat(100_000));
    sandbox.write("deep.sh", "$( ".repeat(100_000));
    sandbox.write("deeper.sh", "if x; then ".repeat(50_000));
    sandbox.write("deep.json", "{\"a\":".repeat(100_000));
    sandbox.write("Dockerfile", "ONBUILD ".repeat(50_000));
    sandbox.write("deep.tf", "a = [".repeat(50_000));
    sandbox.write("deep.py", "f(".repeat(50_000));
    sandbox.write("compose.yml", (0..3000).map(|i| format!("{}a{i}:\n", " ".repeat(i))).collect::<String>());
    let _ = evaluate(&sandbox);
}

#[cfg(unix)]
#[test]
fn links_in_circles_and_to_nowhere_are_named() {
    use std::os::unix::fs::symlink;

    let (sandbox, elsewhere) = (Sandbox::new(), Sandbox::with(&[("x.conf", BAD)]));
    sandbox.write("sub/ordinary.sh", "x\n");
    let link = |target: &str, name: &str| symlink(target, sandbox.path().join(name)).unwrap();
    link("b", "a");
    link("a", "b");
    link("..", "sub/up");
    link("nothing", "dangling");
    link("sub/ordinary.sh", "inside.sh");
    link(elsewhere.path().to_str().unwrap(), "outside");
    let run = evaluate(&sandbox);
    says(&run, "warning: a: not followed: it is a link in a circle");
    says(&run, "warning: b: not followed: it is a link in a circle");
    says(&run, "warning: dangling: not followed: it is a link to nothing");
    says(&run, "warning: outside: not followed: it is a link to a place outside the evaluated directory");
    says(&run, "warning: sub/up: not followed: it is a link to a directory that holds it");
    assert!(!run.stdout.contains("inside.sh"), "{}", run.stdout);
}

#[cfg(unix)]
#[test]
fn unreadable_files_and_directories_are_named_and_keep_the_run_from_being_clean() {
    use std::os::unix::fs::PermissionsExt as _;

    let sandbox = Sandbox::with(&[("key", "x"), ("closed/a.conf", BAD), ("ok.sh", "x\n")]);
    for path in ["key", "closed"] {
        let nobody = std::fs::Permissions::from_mode(0o000);
        std::fs::set_permissions(sandbox.path().join(path), nobody).unwrap();
    }
    if std::fs::File::open(sandbox.path().join("key")).is_ok() {
        // Root may read everything; the next test holds for root too.
        return;
    }
    let clean = sandbox.run(&["evaluate", "--rules", "ISO-003"]);
    assert_eq!(clean.code, 2, "what could not be read may hold anything");
    let run = evaluate(&sandbox);
    says(&run, "warning: closed: cannot be read: permission denied");
    says(&run, "warning: key: cannot be read: permission denied");
}

/// The memory of a process begins with a page that nobody can read, not even root.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_fails_while_it_is_read_is_named_and_keeps_the_run_from_being_clean() {
    let sandbox = Sandbox::with(&[("ok.sh", "x\n"), ("lxc/101.conf", BAD)]);
    let run = |own: &str| {
        let own = sandbox.path().join(own);
        sandbox.run(&["evaluate", "--rules", "ISO-003", own.to_str().unwrap(), "/proc/self/mem"])
    };
    let clean = run("ok.sh");
    assert_eq!(clean.code, 2, "what could not be read may hold anything");
    says(&clean, "warning: /proc/self/mem: cannot be read: input/output error");
    assert_eq!(run("lxc").code, 1);
}

#[cfg(unix)]
#[test]
fn pipes_are_named_and_not_waited_for() {
    let sandbox = Sandbox::new();
    let socket = std::os::unix::net::UnixListener::bind(sandbox.path().join("docker.sock"));
    if socket.is_ok() {
        says(&evaluate(&sandbox), "warning: docker.sock: not read: it is no regular file");
    }
}
