use plimsoll_report::{page_for_terminal, rules_for_terminal};

use crate::sample::REUSED;
use crate::terminal::plain;

#[test]
fn a_page_is_wrapped_and_has_no_test_markers() {
    insta::assert_snapshot!(plain(&page_for_terminal(&REUSED, 60)), @r#"
    SEC-900 reused-password: One password for two services
    severity high, confidence high

      A password is a word that only you know. It opens a door
      for whoever says it, so two doors should not have the same
      one.

    What it checks

      Passwords.

    Bad

      Twice

        .env
          A=x

    References

      - A book on passwords: https://example.org/passwords
    "#);
}

#[test]
fn rules_are_listed_by_theme() {
    insta::assert_snapshot!(plain(&rules_for_terminal([&REUSED].into_iter())), @r#"
    Secrets
      SEC-900  reused-password  high      One password for two services
    "#);
}
