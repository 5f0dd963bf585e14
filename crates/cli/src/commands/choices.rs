//! The words that options accept.

use clap::ValueEnum;
use plimsoll_rules::{Confidence, Profile, Severity};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For a person at a terminal
    Terminal,
    /// For programs; see docs/json-report.md
    Json,
    /// For code scanning, SARIF 2.1.0
    Sarif,
    /// For a browser
    Markdown,
    /// The attack graph, for Graphviz
    Dot,
    /// The attack graph, for Mermaid
    Mermaid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For a person at a terminal
    Terminal,
    /// For programs
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileChoice {
    /// One's own network, a few people who trust each other
    Homelab,
    /// Reachable by strangers
    Internet,
    /// Others depend on it
    Production,
}

impl From<ProfileChoice> for Profile {
    fn from(choice: ProfileChoice) -> Self {
        match choice {
            ProfileChoice::Homelab => Self::Homelab,
            ProfileChoice::Internet => Self::Internet,
            ProfileChoice::Production => Self::Production,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Critical,
    High,
    Medium,
    Low,
    Never,
}

impl FailOn {
    pub(crate) fn threshold(self) -> Option<Severity> {
        match self {
            Self::Critical => Some(Severity::Critical),
            Self::High => Some(Severity::High),
            Self::Medium => Some(Severity::Medium),
            Self::Low => Some(Severity::Low),
            Self::Never => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConfidenceChoice {
    High,
    Medium,
    Low,
}

impl From<ConfidenceChoice> for Confidence {
    fn from(choice: ConfidenceChoice) -> Self {
        match choice {
            ConfidenceChoice::High => Self::High,
            ConfidenceChoice::Medium => Self::Medium,
            ConfidenceChoice::Low => Self::Low,
        }
    }
}
