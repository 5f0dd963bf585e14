//! Files that include one another in a circle: `task` and `make` refuse that, a shell never comes to an end.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_syntax::shell::StmtKind;
use plimsoll_text::{FileId, Files, Place, SyntaxError};

use crate::commands::{Origin, Unit};
use crate::{Kind, Trees};

/// From each file to those it includes, with the place that says so.
type Edges = BTreeMap<FileId, Vec<(FileId, Place)>>;

/// The places that close a circle. `include` and `extends` of Compose files are not among them: reading a Compose
/// project tells.
pub(crate) fn circles(files: &Files, trees: &Trees, units: &[Unit]) -> Vec<SyntaxError> {
    let find = |from: FileId, path: &str| {
        let folder = files.get(from).path().parent().unwrap_or(Utf8Path::new(""));
        files.find(&joined(folder, path))
    };
    let mut edges = Edges::new();
    taskfiles(trees, &find, &mut edges);
    for (file, tree) in &trees.makefiles {
        for include in &tree.includes {
            if let Some(other) = find(*file, &include.value) {
                edges.entry(*file).or_default().push((other, include.place));
            }
        }
    }
    scripts(files, units, &find, &mut edges);
    let mut seen = BTreeSet::new();
    let mut errors = Vec::new();
    for start in edges.keys() {
        closing(*start, &edges, &mut seen, &mut |place, chain| {
            let names: Vec<&str> = chain.iter().map(|id| files.get(*id).path().as_str()).collect();
            let message = format!("the files include one another in a circle: {}", names.join(" → "));
            errors.push(SyntaxError { place, message });
        });
    }
    errors
}

fn taskfiles(trees: &Trees, find: &dyn Fn(FileId, &str) -> Option<FileId>, edges: &mut Edges) {
    for (file, stream) in trees.yaml_of(Kind::Taskfile) {
        for include in stream.documents.iter().filter_map(|document| document.get("includes")) {
            for entry in include.entries() {
                let value = entry.value.get("taskfile").map_or(&entry.value, |value| value);
                let Some(path) = value.as_str() else { continue };
                let inside = ["Taskfile.yml", "Taskfile.yaml"].map(|name| format!("{path}/{name}"));
                let other = find(file, path).or_else(|| inside.iter().find_map(|path| find(file, path)));
                if let Some(other) = other {
                    edges.entry(file).or_default().push((other, Place::new(file, value.span)));
                }
            }
        }
    }
}

/// What scripts source whatever happens. A script that may return early guards itself.
fn scripts(files: &Files, units: &[Unit], find: &dyn Fn(FileId, &str) -> Option<FileId>, edges: &mut Edges) {
    for unit in units.iter().filter(|unit| matches!(unit.origin, Origin::Script)) {
        let file = unit.place.file;
        if ["return", "exit", "exec"].iter().any(|word| files.get(file).text().contains(word)) {
            continue;
        }
        for stmt in &unit.script.body {
            let StmtKind::Simple(simple) = &stmt.kind else { continue };
            let [program, path, ..] = simple.words.as_slice() else { continue };
            if !matches!(program.text(), "source" | ".") {
                continue;
            }
            let place = Place::new(file, path.span);
            let written = files.slice(place).trim_matches(['"', '\'']);
            // `"$here/lib.sh"` and `"$(dirname "$0")/lib.sh"`: what stands after the folder.
            let path = match written.rsplit_once([')', '}']) {
                Some((_, rest)) => rest.trim_start_matches(['"', '/']),
                None if written.starts_with('$') => written.split_once('/').map_or("", |(_, rest)| rest),
                None => written,
            };
            if let Some(other) = find(file, path).filter(|_| !path.is_empty()) {
                edges.entry(file).or_default().push((other, place));
            }
        }
    }
}

/// Walks from a file, and tells every step that leads back into the way that led there.
fn closing(
    start: FileId,
    edges: &Edges,
    seen: &mut BTreeSet<FileId>,
    tell: &mut dyn FnMut(Place, Vec<FileId>),
) {
    if !seen.insert(start) {
        return;
    }
    // The way to where we are, with the number of the next step from each file on it.
    let mut way = vec![(start, 0)];
    while let Some((file, step)) = way.last_mut() {
        let Some((next, place)) = edges.get(file).and_then(|steps| steps.get(*step)).copied() else {
            way.pop();
            continue;
        };
        *step += 1;
        if let Some(at) = way.iter().position(|(file, _)| *file == next) {
            let mut chain: Vec<FileId> = way.iter().skip(at).map(|(file, _)| *file).collect();
            chain.push(next);
            tell(place, chain);
        } else if seen.insert(next) {
            way.push((next, 0));
        }
    }
}

/// A relative path below a folder, `.` and `..` resolved.
fn joined(base: &Utf8Path, path: &str) -> Utf8PathBuf {
    let mut out = base.to_owned();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use plimsoll_text::Files;

    use crate::{Facts, Inventory};

    fn errors(files: &[(&str, &str)]) -> Vec<String> {
        let files = Files::new(files.iter().map(|(path, text)| ((*path).into(), (*text).to_owned())));
        let facts = Facts::new(files, Inventory::default());
        let told = facts.syntax_errors().iter();
        told.map(|error| format!("{}: {}", facts.text(error.place), error.message)).collect()
    }

    #[test]
    fn taskfiles_makefiles_and_scripts_that_include_one_another_are_told() {
        let told = errors(&[
            ("Taskfile.yml", "version: '3'\nincludes:\n  web: ./web\ntasks: {}\n"),
            ("web/Taskfile.yml", "version: '3'\nincludes:\n  up: {taskfile: ../Taskfile.yml}\ntasks: {}\n"),
            ("Makefile", "include rules.mk\n"),
            ("rules.mk", "include Makefile\n"),
            ("a.sh", ". \"$(dirname \"$0\")/b.sh\"\n"),
            ("b.sh", "source \"$here/a.sh\"\n"),
        ]);
        let circle = "the files include one another in a circle";
        assert_eq!(
            told,
            [
                format!("\"$here/a.sh\": {circle}: a.sh → b.sh → a.sh"),
                format!("Makefile: {circle}: Makefile → rules.mk → Makefile"),
                format!("../Taskfile.yml: {circle}: Taskfile.yml → web/Taskfile.yml → Taskfile.yml"),
            ]
        );
    }

    #[test]
    fn includes_that_meet_again_and_guarded_scripts_are_no_circle() {
        let told = errors(&[
            ("a.sh", ". ./b.sh\n. ./c.sh\n"),
            ("b.sh", ". ./d.sh\n"),
            ("c.sh", ". ./d.sh\n"),
            ("d.sh", "x=1\n"),
            ("e.sh", "[ -n \"$once\" ] && return\nonce=1\n. ./f.sh\n"),
            ("f.sh", ". ./e.sh\n"),
        ]);
        assert_eq!(told, [] as [String; 0]);
    }
}
