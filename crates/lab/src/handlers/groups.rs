//! Groups of users, realms, and changes of users.

use serde_json::{Value, json};

use crate::access::{Access, Group};
use crate::cx::Cx;
use crate::reply::{Answer, Refusal};

/// Groups that a user is in.
pub(super) fn of(access: &Access, user: &str) -> Vec<String> {
    let groups = access.groups.iter().filter(|(_, group)| group.members.contains(user));
    groups.map(|(name, _)| name.clone()).collect()
}

fn unknown(name: &str) -> Refusal {
    Refusal::died(format!("group '{name}' does not exist"))
}

pub(super) fn list(cx: &mut Cx<'_>) -> Answer {
    let seen = cx.state.access.groups.iter().filter(|(name, _)| {
        cx.may_any(&format!("/access/groups/{name}"), &["User.Modify", "Sys.Audit", "Group.Allocate"])
    });
    let lines = seen.map(|(name, group)| {
        let users: Vec<&str> = group.members.iter().map(String::as_str).collect();
        let mut line = json!({ "groupid": name, "users": users.join(",") });
        if let (Some(comment), Some(map)) = (&group.comment, line.as_object_mut()) {
            map.insert("comment".to_owned(), json!(comment));
        }
        line
    });
    Ok(Value::Array(lines.collect()).into())
}

pub(super) fn create(cx: &mut Cx<'_>) -> Answer {
    let name = cx.args.text("groupid");
    if cx.state.access.groups.contains_key(&name) {
        return Err(Refusal::died(format!("create group failed: group '{name}' already exists")));
    }
    let comment = cx.args.take("comment");
    cx.state.access.groups.insert(name, Group { comment, ..Group::default() });
    Ok(Value::Null.into())
}

pub(super) fn get(cx: &mut Cx<'_>) -> Answer {
    let name = cx.args.text("groupid");
    let group = cx.state.access.groups.get(&name).ok_or_else(|| unknown(&name))?;
    let mut answer = json!({ "members": group.members });
    if let (Some(comment), Some(map)) = (&group.comment, answer.as_object_mut()) {
        map.insert("comment".to_owned(), json!(comment));
    }
    Ok(answer.into())
}

pub(super) fn update(cx: &mut Cx<'_>) -> Answer {
    let (name, comment) = (cx.args.text("groupid"), cx.args.take("comment"));
    let group = cx.state.access.groups.get_mut(&name).ok_or_else(|| unknown(&name))?;
    group.comment = comment;
    Ok(Value::Null.into())
}

pub(super) fn delete(cx: &mut Cx<'_>) -> Answer {
    let name = cx.args.text("groupid");
    cx.state.access.groups.remove(&name).ok_or_else(|| unknown(&name))?;
    cx.state.access.forget(&format!("@{name}"));
    Ok(Value::Null.into())
}

pub(super) fn update_user(cx: &mut Cx<'_>) -> Answer {
    let (name, groups, append) = (cx.args.text("userid"), cx.args.list("groups"), cx.args.flag("append"));
    let given = cx.args.get("groups").is_some();
    let (enable, comment) = (cx.args.get("enable").map(|flag| flag == "1"), cx.args.take("comment"));
    if let Some(group) = groups.iter().find(|group| !cx.state.access.groups.contains_key(*group)) {
        return Err(unknown(group));
    }
    let user = cx.state.access.users.get_mut(&name);
    let user = user.ok_or_else(|| Refusal::died(format!("no such user ('{name}')")))?;
    user.enable = enable.unwrap_or(user.enable);
    user.comment = comment.or_else(|| user.comment.take());
    for (group, members) in &mut cx.state.access.groups {
        if groups.contains(group) {
            members.members.insert(name.clone());
        } else if given && !append {
            members.members.remove(&name);
        }
    }
    Ok(Value::Null.into())
}

/// The realms that every node has.
pub(super) fn realms(_: &mut Cx<'_>) -> Answer {
    Ok(json!([
        { "realm": "pam", "type": "pam", "comment": "Linux PAM standard authentication", "default": 1 },
        { "realm": "pve", "type": "pve", "comment": "Proxmox VE authentication server" },
    ])
    .into())
}
