//! The decision matrix as a drawing, and its numbers as a table.

use std::fmt::Write as _;

use super::escape::Escaped;
use super::inline::Rich;
use super::parts;
use super::wrap::wrapped;
use crate::document::{Column, Matrix, Row};

/// Widths of the names, of a criterion and of the sums.
const NAMES: usize = 244;
const CELL: usize = 96;
const SUMS: usize = 152;
/// Heights of the head and of a row.
const HEAD: usize = 58;
const ROW: usize = 38;
/// From the top of a row to the feet of a line in its middle.
const MIDDLE: usize = 23;
/// Letters of a name that fit into a line; two lines fit into a row.
const LETTERS: usize = 34;

/// The matrix.
pub(super) fn draw(matrix: &Matrix, out: &mut String) {
    let id = Escaped(&matrix.id);
    let width = NAMES + CELL * matrix.criteria.len() + SUMS;
    let height = HEAD + ROW * matrix.rows.len() + 8;
    let name = format!("Decision matrix for the profile {}", matrix.profile);
    let _ = write!(
        out,
        "<figure class=\"drawing\" id=\"{id}\"><figcaption>{name}</figcaption>\n\
         <div class=\"scroll\" role=\"region\" aria-label=\"{name}\" tabindex=\"0\">\n\
         <svg role=\"img\" aria-labelledby=\"{id}-name {id}-words\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
         <title id=\"{id}-name\">{name}</title>\n<desc id=\"{id}-words\">{}</desc>\n",
        Escaped(&description(matrix))
    );
    for (index, criterion) in matrix.criteria.iter().enumerate() {
        let x = NAMES + CELL * index;
        let _ = writeln!(
            out,
            "<g><title>{}</title><text class=\"column\" x=\"{}\" y=\"18\">{}</text>\
             <rect class=\"bar\" x=\"{}\" y=\"46\" width=\"{}\" height=\"5\"/><text class=\"weight\" x=\"{}\" y=\"37\">weight {}</text></g>",
            Escaped(criterion.model),
            x + 4,
            Escaped(criterion.name),
            x + 4,
            (criterion.weight as usize * 2).min(CELL - 8),
            x + 4,
            criterion.weight
        );
    }
    let sums = NAMES + CELL * matrix.criteria.len();
    let _ = writeln!(out, "<text class=\"column\" x=\"{}\" y=\"18\">weighted sum</text>", sums + 8);
    for (index, row) in matrix.rows.iter().enumerate() {
        self::row(row, HEAD + ROW * index, sums, out);
    }
    out.push_str("</svg></div></figure>\n");
    table(matrix, &name, out);
    if !matrix.sensitivity.is_empty() {
        out.push_str("<ul>\n");
        for line in &matrix.sensitivity {
            let _ = writeln!(out, "<li>{}</li>", Rich(line));
        }
        out.push_str("</ul>\n");
    }
}

fn row(row: &Row, y: usize, sums: usize, out: &mut String) {
    let class = if row.is_recommended { "row best" } else { "row" };
    let today = if row.is_today { " (today)" } else { "" };
    let lines = wrapped(&format!("{}{today}", row.title), LETTERS, 2);
    let _ = write!(out, "<g class=\"{class}\"><title>{}</title>", Escaped(&row.title));
    let first = y + MIDDLE + 8 - 8 * lines.len();
    for (index, line) in lines.iter().enumerate() {
        let _ = write!(out, "<text x=\"4\" y=\"{}\">{}</text>", first + 16 * index, Escaped(line));
    }
    for (index, score) in row.scores.iter().enumerate() {
        let x = NAMES + CELL * index;
        // Light for few points, strong for many; the number says the same.
        let strength = (*score).min(100) / 10 * 6 + 5;
        let _ = write!(
            out,
            "<rect class=\"heat\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"3\" fill-opacity=\"0.{strength:02}\"/>\
             <text class=\"score\" x=\"{}\" y=\"{}\">{score}</text>",
            x + 2,
            y + 2,
            CELL - 4,
            ROW - 4,
            x + CELL / 2,
            y + MIDDLE
        );
    }
    let _ = writeln!(
        out,
        "<rect class=\"bar\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"14\" rx=\"2\"/><text class=\"sum\" x=\"{}\" y=\"{}\">{}</text></g>",
        sums + 8,
        y + MIDDLE - 11,
        row.total.min(10_000) as usize * 84 / 10_000,
        sums + 100,
        y + MIDDLE,
        hundredths(row.total)
    );
}

fn description(matrix: &Matrix) -> String {
    let rows = matrix.rows.iter().map(|row| format!("{}: {}", row.title, hundredths(row.total)));
    let weights = matrix.criteria.iter().map(|criterion| format!("{} {}", criterion.name, criterion.weight));
    format!(
        "Weighted sums, the best first: {}. Weights: {}.",
        rows.collect::<Vec<_>>().join(", "),
        weights.collect::<Vec<_>>().join(", ")
    )
}

/// The same numbers for who cannot see the drawing, and how points are made.
fn table(matrix: &Matrix, name: &str, out: &mut String) {
    out.push_str("<details><summary>The numbers as a table, and how they are made</summary>\n");
    let mut columns = vec![Column { title: "Alternative".to_owned(), numeric: false }];
    columns.extend(matrix.criteria.iter().map(|criterion| Column {
        title: format!("{} ({})", criterion.name, criterion.weight),
        numeric: true,
    }));
    columns.push(Column { title: "Weighted sum".to_owned(), numeric: true });
    parts::open(&format!("{name}, as a table"), &columns, out);
    for row in &matrix.rows {
        let mut cells =
            vec![format!("<a href=\"#{}\">{}</a>", Escaped(&row.alternative), Escaped(&row.title))];
        cells.extend(row.scores.iter().map(ToString::to_string));
        cells.push(hundredths(row.total));
        parts::row(&columns, &cells, out);
    }
    parts::close(out);
    out.push_str("<dl>\n");
    for criterion in &matrix.criteria {
        let _ = writeln!(
            out,
            "<div><dt>{}, weight {}</dt><dd>{}</dd></div>",
            Escaped(criterion.name),
            criterion.weight,
            Escaped(criterion.model)
        );
    }
    out.push_str("</dl></details>\n");
}

fn hundredths(total: u32) -> String {
    format!("{}.{:02}", total / 100, total % 100)
}
