//! Text for a person at a terminal, in the manner of the Rust compiler.

mod finding;
mod fold;
mod summary;

use std::fmt::Write as _;

use anstyle::Style;
use plimsoll_rules::{Assessment, Judged, Severity, Theme};

use crate::report::{Report, counted};
use crate::source::Sources;

/// How much to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// One line for each finding.
    Brief,
    /// Findings with their evidence; of many alike the first few.
    #[default]
    Normal,
    /// All findings with their evidence, those that are accepted or less sure too.
    Full,
}

/// How to show it.
#[derive(Clone, Copy, Debug)]
pub struct TerminalOptions {
    /// How much.
    pub detail: Detail,
    /// Columns of the terminal.
    pub width: usize,
}

/// The report as terminal text with ANSI styles; whoever prints it strips them where they are not wanted.
#[must_use]
pub fn to_terminal(report: &Report<'_>, options: TerminalOptions) -> String {
    let mut out = String::new();
    let sources = Sources::new(report.files, report.assessment);
    let view = finding::View { report, sources: &sources, width: options.width };
    for (theme, findings) in by_theme(report.assessment) {
        if options.detail != Detail::Brief {
            heading(theme.title(), &findings, &mut out);
        }
        fold::write(&view, options.detail, &findings, &mut out);
    }
    if options.detail == Detail::Full {
        hidden("Less sure than asked for", &view, &report.assessment.unsure, &mut out);
        let accepted: Vec<_> = report.assessment.accepted.iter().map(|(judged, _)| judged.clone()).collect();
        hidden("Accepted", &view, &accepted, &mut out);
        hidden("In the baseline", &view, &report.assessment.known, &mut out);
    }
    summary::write(report, options.detail, &mut out);
    out
}

/// Findings by theme: the themes with the worst finding first, in each theme the worst finding first.
pub(crate) fn by_theme(assessment: &Assessment) -> Vec<(Theme, Vec<&Judged>)> {
    let mut groups: Vec<(Theme, Vec<&Judged>)> = Theme::ALL
        .into_iter()
        .map(|theme| (theme, assessment.findings.iter().filter(|j| j.finding.rule.theme == theme).collect()))
        .filter(|(_, findings): &(_, Vec<_>)| !findings.is_empty())
        .collect();
    // The sort is stable, so themes that are equally bad keep their order.
    groups.sort_by_key(|(_, findings)| std::cmp::Reverse(findings.iter().map(|j| j.finding.severity).max()));
    groups
}

fn heading(title: &str, findings: &[&Judged], out: &mut String) {
    let counts: Vec<String> = Severity::ALL
        .into_iter()
        .map(|severity| (severity, findings.iter().filter(|j| j.finding.severity == severity).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{count} {}", severity.name()))
        .collect();
    let style = Style::new().bold().underline();
    let _ = writeln!(out, "{style}{title}{style:#}: {}\n", counts.join(", "));
}

fn hidden(title: &str, view: &finding::View<'_>, findings: &[Judged], out: &mut String) {
    if !findings.is_empty() {
        let style = Style::new().bold().underline();
        let _ = writeln!(out, "{style}{title}{style:#}: {}\n", counted(findings.len(), "finding"));
        for judged in findings {
            finding::line(view, &judged.finding, out);
        }
        out.push('\n');
    }
}
