//! The guest agent of machines, and what cloud-init is told.

use serde_json::{Value, json};

use super::power::agent_enabled;
use crate::cx::Cx;
use crate::guest::{Guest, Kind};
use crate::reply::{Answer, Refusal};

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

pub(super) fn ping(cx: &mut Cx<'_>) -> Answer {
    ready(cx)?;
    Ok(json!({ "result": {} }).into())
}

pub(super) fn interfaces(cx: &mut Cx<'_>) -> Answer {
    let guest = ready(cx)?;
    let (vmid, spec) = (guest.vmid, guest.spec());
    let silent = cx.state.faults.no_address(vmid);
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
    ready(cx)?;
    Ok(json!({ "result": {
        "id": "debian", "name": "Debian GNU/Linux", "version": "13 (trixie)", "version-id": "13", "machine": "x86_64",
        "pretty-name": "Debian GNU/Linux 13 (trixie)", "kernel-release": "6.12.0-amd64", "kernel-version": "#1 SMP",
    }})
    .into())
}

/// Nothing runs in a simulated guest: a program ends at once, and says that it did not run.
pub(super) fn exec(cx: &mut Cx<'_>) -> Answer {
    ready(cx)?;
    let command = cx.args.all("command");
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
    ready(cx)?;
    let pid = cx.args.number("pid").unwrap_or_default();
    let found = cx.guest_mut(Kind::Qemu)?.programs.remove(&pid);
    Ok(found.ok_or_else(|| Refusal::died(format!("Agent error: PID {pid} does not exist")))?.into())
}

pub(super) fn file_write(cx: &mut Cx<'_>) -> Answer {
    ready(cx)?;
    let (file, content) = (cx.args.text("file"), cx.args.text("content"));
    cx.guest_mut(Kind::Qemu)?.files.insert(file, content);
    Ok(Value::Null.into())
}

pub(super) fn file_read(cx: &mut Cx<'_>) -> Answer {
    let file = cx.args.text("file");
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
    let get = |key: &str| guest.config.get(key).cloned();
    let name = guest.name();
    let text = match cx.args.get("type").unwrap_or_default() {
        "user" => {
            let mut text = format!("#cloud-config\nhostname: {name}\nmanage_etc_hosts: true\nfqdn: {name}\n");
            text.extend(get("ciuser").map(|user| format!("user: {user}\n")));
            text.extend(get("cipassword").map(|password| format!("password: {password}\n")));
            if let Some(keys) = get("sshkeys") {
                text.push_str("ssh_authorized_keys:\n");
                text.extend(crate::http::decode(&keys, false).lines().map(|key| format!("  - {key}\n")));
            }
            text.push_str("chpasswd:\n  expire: False\nusers:\n  - default\n");
            text.push_str(if get("ciupgrade").as_deref() == Some("0") {
                ""
            } else {
                "package_upgrade: true\n"
            });
            text
        }
        "network" => {
            let mut text = "version: 1\nconfig:\n".to_owned();
            for (key, value) in guest.config.iter().filter(|(key, _)| key.starts_with("ipconfig")) {
                text.push_str(&format!(
                    "    - type: physical\n      name: eth{}\n      # {value}\n",
                    key.trim_start_matches("ipconfig")
                ));
            }
            text
        }
        _ => format!("instance-id: {}\n", guest.digest()),
    };
    Ok(json!(text).into())
}
