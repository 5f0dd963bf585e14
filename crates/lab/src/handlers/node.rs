//! Nodes.

use serde_json::{Value, json};

use crate::contract::Release;
use crate::cx::Cx;
use crate::reply::{Answer, Refusal};
use crate::state::TEMPLATE;

const MEMORY: u64 = 64 << 30;

pub(super) fn version(cx: &mut Cx<'_>) -> Answer {
    let release = cx.state.release;
    Ok(json!({ "version": release.version(), "release": release.short(), "repoid": "0000000000000000" })
        .into())
}

pub(super) fn nodes(cx: &mut Cx<'_>) -> Answer {
    let now = cx.state.now();
    let lines = cx.state.nodes.iter().map(|node| {
        let mut line = json!({
            "node": node, "id": format!("node/{node}"), "type": "node", "status": "online", "level": "",
            "ssl_fingerprint": cx.state.certificate.0,
        });
        if cx.may(&format!("/nodes/{node}"), "Sys.Audit")
            && let Some(map) = line.as_object_mut()
        {
            let uptime = (now - cx.state.booted) / 1000;
            let seen = json!({
                "cpu": 0.05, "maxcpu": 16, "mem": MEMORY / 8, "maxmem": MEMORY, "disk": 2u64 << 30, "maxdisk": 100u64 << 30,
                "uptime": uptime,
            });
            map.extend(seen.as_object().cloned().unwrap_or_default());
        }
        line
    });
    Ok(Value::Array(lines.collect()).into())
}

pub(super) fn status(cx: &mut Cx<'_>) -> Answer {
    let uptime = (cx.state.now() - cx.state.booted) / 1000;
    let kernel = if cx.state.release == Release::V8 { "6.8.12-9-pve" } else { "7.0.2-1-pve" };
    Ok(json!({
        "uptime": uptime, "cpu": 0.05, "wait": 0, "idle": 0, "loadavg": ["0.10", "0.08", "0.05"],
        "kversion": format!("Linux {kernel} #1 SMP PREEMPT_DYNAMIC"), "pveversion": format!("pve-manager/{}", cx.state.release.version()),
        "current-kernel": { "sysname": "Linux", "release": kernel, "version": "#1 SMP PREEMPT_DYNAMIC", "machine": "x86_64" },
        "boot-info": { "mode": "efi", "secureboot": 0 },
        "memory": { "total": MEMORY, "used": MEMORY / 8, "free": MEMORY / 8 * 7, "available": MEMORY / 8 * 7 },
        "swap": { "total": 0, "used": 0, "free": 0 }, "ksm": { "shared": 0 },
        "rootfs": { "total": 100u64 << 30, "used": 2u64 << 30, "free": 98u64 << 30, "avail": 93u64 << 30 },
        "cpuinfo": {
            "model": "Simulated CPU", "cpus": 16, "cores": 8, "sockets": 1, "mhz": "3000.000", "hvm": "1", "user_hz": 100,
            "flags": "aes avx avx2", "family": "25", "vendor": "AuthenticAMD", "stepping": "1", "cache_size": "512 KB",
            "cores_per_socket": 8,
        },
    })
    .into())
}

pub(super) fn time(cx: &mut Cx<'_>) -> Answer {
    let now = cx.state.seconds();
    Ok(json!({ "time": now, "localtime": now, "timezone": "UTC" }).into())
}

pub(super) fn network(cx: &mut Cx<'_>) -> Answer {
    let node = cx.node();
    let number = cx.state.nodes.iter().position(|known| *known == node).unwrap_or_default() + 1;
    let address = format!("10.99.0.{number}");
    let bridge = json!({
        "iface": "vmbr0", "type": "bridge", "active": 1, "autostart": 1, "method": "static", "method6": "manual",
        "address": address, "netmask": "16", "cidr": format!("{address}/16"), "gateway": "10.99.255.254",
        "bridge_ports": "nic0", "bridge_stp": "off", "bridge_fd": "0", "priority": 4, "families": ["inet"],
    });
    let card = json!({
        "iface": "nic0", "type": "eth", "active": 1, "exists": 1, "method": "manual", "method6": "manual", "priority": 3,
        "families": ["inet"],
    });
    let kind = cx.args.get("type").unwrap_or_default().to_owned();
    let bridges = kind.is_empty() || kind.contains("bridge");
    let mut lines = Vec::new();
    if bridges && cx.may_any("/sdn/zones/localnetwork/vmbr0", &["SDN.Use", "SDN.Audit"]) {
        lines.push(bridge);
    }
    if (kind.is_empty() || kind == "eth") && cx.may(&format!("/nodes/{node}"), "Sys.Audit") {
        lines.push(card);
    }
    Ok(Value::Array(lines).into())
}

pub(super) fn certificates(cx: &mut Cx<'_>) -> Answer {
    let (fingerprint, pem) = cx.state.certificate.clone();
    let node = cx.node();
    let from = cx.state.booted / 1000;
    Ok(json!([{
        "filename": "pve-ssl.pem", "fingerprint": fingerprint, "pem": pem, "subject": format!("/CN={node}"),
        "issuer": "/CN=Proxmox Virtual Environment", "san": ["127.0.0.1", "::1", "localhost", node],
        "notbefore": from, "notafter": from + 63_072_000, "public-key-type": "id-ecPublicKey", "public-key-bits": 256,
    }])
    .into())
}

/// Templates that the node's index lists.
pub(super) const APPLIANCES: [(&str, &str); 3] = [
    (TEMPLATE, "debian-13"),
    ("debian-12-standard_12.12-1_amd64.tar.zst", "debian-12"),
    ("alpine-3.22-default_20250617_amd64.tar.xz", "alpine"),
];

pub(super) fn appliances(_: &mut Cx<'_>) -> Answer {
    let lines = APPLIANCES.iter().map(|(template, os)| {
        let package = template.split('_').next().unwrap_or_default();
        json!({
            "template": template, "package": package, "os": os, "section": "system", "type": "lxc", "architecture": "amd64",
            "version": template.split('_').nth(1).unwrap_or_default(), "headline": package, "description": package,
            "infopage": "", "manageurl": "", "maintainer": "", "source": "", "location": "", "sha512sum": "0".repeat(128),
        })
    });
    Ok(Value::Array(lines.collect()).into())
}

pub(super) fn execute(_: &mut Cx<'_>) -> Answer {
    Err(Refusal::new(501, "the lab does not implement POST /nodes/{node}/execute"))
}
