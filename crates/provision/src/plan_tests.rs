use std::net::IpAddr;

use plimsoll_config::{Address, Bytes, Network, NewGuest};
use plimsoll_pve::api::{GuestKind, Power};
use plimsoll_pve::{GuestConfig, Vmid};
use serde_json::json;

use super::*;
use crate::request::Creation;
use crate::{Opening, Wall, firewall};

const IMAGE: &str = "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst";

pub(crate) fn wanted() -> Wanted {
    let ip: IpAddr = "10.0.0.5".parse().unwrap();
    let guest = NewGuest {
        id: None,
        name: None,
        cores: 2,
        memory: Bytes(2 << 30),
        disk: Bytes(8 << 30),
        storage: "local-lvm".to_owned(),
        network: Network {
            bridge: "vmbr0".to_owned(),
            vlan: None,
            address: Address::Fixed { ip, prefix: 24 },
            gateway: "10.0.0.1".parse().ok(),
            dns: Vec::new(),
        },
        image: None,
        checksum: None,
        clone: None,
        user: "plimsoll".to_owned(),
        ssh_keys: Vec::new(),
    };
    Wanted {
        app: "shop".to_owned(),
        target: "production".to_owned(),
        kind: GuestKind::Lxc,
        guest,
        node: "pve1".to_owned(),
        pool: None,
        keys: vec!["ssh-ed25519 AAAA me".to_owned()],
        openings: vec![Opening::new("tcp", "8080")],
    }
}

fn empty() -> NodeState {
    NodeState {
        next: Some(Vmid(103)),
        images: vec![IMAGE.to_owned()],
        shelves: vec!["local".to_owned()],
        ..NodeState::default()
    }
}

fn found(wanted: &Wanted) -> Found {
    let config = json!({
        "cores": 2, "memory": 2048, "onboot": 1, "rootfs": "local-lvm:vm-103-disk-0,size=8G",
        "net0": "name=eth0,bridge=vmbr0,firewall=1,gw=10.0.0.1,ip=10.0.0.5/24,type=veth",
    });
    let mark = Mark {
        host_key: Some("SHA256:x".to_owned()),
        ready: Some(prepare::digest(wanted)),
        ..Mark::of("shop", "production")
    };
    Found {
        node: "pve1".to_owned(),
        vmid: Vmid(103),
        kind: GuestKind::Lxc,
        power: Power::Running,
        mark,
        config: serde_json::from_value::<GuestConfig>(config).unwrap(),
        address: Some("10.0.0.5".to_owned()),
    }
}

fn there(found: Found) -> NodeState {
    let rules = (0..).zip(firewall::all(&wanted().openings)).collect();
    NodeState {
        ours: vec![found],
        wall: Some(Wall { closed: true, rules, digest: None }),
        ..NodeState::default()
    }
}

fn names(state: &NodeState) -> Vec<&'static str> {
    plan(&wanted(), state).unwrap().steps.iter().map(Step::name).collect()
}

#[test]
fn nothing_becomes_a_guest_in_five_steps() {
    let steps = ["create guest", "pin host key", "set firewall", "start guest", "prepare guest"];
    assert_eq!(names(&empty()), steps);
    let plan = plan(&wanted(), &empty()).unwrap();
    assert_eq!(plan.vmid, Some(Vmid(103)));
    assert!(plan.creates() && !plan.is_reachable());
    let Some(Step::Create(make)) = plan.steps.first() else { panic!("{plan:?}") };
    let Creation::Lxc(request) = &make.request else { panic!("{make:?}") };
    assert_eq!(request.unprivileged, Some(true));
    assert_eq!(request.features.as_ref().map(ToString::to_string).as_deref(), Some("nesting=1"));
    let net = request.nets.get(&0).map(ToString::to_string).unwrap_or_default();
    assert_eq!(net, "name=eth0,bridge=vmbr0,firewall=1,ip=10.0.0.5/24,gw=10.0.0.1");
    let mark = request.description.as_deref().and_then(Mark::find);
    assert!(mark.is_some_and(|mark| mark.is_of("shop", "production")));
}

#[test]
fn a_template_that_is_not_there_is_downloaded_first() {
    let offered = vec!["debian-13-standard_13.1-2_amd64.tar.zst".to_owned()];
    let state = NodeState { images: Vec::new(), offered, ..empty() };
    let plan = plan(&wanted(), &state).unwrap();
    assert!(matches!(plan.steps.first(), Some(Step::Download { storage, .. }) if storage == "local"));
    assert!(matches!(plan.steps.get(1), Some(Step::Create(make)) if make.image == IMAGE));
    let bare = NodeState { images: Vec::new(), ..empty() };
    assert!(matches!(super::plan(&wanted(), &bare), Err(Refusal::NoImage(_))));
}

#[test]
fn a_guest_as_it_should_be_needs_nothing() {
    assert_eq!(names(&there(found(&wanted()))), Vec::<&str>::new());
}

#[test]
fn what_a_killed_run_left_is_finished() {
    let whole = found(&wanted());
    let bare = Found { power: Power::Stopped, mark: Mark::of("shop", "production"), ..whole.clone() };
    let state = NodeState { ours: vec![bare], wall: Some(Wall::default()), ..NodeState::default() };
    assert_eq!(names(&state), ["pin host key", "set firewall", "start guest", "prepare guest"]);
    let unprepared = Found { mark: Mark { ready: None, ..whole.mark.clone() }, ..whole };
    assert_eq!(names(&there(unprepared)), ["prepare guest"]);
}

#[test]
fn a_disk_grows_and_never_shrinks() {
    let wants =
        |gib: u64| Wanted { guest: NewGuest { disk: Bytes(gib << 30), ..wanted().guest }, ..wanted() };
    let state = there(found(&wanted()));
    let grown = plan(&wants(12), &state).unwrap();
    assert_eq!(grown.steps, [Step::Grow { disk: "rootfs".to_owned(), from: 8, to: 12 }]);
    let refusal = plan(&wants(4), &state).unwrap_err();
    assert_eq!(refusal, Refusal::Shrink { vmid: Vmid(103), is: 8, wants: 4 });
}

#[test]
fn a_guest_that_holds_data_is_never_made_anew() {
    let state = there(found(&wanted()));
    let machine = Wanted { kind: GuestKind::Qemu, ..wanted() };
    assert!(matches!(plan(&machine, &state), Err(Refusal::Kind { .. })));
    let other = Wanted { guest: NewGuest { id: Some(500), ..wanted().guest }, ..wanted() };
    assert!(matches!(plan(&other, &state), Err(Refusal::Number { .. })));
    let mut moved = wanted();
    moved.guest.network.bridge = "vmbr1".to_owned();
    assert!(matches!(plan(&moved, &state), Err(Refusal::Network { .. })));
    let two = NodeState { ours: vec![found(&wanted()), found(&wanted())], ..NodeState::default() };
    assert!(matches!(plan(&wanted(), &two), Err(Refusal::Several(_))));
}

#[test]
fn numbers_and_names_of_others_are_left_alone() {
    let fixed = Wanted { guest: NewGuest { id: Some(100), ..wanted().guest }, ..wanted() };
    let taken = NodeState { number_is_free: Some(false), ..empty() };
    assert_eq!(plan(&fixed, &taken), Err(Refusal::Taken(Vmid(100))));
    let named = NodeState { strangers: vec![Vmid(101)], ..empty() };
    assert!(matches!(plan(&wanted(), &named), Err(Refusal::Named { .. })));
    let keyless = Wanted { keys: Vec::new(), ..wanted() };
    assert_eq!(plan(&keyless, &empty()), Err(Refusal::NoKey));
}

#[test]
fn a_port_that_is_published_anew_is_opened() {
    let wanted = Wanted { openings: vec![Opening::new("tcp", "9090")], ..wanted() };
    let plan = plan(&wanted, &there(found(&wanted))).unwrap();
    let [Step::Firewall { close: false, open, remove }] = plan.steps.as_slice() else { panic!("{plan:?}") };
    assert_eq!((open.as_slice(), remove.len()), ([Opening::new("tcp", "9090")].as_slice(), 1));
    assert!(plan.is_reachable());
}

#[test]
fn a_machine_is_made_from_a_cloud_image_with_a_seed() {
    let wanted = Wanted { kind: GuestKind::Qemu, ..wanted() };
    let images = vec!["local:import/debian-13-genericcloud-amd64.qcow2".to_owned()];
    let state = NodeState { images, seed_shelves: vec!["local".to_owned()], ..empty() };
    let plan = plan(&wanted, &state).unwrap();
    let names: Vec<&str> = plan.steps.iter().map(Step::name).collect();
    assert_eq!(
        names,
        [
            "create guest",
            "grow disk",
            "set firewall",
            "start guest",
            "prepare guest",
            "grow file system",
            "renew host key"
        ]
    );
    let Some(Step::Create(make)) = plan.steps.first() else { panic!("{plan:?}") };
    let Creation::Vm { request, seed_shelf } = &make.request else { panic!("{make:?}") };
    assert_eq!(seed_shelf, "local");
    assert_eq!(
        request.ipconfig.get(&0).map(ToString::to_string).as_deref(),
        Some("ip=10.0.0.5/24,gw=10.0.0.1")
    );
    let nowhere = NodeState { seed_shelves: Vec::new(), ..state };
    assert_eq!(super::plan(&wanted, &nowhere), Err(Refusal::NoShelf("ISO images")));
}

#[test]
fn an_image_from_a_url_is_fetched_once() {
    let mut wanted = Wanted { kind: GuestKind::Qemu, ..wanted() };
    wanted.guest.image = Some("https://cloud.example.org/noble-server-cloudimg-amd64.img".to_owned());
    wanted.guest.checksum = Some(format!("sha256:{}", "0".repeat(64)));
    let bare = NodeState { images: Vec::new(), seed_shelves: vec!["local".to_owned()], ..empty() };
    let first = plan(&wanted, &bare).unwrap();
    let Some(Step::Fetch { file, .. }) = first.steps.first() else { panic!("{first:?}") };
    assert_eq!(file, "noble-server-cloudimg-amd64.qcow2");
    let there = NodeState { images: vec![format!("local:import/{file}")], ..bare };
    assert!(matches!(plan(&wanted, &there).unwrap().steps.first(), Some(Step::Create(_))));
}

/// A template for these wishes, finished or not.
fn template(wanted: &Wanted, is_done: bool) -> Found {
    let mut found = found(wanted);
    found.vmid = Vmid(110);
    found.power = Power::Stopped;
    found.mark = Mark::of(crate::mark::TEMPLATE, &golden::digest(wanted, IMAGE));
    found.mark.host_key = Some("SHA256:shared".to_owned());
    if is_done {
        found.config.0.insert("template".to_owned(), json!(1));
    }
    found
}

fn cloned() -> Wanted {
    let mut wanted = wanted();
    wanted.guest.clone = Some(CloneKind::Linked);
    wanted
}

fn titles(plan: &Plan) -> Vec<&'static str> {
    plan.steps.iter().map(Step::name).collect()
}

#[test]
fn a_clone_is_made_of_its_template_and_before_it_the_template() {
    let state = NodeState { disk_storage: Some("lvmthin".to_owned()), ..empty() };
    let first = plan(&cloned(), &state).unwrap();
    let rest = ["clone guest", "fit clone", "grow disk", "set firewall", "start guest", "renew host key"];
    assert_eq!(titles(&first), [&["make template"], rest.as_slice()].concat());
    assert!(first.creates() && !first.is_reachable());
    let half = NodeState { templates: vec![template(&cloned(), false)], ..state.clone() };
    assert_eq!(titles(&plan(&cloned(), &half).unwrap())[0], "make template", "it is finished first");
    let there = NodeState { templates: vec![template(&cloned(), true)], ..state };
    let second = plan(&cloned(), &there).unwrap();
    assert_eq!(titles(&second), rest);
    assert!(
        second.steps[0].shown().contains("a linked clone of the template 110"),
        "{}",
        second.steps[0].shown()
    );
    // Other keys, other logins: a template of somebody else is none.
    let other = Wanted { keys: vec!["ssh-ed25519 BBBB ada".to_owned()], ..cloned() };
    assert_eq!(titles(&plan(&other, &there).unwrap())[0], "make template");
}

#[test]
fn a_machine_is_a_clone_that_is_told_who_it_is_by_a_seed_of_its_own() {
    let wanted = Wanted { kind: GuestKind::Qemu, ..cloned() };
    let state = NodeState {
        images: vec!["local:import/debian-13-genericcloud-amd64.qcow2".to_owned()],
        disk_storage: Some("dir".to_owned()),
        seed_shelves: vec!["local".to_owned()],
        ..empty()
    };
    let todo = plan(&wanted, &state).unwrap();
    let steps = [
        "make template",
        "clone guest",
        "fit clone",
        "grow disk",
        "set firewall",
        "start guest",
        "prepare guest",
        "grow file system",
        "renew host key",
    ];
    assert_eq!(titles(&todo), steps);
    assert!(todo.steps[0].shown().contains("a virtual machine that is set up inside"), "{todo:?}");
    assert!(todo.steps[1].shown().contains("create virtual machine 104 as a linked clone"), "{todo:?}");
    let nowhere = NodeState { seed_shelves: Vec::new(), ..state.clone() };
    assert_eq!(plan(&wanted, &nowhere), Err(Refusal::NoShelf("ISO images")));

    // Cut off after the clone: it still has its template's card and no key that anybody may believe.
    let mut raw = found(&wanted);
    raw.kind = GuestKind::Qemu;
    raw.power = Power::Stopped;
    raw.mark = Mark { is_raw: true, disk: Some(4), ..Mark::of("shop", "production") };
    raw.config.0.insert("scsi0".to_owned(), json!("local-lvm:vm-103-disk-0,size=4G"));
    raw.config.0.insert("net0".to_owned(), json!("virtio=BC:24:11:00:00:07,bridge=vmbr9,tag=7"));
    raw.config.0.insert("ipconfig0".to_owned(), json!("ip=10.0.0.77/24,gw=10.0.0.1"));
    let cut = NodeState { ours: vec![raw.clone()], ..state };
    let todo = plan(&wanted, &cut).unwrap();
    assert_eq!(todo.steps[0], Step::Fit { seed_shelf: Some("local".to_owned()) });
    assert!(!titles(&todo).contains(&"pin host key"), "{todo:?}");
    let drive = "local:iso/plimsoll-seed-103-a-b.iso,media=cdrom".parse().ok();
    let fitting = golden::fitting_machine(&wanted, &raw, String::new(), drive);
    let card = fitting.nets[&0].to_string();
    assert!(card.contains(&crate::seed::card(&wanted, raw.vmid)), "the address that the seed names: {card}");
    assert!(card.contains("bridge=vmbr0") && !card.contains("tag="), "{card}");
    assert_eq!(fitting.ipconfig[&0].to_string(), "ip=10.0.0.5/24,gw=10.0.0.1");
    assert!(fitting.ide[&2].to_string().starts_with("local:iso/plimsoll-seed-103"));
}

#[test]
fn a_half_made_template_of_a_machine_keeps_the_card_that_it_has() {
    let wanted = Wanted { kind: GuestKind::Qemu, ..cloned() };
    let mut half = template(&wanted, false);
    half.kind = GuestKind::Qemu;
    half.config.0.insert("net0".to_owned(), json!("virtio=BC:24:11:00:00:07,bridge=vmbr9,tag=7"));
    half.config.0.insert("ipconfig0".to_owned(), json!("ip=10.0.0.77/16,gw=10.0.0.3"));
    let network = golden::as_found(wanted, &half).guest.network;
    assert_eq!((network.bridge.as_str(), network.vlan), ("vmbr9", Some(7)));
    assert_eq!(network.address, Address::Fixed { ip: "10.0.0.77".parse().unwrap(), prefix: 16 });
    assert_eq!(network.gateway, "10.0.0.3".parse().ok());
}

#[test]
fn what_cannot_be_a_clone_is_made_from_its_image_and_says_why() {
    let thin = NodeState { disk_storage: Some("lvmthin".to_owned()), ..empty() };
    let files = NodeState { disk_storage: Some("dir".to_owned()), ..empty() };
    let small = Wanted { guest: NewGuest { disk: Bytes(2 << 30), ..cloned().guest }, ..cloned() };
    let numbered = Wanted { guest: NewGuest { id: Some(150), ..cloned().guest }, ..cloned() };
    for (wanted, state, why) in [
        (cloned(), files, "of the kind dir"),
        (small, thin.clone(), "a template takes 4 GiB"),
        (numbered, thin, "name a `pool`"),
    ] {
        let plan = plan(&wanted, &state).unwrap();
        assert_eq!(titles(&plan)[0], "create guest", "{why}");
        assert!(plan.notes.iter().any(|note| note.contains(why)), "{:?}", plan.notes);
    }
}

#[test]
fn a_clone_that_was_not_fitted_is_fitted_whatever_its_card_says() {
    let wanted = cloned();
    let mut raw = found(&wanted);
    raw.config
        .0
        .insert("net0".to_owned(), json!("name=eth0,bridge=vmbr9,ip=10.0.0.77/24,hwaddr=BC:24:11:00:00:07"));
    raw.config.0.insert("nameserver".to_owned(), json!("10.0.0.9"));
    (raw.mark.is_raw, raw.mark.is_key_shared) = (true, true);
    let state = NodeState { ours: vec![raw.clone()], ..empty() };
    let todo = plan(&wanted, &state).unwrap();
    assert_eq!(titles(&todo)[0], "fit clone");
    assert_eq!(titles(&todo).last(), Some(&"renew host key"));
    let fitting = golden::fitting(&wanted, &raw, String::new());
    let card = fitting.nets[&0].to_string();
    assert!(card.contains("hwaddr=BC:24:11:00:00:07") && card.contains("ip=10.0.0.5/24"), "{card}");
    assert!(card.contains("bridge=vmbr0") && card.contains("firewall=1"), "{card}");
    assert_eq!(fitting.delete.as_deref(), Some("nameserver"));
}

#[test]
fn a_half_made_template_that_holds_the_address_is_taken_away_first() {
    let half = template(&cloned(), false);
    let state = NodeState { templates: vec![half.clone()], ..empty() };
    assert_eq!(titles(&plan(&wanted(), &state).unwrap())[0], "discard template");
    let done = NodeState { templates: vec![template(&cloned(), true)], ..empty() };
    assert_eq!(titles(&plan(&wanted(), &done).unwrap())[0], "create guest", "a finished one runs nowhere");
}

#[test]
fn the_file_system_of_a_machine_follows_its_disk_once() {
    let wanted = Wanted { kind: GuestKind::Qemu, ..wanted() };
    let mut machine = found(&wanted);
    machine.kind = GuestKind::Qemu;
    machine.config.0.insert("scsi0".to_owned(), json!("local-lvm:vm-103-disk-0,size=8G"));
    machine.config.0.insert("ipconfig0".to_owned(), json!("ip=10.0.0.5/24,gw=10.0.0.1"));
    machine.config.0.insert("net0".to_owned(), json!("virtio=02:00:00:00:00:01,bridge=vmbr0,firewall=1"));
    let spread = |machine: &Found, wanted: &Wanted| {
        let state = NodeState { ours: vec![machine.clone()], ..empty() };
        let steps = plan(wanted, &state).unwrap().steps;
        steps
            .into_iter()
            .filter(|step| matches!(step, Step::Grow { .. } | Step::Spread { .. }))
            .collect::<Vec<_>>()
    };
    assert_eq!(spread(&machine, &wanted), [Step::Spread { to: 8 }]);
    machine.mark.disk = Some(8);
    assert_eq!(spread(&machine, &wanted), []);
    let bigger = Wanted { guest: NewGuest { disk: Bytes(12 << 30), ..wanted.guest.clone() }, ..wanted };
    let grow = Step::Grow { disk: "scsi0".to_owned(), from: 8, to: 12 };
    assert_eq!(spread(&machine, &bigger), [grow, Step::Spread { to: 12 }]);
    // Cut off between the two: the disk is bigger, its file system is not.
    machine.config.0.insert("scsi0".to_owned(), json!("local-lvm:vm-103-disk-0,size=12G"));
    assert_eq!(spread(&machine, &bigger), [Step::Spread { to: 12 }]);
}
