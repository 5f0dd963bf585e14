//! Who can reach what, and what stands against it.

use std::collections::BTreeSet;

use plimsoll_judge::Assessment as Judgement;
use plimsoll_judge::controls::State;
use plimsoll_judge::graph::{Path, Spot};

use super::findings::{self, Chapter};
use super::show::{Show, capital, listed, number, part, proposal_anchor, table};
use super::{diagram, risk};
use crate::document::{Block, Section, Text};
use crate::report::counted;

pub(super) fn section(show: &Show<'_>) -> Section {
    let mut sections = Vec::new();
    if !show.is_empty() {
        sections.push(part("threat-model", "Threat model", threat_model(show)));
        sections.push(part("attack-surface", "Attack surface", surface(show)));
        sections.push(part("blast-radius", "What falls with each service", blast(show)));
        sections.push(part("risk", "Risk by profile", risk::by_profile(show)));
        sections.push(part("baseline", "Comparison with a baseline", baseline(show)));
        sections.push(part("mechanisms", "User namespaces, AppArmor, SELinux and seccomp", mechanisms(show)));
    }
    sections.push(part(
        "security-findings",
        "Findings about security",
        findings::of(show, Chapter::Security),
    ));
    Section {
        id: "security".to_owned(),
        title: "Security assessment".to_owned(),
        blocks: Vec::new(),
        sections,
    }
}

fn threat_model(show: &Show<'_>) -> Vec<Block> {
    let judgement = show.input.judgement;
    let paths = &judgement.paths;
    let open = paths.open().count();
    let residual = paths.list.iter().filter(|path| path.residual).count();
    let inherent = paths.list.iter().filter(|path| path.is_inherent()).count();
    let more = if paths.truncated { "at least " } else { "" };
    let mut text = format!(
        "{more}{} lead from somebody to root on the node ({}) or to the data ({}). {open} are open: they need no unknown flaw of the platform, and a change closes each.",
        counted(paths.list.len(), "path"),
        paths.to_node().count(),
        paths.to_data().count(),
    );
    if residual > 0 {
        text.push_str(&format!(
            " {residual} need a flaw of the kernel or the hypervisor that nobody knows yet."
        ));
    }
    if inherent > 0 {
        text.push_str(&format!(
            " {inherent} are what the app is for: only a flaw in its own code opens them."
        ));
    }
    let scale = "The points of a path compare what its steps ask of an attacker: 1 for what is given, 3 for a position or a known value, 4 for a flaw in an application, 6 for a known class of escapes, 8 for a flaw of the container runtime, 12 for an unknown kernel flaw, 20 for an unknown hypervisor flaw. They are weights, not probabilities.";
    let mut blocks = vec![Block::Paragraph(capital(&text).into()), Block::Paragraph(scale.into())];
    blocks.extend(diagram::diagram(show).map(Block::Diagram));
    let mut easiest = easiest(judgement);
    easiest.sort_by_key(|path| (path.to != Spot::Node, path.points));
    let mut rows: Vec<Vec<Text>> = Vec::new();
    for row in easiest.into_iter().map(|path| path_row(show, path)) {
        // The same steps to another service's data are the same path to a reader.
        let known =
            rows.iter_mut().find(|known| (0..5).all(|cell| cell == 2 || known.get(cell) == row.get(cell)));
        match (known.and_then(|known| known.get_mut(2)), row.get(2)) {
            (Some(reaches), Some(also)) => {
                reaches.0.extend(Text::of(" and ").0.into_iter().chain(also.0.clone()));
            }
            _ => rows.push(row),
        }
    }
    blocks.push(Block::Paragraph(
        "The easiest open path of each who starts, to the node and to each service's data:".into(),
    ));
    blocks.push(table(
        "The easiest open paths",
        &["who", "steps", "reaches", "#points", "closed by any of"],
        rows,
    ));
    blocks
}

/// The easiest open path of each actor to each target.
pub(super) fn easiest(judgement: &Judgement) -> Vec<&Path> {
    let mut seen: BTreeSet<(&Spot, &Spot)> = BTreeSet::new();
    judgement
        .paths
        .list
        .iter()
        .filter(|path| path.is_open())
        .filter(|path| seen.insert((&path.from, &path.to)))
        .collect()
}

fn path_row(show: &Show<'_>, path: &Path) -> Vec<Text> {
    let judgement = show.input.judgement;
    let mut steps = Text::default();
    let edges = path.edges.iter().filter_map(|index| judgement.graph.edges.get(*index));
    for (index, edge) in edges.enumerate() {
        let mut step = if index > 0 { ", then " } else { "" }.to_owned();
        step.push_str(&edge.how);
        if edge.to != path.to {
            step.push_str(&format!(" ({})", edge.to.words()));
        }
        steps = steps.and(&step);
        if let Some(place) = edge.evidence.iter().find_map(|fact| fact.place) {
            steps = steps.and(" [").place(show.position(place)).and("]");
        }
    }
    let mut closed = Text::default();
    for (index, id) in path.cut_by.iter().enumerate() {
        closed = if index > 0 { closed.and(", ") } else { closed }.anchor(proposal_anchor(id), *id);
    }
    vec![path.from.words().into(), steps, path.to.words().into(), number(path.points), closed]
}

fn surface(show: &Show<'_>) -> Vec<Block> {
    let rows: Vec<Vec<Text>> = show
        .input
        .judgement
        .surface
        .iter()
        .map(|item| {
            let by: Vec<String> = item.by.iter().map(|actor| actor.words().to_owned()).collect();
            vec![
                Text::default().and(&item.what),
                Text::of(&item.address),
                if by.is_empty() { "the guest itself".into() } else { capital_list(&by) },
                item.authentication.words().into(),
                if item.needless { Text::default().strong("no") } else { "yes".into() },
                show.facts(&item.evidence, 2),
            ]
        })
        .collect();
    if rows.is_empty() {
        return vec![Block::Paragraph("The files publish nothing.".into())];
    }
    let titles = ["what", "where", "reached by", "credential", "needed", "evidence"];
    vec![table("Everything that can be reached", &titles, rows)]
}

fn capital_list(items: &[String]) -> Text {
    listed(items).into()
}

fn blast(show: &Show<'_>) -> Vec<Block> {
    let rows = show
        .input
        .judgement
        .blast_radii
        .iter()
        .map(|radius| {
            let reaches = |wanted: fn(&Spot) -> Option<&str>| {
                let names: Vec<String> = radius
                    .reaches
                    .iter()
                    .filter_map(|(spot, _)| wanted(spot))
                    .map(|name| format!("`{name}`"))
                    .collect();
                if names.is_empty() { Text::of("none") } else { listed(&names).into() }
            };
            let to_node = radius.reaches.iter().find(|(spot, _)| *spot == Spot::Node);
            let node = match (to_node, radius.to_node) {
                (Some((_, points)), _) => format!("yes, {points} points without an unknown flaw"),
                (None, Some(points)) => format!("only with an unknown flaw, {points} points"),
                (None, None) => "no".to_owned(),
            };
            vec![
                Text::default().code(&radius.service),
                reaches(|spot| if let Spot::Container(name) = spot { Some(name) } else { None }),
                reaches(|spot| if let Spot::Data(name) = spot { Some(name) } else { None }),
                node.into(),
            ]
        })
        .collect();
    vec![
        Block::Paragraph("Where an attacker gets who already runs code inside a service:".into()),
        table("Blast radius", &["taken over", "other services", "data", "root on the node"], rows),
    ]
}

fn baseline(show: &Show<'_>) -> Vec<Block> {
    let controls = &show.input.judgement.controls;
    let count = |state| controls.iter().filter(|control| control.state == state).count();
    let intro = format!(
        "Of {}, {} are not met, {} are met as far as files tell, and {} cannot be told from files.",
        counted(controls.len(), "control"),
        count(State::NotMet),
        count(State::Met),
        count(State::Unknown)
    );
    let rows = controls
        .iter()
        .map(|compared| {
            let control = compared.control;
            let state = match compared.state {
                State::NotMet => Text::default().strong("not met"),
                State::Met => "met".into(),
                State::Unknown => "cannot be told".into(),
            };
            let evidence = match compared.state {
                State::Unknown => Text::of("find out: ").and(control.find_out),
                State::NotMet => show.facts(&compared.evidence, 1),
                State::Met => match compared.evidence.as_slice() {
                    [] => Text::default(),
                    [fact] => fact.place.map_or_else(
                        || show.fact(fact),
                        |place| Text::of("nothing found against it at ").place(show.position(place)),
                    ),
                    some => Text::of(&format!("nothing found against it in {} places", some.len())),
                },
            };
            vec![
                Text::default().link(control.source.title, control.source.url),
                control.text.into(),
                state,
                evidence,
            ]
        })
        .collect();
    vec![Block::Paragraph(intro.into()), table("Controls", &["source", "control", "state", "evidence"], rows)]
}

fn mechanisms(show: &Show<'_>) -> Vec<Block> {
    let rows = show
        .input
        .judgement
        .mechanisms
        .iter()
        .map(|mechanism| {
            let active = match mechanism.active {
                Some(true) => "yes",
                Some(false) => "no",
                None => "cannot be told",
            };
            vec![
                Text::default().link(mechanism.name, mechanism.source.url),
                active.into(),
                Text::of(&mechanism.gives),
                Text::of(&mechanism.costs),
            ]
        })
        .collect();
    vec![table("Mechanisms of the kernel", &["mechanism", "at work here", "gives", "costs"], rows)]
}
