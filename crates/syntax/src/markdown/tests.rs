use proptest::prelude::*;

use super::*;
use crate::testing::whole;

const DOC: &str = "---\ntitle: x\n---\nDeploy\n======\n\nRun `pct list` and ``a`b``.\n\n## Steps ##\n\n\
    1. First:\n   ```bash title=\"x\"\n   pct create 1\n     --x\n   ```\n- [x] done [here](a.md \"t\")\n\n\
    > ~~~\n> quoted\n> ~~~\n\ntext\n\n    indented\n\n    more\n\n| a | `b|c` |\n|---|---|\n<!-- note\nstill -->\n\
    ```\nopen\n";

#[test]
fn blocks_lines_and_headings_are_told_apart() {
    let tree = parse(&whole(DOC));
    let headings: Vec<(u8, &str)> =
        tree.headings.iter().map(|heading| (heading.level, tree.heading_text(heading))).collect();
    assert_eq!(headings, [(1, "Deploy"), (2, "Steps")]);
    let blocks: Vec<(String, String)> =
        tree.blocks.iter().map(|block| (tree.language(block), tree.body(block).text().to_owned())).collect();
    let expected =
        [("bash", "pct create 1\n  --x\n"), ("", "quoted\n"), ("", "indented\n\nmore\n"), ("", "open\n")];
    assert_eq!(blocks, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    assert_eq!(tree.errors.len(), 1);
    let kinds: Vec<(LineKind, &str)> = tree.lines.iter().map(|line| (line.kind, tree.text(line))).collect();
    assert_eq!(kinds[0], (LineKind::FrontMatter, "title: x"));
    assert_eq!(kinds[1], (LineKind::Heading, "Deploy"));
    assert_eq!(kinds[4], (LineKind::ListItem, "First:"));
    assert_eq!(kinds[5], (LineKind::ListItem, "done [here](a.md \"t\")"));
    assert!(kinds.contains(&(LineKind::Comment, "still -->")));
    assert_eq!(tree.blocks[0].heading, Some(1));
    assert_eq!(tree.text(&tree.lines[tree.blocks[0].next_line - 1]), "First:");
}

#[test]
fn inline_elements_keep_their_places() {
    let tree = parse(&whole(DOC));
    let find = |text: &str| tree.lines.iter().find(|line| tree.text(line).contains(text)).unwrap();
    let code = tree.code_spans(find("pct list"));
    assert_eq!(code.iter().map(|span| span.value.as_str()).collect::<Vec<_>>(), ["pct list", "a`b"]);
    assert_eq!(&DOC[code[0].place.span.range()], "pct list");
    let links = tree.links(find("here"));
    assert_eq!((links[0].text.as_str(), links[0].target.value.as_str()), ("here", "a.md"));
    let row = tree.lines.iter().find(|line| line.kind == LineKind::TableRow).unwrap();
    assert_eq!(tree.cells(row)[0].value, "a");
}

#[test]
fn a_body_knows_its_positions_and_carriage_returns_go() {
    let text = "* x\r\n  ```sh\r\n  a\r\n  ```\r\n";
    let tree = parse(&whole(text));
    let body = tree.body(&tree.blocks[0]);
    assert_eq!(body.text(), "a\n");
    assert_eq!(&text[body.span(0..1).range()], "a");
}

proptest! {
    #[test]
    fn any_text_gives_lines_and_blocks_inside_it(text in "([ -~é\t]|\n|```|~~~|> |- |    |\\| |# |\r\n){0,60}") {
        let tree = parse(&whole(&text));
        for block in &tree.blocks {
            prop_assert!(text.get(tree.block_place(block).span.range()).is_some());
            let body = tree.body(block);
            prop_assert!(text.get(body.full_place().span.range()).is_some());
        }
        for line in &tree.lines {
            prop_assert!(text.get(tree.place(line).span.range()).is_some());
            let _ = tree.code_spans(line);
            let _ = tree.links(line);
            let _ = tree.cells(line);
        }
    }
}
