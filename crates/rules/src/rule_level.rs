//! How bad, how sure, how fixable.

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Untidy, or harmful only together with something else.
    Low,
    /// Will hurt at a bad moment.
    Medium,
    /// Hurts soon, or opens a way for an attacker who is already near.
    High,
    /// Broken, or open to an attacker now.
    Critical,
}

impl Severity {
    /// All, worst first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// So many steps worse, or better when negative; never beyond either end.
    #[must_use]
    pub fn shifted(self, steps: i8) -> Self {
        match (self as i8).saturating_add(steps) {
            i8::MIN..=0 => Self::Low,
            1 => Self::Medium,
            2 => Self::High,
            3.. => Self::Critical,
        }
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// A hint; hidden by default.
    Low,
    /// Likely; rests on a convention or a table.
    Medium,
    /// Follows from the files.
    High,
}

impl Confidence {
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

/// What a machine can do about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixKind {
    /// Nothing.
    None,
    /// Propose a change that needs a decision.
    Suggest,
    /// Change it without changing behaviour that anyone wants.
    Safe,
}

impl FixKind {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Suggest => "suggest",
            Self::Safe => "safe",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_stops_at_both_ends() {
        assert_eq!(Severity::Low.shifted(-1), Severity::Low);
        assert_eq!(Severity::High.shifted(1), Severity::Critical);
        assert_eq!(Severity::Critical.shifted(2), Severity::Critical);
        assert_eq!(Severity::High.shifted(-1), Severity::Medium);
    }
}
