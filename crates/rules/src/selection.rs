//! Which rules and findings somebody wants to see.

use std::collections::BTreeSet;

use plimsoll_text::distance;

use crate::{Baseline, Confidence, Profile, Rule, Theme, registry};

/// What to evaluate and what to show.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Which rules run.
    pub rules: RuleSet,
    /// Findings less sure than this are counted, not shown.
    pub min_confidence: Confidence,
    /// What the deployment is for.
    pub profile: Profile,
    /// Findings that are known already; they are counted, not shown.
    pub baseline: Baseline,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            rules: RuleSet::All,
            min_confidence: Confidence::Medium,
            profile: Profile::Homelab,
            baseline: Baseline::default(),
        }
    }
}

/// Which rules run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleSet {
    /// Every rule.
    All,
    /// The rules with these codes.
    Only(BTreeSet<&'static str>),
}

/// An id that is no rule's code or name and no theme's prefix or name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRule {
    /// The id as given.
    pub id: String,
    /// The known id that looks most like it.
    pub similar: Option<&'static str>,
}

impl RuleSet {
    /// The rules that a list of ids names: codes, names, prefixes (`ISO`) or themes (`guest-isolation`), in any
    /// case.
    ///
    /// # Errors
    /// When an id names nothing.
    pub fn from_ids<'a>(ids: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownRule> {
        let mut codes = BTreeSet::new();
        for id in ids {
            let theme = Theme::ALL.into_iter().find(|theme| {
                id.eq_ignore_ascii_case(theme.prefix()) || id.eq_ignore_ascii_case(theme.slug())
            });
            if let Some(theme) = theme {
                codes.extend(registry::all().filter(|rule| rule.theme == theme).map(|rule| rule.code));
            } else if let Some(rule) = registry::find(id) {
                codes.insert(rule.code);
            } else {
                return Err(UnknownRule { id: id.to_owned(), similar: similar_id(id) });
            }
        }
        Ok(Self::Only(codes))
    }

    /// Whether a rule is among them.
    #[must_use]
    pub fn has(&self, rule: &Rule) -> bool {
        match self {
            Self::All => true,
            Self::Only(codes) => codes.contains(rule.code),
        }
    }
}

/// The known id with the least distance to a wrong one, when it is near enough to be meant.
#[must_use]
pub fn similar_id(wrong: &str) -> Option<&'static str> {
    let wrong = wrong.to_ascii_lowercase();
    registry::all()
        .flat_map(|rule| [rule.code, rule.name])
        .chain(Theme::ALL.into_iter().map(Theme::slug))
        .map(|id| (distance(&wrong, &id.to_ascii_lowercase()), id))
        .min()
        .filter(|(distance, id)| *distance <= 1 + id.len() / 6)
        .map(|(_, id)| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_codes_names_or_themes_in_any_case() {
        let by_theme = RuleSet::from_ids(["plm"]).unwrap();
        assert_eq!(by_theme, RuleSet::from_ids(["plimsoll"]).unwrap());
        let one = RuleSet::from_ids(["plm-004"]).unwrap();
        assert_eq!(one, RuleSet::from_ids(["syntax-error"]).unwrap());
        assert_eq!(one, RuleSet::Only(["PLM-004"].into()));
    }

    #[test]
    fn a_wrong_id_is_refused_with_the_one_that_was_meant() {
        let error = RuleSet::from_ids(["syntax-eror"]).unwrap_err();
        assert_eq!(error, UnknownRule { id: "syntax-eror".into(), similar: Some("syntax-error") });
        assert_eq!(RuleSet::from_ids(["wibble"]).unwrap_err().similar, None);
    }
}
