//! Verbs for [Task](https://taskfile.dev): a file of our own, and an include of it in the project's.

use camino::Utf8Path;
use plimsoll_syntax::yaml::{self, Node, NodeKind};
use plimsoll_text::{Files, Layer};

/// The file with the verbs.
pub(super) const FILE: &str = "Taskfile.plimsoll.yml";
/// Names of a project's Taskfile, in the order in which Task looks for them.
pub(super) const NAMES: [&str; 8] = [
    "Taskfile.yml",
    "taskfile.yml",
    "Taskfile.yaml",
    "taskfile.yaml",
    "Taskfile.dist.yml",
    "taskfile.dist.yml",
    "Taskfile.dist.yaml",
    "taskfile.dist.yaml",
];
/// What the verbs are called by: `task plimsoll:deploy`.
const NAMESPACE: &str = "plimsoll";

/// A verb: the task, its description, the command, and whether a person talks with it.
type Verb = (&'static str, &'static str, &'static str, bool);

const VERBS: [Verb; 17] = [
    ("evaluate", "Judge how the app is deployed", "evaluate", false),
    ("doctor", "Say what a deploy still needs, and how to get it", "doctor", false),
    ("plan", "Show what a deploy would do", "plan", false),
    ("deploy", "Put what the checkout says into production", "deploy", true),
    ("status", "Show which release serves and how its services are", "status", false),
    ("releases", "List the releases that are kept", "releases", false),
    ("rollback", "Put an earlier release back", "rollback", false),
    ("logs", "Show logs: task plimsoll:logs -- -f SERVICE", "logs", true),
    ("exec", "Run a command in a service: task plimsoll:exec -- SERVICE COMMAND", "exec", true),
    ("restart", "Restart services", "restart", false),
    ("events", "Show what was done, by whom and when", "events", false),
    ("unlock", "Take a lock away that somebody left", "unlock", false),
    ("backup", "Back the guest up", "backup create", false),
    ("backups", "List the guest's backups", "backup list", false),
    ("drill", "Prove that the newest backup comes back", "backup drill", false),
    ("restore", "Bring a backup back in the guest's place", "backup restore", true),
    ("secret", "Keep secrets: task plimsoll:secret -- list", "secret", true),
];

/// The verbs as a file.
pub(super) fn verbs() -> String {
    let mut out = "\
# Written by `plimsoll init --taskfile`. What stands behind `--` goes to the command, PLIMSOLL_TARGET names a target:
#   PLIMSOLL_TARGET=staging task plimsoll:deploy -- --dry-run
version: \"3\"

tasks:
"
    .to_owned();
    let tasks = VERBS.map(|(task, about, command, is_talk)| {
        let talk = if is_talk { "    interactive: true\n" } else { "" };
        format!("  {task}:\n    desc: \"{about}\"\n{talk}    cmds:\n      - plimsoll {command} {{{{.CLI_ARGS}}}}\n")
    });
    out.push_str(&tasks.join("\n"));
    out
}

/// A project's Taskfile that includes the verbs, where there was none.
pub(super) fn first() -> String {
    format!("version: \"3\"\n\nincludes:\n  {NAMESPACE}: ./{FILE}\n")
}

/// Why the include cannot be written.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Clash {
    /// It cannot be read as YAML.
    #[error("line {0}: {1}")]
    Unread(usize, String),
    /// The name is taken.
    #[error("line {0}: `{1}` is there already, and is not that of Plimsoll")]
    Taken(usize, String),
    /// The include has no place of its own.
    #[error("its `{0}` is written in a way that a line cannot be added to")]
    Shape(&'static str),
}

/// The text of a project's Taskfile with the include: one or two lines more, and every other byte as it was. Nothing when
/// it is there.
pub(super) fn included(text: &str) -> Result<Option<String>, Clash> {
    let tree = Tree::read(text)?;
    let include = tree.root.get("includes");
    if let Some(entry) = include.and_then(|includes| includes.entry(NAMESPACE)) {
        let path = entry.value.as_str().or_else(|| entry.value.get("taskfile")?.as_str());
        let is_ours = path.is_some_and(|path| path.strip_prefix("./").unwrap_or(path) == FILE);
        return if is_ours { Ok(None) } else { Err(tree.taken(&entry.key, NAMESPACE)) };
    }
    let own = tree.root.get("tasks").map(|tasks| tasks.entries()).unwrap_or_default();
    for entry in own {
        let name = entry.key.as_str().unwrap_or_default();
        if name.split(':').next() == Some(NAMESPACE) {
            return Err(tree.taken(&entry.key, name));
        }
    }
    let (key, lines) = match tree.root.entry("includes") {
        Some(entry) => {
            let indent = match &entry.value.kind {
                NodeKind::Mapping { entries, flow: false } if !entry.value.alias => {
                    entries.first().map_or(2, |first| {
                        tree.file().line_column(first.key.span.start).column.saturating_sub(1)
                    })
                }
                _ if entry.value.is_null() => 2,
                _ => return Err(Clash::Shape("includes")),
            };
            (entry, vec![format!("{}{NAMESPACE}: ./{FILE}", " ".repeat(indent))])
        }
        None => {
            let version = tree.root.entry("version").ok_or(Clash::Shape("version"))?;
            (version, vec![String::new(), "includes:".to_owned(), format!("  {NAMESPACE}: ./{FILE}")])
        }
    };
    let line = tree.file().line_span(tree.file().line_of(key.key.span.start));
    let end = line.end as usize;
    let (before, after) = (text.get(..end).unwrap_or_default(), text.get(end..).unwrap_or_default());
    let newline = if after.starts_with("\r\n") { "\r\n" } else { "\n" };
    let added: String = lines.iter().map(|line| format!("{newline}{line}")).collect();
    let changed = format!("{before}{added}{after}");
    // What Task reads is what it read before, and the include.
    let shaped = |_| Clash::Shape("version");
    let other = Tree::read(&changed).map_err(shaped)?;
    let is_there = other.root.at(&["includes", NAMESPACE]).and_then(Node::as_str).is_some();
    let rest_stays =
        tree.root.entries().iter().filter(|entry| entry.key.as_str() != Some("includes")).all(|entry| {
            let now = entry.key.as_str().and_then(|key| other.root.get(key));
            now.is_some_and(|now| shape(now) == shape(&entry.value))
        });
    if is_there && rest_stays { Ok(Some(changed)) } else { Err(Clash::Shape("version")) }
}

/// A node without its places.
fn shape(node: &Node) -> String {
    match &node.kind {
        NodeKind::Scalar(scalar) => format!("{:?}", scalar.value),
        NodeKind::Sequence { items, .. } => {
            format!("[{}]", items.iter().map(|item| shape(item)).collect::<Vec<_>>().join(","))
        }
        NodeKind::Mapping { entries, .. } => {
            let pair = |entry: &yaml::Entry| format!("{}:{}", shape(&entry.key), shape(&entry.value));
            format!("{{{}}}", entries.iter().map(pair).collect::<Vec<_>>().join(","))
        }
    }
}

struct Tree {
    files: Files,
    file: plimsoll_text::FileId,
    root: std::sync::Arc<Node>,
}

impl Tree {
    fn read(text: &str) -> Result<Self, Clash> {
        let path = Utf8Path::new(NAMES[0]);
        let files = Files::new([(path.to_owned(), text.to_owned())]);
        let unread = |line, why: &str| Clash::Unread(line, why.to_owned());
        let (id, file) = files.iter().next().ok_or_else(|| unread(1, "it is empty"))?;
        let stream = yaml::parse(&Layer::whole(id, file));
        if let Some(error) = stream.errors.first() {
            return Err(unread(file.line_column(error.place.span.start).line, &error.message));
        }
        match stream.documents.as_slice() {
            [root] if root.is_mapping() => {
                let root = std::sync::Arc::clone(root);
                Ok(Self { files, file: id, root })
            }
            _ => Err(unread(1, "it is not one mapping")),
        }
    }

    fn file(&self) -> &plimsoll_text::SourceFile {
        self.files.get(self.file)
    }

    fn taken(&self, key: &Node, name: &str) -> Clash {
        Clash::Taken(self.file().line_column(key.span.start).line, name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "# ours\nversion: '3'  # of Task\n\nvars: {A: b}\n\ntasks:\n  deploy:  # stays\n    cmds:\n      - |\n        ./deploy.sh\n\n";

    #[test]
    fn the_include_adds_lines_and_leaves_every_other_byte() {
        let text = included(OWN).unwrap().unwrap();
        let added = "\n\nincludes:\n  plimsoll: ./Taskfile.plimsoll.yml";
        assert_eq!(text, OWN.replace("# of Task", &format!("# of Task{added}")));
        assert_eq!(included(&text), Ok(None), "a second run changes nothing");
        let windows = OWN.replace('\n', "\r\n");
        let text = included(&windows).unwrap().unwrap();
        assert_eq!(text, windows.replace("# of Task", &format!("# of Task{}", added.replace('\n', "\r\n"))));
        let there = OWN.replace("vars:", "includes: # parts\n    # the docs\n    docs: ./docs\nvars:");
        let text = included(&there).unwrap().unwrap();
        assert_eq!(text, there.replace("# parts", "# parts\n    plimsoll: ./Taskfile.plimsoll.yml"));
        assert_eq!(included(&first()), Ok(None));
        let bare = "version: '3'";
        assert_eq!(included(bare).unwrap().unwrap(), format!("{bare}{added}"));
    }

    #[test]
    fn a_name_that_is_taken_is_named_with_its_line() {
        let task = OWN.replace("deploy:", "plimsoll:deploy:");
        assert_eq!(included(&task), Err(Clash::Taken(7, "plimsoll:deploy".to_owned())));
        let include = format!("{OWN}includes:\n  plimsoll: ./other\n");
        assert_eq!(included(&include), Err(Clash::Taken(13, "plimsoll".to_owned())));
    }

    #[test]
    fn what_cannot_take_a_line_is_left_alone() {
        assert_eq!(included(&format!("{OWN}includes: {{docs: ./docs}}\n")), Err(Clash::Shape("includes")));
        assert_eq!(included("tasks: {}\n"), Err(Clash::Shape("version")));
        assert_eq!(included("{version: '3', tasks: {a: b}}\n"), Err(Clash::Shape("version")));
        assert!(matches!(included("version: [\n"), Err(Clash::Unread(..))));
        assert!(matches!(included("- a\n"), Err(Clash::Unread(..))));
    }
}
