//! Proposals and alternatives.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use plimsoll_text::Applicability;

use super::inline::{code, escaped, text};
use super::parts::command;
use crate::document::{Alternative, Patch, Proposal, Resolved, Text, Withdrawn};

/// More patches than this are not printed: a command shows them all.
const MOST_PATCHES: usize = 3;
/// Longer patches are cut.
const LONGEST: usize = 24;
/// Longer lines are cut.
const WIDEST: usize = 200;

pub(super) fn proposal(proposal: &Proposal, level: usize, out: &mut String) {
    let _ = writeln!(
        out,
        "\n<a id=\"{}\"></a>\n\n{} {}. {}",
        proposal.id,
        "#".repeat(level),
        proposal.number,
        escaped(&proposal.title)
    );
    out.push('\n');
    let mut field = |name: &str, value: &str| {
        let _ = writeln!(out, "- **{name}:** {value}");
    };
    field("Problem", &joined(&proposal.problem));
    field("Solution", &text(&proposal.solution));
    field("Complexity", proposal.complexity.name());
    field("Effort", &format!("{} ({})", proposal.effort, text(&proposal.effort_model)));
    field("Security impact", &text(&proposal.security));
    field("Performance impact", &text(&proposal.performance));
    field("Breaking changes", &text(&proposal.breaking));
    field("When", proposal.horizon.name());
    let paths = match (proposal.cuts, proposal.in_cut) {
        (0, _) => "none".to_owned(),
        (cuts, false) => format!("{cuts}, which the cheapest set closes without it"),
        (cuts, true) => format!("{cuts}; it is in the cheapest set that closes all"),
    };
    field("Attack paths that it closes", &paths);
    field("Resolves", &resolves(&proposal.resolves));
    if !proposal.withdrawn.is_empty() {
        field("Withdrawn", &withdrawn(&proposal.withdrawn));
    }
    if proposal.patches.is_empty() {
        field(
            "Patch",
            if proposal.withdrawn.is_empty() { "none; it takes a person" } else { "none that holds" },
        );
        return;
    }
    field("Patch", &offers(&proposal.patches));
    let shown = shown(&proposal.patches);
    let _ = writeln!(out, "\n<details><summary>{}</summary>", summary(shown.len(), proposal.patches.len()));
    for patch in shown {
        let longest = patch.diff.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(3.max(longest + 1));
        let diff = cut(&patch.diff);
        let _ = writeln!(out, "\n{}: {}\n\n{fence}diff\n{diff}{fence}", patch.rule, text(&patch.title));
    }
    out.push_str("\n</details>\n");
}

/// The first patch of each rule, as far as there is room.
fn shown(patches: &[Patch]) -> Vec<&Patch> {
    let mut shown: Vec<&Patch> = Vec::new();
    for patch in patches {
        if shown.len() < MOST_PATCHES && !shown.iter().any(|known| known.rule == patch.rule) {
            shown.push(patch);
        }
    }
    shown
}

fn summary(shown: usize, patches: usize) -> String {
    match (shown, patches) {
        (_, 1) => "The patch".to_owned(),
        (shown, all) if shown == all => format!("The {all} patches"),
        (shown, all) => format!("{shown} of {all} patches"),
    }
}

/// A patch as far as it is read in a document; `plimsoll fix --diff` prints all of it.
fn cut(diff: &str) -> String {
    let mut out = String::new();
    for line in diff.lines().take(LONGEST) {
        let end = line.char_indices().nth(WIDEST).map_or(line.len(), |(at, _)| at);
        out.push_str(line.get(..end).unwrap_or_default());
        out.push_str(if end < line.len() { "…\n" } else { "\n" });
    }
    match diff.lines().count().saturating_sub(LONGEST) {
        0 => {}
        more => {
            let _ = writeln!(out, "… {more} more lines");
        }
    }
    out
}

fn joined(texts: &[Text]) -> String {
    texts.iter().map(text).collect::<Vec<_>>().join("; ")
}

fn offers(patches: &[Patch]) -> String {
    let mut rules: BTreeMap<(bool, &str), (usize, &Patch)> = BTreeMap::new();
    for patch in patches {
        rules.entry((patch.applicability != Applicability::Safe, patch.rule)).or_insert((0, patch)).0 += 1;
    }
    let said: Vec<String> = rules
        .values()
        .map(
            |(count, patch)| {
                if *count == 1 { command(patch) } else { format!("{} ({count})", command(patch)) }
            },
        )
        .collect();
    said.join(", ")
}

/// The patches that do not hold; of those with one reason the places.
fn withdrawn(withdrawn: &[Withdrawn]) -> String {
    let mut by_reason: Vec<(&Withdrawn, Vec<String>)> = Vec::new();
    for one in withdrawn {
        let alike = |(known, _): &&mut (&Withdrawn, Vec<String>)| {
            (known.rule, &known.title, &known.reason) == (one.rule, &one.title, &one.reason)
        };
        let place = code(&one.position.to_string());
        match by_reason.iter_mut().find(alike) {
            Some((_, places)) => places.push(place),
            None => by_reason.push((one, vec![place])),
        }
    }
    let said: Vec<String> = by_reason
        .into_iter()
        .map(|(one, places)| {
            let places = places.join(", ");
            format!("{} at {places} ({}), because {}", one.rule, text(&one.title), text(&one.reason))
        })
        .collect();
    said.join("; ")
}

/// The findings by rule, each place as a way to its finding.
fn resolves(resolved: &[Resolved]) -> String {
    let mut by_rule: Vec<(&str, Vec<&Resolved>)> = Vec::new();
    for one in resolved {
        match by_rule.iter_mut().find(|(rule, _)| *rule == one.rule) {
            Some((_, places)) => places.push(one),
            None => by_rule.push((one.rule, vec![one])),
        }
    }
    if by_rule.is_empty() {
        return "no finding, only attack paths".to_owned();
    }
    let said: Vec<String> = by_rule
        .into_iter()
        .map(|(rule, places)| {
            let severity = places.iter().map(|one| one.severity).max().map_or("", |severity| severity.name());
            let links: Vec<String> = places
                .iter()
                .map(|one| {
                    let place = code(&one.position.to_string());
                    one.finding.as_ref().map_or_else(|| place.clone(), |id| format!("[{place}](#{id})"))
                })
                .collect();
            format!("{rule} ({severity}) at {}", links.join(", "))
        })
        .collect();
    said.join("; ")
}

pub(super) fn alternative(way: &Alternative, level: usize, out: &mut String) {
    let mut title = escaped(&way.title);
    if way.is_today {
        title.push_str(" (today)");
    }
    if way.is_recommended {
        title.push_str(" (recommended)");
    }
    let _ = writeln!(out, "\n<a id=\"{}\"></a>\n\n{} {title}\n", way.id, "#".repeat(level));
    let mut field = |name: &str, value: &str| {
        let _ = writeln!(out, "- **{name}:** {value}");
    };
    field("Fit", &text(&way.fit));
    let easiest = way.paths.easiest_after.map_or_else(
        || "no path is left".to_owned(),
        |points| format!("the easiest path to the node then costs {points} points"),
    );
    field(
        "Attack paths without an unknown flaw",
        &format!(
            "{} to the node and {} to data; after the proposed changes {} to the node, {easiest}",
            way.paths.to_node, way.paths.to_data, way.paths.to_node_after
        ),
    );
    for (name, value) in way.costs.iter().chain(&way.gives) {
        let mut chars = name.chars();
        let name: String = chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default();
        field(&name, &text(value));
    }
    if !way.migration.is_empty() {
        field("Effort to get there", &way.hours.to_string());
        field("Breaking changes", &joined(&way.breaking));
    }
    field("Sources", &way.sources.iter().map(text).collect::<Vec<_>>().join(", "));
    if !way.migration.is_empty() {
        out.push_str("\nSteps:\n\n");
        for (index, step) in way.migration.iter().enumerate() {
            let _ = writeln!(out, "{}. {}", index + 1, text(step));
        }
    }
    if !way.obstacles.is_empty() {
        out.push_str("\n| line | service | weight | what it says |\n|---|---|---|---|\n");
        for obstacle in &way.obstacles {
            let place = obstacle.evidence.position.as_ref().map(|place| code(&place.to_string()));
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} |",
                place.unwrap_or_default(),
                code(&obstacle.service),
                obstacle.weight,
                super::inline::cell(&obstacle.evidence.text)
            );
        }
    }
}
