//! Three callers who know nothing of each other, in random order: the node stays whole.

#![expect(clippy::unwrap_used, reason = "a test says why it stops")]

mod root;

use std::collections::BTreeSet;
use std::time::Duration;

use plimsoll_lab::{Fault, Options, Rule};
use proptest::prelude::*;
use root::Root;
use serde_json::Value;

struct Node(Root);

impl std::ops::Deref for Node {
    type Target = Root;

    fn deref(&self) -> &Root {
        &self.0
    }
}

impl Node {
    fn new() -> Self {
        Self(Root::login(Options::default()))
    }

    fn list(&self, path: &str) -> Vec<Value> {
        self.ask("GET", path, "").1["data"].as_array().cloned().unwrap_or_default()
    }
}

/// What a caller does, to which guest, and how long nothing happens afterwards.
#[derive(Clone, Debug)]
struct Act {
    what: u8,
    vmid: u32,
    pause: u64,
}

fn act() -> impl Strategy<Value = Act> {
    (0..12u8, 100..103u32, 0..400u64).prop_map(|(what, vmid, pause)| Act { what, vmid, pause })
}

fn perform(node: &Node, act: &Act) -> (u16, Value) {
    let guest = format!("/nodes/pve1/lxc/{}", act.vmid);
    let create = format!(
        "vmid={}&ostemplate=local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst&unprivileged=1&rootfs=local-lvm:2&mp0=local-lvm:1,mp%3D/data",
        act.vmid
    );
    match act.what {
        0..=2 => node.ask("POST", "/nodes/pve1/lxc", &create),
        3 => node.ask("POST", &format!("{guest}/status/start"), ""),
        4 => node.ask("POST", &format!("{guest}/status/stop"), ""),
        5 => node.ask("POST", &format!("{guest}/snapshot"), "snapname=s1"),
        6 => node.ask("POST", &format!("{guest}/snapshot/s1/rollback"), ""),
        7 => node.ask("DELETE", &format!("{guest}/snapshot/s1"), ""),
        8 => node.ask("DELETE", &guest, ""),
        9 => {
            node.ask("POST", &format!("{guest}/clone"), &format!("newid={}&full=1", 100 + (act.vmid + 1) % 3))
        }
        10 => node.ask("POST", "/nodes/pve1/vzdump", &format!("vmid={}&storage=local", act.vmid)),
        _ => node.ask("PUT", &format!("{guest}/config"), "memory=640"),
    }
}

fn whole(node: &Node) -> Result<(), TestCaseError> {
    let mut used = BTreeSet::new();
    let guests = node.list("/nodes/pve1/lxc");
    let numbers: BTreeSet<u64> = guests.iter().map(|guest| guest["vmid"].as_u64().unwrap()).collect();
    prop_assert_eq!(numbers.len(), guests.len(), "a number names two guests");
    for guest in &guests {
        prop_assert!(guest["lock"].is_null(), "a lock outlived its task: {}", guest);
        let config =
            node.ask("GET", &format!("/nodes/pve1/lxc/{}/config", guest["vmid"]), "").1["data"].clone();
        for (key, value) in config.as_object().into_iter().flatten() {
            if matches!(key.as_str(), "rootfs" | "mp0") || key.starts_with("unused") {
                let volume = value.as_str().unwrap().split(',').next().unwrap().to_owned();
                prop_assert!(used.insert(volume.clone()), "{} belongs to two guests", volume);
            }
        }
    }
    let there: BTreeSet<String> = node
        .list("/nodes/pve1/storage/local-lvm/content")
        .iter()
        .map(|volume| volume["volid"].as_str().unwrap().to_owned())
        .collect();
    prop_assert_eq!(used, there, "volumes of guests are the volumes that are there");
    for (upid, exit, _) in node.lab.logs() {
        prop_assert!(exit.is_some(), "{} never ends", upid);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_node_stays_whole(acts in prop::collection::vec(act(), 1..40), fails in 0..3usize) {
        let node = Node::new();
        for (kind, step) in [("vzcreate", 1), ("vzclone", 0), ("vzsnapshot", 1)].into_iter().take(fails) {
            let fault = Fault::Task { kind: kind.into(), step, message: "it did not work".into() };
            node.lab.add_fault(Rule { fault, verb: None, path: None, skip: 0, times: Some(1) });
        }
        for act in &acts {
            let (status, answer) = perform(&node, act);
            prop_assert!(status == 200 || status == 500 || status == 400, "{:?}: {} {}", act, status, answer);
            node.lab.advance(Duration::from_millis(act.pause));
        }
        node.lab.advance(Duration::from_secs(600));
        whole(&node)?;
    }
}
