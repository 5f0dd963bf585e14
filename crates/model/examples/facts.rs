//! Prints what the model knows about a folder: `cargo run -p plimsoll-model --example facts -- PATH [commands|guests|procedures|images|stacks|application]`.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    missing_docs,
    reason = "a tool for people who write rules"
)]

use std::path::Path;

use camino::Utf8PathBuf;
use plimsoll_model::{Facts, Inventory};
use plimsoll_text::{Files, Place};

fn main() {
    let mut args = std::env::args().skip(1);
    let root = args.next().unwrap();
    let what = args.next().unwrap_or_else(|| "commands".to_owned());
    let mut texts = Vec::new();
    let mut paths = Vec::new();
    collect(Path::new(&root), Path::new(&root), &mut texts, &mut paths);
    let facts = Facts::new(Files::new(texts), Inventory::new(paths));
    let at = |place: Place| {
        let file = facts.files.get(place.file);
        let at = file.line_column(place.span.start);
        format!("{}:{}:{}", file.path(), at.line, at.column)
    };
    match what.as_str() {
        "commands" => {
            for c in facts.commands.iter() {
                let args: Vec<String> = c
                    .args
                    .iter()
                    .map(|a| a.value.text.chars().take(60).collect::<String>().replace('\n', "⏎"))
                    .collect();
                let fate = format!("{:?}", c.fate);
                let fate = fate.split([' ', '{']).next().unwrap_or_default();
                println!(
                    "{} [{}] {fate} fn={} hops={} {} {}",
                    at(c.place),
                    c.machine.word(),
                    c.function.as_deref().unwrap_or("-"),
                    c.hops.len(),
                    c.program,
                    args.join(" ")
                );
            }
        }
        "guests" => {
            for g in facts.guests.iter() {
                println!(
                    "{:?} {:?} created={} {} {:?}",
                    g.kind,
                    g.id.as_ref().map(|v| &v.text),
                    g.created,
                    at(g.place),
                    g.maker
                );
                for s in &g.settings {
                    println!("    {} = {} @ {}", s.key, s.value.text, at(s.place));
                }
            }
        }
        "procedures" => {
            for p in facts.commands.procedures() {
                println!("{} {}", p.name, at(p.place));
                for c in p.commands(&facts.commands) {
                    println!(
                        "    {} [{}] {} {}",
                        at(c.place),
                        c.machine.word(),
                        c.program,
                        c.arg(0).unwrap_or_default()
                    );
                }
            }
        }
        "images" => println!("{:#?}", facts.images),
        "application" => println!("{:#?}", facts.application),
        "stacks" => {
            for s in facts.stacks.iter() {
                let files: Vec<_> = s.files.iter().map(|f| facts.path(*f)).collect();
                println!("{:?} {:?} deployed_by={:?}", files, s.role, s.deployed_by.map(at));
                for p in &s.problems {
                    println!("  ! {} {:?} {:?} {}", p.is_error, p.kind, p.place.map(at), p.message);
                }
                for service in s.services() {
                    println!("    {} @ {}", service.name, at(service.place));
                }
            }
        }
        _ => {}
    }
}

fn collect(root: &Path, folder: &Path, texts: &mut Vec<(Utf8PathBuf, String)>, paths: &mut Vec<Utf8PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            if !matches!(name.to_str(), Some(".git" | "node_modules" | "target" | ".venv")) {
                collect(root, &path, texts, paths);
            }
            continue;
        }
        let Ok(relative) = Utf8PathBuf::from_path_buf(path.strip_prefix(root).unwrap().to_owned()) else {
            continue;
        };
        paths.push(relative.clone());
        if let Ok(text) = std::fs::read_to_string(&path)
            && text.len() < 2_000_000
        {
            texts.push((relative, text));
        }
    }
}
