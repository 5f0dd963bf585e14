use crate::sandbox::Sandbox;

const COMPOSE: &str = "services:\n  db:\n    image: postgres:16.4\n    ports:\n      - \"5432:5432\"\n    restart: unless-stopped\n";
const PATH: &str = "docker-compose.prod.yml";

#[expect(clippy::disallowed_methods, reason = "prepares a repository")]
fn git(sandbox: &Sandbox, args: &[&str]) -> Option<String> {
    let output = std::process::Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"])
        .args(args)
        .current_dir(sandbox.path())
        .output()
        .ok()?;
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The binary with git and bash within reach.
fn fix(sandbox: &Sandbox, args: &[&str]) -> crate::sandbox::Run {
    let output = sandbox.command(args).env("PATH", "/usr/local/bin:/usr/bin:/bin").output().unwrap();
    crate::sandbox::Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_fix_is_written_once_and_said() {
    let sandbox = Sandbox::with(&[(PATH, COMPOSE)]);
    let run = sandbox.run(&["fix", "--rules", "NET-001"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("fixed NET-001 docker-compose.prod.yml:5"), "{run:?}");
    assert!(run.stdout.contains("1 finding fixed in 1 file"), "{run:?}");
    assert_eq!(sandbox.read(PATH), COMPOSE.replace("\"5432", "\"127.0.0.1:5432"));
    let again = sandbox.run(&["fix", "--rules", "NET-001"]);
    assert!(again.code == 0 && again.stdout.contains("nothing to fix"), "{again:?}");
}

#[test]
fn an_accepted_risk_is_not_mended_until_its_day_has_passed() {
    let fix_today = |sandbox: &Sandbox, args: &[&str]| {
        // 2026-11-23
        let output = sandbox.command(args).env("SOURCE_DATE_EPOCH", "1795392000").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let accepting = |path: &str, until: &str| {
        let settings = format!(
            "evaluate:\n  accept:\n    - {{rule: NET-001, reason: a VPN, until: {until}, path: {path}}}\n"
        );
        Sandbox::with(&[(PATH, COMPOSE), ("plimsoll.yaml", &settings)])
    };
    let accepted = accepting(PATH, "2026-11-23");
    for args in [&["fix", "--rules", "NET-001"][..], &["fix", "--rules", "NET-001", "--patch-dir", "patches"]]
    {
        assert!(!fix_today(&accepted, args).contains("NET-001"));
        assert_eq!(accepted.read(PATH), COMPOSE);
    }
    let said = fix_today(&accepted, &["fix", "--rules", "NET-001"]);
    assert!(said.contains("nothing to fix; 1 accepted risk left as it is;"), "{said}");
    assert!(!fix_today(&accepted, &["fix", "--rules", "SEC"]).contains("accepted"));
    assert!(!accepted.path().join("patches/NET-001-published-data-service.patch").exists());
    for counted in [accepting(PATH, "2026-11-22"), accepting("elsewhere", "2026-11-23")] {
        assert!(fix_today(&counted, &["fix", "--rules", "NET-001"]).contains("fixed NET-001"));
        assert_ne!(counted.read(PATH), COMPOSE);
    }
}

#[test]
fn the_profile_of_the_settings_weighs_what_remains() {
    let remains = |settings: &str| {
        let sandbox = Sandbox::with(&[(PATH, COMPOSE), ("plimsoll.yaml", settings)]);
        sandbox.run(&["fix", "--rules", "ISO"]).stdout
    };
    let (at_home, outside) = (remains("app: shop\n"), remains("evaluate: {profile: internet}\n"));
    assert!(at_home.contains("remain (1 high, "), "{at_home}");
    assert!(outside.contains("remain (1 critical, "), "{outside}");
}

#[test]
fn a_diff_goes_to_standard_output_alone_and_git_takes_it() {
    let sandbox = Sandbox::with(&[(PATH, COMPOSE)]);
    let run = sandbox.run(&["fix", "--diff"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.starts_with("diff --git a/docker-compose.prod.yml"), "{run:?}");
    assert_eq!(sandbox.read(PATH), COMPOSE);
    sandbox.write("all.patch", &run.stdout);
    if git(&sandbox, &["init", "-q"]).is_some() {
        git(&sandbox, &["apply", "all.patch"]);
        let clean = sandbox.run(&["fix", "--diff", PATH]);
        assert!(clean.code == 0 && clean.stdout.is_empty(), "{clean:?}");
    }
}

#[test]
fn each_rule_gets_a_patch_of_its_own() {
    let sandbox = Sandbox::with(&[(PATH, COMPOSE)]);
    let run = sandbox.run(&["fix", "--patch-dir", "patches", "--rules", "NET-001,LIF-001"]);
    assert!(run.code == 0 && run.stdout.is_empty(), "{run:?}");
    assert_eq!(sandbox.read(PATH), COMPOSE);
    if git(&sandbox, &["init", "-q"]).is_some() {
        for patch in ["NET-001-published-data-service.patch", "LIF-001-unbounded-logs.patch"] {
            git(&sandbox, &["apply", "--check", &format!("patches/{patch}")]);
        }
    }
}

#[test]
fn changes_that_are_not_committed_are_not_mixed_with_fixes() {
    let sandbox = Sandbox::with(&[(PATH, COMPOSE)]);
    if git(&sandbox, &["init", "-q"]).is_none() {
        return;
    }
    let refused = fix(&sandbox, &["fix"]);
    assert!(refused.code == 2 && refused.stderr.contains("not committed"), "{refused:?}");
    assert_eq!(sandbox.read(PATH), COMPOSE);
    git(&sandbox, &["add", "."]);
    git(&sandbox, &["commit", "-q", "-m", "start"]);
    assert_eq!(fix(&sandbox, &["fix", "--rules", "NET-001"]).code, 0);
    assert_eq!(fix(&sandbox, &["fix"]).code, 2);
    let allowed = fix(&sandbox, &["fix", "--allow-dirty"]);
    assert!(allowed.code == 0 && allowed.stdout.contains("fixed LIF-001"), "{allowed:?}");
}

#[cfg(unix)]
#[test]
#[expect(clippy::disallowed_methods, reason = "looks at the files of a test")]
fn modes_links_and_bytes_that_are_no_text_survive() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let sandbox = Sandbox::with(&[("real/compose.yaml", COMPOSE)]);
    let bytes = [COMPOSE.as_bytes(), b"# caf\xe9\n"].concat();
    sandbox.write("docker-compose.prod.yml", &bytes);
    let real = sandbox.path().join("real/compose.yaml");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real/compose.yaml", sandbox.path().join("link.yml")).unwrap();
    let run = sandbox.run(&["fix", "real", "docker-compose.prod.yml", "--rules", "NET-001"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(sandbox.read("link.yml").contains("127.0.0.1"));
    assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(std::fs::read(sandbox.path().join("docker-compose.prod.yml")).unwrap(), bytes);
}

/// How many findings there are by rule and file.
fn counts(sandbox: &Sandbox) -> std::collections::BTreeMap<(String, String), usize> {
    let run = sandbox.run(&["evaluate", "--format", "json", "--fail-on", "never"]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let mut counts = std::collections::BTreeMap::new();
    for finding in report["findings"].as_array().unwrap() {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        *counts.entry((text(&finding["code"]), text(&finding["location"]["path"]))).or_default() += 1;
    }
    counts
}

#[expect(clippy::disallowed_methods, reason = "copies the example")]
fn copy(from: &std::path::Path, into: &str, sandbox: &Sandbox) {
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let name = format!("{into}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            copy(&entry.path(), &format!("{name}/"), sandbox);
        } else {
            sandbox.write(&name, std::fs::read(entry.path()).unwrap());
        }
    }
}

#[test]
fn the_example_is_mended_and_nothing_gets_worse() {
    let example = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/papertrade"));
    for (args, least) in [(&["fix"] as &[&str], 35), (&["fix", "--unsafe"], 50)] {
        let sandbox = Sandbox::new();
        copy(example, "", &sandbox);
        let before = counts(&sandbox);
        let run = fix(&sandbox, args);
        assert_eq!(run.code, 0, "{run:?}");
        let fixed = run.stdout.lines().filter(|line| line.starts_with("fixed ")).count();
        assert!(fixed >= least, "{fixed} findings fixed by {args:?}:\n{}", run.stdout);
        let after = counts(&sandbox);
        let worse: Vec<_> =
            after.iter().filter(|(key, count)| before.get(*key).is_none_or(|old| old < *count)).collect();
        assert!(worse.is_empty(), "{args:?} brings {worse:?}");
        let again = fix(&sandbox, args);
        assert!(again.stdout.contains("nothing to fix"), "{again:?}");
    }
}

/// The files of the example, by their paths in it.
#[expect(clippy::disallowed_methods, reason = "the example is a tree of files")]
fn example_files() -> Vec<(String, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/papertrade");
    let mut open = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                files.push((path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), text));
            }
        }
    }
    files.sort();
    files
}

/// What a program says about a file, where the program is there; nothing when it has no objection.
#[expect(clippy::disallowed_methods, reason = "asks the program that will read the file")]
#[expect(clippy::print_stderr, reason = "says why it does not run, also in the list of skipped checks")]
fn objection(sandbox: &Sandbox, program: &str, args: &[&str], variables: &[(&str, &str)]) -> Option<String> {
    let run = std::process::Command::new(program)
        .args(args)
        .envs(variables.iter().copied())
        .current_dir(sandbox.path())
        .output();
    match run {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(error) => {
            eprintln!("skipped: {program} is not there: {error}");
            None
        }
    }
}

/// Mends the example and says how many findings are fixed.
fn mended_example(args: &[&str]) -> (Sandbox, usize) {
    let files = example_files();
    let borrowed: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let sandbox = Sandbox::with(&borrowed);
    let run = fix(&sandbox, args);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(!run.stdout.contains("withdrawn"), "a fix of the example is withdrawn:\n{}", run.stdout);
    let fixed = run.stdout.lines().filter(|line| line.starts_with("fixed ")).count();
    let mended: Vec<String> = files.iter().map(|(path, _)| sandbox.read(path)).collect();
    for ((path, before), after) in files.iter().zip(&mended) {
        assert!(before == after || !after.is_empty(), "{path} is empty");
        if path.ends_with(".sh") {
            assert_eq!(objection(&sandbox, "bash", &["-n", path], &[]), None, "{path}");
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        if name.starts_with("docker-compose") && compose_is_there(&sandbox) {
            let set: Vec<(String, String)> = required_variables(after);
            let set: Vec<(&str, &str)> = set.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            let args = ["compose", "-f", path.as_str(), "config", "-q"];
            assert_eq!(objection(&sandbox, "docker", &args, &set), None, "{path}");
        }
    }
    let again = fix(&sandbox, args);
    assert!(again.stdout.contains("nothing to fix"), "a second run mends more:\n{}", again.stdout);
    for ((path, _), once) in files.iter().zip(&mended) {
        assert_eq!(&sandbox.read(path), once, "a second run changes {path}");
    }
    (sandbox, fixed)
}

#[expect(clippy::disallowed_methods, reason = "asks for Docker's plugin")]
#[expect(clippy::print_stderr, reason = "says why it does not run, also in the list of skipped checks")]
fn compose_is_there(sandbox: &Sandbox) -> bool {
    let mut version = std::process::Command::new("docker");
    let there = version.args(["compose", "version"]).current_dir(sandbox.path()).output();
    let there = there.is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("skipped: Docker with Compose is not there, no file is read by it");
    }
    there
}

/// A value for each variable that a Compose file refuses to start without.
fn required_variables(text: &str) -> Vec<(String, String)> {
    let parts = text.split("${").skip(1).filter_map(|part| part.split_once(":?"));
    parts.map(|(name, _)| (name.to_owned(), "x".to_owned())).collect()
}

#[test]
fn the_example_is_mended_by_proved_fixes_that_anyone_wants() {
    let (_, fixed) = mended_example(&["fix", "--allow-dirty"]);
    assert!(fixed >= 40, "{fixed} findings are fixed");
}

#[test]
fn the_example_is_mended_further_by_fixes_that_need_a_look() {
    let (sandbox, fixed) = mended_example(&["fix", "--allow-dirty", "--unsafe"]);
    assert!(fixed >= 55, "{fixed} findings are fixed");
    let compose = sandbox.read("docker-compose.prod.yml");
    assert!(!compose.contains("\"5432:5432\""), "{compose}");
}
