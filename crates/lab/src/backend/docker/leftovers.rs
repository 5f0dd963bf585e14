//! What labs leave in an engine: found by its labels, and taken away once the lab that made it is gone.

use std::path::{Path, PathBuf};

use super::engine::{FOLDER, LAB, MACHINE, docker};
use crate::backend::lxc::leftovers::lock;
use crate::host::{HostError, Tool};

/// The name of this machine: a lab of another one that uses the same engine is none of ours.
pub(super) fn machine() -> Result<String, HostError> {
    Ok(Tool::new("uname").arg("-n").run()?.trim().to_owned())
}

/// Something in the engine with the labels of a lab.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    name: String,
    lab: String,
    folder: String,
    machine: String,
}

/// How one kind of thing is listed and removed. Containers go first: they hold the others.
const KINDS: [(&[&str], &str, &[&str]); 3] = [
    (&["ps", "--all"], "{{.ID}}", &["rm", "--force", "--volumes"]),
    (&["volume", "ls"], "{{.Name}}", &["volume", "rm", "--force"]),
    (&["network", "ls"], "{{.Name}}", &["network", "rm"]),
];

fn list(words: &[&str], name: &str, filter: &str) -> Result<Vec<Left>, HostError> {
    let format = format!(
        "{name}\t{{{{.Label \"{LAB}\"}}}}\t{{{{.Label \"{FOLDER}\"}}}}\t{{{{.Label \"{MACHINE}\"}}}}"
    );
    let tool = docker([]).args(words).args(["--filter", &format!("label={filter}"), "--format", &format]);
    Ok(parse(&tool.run()?))
}

fn parse(text: &str) -> Vec<Left> {
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split('\t').map(str::to_owned);
        Some(Left { name: words.next()?, lab: words.next()?, folder: words.next()?, machine: words.next()? })
    });
    lines.collect()
}

/// Takes away what killed labs of this machine left: containers, volumes, networks, and their folders.
pub(super) fn sweep(data: &Path, machine: &str) -> Result<(), HostError> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for (words, name, remove) in KINDS {
        for left in list(words, name, LAB)?.into_iter().filter(|left| left.machine == machine) {
            let folder = Path::new(&left.folder);
            // A lab that lives holds the lock in its folder.
            if folder.exists() && lock(folder).is_err() {
                continue;
            }
            docker([]).args(remove).arg(&left.name).run()?;
            folders.push(folder.to_owned());
        }
    }
    folders.extend(std::fs::read_dir(data).into_iter().flatten().flatten().map(|entry| entry.path()));
    for folder in folders {
        let ours =
            folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(super::machine::PREFIX));
        if ours && lock(&folder).is_ok() {
            // What cannot be removed is tried again by the next lab.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
    Ok(())
}

/// Takes away everything that has a lab's label. What fails is left for the next start.
pub(super) fn clear(label: &str) {
    for (words, name, remove) in KINDS {
        let found = list(words, name, &format!("{LAB}={label}")).unwrap_or_default();
        for left in found {
            let _ = docker([]).args(remove).arg(&left.name).run();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_of_labs_are_read_with_their_labels() {
        let left = parse("abc\tplimsoll-docker-1\t/data/one\there\n");
        let text = str::to_owned;
        assert_eq!(
            left,
            [Left {
                name: text("abc"),
                lab: text("plimsoll-docker-1"),
                folder: text("/data/one"),
                machine: text("here")
            }]
        );
        assert!(parse("no labels at all\n").is_empty());
    }
}
