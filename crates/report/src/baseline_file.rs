//! The file that holds known findings.

use plimsoll_rules::{Assessment, Baseline, Fingerprint, Judged};
use serde::{Deserialize, Serialize};

use crate::report::Report;
use crate::source::Sources;

/// Version 1 of the baseline file. Only fingerprints count; the rest is for people who review it.
#[derive(Debug, Serialize, Deserialize)]
struct FileV1 {
    version: u32,
    findings: Vec<EntryV1>,
}

#[derive(Debug, Serialize, Deserialize)]
struct EntryV1 {
    fingerprint: String,
    rule: String,
    path: String,
    line: String,
}

/// Why a baseline file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is no JSON of the expected form.
    #[error("it is not a baseline")]
    Form(#[source] serde_json::Error),
    /// It was written by a newer Plimsoll.
    #[error("it has version {0}, and this Plimsoll reads version 1")]
    Version(u32),
}

/// The baseline in a file's text.
///
/// # Errors
/// When the text is no baseline of version 1.
pub fn read_baseline(text: &str) -> Result<Baseline, BaselineError> {
    let file: FileV1 = serde_json::from_str(text).map_err(BaselineError::Form)?;
    if file.version != 1 {
        return Err(BaselineError::Version(file.version));
    }
    Ok(Baseline::new(file.findings.iter().map(|entry| Fingerprint::from_text(&entry.fingerprint))))
}

/// A file's text that makes all present findings known, those of the old baseline that still exist included.
#[must_use]
pub fn write_baseline(report: &Report<'_>) -> String {
    let Assessment { findings, known, .. } = report.assessment;
    let sources = Sources::new(report.files, report.assessment);
    let entry = |judged: &Judged| EntryV1 {
        fingerprint: judged.fingerprint.as_str().to_owned(),
        rule: judged.finding.rule.code.to_owned(),
        path: report.files.get(judged.finding.primary.place.file).path().to_string(),
        line: sources.line(judged.finding.primary.place).into_owned(),
    };
    let mut findings: Vec<_> = findings.iter().chain(known).map(entry).collect();
    findings.sort_by(|a, b| {
        (&a.path, &a.rule, &a.line, &a.fingerprint).cmp(&(&b.path, &b.rule, &b.line, &b.fingerprint))
    });
    let mut text = serde_json::to_string_pretty(&FileV1 { version: 1, findings }).unwrap_or_default();
    text.push('\n');
    text
}
