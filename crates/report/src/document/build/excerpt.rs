//! Code around a place.

use plimsoll_model::Kind;
use plimsoll_text::Place;

use super::show::Show;
use crate::document::Excerpt;
use crate::source::printable;

/// Lines before and after the one that is meant.
const AROUND: usize = 1;
/// Longer lines are cut.
const WIDEST: usize = 160;

pub(super) fn around(show: &Show<'_>, place: Place) -> Option<Excerpt> {
    let file = show.input.report.files.get(place.file);
    let text = show.sources.text(place.file);
    let marked = file.line_of(place.span.start);
    let line = |number: usize| text.get(file.line_span(number).range()).unwrap_or_default().trim_end();
    if line(marked).trim().is_empty() {
        return None;
    }
    let last = (marked + AROUND).min(file.line_count().saturating_sub(1));
    let numbers = marked.saturating_sub(AROUND)..=last;
    // A blank line at either end shows nothing.
    let first = numbers.clone().find(|number| !line(*number).trim().is_empty()).unwrap_or(marked);
    let last = numbers.rev().find(|number| !line(*number).trim().is_empty()).unwrap_or(marked);
    let blanks = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let indent = (first..=last).filter(|n| !line(*n).is_empty()).map(|n| blanks(line(n))).min().unwrap_or(0);
    Some(Excerpt {
        path: printable(file.path().as_str()).into_owned(),
        first: first + 1,
        lines: (first..=last).map(|number| shown(line(number).get(indent..).unwrap_or_default())).collect(),
        marked: marked + 1,
        language: language(show.input.facts.trees.kind(place.file)),
    })
}

fn shown(line: &str) -> String {
    let line = line.replace('\t', "    ");
    let mut shown: String = printable(&line).chars().take(WIDEST).collect();
    if line.chars().nth(WIDEST).is_some() {
        shown.push('…');
    }
    shown
}

fn language(kind: Kind) -> &'static str {
    match kind {
        Kind::Shell => "sh",
        Kind::Compose | Kind::Taskfile | Kind::Workflow | Kind::Ansible | Kind::CloudInit | Kind::Yaml => {
            "yaml"
        }
        Kind::Json => "json",
        Kind::Dockerfile => "dockerfile",
        Kind::Markdown => "markdown",
        Kind::Makefile => "makefile",
        Kind::Terraform => "hcl",
        Kind::Python => "python",
        Kind::JavaScript => "javascript",
        Kind::Go => "go",
        Kind::Rust => "rust",
        Kind::Nginx => "nginx",
        Kind::Toml => "toml",
        Kind::Dotenv | Kind::Ini | Kind::Systemd | Kind::GuestConfig => "ini",
        _ => "text",
    }
}
