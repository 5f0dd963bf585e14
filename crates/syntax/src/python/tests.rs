use proptest::prelude::*;

use super::*;
use crate::testing::whole;

fn show(expr: &Expr<'_>) -> String {
    let list = |items: &[Expr<'_>]| items.iter().map(show).collect::<Vec<_>>().join(" ");
    match &expr.kind {
        ExprKind::Name(name) => (*name).to_owned(),
        ExprKind::Attribute(value, name) => format!("{}.{name}", show(value)),
        ExprKind::Call(function, arguments) => {
            let arguments: Vec<String> = arguments
                .iter()
                .map(|argument| match argument.name {
                    Some(name) => format!("{name}={}", show(&argument.value)),
                    None => show(&argument.value),
                })
                .collect();
            format!("{}({})", show(function), arguments.join(" "))
        }
        ExprKind::Subscript(value, index) => format!("{}[{}]", show(value), show(index)),
        ExprKind::String(string) => {
            let parts = string.parts.iter().map(|part| match part {
                StrPart::Literal(text, _) => format!("{text:?}"),
                StrPart::Expr(inner, _) => format!("<{}>", show(inner)),
            });
            parts.collect()
        }
        ExprKind::Number(text) => (*text).to_owned(),
        ExprKind::List(items) => format!("[{}]", list(items)),
        ExprKind::Tuple(items) => format!("({})", list(items)),
        ExprKind::Set(items) => format!("{{{}}}", list(items)),
        ExprKind::Dict(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}:{}", key.as_ref().map_or("**".into(), show), show(value)))
                .collect();
            format!("{{{}}}", entries.join(" "))
        }
        ExprKind::Operation(operator, operands) => format!("({operator} {})", list(operands)),
        ExprKind::Other(items) => format!("?({})", list(items)),
    }
}

fn first(text: &str) -> String {
    let layer = whole(text);
    let tree = parse(&layer);
    assert_eq!(tree.errors, [], "{text}");
    show(tree.body[0].expressions()[0])
}

#[test]
fn expressions_keep_their_shape() {
    assert_eq!(first("f(a.b, k=[1, 'x'], *r, **{'a': None})"), "f(a.b k=[1 \"x\"] *=r **={\"a\":None})");
    assert_eq!(first("os.environ['X'] or 'd' if y else -1"), "(if (or os.environ[\"X\"] \"d\") y (- 1))");
    assert_eq!(first("a + b * c + d == e and not f"), "(and (== (+ a (* b c) d) e) (not f))");
    assert_eq!(first("[x for x in y if z(x)]"), "[?(x x y z(x))]");
    assert_eq!(first("{k: v for k, v in d}"), "{k:?(v k v d)}");
    assert_eq!(first("(a, )\n"), "a");
    assert_eq!(first("await g(lambda x: x[1:2, ::3])"), "(await g(?(x[(?(1 2) ?(?() 3))])))");
}

#[test]
fn strings_are_joined_and_interpolations_are_expressions() {
    assert_eq!(first("'a' \"b\\n\" rb'\\n'"), "\"a\"\"b\\n\"\"\\\\n\"");
    assert_eq!(
        first("f'ssh {host!r:>10} {{x}} {d[\"k\"]} {a + b=}'"),
        "\"ssh \"<host>\" {x} \"<d[\"k\"]>\" \"<(+ a b)>"
    );
    assert_eq!(first("f\"{x[\"k\"]}-{y}\""), "<x[\"k\"]>\"-\"<y>");
    assert_eq!(first("\"\"\"a\n\"b\" \"\"\""), "\"a\\n\\\"b\\\" \"");
}

#[test]
fn layers_of_strings_know_their_positions() {
    let text = "run(f'echo \\'{name}\\' '\n    'and')";
    let layer = whole(text);
    let tree = parse(&layer);
    let call = tree.body[0].expressions()[0];
    let ExprKind::String(string) = &call.positional(0).unwrap().kind else { panic!() };
    let decoded = string.layer(&layer);
    assert_eq!(decoded.text(), "echo '{name}' and");
    let at = decoded.text().find("and").unwrap();
    assert_eq!(&text[decoded.span(at..at + 3).range()], "and");
}

#[test]
fn statements_nest_by_indentation() {
    let text = "import os, a.b as c\nfrom .x import (y as z, w,)\n\n@app.get('/h', tags=[1])\nasync def health(\n    \
        q: int = 3, *, s=None\n) -> dict:\n    '''Doc'''\n    if q: return {'a': 1}; x = 2\n\n    # note\n    return None\n\n\
        class S(Base, k=1):\n    url: str = 'x'\n    debug = True\n    class Config:\n        env_prefix = 'A_'\nn += 1\n\
        match v:\n    case 1:\n        pass\n";
    let layer = whole(text);
    let tree = parse(&layer);
    assert_eq!(tree.errors, []);
    let mut lines = Vec::new();
    tree.walk(&mut |around, one| {
        let name = match &one.kind {
            StatementKind::Import(names) => {
                names.iter().map(|name| format!("{}/{}", name.module, name.name.unwrap_or("-"))).collect()
            }
            StatementKind::Function { name, decorators, parameters, .. } => {
                format!("def {name} {} {}", show(&decorators[0]), parameters.len())
            }
            StatementKind::Class { name, bases, .. } => format!("class {name} {}", bases.len()),
            StatementKind::Assign { targets, .. } => format!("{} =", show(&targets[0])),
            StatementKind::Block { keyword, .. } => (*keyword).to_owned(),
            StatementKind::Return(_) => "return".to_owned(),
            StatementKind::Other(word, _) => (*word).to_owned(),
            _ => "expression".to_owned(),
        };
        lines.push(format!("{}{name}", " ".repeat(around.len())));
    });
    let expected = [
        "os/-a.b/-",
        ".x/y.x/w",
        "def health app.get(\"/h\" tags=[1]) 2",
        " expression",
        " if",
        "  return",
        "  x =",
        " return",
        "class S 2",
        " url =",
        " debug =",
        " class Config 0",
        "  env_prefix =",
        "n =",
        "match",
        " case",
        "  pass",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn unclosed_strings_and_deep_nesting_are_no_danger() {
    assert_eq!(parse(&whole("a = 'x\nb = 1\n")).errors.len(), 1);
    for text in ["(", "[", "{", "f(", "not ", "a[", "-", "lambda:", "x if ", "f'{", "{a:", "if a:", "a = "] {
        let _ = parse(&whole(&text.repeat(20_000)));
    }
    let nested: String = (0..3_000).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
    let _ = parse(&whole(&nested));
}

proptest! {
    #[test]
    fn any_text_gives_expressions_inside_it(text in "([ -~é\t]|\n|\n  |f'|\"\"\"|\\{|\\(|def a|class |x = |if |: |\\\\\n){0,60}") {
        let layer = whole(&text);
        let tree = parse(&layer);
        tree.walk(&mut |_, statement| {
            assert!(text.get(statement.place.span.range()).is_some());
            for expression in statement.expressions() {
                expression.walk(&mut |one| {
                    assert!(text.get(one.place.span.range()).is_some());
                    if let ExprKind::String(string) = &one.kind {
                        let decoded = string.layer(&layer);
                        assert!(text.get(decoded.full_place().span.range()).is_some());
                        if let Some(literal) = string.literal() {
                            assert_eq!(literal, decoded.text());
                        }
                    }
                });
            }
        });
    }
}
