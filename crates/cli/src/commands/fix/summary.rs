//! What was mended, what was withdrawn, what remains.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use camino::Utf8Path;
use plimsoll_fix::{Fixed, Mended};
use plimsoll_rules::Severity;
use plimsoll_text::Applicability;

/// Whether files were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// The changes are in the files.
    Written,
    /// The changes were only shown.
    Shown,
}

/// What was left alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Left {
    /// How many fixes need `--unsafe`.
    pub(super) risky: usize,
    /// How many findings are accepted, in plimsoll.yaml or by a comment.
    pub(super) accepted: usize,
}

/// The summary with ANSI styles, without a line break at its end.
pub(super) fn summary(mended: &Mended, root: &Utf8Path, done: Done, left: Left) -> String {
    let mut out = String::new();
    let green = AnsiColor::Green.on_default().bold();
    let yellow = AnsiColor::Yellow.on_default().bold();
    let word = if done == Done::Written { "fixed" } else { "fixes" };
    for fixed in &mended.fixed {
        let review = if fixed.applicability == Applicability::Review { " (look at it)" } else { "" };
        let _ = writeln!(out, "{green}{word}{green:#} {}: {}{review}", place(root, fixed), fixed.title);
    }
    for withdrawn in &mended.withdrawn {
        let fixed = &withdrawn.fixed;
        let _ = writeln!(
            out,
            "{yellow}withdrawn{yellow:#} {}: {}\n    because {}",
            place(root, fixed),
            fixed.title,
            withdrawn.reason
        );
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(&totals(mended, done, left));
    out
}

fn place(root: &Utf8Path, fixed: &Fixed) -> String {
    let bold = Style::new().bold();
    format!("{bold}{}{bold:#} {}:{}", fixed.rule.code, root.join(&fixed.path), fixed.line)
}

fn totals(mended: &Mended, done: Done, left: Left) -> String {
    let mut parts = Vec::new();
    let (count, files) = (mended.fixed.len(), mended.changed.len());
    parts.push(match (count, done) {
        (0, _) => "nothing to fix".to_owned(),
        (_, Done::Written) => format!("{} fixed in {}", counted(count, "finding"), counted(files, "file")),
        (_, Done::Shown) => {
            format!("{} can be fixed in {}", counted(count, "finding"), counted(files, "file"))
        }
    });
    if !mended.withdrawn.is_empty() {
        parts.push(format!("{} withdrawn", counted(mended.withdrawn.len(), "fix")));
    }
    if left.risky > 0 {
        parts.push(format!("{} more with `--unsafe`", left.risky));
    }
    match left.accepted {
        0 => {}
        1 => parts.push("1 accepted risk left as it is".to_owned()),
        many => parts.push(format!("{many} accepted risks left as they are")),
    }
    let findings = &mended.remaining.findings;
    let by_severity: Vec<String> = Severity::ALL
        .into_iter()
        .map(|severity| (severity, findings.iter().filter(|j| j.finding.severity == severity).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{count} {}", severity.name()))
        .collect();
    let remain = if by_severity.is_empty() {
        "no finding remains".to_owned()
    } else {
        let verb = if findings.len() == 1 { "remains" } else { "remain" };
        format!("{} {verb} ({})", counted(findings.len(), "finding"), by_severity.join(", "))
    };
    parts.push(remain);
    parts.join("; ")
}

fn counted(count: usize, noun: &str) -> String {
    match (count, noun) {
        (1, _) => format!("1 {noun}"),
        (_, "fix") => format!("{count} fixes"),
        _ => format!("{count} {noun}s"),
    }
}
