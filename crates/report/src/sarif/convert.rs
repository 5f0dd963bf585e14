//! From a report to SARIF.

use std::collections::BTreeMap;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use plimsoll_rules::{Judged, Rule, Severity, page};
use plimsoll_text::{Applicability, Edit, FileId, Fix, Place, SourceFile};

use super::types as t;
use super::uri::relative_uri;
use crate::report::Report;

/// The report as SARIF 2.1.0. Accepted and known findings are there too, as suppressed results.
#[must_use]
pub fn to_sarif(report: &Report<'_>) -> String {
    let assessment = report.assessment;
    let shown = assessment.findings.iter().map(|judged| (judged, Vec::new()));
    let accepted = assessment.accepted.iter().map(|(judged, acceptance)| {
        let location = Some(location(report, acceptance.place));
        (judged, vec![t::Suppression { kind: "inSource", justification: &acceptance.reason, location }])
    });
    let known = assessment.known.iter().map(|judged| {
        (judged, vec![t::Suppression { kind: "external", justification: "in the baseline", location: None }])
    });
    let all: Vec<_> = shown.chain(accepted).chain(known).collect();
    let used: BTreeMap<&str, &'static Rule> =
        all.iter().map(|(judged, _)| (judged.finding.rule.code, judged.finding.rule)).collect();
    let index: BTreeMap<&str, usize> = used.keys().enumerate().map(|(index, code)| (*code, index)).collect();
    let log = t::Log {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [t::Run {
            tool: t::Tool {
                driver: t::Driver {
                    name: "Plimsoll",
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    rules: used.values().map(|rule| descriptor(rule)).collect(),
                },
            },
            invocations: [t::Invocation {
                execution_successful: assessment.broken.is_empty(),
                tool_execution_notifications: notifications(report),
            }],
            column_kind: "utf16CodeUnits",
            results: all
                .into_iter()
                .map(|(judged, suppressions)| {
                    let index = index.get(judged.finding.rule.code).copied().unwrap_or_default();
                    result(report, judged, index, suppressions)
                })
                .collect(),
        }],
    };
    let mut text = serde_json::to_string_pretty(&log).unwrap_or_default();
    text.push('\n');
    text
}

fn descriptor(rule: &'static Rule) -> t::ReportingDescriptor {
    let page = page::Page::parse(rule.doc);
    t::ReportingDescriptor {
        id: rule.code,
        name: rule.name,
        short_description: t::Text { text: rule.title },
        full_description: t::Text { text: page.lead },
        help: t::Help { text: rule.title, markdown: page::for_readers(rule) },
        default_configuration: t::Configuration { level: level(rule.severity) },
        properties: t::RuleProperties {
            tags: [rule.theme.slug()],
            precision: rule.confidence.name(),
            security_severity: security_severity(rule.severity),
        },
    }
}

fn result<'a>(
    report: &Report<'a>,
    judged: &'a Judged,
    rule_index: usize,
    suppressions: Vec<t::Suppression<'a>>,
) -> t::SarifResult<'a> {
    let finding = &judged.finding;
    let mut text = finding.message.clone();
    for note in finding.notes.iter().chain(&finding.help) {
        text.push_str("\n\n");
        text.push_str(note);
    }
    let labelled = |label: &'a plimsoll_rules::Label, id: Option<usize>| t::Location {
        id,
        message: (!label.text.is_empty()).then_some(t::Text { text: &label.text }),
        ..location(report, label.place)
    };
    t::SarifResult {
        rule_id: finding.rule.code,
        rule_index,
        level: level(finding.severity),
        message: t::OwnedText { text },
        locations: [labelled(&finding.primary, None)],
        related_locations: finding
            .related
            .iter()
            .enumerate()
            .map(|(index, label)| labelled(label, Some(index + 1)))
            .collect(),
        partial_fingerprints: t::Fingerprints { v1: judged.fingerprint.as_str() },
        fixes: finding.fix.iter().map(|own| fix(report, own)).collect(),
        suppressions,
        properties: t::ResultProperties {
            severity: finding.severity.name(),
            confidence: finding.confidence.name(),
        },
    }
}

fn notifications<'a>(report: &Report<'a>) -> Vec<t::Notification<'a>> {
    let problems = report.problems.iter().map(|problem| t::Notification {
        level: "warning",
        message: t::OwnedText { text: problem.reason.clone() },
        locations: vec![t::Location {
            id: None,
            physical_location: t::PhysicalLocation {
                artifact_location: artifact(report, &problem.path),
                region: None,
            },
            message: None,
        }],
    });
    let broken = report.assessment.broken.iter().map(|broken| t::Notification {
        level: "error",
        message: t::OwnedText { text: format!("rule {} broke: {}", broken.code, broken.message) },
        locations: Vec::new(),
    });
    problems.chain(broken).collect()
}

/// The change of a finding; its title says so where it needs a decision, which SARIF has no field for.
fn fix<'a>(report: &Report<'_>, fix: &'a Fix) -> t::Fix<'a> {
    let mut by_file: BTreeMap<FileId, Vec<&'a Edit>> = BTreeMap::new();
    for edit in &fix.edits {
        by_file.entry(edit.place.file).or_default().push(edit);
    }
    let look = if fix.applicability == Applicability::Review { " (look at it)" } else { "" };
    t::Fix {
        description: t::OwnedText { text: format!("{}{look}", fix.title) },
        artifact_changes: by_file
            .into_iter()
            .map(|(id, edits)| t::ArtifactChange {
                artifact_location: artifact(report, report.files.get(id).path()),
                replacements: edits
                    .into_iter()
                    .map(|edit| t::Replacement {
                        deleted_region: region(report, edit.place),
                        inserted_content: t::Text { text: &edit.replacement },
                    })
                    .collect(),
            })
            .collect(),
    }
}

fn location<'a>(report: &Report<'_>, place: Place) -> t::Location<'a> {
    let file = report.files.get(place.file);
    t::Location {
        id: None,
        physical_location: t::PhysicalLocation {
            artifact_location: artifact(report, file.path()),
            region: Some(region(report, place)),
        },
        message: None,
    }
}

fn region(report: &Report<'_>, place: Place) -> t::Region {
    let file = report.files.get(place.file);
    let (start_line, start_column) = utf16(file, place.span.start);
    let (end_line, end_column) = utf16(file, place.span.end);
    t::Region { start_line, start_column, end_line, end_column }
}

/// Relative to the current directory where the root lies below it (code scanning runs at the repository's
/// root), else relative to the evaluated root.
fn artifact(report: &Report<'_>, path: &Utf8Path) -> t::ArtifactLocation {
    let below = report.root.components().all(|part| matches!(part, Utf8Component::Normal(_)));
    let path: Utf8PathBuf = if below { report.shown(path) } else { path.to_owned() };
    t::ArtifactLocation { uri: relative_uri(&path), uri_base_id: "%SRCROOT%" }
}

/// Line and column, both counted from 1, the column in UTF-16 code units.
fn utf16(file: &SourceFile, offset: u32) -> (usize, usize) {
    let line = file.line_of(offset);
    let start = file.line_span(line).start as usize;
    let before = file.text().get(start..offset as usize).unwrap_or_default();
    (line + 1, before.encode_utf16().count() + 1)
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// The middle of the band that code scanning shows under the same word.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
    }
}
