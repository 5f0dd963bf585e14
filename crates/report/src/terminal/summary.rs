//! The screen at the end.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use plimsoll_rules::{Profile, Severity};

use super::finding::style;
use super::{Detail, by_theme};
use crate::report::{Report, counted, verdict};
use crate::source::printable;

pub(super) fn write(report: &Report<'_>, detail: Detail, out: &mut String) {
    if detail == Detail::Brief {
        broken(report, out);
        let _ = writeln!(out, "{}", verdict(report));
        return;
    }
    problems(report, detail, out);
    broken(report, out);
    let groups = by_theme(report.assessment);
    if groups.len() > 1 {
        table(report, out);
    }
    let bold = Style::new().bold();
    let read = counted(report.files.len(), "file");
    let _ = write!(out, "{bold}{}{bold:#} in {read}", verdict(report));
    if report.profile != Profile::Homelab {
        let _ = write!(out, ", profile {}", report.profile.name());
    }
    out.push('\n');
    hints(report, detail, out);
}

fn table(report: &Report<'_>, out: &mut String) {
    let groups = by_theme(report.assessment);
    let width = groups.iter().map(|(theme, _)| theme.title().len()).max().unwrap_or(0);
    let _ = write!(out, "{:width$}", "");
    for severity in Severity::ALL {
        let style = style(severity);
        let _ = write!(out, "  {style}{:>8}{style:#}", severity.name());
    }
    out.push('\n');
    for (theme, findings) in groups {
        let _ = write!(out, "{:width$}", theme.title());
        for severity in Severity::ALL {
            match findings.iter().filter(|judged| judged.finding.severity == severity).count() {
                0 => out.push_str("         -"),
                count => {
                    let _ = write!(out, "  {count:>8}");
                }
            }
        }
        out.push('\n');
    }
    out.push('\n');
}

/// So many files that could not be read are named; a data directory may hold thousands.
const NAMED: usize = 20;

fn problems(report: &Report<'_>, detail: Detail, out: &mut String) {
    let warning = AnsiColor::Yellow.on_default().bold();
    let shown = if detail == Detail::Full { usize::MAX } else { NAMED };
    for problem in report.problems.iter().take(shown) {
        let path = report.shown(&problem.path);
        let path = printable(path.as_str());
        let _ = writeln!(out, "{warning}warning{warning:#}: {path}: {}", problem.reason);
    }
    if let Some(more) = report.problems.len().checked_sub(shown).filter(|more| *more > 0) {
        let _ = writeln!(
            out,
            "{warning}warning{warning:#}: {} like these; -v names them",
            counted(more, "more file")
        );
    }
    if !report.problems.is_empty() {
        out.push('\n');
    }
}

fn broken(report: &Report<'_>, out: &mut String) {
    let error = AnsiColor::BrightRed.on_default().bold();
    for rule in &report.assessment.broken {
        let (code, message) = (rule.code, &rule.message);
        let _ = writeln!(out, "{error}bug{error:#}: rule {code} broke, its findings are missing: {message}");
    }
    if !report.assessment.broken.is_empty() {
        out.push('\n');
    }
}

fn hints(report: &Report<'_>, detail: Detail, out: &mut String) {
    let assessment = report.assessment;
    let hidden: Vec<String> = [
        (assessment.unsure.len(), format!("less sure than {}", report.min_confidence.name())),
        (assessment.accepted.len(), "accepted".to_owned()),
        (assessment.known.len(), "in the baseline".to_owned()),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, why)| format!("{count} {why}"))
    .collect();
    if !hidden.is_empty() && detail != Detail::Full {
        let _ = writeln!(out, "not shown: {}; -v lists them", hidden.join(", "));
    }
    if let Some(first) = assessment.findings.first() {
        let _ =
            writeln!(out, "`plimsoll explain {}` tells more about the first one", first.finding.rule.code);
    }
}
