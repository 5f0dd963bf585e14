//! `.env` in one folder, the program that reads it in another.

use std::sync::LazyLock;

use camino::Utf8Path;
use plimsoll_model::commands::Command;
use plimsoll_model::{Facts, Kind};
use plimsoll_text::{FileId, Phrases, Place, Span};

use crate::Findings;

/// `dotenv` without a path reads `.env` of the folder in which the program starts.
pub(super) fn elsewhere(facts: &Facts, findings: &mut Findings<'_>) {
    for project in &facts.application.projects {
        let Some(name) = project.folder.file_name() else { continue };
        let readers = readers(facts, &project.folder);
        if readers.is_empty() || placed_in(facts, name) {
            continue;
        }
        let mut starts: Vec<Place> = Vec::new();
        let mut written: Vec<Place> = Vec::new();
        for (id, _) in facts.commands.units() {
            let mut folder: Vec<String> = Vec::new();
            for command in facts.commands.of_unit(id) {
                enter(command, &mut folder);
                let here = folder.last().is_some_and(|last| last == name);
                if here && command.program == "node" && reads(facts, command, &readers) {
                    starts.push(command.place);
                }
                let makes = command.outputs.iter().any(|output| {
                    let path = Utf8Path::new(&output.target.text);
                    path.file_name() == Some(".env")
                        && path.parent().and_then(Utf8Path::file_name) != Some(name)
                });
                if makes && !here {
                    written.push(command.place);
                }
            }
        }
        starts.sort_by_key(|place| facts.path(place.file).extension() == Some("md"));
        let (Some((first, rest)), Some(made)) = (starts.split_first(), written.first()) else { continue };
        let finding =
            findings.add(*first, format!("this starts in `{name}`, and `.env` is written to another folder"));
        finding.label("its settings are empty").related(*made, "`.env` is written here");
        for place in rest {
            finding.related(*place, "started without settings, too");
        }
        if let Some((_, call)) = readers.first() {
            finding.related(*call, "reads `.env` of the folder in which it starts");
        }
        finding.help(
            "give `dotenv` the path (`path.join(__dirname, '../.env')`), or write the file where it is read",
        );
    }
}

const CALLS: [&str; 5] = [
    "require('dotenv').config()",
    "require(\"dotenv\").config()",
    "import 'dotenv/config'",
    "import \"dotenv/config\"",
    "dotenv.config()",
];

static ANY_CALL: LazyLock<Phrases> = LazyLock::new(|| Phrases::exact(&CALLS));

/// Files of a project that load `.env` without saying from where.
fn readers(facts: &Facts, folder: &Utf8Path) -> Vec<(FileId, Place)> {
    facts
        .files
        .below(folder)
        .filter(|(id, file)| facts.trees.kind(*id) == Kind::JavaScript && ANY_CALL.are_in(file))
        .filter_map(|(id, file)| {
            let (at, call) = CALLS.iter().find_map(|call| Some((file.text().find(call)?, *call)))?;
            let to_u32 = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            Some((id, Place::new(id, Span::new(to_u32(at), to_u32(at + call.len())))))
        })
        .collect()
}

/// Follows `cd`.
fn enter(command: &Command, folder: &mut Vec<String>) {
    if command.program != "cd" {
        return;
    }
    let Some(target) = command.arg(0) else { return };
    if target.starts_with(['/', '~', '$']) {
        folder.clear();
    }
    for part in target.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            folder.pop();
        } else {
            folder.push(part.to_owned());
        }
    }
}

fn reads(facts: &Facts, command: &Command, readers: &[(FileId, Place)]) -> bool {
    command.operands().next().is_some_and(|arg| {
        let name = arg.value.text.trim_start_matches("./");
        readers.iter().any(|(file, _)| facts.path(*file).as_str().ends_with(name))
    })
}

/// Whether something puts `.env` into the folder after all.
fn placed_in(facts: &Facts, name: &str) -> bool {
    let path = format!("{name}/.env");
    facts.commands.iter().any(|command| {
        command.arg_texts().any(|text| text.ends_with(&path) || text == "--env-file=.env")
            || command.outputs.iter().any(|output| output.target.text.ends_with(&path))
    })
}
