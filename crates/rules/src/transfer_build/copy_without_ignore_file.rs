//! Everything in a folder goes into an image.

use std::collections::BTreeSet;

use camino::Utf8Path;
use plimsoll_model::Facts;
use plimsoll_model::images::{CopyFrom, Image};
use plimsoll_text::{Layer, Place};

use super::builds::{clean, deployed, own_copies};
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "BLD-016",
    name: "copy-without-ignore-file",
    title: "Whole folder is copied into the image",
    theme: Theme::TransferBuild,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Docker, Build context, .dockerignore files",
        url: "https://docs.docker.com/build/concepts/context/#dockerignore-files",
    }],
    doc: include_str!("copy_without_ignore_file.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    // Dockerfiles of one context share its ignore file.
    let mut seen = BTreeSet::new();
    for image in deployed(facts).filter(|image| image.written_by.is_none()) {
        let Some((whole, stage)) = whole_copy(image) else { continue };
        let Some(context) = &image.context else { continue };
        if !seen.insert((context, facts.build_ignore_file(image))) {
            continue;
        }
        let last = stage + 1 == image.stages.len();
        let secrets: Vec<&Utf8Path> = facts
            .inventory
            .below(context)
            .filter(|path| holds_secrets(facts, path))
            .filter(|path| {
                path.strip_prefix(context).is_ok_and(|inner| facts.build_ignored(image, inner).is_none())
            })
            .collect();
        let ignore = facts.build_ignore_file(image);
        if ignore.is_some() && secrets.is_empty() {
            continue;
        }
        let message = match (ignore, secrets.first()) {
            (_, Some(secret)) => format!("`{secret}` goes into the image"),
            (None, None) => {
                "all of the folder goes into the image, and no `.dockerignore` leaves anything out".to_owned()
            }
            (Some(_), None) => continue,
        };
        let finding = findings.add(whole, message);
        finding.label("copies everything");
        if let Some(file) = ignore {
            let source = facts.files.get(file);
            let first = source.text().lines().next().unwrap_or_default();
            finding.related(Layer::whole(file, source).place(0..first.len()), "no line here names it");
        }
        for secret in secrets.iter().take(5) {
            if let Some(id) = facts.files.find(secret) {
                finding.related(Layer::whole(id, facts.files.get(id)).place(0..0), "taken along");
            }
        }
        if secrets.is_empty() {
            let elsewhere = context.ancestors().skip(1).map(|folder| folder.join(".dockerignore"));
            if let Some(id) = elsewhere.into_iter().find_map(|path| facts.files.find(&path)) {
                let place = Layer::whole(id, facts.files.get(id)).place(0..0);
                finding.related(place, "not read: it is not in the build context");
            }
            finding.severity(if last { Severity::Medium } else { Severity::Low }).note(
                "a local `.env`, `node_modules` and the history in `.git` end up in the image, or replace what the build has installed",
            );
        } else {
            finding
                .severity(Severity::High)
                .note("whoever gets the image gets the secret, and later layers cannot take it out");
        }
        finding.help(
            "add a `.dockerignore` in the build context that names `.git`, `.env*`, keys and build output",
        );
    }
}

/// The last `COPY` of the whole context, with the index of its stage.
fn whole_copy(image: &Image) -> Option<(Place, usize)> {
    image.stages.iter().rev().find_map(|stage| {
        let copy = own_copies(stage).find(|copy| {
            copy.from == CopyFrom::Context
                && copy.sources.iter().any(|source| clean(&source.value).is_empty())
        })?;
        Some((copy.place, stage.index))
    })
}

/// Whether a file's name tells that it holds keys or credentials.
fn holds_secrets(facts: &Facts, path: &Utf8Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_ascii_lowercase();
    let example = ["example", "sample", "template", "dist", "test", "fixture", "mock", ".pub"]
        .iter()
        .any(|word| path.as_str().to_ascii_lowercase().contains(word));
    let is_source =
        [".py", ".ts", ".js", ".go", ".rs", ".tsx", ".md", ".sh"].iter().any(|end| name.ends_with(end));
    if example || is_source {
        return false;
    }
    if name == ".env" || name.starts_with(".env.") {
        return has_secret_value(facts, path);
    }
    matches!(name.as_str(), "id_rsa" | "id_ed25519" | ".netrc")
        || name.ends_with(".key")
        || name.ends_with(".p12")
        || name.ends_with(".pfx")
        || name.ends_with(".tfstate")
        || name.ends_with(".json")
            && ["client_secret", "service-account", "service_account", "credentials", "serviceaccount"]
                .iter()
                .any(|word| name.contains(word))
}

/// Whether an environment file gives a value to a name that stands for a secret and does not go to browsers anyway.
fn has_secret_value(facts: &Facts, path: &Utf8Path) -> bool {
    let Some(id) = facts.files.find(path) else { return false };
    facts.files.get(id).text().lines().any(|line| {
        let Some((name, value)) = line.trim().split_once('=') else { return false };
        let public = ["VITE_", "NEXT_PUBLIC_", "REACT_APP_", "PUBLIC_", "EXPO_PUBLIC_", "NUXT_PUBLIC_"];
        let secret = ["SECRET", "PASSWORD", "PASSWD", "TOKEN", "PRIVATE_KEY", "API_KEY"];
        !name.starts_with('#')
            && !value.trim_matches(['"', '\'']).is_empty()
            && !public.iter().any(|start| name.starts_with(start))
            && secret.iter().any(|word| name.contains(word))
    })
}
