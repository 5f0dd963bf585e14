//! Against a node of the lab whose guests are simulated: everything up to the first login.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod rig;

use plimsoll_config::{Address, Bytes, CloneKind, NewGuest};
use plimsoll_provision::{Opening, ProvisionError, Refusal, Step, Wanted, find, observe, plan, templates};
use plimsoll_pve::api::{CreateFirewallRule, GetFirewallRules, GuestKind, LxcUpdate};
use plimsoll_pve::{Error, Kind, Vmid};
use rig::{Rig, wanted};

#[tokio::test]
async fn a_guest_is_made_once_and_found_by_everybody() {
    let rig = Rig::new().await;
    let wanted = wanted("shop");
    let done = rig.run(&wanted).await.unwrap();
    assert_eq!(done, ["create guest", "pin host key", "set firewall", "start guest"]);
    assert_eq!(rig.run(&wanted).await.unwrap(), Vec::<&str>::new());
    let found = find(&rig.client, "pve1", "shop", "production").await.unwrap().unwrap();
    assert!(found.mark.host_key.unwrap().starts_with("SHA256:"));
    assert!(found.address.is_some(), "the network gave it one");
    assert!(find(&rig.client, "pve1", "shop", "staging").await.unwrap().is_none());
    let rules = GetFirewallRules { node: "pve1".into(), kind: GuestKind::Lxc, vmid: found.vmid };
    assert_eq!(rig.client.call(&rules).await.unwrap().len(), 3);
}

#[tokio::test]
async fn two_apps_have_two_guests_and_a_foreign_guest_is_never_taken() {
    let rig = Rig::new().await;
    rig.run(&wanted("shop")).await.unwrap();
    rig.run(&wanted("blog")).await.unwrap();
    assert_eq!(rig.numbers().await, [100, 101]);
    // The name is the same and the mark is gone: not ours any more.
    let update = LxcUpdate {
        node: "pve1".into(),
        vmid: Vmid(100),
        description: Some("somebody else's".into()),
        ..LxcUpdate::default()
    };
    rig.client.call(&update).await.unwrap();
    let refused = rig.run(&wanted("shop")).await.unwrap_err();
    assert!(matches!(refused, ProvisionError::Refused(Refusal::Named { vmid: Vmid(100), .. })), "{refused}");
    assert_eq!(rig.numbers().await, [100, 101]);
}

#[tokio::test]
async fn a_machine_is_made_from_an_image_and_a_seed_and_found_again() {
    let rig = Rig::new().await;
    let mut wanted = Wanted { kind: GuestKind::Qemu, ..wanted("shop") };
    wanted.guest.disk = Bytes(20 << 30);
    wanted.guest.network.address = Address::Fixed { ip: "10.99.0.5".parse().unwrap(), prefix: 16 };
    wanted.guest.network.gateway = "10.99.0.1".parse().ok();
    let done = rig.run(&wanted).await.unwrap();
    assert_eq!(done, ["create guest", "grow disk", "set firewall", "start guest"]);
    assert_eq!(rig.run(&wanted).await.unwrap(), Vec::<&str>::new());
    let found = find(&rig.client, "pve1", "shop", "production").await.unwrap().unwrap();
    assert_eq!((found.kind, found.address.as_deref()), (GuestKind::Qemu, Some("10.99.0.5")));
    assert!(found.mark.host_key.is_some_and(|key| key.starts_with("SHA256:")));
    let disk = found.config.text("scsi0").unwrap();
    assert!(disk.contains("size=20G") && disk.contains("discard=on"), "{disk}");
    let drive = found.config.text("ide2").unwrap();
    assert!(drive.starts_with("local:iso/plimsoll-seed-100-"), "{drive}");
    // What is left is a login, which a simulated machine cannot take, and then the end of the seed.
    let left = plan(&wanted, &observe(&rig.client, &wanted).await.unwrap()).unwrap();
    assert_eq!(left.steps, [Step::Prepare, Step::Spread { to: 20 }, Step::Unseed]);
    let shrunk = Wanted { guest: NewGuest { disk: Bytes(10 << 30), ..wanted.guest.clone() }, ..wanted };
    let refused = plan(&shrunk, &observe(&rig.client, &shrunk).await.unwrap());
    assert!(matches!(refused, Err(Refusal::Shrink { is: 20, wants: 10, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_machine_is_cloned_and_told_who_it_is() {
    let rig = Rig::new().await;
    let mut wanted = Wanted { kind: GuestKind::Qemu, ..wanted("shop") };
    wanted.guest.disk = Bytes(20 << 30);
    wanted.guest.clone = Some(CloneKind::Linked);
    wanted.guest.network.address = Address::Fixed { ip: "10.99.0.5".parse().unwrap(), prefix: 16 };
    wanted.guest.network.gateway = "10.99.0.1".parse().ok();
    let template = rig.template(&wanted).await;
    let done = rig.run(&wanted).await.unwrap();
    assert_eq!(done, ["clone guest", "fit clone", "grow disk", "set firewall", "start guest"]);
    let found = find(&rig.client, "pve1", "shop", "production").await.unwrap().unwrap();
    assert_ne!(found.vmid, template);
    assert_eq!((found.kind, found.address.as_deref()), (GuestKind::Qemu, Some("10.99.0.5")));
    assert!(found.mark.host_key.is_some_and(|key| key.starts_with("SHA256:")), "its seed's");
    let text = |key: &str| found.config.text(key).unwrap();
    assert!(text("scsi0").contains("size=20G"), "{}", text("scsi0"));
    assert!(text("ide2").starts_with("local:iso/plimsoll-seed-101-"), "{}", text("ide2"));
    assert!(text("net0").contains("virtio=02:") && !text("net0").contains("BC:24:11"), "{}", text("net0"));
    assert_eq!((text("name").as_str(), text("memory").as_str()), ("shop-production", "1024"));
    let left = plan(&wanted, &observe(&rig.client, &wanted).await.unwrap()).unwrap();
    assert_eq!(left.steps, [Step::Prepare, Step::Spread { to: 20 }, Step::Unseed]);
    let all = templates(&rig.client, "pve1").await.unwrap();
    assert_eq!(all.iter().map(|one| one.vmid).collect::<Vec<_>>(), [template]);
}

#[tokio::test]
async fn an_image_that_the_node_lacks_is_fetched_with_its_digest() {
    let rig = Rig::new().await;
    let mut wanted = Wanted { kind: GuestKind::Qemu, ..wanted("shop") };
    wanted.guest.image = Some("https://cloud.example.org/noble-server-cloudimg-amd64.img".to_owned());
    wanted.guest.checksum = Some(format!("sha256:{}", "a".repeat(64)));
    let state = observe(&rig.client, &wanted).await.unwrap();
    rig.runner(&wanted, "/proc/none").once(&state).await.unwrap();
    let state = observe(&rig.client, &wanted).await.unwrap();
    assert!(state.images.iter().any(|image| image == "local:import/noble-server-cloudimg-amd64.qcow2"));
    assert!(plan(&wanted, &state).unwrap().creates());
}

#[tokio::test]
async fn a_rule_that_somebody_added_meanwhile_is_never_the_one_that_goes() {
    let rig = Rig::new().await;
    let before =
        Wanted { openings: vec![Opening::new("tcp", "80"), Opening::new("tcp", "81")], ..wanted("shop") };
    rig.run(&before).await.unwrap();
    let wanted = wanted("shop");
    let state = observe(&rig.client, &wanted).await.unwrap();
    let (node, kind, vmid) = ("pve1".to_owned(), GuestKind::Lxc, Vmid(100));
    let foreign = CreateFirewallRule {
        node: node.clone(),
        kind,
        vmid,
        direction: "in".to_owned(),
        action: "DROP".to_owned(),
        enable: Some(1),
        proto: None,
        dport: None,
        source: Some("192.0.2.66".to_owned()),
        comment: None,
        pos: Some(1),
    };
    rig.client.call(&foreign).await.unwrap();
    let runner = rig.runner(&wanted, "/proc/none");
    let refused = runner.once(&state).await.unwrap_err();
    let ProvisionError::Node(Error::Refused(refusal)) = refused else { panic!("{refused}") };
    assert_eq!(refusal.kind, Kind::Changed);
    // A whole run looks again and takes only what is ours.
    let error = runner.run_from(state).await.unwrap_err();
    assert!(matches!(error, ProvisionError::Guest(_)), "{error}");
    let left = rig.client.call(&GetFirewallRules { node, kind, vmid }).await.unwrap();
    let mut left: Vec<String> =
        left.into_iter().map(|rule| rule.source.or(rule.dport).unwrap_or_default()).collect();
    left.sort();
    assert_eq!(left, ["", "192.0.2.66", "22", "8080"]);
}

#[tokio::test]
async fn a_guest_in_the_making_is_nobody_elses() {
    for _ in 0..5 {
        let rig = Rig::new().await;
        let wanted = wanted("shop");
        let state = observe(&rig.client, &wanted).await.unwrap();
        let runner = rig.runner(&wanted, "/proc/none");
        let watch = async {
            loop {
                let seen = observe(&rig.client, &wanted).await.unwrap();
                assert_eq!(seen.strangers, [], "its name is there before its mark");
                if !seen.ours.is_empty() {
                    break;
                }
            }
        };
        let (made, ()) = tokio::join!(runner.once(&state), watch);
        made.unwrap();
    }
}
