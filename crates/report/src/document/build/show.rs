//! How facts and findings are shown.

use std::collections::BTreeMap;

use plimsoll_judge::Evidence as Fact;
use plimsoll_judge::alternatives::Kind;
use plimsoll_rules::{Finding, Judged, Severity};
use plimsoll_text::Place;

use super::references::References;
use super::{Input, excerpt, patch};
use crate::document::{self, Block, Column, Evidence, Patch, Position, Section, Table, Text, Withdrawn};
use crate::source::{Sources, printable};

type Key = (&'static str, Place, String);

/// The input with what every chapter needs.
pub(super) struct Show<'a> {
    pub(super) input: &'a Input<'a>,
    pub(super) sources: Sources<'a>,
    pub(super) references: References,
    anchors: BTreeMap<Key, String>,
    proposals: BTreeMap<&'static str, String>,
}

impl<'a> Show<'a> {
    pub(super) fn new(input: &'a Input<'a>) -> Self {
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        let mut anchors = BTreeMap::new();
        for judged in &input.report.assessment.findings {
            let code = judged.finding.rule.code;
            let nth = count.entry(code).or_default();
            *nth += 1;
            let base = format!("f-{}", code.to_ascii_lowercase());
            anchors.insert(key(&judged.finding), if *nth == 1 { base } else { format!("{base}-{nth}") });
        }
        let mut proposals = BTreeMap::new();
        for proposal in &input.judgement.proposals {
            for resolved in &proposal.resolves {
                proposals.insert(resolved.rule, proposal_anchor(proposal.id));
            }
        }
        let sources = Sources::new(input.report.files, input.report.assessment);
        Self { input, sources, references: References::of(input), anchors, proposals }
    }

    /// Whether there is no app to judge.
    pub(super) fn is_empty(&self) -> bool {
        self.input.judgement.situation.containers.is_empty()
    }

    /// The findings that are shown, the worst first.
    pub(super) fn all(&self) -> impl Iterator<Item = &'a Finding> {
        self.input.report.assessment.findings.iter().map(|Judged { finding, .. }| finding)
    }

    /// The findings of some rules, the worst first; of equal ones the rule that is named first.
    pub(super) fn of(&self, rules: &[&str]) -> Vec<&'a Finding> {
        let rank = |finding: &Finding| rules.iter().position(|rule| *rule == finding.rule.code);
        let mut found: Vec<&Finding> = self.all().filter(|finding| rank(finding).is_some()).collect();
        found.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), rank(finding)));
        found
    }

    pub(super) fn count(&self, severity: Severity) -> usize {
        self.input.report.count(severity)
    }

    pub(super) fn position(&self, place: Place) -> Position {
        let file = self.input.report.files.get(place.file);
        Position {
            path: printable(file.path().as_str()).into_owned(),
            line: file.line_of(place.span.start) + 1,
        }
    }

    /// The anchor of a finding; nothing where it is not in the document.
    pub(super) fn anchor(&self, rule: &'static str, place: Place, message: &str) -> Option<String> {
        self.anchors.get(&(rule, place, message.to_owned())).cloned()
    }

    /// A finding in a sentence of another: its message, its code as a way to it, its place.
    pub(super) fn mention(&self, finding: &Finding) -> Text {
        self.mention_after(Text::default(), finding)
    }

    pub(super) fn mention_after(&self, text: Text, finding: &Finding) -> Text {
        let text = text.and(&finding.message).and(" (");
        let text = match self.anchors.get(&key(finding)) {
            Some(anchor) => text.anchor(anchor, finding.rule.code),
            None => text.and(finding.rule.code),
        };
        text.and(", ").place(self.position(finding.primary.place)).and(")")
    }

    /// A fact in a cell: what it says, and where.
    pub(super) fn fact(&self, fact: &Fact) -> Text {
        let text = Text::of(&fact.text);
        match (fact.rule, fact.place) {
            (Some(rule), Some(place)) => {
                let text = text.and(" (");
                let text = match self.anchor(rule, place, &fact.text) {
                    Some(anchor) => text.anchor(anchor, rule),
                    None => text.and(rule),
                };
                text.and(", ").place(self.position(place)).and(")")
            }
            (_, Some(place)) => text.and(" (").place(self.position(place)).and(")"),
            _ => text,
        }
    }

    /// Some facts in a cell; more than a few are counted.
    pub(super) fn facts(&self, facts: &[Fact], most: usize) -> Text {
        let mut text = Text::default();
        for (index, fact) in facts.iter().take(most).enumerate() {
            if index > 0 {
                text = text.and("; ");
            }
            text.0.extend(self.fact(fact).0);
        }
        match facts.len().saturating_sub(most) {
            0 => text,
            more => text.and(&format!("; and {more} more")),
        }
    }

    pub(super) fn evidence(&self, place: Option<Place>, text: &str) -> Evidence {
        Evidence { position: place.map(|place| self.position(place)), text: Text::of(text) }
    }

    /// A finding in full.
    pub(super) fn finding(&self, finding: &Finding) -> document::Finding {
        let rule = finding.rule;
        let related = finding.related.iter().map(|label| self.evidence(Some(label.place), &label.text));
        document::Finding {
            id: self.anchors.get(&key(finding)).cloned().unwrap_or_default(),
            rule: rule.code,
            name: rule.name,
            theme: rule.theme,
            severity: finding.severity,
            confidence: finding.confidence,
            message: Text::of(&finding.message),
            position: self.position(finding.primary.place),
            excerpt: excerpt::around(self, finding.primary.place),
            evidence: related.collect(),
            notes: finding.notes.iter().map(|note| Text::of(note)).collect(),
            help: finding.help.as_deref().map(Text::of),
            fix: self.patch(finding),
            proposal: self.proposals.get(rule.code).cloned(),
        }
    }

    pub(super) fn patch(&self, finding: &Finding) -> Option<Patch> {
        let fix = finding.fix.as_ref()?;
        if self.is_withdrawn(finding) {
            return None;
        }
        let diff = patch::diff(self.input.report.files, &self.sources, &fix.edits);
        (!diff.is_empty()).then(|| Patch {
            rule: finding.rule.code,
            title: Text::of(&fix.title),
            applicability: fix.applicability,
            diff,
        })
    }

    /// Whether the patch of a finding does not hold.
    pub(super) fn is_withdrawn(&self, finding: &Finding) -> bool {
        self.input.withdrawn.contains_key(&key(finding))
    }

    /// The patch of a finding that does not hold.
    pub(super) fn withdrawn(&self, finding: &Finding) -> Option<Withdrawn> {
        let reason = self.input.withdrawn.get(&key(finding))?;
        Some(Withdrawn {
            rule: finding.rule.code,
            position: self.position(finding.primary.place),
            title: Text::of(&finding.fix.as_ref()?.title),
            reason: Text::of(reason),
        })
    }
}

fn key(finding: &Finding) -> Key {
    (finding.rule.code, finding.primary.place, finding.message.clone())
}

pub(super) fn proposal_anchor(id: &str) -> String {
    format!("p-{id}")
}

/// A part of a chapter.
pub(super) fn part(id: &str, title: &str, blocks: Vec<Block>) -> Section {
    Section { id: id.to_owned(), title: title.to_owned(), blocks, sections: Vec::new() }
}

/// A table; a title that begins with `#` heads a column of numbers.
pub(super) fn table(caption: &str, titles: &[&str], rows: Vec<Vec<Text>>) -> Block {
    let column = |title: &&str| Column {
        title: title.trim_start_matches('#').to_owned(),
        numeric: title.starts_with('#'),
    };
    Block::Table(Table { caption: caption.to_owned(), columns: titles.iter().map(column).collect(), rows })
}

/// A number as text.
pub(super) fn number(number: impl std::fmt::Display) -> Text {
    Text::of(&number.to_string())
}

/// Points in hundredths, as people write them.
pub(super) fn points(hundredths: u32) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Text with a capital first letter.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Names in a row: `a`, `b` and `c`.
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A way to host as a noun in a sentence.
pub(super) const fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Today => "today's way",
        Kind::PrivilegedLxc => "a privileged LXC guest with Docker",
        Kind::UnprivilegedLxc => "an unprivileged LXC guest with Docker",
        Kind::Vm => "a VM with Docker",
        Kind::Oci => "one native OCI container for each service",
        Kind::Hybrid => "a VM for the app and a guest of its own for its state",
        Kind::HighAvailability => "a VM under Proxmox HA with replication",
        Kind::Swarm => "Docker Swarm or k3s over several VMs",
    }
}
