use plimsoll_model::Inventory;
use plimsoll_text::{Files, Span};

use super::*;
use crate::{Baseline, Confidence, FixKind, Severity, Theme};

const WORD: Rule = Rule {
    code: "NET-001",
    name: "bad-word",
    title: "A bad word",
    theme: Theme::Network,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: "",
    check: |facts, findings| {
        for (id, file) in facts.files.iter() {
            for (at, word) in file.text().match_indices("bad") {
                let at = u32::try_from(at).unwrap();
                let span = Span::new(at, at + u32::try_from(word.len()).unwrap());
                let finding = findings.add(Place::new(id, span), "found `bad`");
                if file.text().contains("unsure") {
                    finding.confidence(Confidence::Low);
                }
            }
        }
    },
};
const BUGGY: Rule = Rule { code: "NET-002", check: |_, _| panic!("no such thing"), ..WORD };
const OUTSIDE: Rule = Rule {
    check: |facts, findings| {
        let (id, _) = facts.files.iter().next().unwrap();
        findings.add(Place::new(id, Span::new(0, 999)), "outside");
    },
    ..WORD
};

fn judge(files: &[(&str, &str)], selection: &Selection, rules: &'static [Rule]) -> Assessment {
    let files = Files::new(files.iter().map(|(path, text)| ((*path).into(), (*text).to_owned())));
    run(&Facts::new(files, Inventory::default()), selection, rules.iter())
}

fn codes(list: &[Judged]) -> Vec<&str> {
    list.iter().map(|judged| judged.finding.rule.code).collect()
}

#[test]
fn a_broken_rule_is_named_and_the_rest_reports() {
    static RULES: [Rule; 2] = [BUGGY, WORD];
    let result = judge(&[("a", "bad")], &Selection::default(), &RULES);
    assert_eq!(codes(&result.findings), ["NET-001"]);
    assert_eq!(result.broken, [BrokenRule { code: "NET-002", message: "no such thing".into() }]);
}

#[test]
fn a_label_outside_its_file_is_dropped() {
    static RULES: [Rule; 1] = [OUTSIDE];
    assert!(judge(&[("a", "bad")], &Selection::default(), &RULES).findings.is_empty());
}

#[test]
fn what_was_said_twice_is_shown_once() {
    static RULES: [Rule; 2] = [WORD, WORD];
    assert_eq!(judge(&[("a", "bad")], &Selection::default(), &RULES).findings.len(), 1);
}

#[test]
fn an_accepted_finding_moves_aside_with_its_reason() {
    static RULES: [Rule; 1] = [WORD];
    // `bad-word` is no rule of the registry, so the comment uses a code that is.
    let text = "bad # plimsoll: ignore[NET-001] it is a lab\n";
    let result = judge(&[("a", text)], &Selection::default(), &RULES);
    assert!(result.findings.iter().all(|judged| judged.finding.rule.code != "NET-001"));
    assert_eq!(result.accepted.len(), 1);
    assert_eq!(result.accepted[0].1.reason, "it is a lab");
}

#[test]
fn a_comment_without_a_reason_accepts_nothing() {
    static RULES: [Rule; 1] = [WORD];
    let result = judge(&[("a", "bad # plimsoll: ignore[NET-001]\n")], &Selection::default(), &RULES);
    assert!(codes(&result.findings).contains(&"NET-001"));
    assert!(codes(&result.findings).contains(&"PLM-001"));
}

#[test]
fn unsure_and_known_findings_are_set_aside() {
    static RULES: [Rule; 1] = [WORD];
    let files = [("a", "bad"), ("b", "bad unsure")];
    let first = judge(&files, &Selection::default(), &RULES);
    assert_eq!((first.findings.len(), first.unsure.len()), (1, 1));
    let baseline = Baseline::new(first.findings.iter().map(|judged| judged.fingerprint.clone()));
    let second = judge(&files, &Selection { baseline, ..Selection::default() }, &RULES);
    assert_eq!((second.findings.len(), second.known.len()), (0, 1));
}

#[test]
fn a_profile_makes_its_rules_weigh_more() {
    static RULES: [Rule; 1] = [WORD];
    let selection = Selection { profile: crate::Profile::Internet, ..Selection::default() };
    let result = judge(&[("a", "bad")], &selection, &RULES);
    assert_eq!(result.findings[0].finding.severity, Severity::High);
}
