//! Rules of high availability, and changes of what it watches. They are kept and shown; nothing fails over.

use serde_json::{Map, Value, json};

use super::cluster::object;
use super::digest::{self, unmodified};
use crate::cx::Cx;
use crate::reply::{Answer, Refusal};

type Object = Map<String, Value>;

fn change(kept: &mut Object, new: Object, delete: &[String]) {
    for key in delete {
        kept.remove(key);
    }
    kept.extend(new);
}

pub(super) fn resource(cx: &mut Cx<'_>) -> Answer {
    let sid = cx.args.text("sid");
    let found = cx.state.ha.get(&sid).cloned();
    let found = found.ok_or_else(|| Refusal::died(format!("no such resource '{sid}'")))?;
    Ok(Value::Object(found).into())
}

pub(super) fn update_resource(cx: &mut Cx<'_>) -> Answer {
    let (sid, delete) = (cx.args.text("sid"), cx.args.list("delete"));
    let new = object(cx, &["sid", "delete", "digest"]);
    let kept = cx.state.ha.get_mut(&sid);
    let kept = kept.ok_or_else(|| Refusal::died(format!("no such resource ID '{sid}'")))?;
    change(kept, new, &delete);
    Ok(Value::Null.into())
}

/// A rule with the digest of the file that holds them all.
fn shown(rule: &Object, digest: &str) -> Value {
    let mut rule = rule.clone();
    rule.insert("digest".to_owned(), json!(digest));
    Value::Object(rule)
}

pub(super) fn rules(cx: &mut Cx<'_>) -> Answer {
    let (kind, resource) = (cx.args.get("type"), cx.args.get("resource"));
    let of = |rule: &Object, key: &str| rule.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let wanted = cx.state.ha_rules.values().filter(|rule| {
        kind.is_none_or(|kind| of(rule, "type") == kind)
            && resource.is_none_or(|sid| of(rule, "resources").split(',').any(|member| member == sid))
    });
    let now = digest::of(&cx.state.ha_rules);
    Ok(Value::Array(wanted.map(|rule| shown(rule, &now)).collect()).into())
}

pub(super) fn rule(cx: &mut Cx<'_>) -> Answer {
    let name = cx.args.text("rule");
    let found = cx.state.ha_rules.get(&name);
    let found = found.ok_or_else(|| Refusal::died(format!("no such ha rule '{name}'")))?;
    Ok(shown(found, &digest::of(&cx.state.ha_rules)).into())
}

pub(super) fn create_rule(cx: &mut Cx<'_>) -> Answer {
    let name = cx.args.text("rule");
    if cx.state.ha_rules.contains_key(&name) {
        return Err(Refusal::died(format!("HA rule '{name}' already defined")));
    }
    let needed = if cx.args.get("type") == Some("node-affinity") { "nodes" } else { "affinity" };
    if cx.args.get(needed).is_none() {
        return Err(Refusal::parameter(needed, "property is missing and it is not optional"));
    }
    for sid in cx.args.list("resources") {
        if !cx.state.ha.contains_key(&sid) {
            return Err(Refusal::died(format!("cannot use unmanaged resource(s) {sid}.")));
        }
    }
    let rule = object(cx, &["digest"]);
    cx.state.ha_rules.insert(name, rule);
    Ok(Value::Null.into())
}

pub(super) fn update_rule(cx: &mut Cx<'_>) -> Answer {
    let (name, delete) = (cx.args.text("rule"), cx.args.list("delete"));
    unmodified(&digest::of(&cx.state.ha_rules), cx.args.get("digest"))?;
    let new = object(cx, &["rule", "delete", "digest"]);
    let kept = cx.state.ha_rules.get_mut(&name);
    change(kept.ok_or_else(|| Refusal::died(format!("HA rule '{name}' does not exist")))?, new, &delete);
    Ok(Value::Null.into())
}

pub(super) fn delete_rule(cx: &mut Cx<'_>) -> Answer {
    let name = cx.args.text("rule");
    match cx.state.ha_rules.remove(&name) {
        Some(_) => Ok(Value::Null.into()),
        None => Err(Refusal::died(format!("HA rule '{name}' does not exist"))),
    }
}
