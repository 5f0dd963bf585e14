//! Findings by chapter.

use std::collections::BTreeSet;

use plimsoll_rules::{Rule, Severity, Theme};

use super::show::{Show, part};
use crate::document::{Block, Finding, Section, Text};
use crate::report::counted;

/// The chapters that findings belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chapter {
    Security,
    Reliability,
    Performance,
    Automation,
}

impl Chapter {
    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Security => "security",
            Self::Reliability => "reliability",
            Self::Performance => "performance",
            Self::Automation => "automation",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Security => "Security",
            Self::Reliability => "Reliability and maintainability",
            Self::Performance => "Performance",
            Self::Automation => "Automation quality",
        }
    }

    /// The chapter of a rule's findings; each has exactly one.
    pub(super) fn of(rule: &Rule) -> Self {
        match (rule.theme, rule.code) {
            (_, "BLD-006" | "BLD-007" | "BLD-008" | "BLD-009" | "BLD-022") => Self::Security,
            (_, "BLD-010" | "BLD-014" | "BLD-015" | "BLD-016" | "CMP-007" | "LIF-001" | "LIF-008") => {
                Self::Performance
            }
            (_, "BLD-012" | "BLD-013" | "SCR-012") => Self::Automation,
            (
                Theme::GuestIsolation
                | Theme::HostAccess
                | Theme::Secrets
                | Theme::ComposeHardening
                | Theme::Network,
                _,
            ) => Self::Security,
            (Theme::TransferBuild | Theme::DataSafety | Theme::HealthRollout | Theme::DocsDrift, _) => {
                Self::Reliability
            }
            (Theme::Performance, _) => Self::Performance,
            (Theme::ScriptRobustness | Theme::Lifecycle | Theme::Plimsoll, _) => Self::Automation,
        }
    }
}

/// The findings of a chapter: the bad ones in full, the others in short.
pub(super) fn of(show: &Show<'_>, chapter: Chapter) -> Vec<Block> {
    let all = || show.all().filter(|finding| Chapter::of(finding.rule) == chapter);
    let bad = |severity: Severity| severity >= Severity::High;
    let full: Vec<Finding> =
        all().filter(|finding| bad(finding.severity)).map(|finding| show.finding(finding)).collect();
    let brief: Vec<Finding> =
        all().filter(|finding| !bad(finding.severity)).map(|finding| show.finding(finding)).collect();
    let mut blocks = Vec::new();
    if !full.is_empty() {
        blocks.push(Block::Findings(full));
    }
    if !brief.is_empty() {
        blocks.push(Block::Brief(brief));
    }
    if blocks.is_empty() {
        blocks.push(Block::Paragraph("No finding.".into()));
    }
    blocks
}

/// What the document leaves out, and why.
pub(super) fn hidden(show: &Show<'_>) -> Option<Section> {
    let findings = show.input.report.assessment;
    let mut blocks = Vec::new();
    let mut items = Vec::new();
    for (judged, acceptance) in &findings.accepted {
        let finding = &judged.finding;
        let item = show.mention(finding).and(": ").and(&acceptance.reason);
        items.push(item.and(" (").place(show.position(acceptance.place)).and(")"));
    }
    if !items.is_empty() {
        blocks.push(Block::Paragraph("Accepted, each with its reason:".into()));
        blocks.push(Block::List(items));
    }
    if !findings.known.is_empty() {
        let known = counted(findings.known.len(), "finding");
        blocks.push(Block::Paragraph(
            format!("The baseline holds {known}, which this document does not list.").into(),
        ));
    }
    if !findings.unsure.is_empty() {
        let codes: BTreeSet<&str> = findings.unsure.iter().map(|judged| judged.finding.rule.code).collect();
        let codes: Vec<&str> = codes.into_iter().collect();
        let unsure = counted(findings.unsure.len(), "finding");
        blocks.push(Block::Paragraph(
            format!(
                "{unsure} less sure than asked for ({}): `plimsoll evaluate --min-confidence low` lists them.",
                codes.join(", ")
            )
            .into(),
        ));
    }
    let problems = show.input.report.problems.iter();
    let unread: Vec<Text> = problems
        .map(|problem| Text::default().code(problem.path.as_str()).and(": ").and(&problem.reason))
        .collect();
    if !unread.is_empty() {
        blocks.push(Block::Paragraph("Not read as they are:".into()));
        blocks.push(Block::List(unread));
    }
    for broken in &findings.broken {
        blocks.push(Block::Paragraph(
            format!("Rule {} broke, so its findings are missing: {}", broken.code, broken.message).into(),
        ));
    }
    (!blocks.is_empty()).then(|| part("left-out", "What is not shown above", blocks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_chapter_has_rules() {
        for chapter in [Chapter::Security, Chapter::Reliability, Chapter::Performance, Chapter::Automation] {
            assert!(plimsoll_rules::registry::all().any(|rule| Chapter::of(rule) == chapter), "{chapter:?}");
        }
    }
}
