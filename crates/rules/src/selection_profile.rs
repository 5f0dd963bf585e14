//! What a deployment is for, and how that weighs findings.

/// What a deployment is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// One's own network, a few people who trust each other.
    #[default]
    Homelab,
    /// Reachable by strangers.
    Internet,
    /// Others depend on it.
    Production,
}

/// Rules that weigh more than their default under a profile, by code. Default severities are those of
/// [`Profile::Homelab`].
const WORSE: &[(Profile, &[&str])] = &[
    (
        Profile::Internet,
        &["NET-001", "NET-002", "NET-003", "NET-004", "NET-005", "NET-008", "NET-009", "NET-011", "NET-012"],
    ),
    (Profile::Production, &["NET-001", "NET-002", "NET-004", "NET-005", "NET-006", "NET-007", "NET-011"]),
];

impl Profile {
    /// All, the mildest first.
    pub const ALL: [Self; 3] = [Self::Homelab, Self::Internet, Self::Production];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Homelab => "homelab",
            Self::Internet => "internet",
            Self::Production => "production",
        }
    }

    /// How many steps worse a rule's findings are than by default.
    #[must_use]
    pub fn shift(self, code: &str) -> i8 {
        WORSE.iter().any(|(profile, codes)| *profile == self && codes.contains(&code)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_network_rules_change_with_the_profile() {
        for (_, codes) in WORSE {
            assert!(codes.iter().all(|code| code.starts_with("NET-")), "{codes:?}");
        }
        assert_eq!(Profile::Homelab.shift("NET-001"), 0);
        assert_eq!(Profile::Internet.shift("NET-001"), 1);
        assert_eq!(Profile::Internet.shift("ISO-001"), 0);
    }
}
