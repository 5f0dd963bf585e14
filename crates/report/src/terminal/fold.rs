//! Findings one after the other, many alike folded.

use std::fmt::Write as _;

use plimsoll_rules::Judged;

use super::{Detail, finding};

/// So many findings of one rule and severity are shown with their evidence; the others get a line each.
const SHOWN: usize = 3;

pub(super) fn write(view: &finding::View<'_>, detail: Detail, findings: &[&Judged], out: &mut String) {
    let alike = |a: &&Judged, b: &&Judged| {
        a.finding.rule.code == b.finding.rule.code && a.finding.severity == b.finding.severity
    };
    for run in findings.chunk_by(alike) {
        let shown = match detail {
            Detail::Brief => 0,
            Detail::Full => run.len(),
            // Folding a single one would cost as many lines as it saves.
            Detail::Normal if run.len() <= SHOWN + 1 => run.len(),
            Detail::Normal => SHOWN,
        };
        let (blocks, lines) = run.split_at(shown);
        for judged in blocks {
            finding::block(view, &judged.finding, out);
        }
        if let (Some(first), Detail::Normal) = (lines.first(), detail) {
            let _ = writeln!(out, "and {} more of {}:", lines.len(), first.finding.rule.code);
        }
        for judged in lines {
            finding::line(view, &judged.finding, out);
        }
        if !lines.is_empty() && detail == Detail::Normal {
            out.push('\n');
        }
    }
}
