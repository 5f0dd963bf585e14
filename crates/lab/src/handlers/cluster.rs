//! The cluster: numbers, resources, quorum, high availability, replication and pools.

use serde_json::{Map, Value, json};

use super::power::sid_of;
use crate::cx::Cx;
use crate::reply::{Answer, Refusal};
use crate::state::Pool;

pub(super) fn nextid(cx: &mut Cx<'_>) -> Answer {
    let taken = |vmid: &u64| u32::try_from(*vmid).is_ok_and(|vmid| cx.state.guests.contains_key(&vmid));
    if let Some(vmid) = cx.args.number("vmid") {
        if taken(&vmid) {
            return Err(Refusal::parameter("vmid", format!("VM {vmid} already exists")));
        }
        return Ok(json!(vmid.to_string()).into());
    }
    let free = (100u64..1_000_000).find(|vmid| !taken(vmid));
    let free = free.ok_or_else(|| Refusal::died("unable to get any free VMID in range [100, 1000000]"))?;
    Ok(json!(free.to_string()).into())
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

pub(super) fn resources(cx: &mut Cx<'_>) -> Answer {
    let wanted = cx.args.get("type").map(str::to_owned);
    let wants = |kind: &str| wanted.as_deref().is_none_or(|wanted| wanted == kind);
    let now = cx.state.now();
    let mut lines = Vec::new();
    if wants("vm") {
        for guest in
            cx.state.guests.values().filter(|guest| cx.may(&format!("/vms/{}", guest.vmid), "VM.Audit"))
        {
            let mut line = cx.state.status_of(guest, now);
            line.insert("id".to_owned(), json!(format!("{}/{}", guest.kind.api(), guest.vmid)));
            line.insert("type".to_owned(), json!(guest.kind.api()));
            line.insert("node".to_owned(), json!(guest.node));
            line.insert("maxcpu".to_owned(), line.get("cpus").cloned().unwrap_or_default());
            line.insert("template".to_owned(), json!(u8::from(guest.is_template())));
            for key in ["cpus", "pid", "swap", "maxswap"] {
                line.remove(key);
            }
            let pool = cx.state.pool_of(&format!("/vms/{}", guest.vmid));
            line.extend(pool.map(|pool| ("pool".to_owned(), json!(pool))));
            lines.push(Value::Object(line));
        }
    }
    if wants("node") {
        let nodes = super::node::nodes(cx)?.data;
        for mut node in nodes.as_array().cloned().unwrap_or_default() {
            if let Some(map) = node.as_object_mut() {
                map.remove("ssl_fingerprint");
                map.insert("cgroup-mode".to_owned(), json!(2));
            }
            lines.push(node);
        }
    }
    if wants("storage") {
        for node in &cx.state.nodes {
            for (name, storage) in &cx.state.storages {
                if !cx.may_any(&format!("/storage/{name}"), &["Datastore.Audit", "Datastore.AllocateSpace"]) {
                    continue;
                }
                let status = storage.status(None);
                lines.push(json!({
                    "id": format!("storage/{node}/{name}"), "type": "storage", "storage": name, "node": node,
                    "plugintype": storage.kind, "content": text(&status, "content"), "shared": status["shared"],
                    "status": if storage.is_disabled() { "unknown" } else { "available" },
                    "disk": status["used"], "maxdisk": status["total"],
                }));
            }
        }
    }
    if wanted.is_none() {
        for name in cx.state.pools.keys().filter(|name| cx.may(&format!("/pool/{name}"), "Pool.Audit")) {
            lines.push(json!({ "id": format!("/pool/{name}"), "type": "pool", "pool": name }));
        }
    }
    Ok(Value::Array(lines).into())
}

pub(super) fn status(cx: &mut Cx<'_>) -> Answer {
    let quorate = u8::from(!cx.state.faults.no_quorum());
    let nodes = cx.state.nodes.iter().enumerate().map(|(index, node)| {
        json!({
            "type": "node", "id": format!("node/{node}"), "name": node, "nodeid": index + 1, "online": 1,
            "local": u8::from(index == 0), "ip": format!("10.99.0.{}", index + 1), "level": "",
        })
    });
    let mut lines: Vec<Value> = nodes.collect();
    if cx.state.nodes.len() > 1 || quorate == 0 {
        let count = cx.state.nodes.len();
        lines.insert(0, json!({ "type": "cluster", "id": "cluster", "name": "lab", "nodes": count, "quorate": quorate, "version": 1 }));
    }
    Ok(Value::Array(lines).into())
}

pub(super) fn options(_: &mut Cx<'_>) -> Answer {
    Ok(json!({ "keyboard": "en-us", "allowed-tags": [] }).into())
}

/// The parameters of a request as an object that is kept.
pub(super) fn object(cx: &Cx<'_>, without: &[&str]) -> Map<String, Value> {
    let kept = cx.args.0.iter().filter(|(key, _)| !without.contains(&key.as_str()));
    kept.filter_map(|(key, values)| {
        let text = values.first()?;
        Some((key.clone(), text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number))))
    })
    .collect()
}

pub(super) fn ha(cx: &mut Cx<'_>) -> Answer {
    Ok(Value::Array(cx.state.ha.values().cloned().map(Value::Object).collect()).into())
}

pub(super) fn create_ha(cx: &mut Cx<'_>) -> Answer {
    let sid = cx.args.text("sid");
    let guest = cx
        .state
        .guests
        .values()
        .find(|guest| sid_of(guest.kind, guest.vmid) == sid || guest.vmid.to_string() == sid);
    let Some(guest) = guest else {
        return Err(Refusal::died(format!("cannot add resource '{sid}': no such guest")));
    };
    let sid = sid_of(guest.kind, guest.vmid);
    if cx.state.ha.contains_key(&sid) {
        return Err(Refusal::died(format!("resource ID '{sid}' already defined")));
    }
    let mut line = object(cx, &[]);
    line.insert("sid".to_owned(), json!(sid));
    line.insert("type".to_owned(), json!(if guest.kind.is_container() { "ct" } else { "vm" }));
    line.entry("state").or_insert_with(|| json!("started"));
    line.insert("digest".to_owned(), json!(guest.digest()));
    cx.state.ha.insert(sid, line);
    Ok(Value::Null.into())
}

pub(super) fn delete_ha(cx: &mut Cx<'_>) -> Answer {
    let sid = cx.args.text("sid");
    match cx.state.ha.remove(&sid) {
        Some(_) => Ok(Value::Null.into()),
        None => Err(Refusal::died(format!("cannot delete service '{sid}', not HA managed!"))),
    }
}

pub(super) fn ha_status(cx: &mut Cx<'_>) -> Answer {
    let quorate = !cx.state.faults.no_quorum();
    let node = cx.node();
    let mut lines = vec![json!({
        "id": "quorum", "type": "quorum", "node": node, "quorate": u8::from(quorate),
        "status": if quorate { "OK" } else { "No quorum on node!" },
    })];
    for (sid, line) in &cx.state.ha {
        let state = line.get("state").cloned().unwrap_or_default();
        lines.push(json!({ "id": format!("service:{sid}"), "type": "service", "sid": sid, "state": state, "status": format!("{sid} ({node})"), "node": node }));
    }
    Ok(Value::Array(lines).into())
}

pub(super) fn replication(cx: &mut Cx<'_>) -> Answer {
    let seen =
        cx.state.replication.values().filter(|job| {
            cx.may(&format!("/vms/{}", job.get("guest").cloned().unwrap_or_default()), "VM.Audit")
        });
    Ok(Value::Array(seen.cloned().map(Value::Object).collect()).into())
}

/// Release 9 asks for a privilege on the guest, in words of the contract only; release 8 for one on the storages.
fn may_replicate(cx: &Cx<'_>, guest: u32) -> Result<(), Refusal> {
    if cx.state.release == crate::contract::Release::V9 {
        cx.need(&format!("/vms/{guest}"), &["VM.Replicate"])
    } else {
        cx.need("/storage", &["Datastore.Allocate"])
    }
}

pub(super) fn create_replication(cx: &mut Cx<'_>) -> Answer {
    let id = cx.args.text("id");
    let (guest, number) = id.split_once('-').unwrap_or((&id, "0"));
    let (guest, number): (u32, u32) = (guest.parse().unwrap_or_default(), number.parse().unwrap_or_default());
    may_replicate(cx, guest)?;
    let Some(found) = cx.state.guests.get(&guest) else {
        return Err(Refusal::died(format!("no such guest '{guest}'")));
    };
    for (_, volume) in found.disks() {
        let storage = volume.split(':').next().and_then(|name| cx.state.storages.get(name));
        if storage.is_none_or(|storage| storage.kind != "zfspool") {
            return Err(Refusal::died(format!("missing replicate feature on volume '{volume}'")));
        }
    }
    let mut line = object(cx, &[]);
    line.insert("guest".to_owned(), json!(guest));
    line.insert("jobnum".to_owned(), json!(number));
    cx.state.replication.insert(id, line);
    Ok(Value::Null.into())
}

pub(super) fn delete_replication(cx: &mut Cx<'_>) -> Answer {
    let id = cx.args.text("id");
    let guest = id.split('-').next().and_then(|guest| guest.parse().ok());
    may_replicate(cx, guest.unwrap_or_default())?;
    match cx.state.replication.remove(&id) {
        Some(_) => Ok(Value::Null.into()),
        None => Err(Refusal::died(format!("no such replication job '{id}'"))),
    }
}

pub(super) fn pools(cx: &mut Cx<'_>) -> Answer {
    let only = cx.args.get("poolid");
    let seen = cx.state.pools.iter().filter(|(name, _)| {
        only.is_none_or(|only| only == *name)
            && cx.may_any(&format!("/pool/{name}"), &["Pool.Audit", "Pool.Allocate"])
    });
    let lines = seen.map(|(name, pool)| {
        let mut line = json!({ "poolid": name });
        if let Some(map) = line.as_object_mut() {
            map.extend(pool.comment.as_ref().map(|comment| ("comment".to_owned(), json!(comment))));
            if only.is_some() {
                let guests = pool.guests.iter().filter_map(|vmid| cx.state.guests.get(vmid));
                let members: Vec<Value> = guests
                    .map(|guest| json!({ "id": format!("{}/{}", guest.kind.api(), guest.vmid), "vmid": guest.vmid, "type": guest.kind.api(), "node": guest.node }))
                    .collect();
                map.insert("members".to_owned(), Value::Array(members));
            }
        }
        line
    });
    Ok(Value::Array(lines.collect()).into())
}

pub(super) fn create_pool(cx: &mut Cx<'_>) -> Answer {
    let name = cx.args.text("poolid");
    if cx.state.pools.contains_key(&name) {
        return Err(Refusal::died(format!("create pool failed: pool '{name}' already exists")));
    }
    let comment = cx.args.take("comment");
    cx.state.pools.insert(name, Pool { comment, ..Pool::default() });
    Ok(Value::Null.into())
}

pub(super) fn update_pool(cx: &mut Cx<'_>) -> Answer {
    let name = cx.args.text("poolid");
    let (delete, moves) = (cx.args.flag("delete"), cx.args.flag("allow-move"));
    let guests: Vec<u32> = cx.args.list("vms").iter().filter_map(|text| text.parse().ok()).collect();
    let storages = cx.args.list("storage");
    if !cx.state.pools.contains_key(&name) {
        return Err(Refusal::died(format!("update pools failed: pool '{name}' does not exist")));
    }
    for vmid in &guests {
        cx.need(&format!("/vms/{vmid}"), &["VM.Allocate"])?;
        let other = cx
            .state
            .pools
            .iter()
            .find(|(of, pool)| **of != name && pool.guests.contains(vmid))
            .map(|(of, _)| of.clone());
        match other {
            Some(of) if !delete && !moves => {
                return Err(Refusal::died(format!(
                    "update pools failed: VM {vmid} belongs already to pool '{of}' and 'allow-move' is not set"
                )));
            }
            Some(of) if !delete => {
                if let Some(pool) = cx.state.pools.get_mut(&of) {
                    pool.guests.retain(|member| member != vmid);
                }
            }
            _ => {}
        }
    }
    if let Some(pool) = cx.state.pools.get_mut(&name) {
        pool.guests.retain(|member| !guests.contains(member));
        pool.storages.retain(|member| !storages.contains(member));
        if !delete {
            pool.guests.extend(guests);
            pool.storages.extend(storages);
        }
    }
    Ok(Value::Null.into())
}

pub(super) fn delete_pool(cx: &mut Cx<'_>) -> Answer {
    let name = cx.args.text("poolid");
    match cx.state.pools.get(&name) {
        None => Err(Refusal::died(format!("delete pool failed: pool '{name}' does not exist"))),
        Some(pool) if !pool.guests.is_empty() || !pool.storages.is_empty() => {
            Err(Refusal::died(format!("delete pool failed: pool '{name}' is not empty")))
        }
        Some(_) => {
            cx.state.pools.remove(&name);
            Ok(Value::Null.into())
        }
    }
}
