//! Tasks as they are asked about.

use plimsoll_pve::Upid;
use serde_json::{Map, Value, json};

use crate::access::Caller;
use crate::cx::Cx;
use crate::reply::{Answer, Refusal, Reply};
use crate::state::State;
use crate::task::Task;

fn owner(task: &Task) -> (&str, Option<&str>) {
    match task.upid.user.split_once('!') {
        Some((user, token)) => (user, Some(token)),
        None => (&task.upid.user, None),
    }
}

/// A task belongs to its user, whichever token of the user asks.
fn is_own(task: &Task, caller: &Caller) -> bool {
    task.upid.user == caller.full() || caller.token.is_none() && owner(task).0 == caller.user
}

fn line(task: &Task) -> Value {
    let (user, token) = owner(task);
    let upid = &task.upid;
    let mut line = json!({
        "upid": upid.as_str(), "node": task.node, "pid": upid.pid, "pstart": upid.pstart, "starttime": upid.starttime,
        "type": upid.kind, "id": upid.id,
    });
    let Some(map) = line.as_object_mut() else { return line };
    match (&task.exit, task.ended) {
        (Some(exit), Some(ended)) => {
            map.insert("status".to_owned(), json!(exit));
            map.insert("endtime".to_owned(), json!(ended / 1000));
            map.insert("user".to_owned(), json!(user));
            map.extend(token.map(|token| ("tokenid".to_owned(), json!(token))));
        }
        _ => {
            map.insert("status".to_owned(), json!("RUNNING"));
            map.insert("user".to_owned(), json!(upid.user));
            map.insert("saved".to_owned(), json!("0"));
        }
    }
    line
}

pub(super) fn list(cx: &mut Cx<'_>) -> Answer {
    let node = cx.node();
    let all = cx.may(&format!("/nodes/{node}"), "Sys.Audit");
    let source = cx.args.get("source").unwrap_or("archive").to_owned();
    let vmid = cx.args.get("vmid").map(str::to_owned);
    let fits = |task: &&Task| {
        let ended = task.ended.is_some();
        task.node == node
            && (all || is_own(task, &cx.caller))
            && vmid.as_deref().is_none_or(|vmid| task.upid.id == vmid)
            && cx.args.get("typefilter").is_none_or(|kind| task.upid.kind == kind)
            && (!cx.args.flag("errors") || task.exit.as_deref().is_some_and(|exit| exit != "OK"))
            && match source.as_str() {
                "active" => !ended,
                "all" => true,
                _ => ended,
            }
    };
    let found: Vec<&Task> = cx.state.tasks.iter().rev().filter(fits).collect();
    let start = cx.args.number("start").and_then(|at| usize::try_from(at).ok()).unwrap_or(0);
    let limit = cx.args.number("limit").and_then(|at| usize::try_from(at).ok()).unwrap_or(50);
    let lines = found.iter().skip(start).take(limit).map(|task| line(task)).collect();
    Ok(Reply { data: Value::Array(lines), total: Some(found.len()), later: None })
}

pub(super) fn cluster(cx: &mut Cx<'_>) -> Answer {
    let all = cx.may("/", "Sys.Audit");
    let seen = cx.state.tasks.iter().rev().filter(|task| all || is_own(task, &cx.caller));
    Ok(Value::Array(seen.take(25).map(line).collect()).into())
}

/// The task of the path, which the caller may see.
fn find<'a>(state: &'a State, cx: &Cx<'_>) -> Result<&'a Task, Refusal> {
    let name = cx.args.text("upid");
    if name.parse::<Upid>().is_err() {
        return Err(Refusal::parameter("upid", "unable to parse worker upid"));
    }
    let task = state.tasks.iter().find(|task| task.upid.as_str() == name);
    let task = task.ok_or_else(|| Refusal::parameter("upid", "no such task"))?;
    if !is_own(task, &cx.caller) {
        cx.need(&format!("/nodes/{}", task.node), &["Sys.Audit"])?;
    }
    Ok(task)
}

pub(super) fn status(cx: &mut Cx<'_>) -> Answer {
    let task = find(cx.state, cx)?;
    let (user, token) = owner(task);
    let upid = &task.upid;
    let mut out = Map::from_iter(
        [
            ("upid", json!(upid.as_str())),
            ("node", json!(task.node)),
            ("pid", json!(upid.pid)),
            ("pstart", json!(upid.pstart)),
            ("starttime", json!(upid.starttime)),
            ("type", json!(upid.kind)),
            ("id", json!(upid.id)),
            ("user", json!(user)),
            ("status", json!(if task.ended.is_some() { "stopped" } else { "running" })),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    out.extend(token.map(|token| ("tokenid".to_owned(), json!(token))));
    out.extend(task.exit.as_ref().map(|exit| ("exitstatus".to_owned(), json!(exit))));
    Ok(Value::Object(out).into())
}

pub(super) fn log(cx: &mut Cx<'_>) -> Answer {
    let task = find(cx.state, cx)?;
    let number = |name: &str, otherwise: u64| {
        usize::try_from(cx.args.number(name).unwrap_or(otherwise)).unwrap_or(usize::MAX)
    };
    if task.log.is_empty() {
        return Ok(Reply { data: json!([{ "n": 1, "t": "no content" }]), total: Some(0), later: None });
    }
    let limit = match number("limit", 50) {
        0 => usize::MAX,
        limit => limit,
    };
    let lines = task.log.iter().enumerate().skip(number("start", 0)).take(limit);
    let lines = lines.map(|(index, text)| json!({ "n": index + 1, "t": text })).collect();
    Ok(Reply { data: Value::Array(lines), total: Some(task.log.len()), later: None })
}

pub(super) fn stop(cx: &mut Cx<'_>) -> Answer {
    let name = cx.args.text("upid");
    if name.parse::<Upid>().is_err() {
        return Err(Refusal::parameter("upid", "unable to parse worker upid"));
    }
    let task = cx.state.tasks.iter().find(|task| task.upid.as_str() == name);
    let task = task.ok_or_else(|| Refusal::died("no such task"))?;
    if !is_own(task, &cx.caller) {
        cx.need(&format!("/nodes/{}", task.node), &["Sys.Modify"])?;
    }
    cx.state.interrupt(&name);
    Ok(Value::Null.into())
}
