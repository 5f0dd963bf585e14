//! What a rule is.

use plimsoll_model::Facts;

use crate::Findings;

/// A rule: plain data and a pure function over facts.
#[derive(Debug)]
pub struct Rule {
    /// Stable code, such as `ISO-001`.
    pub code: &'static str,
    /// Readable name in kebab-case that makes sense after "allow …", such as `privileged-lxc`.
    pub name: &'static str,
    /// One line without a full stop.
    pub title: &'static str,
    /// What it is about.
    pub theme: Theme,
    /// How bad it is by default.
    pub severity: Severity,
    /// How sure it is by default.
    pub confidence: Confidence,
    /// Whether a way to the hypervisor (a privileged guest, a node credential, a container engine's socket)
    /// makes it one step worse.
    pub worse_near_node: bool,
    /// What a machine can do about it.
    pub fix: FixKind,
    /// Sources, each checked.
    pub references: &'static [Reference],
    /// The documentation page, which is also its test.
    pub doc: &'static str,
    /// The check.
    pub check: fn(&Facts, &mut Findings<'_>),
}

/// A source for a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Name of the document and its part.
    pub title: &'static str,
    /// Where to read it.
    pub url: &'static str,
}

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
}
