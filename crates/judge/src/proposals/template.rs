//! What a proposal says, whatever the deployment.

use super::{access, containers, operation};

/// How hard a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Complexity {
    /// A few lines in one place.
    Low,
    /// Several places, or data move.
    Medium,
    /// Another way of working.
    High,
}

impl Complexity {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// When a change is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Horizon {
    /// Now.
    QuickWin,
    /// In the next weeks.
    MediumTerm,
    /// When there is time for another way of working.
    LongTerm,
}

impl Horizon {
    /// The words for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::QuickWin => "quick win",
            Self::MediumTerm => "medium-term",
            Self::LongTerm => "long-term",
        }
    }
}

/// A kind of change. Each rule belongs to exactly one.
#[derive(Debug)]
pub struct Template {
    /// Its name for machines and references.
    pub id: &'static str,
    /// What to do, in a few words.
    pub title: &'static str,
    /// How to do it.
    pub solution: &'static str,
    /// How hard it is.
    pub complexity: Complexity,
    /// Effort that comes once, in quarters of an hour.
    pub base_quarters: u32,
    /// Effort for each place, in quarters of an hour.
    pub place_quarters: u32,
    /// What it does for security.
    pub security: &'static str,
    /// What it does to performance.
    pub performance: &'static str,
    /// What may break or has to be done by others.
    pub breaking: &'static str,
    /// When it is due.
    pub horizon: Horizon,
    /// The rules whose findings it resolves.
    pub rules: &'static [&'static str],
}

/// All kinds of changes.
pub fn templates() -> impl Iterator<Item = &'static Template> {
    [access::TEMPLATES, containers::TEMPLATES, operation::TEMPLATES].into_iter().flatten()
}

/// The change that resolves a rule's findings.
#[must_use]
pub fn of_rule(code: &str) -> Option<&'static Template> {
    templates().find(|template| template.rules.contains(&code))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn each_rule_belongs_to_exactly_one_proposal() {
        let mut count: BTreeMap<&str, usize> =
            plimsoll_rules::registry::all().map(|rule| (rule.code, 0)).collect();
        for code in templates().flat_map(|template| template.rules) {
            *count.get_mut(code).unwrap_or_else(|| panic!("{code} is no rule")) += 1;
        }
        let wrong: Vec<_> = count.into_iter().filter(|(_, count)| *count != 1).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn there_are_fewer_proposals_than_the_cut_can_tell_apart() {
        assert!(templates().count() <= crate::cut::MOST_CHANGES);
    }
}
