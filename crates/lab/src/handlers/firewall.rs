//! The firewall's switches and rules. They are kept and shown; nothing is filtered.

use serde_json::{Map, Value, json};

use super::cluster::object;
use crate::cx::Cx;
use crate::guest::Kind;
use crate::reply::{Answer, Refusal};

const EMPTY: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

fn with_digest(mut options: Map<String, Value>) -> Value {
    let digest = if options.is_empty() { EMPTY.to_owned() } else { format!("{:040x}", options.len() * 7919) };
    options.insert("digest".to_owned(), json!(digest));
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
    let (new, delete) = (object(cx, &["digest", "delete"]), cx.args.list("delete"));
    change(&mut cx.state.firewall, new, &delete);
    Ok(Value::Null.into())
}

pub(super) fn options(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    Ok(with_digest(cx.guest(kind)?.firewall.clone()).into())
}

const PLACE: [&str; 5] = ["node", "vmid", "digest", "delete", "pos"];

pub(super) fn update_options(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let (new, delete) = (object(cx, &PLACE), cx.args.list("delete"));
    change(&mut cx.guest_mut(kind)?.firewall, new, &delete);
    Ok(Value::Null.into())
}

pub(super) fn rules(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let rules = cx.guest(kind)?.rules.iter().enumerate().map(|(pos, rule)| {
        let mut rule = rule.clone();
        rule.insert("pos".to_owned(), json!(pos));
        rule.insert("digest".to_owned(), json!(EMPTY));
        Value::Object(rule)
    });
    Ok(Value::Array(rules.collect()).into())
}

pub(super) fn create_rule(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let pos = cx.args.number("pos").and_then(|pos| usize::try_from(pos).ok()).unwrap_or(0);
    let mut rule = object(cx, &PLACE);
    for key in ["dport", "sport", "source", "dest", "proto", "comment"] {
        if let Some(text) = cx.args.get(key) {
            rule.insert(key.to_owned(), json!(text));
        }
    }
    // A new rule does nothing until it is switched on.
    rule.entry("enable").or_insert_with(|| json!(0));
    let rules = &mut cx.guest_mut(kind)?.rules;
    let pos = pos.min(rules.len());
    rules.insert(pos, rule);
    Ok(Value::Null.into())
}

pub(super) fn delete_rule(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let pos = cx.args.number("pos").and_then(|pos| usize::try_from(pos).ok()).unwrap_or(usize::MAX);
    let rules = &mut cx.guest_mut(kind)?.rules;
    if pos >= rules.len() {
        return Err(Refusal::died(format!("no rule at position {pos}")));
    }
    rules.remove(pos);
    Ok(Value::Null.into())
}
