//! Ways to host the app.

use std::fmt::Write as _;

use super::escape::Escaped;
use super::inline::{Place, Rich, joined};
use super::parts;
use crate::document::Alternative;

/// A way to host the app as an article.
pub(super) fn alternative(way: &Alternative, level: usize, out: &mut String) {
    let _ =
        write!(out, "<article class=\"way\" id=\"{}\">\n<h{level}>{}", Escaped(&way.id), Escaped(&way.title));
    if way.is_today {
        out.push_str(" <span class=\"tag\">today</span>");
    }
    if way.is_recommended {
        out.push_str(" <span class=\"tag best\">recommended</span>");
    }
    let easiest = way.paths.easiest_after.map_or_else(
        || "no path is left".to_owned(),
        |points| format!("the easiest then costs {points} points"),
    );
    let _ = write!(out, "</h{level}>\n<p>{}</p>\n<dl>\n", Rich(&way.fit));
    let mut field = |name: &str, value: &str| {
        let _ = writeln!(out, "<div><dt>{}</dt><dd>{value}</dd></div>", Escaped(&capitalised(name)));
    };
    field(
        "Attack paths without an unknown flaw",
        &format!(
            "{} to the node and {} to data; after the proposed changes {} to the node, {easiest}",
            way.paths.to_node, way.paths.to_data, way.paths.to_node_after
        ),
    );
    for (name, value) in way.costs.iter().chain(&way.gives) {
        field(name, &Rich(value).to_string());
    }
    if !way.migration.is_empty() {
        field("Effort to get there", &way.hours.to_string());
        field("Breaking changes", &joined(&way.breaking));
    }
    field("Sources", &joined(&way.sources));
    out.push_str("</dl>\n");
    if !way.migration.is_empty() {
        let _ = writeln!(out, "<details open><summary>Steps to get there</summary>\n<ol>");
        for step in &way.migration {
            let _ = writeln!(out, "<li>{}</li>", Rich(step));
        }
        out.push_str("</ol></details>\n");
    }
    obstacles(way, out);
    out.push_str("</article>\n");
}

fn obstacles(way: &Alternative, out: &mut String) {
    if way.obstacles.is_empty() {
        return;
    }
    let columns = parts::columns(&["Line", "Service", "Weight", "What it says"]);
    parts::open(&format!("Lines that stand against: {}", way.title), &columns, out);
    for obstacle in &way.obstacles {
        let place = obstacle.evidence.position.as_ref().map(|place| Place(place).to_string());
        let cells = [
            place.unwrap_or_default(),
            format!("<code>{}</code>", Escaped(&obstacle.service)),
            obstacle.weight.to_owned(),
            Rich(&obstacle.evidence.text).to_string(),
        ];
        parts::row(&columns, &cells, out);
    }
    parts::close(out);
}

fn capitalised(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
