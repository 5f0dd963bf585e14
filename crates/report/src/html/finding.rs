//! Findings with their code, and patches.

use std::fmt::Write as _;

use plimsoll_rules::{Confidence, Severity};
use plimsoll_text::Applicability;

use super::escape::Escaped;
use super::inline::{Place, Rich};
use crate::document::{Excerpt, Finding, Patch};

/// Findings in full.
pub(super) fn findings(findings: &[Finding], level: usize, out: &mut String) {
    out.push_str("<div class=\"findings\">\n");
    for finding in findings {
        let _ = write!(
            out,
            "<article class=\"finding {severity}\" id=\"{}\" data-severity=\"{severity}\" data-theme=\"{}\">\n\
             <h{level}>{} <code>{}</code> {}</h{level}>\n",
            Escaped(&finding.id),
            finding.theme.slug(),
            badge(finding.severity),
            finding.rule,
            Rich(&finding.message),
            severity = finding.severity.name(),
        );
        body(finding, out);
        out.push_str("</article>\n");
    }
    out.push_str(EMPTY);
}

/// Findings in short, the rest folded away.
pub(super) fn brief(findings: &[Finding], out: &mut String) {
    out.push_str("<div class=\"findings\">\n");
    for finding in findings {
        let _ = write!(
            out,
            "<details class=\"finding {severity}\" id=\"{}\" data-severity=\"{severity}\" data-theme=\"{}\">\n\
             <summary>{} <code>{}</code> {} {}</summary>\n",
            Escaped(&finding.id),
            finding.theme.slug(),
            badge(finding.severity),
            finding.rule,
            Rich(&finding.message),
            Place(&finding.position),
            severity = finding.severity.name(),
        );
        body(finding, out);
        out.push_str("</details>\n");
    }
    out.push_str(EMPTY);
}

const EMPTY: &str = "<p class=\"none\" hidden>The filter hides all findings of this part.</p>\n</div>\n";

/// The severity in a box.
pub(super) fn badge(severity: Severity) -> String {
    format!("<span class=\"badge {0}\">{0}</span>", severity.name())
}

fn body(finding: &Finding, out: &mut String) {
    let _ = write!(
        out,
        "<p class=\"meta\">{} · {} · {}",
        Place(&finding.position),
        Escaped(finding.name),
        Escaped(finding.theme.title())
    );
    if finding.confidence != Confidence::High {
        let _ = write!(out, " · confidence {}", finding.confidence.name());
    }
    out.push_str("</p>\n");
    if let Some(excerpt) = &finding.excerpt {
        code(excerpt, out);
    }
    if !finding.evidence.is_empty() || !finding.notes.is_empty() {
        out.push_str("<ul>\n");
        for evidence in &finding.evidence {
            out.push_str("<li>");
            if let Some(position) = &evidence.position {
                let _ = write!(out, "{} ", Place(position));
            }
            let _ = writeln!(out, "{}</li>", Rich(&evidence.text));
        }
        for note in &finding.notes {
            let _ = writeln!(out, "<li>{}</li>", Rich(note));
        }
        out.push_str("</ul>\n");
    }
    if let Some(help) = &finding.help {
        let _ = writeln!(out, "<p class=\"todo\"><strong>To do:</strong> {}</p>", Rich(help));
    }
    if let Some(id) = &finding.proposal {
        let _ = writeln!(
            out,
            "<p class=\"meta\"><a href=\"#{}\">The proposal that resolves it</a></p>",
            Escaped(id)
        );
    }
    if let Some(fix) = &finding.fix {
        patch(fix, out);
    }
}

/// Lines with their numbers; the one that is meant is marked, also for who cannot see colours.
fn code(excerpt: &Excerpt, out: &mut String) {
    let _ = write!(
        out,
        "<figure class=\"code\" aria-label=\"{}\"><pre class=\"{}\"><code>",
        Escaped(&excerpt.path),
        Escaped(excerpt.language)
    );
    for (index, line) in excerpt.lines.iter().enumerate() {
        let number = excerpt.first + index;
        if number == excerpt.marked {
            let _ = write!(
                out,
                "<mark class=\"line\"><span class=\"n\" aria-label=\"marked line {number}\">▸ {number}</span><span>{}\n</span></mark>",
                Escaped(line)
            );
        } else {
            let _ = write!(
                out,
                "<span class=\"line\"><span class=\"n\">{number}</span><span>{}\n</span></span>",
                Escaped(line)
            );
        }
    }
    out.push_str("</code></pre></figure>\n");
}

/// The command that makes a change.
pub(super) fn command(patch: &Patch) -> String {
    let option = if patch.applicability == Applicability::Safe { "" } else { "--unsafe " };
    format!("plimsoll fix {option}--rules {}", patch.rule)
}

/// A change, folded away.
pub(super) fn patch(patch: &Patch, out: &mut String) {
    let kind = if patch.applicability == Applicability::Safe { "safe" } else { "to be reviewed" };
    let _ = write!(
        out,
        "<details class=\"patch\"><summary>Patch, {kind}: {} <code>{}</code></summary>\n<pre class=\"diff\"><code>",
        Rich(&patch.title),
        Escaped(&command(patch))
    );
    for line in patch.diff.lines() {
        let class = match line.as_bytes().first() {
            Some(b'+') => "add",
            Some(b'-') => "del",
            Some(b'@') => "at",
            _ => "same",
        };
        let _ = write!(out, "<span class=\"{class}\">{}\n</span>", Escaped(line));
    }
    out.push_str("</code></pre></details>\n");
}
