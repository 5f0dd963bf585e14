//! Mending small projects: what is kept, what is withdrawn, and that nothing is left to do afterwards.

use plimsoll_fix::{Mended, Request, mend};
use plimsoll_model::Inventory;
use plimsoll_rules::{RuleSet, Selection};
use plimsoll_text::{Applicability, Files};

fn run(files: &[(&str, &str)], check: &dyn Fn(&str) -> bool) -> Mended {
    let inventory = Inventory::new(files.iter().map(|(path, _)| (*path).into()));
    mend(Request {
        files: Files::new(files.iter().map(|(path, text)| ((*path).into(), (*text).to_owned()))),
        inventory: &inventory,
        selection: &Selection::default(),
        rules: &RuleSet::All,
        least: Applicability::Safe,
        keep: &|path| path.as_str().starts_with("keep/"),
        check: &|_, _, after| check(after).then(|| "the check objects".to_owned()),
    })
}

const COMPOSE: &str = "services:\n  db:\n    image: postgres:16.4 # the store\n    environment:\n      POSTGRES_PASSWORD: ${DB_PASSWORD}\n    ports:\n      - \"5432:5432\"\n    restart: unless-stopped\n";

#[test]
fn fixes_that_touch_one_place_are_all_applied_and_nothing_is_left_to_do() {
    let mended = run(&[("docker-compose.prod.yml", COMPOSE)], &|_| false);
    let codes: Vec<&str> = mended.fixed.iter().map(|fixed| fixed.rule.code).collect();
    for code in ["NET-001", "SEC-010", "CMP-005", "LIF-001"] {
        assert!(codes.contains(&code), "{codes:?}");
    }
    let after = &mended.changed[0].after;
    assert!(
        after.contains("image: postgres:16.4 # the store\n") && after.contains("\"127.0.0.1:5432:5432\"")
    );
    let again = run(&[("docker-compose.prod.yml", after)], &|_| false);
    assert!(again.fixed.is_empty() && again.changed.is_empty(), "{:?}", again.fixed);
}

#[test]
fn one_bad_fix_is_withdrawn_with_its_reason_and_the_others_are_kept() {
    let mended = run(&[("docker-compose.prod.yml", COMPOSE)], &|text| text.contains("127.0.0.1"));
    let withdrawn: Vec<(&str, &str)> =
        mended.withdrawn.iter().map(|w| (w.fixed.rule.code, w.reason.as_str())).collect();
    assert_eq!(withdrawn, [("NET-001", "`docker-compose.prod.yml`: the check objects")]);
    assert!(mended.fixed.iter().any(|fixed| fixed.rule.code == "LIF-001"));
    assert!(!mended.changed[0].after.contains("127.0.0.1"));
}

#[test]
fn files_that_must_stay_are_left_alone() {
    let mended = run(&[("keep/docker-compose.prod.yml", COMPOSE)], &|_| false);
    assert!(mended.changed.is_empty() && mended.fixed.is_empty() && !mended.remaining.findings.is_empty());
}

#[test]
fn files_with_windows_line_ends_keep_them() {
    let text = COMPOSE.replace('\n', "\r\n");
    let mended = run(&[("docker-compose.prod.yml", &text)], &|_| false);
    let after = &mended.changed[0].after;
    assert_eq!(after.matches("\r\n").count(), after.matches('\n').count());
}
