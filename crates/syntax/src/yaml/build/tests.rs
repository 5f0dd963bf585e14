use super::*;
use plimsoll_text::{Files, Span};
use proptest::prelude::*;

fn read_text(text: &str) -> (Files, Stream) {
    let files = Files::new([("x.yml".into(), text.to_owned())]);
    let (id, file) = files.iter().next().unwrap();
    let stream = parse(&Layer::whole(id, file));
    (files, stream)
}

fn scalars(node: &Node, out: &mut Vec<Scalar>) {
    match &node.kind {
        NodeKind::Scalar(scalar) => out.push(scalar.clone()),
        NodeKind::Sequence { items, .. } => items.iter().for_each(|item| scalars(item, out)),
        NodeKind::Mapping { entries, .. } => {
            for entry in entries {
                scalars(&entry.key, out);
                scalars(&entry.value, out);
            }
        }
    }
}

/// For each word of the value, the text of the file behind it.
fn words(files: &Files, scalar: &Scalar) -> Vec<(String, String)> {
    let mut at = 0;
    let mut out = Vec::new();
    for word in scalar.value.split([' ', '\n']) {
        if !word.is_empty() {
            let place = scalar.layer.place(at..at + word.len());
            out.push((word.to_owned(), files.slice(place).to_owned()));
        }
        at += word.len() + 1;
    }
    out
}

#[test]
fn every_style_maps_words_to_their_bytes() {
    let (files, stream) = read_text(
        "plain: one\n  two\nsingle: 'it''s\n  fine'\ndouble: \"a \\\n   b\\tc\n\n   d\"\nliteral: |2\n   echo  hi\n\n  done\nfolded: >-\n  a\n  b\n\n    more\n  end\nkeep: |+\n\n  x\n\n",
    );
    assert_eq!(stream.errors, []);
    let document = &stream.documents[0];
    let at = |key: &str| document.get(key).unwrap().scalar().unwrap().clone();
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(words(&files, &at("plain")), [pair("one", "one"), pair("two", "two")]);
    assert_eq!(words(&files, &at("single")), [pair("it's", "it''s"), pair("fine", "fine")]);
    assert_eq!(at("double").value, "a b\tc\nd");
    assert_eq!(words(&files, &at("double"))[1], pair("b\tc", "b\\tc"));
    assert_eq!(at("literal").value, " echo  hi\n\ndone\n");
    assert_eq!(words(&files, &at("literal"))[2], pair("done", "done"));
    assert_eq!(at("folded").value, "a b\n\n  more\nend");
    assert_eq!(words(&files, &at("folded"))[2], pair("more", "more"));
    assert_eq!(words(&files, &at("keep")), [pair("x", "x")]);
}

#[test]
fn nodes_span_their_text_and_nothing_after_it() {
    let text = "a:\n  - 1\n  - {b: 2}\n\n# end\nc: |\n  x\n\nd: 3\n";
    let (files, stream) = read_text(text);
    let document = &stream.documents[0];
    let file = files.iter().next().unwrap().0;
    let slice = |node: &Node| files.slice(plimsoll_text::Place::new(file, node.span)).to_owned();
    assert_eq!(slice(document.get("a").unwrap()), "- 1\n  - {b: 2}");
    assert_eq!(slice(&document.get("a").unwrap().items()[1]), "{b: 2}");
    assert_eq!(slice(document.get("c").unwrap()), "|\n  x");
    assert_eq!(slice(document), "a:\n  - 1\n  - {b: 2}\n\n# end\nc: |\n  x\n\nd: 3");
    assert_eq!(stream.comments, [Comment { span: Span::new(21, 26), text: " end".into() }]);
}

#[test]
fn tags_and_missing_values_are_kept() {
    let (_, stream) = read_text("a: !reset null\nb: !override\n  - 1\nc:\nd: !!str 1\n");
    let document = &stream.documents[0];
    assert_eq!(document.get("a").unwrap().tag.as_deref(), Some("!reset"));
    assert_eq!(document.get("b").unwrap().tag.as_deref(), Some("!override"));
    assert_eq!(document.get("d").unwrap().tag.as_deref(), Some("!!str"));
    assert!(document.get("c").unwrap().is_null());
}

#[test]
fn aliases_share_their_anchor_and_keep_their_own_place() {
    let (files, stream) = read_text("x: &a {k: v}\ny: *a\nz: {<<: *a, m: 1}\n");
    let y = stream.documents[0].get("y").unwrap();
    assert!(y.alias);
    assert_eq!(files.iter().next().unwrap().1.slice(y.span), "*a");
    assert_eq!(y.get("k").and_then(|node| node.as_str()), Some("v"));
    assert_eq!(stream.documents[0].at(&["z", "k"]).and_then(Node::as_str), Some("v"));
}

#[test]
fn duplicate_keys_and_unknown_anchors_are_errors_with_places() {
    let (files, stream) = read_text("a: 1\nb: *no\na: 2\n");
    let found: Vec<_> =
        stream.errors.iter().map(|error| (files.slice(error.place), error.message.as_str())).collect();
    assert_eq!(
        found,
        [("*no", "no anchor `no` before this alias"), ("a", "the key `a` stands in this mapping twice")]
    );
    assert_eq!(stream.documents[0].get("a").and_then(|node| node.as_str()), Some("1"));
}

#[test]
fn a_broken_document_keeps_its_start_and_the_next_document_is_read() {
    let (_, stream) = read_text("a: 1\nb: [1, 2\n---\nc: 3\n");
    assert_eq!(stream.errors.len(), 1);
    assert_eq!(stream.documents.len(), 2);
    assert_eq!(stream.documents[0].get("a").and_then(|node| node.as_str()), Some("1"));
    assert_eq!(stream.documents[1].get("c").and_then(|node| node.as_str()), Some("3"));
}

#[test]
fn unquoted_templates_are_scalars_and_reported() {
    let (files, stream) = read_text("- cmd: {{ .A }}/x\n  b: ok\n- \"{{ fine }}\"\n- {{ x }}\n");
    let items = stream.documents[0].items();
    assert_eq!(items[0].get("cmd").and_then(|node| node.as_str()), Some("{{ .A }}/x"));
    assert_eq!(items[0].get("b").and_then(|node| node.as_str()), Some("ok"));
    assert_eq!(items[1].as_str(), Some("{{ fine }}"));
    assert_eq!(items[2].as_str(), Some("{{ x }}"));
    let places: Vec<_> = stream.errors.iter().map(|error| files.slice(error.place)).collect();
    assert_eq!(places, ["{{ .A }}/x", "{{ x }}"]);
}

#[test]
fn template_statements_do_not_hide_the_rest() {
    let (_, stream) = read_text("a: 1\n{% if x %}\nb: 2\n{% endif %}\nc: 3\n");
    assert_eq!(stream.errors, []);
    assert_eq!(stream.documents[0].get("c").and_then(|node| node.as_str()), Some("3"));
}

#[test]
fn a_literal_with_a_template_keeps_its_text() {
    let (_, stream) = read_text("a: |\n  - {{ x }}\n  y\n");
    assert_eq!(stream.errors, []);
    assert_eq!(stream.documents[0].get("a").and_then(|node| node.as_str()), Some("- {{ x }}\ny\n"));
}

#[test]
fn aliases_cannot_explode() {
    let mut text = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..40 {
        let below = level - 1;
        text.push_str(&format!("a{level}: &a{level} [*a{below}, *a{below}]\n"));
    }
    let (_, stream) = read_text(&text);
    assert!(!stream.errors.is_empty());
    let mut all = Vec::new();
    scalars(&stream.documents[0], &mut all);
    assert!(all.len() < 2 * MAX_NODES);
}

#[test]
fn depth_is_bounded_through_collections_and_aliases() {
    for text in ["[".repeat(5000), "- ".repeat(5000), "a: &a {b: &b [*a, *b]}".to_owned()] {
        let (_, stream) = read_text(&text);
        assert!(!stream.errors.is_empty(), "{}", &text[..10]);
    }
}

proptest! {
    #[test]
    fn any_text_is_read_and_layers_hold_their_values(text in "[-a-c:'\"\\\\|>{}\\[\\]&*!#%éx \\n\\r\\t]{0,80}") {
        let (files, stream) = read_text(&text);
        for document in &stream.documents {
            let mut all = Vec::new();
            scalars(document, &mut all);
            for scalar in all {
                prop_assert_eq!(scalar.layer.text(), scalar.value.as_str());
                let place = scalar.layer.full_place();
                prop_assert!(place.span.end as usize <= files.get(place.file).text().len());
            }
        }
    }
}
