//! The page of every rule is its test: the bad examples fire exactly where marked, the better ones do not.
//!
//! `PAGE=ISO-001 cargo test -p plimsoll-rules --test pages` looks at one rule only.

use std::fmt::Write as _;

use plimsoll_model::{Facts, Inventory};
use plimsoll_rules::page::{Case, FIXED, Page, SECTIONS};
use plimsoll_rules::{
    Assessment, Confidence, Finding, FixKind, Rule, RuleSet, Selection, Theme, evaluate, registry,
};
use plimsoll_text::Files;

/// Rules whose facts do not exist yet. A page here must fail; take it out once it passes.
const WAITING: &[&str] = &[];

/// Fixes that are safe where the files tell more than an example does: the memory of the guest, what else brings a
/// file there, which service answers.
const SAFE_WITH_MORE_FACTS: &[&str] = &["CMP-007", "DOC-005", "HLT-003", "SEC-006"];

#[test]
fn pages_hold_what_they_say() {
    let only = option_env("PAGE");
    let mut failures = String::new();
    for rule in registry::all() {
        if only.as_ref().is_none_or(|only| only == rule.code || only == rule.name) {
            let before = failures.len();
            check_page(rule, &mut failures);
            if WAITING.contains(&rule.code) {
                let passed = failures.len() == before;
                failures.truncate(before);
                if passed {
                    let _ = writeln!(failures, "{} passes now: take it out of WAITING", rule.code);
                }
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

#[expect(clippy::disallowed_methods, reason = "chooses which pages to test, for the person at the keyboard")]
fn option_env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn check_page(rule: &'static Rule, failures: &mut String) {
    let page = Page::parse(rule.doc);
    let mut fail = |what: &str| {
        let _ = writeln!(failures, "{} {}: {what}", rule.code, rule.name);
    };
    if page.title != format!("{} ({})", rule.name, rule.code) {
        fail(&format!("the title is `{}`, not `{} ({})`", page.title, rule.name, rule.code));
    }
    if page.lead.is_empty() {
        fail("there is no paragraph for a newcomer under the title");
    }
    let all = page.sections.iter().map(|section| section.heading);
    let headings: Vec<_> = all.filter(|heading| *heading != FIXED).collect();
    if headings != SECTIONS {
        fail(&format!("the sections are {headings:?}, not {SECTIONS:?} (references come from the rule)"));
    }
    let best = best_fix(rule, &page);
    if rule.fix != best && !(rule.fix == FixKind::Safe && SAFE_WITH_MORE_FACTS.contains(&rule.code)) {
        fail(&format!("the rule says that its fix is {:?}, for the bad examples it is {best:?}", rule.fix));
    }
    for section in &page.sections {
        let example = matches!(section.heading, "Bad" | "Better");
        if section.text.is_empty() {
            fail(&format!("`{}` is empty", section.heading));
        }
        if example && section.cases.is_empty() {
            fail(&format!("`{}` has no code block with title=\"PATH\"", section.heading));
        }
        for case in section.cases.iter().filter(|_| example) {
            if (section.heading == "Bad") == case.expected.is_empty() {
                fail(&format!(
                    "`{}` {}: only bad examples have markers, and each has one",
                    section.heading, case.name
                ));
            }
            if let Some(other) = case.expected.iter().find(|(_, _, code)| *code != rule.code) {
                fail(&format!("`{}` {}: marker for another rule: {other:?}", section.heading, case.name));
            }
            if let Some(difference) = difference(rule, case) {
                fail(&format!("`{}` {}\n{difference}", section.heading, case.name));
            }
        }
    }
}

/// What a rule says about a project.
fn judge(rule: &'static Rule, case: &Case<'_>) -> (Facts, Assessment) {
    let files = Files::new(case.files.iter().map(|(path, text)| ((*path).into(), text.clone())));
    let inventory = Inventory::new(case.files.iter().map(|(path, _)| (*path).into()));
    let facts = Facts::new(files, inventory);
    let rules = if rule.theme == Theme::Plimsoll { RuleSet::All } else { RuleSet::Only([rule.code].into()) };
    let selection = Selection { rules, min_confidence: Confidence::Low, ..Selection::default() };
    let assessment = evaluate(&facts, &selection);
    (facts, assessment)
}

/// The best fix that the rule offers for a bad example.
fn best_fix(rule: &'static Rule, page: &Page<'_>) -> FixKind {
    let cases = page.section("Bad").map(|section| section.cases.as_slice()).unwrap_or_default();
    let kinds = cases.iter().flat_map(|case| {
        let (_, assessment) = judge(rule, case);
        let own = assessment.findings.into_iter().filter(|judged| judged.finding.rule.code == rule.code);
        own.map(|judged| judged.finding.fix_kind()).collect::<Vec<_>>()
    });
    kinds.fold(FixKind::None, |best, kind| match (best, kind) {
        (FixKind::Safe, _) | (_, FixKind::Safe) => FixKind::Safe,
        (FixKind::Suggest, _) | (_, FixKind::Suggest) => FixKind::Suggest,
        _ => FixKind::None,
    })
}

/// What is marked and not found, or found and not marked.
fn difference(rule: &'static Rule, case: &Case<'_>) -> Option<String> {
    let (facts, assessment) = judge(rule, case);
    let mut out = String::new();
    for broken in assessment.broken.iter().filter(|broken| broken.code == rule.code) {
        let _ = writeln!(out, "    panicked: {}", broken.message);
    }
    let mut expected: Vec<_> =
        case.expected.iter().map(|(path, line, _)| ((*path).to_owned(), *line)).collect();
    let own = assessment.findings.iter().map(|judged| &judged.finding).filter(|f| f.rule.code == rule.code);
    for finding in own {
        let place = position(&facts, finding);
        match expected.iter().position(|expected| *expected == place) {
            Some(index) => drop(expected.swap_remove(index)),
            None => {
                let _ = writeln!(
                    out,
                    "    unmarked finding  {}\n{}",
                    line(case, &place),
                    describe(&facts, finding)
                );
            }
        }
    }
    expected.sort();
    for place in expected {
        let _ = writeln!(out, "    missing finding   {}", line(case, &place));
    }
    (!out.is_empty()).then_some(out)
}

fn position(facts: &Facts, finding: &Finding) -> (String, usize) {
    let file = facts.files.get(finding.primary.place.file);
    (file.path().to_string(), file.line_of(finding.primary.place.span.start) + 1)
}

fn line(case: &Case<'_>, (path, line): &(String, usize)) -> String {
    let text =
        case.files.iter().find(|(name, _)| name == path).and_then(|(_, text)| text.lines().nth(line - 1));
    format!("{path}:{line}: {}", text.unwrap_or_default().trim())
}

fn describe(facts: &Facts, finding: &Finding) -> String {
    let mut out = format!("        {}: {}", finding.severity.name(), finding.message);
    for label in &finding.related {
        let file = facts.files.get(label.place.file);
        let at = file.line_column(label.place.span.start);
        let _ = write!(out, "\n        {}:{}: {}", file.path(), at.line, label.text);
    }
    out
}
