//! From a report to version 1 of the JSON report.

use plimsoll_rules::{Judged, Severity};
use plimsoll_text::{Edit, Files, Fix, Place};

use super::v1;
use crate::report::{Report, verdict};

/// The report as JSON, version 1; see `docs/json-report.md`.
#[must_use]
pub fn to_json(report: &Report<'_>) -> String {
    let assessment = report.assessment;
    let v1 = v1::Report {
        version: 1,
        tool: v1::Tool { name: "plimsoll", version: env!("CARGO_PKG_VERSION") },
        root: report.root.as_str(),
        profile: report.profile.name(),
        min_confidence: report.min_confidence.name(),
        fail_on: report.fail_on.map_or("never", Severity::name),
        verdict: verdict(report),
        summary: v1::Summary {
            files: report.files.len(),
            critical: report.count(Severity::Critical),
            high: report.count(Severity::High),
            medium: report.count(Severity::Medium),
            low: report.count(Severity::Low),
            failing: report.failures(),
            hidden_unsure: assessment.unsure.len(),
            hidden_known: assessment.known.len(),
            hidden_accepted: assessment.accepted.len(),
        },
        findings: assessment.findings.iter().map(|judged| finding(report.files, judged)).collect(),
        accepted: assessment
            .accepted
            .iter()
            .map(|(judged, acceptance)| v1::Accepted {
                finding: finding(report.files, judged),
                reason: &acceptance.reason,
                location: location(report.files, acceptance.place, ""),
            })
            .collect(),
        problems: report
            .problems
            .iter()
            .map(|problem| v1::Problem { path: problem.path.as_str(), reason: &problem.reason })
            .collect(),
        broken_rules: assessment
            .broken
            .iter()
            .map(|broken| v1::BrokenRule { code: broken.code, message: &broken.message })
            .collect(),
    };
    let mut text = serde_json::to_string_pretty(&v1).unwrap_or_default();
    text.push('\n');
    text
}

fn finding<'a>(files: &'a Files, judged: &'a Judged) -> v1::Finding<'a> {
    let finding = &judged.finding;
    v1::Finding {
        code: finding.rule.code,
        rule: finding.rule.name,
        theme: finding.rule.theme.slug(),
        severity: finding.severity.name(),
        confidence: finding.confidence.name(),
        message: &finding.message,
        location: location(files, finding.primary.place, &finding.primary.text),
        related: finding.related.iter().map(|label| location(files, label.place, &label.text)).collect(),
        notes: &finding.notes,
        help: finding.help.as_deref(),
        fix: finding.fix_kind().name(),
        patch: finding.fix.as_ref().map(|fix| patch(files, fix)),
        fingerprint: judged.fingerprint.as_str(),
    }
}

fn patch<'a>(files: &'a Files, fix: &'a Fix) -> v1::Patch<'a> {
    let edit = |edit: &'a Edit| {
        let v1::Location { path, start, end, .. } = location(files, edit.place, "");
        v1::Edit { path, start, end, replacement: &edit.replacement }
    };
    v1::Patch { title: &fix.title, edits: fix.edits.iter().map(edit).collect() }
}

fn location<'a>(files: &'a Files, place: Place, label: &'a str) -> v1::Location<'a> {
    let file = files.get(place.file);
    let position = |offset| {
        let at = file.line_column(offset);
        v1::Position { line: at.line, column: at.column }
    };
    v1::Location {
        path: file.path().as_str(),
        start: position(place.span.start),
        end: position(place.span.end),
        label,
    }
}
