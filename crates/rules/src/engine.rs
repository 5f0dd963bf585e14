//! Running rules over facts.

use std::panic::{AssertUnwindSafe, catch_unwind};

use plimsoll_model::Facts;
use plimsoll_text::Place;

use crate::baseline::fingerprints;
use crate::suppression::Suppressions;
use crate::{Acceptance, Finding, Findings, Fingerprint, Rule, Selection, plimsoll, registry};

/// What the rules say about the facts.
#[derive(Debug, Default)]
pub struct Assessment {
    /// What to show, worst first.
    pub findings: Vec<Judged>,
    /// What a comment accepts.
    pub accepted: Vec<(Judged, Acceptance)>,
    /// What the baseline knows.
    pub known: Vec<Judged>,
    /// What is less sure than asked for.
    pub unsure: Vec<Judged>,
    /// Rules that broke.
    pub broken: Vec<BrokenRule>,
}

/// A finding with its final severity and its name.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The finding.
    pub finding: Finding,
    /// Names it across runs.
    pub fingerprint: Fingerprint,
}

/// A rule that panicked: a bug in Plimsoll. What it would have found is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenRule {
    /// Its code.
    pub code: &'static str,
    /// What it said when it broke.
    pub message: String,
}

/// Runs the selected rules. The same facts and selection give the same assessment.
#[must_use]
pub fn evaluate(facts: &Facts, selection: &Selection) -> Assessment {
    run(facts, selection, registry::all().filter(|rule| selection.rules.has(rule)))
}

fn run(facts: &Facts, selection: &Selection, rules: impl Iterator<Item = &'static Rule>) -> Assessment {
    let mut assessment = Assessment::default();
    let mut findings = Vec::new();
    for rule in rules {
        let mut own = Vec::new();
        match catch_unwind(AssertUnwindSafe(|| (rule.check)(facts, &mut Findings::new(rule, &mut own)))) {
            Ok(()) => findings.append(&mut own),
            Err(panic) => {
                assessment.broken.push(BrokenRule { code: rule.code, message: message_of(&*panic) });
            }
        }
    }
    findings.retain(|finding| inside(facts, finding));
    for finding in &mut findings {
        weigh(facts, selection, finding);
    }
    let mut suppressions = Suppressions::read(&facts.files);
    tidy(&mut findings);
    let verdicts: Vec<_> =
        findings.iter().map(|finding| suppressions.accept(&facts.files, finding)).collect();
    let mut own = Vec::new();
    plimsoll::about_suppressions(&suppressions, &selection.rules, &mut own);
    let mut all: Vec<(Finding, Option<Acceptance>)> = findings.into_iter().zip(verdicts).collect();
    all.extend(own.into_iter().map(|finding| (finding, None)));
    all.sort_by(|(a, _), (b, _)| order(a, b));
    let (findings, verdicts): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    let prints = fingerprints(&facts.files, &findings);
    for ((finding, verdict), fingerprint) in findings.into_iter().zip(verdicts).zip(prints) {
        let judged = Judged { finding, fingerprint };
        if let Some(acceptance) = verdict {
            assessment.accepted.push((judged, acceptance));
        } else if judged.finding.confidence < selection.min_confidence {
            assessment.unsure.push(judged);
        } else if selection.baseline.has(&judged.fingerprint) {
            assessment.known.push(judged);
        } else {
            assessment.findings.push(judged);
        }
    }
    assessment
}

/// Whether all labels lie in their files; a rule that points elsewhere has a bug, which must not end the report.
fn inside(facts: &Facts, finding: &Finding) -> bool {
    let labels = std::iter::once(&finding.primary).chain(&finding.related);
    labels
        .map(|label| label.place)
        .all(|place| place.span.end as usize <= facts.files.get(place.file).text().len())
}

/// Moves the severity by what surrounds the finding.
fn weigh(facts: &Facts, selection: &Selection, finding: &mut Finding) {
    let mut steps = selection.profile.shift(finding.rule.code);
    if facts.is_development(finding.primary.place.file) {
        steps -= 1;
    }
    if finding.rule.worse_near_node
        && let Some(way) = facts.way_to_node()
        && !same_line(facts, way, finding.primary.place)
    {
        if finding.severity.shifted(1) > finding.severity && !finding.related.iter().any(|l| l.place == way) {
            finding.related(way, "this opens a way to the node, so the finding weighs one step more");
        }
        steps += 1;
    }
    finding.severity = finding.severity.shifted(steps);
}

fn same_line(facts: &Facts, a: Place, b: Place) -> bool {
    let line = |place: Place| facts.files.get(place.file).line_of(place.span.start);
    a.file == b.file && line(a) == line(b)
}

/// Sorts, and drops what was said twice.
fn tidy(findings: &mut Vec<Finding>) {
    findings.sort_by(order);
    findings.dedup_by(|b, a| {
        a.rule.code == b.rule.code && a.primary.place == b.primary.place && a.message == b.message
    });
}

/// Worst first, then by theme, code and place.
fn order(a: &Finding, b: &Finding) -> std::cmp::Ordering {
    let key = |f: &Finding| (std::cmp::Reverse(f.severity), f.rule.theme, f.rule.code, f.primary.place);
    key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").to_owned()
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
