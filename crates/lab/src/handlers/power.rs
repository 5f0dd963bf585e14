//! Lists, states and power of guests.

use plimsoll_pve::Upid;
use serde_json::{Map, Value, json};

use crate::access::Caller;
use crate::backend::Operation;
use crate::cx::{Cx, locked, no_such};
use crate::guest::{Guest, Kind};
use crate::reply::{Answer, Refusal};
use crate::state::State;
use crate::task::Plan;

pub(super) fn list(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let (node, now) = (cx.node(), cx.state.now());
    let seen = cx.state.guests.values().filter(|guest| guest.kind == kind && guest.node == node);
    let seen = seen.filter(|guest| cx.may(&format!("/vms/{}", guest.vmid), "VM.Audit"));
    Ok(Value::Array(seen.map(|guest| Value::Object(cx.state.status_of(guest, now))).collect()).into())
}

pub(super) fn status(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let (now, sid) = (cx.state.now(), cx.args.vmid());
    let guest = cx.guest(kind)?;
    let mut out = cx.state.status_of(guest, now);
    if guest.lock.as_deref() == Some("create") {
        out.insert("name".to_owned(), json!(format!("{}{sid}", kind.word())));
    }
    let managed = cx.state.ha.contains_key(&sid_of(kind, sid));
    out.insert("ha".to_owned(), json!({ "managed": u8::from(managed) }));
    if kind == Kind::Qemu {
        out.insert("qmpstatus".to_owned(), out.get("status").cloned().unwrap_or_default());
        if agent_enabled(guest) {
            out.insert("agent".to_owned(), json!(1));
        }
    }
    Ok(Value::Object(out).into())
}

/// `ct:105` or `vm:105`.
pub(super) fn sid_of(kind: Kind, vmid: u32) -> String {
    format!("{}:{vmid}", if kind.is_container() { "ct" } else { "vm" })
}

pub(super) fn agent_enabled(guest: &Guest) -> bool {
    guest.config.get("agent").is_some_and(|text| text.starts_with('1') || text.contains("enabled=1"))
}

fn ready(state: &State, kind: Kind, node: &str, vmid: u32) -> Result<(), String> {
    let guest = state.guests.get(&vmid).filter(|guest| guest.kind == kind);
    let guest = guest.ok_or_else(|| no_such(kind, node, vmid))?;
    if let Some(text) = locked(state, guest) {
        return Err(text);
    }
    if guest.is_template() {
        let word = kind.word();
        return Err(format!(
            "you can't start a {} if it's a template",
            if kind.is_container() { word } else { "vm" }
        ));
    }
    if guest.running.is_some() {
        return Err(format!("{} {vmid} already running", kind.word()));
    }
    Ok(())
}

/// Asks the backend to start a guest with what is pending.
fn bringing_up(state: &mut State, vmid: u32) -> Result<Option<Operation>, String> {
    let guest = state.guest_mut(vmid)?;
    guest.apply_pending();
    Ok(Some(Operation::Start(guest.spec())))
}

pub(super) fn brought_up(state: &mut State, vmid: u32) -> Result<Vec<String>, String> {
    let now = state.now();
    let pid = state.backend.process(vmid).unwrap_or(10_000 + vmid);
    let guest = state.guest_mut(vmid)?;
    guest.running = Some(now);
    guest.pid = pid;
    Ok(Vec::new())
}

pub(super) fn taken_down(state: &mut State, vmid: u32) -> Result<Vec<String>, String> {
    let guest = state.guest_mut(vmid)?;
    if guest.running.take().is_some() {
        guest.programs.clear();
        guest.apply_pending();
    }
    Ok(Vec::new())
}

/// Adds the steps of a stop, where the guest runs.
pub(super) fn then_down(plan: Plan, after: i64, vmid: u32, ask: bool) -> Plan {
    plan.work(
        after,
        move |state| {
            let running = state.guest_mut(vmid)?.running.is_some();
            Ok(running.then_some(Operation::Stop { vmid, ask }))
        },
        move |state| taken_down(state, vmid),
    )
}

pub(super) fn then_up(plan: Plan, after: i64, vmid: u32) -> Plan {
    plan.work(after, move |state| bringing_up(state, vmid), move |state| brought_up(state, vmid))
}

/// Starts a guest in a task of its own.
pub(super) fn spawn_start(state: &mut State, node: &str, caller: &Caller, kind: Kind, vmid: u32) -> Upid {
    let long = state.ms(if kind.is_container() { 150 } else { 300 });
    let of = node.to_owned();
    let plan = Plan::new(kind.task("vzstart", "qmstart"), vmid.to_string())
        .then(0, move |state| ready(state, kind, &of, vmid).map(|()| Vec::new()));
    state.start(node, caller, then_up(plan, long, vmid))
}

pub(super) fn start(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let (node, vmid) = (cx.node(), cx.args.vmid());
    root_only_lock(cx)?;
    if cx.state.guests.get(&vmid).is_some_and(|guest| guest.running.is_some()) {
        return Err(Refusal::died(format!("{} {vmid} already running", kind.word())));
    }
    let caller = cx.caller.clone();
    Ok(json!(spawn_start(cx.state, &node, &caller, kind, vmid).to_string()).into())
}

fn root_only_lock(cx: &Cx<'_>) -> Result<(), Refusal> {
    if cx.args.flag("skiplock") && !cx.caller.is_root() {
        return Err(Refusal::parameter("skiplock", "Only root may use this option."));
    }
    Ok(())
}

fn running(cx: &Cx<'_>, kind: Kind, word: &str) -> Result<(), Refusal> {
    match cx.guest(kind)?.running {
        Some(_) => Ok(()),
        None => Err(Refusal::died(format!("{word} {} not running", cx.args.vmid()))),
    }
}

fn unlocked(state: &State, vmid: u32) -> Result<(), String> {
    let guest = state.guests.get(&vmid).ok_or_else(|| format!("guest {vmid} is gone"))?;
    locked(state, guest).map_or(Ok(()), Err)
}

pub(super) fn stop(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let vmid = cx.args.vmid();
    root_only_lock(cx)?;
    if kind.is_container() {
        running(cx, kind, "CT")?;
    } else {
        cx.guest(kind)?;
    }
    let long = cx.state.ms(50);
    let plan = Plan::new(kind.task("vzstop", "qmstop"), vmid.to_string())
        .then(0, move |state| unlocked(state, vmid).map(|()| Vec::new()));
    Ok(cx.spawn(then_down(plan, long, vmid, false)).into())
}

pub(super) fn reset(cx: &mut Cx<'_>) -> Answer {
    let vmid = cx.args.vmid();
    root_only_lock(cx)?;
    running(cx, Kind::Qemu, "VM")?;
    let plan = Plan::new("qmreset", vmid.to_string())
        .then(0, move |state| unlocked(state, vmid).map(|()| Vec::new()))
        .work(cx.state.ms(50), move |_| Ok(Some(Operation::Reset { vmid })), |_| Ok(Vec::new()));
    Ok(cx.spawn(plan).into())
}

pub(super) fn shutdown(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let vmid = cx.args.vmid();
    root_only_lock(cx)?;
    running(cx, kind, kind.word())?;
    let long = cx.state.ms(200);
    let plan = Plan::new(kind.task("vzshutdown", "qmshutdown"), vmid.to_string())
        .then(0, move |state| unlocked(state, vmid).map(|()| Vec::new()));
    Ok(cx.spawn(then_down(plan, long, vmid, true)).into())
}

pub(super) fn reboot(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let vmid = cx.args.vmid();
    running(cx, kind, "VM")?;
    let (down, up) = (cx.state.ms(200), cx.state.ms(150));
    let plan = Plan::new(kind.task("vzreboot", "qmreboot"), vmid.to_string())
        .then(0, move |state| unlocked(state, vmid).map(|()| Vec::new()));
    Ok(cx.spawn(then_up(then_down(plan, down, vmid, true), up, vmid)).into())
}

pub(super) fn interfaces(cx: &mut Cx<'_>) -> Answer {
    let guest = cx.guest(Kind::Lxc)?;
    let vmid = guest.vmid;
    if guest.running.is_none() {
        return Ok(Value::Null.into());
    }
    let spec = guest.spec();
    let of = |name: &str, mac: &str, addresses: &[(&str, &str)]| {
        let mut out = Map::from_iter([
            ("name".to_owned(), json!(name)),
            ("hwaddr".to_owned(), json!(mac)),
            ("hardware-address".to_owned(), json!(mac)),
        ]);
        let list = addresses.iter().map(|(kind, cidr)| {
            let (address, prefix) = cidr.split_once('/').unwrap_or((cidr, ""));
            json!({ "ip-address": address, "prefix": prefix, "ip-address-type": kind })
        });
        out.insert("ip-addresses".to_owned(), Value::Array(list.collect()));
        out.extend(addresses.iter().map(|(kind, cidr)| ((*kind).to_owned(), json!(cidr))));
        Value::Object(out)
    };
    let mut lines = vec![of("lo", "00:00:00:00:00:00", &[("inet", "127.0.0.1/8"), ("inet6", "::1/128")])];
    let silent = cx.state.faults.no_address(vmid);
    for address in cx.state.backend.addresses(&spec) {
        let kind = if address.cidr.contains(':') { "inet6" } else { "inet" };
        let mac = address.mac.to_lowercase();
        let link = link_local(&mac);
        let mut given = vec![("inet6", link.as_str())];
        if !silent {
            given.insert(0, (kind, address.cidr.as_str()));
        }
        lines.push(of(&address.interface, &mac, &given));
    }
    Ok(Value::Array(lines).into())
}

/// The address that a card gives itself (RFC 4291, appendix A).
fn link_local(mac: &str) -> String {
    let bytes: Vec<u8> = mac.split(':').filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect();
    let [a, b, c, d, e, f] = bytes.as_slice() else { return "fe80::1/64".to_owned() };
    let [a, b, c, d, e, f] = [a ^ 2, *b, *c, *d, *e, *f].map(u16::from);
    let address = std::net::Ipv6Addr::new(0xfe80, 0, 0, 0, a << 8 | b, c << 8 | 0xff, 0xfe00 | d, e << 8 | f);
    format!("{address}/64")
}
