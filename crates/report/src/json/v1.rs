//! Version 1 of the JSON report, as published in `docs/schema/report-v1.json`. Fields are only ever added.

use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Report<'a> {
    pub(super) version: u32,
    pub(super) tool: Tool,
    pub(super) root: &'a str,
    pub(super) profile: &'static str,
    pub(super) min_confidence: &'static str,
    pub(super) fail_on: &'static str,
    pub(super) verdict: String,
    pub(super) summary: Summary,
    pub(super) findings: Vec<Finding<'a>>,
    pub(super) accepted: Vec<Accepted<'a>>,
    pub(super) problems: Vec<Problem<'a>>,
    pub(super) broken_rules: Vec<BrokenRule<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) files: usize,
    pub(super) critical: usize,
    pub(super) high: usize,
    pub(super) medium: usize,
    pub(super) low: usize,
    pub(super) failing: usize,
    pub(super) hidden_unsure: usize,
    pub(super) hidden_known: usize,
    pub(super) hidden_accepted: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct Finding<'a> {
    pub(super) code: &'static str,
    pub(super) rule: &'static str,
    pub(super) theme: &'static str,
    pub(super) severity: &'static str,
    pub(super) confidence: &'static str,
    pub(super) message: &'a str,
    pub(super) location: Location<'a>,
    pub(super) related: Vec<Location<'a>>,
    pub(super) notes: &'a [String],
    pub(super) help: Option<&'a str>,
    pub(super) fix: &'static str,
    pub(super) patch: Option<Patch<'a>>,
    pub(super) fingerprint: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Patch<'a> {
    pub(super) title: &'a str,
    pub(super) edits: Vec<Edit<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Edit<'a> {
    pub(super) path: &'a str,
    pub(super) start: Position,
    pub(super) end: Position,
    pub(super) replacement: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Accepted<'a> {
    pub(super) finding: Finding<'a>,
    pub(super) reason: &'a str,
    pub(super) location: Location<'a>,
}

#[derive(Debug, Serialize)]
pub(super) struct Location<'a> {
    pub(super) path: &'a str,
    pub(super) start: Position,
    pub(super) end: Position,
    pub(super) label: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct Problem<'a> {
    pub(super) path: &'a str,
    pub(super) reason: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct BrokenRule<'a> {
    pub(super) code: &'static str,
    pub(super) message: &'a str,
}
