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
        ["create guest", "grow disk", "set firewall", "start guest", "prepare guest", "renew host key"]
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
