//! Settings classes: each field is an environment variable.

use std::collections::BTreeMap;

use plimsoll_syntax::python::{Expr, ExprKind, Module, Statement, StatementKind};

use super::env::literal;
use crate::application::types::{EnvRead, Language, Phase, Presence};

/// The fields of all classes that derive from `BaseSettings`.
pub(super) fn fields(tree: &Module<'_>, out: &mut Vec<EnvRead>) {
    // Classes of this file that settings classes may derive from, with their prefix.
    let mut known: BTreeMap<&str, String> = BTreeMap::new();
    tree.walk(&mut |_, statement| {
        let StatementKind::Class { name, bases, body, .. } = &statement.kind else { return };
        let inherited = bases.iter().find_map(|base| match base.value.last_name()? {
            "BaseSettings" => Some(String::new()),
            other => known.get(other).cloned(),
        });
        let Some(inherited) = inherited else { return };
        let prefix = prefix(body).unwrap_or(inherited);
        for field in body {
            out.extend(field_read(field, &prefix));
        }
        known.insert(name, prefix);
    });
}

/// `model_config = SettingsConfigDict(env_prefix="X_")` or `class Config: env_prefix = "X_"`.
fn prefix(body: &[Statement<'_>]) -> Option<String> {
    body.iter().find_map(|statement| match &statement.kind {
        StatementKind::Assign { targets, value: Some(value), .. } if targets.first()?.is("model_config") => {
            let from_dict = match &value.kind {
                ExprKind::Dict(entries) => entries
                    .iter()
                    .find_map(|(key, value)| (key.as_ref()?.as_str()? == "env_prefix").then_some(value)),
                _ => value.keyword("env_prefix"),
            };
            Some(from_dict?.as_str()?.into_owned())
        }
        StatementKind::Class { name: "Config", body, .. } => {
            body.iter().find_map(|inner| match &inner.kind {
                StatementKind::Assign { targets, value: Some(value), .. }
                    if targets.first()?.is("env_prefix") =>
                {
                    Some(value.as_str()?.into_owned())
                }
                _ => None,
            })
        }
        _ => None,
    })
}

fn field_read(field: &Statement<'_>, prefix: &str) -> Option<EnvRead> {
    let StatementKind::Assign { targets, annotation: Some(annotation), value, .. } = &field.kind else {
        return None;
    };
    let target = targets.first()?;
    let ExprKind::Name(name) = target.kind else { return None };
    if name.starts_with('_') || name == "model_config" || annotation.last_name() == Some("ClassVar") {
        return None;
    }
    let options =
        value.as_ref().filter(|value| value.last_name() == Some("Field") && value.as_call().is_some());
    let alias = options.and_then(|options| {
        ["validation_alias", "alias", "env"].iter().find_map(|key| first_string(options.keyword(key)?))
    });
    let default = match options {
        Some(options) => options.keyword("default").or_else(|| options.positional(0)),
        None => value.as_ref(),
    };
    let has_factory = options.is_some_and(|options| options.keyword("default_factory").is_some());
    let presence = match default {
        None if has_factory => Presence::Optional,
        // `...` says that there is no default.
        None => Presence::Required,
        Some(Expr { kind: ExprKind::Other(parts), .. }) if parts.is_empty() => Presence::Required,
        Some(default) => literal(default).map_or(Presence::Optional, Presence::Default),
    };
    Some(EnvRead {
        name: alias.unwrap_or_else(|| format!("{prefix}{name}").to_uppercase()),
        language: Language::Python,
        phase: Phase::Run,
        presence,
        settings_field: true,
        place: target.place,
    })
}

/// A string, or the first one of `AliasChoices("A", "B")`.
fn first_string(expr: &Expr<'_>) -> Option<String> {
    match expr.as_str() {
        Some(text) => Some(text.into_owned()),
        None => Some(expr.positional(0)?.as_str()?.into_owned()),
    }
}
