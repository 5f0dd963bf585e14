//! Users, tokens, roles and the access control list.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::access::{BUILTIN, Caller, Token, User, is_acl_path, privileges};
use crate::cx::Cx;
use crate::reply::{Answer, Refusal};

/// The token against forged requests that belongs to a ticket.
pub(crate) fn csrf(ticket: &str) -> String {
    let digest = Sha256::digest(format!("csrf:{ticket}"));
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("6B038000:{hex}")
}

pub(super) fn login(cx: &mut Cx<'_>) -> Answer {
    let (user, password) = (cx.args.text("username"), cx.args.text("password"));
    let failed = || Refusal::new(401, "authentication failure");
    let now = cx.state.now();
    let known = cx.state.access.users.get(&user).filter(|user| user.enable).ok_or_else(failed)?;
    // A ticket that is still good renews itself.
    let renews = cx
        .state
        .access
        .tickets
        .get(&password)
        .is_some_and(|(of, given)| *of == user && now - given < 7_200_000);
    if known.password.as_deref() != Some(password.as_str()) && !renews {
        return Err(failed());
    }
    let (a, b) = (cx.state.rng.next(), cx.state.rng.next());
    let ticket = format!("PVE:{user}:{:08X}::{a:016x}{b:016x}", now / 1000);
    cx.state.access.tickets.insert(ticket.clone(), (user.clone(), now));
    let caller = Caller { user: user.clone(), token: None };
    let cap: Map<String, Value> = [
        ("vms", "/vms"),
        ("storage", "/storage"),
        ("nodes", "/nodes"),
        ("access", "/access"),
        ("dc", "/"),
        ("sdn", "/sdn"),
        ("mapping", "/mapping"),
    ]
    .into_iter()
    .map(|(name, path)| {
        let all: Map<String, Value> =
            cx.state.access.effective(&caller, path, None).into_keys().map(|name| (name, json!(1))).collect();
        (name.to_owned(), Value::Object(all))
    })
    .collect();
    Ok(json!({ "username": user, "ticket": ticket, "CSRFPreventionToken": csrf(&ticket), "cap": cap }).into())
}

pub(super) fn permissions(cx: &mut Cx<'_>) -> Answer {
    let caller = match cx.args.get("userid") {
        Some(id) if id != cx.caller.full() => {
            cx.need("/access", &["Sys.Audit"])?;
            match id.split_once('!') {
                Some((user, token)) => Caller { user: user.to_owned(), token: Some(token.to_owned()) },
                None => Caller { user: id.to_owned(), token: None },
            }
        }
        _ => cx.caller.clone(),
    };
    let of = |path: &str| -> Map<String, Value> {
        let all = cx.state.access.effective(&caller, path, cx.state.pool_of(path));
        all.into_iter().map(|(name, inherited)| (name, json!(u8::from(inherited)))).collect()
    };
    if let Some(path) = cx.args.get("path") {
        return Ok(json!({ path: of(path) }).into());
    }
    let usual = ["/", "/access", "/nodes", "/pool", "/sdn", "/storage", "/vms"];
    let mut paths: BTreeSet<String> = usual.into_iter().map(str::to_owned).collect();
    paths.extend(cx.state.access.acl.keys().cloned());
    for pool in cx.state.pools.values() {
        paths.extend(pool.guests.iter().map(|vmid| format!("/vms/{vmid}")));
    }
    let found = paths.into_iter().map(|path| (path.clone(), of(&path))).filter(|(_, all)| !all.is_empty());
    Ok(Value::Object(found.map(|(path, all)| (path, Value::Object(all))).collect()).into())
}

pub(super) fn acl(cx: &mut Cx<'_>) -> Answer {
    let mut lines = Vec::new();
    for (path, subjects) in &cx.state.access.acl {
        if !cx.may_any(path, &["Permissions.Modify"]) && !cx.may("/access", "Sys.Audit") {
            continue;
        }
        for (subject, roles) in subjects {
            let (kind, subject) = match subject.strip_prefix('@') {
                Some(group) => ("group", group),
                None if subject.contains('!') => ("token", subject.as_str()),
                None => ("user", subject.as_str()),
            };
            for (role, inherited) in roles {
                lines.push(json!({
                    "path": path, "ugid": subject, "type": kind, "roleid": role, "propagate": u8::from(*inherited),
                }));
            }
        }
    }
    Ok(Value::Array(lines).into())
}

pub(super) fn update_acl(cx: &mut Cx<'_>) -> Answer {
    let path = cx.args.text("path");
    let path = if path.len() > 1 { path.trim_end_matches('/').to_owned() } else { path };
    if !is_acl_path(&path) {
        return Err(Refusal::parameter("path", format!("invalid ACL path '{path}'")));
    }
    let mut subjects: Vec<String> = ["users", "tokens"].iter().flat_map(|name| cx.args.list(name)).collect();
    let groups = cx.args.list("groups");
    if let Some(group) = groups.iter().find(|group| !cx.state.access.groups.contains_key(*group)) {
        return Err(Refusal::died(format!("group '{group}' does not exist")));
    }
    subjects.extend(groups.into_iter().map(|group| format!("@{group}")));
    if subjects.is_empty() {
        return Err(Refusal::parameter("users", "you need to specify either 'users', 'groups' or 'tokens'"));
    }
    let (inherited, delete) = (cx.args.get("propagate") != Some("0"), cx.args.flag("delete"));
    for role in cx.args.list("roles") {
        if cx.state.access.role(&role).is_none() {
            return Err(Refusal::died(format!("role '{role}' does not exist")));
        }
        for subject in &subjects {
            let (user, token) = subject.split_once('!').unwrap_or((subject, ""));
            let known = subject.starts_with('@')
                || cx
                    .state
                    .access
                    .users
                    .get(user)
                    .is_some_and(|user| token.is_empty() || user.tokens.contains_key(token));
            if !known && !delete {
                let what = if token.is_empty() { "user" } else { "no such token" };
                return Err(Refusal::died(
                    format!("{what} '{subject}' does not exist").replace("no such token '", "token '"),
                ));
            }
            let given =
                cx.state.access.acl.entry(path.clone()).or_default().entry(subject.clone()).or_default();
            if delete {
                given.remove(&role);
            } else {
                given.insert(role.clone(), inherited);
            }
        }
    }
    for subjects in cx.state.access.acl.values_mut() {
        subjects.retain(|_, roles| !roles.is_empty());
    }
    cx.state.access.acl.retain(|_, subjects| !subjects.is_empty());
    Ok(Value::Null.into())
}

fn privileges_given(cx: &Cx<'_>) -> Result<BTreeSet<String>, Refusal> {
    let known = privileges(cx.state.release);
    let given = cx.args.list("privs");
    match given.iter().find(|name| !known.contains(name.as_str())) {
        Some(name) => {
            Err(Refusal::parameter("privs", format!("invalid format - invalid privilege '{name}'\n")))
        }
        None => Ok(given.into_iter().collect()),
    }
}

pub(super) fn roles(cx: &mut Cx<'_>) -> Answer {
    let access = &cx.state.access;
    let own = access.roles.keys().map(|name| (name.clone(), false));
    let all = BUILTIN.iter().map(|name| ((*name).to_owned(), true)).chain(own);
    let lines = all.map(|(name, special)| {
        let names: Vec<String> = access.role(&name).unwrap_or_default().into_iter().collect();
        json!({ "roleid": name, "privs": names.join(","), "special": u8::from(special) })
    });
    Ok(Value::Array(lines.collect()).into())
}

pub(super) fn role(cx: &mut Cx<'_>) -> Answer {
    let name = cx.args.text("roleid");
    let role =
        cx.state.access.role(&name).ok_or_else(|| Refusal::died(format!("role '{name}' does not exist")))?;
    Ok(Value::Object(role.into_iter().map(|name| (name, json!(1))).collect()).into())
}

pub(super) fn create_role(cx: &mut Cx<'_>) -> Answer {
    let (name, names) = (cx.args.text("roleid"), privileges_given(cx)?);
    if cx.state.access.role(&name).is_some() {
        return Err(Refusal::died(format!("role '{name}' already exists")));
    }
    cx.state.access.roles.insert(name, names);
    Ok(Value::Null.into())
}

pub(super) fn update_role(cx: &mut Cx<'_>) -> Answer {
    let (name, names) = (cx.args.text("roleid"), privileges_given(cx)?);
    let append = cx.args.flag("append");
    let role = cx.state.access.roles.get_mut(&name);
    let role = role.ok_or_else(|| Refusal::died(format!("role '{name}' does not exist")))?;
    if !append {
        role.clear();
    }
    role.extend(names);
    Ok(Value::Null.into())
}

pub(super) fn delete_role(cx: &mut Cx<'_>) -> Answer {
    let name = cx.args.text("roleid");
    if cx.state.access.roles.remove(&name).is_none() {
        return Err(Refusal::died(format!("role '{name}' does not exist")));
    }
    for roles in cx.state.access.acl.values_mut().flat_map(BTreeMap::values_mut) {
        roles.remove(&name);
    }
    Ok(Value::Null.into())
}

pub(super) fn users(cx: &mut Cx<'_>) -> Answer {
    let all = cx.may_any("/access/groups", &["User.Modify", "Sys.Audit"]);
    let seen = cx.state.access.users.iter().filter(|(name, _)| all || **name == cx.caller.user);
    let lines = seen.map(|(name, user)| {
        let mut line =
            json!({ "userid": name, "enable": u8::from(user.enable), "expire": 0, "realm-type": "pve" });
        if let (Some(comment), Some(map)) = (&user.comment, line.as_object_mut()) {
            map.insert("comment".to_owned(), json!(comment));
        }
        line
    });
    Ok(Value::Array(lines.collect()).into())
}

pub(super) fn create_user(cx: &mut Cx<'_>) -> Answer {
    let name = cx.args.text("userid");
    if cx.state.access.users.contains_key(&name) {
        return Err(Refusal::died(format!("create user failed: user '{name}' already exists")));
    }
    let user = User {
        password: cx.args.take("password"),
        enable: cx.args.get("enable") != Some("0"),
        comment: cx.args.take("comment"),
        tokens: BTreeMap::new(),
    };
    cx.state.access.users.insert(name, user);
    Ok(Value::Null.into())
}

fn known_user<'a>(cx: &'a Cx<'_>, name: &str) -> Result<&'a User, Refusal> {
    cx.state.access.users.get(name).ok_or_else(|| Refusal::died(format!("no such user ('{name}')")))
}

pub(super) fn user(cx: &mut Cx<'_>) -> Answer {
    let user = known_user(cx, &cx.args.text("userid"))?;
    let tokens: Map<String, Value> =
        user.tokens.iter().map(|(name, token)| (name.clone(), described(token))).collect();
    let groups = super::groups::of(&cx.state.access, &cx.args.text("userid"));
    Ok(json!({ "enable": u8::from(user.enable), "expire": 0, "groups": groups, "tokens": tokens }).into())
}

pub(super) fn delete_user(cx: &mut Cx<'_>) -> Answer {
    let name = cx.args.text("userid");
    known_user(cx, &name)?;
    let user = cx.state.access.users.remove(&name);
    for group in cx.state.access.groups.values_mut() {
        group.members.remove(&name);
    }
    for token in user.iter().flat_map(|user| user.tokens.keys()) {
        cx.state.access.forget(&format!("{name}!{token}"));
    }
    cx.state.access.forget(&name);
    Ok(Value::Null.into())
}

fn described(token: &Token) -> Value {
    let mut value = json!({ "privsep": u8::from(token.privsep), "expire": token.expire });
    if let (Some(comment), Some(map)) = (&token.comment, value.as_object_mut()) {
        map.insert("comment".to_owned(), json!(comment));
    }
    value
}

pub(super) fn tokens(cx: &mut Cx<'_>) -> Answer {
    let user = known_user(cx, &cx.args.text("userid"))?;
    let lines = user.tokens.iter().map(|(name, token)| {
        let mut line = described(token);
        if let Some(map) = line.as_object_mut() {
            map.insert("tokenid".to_owned(), json!(name));
        }
        line
    });
    Ok(Value::Array(lines.collect()).into())
}

pub(super) fn token(cx: &mut Cx<'_>) -> Answer {
    let (user, name) = (cx.args.text("userid"), cx.args.text("tokenid"));
    let token = known_user(cx, &user)?.tokens.get(&name);
    let token = token.ok_or_else(|| Refusal::died(format!("no such token '{name}' for user '{user}'")))?;
    Ok(described(token).into())
}

pub(super) fn create_token(cx: &mut Cx<'_>) -> Answer {
    let (user, name) = (cx.args.text("userid"), cx.args.text("tokenid"));
    if known_user(cx, &user)?.tokens.contains_key(&name) {
        return Err(Refusal::parameter("tokenid", "Token already exists."));
    }
    let token = Token {
        secret: cx.state.rng.uuid(),
        privsep: cx.args.get("privsep") != Some("0"),
        expire: cx.args.number("expire").and_then(|at| i64::try_from(at).ok()).unwrap_or_default(),
        comment: cx.args.take("comment"),
    };
    let mut info = json!({ "privsep": u8::from(token.privsep).to_string() });
    if let (Some(comment), Some(map)) = (&token.comment, info.as_object_mut()) {
        map.insert("comment".to_owned(), json!(comment));
    }
    let answer = json!({ "full-tokenid": format!("{user}!{name}"), "value": token.secret, "info": info });
    if let Some(user) = cx.state.access.users.get_mut(&user) {
        user.tokens.insert(name, token);
    }
    Ok(answer.into())
}

/// Changes a token. A new secret is shown once, and the old one is worth nothing from then on.
pub(super) fn update_token(cx: &mut Cx<'_>) -> Answer {
    let (user, name) = (cx.args.text("userid"), cx.args.text("tokenid"));
    let (secret, regenerate) = (cx.state.rng.uuid(), cx.args.flag("regenerate"));
    let (privsep, comment) = (cx.args.get("privsep").map(|flag| flag == "1"), cx.args.take("comment"));
    let expire = cx.args.number("expire").and_then(|at| i64::try_from(at).ok());
    let forget = cx.args.list("delete");
    let token = cx.state.access.users.get_mut(&user).and_then(|user| user.tokens.get_mut(&name));
    let token = token.ok_or_else(|| Refusal::died(format!("no such token '{name}' for user '{user}'")))?;
    token.privsep = privsep.unwrap_or(token.privsep);
    token.expire = expire.unwrap_or(token.expire);
    if forget.iter().any(|key| key == "comment") {
        token.comment = None;
    }
    token.comment = comment.or_else(|| token.comment.take());
    if regenerate {
        token.secret.clone_from(&secret);
    }
    let mut answer = described(token);
    if let (true, Some(map)) = (regenerate, answer.as_object_mut()) {
        map.insert("full-tokenid".to_owned(), json!(format!("{user}!{name}")));
        map.insert("value".to_owned(), json!(secret));
    }
    Ok(answer.into())
}

pub(super) fn delete_token(cx: &mut Cx<'_>) -> Answer {
    let (user, name) = (cx.args.text("userid"), cx.args.text("tokenid"));
    let removed = cx.state.access.users.get_mut(&user).and_then(|user| user.tokens.remove(&name));
    if removed.is_none() {
        return Err(Refusal::died(format!("no such token '{name}' for user '{user}'")));
    }
    cx.state.access.forget(&format!("{user}!{name}"));
    Ok(Value::Null.into())
}
