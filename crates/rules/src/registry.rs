//! The table of all rules.

use crate::Rule;
use crate::{
    compose_hardening, data_safety, docs_drift, guest_isolation, health_rollout, host_access, lifecycle,
    network, performance, plimsoll, script_robustness, secrets, transfer_build,
};

/// One slice for each theme, in the order of [`crate::Theme::ALL`]; each sorted by code.
const RULES: [&[&Rule]; 13] = [
    guest_isolation::RULES,
    host_access::RULES,
    secrets::RULES,
    transfer_build::RULES,
    compose_hardening::RULES,
    network::RULES,
    data_safety::RULES,
    health_rollout::RULES,
    script_robustness::RULES,
    lifecycle::RULES,
    performance::RULES,
    docs_drift::RULES,
    plimsoll::RULES,
];

/// All rules, by theme and code.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    RULES.into_iter().flatten().copied()
}

/// The rule of a code or a name, in any case.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.code.eq_ignore_ascii_case(id) || rule.name.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Theme;

    #[test]
    fn slices_hold_their_own_theme_sorted_by_code() {
        for (theme, rules) in Theme::ALL.into_iter().zip(RULES) {
            assert!(rules.is_sorted_by(|a, b| a.code < b.code), "rules of {} are out of order", theme.slug());
            for rule in rules {
                assert_eq!(rule.theme, theme, "{}", rule.code);
                let number = rule.code.strip_prefix(theme.prefix()).and_then(|rest| rest.strip_prefix('-'));
                let digits = number.is_some_and(|n| n.len() == 3 && n.bytes().all(|b| b.is_ascii_digit()));
                assert!(digits, "{} is not {}-nnn", rule.code, theme.prefix());
            }
        }
    }

    #[test]
    fn codes_and_names_are_unique_and_names_are_kebab_case() {
        let mut seen = BTreeSet::new();
        for rule in all() {
            assert!(seen.insert(rule.code) && seen.insert(rule.name), "{} {}", rule.code, rule.name);
            let kebab = !rule.name.starts_with('-')
                && !rule.name.ends_with('-')
                && !rule.name.contains("--")
                && rule.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            assert!(kebab, "{}", rule.name);
        }
    }

    #[test]
    fn titles_are_one_line_without_a_full_stop_and_references_are_https() {
        for rule in all() {
            assert!(!rule.title.is_empty() && !rule.title.contains('\n'), "{}", rule.code);
            assert!(!rule.title.ends_with('.'), "{}: {}", rule.code, rule.title);
            assert!(rule.title.len() <= 90, "{}: the title is longer than 90 bytes", rule.code);
            for reference in rule.references {
                assert!(reference.url.starts_with("https://"), "{}: {}", rule.code, reference.url);
                assert!(!reference.title.is_empty(), "{}", rule.code);
            }
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "looks at the source tree, which is what it tests")]
    fn each_rule_has_a_short_file_and_a_page_named_after_it() {
        let source = camino::Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        for rule in all() {
            let stem = source.join(rule.theme.slug().replace('-', "_")).join(rule.name.replace('-', "_"));
            let page = std::fs::read_to_string(stem.with_extension("md")).unwrap_or_default();
            assert!(page == rule.doc, "{}: {stem}.md is not its page", rule.code);
            let file = std::fs::read_to_string(stem.with_extension("rs")).unwrap_or_default();
            let lines = file.lines().count();
            assert!((1..=350).contains(&lines), "{}: {stem}.rs has {lines} lines, not 1 to 350", rule.code);
        }
    }
}
