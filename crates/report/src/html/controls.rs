//! What stands beside the text: contents and filter.

use std::fmt::Write as _;

use plimsoll_rules::{Severity, Theme};

use super::escape::Escaped;
use super::tally::Tally;
use crate::document::{Document, Section};

/// The contents. Parts of sections are there too, so that each is one click away.
pub(super) fn contents(document: &Document, out: &mut String) {
    out.push_str(
        "<nav aria-label=\"Contents\">\n<details id=\"contents\" open>\n<summary>Contents</summary>\n<ol>\n",
    );
    for section in &document.sections {
        item(section, out);
    }
    out.push_str("</ol>\n</details>\n</nav>\n");
}

fn item(section: &Section, out: &mut String) {
    let _ = write!(out, "<li><a href=\"#{}\">{}</a>", Escaped(&section.id), Escaped(&section.title));
    if !section.sections.is_empty() {
        out.push_str("<ul>");
        for part in &section.sections {
            item(part, out);
        }
        out.push_str("</ul>");
    }
    out.push_str("</li>\n");
}

/// The filter. It is hidden until the script shows it: without script it would do nothing.
pub(super) fn filter(tally: &Tally, out: &mut String) {
    if tally.all == 0 {
        return;
    }
    out.push_str("<form id=\"filter\" aria-label=\"Filter findings\" hidden>\n<details id=\"filters\" open>\n<summary>Filter findings</summary>\n");
    let _ = writeln!(out, "<p><output id=\"shown\" aria-live=\"polite\">{} findings</output></p>", tally.all);
    out.push_str("<fieldset><legend>Severity</legend>\n");
    for severity in Severity::ALL {
        if let Some(count) = tally.severities.get(&severity) {
            check("severity", severity.name(), severity.name(), *count, out);
        }
    }
    out.push_str("</fieldset>\n<fieldset><legend>Theme</legend>\n");
    for theme in Theme::ALL {
        if let Some(count) = tally.themes.get(&theme) {
            check("theme", theme.slug(), theme.title(), *count, out);
        }
    }
    out.push_str(
        "</fieldset>\n<label class=\"words\">Words <input type=\"search\" name=\"words\" autocomplete=\"off\"></label>\n\
         <button type=\"reset\">Show all</button>\n</details>\n</form>\n",
    );
}

fn check(name: &str, value: &str, words: &str, count: usize, out: &mut String) {
    let _ = writeln!(
        out,
        "<label><input type=\"checkbox\" name=\"{name}\" value=\"{value}\" checked> {} <span class=\"count\">{count}</span></label>",
        Escaped(words)
    );
}
