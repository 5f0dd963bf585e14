//! Tables and people's notes.

use std::fmt::Write as _;

use super::escape::Escaped;
use super::inline::Rich;
use crate::document::{Column, Notes, Table, Text};

/// A table in a box of its own, which scrolls where the page is narrow.
pub(super) fn table(table: &Table, out: &mut String) {
    open(&table.caption, &table.columns, out);
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(|cell: &Text| Rich(cell).to_string()).collect();
        self::row(&table.columns, &cells, out);
    }
    close(out);
}

pub(super) fn open(caption: &str, columns: &[Column], out: &mut String) {
    let _ = write!(
        out,
        "<div class=\"scroll\" role=\"region\" aria-label=\"{0}\" tabindex=\"0\"><table><caption>{0}</caption>\n<thead><tr>",
        Escaped(caption)
    );
    for column in columns {
        let _ = write!(out, "<th scope=\"col\"{}>{}</th>", class(column), Escaped(&column.title));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
}

/// A row of cells that are markup already.
pub(super) fn row(columns: &[Column], cells: &[String], out: &mut String) {
    out.push_str("<tr>");
    for (column, cell) in columns.iter().zip(cells) {
        let _ = write!(out, "<td{}>{cell}</td>", class(column));
    }
    out.push_str("</tr>\n");
}

pub(super) fn close(out: &mut String) {
    out.push_str("</tbody></table></div>\n");
}

/// Columns by their titles; those that begin with `#` hold numbers.
pub(super) fn columns(titles: &[&str]) -> Vec<Column> {
    titles
        .iter()
        .map(|title| match title.strip_prefix('#') {
            Some(title) => Column { title: title.to_owned(), numeric: true },
            None => Column { title: (*title).to_owned(), numeric: false },
        })
        .collect()
}

const fn class(column: &Column) -> &'static str {
    if column.numeric { " class=\"num\"" } else { "" }
}

/// What people noted, as they wrote it; an empty slot shows nothing.
pub(super) fn notes(notes: &Notes, out: &mut String) {
    if notes.text.trim().is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "<aside class=\"note\" aria-label=\"Note\"><p class=\"meta\">Note</p><div>{}</div></aside>",
        Escaped(&notes.text)
    );
}
