//! Edits of YAML mappings and lists.

use plimsoll_model::Facts;
use plimsoll_syntax::yaml::{Entry, Node, NodeKind};
use plimsoll_text::{Edit, Place, Span};

use super::{after, line_head, lines_after, replace};

/// The entry whose key stands at a place.
pub(crate) fn entry_at(facts: &Facts, key: Place) -> Option<&Entry> {
    fn find(node: &Node, key: Span) -> Option<&Entry> {
        match &node.kind {
            NodeKind::Mapping { entries, .. } => entries
                .iter()
                .find_map(|entry| if entry.key.span == key { Some(entry) } else { find(&entry.value, key) }),
            NodeKind::Sequence { items, .. } => items.iter().find_map(|item| find(item, key)),
            NodeKind::Scalar(_) => None,
        }
    }
    facts.trees.yaml.get(&key.file)?.documents.iter().find_map(|node| find(node, key.span))
}

/// Adds entries to the block mapping under the key at a place. They are given with two blanks for each level, and
/// come behind the last entry, indented as the others are. Nothing when the mapping is written in one line, is
/// empty or stands elsewhere.
pub(crate) fn add_entries(facts: &Facts, key: Place, lines: &str) -> Option<Edit> {
    let entry = entry_at(facts, key)?;
    let NodeKind::Mapping { entries, flow: false } = &entry.value.kind else { return None };
    if entry.value.alias {
        return None;
    }
    let first = entries.first()?;
    let file = facts.files.get(key.file);
    let column = |span: Span| file.line_column(span.start).column - 1;
    let indent = column(first.key.span);
    let step = indent.checked_sub(column(entry.key.span)).filter(|step| *step > 0).unwrap_or(2);
    let end = end_of(file.text(), &entry.value)?;
    let end = file.line_span(file.line_of(end.max(1) - 1)).end;
    let mut text = String::new();
    for line in lines.lines() {
        let content = line.trim_start_matches(' ');
        let level = (line.len() - content.len()) / 2;
        text.push('\n');
        if content.is_empty() {
            continue;
        }
        text.push_str(&" ".repeat(indent + level * step));
        text.push_str(content);
    }
    Some(replace(Place::new(key.file, Span::new(end, end)), text))
}

/// Where the last word of a node ends, trailing comments left out.
fn end_of(text: &str, node: &Node) -> Option<u32> {
    let end = match &node.kind {
        NodeKind::Mapping { entries, flow: false } => {
            let last = entries.last()?;
            end_of(text, &last.value).unwrap_or(0).max(last.key.span.end)
        }
        NodeKind::Sequence { items, flow: false } => end_of(text, items.last()?)?,
        _ => node.span.end,
    };
    let trimmed = text.get(..end as usize)?.trim_end();
    u32::try_from(trimmed.len()).ok()
}

/// The key of an entry of the mapping under the key at a place.
pub(crate) fn child_key(facts: &Facts, key: Place, name: &str) -> Option<Place> {
    let entry = entry_at(facts, key)?;
    let child = entry.value.entries().iter().find(|child| child.key.as_str() == Some(name))?;
    Some(Place::new(key.file, child.key.span))
}

/// Adds an item to the block list under the key at a place, behind its last item. The lines are the item without its
/// dash.
pub(crate) fn append_item(facts: &Facts, key: Place, lines: &str) -> Option<Edit> {
    let entry = entry_at(facts, key)?;
    let NodeKind::Sequence { items, flow: false } = &entry.value.kind else { return None };
    let file = facts.files.get(key.file);
    let head = line_head(facts, Place::new(key.file, items.first()?.span));
    let dash = head.trim_end().strip_suffix('-').filter(|indent| indent.trim().is_empty())?;
    let end = end_of(file.text(), &entry.value)?;
    let end = file.line_span(file.line_of(end.max(1) - 1)).end;
    let mut text = String::new();
    for (index, line) in lines.lines().enumerate() {
        text.push_str(&format!("\n{dash}{}{line}", if index == 0 { "- " } else { "  " }));
    }
    Some(replace(Place::new(key.file, Span::new(end, end)), text))
}

/// Adds an item to a list, behind an item of it: on a line of its own in a block, behind a comma in brackets.
pub(crate) fn add_item(facts: &Facts, item: Place, text: &str) -> Edit {
    if line_head(facts, item).trim() == "-" {
        lines_after(facts, item, &format!("- {text}"))
    } else {
        after(item, format!(", {text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{apply, facts, place};
    use super::*;

    #[test]
    fn entries_follow_the_indentation_and_leave_comments_alone() {
        let text = "services:\n    db: # main\n        image: x\n        command: |\n            a\n            b\n\n    # next\n    web:\n        image: y\n";
        let facts = facts(&[("compose.yml", text)]);
        let edit = add_entries(&facts, place(&facts, "db"), "logging:\n  options:\n    a: b").unwrap();
        let expected = text.replace(
            "            b\n",
            "            b\n        logging:\n            options:\n                a: b\n",
        );
        assert_eq!(apply(&facts, &[edit]), expected);
    }

    #[test]
    fn entries_come_behind_a_trailing_comment_a_flow_list_and_an_empty_value() {
        for last in ["restart: always # keep", "test: [\"a\",\n      \"b\"]", "x:", "x:\n    - a\n    - b: c"]
        {
            let text = format!("services:\n  db:\n    {last}\n");
            let facts = facts(&[("compose.yml", &text)]);
            let edit = add_entries(&facts, place(&facts, "db"), "init: true").unwrap();
            assert_eq!(apply(&facts, &[edit]), format!("{text}    init: true\n"), "{last}");
        }
    }

    #[test]
    fn a_mapping_in_one_line_or_of_another_place_gets_nothing() {
        let facts =
            facts(&[("compose.yml", "services:\n  a: {image: x}\n  b: &b\n    image: y\n  c: *b\n  d:\n")]);
        for name in ["a", "c", "d"] {
            assert!(add_entries(&facts, place(&facts, &format!("{name}:")), "x: y").is_none());
        }
    }

    #[test]
    fn items_are_added_in_the_form_of_the_list() {
        let facts = facts(&[("compose.yml", "services:\n  a:\n    x: [one, two]\n    y:\n    - three\n")]);
        assert!(
            apply(&facts, &[add_item(&facts, place(&facts, "two"), "more")]).contains("[one, two, more]")
        );
        assert!(
            apply(&facts, &[add_item(&facts, place(&facts, "three"), "more")])
                .ends_with("    - three\n    - more\n")
        );
    }
}
