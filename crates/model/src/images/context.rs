//! Which folder a Dockerfile's `COPY` takes files from.

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_syntax::dockerfile::{Dockerfile, InstructionKind, Source};

use crate::Inventory;

/// The folder of the context that fits best: the Dockerfile's own, one above it, or (for a Dockerfile that a script
/// writes) any folder that holds what is copied.
pub(super) fn find(
    tree: &Dockerfile,
    path: &Utf8Path,
    written: bool,
    inventory: &Inventory,
    projects: &[Utf8PathBuf],
) -> Option<Utf8PathBuf> {
    let sources = copied(tree);
    let own = if written { None } else { Some(path.parent().unwrap_or(Utf8Path::new(""))) };
    let mut candidates: Vec<&Utf8Path> = own.into_iter().flat_map(Utf8Path::ancestors).collect();
    if written {
        candidates.extend(projects.iter().map(Utf8PathBuf::as_path));
        // The nearest first: in a repository of many deployments each has a folder that would do.
        let common = |folder: &Utf8Path| {
            folder.components().zip(path.components()).take_while(|(a, b)| a == b).count()
        };
        candidates.sort_by_key(|folder| std::cmp::Reverse(common(folder)));
        candidates.push(Utf8Path::new(""));
    }
    let score = |folder: &Utf8Path| {
        sources.iter().filter(|source| exists(inventory, &folder.join(source.as_str()))).count()
    };
    let mut best: Option<(usize, &Utf8Path)> = None;
    for folder in candidates {
        let score = score(folder);
        if best.is_none_or(|(most, _)| score > most) {
            best = Some((score, folder));
        }
        if score == sources.len() {
            break;
        }
    }
    let (score, folder) = best?;
    if written && score == 0 { None } else { Some(folder.to_owned()) }
}

/// Whether a path of the context exists as a file or a folder.
pub(super) fn exists(inventory: &Inventory, path: &Utf8Path) -> bool {
    inventory.has(path) || inventory.has_folder(path)
}

/// The paths that are taken from the context, without patterns and arguments.
fn copied(tree: &Dockerfile) -> Vec<String> {
    let mut out = Vec::new();
    for instruction in tree.stages.iter().flat_map(|stage| &stage.instructions) {
        let InstructionKind::Copy(copy) = &instruction.kind else { continue };
        if copy.from().is_some() {
            continue;
        }
        for source in &copy.sources {
            let Source::Path(path) = source else { continue };
            let clean = path.value.trim_start_matches("./").trim_start_matches('/').trim_end_matches('/');
            if !clean.is_empty() && clean != "." && !clean.contains(['*', '?', '$', '[', ':']) {
                out.push(clean.to_owned());
            }
        }
    }
    out.sort();
    out.dedup();
    out
}
