//! Tables, findings, the drawing and the matrix.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use plimsoll_rules::Confidence;
use plimsoll_text::Applicability;

use super::inline::{cell, code, escaped, text};
use crate::document::{Diagram, Excerpt, Finding, Matrix, NodeKind, Patch, Table};

pub(super) fn table(table: &Table, out: &mut String) {
    out.push_str("\n|");
    for column in &table.columns {
        let _ = write!(out, " {} |", escaped(&column.title));
    }
    out.push_str("\n|");
    for column in &table.columns {
        out.push_str(if column.numeric { "---:|" } else { "---|" });
    }
    out.push('\n');
    for row in &table.rows {
        out.push('|');
        for content in row {
            let _ = write!(out, " {} |", cell(content));
        }
        out.push('\n');
    }
}

pub(super) fn finding(finding: &Finding, linked: &BTreeSet<String>, out: &mut String) {
    out.push('\n');
    if linked.contains(&finding.id) {
        let _ = write!(out, "<a id=\"{}\"></a>", finding.id);
    }
    let sure = match finding.confidence {
        Confidence::High => String::new(),
        other => format!(", confidence {}", other.name()),
    };
    let _ = writeln!(
        out,
        "**{}** {}, {}{sure}: {} ({})",
        finding.rule,
        finding.name,
        finding.severity.name(),
        text(&finding.message),
        code(&finding.position.to_string())
    );
    if let Some(excerpt) = &finding.excerpt {
        write_excerpt(excerpt, out);
    }
    let mut said = Vec::new();
    for evidence in &finding.evidence {
        let place = evidence.position.as_ref().map(|place| format!("{}: ", code(&place.to_string())));
        said.push(format!("{}{}", place.unwrap_or_default(), text(&evidence.text)));
    }
    said.extend(finding.notes.iter().map(text));
    said.extend(finding.help.iter().map(|help| format!("To do: {}", text(help))));
    said.extend(finding.fix.iter().map(|fix| format!("{}: {}", command(fix), text(&fix.title))));
    if !said.is_empty() {
        out.push('\n');
    }
    for line in said {
        let _ = writeln!(out, "- {line}");
    }
}

pub(super) fn command(patch: &Patch) -> String {
    let option = if patch.applicability == Applicability::Safe { "" } else { " --unsafe" };
    format!("`plimsoll fix{option} --rules {}`", patch.rule)
}

/// The marked line is the one with `>` before its number.
fn write_excerpt(excerpt: &Excerpt, out: &mut String) {
    let last = excerpt.first + excerpt.lines.len();
    let width = last.to_string().len();
    let longest = excerpt.lines.iter().map(|line| run(line)).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    let _ = writeln!(out, "\n{fence}text");
    for (index, line) in excerpt.lines.iter().enumerate() {
        let number = excerpt.first + index;
        let mark = if number == excerpt.marked { '>' } else { ' ' };
        let _ = writeln!(out, "{}", format!("{mark} {number:width$} | {line}").trim_end());
    }
    let _ = writeln!(out, "{fence}");
}

fn run(line: &str) -> usize {
    line.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

pub(super) fn brief(findings: &[Finding], linked: &BTreeSet<String>, out: &mut String) {
    out.push_str("\n| finding | severity | where | what | to do |\n|---|---|---|---|---|\n");
    for finding in findings {
        let anchor = if linked.contains(&finding.id) {
            format!("<a id=\"{}\"></a>", finding.id)
        } else {
            String::new()
        };
        let help = finding.help.as_ref().map(cell).unwrap_or_default();
        let _ = writeln!(
            out,
            "| {anchor}{} | {} | {} | {} | {help} |",
            finding.rule,
            finding.severity.name(),
            code(&finding.position.to_string()),
            cell(&finding.message),
        );
    }
}

/// A drawing in the language that GitHub, GitLab and Gitea draw.
pub(super) fn diagram(diagram: &Diagram, out: &mut String) {
    let _ = writeln!(out, "\n```mermaid\nflowchart LR");
    for (index, node) in diagram.nodes.iter().enumerate() {
        let label = quoted(&node.label);
        let shape = match node.kind {
            NodeKind::Actor => format!("([\"{label}\"])"),
            NodeKind::Data => format!("[(\"{label}\")]"),
            NodeKind::Node | NodeKind::Neighbours => format!("{{{{\"{label}\"}}}}"),
            _ => format!("[\"{label}\"]"),
        };
        let _ = writeln!(out, "  n{index}{shape}");
    }
    for edge in &diagram.edges {
        let arrow = if edge.residual { "-.->" } else { "-->" };
        let _ = writeln!(
            out,
            "  n{} {arrow}|\"{} ({})\"| n{}",
            edge.from,
            quoted(&edge.label),
            edge.points,
            edge.to
        );
    }
    out.push_str("```\n");
}

fn quoted(label: &str) -> String {
    label.replace('"', "'")
}

pub(super) fn matrix(matrix: &Matrix, out: &mut String) {
    let _ = writeln!(out, "\nWeights of the profile `{}` stand beside the criteria.\n", matrix.profile);
    out.push_str("| way |");
    for criterion in &matrix.criteria {
        let _ = write!(out, " {} ×{} |", criterion.name, criterion.weight);
    }
    out.push_str(" total |\n|---|");
    out.push_str(&"---:|".repeat(matrix.criteria.len() + 1));
    out.push('\n');
    for row in &matrix.rows {
        let mut title = format!("[{}](#{})", escaped(&row.title), row.alternative);
        if row.is_recommended {
            title = format!("**{title}** (recommended)");
        }
        if row.is_today {
            title.push_str(" (today)");
        }
        let scores: Vec<String> = row.scores.iter().map(ToString::to_string).collect();
        let _ = writeln!(
            out,
            "| {title} | {} | {}.{:02} |",
            scores.join(" | "),
            row.total / 100,
            row.total % 100
        );
    }
    out.push_str("\nHow the points are made, from 0 to 100:\n\n");
    for criterion in &matrix.criteria {
        let _ = writeln!(out, "- {}: {}", criterion.name, criterion.model);
    }
    out.push_str("\nWhat would change the outcome:\n\n");
    for line in &matrix.sensitivity {
        let _ = writeln!(out, "- {}", text(line));
    }
}
