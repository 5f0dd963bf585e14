//! Releases of Debian and Ubuntu, and what runs which.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Machine};
use plimsoll_model::guests::Setting;
use plimsoll_text::{FileId, Place};

/// A release. Those of one distribution are ordered by age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Release {
    /// `debian` or `ubuntu`.
    pub(super) distribution: &'static str,
    /// Its number.
    pub(super) number: &'static str,
    /// Its first name.
    pub(super) codename: &'static str,
}

const fn release(distribution: &'static str, number: &'static str, codename: &'static str) -> Release {
    Release { distribution, number, codename }
}

/// Releases from old to new. Source: the release pages of both distributions.
const RELEASES: &[Release] = &[
    release("debian", "9", "stretch"),
    release("debian", "10", "buster"),
    release("debian", "11", "bullseye"),
    release("debian", "12", "bookworm"),
    release("debian", "13", "trixie"),
    release("ubuntu", "16.04", "xenial"),
    release("ubuntu", "18.04", "bionic"),
    release("ubuntu", "20.04", "focal"),
    release("ubuntu", "22.04", "jammy"),
    release("ubuntu", "24.04", "noble"),
    release("ubuntu", "26.04", "resolute"),
];

impl Release {
    /// The release that a template, image or file name tells: `debian-12-standard`, `x:1-bookworm`,
    /// `noble-server-cloudimg`.
    pub(super) fn named(text: &str) -> Option<&'static Self> {
        let lower = text.to_ascii_lowercase();
        let has_word = |word: &str| {
            lower.match_indices(word).any(|(at, _)| {
                let outside = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
                outside(lower.get(..at).and_then(|before| before.chars().next_back()))
                    && outside(lower.get(at + word.len()..).and_then(|rest| rest.chars().next()))
            })
        };
        RELEASES.iter().find(|release| {
            let Self { distribution, number, codename } = release;
            has_word(codename)
                || [":", "-", "", "/"].iter().any(|mark| has_word(&format!("{distribution}{mark}{number}")))
        })
    }

    /// The release of a codename.
    pub(super) fn of_codename(word: &str) -> Option<&'static Self> {
        RELEASES.iter().find(|release| release.codename == word)
    }

    /// Whether it is this one of the same distribution or a later one.
    pub(super) fn is_from(&self, distribution: &str, number: &str) -> bool {
        let age =
            |wanted: &str| RELEASES.iter().position(|r| r.distribution == distribution && r.number == wanted);
        self.distribution == distribution && age(self.number) >= age(number)
    }

    /// Name and number.
    pub(super) fn title(&self) -> String {
        let name = if self.distribution == "debian" { "Debian" } else { "Ubuntu" };
        format!("{name} {}", self.number)
    }
}

/// The release that a command runs on, with the place that tells: the base of its image, or the template of all
/// guests.
pub(super) fn of_command(facts: &Facts, command: &Command) -> Option<(&'static Release, Place)> {
    match command.machine {
        Machine::Build => of_build(facts, command.place),
        Machine::Guest | Machine::Workstation => of_guests(facts, command.place.file),
        Machine::Node | Machine::Container => None,
    }
}

fn of_build(facts: &Facts, place: Place) -> Option<(&'static Release, Place)> {
    let image = facts.images.iter().find(|image| image.file == place.file)?;
    let stage = image.stages.iter().rev().find(|stage| stage.place.span.start <= place.span.start)?;
    let root = stage.root.as_ref()?;
    let tag = root.value.tag.as_deref().unwrap_or_default();
    let release = Release::named(&format!("{}:{tag}", root.value.short_name()))?;
    Some((release, root.place))
}

/// The release of the guests that files of this folder create, or of all guests, when it is one.
pub(super) fn of_guests(facts: &Facts, file: FileId) -> Option<(&'static Release, Place)> {
    let templates = || {
        let settings = facts.guests.real().flat_map(|guest| &guest.settings);
        settings.filter(|setting| setting.key.contains("template") || setting.key == "import-from")
    };
    let release = |setting: &Setting| Some((Release::named(&setting.value.text)?, setting.place));
    let folder = facts.path(file).parent();
    let is_near = |setting: &&Setting| facts.path(setting.place.file).parent() == folder;
    let mut near = templates().filter(is_near).filter_map(release);
    match near.next() {
        Some(first) => near.all(|(release, _)| release == first.0).then_some(first),
        None => {
            let mut all = templates().filter_map(release);
            let first = all.next()?;
            all.all(|(release, _)| release == first.0).then_some(first)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_named_by_number_or_codename() {
        let of = |text: &str| Release::named(text).map(|release| release.codename);
        assert_eq!(of("local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst"), Some("bookworm"));
        assert_eq!(of("python:3.12-slim-trixie"), Some("trixie"));
        assert_eq!(of("ubuntu:22.04"), Some("jammy"));
        assert_eq!(of("noble-server-cloudimg-amd64.img"), Some("noble"));
        assert_eq!(of("alpine:3.20"), None);
        assert_eq!(of("debian:1"), None);
    }

    #[test]
    fn later_releases_are_from_earlier_ones_on() {
        let trixie = Release::of_codename("trixie").unwrap();
        assert!(trixie.is_from("debian", "12") && !trixie.is_from("ubuntu", "20.04"));
        assert!(!Release::of_codename("jammy").unwrap().is_from("ubuntu", "24.04"));
    }
}
