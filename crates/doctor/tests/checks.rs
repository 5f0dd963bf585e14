//! What the checks say about nodes that are wrong in one way each.

#![expect(clippy::unwrap_used, reason = "a test says why it stops")]

use plimsoll_config::{Target, parse};
use plimsoll_doctor::checks::{self, Access, Echo, GuestSeen, Inside, JobSeen, address};
use plimsoll_doctor::{Answer, Check, Names, Needs, Outcome, Seen, Work};
use plimsoll_pve::Version;
use serde_json::{Value, json};

const FILE: &str = "app: shop\ncompose: compose.yaml\ntargets:\n  production:\n    proxmox: {url: \"https://pve.lan:8006\", node: pve1}\n    guest:\n      kind: lxc\n      memory: 1GiB\n      disk: 8GiB\n      storage: thin\n      network: {bridge: vmbr0, address: 192.168.1.50/24, gateway: 192.168.1.1}\n    backup: {storage: nas}\n";

fn target(file: &str) -> Target {
    parse("plimsoll.yaml".into(), file).unwrap().targets["production"].clone()
}

fn of<T: serde::de::DeserializeOwned>(value: Value) -> Answer<T> {
    Ok(serde_json::from_value(value).unwrap())
}

/// A node on which nothing is wrong.
fn seen(target: &Target) -> Seen {
    let work = Work::of(target, 9);
    let needs = work.as_ref().map(Needs::of).unwrap_or_default();
    let mut permissions = plimsoll_pve::api::Permissions::new();
    for (path, privilege) in &needs.privileges {
        permissions.entry(path.clone()).or_default().insert((*privilege).to_owned(), 1);
    }
    let store = |name: &str, kind: &str, content: &str| json!({"storage": name, "type": kind, "content": content, "active": 1, "enabled": 1, "avail": 100u64 << 30});
    Seen {
        version: Version::new(9, 2, 3),
        clock: Some(1_000_000),
        work,
        nodes: of(json!([{"node": "pve1", "status": "online"}])),
        permissions: Ok(permissions),
        roles: Ok(Vec::new()),
        storages: of(json!([
            store("local", "dir", "vztmpl,iso"),
            store("thin", "lvmthin", "rootdir"),
            store("nas", "nfs", "backup")
        ])),
        network: of(json!([{"iface": "vmbr0", "type": "bridge", "active": 1, "cidr": "192.168.1.2/24"}])),
        images: of(json!([{"volid": "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst"}])),
        offered: Ok(Vec::new()),
    }
}

fn access() -> Access {
    Access {
        host: "pve.lan:8006".to_owned(),
        pinned: None,
        authority: false,
        token: Some("plimsoll@pve!shop-production".to_owned()),
        names: Names::new("shop", "production").with_token("plimsoll@pve!shop-production"),
        major: 9,
        now: 1_000_000,
    }
}

/// Checks that are not fine, a line each.
fn complaints(change: impl FnOnce(&mut Seen)) -> Vec<String> {
    let target = target(FILE);
    let mut seen = seen(&target);
    change(&mut seen);
    shown(&checks::node(&access(), &target, &seen))
}

fn shown(checks: &[Check]) -> Vec<String> {
    let bad = checks.iter().filter(|check| check.outcome != Outcome::Fine);
    bad.map(|check| format!("{} {}: {}", check.outcome.word(), check.name, check.evidence)).collect()
}

#[test]
fn nothing_is_said_of_a_node_on_which_nothing_is_wrong() {
    assert_eq!(complaints(|_| ()), [""; 0]);
}

#[test]
fn each_thing_that_is_wrong_is_said_once() {
    type Case = (fn(&mut Seen), &'static str);
    let cases: [Case; 14] = [
        (
            |seen| seen.version = Version::new(7, 4, 0),
            "failed release: Proxmox VE 7.4; 8 is the oldest that a deploy knows",
        ),
        (
            |seen| seen.version = Version::new(10, 0, 0),
            "warning release: Proxmox VE 10.0 is newer than what deploys were tested with, 8 and 9",
        ),
        (
            |seen| seen.nodes = of(json!([{"node": "pve1", "status": "offline"}])),
            "failed cluster: the node pve1 is offline",
        ),
        (
            |seen| seen.nodes = of(json!([{"node": "a", "status": "online"}])),
            "failed cluster: there is no node pve1; there is a",
        ),
        (|seen| seen.clock = Some(1_000_090), "warning clock: the node is 90 s ahead of this machine"),
        (|seen| seen.clock = None, "unknown clock: the node does not say its time"),
        (
            |seen| storage(seen, 1, "content", json!("images")),
            "failed storage: thin does not take disks of containers (`rootdir`); it takes images",
        ),
        (|seen| storage(seen, 1, "active", json!(0)), "failed storage: thin cannot be reached"),
        (
            |seen| storage(seen, 1, "avail", json!(6u64 << 30)),
            "warning storage: thin has 6.0 GiB free, and the disk may grow to 8GiB",
        ),
        (
            |seen| storage(seen, 1, "avail", json!(1u64 << 30)),
            "failed storage: thin has 1.0 GiB free, and the disk may grow to 8GiB",
        ),
        (
            |seen| storage(seen, 1, "storage", json!("fast")),
            "failed storage: there is no storage thin on pve1; the token sees local, fast, nas",
        ),
        (
            |seen| storage(seen, 2, "content", json!("iso")),
            "failed backups: nas does not take backup; it takes iso",
        ),
        (
            |seen| seen.network = of(json!([{"iface": "vmbr1", "type": "bridge", "active": 1}])),
            "failed bridge: there is no bridge vmbr0 on pve1; the token sees vmbr1",
        ),
        (
            |seen| seen.images = Ok(Vec::new()),
            "failed image: the node has no template of Debian 13 and knows none to download",
        ),
    ];
    for (change, wanted) in cases {
        assert_eq!(complaints(change), [wanted]);
    }
}

fn storage(seen: &mut Seen, index: usize, key: &str, value: Value) {
    let mut all = vec![
        json!({"storage": "local", "type": "dir", "content": "vztmpl,iso", "active": 1, "enabled": 1, "avail": 100u64 << 30}),
        json!({"storage": "thin", "type": "lvmthin", "content": "rootdir", "active": 1, "enabled": 1, "avail": 100u64 << 30}),
        json!({"storage": "nas", "type": "nfs", "content": "backup", "active": 1, "enabled": 1, "avail": 100u64 << 30}),
    ];
    all[index][key] = value;
    seen.storages = of(Value::Array(all));
}

#[test]
fn what_a_token_may_not_see_is_not_called_missing() {
    let said = complaints(|seen| {
        seen.permissions = Ok(plimsoll_pve::api::Permissions::new());
        seen.storages = Ok(Vec::new());
        seen.network = Ok(Vec::new());
        seen.images = Ok(Vec::new());
    });
    let failed: Vec<&String> = said.iter().filter(|line| line.starts_with("failed")).collect();
    assert!(failed.len() == 1 && failed[0].starts_with("failed privileges: the token lacks"), "{said:?}");
    assert_eq!(said.len(), 5, "{said:?}");
}

#[test]
fn addresses_are_held_against_their_network() {
    let of = |old: &str, new: &str, there: bool, echo: Echo| {
        let target = target(&FILE.replace(old, new));
        let check = address(&target, Some(&seen(&target)), there, echo).unwrap();
        format!("{}: {}", check.outcome.word(), check.evidence)
    };
    let same = "address: 192.168.1.50/24";
    assert_eq!(of(same, same, false, Echo::Nobody), "ok: nobody answers at 192.168.1.50/24");
    assert_eq!(of(same, same, true, Echo::NotTried), "ok: 192.168.1.50/24 is the guest's");
    assert_eq!(of(same, same, false, Echo::Somebody), "failed: somebody else has 192.168.1.50");
    assert!(of(same, same, false, Echo::Something).starts_with("warning: something answers at 192.168.1.50"));
    assert!(of(same, same, false, Echo::NotTried).starts_with("unknown"));
    assert!(of("gateway: 192.168.1.1", "gateway: 192.168.1.50", false, Echo::Nobody).starts_with("failed"));
    assert_eq!(of("1.50/24", "1.2/24", false, Echo::Nobody), "failed: 192.168.1.2 is the node's own address");
    let other =
        of("192.168.1.50/24, gateway: 192.168.1.1", "10.0.0.5/24, gateway: 10.0.0.1", false, Echo::Nobody);
    assert_eq!(other, "warning: 10.0.0.5 is not in the network of vmbr0, 192.168.1.2/24");
    assert_eq!(
        of("192.168.1.50/24, gateway: 192.168.1.1", "dhcp", false, Echo::NotTried),
        "ok: the network gives it (DHCP)"
    );
}

#[test]
fn guests_engines_and_tools_are_judged() {
    let guest = |running, lock: Option<&str>| GuestSeen {
        vmid: 100,
        kind: "container",
        running,
        lock: lock.map(str::to_owned),
        login: None,
    };
    let judge = |guest| shown(&[checks::guest(&Ok(Some(guest)))]);
    assert_eq!(judge(guest(true, None)), [""; 0]);
    assert_eq!(judge(guest(false, None)), ["warning guest: container 100 is stopped"]);
    assert_eq!(judge(guest(true, Some("backup"))), ["failed guest: container 100 is locked (backup)"]);
    let inside = |engine: Option<&str>, free| Inside {
        engine: engine.map(str::to_owned),
        compose: Some("2.26.1".to_owned()),
        free: Some(free),
    };
    assert_eq!(shown(&checks::engine(&inside(Some("26.1"), 9 << 30), true)), [""; 0]);
    assert_eq!(
        shown(&checks::engine(&inside(None, 9 << 30), true)),
        ["failed engine: the guest has no Docker Engine that answers"]
    );
    assert_eq!(
        shown(&checks::engine(&inside(Some("26.1"), 1 << 30), true)),
        ["warning space: 1.0 GiB free for images and data in the guest"]
    );
    assert_eq!(
        shown(&[checks::tools(None, Some("Docker Engine 26.1"), true)]),
        ["failed tools: there is no `ssh` on this machine"]
    );
    assert_eq!(shown(&[checks::tools(Some("OpenSSH_10"), None, false)]), [""; 0]);
    assert_eq!(shown(&[checks::tools(Some("OpenSSH_10"), None, true)]).len(), 1);
}

#[test]
fn a_backup_job_is_there_due_off_or_not_to_be_had() {
    let asked = target(&FILE.replace("{storage: nas}", "{storage: nas, schedule: daily}"));
    let mut seen = seen(&asked);
    let said = |seen: &Seen, job: &JobSeen| {
        let by_hand = Some("pvesh create /cluster/backup --id plimsoll-107".to_owned());
        checks::schedule(&access(), seen, job, by_hand).unwrap()
    };
    let there = said(&seen, &JobSeen::There("the job backs up guest 107".to_owned()));
    assert_eq!(there.outcome, Outcome::Fine);
    assert_eq!(said(&seen, &JobSeen::Off("the job".to_owned())).outcome, Outcome::Warning);
    // The least role alone is not enough, and that is no failure.
    let due = JobSeen::Due("add the backup job".to_owned());
    for job in [&due, &JobSeen::Unseen] {
        let lacks = said(&seen, job);
        assert_eq!(lacks.outcome, Outcome::Warning);
        let named = ["Datastore.Allocate on `/storage/nas`", "Sys.Audit and Sys.Modify on `/`"];
        assert!(named.iter().all(|name| lacks.evidence.contains(name)), "{}", lacks.evidence);
        assert!(lacks.commands[0].starts_with("pvesh create"), "{:?}", lacks.commands);
        assert!(lacks.fix.unwrap().contains("`plimsoll backup create`"));
    }
    let needs = Needs::of_schedule(seen.work.as_ref().unwrap());
    for (path, privilege) in &needs.privileges {
        let all = seen.permissions.as_mut().unwrap();
        all.entry(path.clone()).or_default().insert((*privilege).to_owned(), 1);
    }
    assert_eq!(said(&seen, &due).evidence, "a deploy will add the backup job");
    // Nothing is said of a target that asks for none.
    let silent = self::seen(&target(FILE));
    assert_eq!(checks::schedule(&access(), &silent, &JobSeen::Unseen, None), None);
}
