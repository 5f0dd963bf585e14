//! What rules are about.

/// What a rule is about; the prefix of its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Theme {
    /// ISO: LXC and VM configuration.
    GuestIsolation,
    /// HST: access to the hypervisor.
    HostAccess,
    /// SEC: secrets.
    Secrets,
    /// BLD: transfer and build.
    TransferBuild,
    /// CMP: Compose runtime hardening.
    ComposeHardening,
    /// NET: network exposure.
    Network,
    /// DAT: data safety.
    DataSafety,
    /// HLT: health and rollout.
    HealthRollout,
    /// SCR: script robustness.
    ScriptRobustness,
    /// LIF: lifecycle and observability.
    Lifecycle,
    /// PRF: performance.
    Performance,
    /// DOC: documentation and drift.
    DocsDrift,
    /// PLM: what stands in the way of this evaluation itself.
    Plimsoll,
}

impl Theme {
    /// All, in the order of reports.
    pub const ALL: [Self; 13] = [
        Self::GuestIsolation,
        Self::HostAccess,
        Self::Secrets,
        Self::TransferBuild,
        Self::ComposeHardening,
        Self::Network,
        Self::DataSafety,
        Self::HealthRollout,
        Self::ScriptRobustness,
        Self::Lifecycle,
        Self::Performance,
        Self::DocsDrift,
        Self::Plimsoll,
    ];

    /// The prefix of its codes.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        self.words().0
    }

    /// Its name for machines, in kebab-case.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        self.words().1
    }

    /// Its heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.words().2
    }

    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::GuestIsolation => ("ISO", "guest-isolation", "Guest isolation"),
            Self::HostAccess => ("HST", "host-access", "Access to the hypervisor"),
            Self::Secrets => ("SEC", "secrets", "Secrets"),
            Self::TransferBuild => ("BLD", "transfer-build", "Transfer and build"),
            Self::ComposeHardening => ("CMP", "compose-hardening", "Compose hardening"),
            Self::Network => ("NET", "network", "Network exposure"),
            Self::DataSafety => ("DAT", "data-safety", "Data safety"),
            Self::HealthRollout => ("HLT", "health-rollout", "Health and rollout"),
            Self::ScriptRobustness => ("SCR", "script-robustness", "Script robustness"),
            Self::Lifecycle => ("LIF", "lifecycle", "Lifecycle and observability"),
            Self::Performance => ("PRF", "performance", "Performance"),
            Self::DocsDrift => ("DOC", "docs-drift", "Documentation and drift"),
            Self::Plimsoll => ("PLM", "plimsoll", "This evaluation"),
        }
    }
}
