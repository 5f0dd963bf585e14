//! Prints what is judged about a folder: `cargo run -p plimsoll-judge --example judge -- PATH [homelab|internet|production]`.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    missing_docs,
    reason = "a tool for people who write proposals and alternatives"
)]

use std::path::Path;

use camino::Utf8PathBuf;
use plimsoll_judge::settings::{Date, Settings};
use plimsoll_judge::{Question, assess};
use plimsoll_model::{Facts, Inventory};
use plimsoll_rules::{Profile, Selection, evaluate};
use plimsoll_text::Files;

fn main() {
    let mut args = std::env::args().skip(1);
    let root = args.next().unwrap();
    let word = args.next().unwrap_or_default();
    let profile = Profile::ALL.into_iter().find(|profile| profile.name() == word).unwrap_or_default();
    let mut texts = Vec::new();
    let mut paths = Vec::new();
    collect(Path::new(&root), Path::new(&root), &mut texts, &mut paths);
    let facts = Facts::new(Files::new(texts), Inventory::new(paths));
    let findings = evaluate(&facts, &Selection { profile, ..Selection::default() });
    let start = std::time::Instant::now();
    let settings = Settings::default();
    let today = Date::parse("2026-12-01").unwrap();
    let judged = assess(&facts, &findings, &Question { profile, settings: &settings, today });
    println!("judged in {:?}", start.elapsed());
    let paths = &judged.paths;
    println!(
        "{} edges, {} paths ({} to the node, {} to data), {} open, {} inherent, {} residual, truncated {}",
        judged.graph.edges.len(),
        paths.list.len(),
        paths.to_node().count(),
        paths.to_data().count(),
        paths.open().count(),
        paths.list.iter().filter(|path| path.is_inherent()).count(),
        paths.list.iter().filter(|path| path.residual).count(),
        paths.truncated
    );
    for path in paths.list.iter().take(25) {
        let steps: Vec<String> = path
            .edges
            .iter()
            .filter_map(|index| judged.graph.edges.get(*index))
            .map(|edge| format!("{} -> {}", edge.how, edge.to.words()))
            .collect();
        println!("{:3} {}: {} {:?}", path.points, path.from.words(), steps.join("; "), path.cut_by);
    }
    println!("cut: {:?}", judged.cut);
    for proposal in &judged.proposals {
        println!(
            "{}{} {:?} {} h, {} findings, cuts {}, {}",
            if proposal.in_cut { "* " } else { "  " },
            proposal.id,
            proposal.severity(),
            proposal.hours(),
            proposal.resolves.len(),
            proposal.cuts,
            proposal.horizon.name()
        );
    }
    for alternative in &judged.alternatives {
        println!(
            "{}: today {}, forbidden {}, {} obstacles, paths to the node {} ({} without an unknown flaw), after the cut {} ({:?} points), {} h",
            alternative.kind.title(),
            alternative.is_today,
            alternative.is_forbidden(),
            alternative.obstacles.len(),
            alternative.paths.to_node().count(),
            alternative.paths.to_node().filter(|path| !path.residual).count(),
            alternative.paths_after_cut.to_node().count(),
            alternative.paths_after_cut.to_node().map(|path| path.points).min(),
            f64::from(alternative.migration.effort_quarters()) / 4.0
        );
    }
    for row in &judged.matrix.rows {
        println!("{:6} {} {:?}", row.total, row.kind.id(), row.scores);
    }
    println!("{:?}", judged.matrix.sensitivity);
    println!("{:#?}", judged.verdict);
    for compared in &judged.controls {
        println!(
            "{}: {}, {}",
            compared.control.source.title,
            compared.state.words(),
            compared.evidence.len()
        );
    }
    for reachable in &judged.surface {
        println!(
            "{} {} {:?} {:?}",
            reachable.what, reachable.address, reachable.authentication, reachable.by
        );
    }
    for radius in &judged.blast_radii {
        println!("{}: node {:?}, {:?}", radius.service, radius.to_node, radius.reaches);
    }
}

fn collect(root: &Path, folder: &Path, texts: &mut Vec<(Utf8PathBuf, String)>, paths: &mut Vec<Utf8PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.file_name().is_some_and(|name| name == ".git" || name == "node_modules") {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, texts, paths);
            continue;
        }
        let Ok(relative) = Utf8PathBuf::try_from(path.strip_prefix(root).unwrap().to_owned()) else {
            continue;
        };
        paths.push(relative.clone());
        if let Ok(text) = std::fs::read_to_string(&path) {
            texts.push((relative, text));
        }
    }
}
