//! What holds for any text.

mod shell_support;

use plimsoll_syntax::shell::{self, Part, PartKind, Script, Stmt, StmtKind, Visit, Word};
use plimsoll_text::{Layer, Span};
use proptest::prelude::*;
use shell_support::{layer, read};

fn in_text(span: Span, text: &str) {
    assert!(text.get(span.range()).is_some(), "{span:?} of {text:?}");
}

fn check(text: &str) {
    let layer = layer(text);
    let script = shell::parse(&layer);
    for comment in &script.comments {
        assert!(text[comment.span.range()].starts_with('#'), "{comment:?} of {text:?}");
    }
    for error in &script.errors {
        in_text(error.place.span, text);
    }
    let mut owner = Span::default();
    shell::walk_words(&script, &mut |visit| match visit {
        Visit::Stmt(stmt) => {
            in_text(stmt.span, text);
            owner = stmt.span;
        }
        Visit::Word(word) => check_word(word, &layer, owner),
        Visit::Heredoc(heredoc) => {
            // The words in expansions of the body follow.
            owner = owner.cover(heredoc.body.full_place().span);
            check_decoded(&heredoc.body, &layer);
        }
    });
    check_nesting(&script.body);
}

fn check_word(word: &Word, layer: &Layer, owner: Span) {
    in_text(word.span, layer.text());
    let inside = owner.contains(word.span) || word.span.is_empty();
    assert!(inside, "{:?} of {:?} in {owner:?}", word.span, layer.text());
    for Part { span, .. } in &word.parts {
        in_text(*span, layer.text());
        assert!(word.span.contains(*span), "{span:?} in {:?} of {:?}", word.span, layer.text());
    }
    check_decoded(&word.decoded, layer);
    let mut end = 0;
    for expansion in &word.outer {
        let written = word.decoded.text().get(expansion.range.clone());
        assert!(written.is_some_and(|text| text.starts_with(['$', '`', '<', '>'])), "{expansion:?}");
        assert!(expansion.range.start >= end);
        end = expansion.range.end;
    }
}

/// Each byte of decoded text that stands for one byte of the file is that byte.
fn check_decoded(decoded: &Layer, layer: &Layer) {
    for (at, byte) in decoded.text().bytes().enumerate() {
        let span = decoded.span(at..at + 1);
        assert!(span.end as usize <= layer.text().len());
        if span.len() == 1 {
            assert_eq!(layer.text().as_bytes()[span.start as usize], byte, "{:?}", layer.text());
        }
    }
}

fn check_nesting(body: &[Stmt]) {
    for stmt in body {
        let steps: Vec<&Stmt> = match &stmt.kind {
            StmtKind::Pipeline(steps) | StmtKind::Group(steps) | StmtKind::Subshell(steps) => {
                steps.iter().collect()
            }
            StmtKind::And(a, b) | StmtKind::Or(a, b) => vec![a, b],
            StmtKind::For { body, .. } | StmtKind::Function { body, .. } => body.iter().collect(),
            _ => Vec::new(),
        };
        for step in steps {
            assert!(stmt.span.contains(step.span), "{:?} in {:?}", step.span, stmt.span);
            check_nesting(std::slice::from_ref(step));
        }
    }
}

fn pieces() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a",
        "b=1",
        "if",
        "then",
        "fi",
        "else",
        "for",
        "in",
        "do",
        "done",
        "case",
        "esac",
        "while",
        "{",
        "}",
        "(",
        ")",
        "((",
        "))",
        "[[",
        "]]",
        "$",
        "${",
        "$(",
        "$((",
        "`",
        "'",
        "\"",
        "\\",
        "\n",
        "\r\n",
        ";",
        ";;",
        "&",
        "&&",
        "|",
        "||",
        "!",
        "#",
        "# c",
        "<<E",
        "<<-'E'",
        "\nE\n",
        "<<<",
        ">",
        "2>&1",
        "&>>",
        ">&",
        "<(",
        " ",
        "\t",
        "é",
        "{{",
        "{{ .A }}",
        "${{ x }}",
        "x:-",
        "=",
        "=(",
        "+=",
        "[0]",
        "f()",
        "function",
        "$'\\x",
        "\u{0}",
        "time",
        "coproc",
        "select",
        "*",
        "?(",
        "@",
        "export",
        "exit",
        "alias a='b c'",
        "shopt -s expand_aliases\n",
        "😀",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn any_pieces_of_scripts_are_read(text in pieces()) {
        check(&text);
    }

    #[test]
    fn any_outer_expansions_are_taken(text in pieces(), ranges in prop::collection::vec((0usize..60, 0usize..60), 0..5)) {
        let outer: Vec<_> = ranges
            .into_iter()
            .map(|(start, length)| shell::OuterExpansion { range: start..start + length, shells: 1 })
            .collect();
        let _ = shell::parse_nested(&layer(&text), &outer);
    }

    #[test]
    fn a_quoted_word_is_the_word_again(text in "[^\u{0}\r]{0,40}") {
        let single = format!("a '{}'", text.replace('\'', "'\\''"));
        prop_assert_eq!(argument(&read(&single)), Some(text.clone()));
        let double: String = text
            .chars()
            .flat_map(|c| if "\"\\$`".contains(c) { vec!['\\', c] } else { vec![c] })
            .collect();
        prop_assert_eq!(argument(&read(&format!("a \"{double}\""))), Some(text));
    }
}

fn argument(script: &Script) -> Option<String> {
    let StmtKind::Simple(command) = &script.body.first()?.kind else { return None };
    command.words.get(1)?.literal()
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    for (open, middle, close) in [
        ("$(", "a", ")"),
        ("(", "a", ")"),
        ("{ ", "a", "; }"),
        ("if a; then ", "b", "; fi"),
        ("${a:-", "b", "}"),
        ("\"$(a ", "b", ")\""),
        ("\"${a:-", "b", "}\""),
        ("`", "a", "`"),
        ("$((", "1", "))"),
        ("<(", "a", ")"),
        ("a && ", "b", ""),
        ("a | ", "b", ""),
        ("! ", "b", ""),
        ("[[ ( ", "b", " ) ]]"),
        ("{{ ", "a", " }}"),
        ("a <<E\n$(", "b", ")\nE\n"),
        ("f() { ", "a", "; }"),
        ("a=(", "b", ")"),
    ] {
        for depth in [90, 150, 3000] {
            let text = format!("echo x\n{}{middle}{}", open.repeat(depth), close.repeat(depth));
            check(&text);
        }
    }
}

#[test]
fn mistakes_in_nested_scripts_are_reported_once() {
    let script = read("a $(b $(c | | d) e)\n");
    assert_eq!(script.errors.len(), 1, "{:?}", script.errors);
    let mut nested = 0;
    shell::walk_words(&script, &mut |visit| {
        if let Visit::Word(word) = visit {
            nested += word.parts.iter().filter(|part| matches!(part.kind, PartKind::Command(_))).count();
        }
    });
    assert_eq!(nested, 2);
}
