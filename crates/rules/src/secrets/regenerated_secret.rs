//! Secret is made anew at every deployment.

use std::cell::LazyCell;
use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::compose::{MountSource, Service};
use plimsoll_model::images::KnownImage;
use plimsoll_syntax::dockerfile::ImageReference;
use plimsoll_text::Place;

use super::written::{Regenerated, regenerated};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SEC-003",
    name: "regenerated-secret",
    title: "Secret is made anew at every deployment",
    theme: Theme::Secrets,
    severity: Severity::Critical,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "Docker Official Images, postgres, Environment Variables",
        url: "https://hub.docker.com/_/postgres",
    }],
    doc: include_str!("regenerated_secret.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let all = regenerated(facts);
    let mut files: Vec<_> = all.iter().map(|secret| secret.place.file).collect();
    files.dedup();
    let mut keepers = BTreeMap::new();
    for secret in &all {
        keepers.entry(secret.key.as_str()).or_insert_with(|| keeper(facts, &secret.key));
    }
    let keeper = |secret: &Regenerated| keepers.get(secret.key.as_str()).and_then(Option::as_ref);
    let keep_out = LazyCell::new(|| super::secret_in_archive::keep_out(facts));
    for file in files {
        let mut own: Vec<&Regenerated> = all.iter().filter(|secret| secret.place.file == file).collect();
        // The one that breaks something comes first.
        own.sort_by_key(|secret| (keeper(secret).is_none(), secret.place));
        let Some((secret, rest)) = own.split_first() else { continue };
        let kept = keeper(secret);
        let finding = findings.add(secret.place, format!("`{}` changes at every run", secret.key));
        finding.label("made anew, whatever is in use");
        if let Some((service, variable, volume)) = kept {
            finding
                .related(*variable, format!("`{service}` takes it at its first start only"))
                .related(*volume, "and keeps what it took here")
                .note("from the second deployment on, the app's password and the database's differ, and every login fails");
        } else {
            finding
                .severity(Severity::Medium)
                .note("sessions and everything that is signed with it become invalid");
        }
        for other in rest {
            finding.related(other.place, format!("`{}` changes too", other.key));
        }
        let places: Vec<Place> = own.iter().map(|secret| secret.place).collect();
        finding.help("make it only when there is none yet, and keep it").fix(super::kept_secret::fix(
            facts,
            &places,
            keep_out.as_deref(),
        ));
    }
}

/// The service that keeps the first value: its image takes it on an empty volume only.
fn keeper(facts: &Facts, key: &str) -> Option<(String, Place, Place)> {
    let mut services = facts.stacks.deployed_services().map(|(_, service)| service);
    services.find_map(|service: &Service| {
        let image = service.image.as_ref()?;
        let known = ImageReference::parse(&image.value).as_ref().and_then(KnownImage::find)?;
        let entry = service.environment.values().find(|entry| {
            let first_start = known.first_start.iter().any(|name| *name == entry.key);
            first_start && (entry.key == key || entry.variables.iter().any(|variable| variable.name == key))
        })?;
        let volume = service.volumes.iter().find(|mount| {
            matches!(&mount.source, Some(MountSource::Volume(_) | MountSource::Path(_)))
                && known
                    .data
                    .iter()
                    .any(|data| mount.target.starts_with(data) || data.starts_with(&mount.target))
        })?;
        Some((service.name.clone(), entry.place, volume.place))
    })
}
