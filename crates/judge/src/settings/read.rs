//! Reading the section; what it does not know it refuses.

use plimsoll_rules::{Profile, registry};
use plimsoll_syntax::yaml::{Node, parse};
use plimsoll_text::{FileId, Layer, Place, SourceFile, SyntaxError};

use super::{AcceptedRisk, Date};
use crate::alternatives::{Criterion, Weights};

/// What the owner says about judging.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What the deployment is for.
    pub profile: Option<Profile>,
    /// Weights that replace those of the profile.
    pub weights: Vec<(Criterion, u32)>,
    /// Hours of a week that go into the deployment.
    pub hours_per_week: Option<u32>,
    /// Accepted risks.
    pub accept: Vec<AcceptedRisk>,
}

impl Settings {
    /// The weights for a profile with the owner's in place.
    #[must_use]
    pub fn weights(&self, profile: Profile) -> Weights {
        let own = self.weights.iter();
        own.fold(Weights::of(profile), |weights, (criterion, weight)| weights.with(*criterion, *weight))
    }
}

/// Reads the `evaluate:` section of a `plimsoll.yaml`; without one, nothing is set.
///
/// # Errors
///
/// Everything in the section that is unknown or cannot be read, each with its place.
pub fn read(id: FileId, file: &SourceFile) -> Result<Settings, Vec<SyntaxError>> {
    let stream = parse(&Layer::whole(id, file));
    let mut reading = Reading { file: id, errors: stream.errors.clone() };
    let mut settings = Settings::default();
    if let Some(section) = stream.documents.first().and_then(|document| document.get("evaluate")) {
        reading.section(section, &mut settings);
    }
    if reading.errors.is_empty() { Ok(settings) } else { Err(reading.errors) }
}

struct Reading {
    file: FileId,
    errors: Vec<SyntaxError>,
}

impl Reading {
    fn refuse(&mut self, node: &Node, message: impl Into<String>) {
        self.errors.push(SyntaxError { place: Place::new(self.file, node.span), message: message.into() });
    }

    fn section(&mut self, section: &Node, settings: &mut Settings) {
        if !section.is_mapping() && !section.is_null() {
            self.refuse(
                section,
                "`evaluate` is a mapping with `profile`, `weights`, `hours_per_week` and `accept`",
            );
        }
        for entry in section.entries() {
            match entry.key.as_str() {
                Some("profile") => settings.profile = self.profile(&entry.value),
                Some("weights") => settings.weights = self.weights(&entry.value),
                Some("hours_per_week") => settings.hours_per_week = self.hours(&entry.value),
                Some("accept") => {
                    if !entry.value.is_sequence() {
                        self.refuse(&entry.value, "`accept` is a list");
                    }
                    settings.accept = entry.value.items().iter().filter_map(|item| self.risk(item)).collect();
                }
                _ => self.refuse(
                    &entry.key,
                    "unknown key; known are `profile`, `weights`, `hours_per_week` and `accept`",
                ),
            }
        }
    }

    fn profile(&mut self, node: &Node) -> Option<Profile> {
        let found = Profile::ALL.into_iter().find(|profile| Some(profile.name()) == node.as_str());
        if found.is_none() {
            self.refuse(node, "unknown profile; known are `homelab`, `internet` and `production`");
        }
        found
    }

    fn hours(&mut self, node: &Node) -> Option<u32> {
        let hours = node.as_str().and_then(|text| text.parse().ok()).filter(|hours| (1..=80).contains(hours));
        if hours.is_none() {
            self.refuse(node, "`hours_per_week` is a whole number from 1 to 80");
        }
        hours
    }

    fn weights(&mut self, node: &Node) -> Vec<(Criterion, u32)> {
        if !node.is_mapping() {
            self.refuse(node, "`weights` is a mapping of criteria to numbers");
        }
        let mut found = Vec::new();
        for entry in node.entries() {
            let criterion = Criterion::ALL.into_iter().find(|c| Some(c.name()) == entry.key.as_str());
            let weight: Option<u32> = entry.value.as_str().and_then(|text| text.parse().ok());
            match (criterion, weight) {
                (Some(criterion), Some(weight @ 0..=100)) => found.push((criterion, weight)),
                (Some(_), _) => self.refuse(&entry.value, "a weight is a whole number from 0 to 100"),
                (None, _) => {
                    let known: Vec<&str> = Criterion::ALL.into_iter().map(Criterion::name).collect();
                    self.refuse(&entry.key, format!("unknown criterion; known are {}", known.join(", ")));
                }
            }
        }
        found
    }

    fn risk(&mut self, node: &Node) -> Option<AcceptedRisk> {
        let before = self.errors.len();
        let (mut rule, mut path, mut reason, mut until) = (None, None, None, None);
        for entry in node.entries() {
            let text = entry.value.as_str();
            match entry.key.as_str() {
                Some("rule") => match text.and_then(registry::find) {
                    Some(found) => rule = Some(found.code),
                    None => self.refuse(&entry.value, "no rule has this code or name"),
                },
                Some("path") => path = text.map(str::to_owned),
                Some("reason") => reason = text.filter(|text| !text.trim().is_empty()).map(str::to_owned),
                Some("until") => match text.and_then(Date::parse) {
                    Some(date) => until = Some(date),
                    None => self.refuse(&entry.value, "`until` is a day such as `2027-01-31`"),
                },
                _ => self.refuse(&entry.key, "unknown key; known are `rule`, `path`, `reason` and `until`"),
            }
        }
        if self.errors.len() > before {
            return None;
        }
        let (Some(rule), Some(reason), Some(until)) = (rule, reason, until) else {
            self.refuse(node, "an accepted risk needs `rule`, `reason` and `until`");
            return None;
        };
        Some(AcceptedRisk { rule, path, reason, until, place: Place::new(self.file, node.span) })
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_text::Files;

    use super::*;

    fn reading(text: &str) -> Result<Settings, Vec<String>> {
        let files = Files::new([("plimsoll.yaml".into(), text.to_owned())]);
        let (id, file) = files.iter().next().unwrap();
        read(id, file).map_err(|errors| {
            let line = |error: &SyntaxError| {
                format!("{}: {}", file.line_column(error.place.span.start).line, error.message)
            };
            errors.iter().map(line).collect()
        })
    }

    #[test]
    fn a_section_is_read_whole() {
        let settings = reading(
            "app: shop\nevaluate:\n  profile: internet\n  weights: {isolation: 50}\n  hours_per_week: 6\n  accept:\n    - {rule: ISO-001, reason: GPU, until: 2027-01-31}\n",
        )
        .unwrap();
        assert_eq!(settings.profile, Some(Profile::Internet));
        assert_eq!(settings.weights(Profile::Internet).get(Criterion::Isolation), 50);
        assert_eq!(settings.weights(Profile::Internet).get(Criterion::Maturity), 15);
        assert_eq!(settings.hours_per_week, Some(6));
        assert_eq!(settings.accept[0].rule, "ISO-001");
        assert_eq!(reading("app: shop\n").unwrap(), Settings::default());
    }

    #[test]
    fn what_is_unknown_is_refused_where_it_stands() {
        let wrong = |text: &str| reading(text).unwrap_err().join("|");
        assert!(wrong("evaluate:\n  profil: homelab\n").starts_with("2: unknown key"));
        assert!(wrong("evaluate:\n  profile: office\n").starts_with("2: unknown profile"));
        assert!(wrong("evaluate:\n  hours_per_week: 0\n").starts_with("2: `hours_per_week`"));
        assert!(wrong("evaluate:\n  weights:\n    speed: 1\n").starts_with("3: unknown criterion"));
        assert!(wrong("evaluate:\n  weights:\n    isolation: 101\n").starts_with("3: a weight"));
        assert!(
            wrong("evaluate:\n  accept:\n    - {rule: XXX-001, reason: a, until: 2027-01-01}\n")
                .starts_with("3: no rule")
        );
        assert!(
            wrong("evaluate:\n  accept:\n    - {rule: ISO-001, reason: a}\n")
                .starts_with("3: an accepted risk")
        );
        assert!(
            wrong("evaluate:\n  accept:\n    - {rule: ISO-001, reason: a, until: soon}\n")
                .starts_with("3: `until`")
        );
    }
}
