//! Terraform expressions as text that Compose would read alike.

use plimsoll_syntax::hcl::{Block, Expression, ExpressionKind};
use plimsoll_text::FileId;

use crate::Trees;

/// References followed through references beyond which nothing is followed.
const DEPTH: u8 = 8;

/// The text of an expression: variables and locals with their values where files tell them, and `${NAME:?}`, which
/// Compose takes from an environment, for what only the run knows.
pub(super) fn text(value: &Expression, trees: &Trees, depth: u8) -> String {
    match &value.kind {
        ExpressionKind::String(layer) => layer.text().replace('$', "$$"),
        ExpressionKind::Template(layer) | ExpressionKind::Heredoc(layer) => {
            template(layer.text(), value.place.file, trees, depth)
        }
        ExpressionKind::Number(text) => text.clone(),
        ExpressionKind::Bool(value) => value.to_string(),
        ExpressionKind::Reference(name) => reference(name, value.place.file, trees, depth),
        _ => "${computed:?}".to_owned(),
    }
}

fn template(text: &str, file: FileId, trees: &Trees, depth: u8) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, after) = rest.split_at(at);
        out.push_str(&before.replace('$', "$$"));
        let inside = after.get(2..).unwrap_or_default();
        let end = inside.find('}').unwrap_or(inside.len());
        out.push_str(&reference(inside.get(..end).unwrap_or_default().trim(), file, trees, depth));
        rest = inside.get(end + 1..).unwrap_or_default();
    }
    out.push_str(&rest.replace('$', "$$"));
    out
}

fn reference(name: &str, file: FileId, trees: &Trees, depth: u8) -> String {
    let found = (depth < DEPTH).then(|| definition(name, file, trees)).flatten();
    if let Some(value) = found.filter(|value| !matches!(value.kind, ExpressionKind::Null)) {
        return text(value, trees, depth + 1);
    }
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(80).collect();
    if plain.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        format!("${{{plain}:?}}")
    } else {
        "${computed:?}".to_owned()
    }
}

/// The default of a variable, the value of a local, the image behind `docker_image`.
fn definition<'a>(name: &str, file: FileId, trees: &'a Trees) -> Option<&'a Expression> {
    let mut parts = name.split(['.', '[']);
    let (kind, label) = (parts.next()?, parts.next()?);
    let mut blocks = trees.terraform.values().flat_map(|tree| &tree.body.blocks);
    let is_resource = |block: &Block, kind: &str| {
        block.kind.value == "resource" && block.label(0) == Some(kind) && block.label(1) == Some(label)
    };
    match kind {
        "var" => trees.terraform_variable(label, file),
        "local" => {
            blocks.filter(|block| block.kind.value == "locals").find_map(|block| block.body.get(label))
        }
        "docker_image" => blocks.find(|block| is_resource(block, "docker_image"))?.body.get("name"),
        _ => None,
    }
}
