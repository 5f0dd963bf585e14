//! A list for people who read it in a browser.

use std::fmt::Write as _;

use plimsoll_rules::{Finding, Severity};
use plimsoll_text::{Applicability, Place};

use crate::report::{Report, counted, verdict};
use crate::source::Sources;
use crate::terminal::by_theme;

/// The report as Markdown.
#[must_use]
pub fn to_markdown(report: &Report<'_>) -> String {
    let mut out = format!("# Evaluation\n\n{}.\n", capitalised(&verdict(report)));
    let sources = Sources::new(report.files, report.assessment);
    summary(report, &mut out);
    for (theme, findings) in by_theme(report.assessment) {
        let _ = writeln!(out, "\n## {}", theme.title());
        for alike in findings.chunk_by(|a, b| a.finding.rule.code == b.finding.rule.code) {
            if let Some(rule) = alike.first().map(|judged| judged.finding.rule) {
                let _ = writeln!(out, "\n### {}: {}", rule.code, rule.title);
            }
            for judged in alike {
                one(report, &sources, &judged.finding, &mut out);
            }
        }
    }
    if !report.assessment.accepted.is_empty() {
        out.push_str("\n## Accepted\n\n");
        for (judged, acceptance) in &report.assessment.accepted {
            let finding = &judged.finding;
            let place = position(report, finding.primary.place);
            let _ = writeln!(
                out,
                "- {}: {} ({place}): {}",
                finding.rule.code, finding.message, acceptance.reason
            );
        }
    }
    if !report.problems.is_empty() {
        out.push_str("\n## Not read as they are\n\n");
        for problem in report.problems {
            let _ = writeln!(out, "- `{}`: {}", problem.path, problem.reason);
        }
    }
    for broken in &report.assessment.broken {
        let _ = writeln!(out, "\nRule {} broke: {}", broken.code, broken.message);
    }
    out
}

fn summary(report: &Report<'_>, out: &mut String) {
    if !report.assessment.findings.is_empty() {
        out.push_str("\n| severity | findings |\n|---|---|\n");
        for severity in Severity::ALL {
            let _ = writeln!(out, "| {} | {} |", severity.name(), report.count(severity));
        }
    }
    let hidden = [
        (report.assessment.unsure.len(), "less sure"),
        (report.assessment.accepted.len(), "accepted"),
        (report.assessment.known.len(), "in the baseline"),
    ];
    let hidden: Vec<_> =
        hidden.iter().filter(|(count, _)| *count > 0).map(|(count, why)| format!("{count} {why}")).collect();
    let _ = write!(out, "\nProfile {}, {} read", report.profile.name(), counted(report.files.len(), "file"));
    if !hidden.is_empty() {
        let _ = write!(out, "; not shown: {}", hidden.join(", "));
    }
    out.push_str(".\n");
}

fn one(report: &Report<'_>, sources: &Sources<'_>, finding: &Finding, out: &mut String) {
    let sure = finding.confidence.name();
    let place = position(report, finding.primary.place);
    let _ =
        writeln!(out, "**{}** (confidence {sure}) at {place}: {}", finding.severity.name(), finding.message);
    let line = sources.line(finding.primary.place);
    if !line.is_empty() {
        let fence = "`".repeat(3.max(longest_run(&line) + 1));
        let _ = writeln!(out, "\n{fence}text\n{line}\n{fence}");
    }
    let related =
        finding.related.iter().map(|label| format!("{}: {}", position(report, label.place), label.text));
    let help = finding.help.iter().map(|help| format!("To do: {help}"));
    let fix = finding.fix.iter().map(|fix| {
        let option = if fix.applicability == Applicability::Safe { "" } else { " --unsafe" };
        format!("`plimsoll fix{option}` can {}", fix.title)
    });
    let rest: Vec<String> = related.chain(finding.notes.iter().cloned()).chain(help).chain(fix).collect();
    if !rest.is_empty() {
        out.push('\n');
    }
    for line in rest {
        let _ = writeln!(out, "- {line}");
    }
}

fn position(report: &Report<'_>, place: Place) -> String {
    let file = report.files.get(place.file);
    format!("`{}:{}`", file.path(), file.line_of(place.span.start) + 1)
}

/// Length of the longest run of backquotes, so that a fence can be longer.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
