//! What a lab has on the machine: processes, mounts, namespaces, cards, control groups, files.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

/// Everything of a lab that can be seen from outside.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Traces(BTreeSet<String>);

/// What marks a lab as the one that is meant.
#[derive(Debug)]
pub(crate) struct Marks {
    /// The folder of its disks.
    folder: String,
    /// Its label.
    label: String,
    /// Its namespaces of networks and mounts.
    namespaces: Vec<String>,
    /// As long as they are open, no other namespace gets their numbers.
    _open: Vec<File>,
}

impl Marks {
    /// Of the one lab that lives in a folder.
    pub(crate) fn of(data: &Path) -> Self {
        let entry = std::fs::read_dir(data).unwrap().next().unwrap().unwrap();
        let label = entry.file_name().into_string().unwrap();
        let holder = format!("{}\0", entry.path().join("label").display());
        let holder = pids().find(|pid| read(pid, "cmdline").ends_with(&holder)).unwrap();
        let open = ["net", "mnt"].map(|kind| File::open(format!("/proc/{holder}/ns/{kind}")).unwrap());
        let namespaces = ["net", "mnt"].map(|kind| namespace(&holder, kind)).to_vec();
        Self { folder: entry.path().display().to_string(), label, namespaces, _open: open.into() }
    }
}

impl Traces {
    pub(crate) fn of(marks: &Marks) -> Self {
        let mut found = BTreeSet::new();
        let mut add = |text: String| found.insert(text);
        let own = std::process::id().to_string();
        for pid in pids().filter(|pid| *pid != own) {
            let words = read(&pid, "cmdline").replace('\0', " ");
            if words.contains(&marks.folder) || read(&pid, "cgroup").contains(&marks.label) {
                add(format!("process {words}"));
            }
            for kind in ["net", "mnt"] {
                if marks.namespaces.contains(&namespace(&pid, kind)) {
                    add(format!("namespace {kind} of {words}"));
                }
            }
        }
        for line in read("self", "mountinfo").lines().filter(|line| line.contains(&marks.label)) {
            add(format!("mount {line}"));
        }
        let digits = marks.label.trim_start_matches("plimsoll-");
        for card in entries(Path::new("/sys/class/net")).filter(|name| name.contains(digits)) {
            add(format!("card {card}"));
        }
        let groups = Path::new("/sys/fs/cgroup");
        for group in entries(groups) {
            for name in entries(&groups.join(&group))
                .chain([group.clone()])
                .filter(|name| name.contains(&marks.label))
            {
                add(format!("control group {group}/{name}"));
            }
        }
        if Path::new(&marks.folder).exists() {
            add(format!("folder {}", marks.folder));
        }
        Self(found)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Traces whose text has a word in it.
    pub(crate) fn with(&self, word: &str) -> Vec<&String> {
        self.0.iter().filter(|text| text.contains(word)).collect()
    }
}

fn pids() -> impl Iterator<Item = String> {
    entries(Path::new("/proc")).filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
}

fn read(pid: &str, name: &str) -> String {
    // A process may end while it is looked at.
    String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default()).into_owned()
}

fn namespace(pid: &str, kind: &str) -> String {
    std::fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap_or_default().display().to_string()
}

fn entries(folder: &Path) -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect::<Vec<_>>().into_iter()
}
