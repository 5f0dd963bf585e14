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
use plimsoll_judge::assess;
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
    let judged = assess(&facts, &findings, profile);
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
