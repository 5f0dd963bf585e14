//! The guest agent of machines, and what cloud-init is told.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::power::agent_enabled;
use crate::backend::GuestAgent;
use crate::cloudinit;
use crate::cx::Cx;
use crate::guest::{Guest, Kind};
use crate::reply::{Answer, Refusal, Reply};

/// The machine, if its agent answers.
fn ready<'a>(cx: &'a Cx<'_>) -> Result<&'a Guest, Refusal> {
    let guest = cx.guest(Kind::Qemu)?;
    if guest.running.is_none() {
        return Err(Refusal::died(format!("VM {} is not running", guest.vmid)));
    }
    if !agent_enabled(guest) {
        return Err(Refusal::died("No QEMU guest agent configured"));
    }
    if cx.state.faults.agent_silent(guest.vmid) {
        return Err(Refusal::died("QEMU guest agent is not running"));
    }
    Ok(guest)
}

/// The real agent, where the machine boots.
fn real(cx: &Cx<'_>) -> Result<Option<Arc<dyn GuestAgent>>, Refusal> {
    let vmid = ready(cx)?.vmid;
    match cx.state.backend.agent(vmid) {
        // One that boots has nobody to speak for it while it starts or stops.
        None if cx.state.backend.images().is_some() => Err(Refusal::died("QEMU guest agent is not running")),
        agent => Ok(agent),
    }
}

/// Asks a real agent for something, and answers what it says.
fn passed(agent: Arc<dyn GuestAgent>, command: &'static str, arguments: Value) -> Reply {
    Reply::later(move || {
        let said = agent.ask(command, arguments).map_err(Refusal::died)?;
        Ok(json!({ "result": said }))
    })
}

pub(super) fn ping(cx: &mut Cx<'_>) -> Answer {
    Ok(match real(cx)? {
        Some(agent) => passed(agent, "guest-ping", json!({})),
        None => json!({ "result": {} }).into(),
    })
}

/// Simulated file systems are never held.
fn freeze(cx: &Cx<'_>, command: &'static str, simulated: &Value) -> Answer {
    Ok(match real(cx)? {
        Some(agent) => passed(agent, command, json!({})),
        None => json!({ "result": simulated }).into(),
    })
}

pub(super) fn fsfreeze_freeze(cx: &mut Cx<'_>) -> Answer {
    freeze(cx, "guest-fsfreeze-freeze", &json!(0))
}

pub(super) fn fsfreeze_thaw(cx: &mut Cx<'_>) -> Answer {
    freeze(cx, "guest-fsfreeze-thaw", &json!(0))
}

pub(super) fn fsfreeze_status(cx: &mut Cx<'_>) -> Answer {
    freeze(cx, "guest-fsfreeze-status", &json!("thawed"))
}

pub(super) fn interfaces(cx: &mut Cx<'_>) -> Answer {
    let guest = ready(cx)?;
    let (vmid, spec) = (guest.vmid, guest.spec());
    let silent = cx.state.faults.no_address(vmid);
    if let Some(agent) = real(cx)? {
        return Ok(Reply::later(move || {
            let mut said = agent.ask("guest-network-get-interfaces", json!({})).map_err(Refusal::died)?;
            for card in said.as_array_mut().into_iter().flatten().filter(|card| card["name"] != "lo") {
                if let Some(map) = card.as_object_mut().filter(|_| silent) {
                    map.insert("ip-addresses".to_owned(), json!([]));
                }
            }
            Ok(json!({ "result": said }))
        }));
    }
    let mut lines = vec![json!({
        "name": "lo", "hardware-address": "00:00:00:00:00:00",
        "ip-addresses": [{ "ip-address": "127.0.0.1", "ip-address-type": "ipv4", "prefix": 8 }],
    })];
    for address in cx.state.backend.addresses(&spec) {
        let (ip, prefix) = address.cidr.split_once('/').unwrap_or((&address.cidr, "0"));
        let kind = if ip.contains(':') { "ipv6" } else { "ipv4" };
        let list = if silent {
            json!([])
        } else {
            json!([{ "ip-address": ip, "ip-address-type": kind, "prefix": prefix.parse::<u8>().unwrap_or_default() }])
        };
        lines.push(json!({ "name": address.interface, "hardware-address": address.mac.to_lowercase(), "ip-addresses": list }));
    }
    Ok(json!({ "result": lines }).into())
}

pub(super) fn os_info(cx: &mut Cx<'_>) -> Answer {
    if let Some(agent) = real(cx)? {
        return Ok(passed(agent, "guest-get-osinfo", json!({})));
    }
    Ok(json!({ "result": {
        "id": "debian", "name": "Debian GNU/Linux", "version": "13 (trixie)", "version-id": "13", "machine": "x86_64",
        "pretty-name": "Debian GNU/Linux 13 (trixie)", "kernel-release": "6.12.0-amd64", "kernel-version": "#1 SMP",
    }})
    .into())
}

/// Nothing runs in a simulated guest: a program ends at once, and says that it did not run.
pub(super) fn exec(cx: &mut Cx<'_>) -> Answer {
    let agent = real(cx)?;
    let command: Vec<String> = cx.args.all("command").iter().map(|word| (*word).to_string()).collect();
    if let Some(agent) = agent {
        let (path, words) = command.split_first().map_or((String::new(), &[][..]), |(a, b)| (a.clone(), b));
        let mut arguments = json!({ "path": path, "arg": words, "capture-output": true });
        if let Some(input) = cx.args.get("input-data") {
            arguments["input-data"] = json!(BASE64_STANDARD.encode(input));
        }
        return Ok(Reply::later(move || agent.ask("guest-exec", arguments).map_err(Refusal::died)));
    }
    let guest = cx.guest_mut(Kind::Qemu)?;
    let pid = 1000 + guest.programs.len() as u64;
    let known = matches!(command.first().map(String::as_str), Some("true" | "/bin/true"));
    let status = if known {
        json!({ "exited": 1, "exitcode": 0 })
    } else {
        let said = format!("simulated guests run no program: {}\n", command.join(" "));
        json!({ "exited": 1, "exitcode": 127, "err-data": said })
    };
    guest.programs.insert(pid, status);
    Ok(json!({ "pid": pid }).into())
}

pub(super) fn exec_status(cx: &mut Cx<'_>) -> Answer {
    let agent = real(cx)?;
    let pid = cx.args.number("pid").unwrap_or_default();
    if let Some(agent) = agent {
        return Ok(Reply::later(move || {
            let mut said = agent.ask("guest-exec-status", json!({ "pid": pid })).map_err(Refusal::died)?;
            if let Some(map) = said.as_object_mut() {
                for (key, value) in map.iter_mut() {
                    // The node writes them as its own Perl does (PVE::QemuServer::Agent::qemu_exec_status).
                    match value {
                        Value::Bool(flag) => *value = json!(u8::from(*flag)),
                        Value::String(text) if key.ends_with("-data") => *value = json!(decoded(text)),
                        _ => {}
                    }
                }
            }
            Ok(said)
        }));
    }
    let found = cx.guest_mut(Kind::Qemu)?.programs.remove(&pid);
    Ok(found.ok_or_else(|| Refusal::died(format!("Agent error: PID {pid} does not exist")))?.into())
}

/// Bytes of base64 as a text.
fn decoded(base64: &str) -> String {
    let bytes = BASE64_STANDARD.decode(base64).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(super) fn file_write(cx: &mut Cx<'_>) -> Answer {
    let agent = real(cx)?;
    let (file, content) = (cx.args.text("file"), cx.args.text("content"));
    if let Some(agent) = agent {
        let is_base64 = cx.args.get("encode") == Some("0");
        let base64 = if is_base64 { content } else { BASE64_STANDARD.encode(content) };
        return Ok(Reply::later(move || {
            with_file(&*agent, &file, "wb", |handle| {
                agent.ask("guest-file-write", json!({ "handle": handle, "buf-b64": base64 }))
            })
            .map_err(Refusal::died)?;
            Ok(Value::Null)
        }));
    }
    cx.guest_mut(Kind::Qemu)?.files.insert(file, content);
    Ok(Value::Null.into())
}

/// Opens a file inside, does something with it, and closes it again.
fn with_file<T>(
    agent: &dyn GuestAgent,
    file: &str,
    mode: &str,
    act: impl FnOnce(&Value) -> Result<T, String>,
) -> Result<T, String> {
    let handle = agent.ask("guest-file-open", json!({ "path": file, "mode": mode }))?;
    let done = act(&handle);
    agent.ask("guest-file-close", json!({ "handle": handle }))?;
    done
}

/// A node reads as much of a file as 16 pieces of 1 MiB hold (PVE::API2::Qemu::Agent).
fn whole(agent: &dyn GuestAgent, handle: &Value) -> Result<Value, String> {
    const PIECE: usize = 1 << 20;
    let (mut bytes, mut ended) = (Vec::new(), false);
    while !ended && bytes.len() < 16 * PIECE {
        let said = agent.ask("guest-file-read", json!({ "handle": handle, "count": PIECE }))?;
        let piece = said.get("buf-b64").and_then(Value::as_str).unwrap_or_default();
        bytes.extend(BASE64_STANDARD.decode(piece).unwrap_or_default());
        ended = said.get("eof") == Some(&json!(true));
    }
    let mut out = json!({ "content": String::from_utf8_lossy(&bytes), "bytes-read": bytes.len() });
    if !ended {
        out["truncated"] = json!(1);
    }
    Ok(out)
}

pub(super) fn file_read(cx: &mut Cx<'_>) -> Answer {
    let file = cx.args.text("file");
    if let Some(agent) = real(cx)? {
        return Ok(Reply::later(move || {
            with_file(&*agent, &file, "rb", |handle| whole(&*agent, handle)).map_err(Refusal::died)
        }));
    }
    let content = ready(cx)?.files.get(&file).cloned();
    let content = content.ok_or_else(|| {
        Refusal::died(format!(
            "Agent error: failed to open file '{file}' (mode: 'r'): No such file or directory"
        ))
    })?;
    Ok(json!({ "content": content, "bytes-read": content.len() }).into())
}

pub(super) fn cloudinit(cx: &mut Cx<'_>) -> Answer {
    let guest = cx.guest(Kind::Qemu)?;
    let told = |key: &str| {
        let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
        matches!(
            stem,
            "ciuser"
                | "cipassword"
                | "sshkeys"
                | "ipconfig"
                | "nameserver"
                | "searchdomain"
                | "name"
                | "ciupgrade"
        )
    };
    let lines = guest.config.iter().filter(|(key, _)| told(key)).map(|(key, value)| {
        let value = if key == "cipassword" { "**********" } else { value };
        json!({ "key": key, "value": value })
    });
    Ok(Value::Array(lines.collect()).into())
}

pub(super) fn regenerate(cx: &mut Cx<'_>) -> Answer {
    let guest = cx.guest(Kind::Qemu)?;
    if !guest.config.values().any(|value| value.contains("-cloudinit")) {
        return Err(Refusal::died("no cloudinit drive found"));
    }
    Ok(Value::Null.into())
}

pub(super) fn dump(cx: &mut Cx<'_>) -> Answer {
    let guest = cx.guest(Kind::Qemu)?;
    let (config, name) = (&guest.config, guest.name());
    let text = match cx.args.get("type").unwrap_or_default() {
        "user" => cloudinit::user(config, &name),
        "network" => cloudinit::network(config),
        _ => cloudinit::meta(config, &name),
    };
    Ok(json!(text).into())
}
