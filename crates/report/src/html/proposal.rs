//! Proposals with all their fields.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::escape::Escaped;
use super::finding::{badge, command, patch};
use super::inline::{Place, Rich, joined};
use crate::document::{Proposal, Resolved};

/// More patches than this are not printed here: each stands at its finding.
const MOST_PATCHES: usize = 3;

/// A change as an article.
pub(super) fn proposal(proposal: &Proposal, level: usize, out: &mut String) {
    let badge = proposal.severity.map(badge).unwrap_or_default();
    let _ = write!(
        out,
        "<article class=\"proposal\" id=\"{}\">\n<h{level}>{}. {} {badge}</h{level}>\n\
         <p class=\"facts\"><span><b>Effort</b> {}</span> <span><b>Complexity</b> {}</span> <span><b>When</b> {}</span> \
         <span><b>Attack paths</b> {}</span></p>\n<dl>\n",
        Escaped(&proposal.id),
        proposal.number,
        Escaped(&proposal.title),
        proposal.effort,
        proposal.complexity.name(),
        proposal.horizon.name(),
        cuts(proposal),
    );
    let mut field = |name: &str, value: &str| {
        let _ = writeln!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    };
    field("Problem", &joined(&proposal.problem));
    field("Solution", &Rich(&proposal.solution).to_string());
    field("Security impact", &Rich(&proposal.security).to_string());
    field("Performance impact", &Rich(&proposal.performance).to_string());
    field("Breaking changes", &Rich(&proposal.breaking).to_string());
    field("Effort model", &Rich(&proposal.effort_model).to_string());
    field("Resolves", &resolves(&proposal.resolves));
    field("Patch", &offers(proposal));
    if !proposal.withdrawn.is_empty() {
        field("Withdrawn", &withdrawn(proposal));
    }
    out.push_str("</dl>\n");
    for one in proposal.patches.iter().take(MOST_PATCHES) {
        patch(one, out);
    }
    if proposal.patches.len() > MOST_PATCHES {
        let more = proposal.patches.len() - MOST_PATCHES;
        let _ = writeln!(out, "<p class=\"meta\">{more} more, each at its finding.</p>");
    }
    out.push_str("</article>\n");
}

fn cuts(proposal: &Proposal) -> String {
    match (proposal.cuts, proposal.in_cut) {
        (0, _) => "cuts none".to_owned(),
        (cuts, false) => format!("cuts {cuts}"),
        (cuts, true) => format!("cuts {cuts}, in the smallest cut"),
    }
}

fn offers(proposal: &Proposal) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for patch in &proposal.patches {
        *counts.entry(command(patch)).or_default() += 1;
    }
    if counts.is_empty() {
        let none = if proposal.withdrawn.is_empty() { "none; it takes a person" } else { "none that holds" };
        return none.to_owned();
    }
    let said: Vec<String> = counts
        .iter()
        .map(|(command, count)| {
            let times = if *count == 1 { String::new() } else { format!(" ({count})") };
            format!("<code>{}</code>{times}", Escaped(command))
        })
        .collect();
    said.join(", ")
}

/// The patches that do not hold.
fn withdrawn(proposal: &Proposal) -> String {
    let said: Vec<String> = proposal
        .withdrawn
        .iter()
        .map(|one| {
            format!(
                "<code>{}</code> at {} ({}), because {}",
                one.rule,
                Place(&one.position),
                Rich(&one.title),
                Rich(&one.reason)
            )
        })
        .collect();
    said.join("; ")
}

/// The findings by rule, each place as a way to its finding.
fn resolves(resolved: &[Resolved]) -> String {
    let mut rules: Vec<(&str, Vec<String>)> = Vec::new();
    for one in resolved {
        let place = Place(&one.position).to_string();
        let link = one
            .finding
            .as_ref()
            .map_or_else(|| place.clone(), |id| format!("<a href=\"#{}\">{place}</a>", Escaped(id)));
        match rules.iter_mut().find(|(rule, _)| *rule == one.rule) {
            Some((_, places)) => places.push(link),
            None => rules.push((one.rule, vec![link])),
        }
    }
    if rules.is_empty() {
        return "no finding, only attack paths".to_owned();
    }
    let said: Vec<String> = rules
        .into_iter()
        .map(|(rule, places)| format!("<code>{rule}</code> at {}", places.join(", ")))
        .collect();
    said.join("; ")
}
