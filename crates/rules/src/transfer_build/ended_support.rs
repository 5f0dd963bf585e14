//! Software that gets no more security fixes.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::services::reference;
use plimsoll_syntax::dockerfile::ImageReference;
use plimsoll_text::Place;

use super::builds::deployed;
use super::releases::Release;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "BLD-022",
    name: "ended-support",
    title: "Base gets no more security fixes",
    theme: Theme::TransferBuild,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[
        Reference {
            title: "NIST SP 800-190, Application Container Security Guide, 4.1.1",
            url: "https://doi.org/10.6028/NIST.SP.800-190",
        },
        Reference { title: "endoflife.date", url: "https://endoflife.date" },
    ],
    doc: include_str!("ended_support.md"),
    check,
};

/// Official images: name, version, the month after which there are no fixes, what to take instead.
/// Sources: the projects' own release pages, as collected by endoflife.date.
const ENDED: &[(&str, &str, &str, &str)] = &[
    ("node", "12", "2022-04", "24"),
    ("node", "14", "2023-04", "24"),
    ("node", "16", "2023-09", "24"),
    ("node", "17", "2022-06", "24"),
    ("node", "18", "2025-04", "24"),
    ("node", "19", "2023-06", "24"),
    ("node", "20", "2026-04", "24"),
    ("node", "21", "2024-06", "24"),
    ("node", "23", "2025-06", "24"),
    ("python", "2", "2020-01", "3.13"),
    ("python", "3.6", "2021-12", "3.13"),
    ("python", "3.7", "2023-06", "3.13"),
    ("python", "3.8", "2024-10", "3.13"),
    ("python", "3.9", "2025-10", "3.13"),
    ("postgres", "9", "2021-11", "17"),
    ("postgres", "10", "2022-11", "17"),
    ("postgres", "11", "2023-11", "17"),
    ("postgres", "12", "2024-11", "17"),
    ("postgres", "13", "2025-11", "17"),
    ("mysql", "5", "2023-10", "8.4"),
    ("mysql", "8.0", "2026-04", "8.4"),
    ("mariadb", "10.3", "2023-05", "11.4"),
    ("mariadb", "10.4", "2024-06", "11.4"),
    ("mariadb", "10.5", "2025-06", "11.4"),
    ("mongo", "3", "2021-04", "8.0"),
    ("mongo", "4", "2024-02", "8.0"),
    ("mongo", "5", "2024-10", "8.0"),
    ("mongo", "6", "2025-07", "8.0"),
    ("redis", "4", "2020-04", "8"),
    ("redis", "5", "2022-04", "8"),
    ("rabbitmq", "3", "2024-07", "4"),
    ("elasticsearch", "6", "2022-02", "9"),
    ("elasticsearch", "7", "2026-01", "9"),
    ("php", "7", "2022-11", "8.4"),
    ("php", "8.0", "2023-11", "8.4"),
    ("php", "8.1", "2025-12", "8.4"),
    ("ruby", "2", "2023-03", "3.4"),
    ("ruby", "3.0", "2024-04", "3.4"),
    ("ruby", "3.1", "2025-03", "3.4"),
    ("golang", "1.20", "2024-02", "1.25"),
    ("golang", "1.21", "2024-08", "1.25"),
    ("golang", "1.22", "2025-02", "1.25"),
    ("golang", "1.23", "2025-08", "1.25"),
    ("alpine", "3.15", "2023-11", "3.22"),
    ("alpine", "3.16", "2024-05", "3.22"),
    ("alpine", "3.17", "2024-11", "3.22"),
    ("alpine", "3.18", "2025-05", "3.22"),
    ("alpine", "3.19", "2025-11", "3.22"),
    ("alpine", "3.20", "2026-04", "3.22"),
    ("centos", "", "2024-06", "Rocky Linux or AlmaLinux"),
    ("openjdk", "", "2022-07", "eclipse-temurin"),
    ("traefik", "1", "2021-12", "3"),
    ("traefik", "v1", "2021-12", "v3"),
];

/// Images whose projects have ended, whatever the tag.
const ARCHIVED: &[(&str, &str, &str)] = &[
    ("containrrr/watchtower", "2025-12", "updates that someone decides about, by a pinned tag"),
    ("wurstmeister/kafka", "2023-01", "apache/kafka"),
    ("grafana/agent", "2025-11", "grafana/alloy"),
    ("grafana/promtail", "2026-03", "grafana/alloy"),
    ("v2tec/watchtower", "2019-04", "updates that someone decides about, by a pinned tag"),
    ("pyouroboros/ouroboros", "2020-01", "updates that someone decides about, by a pinned tag"),
];

/// Distributions: Debian's with long-term support, Ubuntu's without the paid one.
const RELEASES: &[(&str, &str, &str, &str)] = &[
    ("debian", "9", "2022-06", "Debian 13"),
    ("debian", "10", "2024-06", "Debian 13"),
    ("debian", "11", "2026-08", "Debian 13"),
    ("ubuntu", "16.04", "2021-04", "Ubuntu 24.04"),
    ("ubuntu", "18.04", "2023-05", "Ubuntu 24.04"),
    ("ubuntu", "20.04", "2025-05", "Ubuntu 24.04"),
];

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ended {
    what: String,
    since: &'static str,
    instead: &'static str,
}

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut found: BTreeMap<Ended, Vec<(Place, bool)>> = BTreeMap::new();
    for image in deployed(facts) {
        for stage in &image.stages {
            let Some(root) = &stage.root else { continue };
            // An earlier stage leaves what it made, not itself.
            let runs = image.stages.last().is_some_and(|last| last.root.as_ref() == Some(root));
            if let Some(ended) = ended(&root.value) {
                found.entry(ended).or_default().push((root.place, runs));
            }
        }
    }
    for (_, service) in facts.stacks.deployed_services() {
        let (Some(image), None) = (&service.image, &service.build) else { continue };
        if let Some(ended) = reference(service).as_ref().and_then(ended) {
            found.entry(ended).or_default().push((image.place, true));
        }
    }
    for setting in facts.guests.real().flat_map(|guest| &guest.settings) {
        if setting.key.contains("template")
            && let Some(ended) = Release::named(&setting.value.text).and_then(release)
        {
            found.entry(ended).or_default().push((setting.place, true));
        }
    }
    for (ended, mut places) in found {
        places.sort();
        places.dedup();
        let runs = places.iter().any(|(_, runs)| *runs);
        let mut rest = places.into_iter();
        let Some((first, _)) = rest.next() else { continue };
        let recent = ended.since.starts_with("2026");
        let verb = if recent { "ends" } else { "ended" };
        let finding = findings.add(first, format!("support for `{}` {verb} in {}", ended.what, ended.since));
        for (place, _) in rest {
            finding.related(place, "the same here");
        }
        if recent && !runs {
            finding.confidence(Confidence::Low);
        }
        finding
            .severity(if runs && !recent { Severity::Medium } else { Severity::Low })
            .note("weaknesses that are found from then on stay open, also those that are exploited")
            .help(format!("move to `{}`", ended.instead));
    }
}

fn ended(reference: &ImageReference) -> Option<Ended> {
    let tag = reference.tag.as_deref().unwrap_or_default();
    let title =
        |tag: &str| if tag.is_empty() { reference.name.clone() } else { format!("{}:{tag}", reference.name) };
    if let Some((name, since, instead)) = ARCHIVED.iter().find(|(name, ..)| reference.name == *name) {
        return Some(Ended { what: (*name).to_owned(), since, instead });
    }
    if !reference.is_official() {
        return None;
    }
    let name = reference.short_name();
    let of_version = ENDED.iter().find(|(product, version, ..)| *product == name && is_version(tag, version));
    if let Some((product, version, since, instead)) = of_version {
        let instead = if version.is_empty() { instead } else { *instead };
        let what = if version.is_empty() { (*product).to_owned() } else { format!("{product}:{version}") };
        return Some(Ended { what, since, instead });
    }
    if let Some(version) = tag.split("alpine").nth(1) {
        let (_, version, since, instead) =
            ENDED.iter().find(|(product, wanted, ..)| *product == "alpine" && is_version(version, wanted))?;
        return Some(Ended { what: format!("alpine:{version}"), since, instead });
    }
    release(Release::named(&title(tag))?)
}

/// Whether a tag starts with a version, and not with a longer number.
fn is_version(tag: &str, version: &str) -> bool {
    tag.strip_prefix(version)
        .is_some_and(|rest| version.is_empty() || !rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn release(release: &Release) -> Option<Ended> {
    let (_, _, since, instead) = RELEASES.iter().find(|(distribution, number, ..)| {
        *distribution == release.distribution && *number == release.number
    })?;
    Some(Ended { what: release.title(), since, instead })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_end_where_their_numbers_end() {
        let of = |text: &str| ImageReference::parse(text).and_then(|r| ended(&r)).map(|ended| ended.what);
        assert_eq!(of("node:18-alpine").as_deref(), Some("node:18"));
        assert_eq!(of("python:3.9.2-slim").as_deref(), Some("python:3.9"));
        assert_eq!(of("debian:bullseye-slim").as_deref(), Some("Debian 11"));
        assert_eq!(of("python:3.12-slim-buster").as_deref(), Some("Debian 10"));
        assert_eq!(of("nginx:1.25-alpine3.18").as_deref(), Some("alpine:3.18"));
        for supported in
            ["node:22", "python:3.13", "postgres:16", "alpine:3.22", "acme/node:12", "golang:1.25"]
        {
            assert_eq!(of(supported), None, "{supported}");
        }
    }
}
