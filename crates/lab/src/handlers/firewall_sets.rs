//! The firewall's names for addresses and its sets of them, of the cluster and of guests.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::digest::{self, unmodified};
use crate::cx::Cx;
use crate::guest::Kind;
use crate::reply::{Answer, Refusal};

type Object = Map<String, Value>;

/// Names and sets of one place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sets {
    aliases: BTreeMap<String, Object>,
    sets: BTreeMap<String, Set>,
}

#[derive(Clone, Debug, Default)]
struct Set {
    comment: Option<String>,
    members: BTreeMap<String, Object>,
}

/// The sets of a guest, or of the cluster.
fn of<'a>(cx: &'a mut Cx<'_>, kind: Option<Kind>) -> Result<&'a mut Sets, Refusal> {
    match kind {
        Some(kind) => Ok(&mut cx.guest_mut(kind)?.sets),
        None => Ok(&mut cx.state.firewall_sets),
    }
}

fn shown(object: &Object, digest: &str) -> Value {
    let mut object = object.clone();
    object.insert("digest".to_owned(), json!(digest));
    Value::Object(object)
}

fn no_set(name: &str) -> Refusal {
    Refusal::died(format!("no such IPSet '{name}'"))
}

fn described(cx: &mut Cx<'_>, keys: &[&str]) -> Object {
    let mut out = Object::new();
    for key in keys {
        if let Some(text) = cx.args.get(key) {
            let value = if *key == "nomatch" { json!(u8::from(text == "1")) } else { json!(text) };
            out.insert((*key).to_owned(), value);
        }
    }
    out
}

pub(super) fn aliases(cx: &mut Cx<'_>, kind: Option<Kind>) -> Answer {
    let aliases = &of(cx, kind)?.aliases;
    let now = digest::of(aliases);
    Ok(Value::Array(aliases.values().map(|alias| shown(alias, &now)).collect()).into())
}

pub(super) fn alias(cx: &mut Cx<'_>, kind: Option<Kind>) -> Answer {
    let name = cx.args.text("name");
    let aliases = &of(cx, kind)?.aliases;
    let found =
        aliases.get(&name).ok_or_else(|| Refusal::parameter("name", format!("no such alias '{name}'")))?;
    Ok(shown(found, &digest::of(aliases)).into())
}

pub(super) fn create_alias(cx: &mut Cx<'_>, kind: Option<Kind>) -> Answer {
    let (name, alias) = (cx.args.text("name"), described(cx, &["name", "cidr", "comment"]));
    let aliases = &mut of(cx, kind)?.aliases;
    if aliases.contains_key(&name) {
        return Err(Refusal::parameter("name", format!("alias '{name}' already exists")));
    }
    aliases.insert(name, alias);
    Ok(Value::Null.into())
}

pub(super) fn update_alias(cx: &mut Cx<'_>, kind: Option<Kind>) -> Answer {
    let (name, rename) = (cx.args.text("name"), cx.args.take("rename"));
    let (mut alias, seen) = (described(cx, &["cidr", "comment"]), cx.args.take("digest"));
    let aliases = &mut of(cx, kind)?.aliases;
    unmodified(&digest::of(aliases), seen.as_deref())?;
    if aliases.remove(&name).is_none() {
        return Err(Refusal::parameter("name", format!("no such alias '{name}'")));
    }
    let name = rename.unwrap_or(name);
    alias.insert("name".to_owned(), json!(name));
    aliases.insert(name, alias);
    Ok(Value::Null.into())
}

pub(super) fn delete_alias(cx: &mut Cx<'_>, kind: Option<Kind>) -> Answer {
    let (name, seen) = (cx.args.text("name"), cx.args.take("digest"));
    let aliases = &mut of(cx, kind)?.aliases;
    unmodified(&digest::of(aliases), seen.as_deref())?;
    // One that is not there is gone as well.
    aliases.remove(&name);
    Ok(Value::Null.into())
}

pub(super) fn sets(cx: &mut Cx<'_>, kind: Option<Kind>) -> Answer {
    let sets = &of(cx, kind)?.sets;
    let now = digest::of(sets);
    let lines = sets.iter().map(|(name, set)| {
        let mut line = json!({ "name": name, "digest": now });
        if let (Some(comment), Some(map)) = (&set.comment, line.as_object_mut()) {
            map.insert("comment".to_owned(), json!(comment));
        }
        line
    });
    Ok(Value::Array(lines.collect()).into())
}

/// Makes a set, or gives one another name and comment.
pub(super) fn create_set(cx: &mut Cx<'_>, kind: Option<Kind>) -> Answer {
    let (name, rename, comment) = (cx.args.text("name"), cx.args.take("rename"), cx.args.take("comment"));
    let seen = cx.args.take("digest");
    let sets = &mut of(cx, kind)?.sets;
    unmodified(&digest::of(sets), seen.as_deref())?;
    let set = match rename {
        Some(old) => Set { comment, ..sets.remove(&old).ok_or_else(|| no_set(&old))? },
        None if sets.contains_key(&name) => {
            return Err(Refusal::parameter("name", format!("IPSet '{name}' already exists")));
        }
        None => Set { comment, ..Set::default() },
    };
    sets.insert(name, set);
    Ok(Value::Null.into())
}

pub(super) fn delete_set(cx: &mut Cx<'_>, kind: Option<Kind>) -> Answer {
    let (name, force) = (cx.args.text("name"), cx.args.flag("force"));
    let sets = &mut of(cx, kind)?.sets;
    if sets.get(&name).is_some_and(|set| !set.members.is_empty()) && !force {
        return Err(Refusal::died(format!("IPSet '{name}' is not empty")));
    }
    sets.remove(&name);
    Ok(Value::Null.into())
}

fn set<'a>(cx: &'a mut Cx<'_>, kind: Option<Kind>) -> Result<&'a mut Set, Refusal> {
    let name = cx.args.text("name");
    of(cx, kind)?.sets.get_mut(&name).ok_or_else(|| no_set(&name))
}

pub(super) fn members(cx: &mut Cx<'_>, kind: Option<Kind>) -> Answer {
    let members = &set(cx, kind)?.members;
    let now = digest::of(members);
    Ok(Value::Array(members.values().map(|member| shown(member, &now)).collect()).into())
}

pub(super) fn member(cx: &mut Cx<'_>, kind: Option<Kind>) -> Answer {
    let cidr = cx.args.text("cidr");
    let members = &set(cx, kind)?.members;
    let found = members.get(&cidr).ok_or_else(|| Refusal::parameter("cidr", "no such IP/Network"))?;
    Ok(shown(found, &digest::of(members)).into())
}

pub(super) fn create_member(cx: &mut Cx<'_>, kind: Option<Kind>) -> Answer {
    let (cidr, member) = (cx.args.text("cidr"), described(cx, &["cidr", "comment", "nomatch"]));
    let members = &mut set(cx, kind)?.members;
    if members.contains_key(&cidr) {
        return Err(Refusal::parameter("cidr", format!("address '{cidr}' already exists")));
    }
    members.insert(cidr, member);
    Ok(Value::Null.into())
}

pub(super) fn delete_member(cx: &mut Cx<'_>, kind: Option<Kind>) -> Answer {
    let (cidr, seen) = (cx.args.text("cidr"), cx.args.take("digest"));
    let members = &mut set(cx, kind)?.members;
    unmodified(&digest::of(members), seen.as_deref())?;
    // One that is not there is gone as well.
    members.remove(&cidr);
    Ok(Value::Null.into())
}
