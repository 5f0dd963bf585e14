//! The programs that the command line starts: git and bash.

use std::io::Write as _;
use std::process::{Command, Stdio};

use camino::Utf8Path;

/// What git says about the files below a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkTree {
    /// They are not in a work tree, or there is no git.
    None,
    /// All is committed.
    Clean,
    /// Something is not.
    Dirty,
}

/// Asks git whether all changes below a directory are committed.
pub(crate) fn work_tree(folder: &Utf8Path) -> WorkTree {
    let folder = if folder.as_str().is_empty() { Utf8Path::new(".") } else { folder };
    let output = program("git")
        .args(["-C", folder.as_str(), "status", "--porcelain", "--", "."])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() && output.stdout.is_empty() => WorkTree::Clean,
        Ok(output) if output.status.success() => WorkTree::Dirty,
        _ => WorkTree::None,
    }
}

/// The first line that git prints; nothing where it fails.
pub(crate) fn git(folder: &Utf8Path, words: &[&str]) -> Option<String> {
    let output =
        program("git").args(["-C", folder.as_str()]).args(words).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().unwrap_or_default().to_owned();
    (output.status.success() && !line.is_empty()).then_some(line)
}

/// The first line that a program says about itself, wherever it says it; nothing where it is not there or fails.
pub(crate) fn about(name: &str, words: &[&str]) -> Option<String> {
    let output = program(name).args(words).stdin(Stdio::null()).output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    let line = String::from_utf8_lossy(&text).lines().next().unwrap_or_default().trim().to_owned();
    (output.status.success() && !line.is_empty()).then_some(line)
}

/// What a command prints, read by a shell; why it failed.
pub(crate) fn shell(folder: &Utf8Path, run: &str) -> Result<String, String> {
    let folder = if folder.as_str().is_empty() { Utf8Path::new(".") } else { folder };
    let output = program("sh").args(["-c", run]).current_dir(folder).stdin(Stdio::null()).output();
    let output = output.map_err(|error| error.to_string())?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(text.lines().next_back().unwrap_or("it does not say why").to_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches(['\n', '\r']).to_owned())
}

/// Runs git; what it objects to where it fails.
pub(crate) fn git_says(folder: &Utf8Path, words: &[&str]) -> Result<(), String> {
    let output = program("git").args(["-C", folder.as_str()]).args(words).stdin(Stdio::null()).output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(text.lines().next_back().unwrap_or("it does not say why").to_owned())
}

/// What bash says about a script that it could read before and cannot any more; nothing where there is no bash.
pub(crate) fn bash_objection(path: &Utf8Path, before: &str, after: &str) -> Option<String> {
    if !is_shell(path, after) {
        return None;
    }
    let objection = parse_with_bash(after)?;
    parse_with_bash(before).is_none().then(|| format!("bash cannot read it any more: {objection}"))
}

fn is_shell(path: &Utf8Path, text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    let named = matches!(path.extension(), Some("sh" | "bash"));
    let shebang = first.strip_prefix("#!").and_then(|rest| rest.split_whitespace().next_back());
    named || shebang.is_some_and(|program| matches!(program.rsplit('/').next(), Some("sh" | "bash")))
}

/// The first complaint of `bash -n`.
fn parse_with_bash(text: &str) -> Option<String> {
    let mut child = program("bash")
        .args(["--norc", "-n"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A script with a mistake is not read to its end; the status says all.
        let _ = stdin.write_all(text.as_bytes());
    }
    let output = child.wait_with_output().ok()?;
    let complaint = String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned();
    (!output.status.success()).then_some(complaint)
}

#[expect(clippy::disallowed_methods, reason = "the command line is what starts programs")]
fn program(name: &str) -> Command {
    Command::new(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bash_objects_to_what_it_could_read_before_only() {
        let objects = |before: &str, after: &str| bash_objection("x.sh".into(), before, after).is_some();
        assert!(objects("echo a\n", "if true; then\n"));
        assert!(!objects("echo a\n", "echo b\n"));
        assert!(!objects("fi\n", "done\n"));
        assert_eq!(bash_objection("notes.md".into(), "", "if true; then\n"), None);
    }

    #[test]
    fn scripts_are_told_by_their_name_or_first_line() {
        assert!(is_shell("a.sh".into(), "") && is_shell("a".into(), "#!/usr/bin/env bash\n"));
        assert!(!is_shell("a".into(), "#!/usr/bin/env python3\n") && !is_shell("a.yml".into(), "a: b\n"));
    }
}
