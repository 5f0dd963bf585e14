//! The settings of Docker's engine, as far as files hold them.

use std::sync::LazyLock;

use plimsoll_model::Facts;
use plimsoll_text::{Phrases, Place, Span};

static PATH: LazyLock<Phrases> = LazyLock::new(|| Phrases::exact(&["docker/daemon.json"]));

/// Every `daemon.json` that exists or that a command or task writes, with its text.
pub(super) fn daemon_files(facts: &Facts) -> Vec<(Place, String)> {
    let mut out = Vec::new();
    for (id, file) in facts.files.iter() {
        if file.name() == "daemon.json" || file.name() == "daemon.json.j2" {
            out.push((Place::new(id, Span::new(0, file.line_span(0).end)), file.text().to_owned()));
        }
    }
    for command in facts.commands.iter() {
        let targets = command
            .outputs
            .iter()
            .map(|output| &output.target)
            .chain(command.args.iter().map(|arg| &arg.value));
        if !targets.into_iter().any(|target| target.text.ends_with("docker/daemon.json")) {
            continue;
        }
        let text = match (&command.heredoc, &command.here_string) {
            (Some(heredoc), _) => heredoc.body.text().to_owned(),
            (None, Some(text)) => text.text.clone(),
            _ => command.arg_texts().collect::<Vec<_>>().join("\n"),
        };
        out.push((command.place, text));
    }
    // Ansible and cloud-init write it as a value beside the path.
    for (id, stream) in &facts.trees.yaml {
        let file = facts.files.get(*id);
        let Some(line) = PATH.lines(file).next().filter(|_| !stream.documents.is_empty()) else { continue };
        let place = Place::new(*id, file.line_span(line));
        let rest: String = (line..(line + 20).min(file.line_count()))
            .map(|line| file.line_text(line))
            .collect::<Vec<_>>()
            .join("\n");
        out.push((place, rest));
    }
    out
}
