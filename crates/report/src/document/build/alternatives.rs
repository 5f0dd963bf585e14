//! Other ways to host the app.

use plimsoll_judge::alternatives::{self as judged, Criterion, Obstruction};
use plimsoll_judge::graph::Paths;

use super::show::{Show, capital, part, points, table};
use crate::document::{
    Alternative, Block, Criterion as Column, Hours, Matrix, Obstacle, PathCount, Row, Section, Text,
};
use crate::report::counted;
use crate::source::printable;

pub(super) fn section(show: &Show<'_>) -> Section {
    let judgement = show.input.judgement;
    let intro = format!(
        "{} are compared. Paths are counted, not guessed: the attack graph is built anew for each way, first with nothing else changed, then with the changes of the cheapest set made too. An open path needs no unknown flaw of the platform.",
        counted(judgement.alternatives.len(), "way")
    );
    let ways = judgement
        .alternatives
        .iter()
        .map(|way| Block::Alternative(Box::new(alternative(show, way))))
        .collect();
    Section {
        id: "alternatives".to_owned(),
        title: "Alternatives".to_owned(),
        blocks: vec![Block::Paragraph(intro.into()), glance(show)],
        sections: vec![
            part("decision-matrix", "Decision matrix", vec![Block::Matrix(matrix(show))]),
            part("ways", "The ways one by one", ways),
        ],
    }
}

/// All ways on one screen.
fn glance(show: &Show<'_>) -> Block {
    let rows = show
        .input
        .judgement
        .alternatives
        .iter()
        .map(|way| {
            let mut title = Text::default().anchor(anchor(way.kind), capital(way.kind.title()));
            if way.is_today {
                title = title.and(" (today)");
            }
            let lines = way.obstacles.iter().filter(|o| o.obstruction != Obstruction::Note).count();
            let fit = match (way.is_forbidden(), lines) {
                (true, _) => "no".to_owned(),
                (_, 0) => "yes".to_owned(),
                (_, some) => format!("{} to settle", counted(some, "line")),
            };
            let range = |range: Option<(u32, u32)>| {
                range.map_or_else(|| "cannot be told".to_owned(), |(from, to)| format!("{from} to {to}"))
            };
            let open = |paths: &Paths| paths.to_node().filter(|path| !path.residual).count();
            let easiest = way.paths_after_cut.to_node().map(|path| path.points).min();
            vec![
                title,
                fit.into(),
                Text::of(&open(&way.paths).to_string()),
                Text::of(&open(&way.paths_after_cut).to_string()),
                easiest.map_or_else(|| "none".into(), |points| Text::of(&points.to_string())),
                range(way.costs.map(|costs| costs.memory_mib)).into(),
                range(way.costs.map(|costs| costs.boot_seconds)).into(),
                Text::of(&Hours(way.migration.effort_quarters()).to_string()),
            ]
        })
        .collect();
    let titles = [
        "way",
        "fits",
        "#open paths to the node",
        "#after the changes",
        "#points of the easiest then",
        "#MiB besides the services",
        "#seconds to start",
        "#effort",
    ];
    table("All ways at a glance", &titles, rows)
}

pub(super) fn anchor(kind: judged::Kind) -> String {
    format!("a-{}", kind.id())
}

fn is_recommended(show: &Show<'_>, kind: judged::Kind) -> bool {
    show.input.judgement.verdict.as_ref().is_some_and(|verdict| verdict.winner == kind)
}

fn alternative(show: &Show<'_>, way: &judged::Alternative) -> Alternative {
    let open = |paths: &Paths| paths.to_node().filter(|path| !path.residual).count();
    Alternative {
        id: anchor(way.kind),
        title: capital(way.kind.title()),
        is_today: way.is_today,
        is_recommended: is_recommended(show, way.kind),
        fit: fit(way),
        obstacles: way
            .obstacles
            .iter()
            .map(|obstacle| Obstacle {
                weight: match obstacle.obstruction {
                    Obstruction::Note => "note",
                    Obstruction::Complicates => "complicates",
                    Obstruction::Forbids => "forbids",
                },
                service: printable(&obstacle.service).into_owned(),
                evidence: show.evidence(obstacle.evidence.place, &obstacle.evidence.text),
            })
            .collect(),
        paths: PathCount {
            to_node: open(&way.paths),
            to_data: way.paths.to_data().filter(|path| !path.residual).count(),
            to_node_after: open(&way.paths_after_cut),
            easiest_after: way.paths_after_cut.to_node().map(|path| path.points).min(),
        },
        costs: costs(way),
        gives: vec![
            ("snapshots", way.quality.snapshots.into()),
            ("live migration", way.quality.live_migration.into()),
            ("backup", way.quality.backup.into()),
            ("Docker", way.quality.docker.into()),
        ],
        migration: way.migration.steps.iter().map(|step| step_text(show, step)).collect(),
        hours: Hours(way.migration.effort_quarters()),
        breaking: way.migration.breaking.iter().map(|text| Text::of(text)).collect(),
        sources: show.references.numbers(way),
    }
}

fn fit(way: &judged::Alternative) -> Text {
    let count = |wanted| way.obstacles.iter().filter(|obstacle| obstacle.obstruction == wanted).count();
    let (forbids, complicates) = (count(Obstruction::Forbids), count(Obstruction::Complicates));
    let lines = |count| counted(count, "line");
    Text::of(&match (way.is_today, forbids, complicates) {
        (true, ..) => "It is how the app runs today.".to_owned(),
        (_, 0, 0) => "The app fits as it is.".to_owned(),
        (_, 0, some) => {
            format!("The app fits after {} of its Compose files are done in another way.", lines(some))
        }
        (_, some, _) => format!("The app does not fit: {} of its Compose files forbid it.", lines(some)),
    })
}

fn costs(way: &judged::Alternative) -> Vec<(&'static str, Text)> {
    let Some(costs) = way.costs else {
        return vec![("cost", "cannot be told from the files, which do not say what the guest is".into())];
    };
    let range = |(from, to): (u32, u32), unit: &str| Text::of(&format!("{from} to {to} {unit}"));
    vec![
        ("memory", range(costs.memory_mib, "MiB besides the services")),
        ("disk", range(costs.disk_gib, "GiB besides the services")),
        ("start", range(costs.boot_seconds, "seconds")),
        ("operation", costs.operation.into()),
    ]
}

fn step_text(show: &Show<'_>, step: &judged::Step) -> Text {
    let mut text = Text::of(&capital(&step.text)).and(&format!(" ({}", Hours(step.effort_quarters)));
    for (index, file) in step.files.iter().take(6).enumerate() {
        text = text.and(if index == 0 { "; " } else { ", " }).code(show.input.facts.path(*file).as_str());
    }
    match step.files.len().saturating_sub(6) {
        0 => text.and(")"),
        more => text.and(&format!(" and {more} more)")),
    }
}

fn matrix(show: &Show<'_>) -> Matrix {
    let judgement = show.input.judgement;
    let matrix = &judgement.matrix;
    let rows = matrix.rows.iter().map(|row| Row {
        alternative: anchor(row.kind),
        title: capital(row.kind.title()),
        scores: row.scores.to_vec(),
        total: row.total,
        is_today: judgement.alternatives.iter().any(|way| way.is_today && way.kind == row.kind),
        is_recommended: is_recommended(show, row.kind),
    });
    let criteria = Criterion::ALL.into_iter().map(|criterion| Column {
        name: criterion.name(),
        weight: matrix.weights.get(criterion),
        model: criterion.model(),
    });
    let mut sensitivity: Vec<Text> = matrix
        .sensitivity
        .iter()
        .map(|flip| {
            Text::of(&format!(
                "{} would lead if {} weighed {} in place of {}.",
                capital(flip.winner.title()),
                flip.criterion.name(),
                flip.flips_at,
                flip.weight
            ))
        })
        .collect();
    if sensitivity.is_empty() {
        sensitivity.push("No weight of a single criterion changes which way leads.".into());
    }
    if let [first, second, ..] = matrix.rows.as_slice() {
        sensitivity.insert(
            0,
            Text::of(&format!(
                "{} leads by {} points before {}.",
                capital(first.kind.title()),
                points(first.total.saturating_sub(second.total)),
                second.kind.title()
            )),
        );
    }
    Matrix {
        id: "matrix".to_owned(),
        profile: judgement.profile.name(),
        criteria: criteria.collect(),
        rows: rows.collect(),
        sensitivity,
    }
}
