//! The readers over other people's files: how many are read whole, what is objected to, how long it takes.

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use plimsoll_syntax::{dockerfile, dotenv, hcl, makefile, markdown, nginx, python, shell, yaml};
use plimsoll_text::{Files, Layer, SyntaxError};

type Reader = fn(&Layer) -> Vec<SyntaxError>;

/// Folders of a corpus, and what reads the files in them.
const READERS: &[(&str, &str, Reader)] = &[
    ("ansible", "yaml", |layer| yaml::parse(layer).errors),
    ("compose", "yaml", |layer| yaml::parse(layer).errors),
    ("dockerfile", "dockerfile", |layer| dockerfile::parse(layer).errors),
    ("env", "dotenv", |layer| dotenv::parse(layer).errors),
    ("makefile", "makefile", |layer| makefile::parse(layer).errors),
    ("markdown", "markdown", |layer| markdown::parse(layer).errors),
    ("nginx", "nginx", |layer| nginx::parse(layer).errors),
    ("python", "python", |layer| python::parse(layer).errors),
    ("shell", "shell", |layer| shell::parse(layer).errors),
    ("taskfile", "yaml", |layer| yaml::parse(layer).errors),
    ("terraform", "hcl", |layer| hcl::parse(layer).errors),
    ("workflows", "yaml", |layer| yaml::parse(layer).errors),
];

#[derive(Default)]
struct Tally {
    files: usize,
    bytes: usize,
    refused: usize,
    panics: Vec<String>,
    taken: Duration,
    slowest: (Duration, String),
    /// What the first error of a file says, with the files that have it.
    kinds: BTreeMap<String, Vec<String>>,
}

/// Reads everything and gives a table, then the kinds of errors of each folder.
pub(crate) fn run(root: &Path) -> Result<String, String> {
    let mut table = String::from(
        "| Folder | Reader | Files | MB | Files with errors | Panics | Seconds | Slowest file |\n|---|---|--:|--:|--:|--:|--:|--:|\n",
    );
    let mut kinds = String::new();
    let mut panics = 0;
    for (folder, name, reader) in READERS {
        let mut tally = Tally::default();
        for path in files(&root.join(folder))? {
            one(&path, *reader, &mut tally)?;
        }
        panics += tally.panics.len();
        table += &format!(
            "| {folder} | {name} | {} | {}.{} | {} | {} | {:.2} | {} ms |\n",
            tally.files,
            tally.bytes / 1_000_000,
            tally.bytes / 100_000 % 10,
            tally.refused,
            tally.panics.len(),
            tally.taken.as_secs_f64(),
            tally.slowest.0.as_millis(),
        );
        for (kind, files) in &tally.kinds {
            kinds += &format!("{folder}: {} × {kind}\n", files.len());
            for file in files {
                kinds += &format!("    {file}\n");
            }
        }
        for file in &tally.panics {
            kinds += &format!("{folder}: panic: {file}\n");
        }
    }
    if panics == 0 { Ok(table + "\n" + &kinds) } else { Err(format!("{panics} panics\n{table}\n{kinds}")) }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let Ok(entries) = folder.read_dir() else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[expect(clippy::disallowed_methods, reason = "the files are what is measured")]
fn one(path: &Path, reader: Reader, tally: &mut Tally) -> Result<(), String> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    tally.files += 1;
    tally.bytes += text.len();
    let files = Files::new([("file".into(), text)]);
    let Some((id, file)) = files.iter().next() else { return Ok(()) };
    let start = Instant::now();
    let outcome = catch_unwind(|| reader(&Layer::whole(id, file)));
    let taken = start.elapsed();
    tally.taken += taken;
    if taken > tally.slowest.0 {
        tally.slowest = (taken, name.clone());
    }
    let Ok(errors) = outcome else {
        tally.panics.push(name);
        return Ok(());
    };
    if let Some(first) = errors.first() {
        tally.refused += 1;
        let line = file.line_column(first.place.span.start).line;
        tally.kinds.entry(first.message.clone()).or_default().push(format!("{name}:{line}"));
    }
    Ok(())
}
