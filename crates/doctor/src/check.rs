//! What a check found, and how a report of checks reads.

use serde_json::{Value, json};

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It is as it must be.
    Fine,
    /// A deploy goes on, and something is worth knowing.
    Warning,
    /// A deploy would fail.
    Failed,
    /// It cannot be told.
    Unknown,
}

impl Outcome {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, in a word or two.
    pub name: &'static str,
    /// How it went.
    pub outcome: Outcome,
    /// What was seen.
    pub evidence: String,
    /// What to do about it.
    pub fix: Option<String>,
    /// Commands that do it, line by line.
    pub commands: Vec<String>,
}

impl Check {
    fn new(name: &'static str, outcome: Outcome, evidence: impl Into<String>) -> Self {
        Self { name, outcome, evidence: evidence.into(), fix: None, commands: Vec::new() }
    }

    /// It is as it must be.
    #[must_use]
    pub fn fine(name: &'static str, evidence: impl Into<String>) -> Self {
        Self::new(name, Outcome::Fine, evidence)
    }

    /// A deploy goes on all the same.
    #[must_use]
    pub fn warning(name: &'static str, evidence: impl Into<String>) -> Self {
        Self::new(name, Outcome::Warning, evidence)
    }

    /// A deploy would fail.
    #[must_use]
    pub fn failed(name: &'static str, evidence: impl Into<String>) -> Self {
        Self::new(name, Outcome::Failed, evidence)
    }

    /// It cannot be told.
    #[must_use]
    pub fn unknown(name: &'static str, evidence: impl Into<String>) -> Self {
        Self::new(name, Outcome::Unknown, evidence)
    }

    /// The same with what to do.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// The same with commands that do it.
    #[must_use]
    pub fn commands(mut self, commands: Vec<String>) -> Self {
        self.commands = commands;
        self
    }
}

/// All checks of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The app.
    pub app: String,
    /// The target.
    pub target: String,
    /// The checks, in the order in which a deploy would stumble.
    pub checks: Vec<Check>,
}

impl Report {
    fn count(&self, outcome: Outcome) -> usize {
        self.checks.iter().filter(|check| check.outcome == outcome).count()
    }

    /// Whether a deploy would fail.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.count(Outcome::Failed) > 0
    }

    /// For people. `paint` puts colours around the words.
    #[must_use]
    pub fn text(&self, paint: &dyn Fn(Outcome, &str) -> String) -> String {
        let mut out = format!("{}, target {}\n\n", self.app, self.target);
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
        let same = |a: &Check, b: &Check| {
            let plain = |check: &Check| check.fix.is_none() && check.outcome == Outcome::Unknown;
            plain(a) && plain(b) && a.evidence == b.evidence
        };
        for group in self.checks.chunk_by(same) {
            let Some(check) = group.first() else { continue };
            let word = check.outcome.word();
            let blanks = " ".repeat(7usize.saturating_sub(word.len()));
            let word = format!("{}{blanks}", paint(check.outcome, word));
            if group.len() > 1 {
                let names: Vec<&str> = group.iter().map(|check| check.name).collect();
                out.push_str(&format!("  {word}  {}: {}\n", names.join(", "), check.evidence));
                continue;
            }
            out.push_str(&format!("  {word}  {:<width$}  {}\n", check.name, check.evidence));
            let indent = " ".repeat(width + 13);
            out.extend(check.fix.iter().map(|fix| format!("{indent}{fix}\n")));
            out.extend(check.commands.iter().map(|command| format!("{indent}  {command}\n")));
        }
        out.push_str(&format!("\n{}\n", self.summary()));
        out
    }

    fn summary(&self) -> String {
        let all = self.checks.len();
        let mut parts = Vec::new();
        match self.count(Outcome::Failed) {
            0 => parts.push("no check failed".to_owned()),
            failed => parts.push(format!("{failed} of {all} checks failed")),
        }
        match self.count(Outcome::Warning) {
            0 => {}
            1 => parts.push("one warns".to_owned()),
            many => parts.push(format!("{many} warn")),
        }
        match self.count(Outcome::Unknown) {
            0 => {}
            1 => parts.push("one cannot be told".to_owned()),
            many => parts.push(format!("{many} cannot be told")),
        }
        parts.join(", ")
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let checks: Vec<Value> = self
            .checks
            .iter()
            .map(|check| {
                json!({
                    "check": check.name, "outcome": check.outcome.word(), "evidence": check.evidence,
                    "fix": check.fix, "commands": check.commands,
                })
            })
            .collect();
        json!({
            "schema": "plimsoll-doctor/v1", "app": self.app, "target": self.target, "failed": self.has_failed(),
            "checks": checks,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(checks: Vec<Check>) -> Report {
        Report { app: "shop".to_owned(), target: "production".to_owned(), checks }
    }

    #[test]
    fn a_report_says_what_is_and_what_to_do() {
        let report = report(vec![
            Check::fine("node", "pve.lan:8006 answers"),
            Check::failed("privileges", "the token lacks SDN.Use on `/sdn/zones/localnetwork/vmbr0`")
                .fix("on the node, as root:")
                .commands(vec!["pveum role add a".to_owned(), "pveum acl modify b".to_owned()]),
            Check::warning("clock", "the node is 90 s behind this machine").fix("let both ask a time server"),
            Check::unknown("bridge", "the node was not asked"),
        ]);
        insta::assert_snapshot!("report_for_people", report.text(&|_, word| word.to_owned()));
        insta::assert_snapshot!("report_for_programs", format!("{:#}", report.json()));
        assert!(report.has_failed());
    }

    #[test]
    fn what_cannot_be_told_is_no_failure() {
        let report = report(vec![Check::unknown("bridge", "the node was not asked")]);
        assert!(!report.has_failed() && report.summary() == "no check failed, one cannot be told");
    }
}
