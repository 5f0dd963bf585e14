//! The same deployment for other ends.

use std::borrow::Cow;

use plimsoll_judge::alternatives::{Alternative, Verdict, Weights, matrix, verdict};
use plimsoll_judge::graph::{Actor, Path, Paths, Spot};
use plimsoll_judge::proposals::Cut;
use plimsoll_judge::situation::{internet, situation};
use plimsoll_judge::ways;
use plimsoll_rules::Profile;

use super::show::{Show, number, points, table};
use crate::document::{Block, Text};

/// What a profile's risk comes to, from the worst path that is open to whom.
fn word(open: &[&Path]) -> (&'static str, &'static str) {
    let leads = |to_node: bool, actors: &[Actor]| {
        open.iter().any(|path| {
            (path.to == Spot::Node) == to_node
                && matches!(&path.from, Spot::Actor(actor) if actors.contains(actor))
        })
    };
    let network = [Actor::Internet, Actor::Lan, Actor::Neighbour];
    let trusted = [Actor::LocalUser, Actor::Supplier, Actor::Contributor];
    if leads(true, &[Actor::Internet]) {
        ("critical", "a stranger can get to root on the node")
    } else if leads(true, &network) {
        ("high", "whoever is in the network can get to root on the node")
    } else if leads(false, &network) {
        ("high", "whoever can connect can get to the data")
    } else if leads(true, &trusted) {
        ("medium", "a supplier, a contributor or another account can get to root on the node")
    } else if leads(false, &trusted) {
        ("medium", "a supplier, a contributor or another account can get to the data")
    } else {
        ("low", "every path needs an unknown flaw of the platform or of the app itself")
    }
}

/// What was found on going through a situation, and the verdicts of the profiles that it holds for.
struct View<'a> {
    /// Whether strangers reach the app.
    strangers: bool,
    paths: Cow<'a, Paths>,
    alternatives: Cow<'a, [Alternative]>,
    cut: Cow<'a, Cut>,
    verdicts: Vec<(Profile, Option<Verdict>)>,
}

/// The views under all profiles. Where strangers reach the app in two of them alike, only the weights differ.
fn views<'a>(show: &'a Show<'_>) -> Vec<View<'a>> {
    let input = show.input;
    let findings = input.report.assessment;
    let own = input.judgement;
    let mut found = vec![View {
        strangers: own.situation.internet.is_some(),
        paths: Cow::Borrowed(&own.paths),
        alternatives: Cow::Borrowed(&own.alternatives),
        cut: Cow::Borrowed(&own.cut),
        verdicts: vec![(own.profile, own.verdict.clone())],
    }];
    for profile in Profile::ALL.into_iter().filter(|profile| *profile != own.profile) {
        let strangers = internet(input.facts, profile).is_some();
        let at = found.iter().position(|view| view.strangers == strangers).unwrap_or_else(|| {
            let ways = ways(input.facts, findings, &situation(input.facts, findings, profile));
            found.push(View {
                strangers,
                paths: Cow::Owned(ways.paths),
                alternatives: Cow::Owned(ways.alternatives),
                cut: Cow::Owned(ways.cut),
                verdicts: Vec::new(),
            });
            found.len() - 1
        });
        let Some(view) = found.get_mut(at) else { continue };
        // The owner's weights are those of the own profile only.
        let weighed = matrix(&view.alternatives, Weights::of(profile));
        let verdict = verdict(&view.alternatives, &weighed, &view.cut);
        view.verdicts.push((profile, verdict));
    }
    found
}

/// What the deployment risks under each profile.
pub(super) fn by_profile(show: &Show<'_>) -> Vec<Block> {
    let mut rows: Vec<(Profile, Vec<Text>)> = Vec::new();
    for view in views(show) {
        for (profile, verdict) in &view.verdicts {
            rows.push((*profile, row(show, *profile, &view, verdict.as_ref())));
        }
    }
    rows.sort_by_key(|(profile, _)| *profile);
    let rows = rows.into_iter().map(|(_, row)| row).collect();
    let titles = [
        "profile",
        "risk today",
        "#open paths to the node",
        "#points of the easiest",
        "with the proposed changes, in today's guest",
        "verdict",
    ];
    vec![
        Block::Paragraph(
            "`homelab` is one's own network with people who trust each other; `internet` lets strangers connect; `production` has others depend on it. Today's way is enough where the risk in the column before the verdict is one that you accept.".into(),
        ),
        table("Risk by profile", &titles, rows),
    ]
}

fn row(show: &Show<'_>, profile: Profile, view: &View<'_>, verdict: Option<&Verdict>) -> Vec<Text> {
    let open: Vec<&Path> = view.paths.open().collect();
    let (now, why) = word(&open);
    let to_node = || open.iter().filter(|path| path.to == Spot::Node);
    let least = to_node().map(|path| path.points).min();
    let today = view.alternatives.iter().find(|way| way.is_today);
    let left: Vec<&Path> = today.into_iter().flat_map(|today| today.paths_after_cut.open()).collect();
    let (then, still) = word(&left);
    let verdict = verdict.map_or_else(Text::default, |verdict| {
        Text::of(&format!(
            "{}: {} ({} against {})",
            verdict.outcome.name(),
            verdict.winner.title(),
            points(verdict.winner_total),
            points(verdict.today_total)
        ))
    });
    let own = profile == show.input.judgement.profile;
    let name = if own { format!("{} (this document)", profile.name()) } else { profile.name().to_owned() };
    vec![
        name.into(),
        Text::default().strong(now).and(&format!(": {why}")),
        number(to_node().count()),
        least.map_or_else(|| "none".into(), number),
        Text::default().strong(then).and(&format!(": {still}")),
        verdict,
    ]
}
