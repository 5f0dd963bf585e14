//! How it is today.

use std::collections::BTreeMap;

use plimsoll_model::services::{built, reference, replacements};
use plimsoll_rules::{Severity, Theme};

use super::findings::Chapter;
use super::show::{Show, number, part, table};
use super::works::works;
use crate::document::{Block, Section, Text};
use crate::terminal::by_theme;

pub(super) fn section(show: &Show<'_>) -> Section {
    let mut sections = Vec::new();
    if !show.is_empty() {
        sections.push(part("hosting", "How the app is hosted", hosting(show)));
    }
    let works = works(show);
    if !works.is_empty() {
        sections.push(part("works", "What works", vec![Block::List(works)]));
    }
    if !show.input.report.assessment.findings.is_empty() {
        sections.push(part("concerns", "What concerns", concerns(show)));
    }
    let accepted = accepted(show);
    if !accepted.is_empty() {
        sections.push(part("accepted", "Accepted risks", accepted));
    }
    Section {
        id: "current-state".to_owned(),
        title: "Current state".to_owned(),
        blocks: Vec::new(),
        sections,
    }
}

fn hosting(show: &Show<'_>) -> Vec<Block> {
    let situation = &show.input.judgement.situation;
    let mut blocks = Vec::new();
    for guest in &situation.guests {
        let size = |number: Option<u64>, unit: &str| number.map(|number| format!("{number} {unit}"));
        let sizes: Vec<String> =
            [size(guest.memory_mib, "MiB of memory"), size(guest.disk_gib, "GiB of disk")]
                .into_iter()
                .flatten()
                .collect();
        let mut text = Text::of(&format!(
            "{} is a {}{}",
            super::show::capital(&guest.name),
            guest.isolation.words(),
            if sizes.is_empty() { String::new() } else { format!(" with {}", sizes.join(" and ")) }
        ));
        if !guest.evidence.is_empty() {
            text = text.and(": ");
            text.0.extend(show.facts(&guest.evidence, 2).0);
        }
        blocks.push(Block::Paragraph(text.and(".")));
    }
    let containers: BTreeMap<_, _> =
        situation.containers.iter().map(|container| (container.place, container)).collect();
    let mut rows = Vec::new();
    for (_, service) in show.input.facts.stacks.deployed_services() {
        let Some(container) = containers.get(&service.place) else { continue };
        let image = match (built(show.input.facts, service), reference(service)) {
            (Some((image, _)), _) => {
                let text = Text::of("built from ").code(image.path.as_str());
                match replacements(show.input.facts, service).iter().find_map(|(image, _)| image.written_by) {
                    Some(place) => {
                        text.and(", which a script replaces (").place(show.position(place)).and(")")
                    }
                    None => text,
                }
            }
            (None, _) if service.build.is_some() => "built".into(),
            (None, Some(_)) => {
                let name = service.image.as_ref().map(|image| image.value.clone()).unwrap_or_default();
                Text::default().code(&name)
            }
            (None, None) => "unknown".into(),
        };
        let user = match container.root {
            Some(true) => "root",
            Some(false) => "not root",
            None => "cannot be told",
        };
        let ports: Vec<String> =
            container.entries.iter().map(|entry| format!("`{}`", entry.address)).collect();
        let data: Vec<String> = container.data.iter().map(|volume| format!("`{}`", volume.name)).collect();
        let none = |list: Vec<String>| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
        rows.push(vec![
            Text::default().code(&container.name).and(" (").place(show.position(service.place)).and(")"),
            image,
            user.into(),
            none(ports).into(),
            none(data).into(),
        ]);
    }
    let titles = ["service", "image", "user", "published ports", "data"];
    blocks.push(table("The services that are deployed", &titles, rows));
    blocks
}

fn concerns(show: &Show<'_>) -> Vec<Block> {
    let mut rows = Vec::new();
    for (theme, findings) in by_theme(show.input.report.assessment) {
        let count = |severity| findings.iter().filter(|judged| judged.finding.severity == severity).count();
        let mut row = vec![theme_title(theme, findings.first().map(|judged| judged.finding.rule))];
        for severity in Severity::ALL {
            row.push(match count(severity) {
                0 => Text::default(),
                some => number(some),
            });
        }
        row.push(findings.iter().max_by_key(|j| j.finding.severity).map_or_else(Text::default, |_| {
            let worst = findings.iter().map(|j| j.finding.severity).max();
            let first = findings.iter().find(|j| Some(j.finding.severity) == worst);
            first.map(|judged| show.mention(&judged.finding)).unwrap_or_default()
        }));
        rows.push(row);
    }
    let mut titles = vec!["theme".to_owned()];
    titles.extend(Severity::ALL.map(|severity| format!("#{}", severity.name())));
    titles.push("the worst".to_owned());
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    vec![
        Block::Paragraph("Each finding stands in the chapter that it belongs to, with its lines.".into()),
        table("Findings by theme", &titles, rows),
    ]
}

/// The name of a theme, as a way to the chapter of its first finding.
fn theme_title(theme: Theme, rule: Option<&plimsoll_rules::Rule>) -> Text {
    match rule {
        Some(rule) => Text::default().anchor(Chapter::of(rule).id(), theme.title()),
        None => theme.title().into(),
    }
}

fn accepted(show: &Show<'_>) -> Vec<Block> {
    let statuses = &show.input.judgement.accepted;
    if statuses.is_empty() {
        return Vec::new();
    }
    let mut rows = Vec::new();
    for status in statuses {
        let risk = &status.risk;
        let state = match (status.expired, status.findings.is_empty()) {
            (true, _) => Text::default().strong(format!("expired on {}", risk.until)),
            (false, true) => Text::of(&format!("until {}, but nothing is found any more", risk.until)),
            (false, false) => Text::of(&format!("until {}", risk.until)),
        };
        let places = status.findings.iter().take(3).map(|place| show.position(*place));
        let mut where_ = Text::default();
        for (index, position) in places.enumerate() {
            where_ = if index > 0 { where_.and(", ") } else { where_ }.place(position);
        }
        if status.findings.len() > 3 {
            where_ = where_.and(&format!(" and {} more", status.findings.len() - 3));
        }
        rows.push(vec![
            Text::of(risk.rule).and(" (").place(show.position(risk.place)).and(")"),
            where_,
            Text::of(&risk.reason),
            state,
        ]);
    }
    let intro = format!(
        "As of {}. An accepted risk closes no attack path: the paths below include it.",
        show.input.today
    );
    vec![
        Block::Paragraph(intro.into()),
        table("Accepted risks", &["rule", "findings", "reason", "state"], rows),
    ]
}
