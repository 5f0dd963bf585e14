//! Everything that the lab's cluster knows.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::access::{Access, Token};
use crate::backend::{Backend, Operation};
use crate::clock::{Clock, Rng};
use crate::contract::Release;
use crate::faults::Faults;
use crate::guest::Guest;
use crate::handlers::Sets;
use crate::options::Options;
use crate::storage::{Storage, Volume};
use crate::task::Task;

/// A pool of guests and storages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    pub(crate) comment: Option<String>,
    pub(crate) guests: Vec<u32>,
    pub(crate) storages: Vec<String>,
}

/// The cluster.
pub(crate) struct State {
    pub(crate) release: Release,
    pub(crate) clock: Clock,
    pub(crate) rng: Rng,
    /// The time of the step that runs, which may lie before the clock's.
    pub(crate) at: Option<i64>,
    pub(crate) booted: i64,
    pub(crate) last_pid: u32,
    /// Hundredths of the usual length of tasks.
    pub(crate) pace: i64,
    pub(crate) access: Access,
    pub(crate) nodes: Vec<String>,
    pub(crate) storages: BTreeMap<String, Storage>,
    pub(crate) guests: BTreeMap<u32, Guest>,
    pub(crate) pools: BTreeMap<String, Pool>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) faults: Faults,
    pub(crate) backup_jobs: BTreeMap<String, Map<String, Value>>,
    pub(crate) ha: BTreeMap<String, Map<String, Value>>,
    pub(crate) replication: BTreeMap<String, Map<String, Value>>,
    pub(crate) firewall: Map<String, Value>,
    pub(crate) firewall_rules: Vec<Map<String, Value>>,
    pub(crate) firewall_sets: Sets,
    pub(crate) ha_rules: BTreeMap<String, Map<String, Value>>,
    pub(crate) backend: Box<dyn Backend>,
    /// SHA-256 of the certificate that the node shows, and the certificate.
    pub(crate) certificate: (String, String),
    /// Secrets of the lab's own tokens.
    pub(crate) issued: BTreeMap<String, String>,
}

/// What a node of the lab has from the start.
pub(crate) const TEMPLATE: &str = "debian-13-standard_13.1-2_amd64.tar.zst";
pub(crate) const IMAGE: &str = "debian-13-genericcloud-amd64.qcow2";

impl State {
    pub(crate) fn new(options: &Options, backend: Box<dyn Backend>) -> Self {
        let clock =
            if options.virtual_time { Clock::standing(options.epoch) } else { Clock::running(options.epoch) };
        let mut state = Self {
            release: options.release,
            rng: Rng::new(options.seed),
            at: None,
            booted: options.epoch - 600_000,
            last_pid: 1000,
            pace: options.pace,
            access: Access::new(options.release, &options.password),
            nodes: (1..=options.nodes.clamp(1, 3)).map(|number| format!("pve{number}")).collect(),
            storages: BTreeMap::new(),
            guests: BTreeMap::new(),
            pools: BTreeMap::new(),
            tasks: Vec::new(),
            faults: Faults::default(),
            backup_jobs: BTreeMap::new(),
            ha: BTreeMap::new(),
            replication: BTreeMap::new(),
            firewall: Map::new(),
            firewall_rules: Vec::new(),
            firewall_sets: Sets::default(),
            ha_rules: BTreeMap::new(),
            backend,
            certificate: (String::new(), String::new()),
            issued: BTreeMap::new(),
            clock,
        };
        state.furnish();
        state
    }

    fn furnish(&mut self) {
        let local = Storage::new("dir", "backup,import,iso,snippets,vztmpl", &[("path", "/var/lib/vz")]);
        let thin = Storage::new("lvmthin", "images,rootdir", &[("vgname", "pve"), ("thinpool", "data")]);
        self.storages.insert("local".to_owned(), local);
        self.storages.insert("local-lvm".to_owned(), thin);
        let now = self.now();
        let mut there = match self.backend.images() {
            None => vec![(IMAGE.to_owned(), "import", "qcow2", 339_000_000)],
            Some(real) => real.into_iter().map(|one| (one.name, "import", "qcow2", one.bytes)).collect(),
        };
        match self.backend.templates() {
            None => there.push((TEMPLATE.to_owned(), "vztmpl", "tzst", 129_000_000)),
            Some(real) => there.extend(real.into_iter().map(|one| (one.name, "vztmpl", "tzst", one.bytes))),
        }
        for (name, content, format, size) in there {
            let volume = Volume::new(content, format, size, now);
            let name = format!("{content}/{name}");
            if let Some(local) = self.storages.get_mut("local") {
                local.volumes.insert(name, volume);
            }
        }
    }

    /// Milliseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.at.unwrap_or_else(|| self.clock.now())
    }

    /// Seconds since 1970, as the node's clock shows them.
    pub(crate) fn seconds(&self) -> i64 {
        self.now() / 1000 + self.faults.skew()
    }

    /// A usual length in milliseconds at the lab's pace.
    pub(crate) fn ms(&self, usual: i64) -> i64 {
        usual * self.pace / 100
    }

    /// The pool that a guest or storage is in.
    pub(crate) fn pool_of(&self, path: &str) -> Option<&str> {
        let (kind, name) = path.strip_prefix('/')?.split_once('/')?;
        let holds = |pool: &Pool| match kind {
            "vms" => name.parse().is_ok_and(|vmid| pool.guests.contains(&vmid)),
            "storage" => pool.storages.iter().any(|storage| storage == name),
            _ => false,
        };
        self.pools.iter().find(|(_, pool)| holds(pool)).map(|(name, _)| name.as_str())
    }

    /// Forgets a guest that could not be made, with its volumes.
    pub(crate) fn discard(&mut self, vmid: u32) {
        self.guests.remove(&vmid);
        for storage in self.storages.values_mut() {
            storage.volumes.retain(|_, volume| volume.vmid != Some(vmid) || volume.content == "backup");
        }
        // It is done whenever it is done: nothing waits for it.
        let _ = self.backend.begin(Operation::Destroy { vmid });
    }

    /// Gives `lab@pve`, an administrator who is not root, a token that is the lab's own.
    pub(crate) fn issue(&mut self, name: String, secret: String) {
        let token = Token { secret: secret.clone(), privsep: false, expire: 0, comment: None };
        self.access.administrator("lab@pve").tokens.insert(name.clone(), token);
        self.issued.insert(name, secret);
    }

    /// A guest's state as the node tells it, with what the backend knows of it.
    pub(crate) fn status_of(&self, guest: &Guest, now: i64) -> Map<String, Value> {
        let mut out = guest.status(now);
        if let Some(bytes) = guest.running.and_then(|_| self.backend.memory(guest.vmid)) {
            out.insert("mem".to_owned(), bytes.into());
        }
        if let Some(usage) = guest.running.and_then(|_| self.backend.usage(&guest.spec())) {
            let mut put = |key: &str, value: Option<u64>| {
                out.extend(value.map(|value| (key.to_owned(), value.into())));
            };
            put("disk", usage.disk);
            put("netin", usage.net.map(|(taken, _)| taken));
            put("netout", usage.net.map(|(_, sent)| sent));
            put("diskread", usage.io.map(|(read, _)| read));
            put("diskwrite", usage.io.map(|(_, written)| written));
            // The node tells a fraction of the guest's own processors (PVE::LXC::vmstatus).
            let cpus = out.get("cpus").and_then(Value::as_f64).filter(|cpus| *cpus > 0.0).unwrap_or(1.0);
            if let Some(busy) = usage.processors {
                out.insert("cpu".to_owned(), (busy / cpus).into());
            }
        }
        out
    }

    /// A guest that is there, for a step of a task.
    pub(crate) fn guest_mut(&mut self, vmid: u32) -> Result<&mut Guest, String> {
        self.guests.get_mut(&vmid).ok_or_else(|| format!("guest {vmid} is gone"))
    }
}
