use proptest::prelude::*;

use super::*;
use crate::testing::whole;

fn texts(text: &str, dialect: Dialect) -> Vec<String> {
    let layer = whole(text);
    let tokens = parse(&layer, dialect);
    assert_eq!(tokens.errors, []);
    (0..tokens.len()).map(|index| tokens.text(index).to_owned()).collect()
}

#[test]
fn comments_strings_and_regular_expressions_are_told_apart() {
    let text = "#!/usr/bin/env node\n// process.env.A\nconst x = a / b / c, y = /[/'\"]+/g; /* it's */ z('\\'//', `t ${p.env.X} \\` ${`n`}`)";
    let expected = [
        "const",
        "x",
        "=",
        "a",
        "/",
        "b",
        "/",
        "c",
        ",",
        "y",
        "=",
        "/[/'\"]+/g",
        ";",
        "z",
        "(",
        "'\\'//'",
        ",",
        "t ",
        "{",
        "p",
        ".",
        "env",
        ".",
        "X",
        "}",
        " \\` ",
        "{",
        "n",
        "}",
        "",
        ")",
    ];
    assert_eq!(texts(text, Dialect::JavaScript), expected);
    let jsx = "return <p class=\"a\">don't {process.env.X} </p>";
    assert!(texts(jsx, Dialect::JavaScript).contains(&"env".to_owned()));
}

#[test]
fn other_dialects_have_their_own_strings() {
    let go = texts("os.Getenv(`a\\`) + \"b\\\"\" + 'c'", Dialect::Go);
    assert_eq!(go, ["os", ".", "Getenv", "(", "`a\\`", ")", "+", "\"b\\\"\"", "+", "'c'"]);
    let rust = texts("f::<'a>('\\'', r#\"x\"y\"#, b\"z\", \"a\nb\")", Dialect::Rust);
    let expected = [
        "f",
        ":",
        ":",
        "<",
        "'",
        "a",
        ">",
        "(",
        "'\\''",
        ",",
        "r#\"x\"y\"#",
        ",",
        "b\"z\"",
        ",",
        "\"a\nb\"",
        ")",
    ];
    assert_eq!(rust, expected);
}

#[test]
fn arguments_and_properties_are_found() {
    let layer = whole("app.use(cors({ origin: ['a', b], \"credentials\": true }), x)");
    let tokens = parse(&layer, Dialect::JavaScript);
    let arguments = tokens.arguments(3);
    assert_eq!(arguments.len(), 2);
    let brace = arguments[0].start + 2;
    let origin = tokens.property(brace, "origin").unwrap();
    assert_eq!(tokens.arguments(origin.start).len(), 2);
    assert_eq!(tokens.string(origin.start + 1).as_deref(), Some("a"));
    let credentials = tokens.property(brace, "credentials").unwrap();
    assert!(tokens.is(credentials.start, "true"));
    assert_eq!(layer.slice(0..0).text(), "");
    assert_eq!(tokens.close(3), tokens.len() - 1);
}

proptest! {
    #[test]
    fn any_text_gives_tokens_inside_it(text in "([ -~é\t]|\n|`|\\$\\{|\\}|/\\*|r#\"|'|\\\\){0,60}") {
        for dialect in [Dialect::JavaScript, Dialect::Go, Dialect::Rust] {
            let layer = whole(&text);
            let tokens = parse(&layer, dialect);
            for index in 0..tokens.len() {
                prop_assert!(text.get(tokens.place(index..index + 1).span.range()).is_some());
                let _ = (tokens.string(index), tokens.arguments(index), tokens.property(index, "a"));
            }
        }
    }
}
