//! Every call that making or changing a guest takes, with each fault in turn: the run goes on by itself, or it says what stands in the
//! way and the next run mends it. Afterwards there is one guest, it is whole, and nothing else is left.
//!
//! The table of it is a part of `docs/reliability.md`; `PLIMSOLL_BLESS=1` writes it anew.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test says why it stops and writes its page"
)]

mod rig;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use plimsoll_config::{Address, Bytes, CloneKind};
use plimsoll_lab::Rule;
use plimsoll_provision::{Opening, ProvisionError, Ready, Step, Wanted, observe, plan};
use plimsoll_pve::Vmid;
use plimsoll_pve::api::{GetConfig, GetContent, GetFirewallRules, GetGuests, GuestKind};
use rig::{Rig, wanted};
use tokio::task::JoinSet;

/// Faults with their column, as rules without the place where they strike.
const FAULTS: [(&str, &str); 6] = [
    ("lost before its effect", r#""fault":"lost-before""#),
    ("lost after its effect", r#""fault":"lost-after""#),
    ("500", r#""fault":"status","status":500"#),
    ("503", r#""fault":"status","status":503"#),
    ("596", r#""fault":"status","status":596"#),
    ("client killed after it", KILLED),
];
/// An answer that does not come while the client lives.
const KILLED: &str = r#""fault":"latency","milliseconds":3600000"#;
/// Cases at a time: they mostly wait.
const AT_ONCE: usize = 48;

/// What is to be done to the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Job {
    Container,
    Machine,
    Clone,
    Change,
}

impl Job {
    const ALL: [Self; 4] = [Self::Container, Self::Machine, Self::Clone, Self::Change];

    const fn title(self) -> &'static str {
        match self {
            Self::Container => "a container is made",
            Self::Machine => "a machine is made",
            Self::Clone => "a machine is made as a clone of its template",
            Self::Change => "a container gets more memory and disk, and another port",
        }
    }

    fn wanted(self) -> Wanted {
        let mut wanted = wanted("shop");
        match self {
            Self::Container => {}
            Self::Machine | Self::Clone => {
                wanted.kind = GuestKind::Qemu;
                wanted.guest.disk = Bytes(20 << 30);
                if self == Self::Clone {
                    wanted.guest.clone = Some(CloneKind::Linked);
                } else {
                    let image = "https://cloud.example.org/noble-server-cloudimg-amd64.img";
                    wanted.guest.image = Some(image.to_owned());
                    wanted.guest.checksum = Some(format!("sha256:{}", "a".repeat(64)));
                }
                wanted.guest.network.address =
                    Address::Fixed { ip: "10.99.0.5".parse().unwrap(), prefix: 16 };
                wanted.guest.network.gateway = "10.99.0.1".parse().ok();
            }
            Self::Change => {
                wanted.guest.memory = Bytes(2 << 30);
                wanted.guest.disk = Bytes(10 << 30);
                wanted.openings = vec![Opening::new("tcp", "9090")];
            }
        }
        wanted
    }

    /// A node on which the job is to be done.
    async fn rig(self) -> Rig {
        let rig = Rig::new().await;
        match self {
            Self::Change => drop(rig.run(&wanted("shop")).await.unwrap()),
            Self::Clone => drop(rig.template(&self.wanted()).await),
            Self::Container | Self::Machine => {}
        }
        rig
    }
}

/// How a run ended that met a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    WentOn,
    NextRun,
}

/// A case: what the fault met, and how it ended. Nothing when the run was over before the fault.
async fn case(job: Job, fault: &'static str, place: &Place) -> Option<(String, End)> {
    let Place { verb, path, skip } = place;
    let about = format!("{job:?}, {fault}, {verb} {path} after {skip}");
    let rig = job.rig().await;
    let wanted = job.wanted();
    let rule = format!(r#"{{{fault},"verb":"{verb}","path":"{path}","skip":{skip},"times":1}}"#);
    rig.lab.add_fault(serde_json::from_str::<Rule>(&rule).unwrap());
    let kill = fault == KILLED;
    let result = tokio::select! {
        result = run(&rig, &wanted) => Some(result),
        () = struck(&rig), if kill => None,
    };
    let met = rig.lab.met();
    rig.lab.clear_faults();
    let (verb, path) = met.first()?;
    let end = match result {
        // Everything is done but the login, which a simulated guest cannot take.
        Some(Err(ProvisionError::Guest(_))) => End::WentOn,
        Some(Err(ProvisionError::Node(_) | ProvisionError::Task(_))) | None => End::NextRun,
        other => panic!("{about}: {other:?}"),
    };
    if end == End::NextRun {
        let again = run(&rig, &wanted).await;
        assert!(matches!(again, Err(ProvisionError::Guest(_))), "{about}, {verb} {path}, then: {again:?}");
    }
    whole(&rig, &wanted, job == Job::Clone, &format!("{about}, {verb} {path}")).await;
    Some((shape(verb, path), end))
}

/// A run up to the login. Where its sockets should be there is a file as soon as the guest runs, so that it ends there: a simulated
/// guest lets nobody in.
async fn run(rig: &Rig, wanted: &Wanted) -> Result<Ready, ProvisionError> {
    let sockets = rig.sockets.path().join("own");
    let runner = rig.runner(wanted, sockets.to_str().unwrap());
    let close = async {
        while !rig.lab.summary().guests.iter().any(|(.., runs)| *runs) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let _ = std::fs::remove_dir_all(&sockets);
        std::fs::write(&sockets, "").unwrap();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        result = runner.run() => result,
        () = close => unreachable!("it is pending"),
    }
}

/// Until the fault has met a request.
async fn struck(rig: &Rig) {
    while rig.lab.met().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// One guest, as it is wanted, with its own volumes and rules, and nothing else on the node but the template that it is a clone of.
async fn whole(rig: &Rig, wanted: &Wanted, is_clone: bool, about: &str) {
    let (node, kind) = ("pve1".to_owned(), wanted.kind);
    let vmid = Vmid(if is_clone { 101 } else { 100 });
    let all = if is_clone { vec![Vmid(100), vmid] } else { vec![vmid] };
    let mut numbers = Vec::new();
    for kind in [GuestKind::Lxc, GuestKind::Qemu] {
        let guests = rig.client.call(&GetGuests { node: node.clone(), kind }).await.unwrap();
        numbers.extend(guests.into_iter().map(|guest| guest.vmid));
    }
    assert_eq!(numbers, all, "{about}: guests");
    let state = observe(&rig.client, wanted).await.unwrap();
    let left = plan(wanted, &state).unwrap().steps;
    let expected: &[Step] = if kind == GuestKind::Lxc {
        &[Step::Prepare]
    } else {
        &[Step::Prepare, Step::Spread { to: 20 }, Step::Unseed]
    };
    assert_eq!(left, expected, "{about}: what is left to do");
    let mut used = BTreeSet::new();
    for vmid in all {
        let config = GetConfig { node: node.clone(), kind, vmid, current: None, snapshot: None };
        let config = rig.client.call(&config).await.unwrap();
        assert_eq!(config.text("lock"), None, "{about}: a lock");
        let volumes = ["rootfs", "scsi0", "ide2"]
            .into_iter()
            .filter_map(|key| Some(config.text(key)?.split(',').next()?.to_owned()));
        used.extend(volumes);
    }
    for (storage, content) in [("local-lvm", None), ("local", Some("iso"))] {
        let (storage, content) = (storage.to_owned(), content.map(ToOwned::to_owned));
        let request = GetContent { node: node.clone(), storage, content, vmid: None };
        for volume in rig.client.call(&request).await.unwrap() {
            assert!(used.contains(&volume.volid), "{about}: {} belongs to nobody", volume.volid);
        }
    }
    let rules = rig.client.call(&GetFirewallRules { node, kind, vmid }).await.unwrap();
    assert_eq!(rules.len(), 3, "{about}: rules of the firewall");
}

/// A request with the parts that are names put in general terms.
fn shape(verb: &str, path: &str) -> String {
    let mut before = "";
    let parts: Vec<&str> = path
        .trim_start_matches("/api2/json")
        .split('/')
        .map(|part| {
            let general = match before {
                "nodes" => "{node}",
                "lxc" | "qemu" => "{vmid}",
                "storage" => "{storage}",
                "tasks" => "{upid}",
                _ => part,
            };
            before = part;
            if before.is_empty() { part } else { general }
        })
        .collect();
    format!("{verb} {}", parts.join("/"))
}

type Cells = BTreeMap<(Job, String), BTreeMap<&'static str, BTreeSet<End>>>;

/// Where a fault may strike: the requests with a verb whose path holds a text, and how many of these pass by first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    verb: String,
    path: String,
    skip: u32,
}

/// The calls of a job that nothing disturbs, and the places in it: every change, and each question the first and the second time.
async fn places(job: Job) -> (BTreeSet<String>, BTreeSet<Place>) {
    let rig = job.rig().await;
    rig.lab.add_fault(serde_json::from_str::<Rule>(r#"{"fault":"latency","milliseconds":0}"#).unwrap());
    let end = run(&rig, &job.wanted()).await;
    assert!(matches!(end, Err(ProvisionError::Guest(_))), "{end:?}");
    let (mut count, mut places) = (BTreeMap::<(String, String), u32>::new(), BTreeSet::new());
    let met = rig.lab.met();
    for (verb, path) in &met {
        // A task has another name in each run; state and log of it are asked for in turn.
        let path = path.split_once("UPID").map_or(path.as_str(), |(before, _)| before).to_owned();
        let count = count.entry((verb.clone(), path.clone())).or_default();
        if verb != "GET" || *count < 2 {
            places.insert(Place { verb: verb.clone(), path, skip: *count });
        }
        *count += 1;
    }
    (met.iter().map(|(verb, path)| shape(verb, path)).collect(), places)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_meets_every_fault() {
    let mut cases = Vec::new();
    let mut calls = BTreeSet::new();
    for job in Job::ALL {
        let (shapes, places) = places(job).await;
        calls.extend(shapes.into_iter().map(|shape| (job, shape)));
        for place in places {
            let faults = FAULTS.iter().filter(|(_, fault)| *fault != KILLED || place.verb != "GET");
            cases.extend(faults.map(|(name, fault)| (job, *name, *fault, place.clone())));
        }
    }
    let mut cells = Cells::new();
    let mut running = JoinSet::new();
    let mut cases = cases.into_iter();
    loop {
        for (job, name, fault, place) in cases.by_ref().take(AT_ONCE - running.len()) {
            running.spawn(async move { (job, name, case(job, fault, &place).await) });
        }
        let Some(done) = running.join_next().await else { break };
        let (job, name, met) = done.unwrap();
        if let Some((call, end)) = met {
            cells.entry((job, call)).or_default().entry(name).or_default().insert(end);
        }
    }
    let met: BTreeSet<_> = cells.keys().cloned().collect();
    let missed: Vec<_> = calls.difference(&met).collect();
    assert!(missed.is_empty(), "no fault met {missed:?}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reliability-node.md");
    let page = page(&cells);
    if std::env::var_os("PLIMSOLL_BLESS").is_some() {
        std::fs::write(path, page).unwrap();
    } else {
        let kept = std::fs::read_to_string(path).unwrap();
        assert_eq!(kept, page, "PLIMSOLL_BLESS=1 writes docs/reliability-node.md anew");
    }
}

fn page(cells: &Cells) -> String {
    let mut out = String::from(
        "<!-- generated by `PLIMSOLL_BLESS=1 cargo test -p plimsoll-provision --test calls` -->\n\
         # What becomes of a guest when the node fails in between\n\n\
         Each call that making or changing a guest takes meets each of these faults \
         (`crates/provision/tests/calls.rs`, against the lab with simulated guests): every change, and each question the first and the second time. *goes on* is a run that comes to its end by \
         itself. *next run* is one that stops with the call and the node's words, or that is killed; the next run then brings it \
         to its end. Where a call is made several times, it may be either. After each case there is one guest as it is wanted \
         (beside the template that it is a clone of, where it is one), no volume, image or firewall rule too many, and no lock; what is left to do is the login.\n",
    );
    for job in Job::ALL {
        let _ = write!(out, "\n## When {}\n\n| call |", job.title());
        FAULTS.iter().for_each(|(name, _)| out.push_str(&format!(" {name} |")));
        out.push_str(&format!("\n|---|{}\n", "---|".repeat(FAULTS.len())));
        for ((_, call), ends) in cells.iter().filter(|((of, _), _)| *of == job) {
            let _ = write!(out, "| `{call}` |");
            for (name, _) in FAULTS {
                let words = ends.get(name).into_iter().flatten().map(|end| match end {
                    End::WentOn => "goes on",
                    End::NextRun => "next run",
                });
                let _ = write!(out, " {} |", words.collect::<Vec<_>>().join(" or "));
            }
            out.push('\n');
        }
    }
    out
}
