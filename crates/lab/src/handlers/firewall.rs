//! The firewall's switches and rules. They are kept and shown; nothing is filtered.

use serde_json::{Map, Value, json};

use super::cluster::object;
use super::digest::{self, unmodified};
use crate::cx::Cx;
use crate::guest::Kind;
use crate::reply::{Answer, Refusal};

fn with_digest(mut options: Map<String, Value>) -> Value {
    let now = digest::of(&options);
    options.insert("digest".to_owned(), json!(now));
    Value::Object(options)
}

fn change(options: &mut Map<String, Value>, new: Map<String, Value>, delete: &[String]) {
    for key in delete {
        options.remove(key);
    }
    options.extend(new);
}

pub(super) fn cluster_options(cx: &mut Cx<'_>) -> Answer {
    Ok(with_digest(cx.state.firewall.clone()).into())
}

pub(super) fn update_cluster_options(cx: &mut Cx<'_>) -> Answer {
    unmodified(&digest::of(&cx.state.firewall), cx.args.get("digest"))?;
    let (new, delete) = (object(cx, &["digest", "delete"]), cx.args.list("delete"));
    change(&mut cx.state.firewall, new, &delete);
    Ok(Value::Null.into())
}

pub(super) fn options(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    Ok(with_digest(cx.guest(kind)?.firewall.clone()).into())
}

const PLACE: [&str; 5] = ["node", "vmid", "digest", "delete", "pos"];

pub(super) fn update_options(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    unmodified(&digest::of(&cx.guest(kind)?.firewall), cx.args.get("digest"))?;
    let (new, delete) = (object(cx, &PLACE), cx.args.list("delete"));
    change(&mut cx.guest_mut(kind)?.firewall, new, &delete);
    Ok(Value::Null.into())
}

/// Rules of a guest, or of the cluster.
fn rules_of<'a>(cx: &'a mut Cx<'_>, kind: Option<Kind>) -> Result<&'a mut Vec<Map<String, Value>>, Refusal> {
    match kind {
        Some(kind) => Ok(&mut cx.guest_mut(kind)?.rules),
        None => Ok(&mut cx.state.firewall_rules),
    }
}

fn position(cx: &Cx<'_>) -> usize {
    cx.args.number("pos").and_then(|pos| usize::try_from(pos).ok()).unwrap_or(usize::MAX)
}

fn no_rule(pos: usize) -> Refusal {
    Refusal::died(format!("no rule at position {pos}"))
}

pub(super) fn rule(cx: &mut Cx<'_>, kind: Option<Kind>) -> Answer {
    let pos = position(cx);
    let rules = rules_of(cx, kind)?;
    let mut rule = rules.get(pos).cloned().ok_or_else(|| no_rule(pos))?;
    rule.insert("pos".to_owned(), json!(pos));
    rule.insert("digest".to_owned(), json!(digest::of(rules)));
    Ok(Value::Object(rule).into())
}

/// Changes a rule, or moves it before another.
pub(super) fn update_rule(cx: &mut Cx<'_>, kind: Option<Kind>) -> Answer {
    let (pos, delete) = (position(cx), cx.args.list("delete"));
    let to = cx.args.number("moveto").and_then(|to| usize::try_from(to).ok());
    let (new, seen) = (described(cx), cx.args.take("digest"));
    let rules = rules_of(cx, kind)?;
    unmodified(&digest::of(rules), seen.as_deref())?;
    let rule = rules.get_mut(pos).ok_or_else(|| no_rule(pos))?;
    match to {
        Some(to) => {
            let rule = rules.remove(pos);
            let to = if to > pos { to - 1 } else { to };
            rules.insert(to.min(rules.len()), rule);
        }
        None => change(rule, new, &delete),
    }
    Ok(Value::Null.into())
}

/// What a rule says, with numbers and words as they were given.
fn described(cx: &Cx<'_>) -> Map<String, Value> {
    let mut rule = object(cx, &PLACE);
    rule.remove("moveto");
    for key in ["dport", "sport", "source", "dest", "proto", "comment"] {
        if let Some(text) = cx.args.get(key) {
            rule.insert(key.to_owned(), json!(text));
        }
    }
    rule
}

pub(super) fn rules(cx: &mut Cx<'_>, kind: Option<Kind>) -> Answer {
    let rules = rules_of(cx, kind)?;
    // One digest for the whole list (`PVE::Firewall::copy_list_with_digest`).
    let now = digest::of(rules);
    let rules = rules.iter().enumerate().map(|(pos, rule)| {
        let mut rule = rule.clone();
        rule.insert("pos".to_owned(), json!(pos));
        rule.insert("digest".to_owned(), json!(now));
        Value::Object(rule)
    });
    Ok(Value::Array(rules.collect()).into())
}

pub(super) fn create_rule(cx: &mut Cx<'_>, kind: Option<Kind>) -> Answer {
    let pos = cx.args.number("pos").and_then(|pos| usize::try_from(pos).ok()).unwrap_or(0);
    let mut rule = described(cx);
    // A new rule does nothing until it is switched on.
    rule.entry("enable").or_insert_with(|| json!(0));
    let rules = rules_of(cx, kind)?;
    let pos = pos.min(rules.len());
    rules.insert(pos, rule);
    Ok(Value::Null.into())
}

pub(super) fn delete_rule(cx: &mut Cx<'_>, kind: Option<Kind>) -> Answer {
    let (pos, seen) = (position(cx), cx.args.take("digest"));
    let rules = rules_of(cx, kind)?;
    unmodified(&digest::of(rules), seen.as_deref())?;
    if pos >= rules.len() {
        return Err(no_rule(pos));
    }
    rules.remove(pos);
    Ok(Value::Null.into())
}
