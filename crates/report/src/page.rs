//! A rule's page for a terminal.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use plimsoll_rules::{Rule, page};

const HEADING: Style = Style::new().bold();
const CODE: Style = AnsiColor::Cyan.on_default();
const FAINT: Style = Style::new().dimmed();

/// The page with ANSI styles, wrapped to a width.
#[must_use]
pub fn page_for_terminal(rule: &Rule, width: usize) -> String {
    let text = page::for_readers(rule);
    let mut out = String::new();
    let mut fence: Option<usize> = None;
    for line in text.lines() {
        let marks = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(length) if marks >= length && marks == line.trim_end().len() => fence = None,
            Some(_) => {
                let _ = writeln!(out, "      {CODE}{line}{CODE:#}");
            }
            None if marks >= 3 => {
                fence = Some(marks);
                if let Some((title, _)) =
                    line.split_once("title=\"").and_then(|(_, rest)| rest.split_once('"'))
                {
                    let _ = writeln!(out, "    {FAINT}{title}{FAINT:#}");
                }
            }
            None => prose(rule, line, width, &mut out),
        }
    }
    out
}

fn prose(rule: &Rule, line: &str, width: usize, out: &mut String) {
    if line.starts_with("# ") {
        let _ = writeln!(out, "{HEADING}{} {}{HEADING:#}: {}", rule.code, rule.name, rule.title);
        let (severity, confidence) = (rule.severity.name(), rule.confidence.name());
        let _ = writeln!(out, "{FAINT}severity {severity}, confidence {confidence}{FAINT:#}");
    } else if let Some(heading) = line.strip_prefix("## ") {
        let _ = writeln!(out, "{HEADING}{heading}{HEADING:#}");
    } else if let Some(heading) = line.strip_prefix("### ") {
        let _ = writeln!(out, "  {HEADING}{heading}{HEADING:#}");
    } else if let Some(item) = line.strip_prefix("- ") {
        wrapped(&without_links(item), "  - ", "    ", width, out);
    } else {
        wrapped(&without_links(line), "  ", "  ", width, out);
    }
}

/// `[title](url)` as `title: url`.
fn without_links(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, link)) = rest.split_once('[') {
        let parts = link.split_once("](").and_then(|(title, tail)| Some((title, tail.split_once(')')?)));
        out.push_str(before);
        match parts {
            Some((title, (url, tail))) => {
                let _ = write!(out, "{title}: {url}");
                rest = tail;
            }
            None => {
                out.push('[');
                rest = link;
            }
        }
    }
    out.push_str(rest);
    out
}

fn wrapped(text: &str, first: &str, next: &str, width: usize, out: &mut String) {
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !empty && line.chars().count() + 1 + word.chars().count() > width {
            let _ = writeln!(out, "{}", line.trim_end());
            next.clone_into(&mut line);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    let _ = writeln!(out, "{}", line.trim_end());
}
