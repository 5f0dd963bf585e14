//! What the guest says of an app: releases, journal, containers, images.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::registry::Reference;

/// The record of a release, `release.json` in its directory. Values never stand in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The version of this format.
    pub format: u32,
    /// Its number.
    pub number: u64,
    /// The target.
    pub target: String,
    /// What was deployed, in the user's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Who made it.
    pub by: String,
    /// When it was rendered, by the guest's clock.
    #[serde(default)]
    pub at: String,
    /// The services in the order in which they are switched.
    pub services: Vec<Released>,
    /// Digest of everything: a release with the same one is the same.
    pub digest: String,
    /// Digests of mounted files.
    #[serde(default)]
    pub files: BTreeSet<String>,
}

/// A service of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// Its name.
    pub name: String,
    /// The image's id.
    pub image: String,
    /// The name under which it was found or built.
    pub from: String,
    /// What its registry gives the same image for, whatever becomes of the tag: its name with a digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Digest of its containers.
    pub fingerprint: String,
    /// Whether new containers are healthy before old ones stop.
    pub start_first: bool,
    /// Containers.
    pub replicas: u32,
    /// Whether it runs to its end.
    pub is_job: bool,
    /// Seconds that it may take to become healthy.
    pub deadline: u64,
    /// Seconds in which failures of its health check do not count.
    pub start_period: u64,
    /// Seconds that it has to stop.
    pub grace: u64,
}

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, by the guest's clock.
    pub at: String,
    /// The run that wrote it.
    pub run: String,
    /// The release.
    pub release: u64,
    /// The step.
    pub step: String,
    /// `begin`, `end`, `failed`.
    pub phase: String,
    /// What is worth keeping: the pause of a switch in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<u64>,
}

/// Who holds the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Who, and from which machine.
    pub who: String,
    /// Why.
    pub reason: String,
    /// Since when, by the guest's clock.
    #[serde(default)]
    pub since: String,
}

impl Owner {
    /// Reads what stands in the guest; nothing where that is no owner.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text.trim()).ok()
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.who, self.reason)?;
        if self.since.is_empty() { Ok(()) } else { write!(f, ", since {}", self.since) }
    }
}

/// A container of the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its service.
    pub service: String,
    /// Its image's id.
    pub image: String,
    /// `running`, `exited` and so on.
    pub status: String,
    /// `healthy`, `unhealthy`, `starting`, or nothing without a check.
    pub health: String,
    /// Its exit status.
    pub exit: i64,
    /// How often it was restarted.
    pub restarts: u64,
    /// When it started.
    pub started: String,
    /// `True` for a container of `docker compose run`.
    #[serde(default)]
    pub oneoff: String,
}

/// All that was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The engine's version; nothing when it does not answer.
    pub engine: Option<String>,
    /// The version of Compose.
    pub compose: Option<String>,
    /// The number of the last good release.
    pub good: Option<u64>,
    /// Numbers of all releases there are.
    pub numbers: BTreeSet<u64>,
    /// The records that were asked for.
    pub releases: BTreeMap<u64, Release>,
    /// Bytes of the journal: another number means that somebody did something.
    pub length: u64,
    /// The end of the journal.
    pub journal: Vec<Entry>,
    /// Who holds the lock.
    pub lock: Option<Owner>,
    /// Whether a step is at work, whoever began it: one that its client left alone goes on.
    pub busy: bool,
    /// Containers, those of hooks left out.
    pub containers: Vec<Container>,
    /// Ids of images by `name:tag` and by `name@digest`; those that have neither by themselves.
    pub images: BTreeMap<String, String>,
    /// Digests of build contexts that the guest has whole, by name.
    pub contexts: BTreeMap<String, String>,
    /// Digests of mounted files that it has.
    pub files: BTreeSet<String>,
    /// Bytes free where images are kept.
    pub free: Option<u64>,
}

impl State {
    /// Reads what the observing script prints. Lines that make no sense are left out.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut state = Self::default();
        for line in text.lines() {
            let Some((kind, rest)) = line.strip_prefix('@').and_then(|line| line.split_once(' ')) else {
                continue;
            };
            let rest = rest.trim();
            let text = || (!rest.is_empty()).then(|| rest.to_owned());
            match kind {
                "engine" => state.engine = text(),
                "compose" => state.compose = text(),
                "good" => state.good = rest.parse().ok(),
                "length" => state.length = rest.parse().unwrap_or_default(),
                "number" => state.numbers.extend(rest.parse::<u64>()),
                "release" => {
                    if let Ok(release) = serde_json::from_str::<Release>(rest) {
                        state.releases.insert(release.number, release);
                    }
                }
                "journal" => state.journal.extend(serde_json::from_str::<Entry>(rest)),
                "lock" => state.lock = Owner::parse(rest),
                "busy" => state.busy = true,
                "container" => {
                    let container = serde_json::from_str::<Container>(rest);
                    state.containers.extend(container.into_iter().filter(|found| found.oneoff != "True"));
                }
                "image" => {
                    if let Some((id, names)) = rest.split_once(' ') {
                        state.images.extend(names_of(names).map(|name| (name, id.to_owned())));
                        state.images.entry(id.to_owned()).or_insert_with(|| id.to_owned());
                    }
                }
                "context" => {
                    if let Some((name, root)) = rest.split_once(' ') {
                        state.contexts.insert(name.to_owned(), root.to_owned());
                    }
                }
                "file" => state.files.extend(text()),
                "free" => state.free = rest.parse::<u64>().ok().map(|kib| kib.saturating_mul(1024)),
                _ => {}
            }
        }
        state.containers.sort_by(|a, b| (&a.service, &a.name).cmp(&(&b.service, &b.name)));
        state
    }

    /// Whether somebody is at work, be it a client that is gone and left a step behind: what was seen may be otherwise in a moment.
    #[must_use]
    pub fn is_at_work(&self) -> bool {
        self.busy || self.lock.is_some()
    }

    /// The last good release.
    #[must_use]
    pub fn last_good(&self) -> Option<&Release> {
        self.releases.get(&self.good?)
    }

    /// The number of the next release.
    #[must_use]
    pub fn next(&self) -> u64 {
        let journal = self.journal.iter().map(|entry| entry.release).max().unwrap_or_default();
        self.numbers.last().copied().unwrap_or_default().max(journal) + 1
    }

    /// The release whose deploy neither came to its end nor was taken back.
    #[must_use]
    pub fn unfinished(&self) -> Option<u64> {
        let is_aside =
            |step: &str| ["restart", "stop", "start"].contains(&step) || step.starts_with("password ");
        let last = self.journal.iter().rev().find(|entry| !is_aside(&entry.step))?;
        let is_over = last.step == "collect"
            || matches!(last.step.as_str(), "good" | "reverted") && last.phase == "end";
        (!is_over).then_some(last.release)
    }

    /// The id of an image by the name under which Compose files know it.
    #[must_use]
    pub fn image(&self, name: &str) -> Option<&str> {
        self.images.get(&Reference::parse(name).listed()).map(String::as_str)
    }

    /// Whether the guest has the image with this id.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.images.contains_key(id)
    }

    /// What the registry of an image gives the one with this id for, by the digest that the guest's engine knows.
    pub(crate) fn reference(&self, name: &str, id: &str) -> Option<String> {
        let image = Reference::parse(name);
        let start = format!("{}@", image.listed_name());
        let mut all =
            self.images.range(start.clone()..).map_while(|(key, id)| Some((key.strip_prefix(&start)?, id)));
        all.find(|(_, found)| *found == id).map(|(digest, _)| image.at(digest))
    }

    /// The containers of a service.
    pub fn of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a Container> {
        self.containers.iter().filter(move |container| container.service == service)
    }

    /// The pause of the service's last switch, in milliseconds.
    #[must_use]
    pub fn measured_pause(&self, service: &str) -> Option<u64> {
        let step = format!("switch {service}");
        self.journal.iter().rev().filter(|entry| entry.step == step).find_map(|entry| entry.pause)
    }
}

/// The names in what the engine lists of an image: `NAME:TAG DIGEST`, of which each part may be `<none>`.
fn names_of(listed: &str) -> impl Iterator<Item = String> {
    let (tagged, digest) = listed.split_once(' ').unwrap_or((listed, "<none>"));
    let name = tagged.rsplit_once(':').map_or(tagged, |(name, _)| name);
    let is_said = |name: &String| !name.contains("<none>");
    [tagged.to_owned(), format!("{name}@{digest}")].into_iter().filter(is_said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_left_out() {
        let state =
            State::parse("@engine 26.1.5\n@good x\n@release {}\nnoise\n@image sha256:1 a:1\n@free 10\n");
        assert_eq!(state.engine.as_deref(), Some("26.1.5"));
        assert_eq!((state.good, state.next(), state.free), (None, 1, Some(10240)));
        assert_eq!(state.image("a:1"), Some("sha256:1"));
    }

    #[test]
    fn short_names_of_images_are_understood() {
        let state = State::parse("@image sha256:1 redis:latest\n@image sha256:2 host:5000/x:latest\n");
        assert_eq!(state.image("docker.io/library/redis"), Some("sha256:1"));
        assert_eq!(state.image("host:5000/x"), Some("sha256:2"));
    }

    #[test]
    fn images_are_found_by_tag_digest_and_id() {
        let state = State::parse(
            "@image sha256:1 h:5/x:1 sha256:a\n@image sha256:2 h:5/x:<none> sha256:b\n@image sha256:3 <none>:<none> <none>\n\
             @image sha256:4 built:1 <none>\n",
        );
        assert_eq!(
            (state.image("h:5/x:1"), state.image("h:5/x:1@sha256:b")),
            (Some("sha256:1"), Some("sha256:2"))
        );
        assert!(["sha256:1", "sha256:2", "sha256:3", "sha256:4"].iter().all(|id| state.has(id)));
        assert_eq!(state.reference("h:5/x:9", "sha256:2").as_deref(), Some("h:5/x@sha256:b"));
        assert_eq!((state.reference("built:1", "sha256:4"), state.reference("x", "sha256:1")), (None, None));
    }

    #[test]
    fn a_deploy_without_its_end_is_unfinished() {
        let line = |step: &str, phase: &str| {
            format!(r#"@journal {{"at":"","run":"a","release":4,"step":"{step}","phase":"{phase}"}}"#)
        };
        let of = |lines: &[String]| State::parse(&lines.join("\n")).unfinished();
        assert_eq!(of(&[line("switch web", "begin")]), Some(4));
        assert_eq!(of(&[line("switch web", "end"), line("good", "end")]), None);
        assert_eq!(of(&[line("switch web", "failed"), line("reverted", "end")]), None);
        assert_eq!(of(&[line("good", "end"), line("collect", "begin")]), None);
        assert_eq!(of(&[line("good", "end"), line("password settle db", "begin")]), None);
        assert_eq!(of(&[line("render", "end"), line("password tell db", "end")]), Some(4));
    }
}
