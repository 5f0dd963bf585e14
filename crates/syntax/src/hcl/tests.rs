use proptest::prelude::*;

use super::*;
use crate::testing::whole;

const TEXT: &str = "# net\nresource \"proxmox_lxc\" \"web\" {\n  hostname     = \"a-${var.name}\\n\"\n  \
    unprivileged = false\n  memory = 2048 // MB\n  tags = [\"a\", \"b\",]\n  features {\n    nesting = true\n  }\n  \
    labels = { env = \"x\", \"k\" : upper(var.y) }\n  size = var.big ? \"8G\" : \"4G\"\n  \
    target = data.nodes.all.names[0]\n  run = <<-EOT\n    set -e\n      x ${self.id}\n  EOT\n  \
    keys = [for k in var.keys : k.id]\n}\nlocals { x = (1 + 2) }\n";

#[test]
fn blocks_attributes_and_expressions_are_read() {
    let tree = parse(&whole(TEXT));
    assert_eq!(tree.errors, []);
    let lxc = tree.body.blocks("resource").next().unwrap();
    assert_eq!((lxc.label(0), lxc.label(1)), (Some("proxmox_lxc"), Some("web")));
    let get = |name: &str| lxc.body.get(name).unwrap();
    assert!(
        matches!(&get("hostname").kind, ExpressionKind::Template(layer) if layer.text() == "a-${var.name}\n")
    );
    assert_eq!(get("unprivileged").as_bool(), Some(false));
    assert_eq!(get("memory").as_number(), Some(2048.0));
    assert!(matches!(&get("tags").kind, ExpressionKind::List(items) if items.len() == 2));
    let features = lxc.body.blocks("features").next().unwrap();
    assert_eq!(features.body.get("nesting").unwrap().as_bool(), Some(true));
    assert_eq!(get("labels").get("env").unwrap().as_str(), Some("x"));
    assert!(
        matches!(&get("labels").get("k").unwrap().kind, ExpressionKind::Call { name, .. } if name.value == "upper")
    );
    let parts: Vec<_> = get("size").children().iter().map(|part| part.as_str()).collect();
    assert_eq!(parts, [None, Some("8G"), Some("4G")]);
    assert_eq!(get("target").as_reference(), Some("data.nodes.all.names[0]"));
    let run = get("run").layer().unwrap();
    assert_eq!(run.text(), "set -e\n  x ${self.id}\n");
    assert_eq!(&TEXT[run.span(0..6).range()], "set -e");
    assert_eq!(&TEXT[get("size").place.span.range()], "var.big ? \"8G\" : \"4G\"");
    assert_eq!(tree.comments.len(), 2);
}

#[test]
fn mistakes_are_reported_and_reading_goes_on() {
    let tree = parse(&whole("a = \nb = \"x\n}\nc { d = [1, \ne = 2"));
    assert!(!tree.errors.is_empty());
    assert!(tree.body.attribute("b").is_some() && tree.body.blocks("c").next().is_some());
}

#[test]
fn deep_nesting_is_no_danger() {
    for open in ["[", "{a=", "(", "a {", "f("] {
        assert!(!parse(&whole(&format!("x = {}", open.repeat(50_000)))).errors.is_empty());
        let _ = parse(&whole(&open.repeat(50_000)));
    }
}

proptest! {
    #[test]
    fn any_text_gives_attributes_inside_it(text in "([ -~é\t]|\n|a = |b \\{\n|\\}|\\$\\{|\"|<<E|\\[|/\\*){0,60}") {
        fn check(text: &str, body: &Body) {
            for attribute in &body.attributes {
                assert!(text.get(attribute.place.span.range()).is_some());
                assert!(text.get(attribute.value.place.span.range()).is_some());
            }
            for block in &body.blocks {
                assert!(text.get(block.place.span.range()).is_some());
                check(text, &block.body);
            }
        }
        check(&text, &parse(&whole(&text)).body);
    }
}
