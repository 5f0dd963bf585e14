//! The reference page, from the table of keys.

use crate::keys;
use crate::shape::{Key, Need, Shape, Table};

/// `docs/configuration.md`.
#[must_use]
pub fn reference() -> String {
    let mut out = String::from(HEAD);
    let mut done: Vec<&str> = Vec::new();
    section(&keys::FILE, &mut done, &mut out);
    out
}

const HEAD: &str = include_str!("reference_head.md");

fn section(table: &'static Table, done: &mut Vec<&'static str>, out: &mut String) {
    if done.contains(&table.name) {
        return;
    }
    done.push(table.name);
    out.push_str(&format!("\n## {}\n\n{}\n\n", heading(table.name), table.about));
    out.push_str("| key | value | default | meaning |\n| --- | --- | --- | --- |\n");
    for key in table.keys {
        let default = match key.need {
            Need::Required => "required".to_owned(),
            Need::Optional => "–".to_owned(),
            Need::Default(default) => format!("`{default}`"),
        };
        out.push_str(&format!("| `{}` | {} | {default} | {} |\n", key.name, value(key.shape), key.about));
    }
    for key in table.keys {
        below(key, done, out);
    }
}

fn below(key: &'static Key, done: &mut Vec<&'static str>, out: &mut String) {
    for table in tables(key.shape) {
        section(table, done, out);
    }
}

fn tables(shape: Shape) -> Vec<&'static Table> {
    match shape {
        Shape::Table(table) | Shape::Short(_, table) => vec![table],
        Shape::Either(tables) => tables.to_vec(),
        Shape::Tagged(_, all) => all.iter().map(|(_, table)| *table).collect(),
        Shape::List(item) | Shape::Some(item) | Shape::Map(_, item) => tables(*item),
        Shape::Text(_) | Shape::Form(_) | Shape::Whole(..) | Shape::Choice(_) => Vec::new(),
    }
}

fn heading(name: &str) -> String {
    match name.split_once(' ') {
        Some((name, rest)) => format!("`{name}` {rest}"),
        None => format!("`{name}`"),
    }
}

fn anchor(name: &str) -> String {
    let kept = name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-'));
    kept.collect::<String>().replace(' ', "-").to_ascii_lowercase()
}

fn link(table: &Table) -> String {
    format!("[{}](#{})", table.name, anchor(table.name))
}

fn value(shape: Shape) -> String {
    match shape {
        Shape::Text(example) => format!("text such as `{example}`"),
        Shape::Form(form) => form.what.to_owned(),
        Shape::Whole(least, most) => format!("{least} to {most}"),
        Shape::Choice(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Shape::List(item) => format!("list: {}", value(*item)),
        Shape::Some(item) => format!("one or a list: {}", value(*item)),
        Shape::Short(word, table) => format!("{}; or {}", value(*word), link(table)),
        Shape::Map(keys, item) => format!("mapping from {} to {}", keys.what, value(*item)),
        Shape::Table(_) | Shape::Either(_) | Shape::Tagged(..) => {
            let mut links: Vec<String> = tables(shape).into_iter().map(link).collect();
            links.dedup();
            links.join(" or ")
        }
    }
}
