//! Fixes that are only shown: which of them hold.

use plimsoll_fix::{Claim, FindingKey, prove};
use plimsoll_model::{Facts, Inventory};
use plimsoll_rules::{RuleSet, Selection, evaluate};
use plimsoll_text::Files;

const COMPOSE: &str = "services:\n  db:\n    image: postgres:16.4 # the store\n    environment:\n      POSTGRES_PASSWORD: ${DB_PASSWORD}\n    ports:\n      - \"5432:5432\"\n    restart: unless-stopped\n";

/// The codes of the fixes that do not hold, each with its reason, and how many there are.
fn refused(files: &[(&str, &str)], rules: RuleSet) -> (Vec<(String, String)>, usize) {
    let inventory = Inventory::new(files.iter().map(|(path, _)| (*path).into()));
    let texts = files.iter().map(|(path, text)| ((*path).into(), (*text).to_owned()));
    let facts = Facts::new(Files::new(texts), inventory);
    let selection = Selection { rules, ..Selection::default() };
    let mut assessment = evaluate(&facts, &selection);
    // A fix that would break its file stands in for a rule with a mistake.
    for judged in &mut assessment.findings {
        let Some(fix) = &mut judged.finding.fix else { continue };
        for edit in &mut fix.edits {
            let broken = edit.replacement.contains("127.0.0.1") && files[0].0.starts_with("broken/");
            if broken {
                edit.replacement = "[".to_owned();
            }
            if files[0].0.starts_with("idle/") {
                edit.replacement = facts.text(edit.place).to_owned();
            }
        }
    }
    let found = prove(&Claim {
        facts: &facts,
        assessment: &assessment,
        selection: &selection,
        accept: &|_, _| {},
        keep: &|path| path.as_str().starts_with("keep/").then_some("it must stay"),
    });
    let shown = |((code, _, _), reason): (FindingKey, String)| (code.to_owned(), reason);
    let fixes = assessment.findings.iter().filter(|judged| judged.finding.fix.is_some()).count();
    (found.into_iter().map(shown).collect(), fixes)
}

#[test]
fn fixes_that_hold_are_not_named() {
    let (refused, fixes) = refused(&[("docker-compose.prod.yml", COMPOSE)], RuleSet::All);
    assert!(refused.is_empty() && fixes >= 4, "{refused:?} of {fixes}");
}

#[test]
fn one_bad_fix_is_named_with_its_reason_and_the_others_are_not() {
    let (refused, _) = refused(&[("broken/docker-compose.prod.yml", COMPOSE)], RuleSet::All);
    let [(code, reason)] = refused.as_slice() else { panic!("{refused:?}") };
    assert_eq!(code, "NET-001");
    assert!(reason.starts_with("`broken/docker-compose.prod.yml` could not be read any more"), "{reason}");
}

#[test]
fn fixes_that_change_nothing_do_not_hold() {
    let (refused, fixes) = refused(&[("idle/docker-compose.prod.yml", COMPOSE)], RuleSet::All);
    assert!(fixes > 0 && refused.len() == fixes, "{refused:?} of {fixes}");
    assert!(refused.iter().all(|(_, reason)| reason == "the finding would still be there"), "{refused:?}");
}

#[test]
fn fixes_of_some_rules_are_held_against_all_rules() {
    let only = RuleSet::from_ids(["NET-001"]).unwrap();
    assert_eq!(refused(&[("docker-compose.prod.yml", COMPOSE)], only), (vec![], 1));
}

#[test]
fn fixes_of_files_that_must_stay_do_not_hold() {
    let (refused, fixes) = refused(&[("keep/docker-compose.prod.yml", COMPOSE)], RuleSet::All);
    assert!(fixes > 0 && refused.len() == fixes, "{refused:?}");
    assert!(refused.iter().all(|(_, reason)| reason == "it must stay"), "{refused:?}");
}
