//! Programs in files of their own: scripts, Makefiles, justfiles, Markdown, Terraform, Dockerfiles.

use std::sync::Arc;

use plimsoll_syntax::shell::{self, Script};
use plimsoll_syntax::{dockerfile, hcl, justfile, makefile, markdown};
use plimsoll_text::{FileId, Layer, SourceFile};

use super::unit;
use crate::commands::{Machine, Origin, Strict, Unit, Value};

/// A script file.
pub(crate) fn script(id: FileId, file: &SourceFile, layer: &Layer) -> Unit {
    let mut unit = unit(id, Origin::Script, layer, Machine::Workstation);
    let first = file.line_text(0);
    if first.starts_with("#!") {
        let flags = first.split_whitespace().skip(1).filter(|word| word.starts_with('-'));
        for letter in flags.flat_map(str::chars) {
            match letter {
                'e' => unit.strict.errexit = true,
                'u' => unit.strict.nounset = true,
                _ => {}
            }
        }
    }
    unit
}

/// The recipes of a Makefile. Each line is a shell of its own, and a failure stops make.
pub(crate) fn makefile(id: FileId, whole: &Layer, tree: &makefile::Makefile) -> Vec<Unit> {
    let variables: Vec<_> = tree
        .variables
        .iter()
        .filter(|variable| variable.target.is_none())
        .map(|v| (v.name.value.clone(), Value::literal(v.value.text().trim()), v.place))
        .collect();
    tree.targets
        .iter()
        .map(|target| {
            let mut script = Script::default();
            for dependency in &target.dependencies {
                super::call(&mut script, "make", &whole.slice(dependency.place.span.range()));
            }
            for line in &target.recipe {
                super::append(&mut script, &line.shell);
            }
            Unit {
                file: id,
                origin: Origin::Recipe { name: target.name.value.clone() },
                place: target.place,
                script: Arc::new(script),
                machine: Machine::Workstation,
                strict: Strict { errexit: true, ..Strict::default() },
                environment: variables.clone(),
                directory: None,
            }
        })
        .collect()
}

/// The recipes of a justfile.
pub(crate) fn justfile(id: FileId, whole: &Layer, tree: &justfile::Justfile) -> Vec<Unit> {
    let variables: Vec<_> = tree
        .variables
        .iter()
        .map(|v| {
            (
                v.name.value.clone(),
                Value::literal(v.literal.as_ref().map_or(v.expression.value.as_str(), Layer::text)),
                v.name.place,
            )
        })
        .collect();
    tree.recipes
        .iter()
        .map(|recipe| {
            let mut script = Script::default();
            for dependency in &recipe.dependencies {
                super::call(&mut script, "just", &whole.slice(dependency.place.span.range()));
            }
            for line in &recipe.lines {
                super::append(&mut script, &line.shell);
            }
            Unit {
                file: id,
                origin: Origin::Recipe { name: recipe.name.value.clone() },
                place: recipe.place,
                script: Arc::new(script),
                machine: Machine::Workstation,
                strict: Strict { errexit: true, ..Strict::default() },
                environment: variables.clone(),
                directory: None,
            }
        })
        .collect()
}

/// The shell code blocks of a Markdown document.
pub(crate) fn markdown(id: FileId, tree: &markdown::Markdown) -> Vec<Unit> {
    let mut units = Vec::new();
    for block in tree.blocks.iter().filter(|block| block.fenced) {
        let language = tree.language(block);
        let is_shell = match language.as_str() {
            "bash" | "sh" | "shell" | "zsh" | "console" | "shell-session" | "terminal" | "cmd" => true,
            "" | "text" | "plaintext" => tree.raw(block).lines().any(looks_like_command),
            _ => false,
        };
        if !is_shell {
            continue;
        }
        let body = tree.body(block);
        let body = without_prompts(&body);
        let heading = block.heading.and_then(|index| tree.headings.get(index));
        let heading = heading.map(|heading| tree.heading_text(heading).to_owned()).unwrap_or_default();
        units.push(unit(id, Origin::CodeBlock { heading }, &body, Machine::Workstation));
    }
    units
}

fn looks_like_command(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches("$ ").trim_start_matches("# ");
    [
        "sudo ",
        "ssh ",
        "pct ",
        "qm ",
        "docker ",
        "docker-compose ",
        "curl ",
        "apt ",
        "apt-get ",
        "scp ",
        "rsync ",
        "git ",
    ]
    .iter()
    .any(|start| line.starts_with(start))
}

/// Drops the `$ ` in front of commands of a session.
fn without_prompts(body: &Layer) -> Layer {
    let text = body.text();
    if !text.lines().any(|line| line.starts_with("$ ")) {
        return body.clone();
    }
    let mut builder = plimsoll_text::LayerBuilder::new(body, 0);
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        if line.starts_with("$ ") {
            builder.verbatim(start + 2..end);
        }
        start = end;
    }
    builder.finish()
}

/// `RUN` instructions of a Dockerfile.
pub(crate) fn dockerfile(id: FileId, tree: &dockerfile::Dockerfile) -> Vec<Unit> {
    let mut units = Vec::new();
    for instruction in tree.stages.iter().flat_map(|stage| &stage.instructions) {
        if let dockerfile::InstructionKind::Run(run) = &instruction.kind
            && let dockerfile::Command::Shell(layer) = &run.command
        {
            let mut unit = unit(id, Origin::ImageBuild, layer, Machine::Build);
            unit.strict = Strict { errexit: false, ..Strict::default() };
            units.push(unit);
        }
    }
    units
}

/// Provisioners of Terraform resources.
pub(crate) fn terraform(id: FileId, tree: &hcl::Hcl) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut waiting: Vec<&hcl::Block> = tree.body.blocks.iter().collect();
    while let Some(block) = waiting.pop() {
        waiting.extend(block.body.blocks.iter());
        if block.kind.value != "provisioner" {
            continue;
        }
        let local = block.label(0) == Some("local-exec");
        let machine = if local { Machine::Workstation } else { Machine::Guest };
        let mut script = Script::default();
        let texts = ["command", "inline", "script"].iter().filter_map(|name| block.body.get(name));
        for expression in texts {
            for part in std::iter::once(expression).chain(expression.children()) {
                if let Some(layer) = part.layer() {
                    let more = shell::parse(layer);
                    script.body.extend(more.body);
                }
            }
        }
        if !script.body.is_empty() {
            units.push(Unit {
                file: id,
                origin: Origin::Provisioner { local },
                place: block.place,
                script: Arc::new(script),
                machine,
                strict: Strict::default(),
                environment: Vec::new(),
                directory: None,
            });
        }
    }
    units.sort_by_key(|unit| unit.place);
    units
}
