//! Files that other files hold: a Compose file in a heredoc, a Dockerfile in a Python string, `content:` of a task.

use plimsoll_syntax::hcl::{Body, Expression, ExpressionKind};
use plimsoll_syntax::yaml::{Node, NodeKind};
use plimsoll_text::{FileId, Layer, Place};

use crate::commands::{Commands, Machine};
use crate::{Kind, Trees};

/// Nesting beyond which nothing is looked for.
const DEPTH: usize = 40;

/// A file that another file holds as text.
#[derive(Clone, Debug)]
pub struct WrittenFile {
    /// What it is: [`Kind::Compose`] or [`Kind::Dockerfile`].
    pub kind: Kind,
    /// Its text.
    pub layer: Layer,
    /// What writes it: a command, a string, an option.
    pub place: Place,
    /// Where it is written to, as far as that is known.
    pub path: String,
}

/// What a text is, when it is a file that we read; texts that are not are most, and are told apart at a glance.
pub(crate) fn kind_of(text: &str) -> Option<Kind> {
    if text.len() < 20 || !text.contains('\n') {
        return None;
    }
    if is_dockerfile(text) {
        return Some(Kind::Dockerfile);
    }
    is_compose(text).then_some(Kind::Compose)
}

fn is_dockerfile(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let first = lines.find(|line| !line.starts_with("ARG "));
    first.is_some_and(|line| line.starts_with("FROM ") && !line.ends_with(';'))
        && lines.any(|line| {
            ["RUN ", "COPY ", "CMD ", "ENTRYPOINT ", "WORKDIR "].iter().any(|word| line.starts_with(word))
        })
}

fn is_compose(text: &str) -> bool {
    let mut indent = None;
    let mut serves = false;
    for line in text.lines() {
        let trimmed = line.trim_start();
        let lead = line.len() - trimmed.len();
        if trimmed.starts_with("services:") && trimmed.trim_end() == "services:" {
            indent = Some(lead);
        } else if let Some(at) = indent {
            if lead <= at && !trimmed.is_empty() && !trimmed.starts_with('#') {
                indent = None;
                continue;
            }
            serves |= trimmed.starts_with("image:") || trimmed.starts_with("build:");
        } else if trimmed.starts_with("apiVersion:") {
            return false;
        }
    }
    serves
}

/// All files that commands write by heredoc, that Terraform and Ansible hold, and those that other readers found.
pub(crate) fn written_files(trees: &Trees, commands: &Commands, found: Vec<WrittenFile>) -> Vec<WrittenFile> {
    let mut files = found;
    for command in commands.iter() {
        let Some(heredoc) = &command.heredoc else { continue };
        if command.machine == Machine::Container || !matches!(command.program.as_str(), "cat" | "tee") {
            continue;
        }
        let target = command
            .outputs
            .iter()
            .map(|output| &output.target)
            .chain(command.args.iter().map(|arg| &arg.value))
            .find(|target| !target.text.starts_with('-'));
        let Some(target) = target else { continue };
        let kind = if target.text.to_ascii_lowercase().contains("dockerfile") {
            Some(Kind::Dockerfile)
        } else {
            kind_of(heredoc.body.text())
        };
        // A reader of a guide makes an image of what it shows; a Compose file in a guide is an example.
        let is_guide = commands.unit(command.unit).origin.is_documentation();
        if let Some(kind) = kind.filter(|kind| !is_guide || *kind == Kind::Dockerfile) {
            let (layer, place) = (heredoc.body.clone(), command.place);
            files.push(WrittenFile { kind, layer, place, path: target.text.clone() });
        }
    }
    for tree in trees.terraform.values() {
        body(&tree.body, &mut files, 0);
    }
    for kind in [Kind::Ansible, Kind::CloudInit] {
        for (file, stream) in trees.yaml_of(kind) {
            for document in &stream.documents {
                node(file, document, &mut files, 0);
            }
        }
    }
    files.sort_by_key(|file| file.place);
    files.dedup_by_key(|file| file.layer.full_place());
    files
}

fn body(body: &Body, files: &mut Vec<WrittenFile>, depth: usize) {
    if depth > DEPTH {
        return;
    }
    for attribute in &body.attributes {
        expression(&attribute.value, files, depth);
    }
    for block in &body.blocks {
        self::body(&block.body, files, depth + 1);
    }
}

fn expression(value: &Expression, files: &mut Vec<WrittenFile>, depth: usize) {
    if depth > DEPTH {
        return;
    }
    if let ExpressionKind::Heredoc(layer) = &value.kind
        && let Some(kind) = kind_of(layer.text())
    {
        files.push(WrittenFile { kind, layer: layer.clone(), place: value.place, path: String::new() });
    }
    for child in value.children() {
        expression(child, files, depth + 1);
    }
}

fn node(file: FileId, value: &Node, files: &mut Vec<WrittenFile>, depth: usize) {
    if depth > DEPTH {
        return;
    }
    match &value.kind {
        NodeKind::Scalar(scalar) => {
            if let Some(kind) = kind_of(&scalar.value) {
                let place = Place::new(file, value.span);
                files.push(WrittenFile { kind, layer: scalar.layer.clone(), place, path: String::new() });
            }
        }
        NodeKind::Sequence { items, .. } => {
            items.iter().for_each(|item| node(file, item, files, depth + 1));
        }
        NodeKind::Mapping { entries, .. } => {
            entries.iter().for_each(|entry| node(file, &entry.value, files, depth + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;
    use plimsoll_text::Files;

    use super::*;
    use crate::{Facts, Inventory};

    #[test]
    fn what_a_script_writes_is_a_project_and_an_image() {
        let text = "import paramiko\nbuild = \"\"\"FROM node:22\nRUN npm ci\nCMD [\\\"node\\\"]\n\"\"\"\n\
            stack = \"\"\"services:\n  web:\n    image: nginx\n    ports:\n      - \\\"80:80\\\"\n\"\"\"\n";
        let path = Utf8PathBuf::from("deploy.py");
        let facts = Facts::new(Files::new([(path.clone(), text.to_owned())]), Inventory::new([path]));
        assert_eq!(facts.images.written().count(), 1);
        let (_, web) = facts.stacks.deployed_services().next().unwrap();
        assert_eq!(facts.text(web.image.as_ref().unwrap().place), "nginx");
        assert_eq!(web.ports.len(), 1);
    }

    #[test]
    fn compose_files_and_dockerfiles_are_told_by_their_text() {
        assert_eq!(kind_of("services:\n  a:\n    image: b\n"), Some(Kind::Compose));
        assert_eq!(kind_of("FROM node:22\nRUN npm ci\nCMD [\"node\"]\n"), Some(Kind::Dockerfile));
        assert_eq!(kind_of("FROM users\nWHERE id = 1 AND name = 'x';\n"), None);
        assert_eq!(kind_of("services:\n  nginx: true\nusers:\n  image: x\n"), None);
        assert_eq!(kind_of("a line of text that goes on\nand another\n"), None);
    }
}
