//! One step, then another look, until nothing is left to do.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plimsoll_pve::api::{
    CreateFirewallRule, DeleteFirewallRule, DownloadAppliance, DownloadUrl, GetConfig, GetTasks, GuestKind,
    LxcUpdate, PowerOn, QemuUpdate, Resize, TaskLog, UpdateFirewallOptions,
};
use plimsoll_pve::{Client, Error, Kind, Request, TaskError, Upid, Vmid, WaitOptions};
use plimsoll_remote::{Pin, RemoteError};

use crate::find::TRIES;
use crate::firewall::{self, OURS, Wall};
use crate::golden::CloneOf;
use crate::mark::TAG;
use crate::{Found, Mark, NodeState, Opening, Plan, ProvisionError, Refusal, Step, Wanted, observe, plan};

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A step begins.
    Begin(&'static str),
    /// The node or the guest says something.
    Line(&'static str, String),
    /// A step came to its end.
    End(&'static str, Duration),
    /// Something that a person should know.
    Note(String),
}

/// Who is told.
pub type Listener = Arc<dyn Fn(News) + Send + Sync>;

/// How guests are reached.
#[derive(Clone, Debug)]
pub struct Access {
    /// Where sockets of connections stand.
    pub sockets: PathBuf,
    /// The private key; what OpenSSH would use when nothing is said.
    pub identity: Option<PathBuf>,
}

/// A guest that can be deployed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The node that holds it.
    pub node: String,
    /// Its number.
    pub vmid: Vmid,
    /// Its address.
    pub address: String,
    /// The fingerprint that it must show.
    pub host_key: String,
    /// Whether anything was done.
    pub changed: bool,
}

/// Brings a guest into being, and to what it should be.
pub struct Runner<'a> {
    /// The node.
    pub client: &'a Client,
    /// What is to be there.
    pub wanted: &'a Wanted,
    /// How the guest is reached.
    pub access: Access,
    /// Who is told.
    pub listener: Listener,
}

/// Longest wait for an address, and for SSH to answer.
pub(crate) const BOOT: Duration = Duration::from_secs(300);
/// Most steps of one run: more mean that something changes back what was done.
const STEPS: usize = 60;
/// Times that a step is tried whose outcome is unknown.
const AGAIN: u32 = 5;

impl Runner<'_> {
    /// Does what is left to do.
    pub async fn run(&self) -> Result<Ready, ProvisionError> {
        let state = observe(self.client, self.wanted).await?;
        self.run_from(state).await
    }

    /// The same, where somebody looked already.
    pub async fn run_from(&self, mut state: NodeState) -> Result<Ready, ProvisionError> {
        let (mut mine, mut last, mut noted, mut troubles) = (None, None, false, 0);
        for taken in 0..STEPS {
            if let (Some(vmid), true) = (mine, state.ours.len() > 1) {
                self.yield_to(&state, vmid).await?;
                state = observe(self.client, self.wanted).await?;
                continue;
            }
            let todo = plan(self.wanted, &state)?;
            if !noted && !todo.steps.is_empty() {
                todo.notes.iter().for_each(|note| (self.listener)(News::Note(note.clone())));
                noted = true;
            }
            let Some(step) = todo.steps.first() else {
                if matches!(last, Some(Step::Start | Step::Address)) {
                    self.awake(state.ours.first()).await?;
                }
                return ready(&state, &todo, taken > 0);
            };
            if last.as_ref() == Some(step) && troubles == 0 {
                return Err(ProvisionError::NoProgress(step.shown()));
            }
            (self.listener)(News::Begin(step.name()));
            let begun = Instant::now();
            match self.step(step, &state).await {
                Ok(()) => {
                    (self.listener)(News::End(step.name(), begun.elapsed()));
                    (troubles, last) = (0, Some(step.clone()));
                    match step {
                        Step::Create(make) => mine = Some(make.vmid()),
                        Step::Clone(clone) => mine = Some(clone.vmid),
                        _ => {}
                    }
                }
                // Another look tells whether it happened.
                Err(error) if may_pass(&error, self.wanted) && troubles < AGAIN => {
                    troubles += 1;
                    (self.listener)(News::Note(format!("{error}; looking again")));
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                Err(error) => return Err(error),
            }
            state = observe(self.client, self.wanted).await?;
        }
        Err(ProvisionError::NoProgress("the last step".to_owned()))
    }

    /// Does the first step of what is left, and nothing else.
    pub async fn once(&self, state: &NodeState) -> Result<(), ProvisionError> {
        match plan(self.wanted, state)?.steps.first() {
            Some(step) => self.step(step, state).await,
            None => Ok(()),
        }
    }

    async fn step(&self, step: &Step, state: &NodeState) -> Result<(), ProvisionError> {
        let found = || state.ours.first().ok_or_else(|| ProvisionError::NoProgress(step.shown()));
        match step {
            Step::Wait(upid) => self.wait(step.name(), upid).await,
            Step::Download { storage, template } => {
                let (node, storage, template) = (self.wanted.node.clone(), storage.clone(), template.clone());
                self.task(step.name(), &DownloadAppliance { node, storage, template }).await
            }
            Step::Fetch { storage, url, file, checksum } => {
                let (algorithm, digest) = checksum.split_once(':').unwrap_or(("sha512", checksum));
                let request = DownloadUrl {
                    node: self.wanted.node.clone(),
                    storage: storage.clone(),
                    url: url.clone(),
                    content: crate::observe::content(self.wanted.kind).to_owned(),
                    filename: file.clone(),
                    checksum: Some(digest.to_owned()),
                    checksum_algorithm: Some(algorithm.to_owned()),
                    verify_certificates: Some(true),
                    ..DownloadUrl::default()
                };
                self.task(step.name(), &request).await
            }
            Step::Create(make) => self.create(step.name(), make).await,
            Step::Template(wanted) => self.golden(wanted).await,
            Step::Clone(CloneOf { vmid, kind, digest, .. }) => {
                self.clone_from(step, state, *vmid, *kind, digest).await
            }
            Step::Fit { seed_shelf } => self.fit(step.name(), found()?, seed_shelf.as_deref()).await,
            Step::Discard(vmid) => {
                let left = state.templates.iter().find(|found| found.vmid == *vmid);
                match left {
                    Some(left) => self.discard_guest(step.name(), left).await,
                    None => Ok(()),
                }
            }
            Step::Pin => self.pin(found()?).await,
            Step::Change { cores, memory, onboot } => self.change(found()?, *cores, *memory, *onboot).await,
            Step::Grow { disk, to, .. } => {
                let found = found()?;
                let request = Resize {
                    node: found.node.clone(),
                    kind: found.kind,
                    vmid: found.vmid,
                    disk: disk.clone(),
                    size: format!("{to}G"),
                    digest: None,
                };
                self.task(step.name(), &request).await
            }
            Step::Firewall { close, open, .. } => {
                self.firewall(found()?, *close, open, state.wall.as_ref()).await
            }
            Step::Start => {
                let found = found()?;
                let request = PowerOn { node: found.node.clone(), kind: found.kind, vmid: found.vmid };
                self.task(step.name(), &request).await?;
                self.forget(found).await
            }
            Step::Address => self.address(found()?).await,
            Step::Prepare => self.prepare(found()?).await,
            Step::Spread { to } => self.spread(found()?, *to).await,
            Step::Unseed => self.unseed(found()?).await,
        }
    }

    pub(crate) async fn wait(&self, name: &'static str, upid: &Upid) -> Result<(), ProvisionError> {
        let tell = |line: &plimsoll_pve::LogLine| (self.listener)(News::Line(name, line.text.clone()));
        match self.client.wait(upid, WaitOptions::default(), tell).await {
            Ok(_) => Ok(()),
            // Somebody else's task: what it left is seen with the next look.
            Err(error) if name == "wait for the node" && matches!(*error, TaskError::Failed { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn task<R: Request<Answer = Upid>>(
        &self,
        name: &'static str,
        request: &R,
    ) -> Result<(), ProvisionError> {
        let upid = self.client.call(request).await?;
        self.wait(name, &upid).await
    }

    /// The node tells in the log of the creation which keys it made for the guest.
    async fn pin(&self, found: &Found) -> Result<(), ProvisionError> {
        let request = GetTasks {
            node: found.node.clone(),
            vmid: Some(found.vmid),
            source: Some("all".to_owned()),
            typefilter: Some("vzcreate".to_owned()),
            ..GetTasks::default()
        };
        let tasks = self.client.read(&request, TRIES).await?;
        let newest = tasks.into_iter().max_by_key(|task| task.upid.starttime);
        let Some(task) = newest.filter(|_| found.kind == GuestKind::Lxc) else {
            return Err(ProvisionError::NoHostKey(found.vmid));
        };
        let log = TaskLog { node: found.node.clone(), upid: task.upid, start: Some(0), limit: Some(1000) };
        let lines = self.client.read(&log, TRIES).await?;
        let key = host_key(lines.iter().map(|line| line.text.as_str()));
        let key = key.ok_or(ProvisionError::NoHostKey(found.vmid))?;
        self.mark(found, |mark| mark.host_key = Some(key)).await
    }

    /// Changes the mark, and nothing that somebody else wrote meanwhile.
    pub(crate) async fn mark(
        &self,
        found: &Found,
        change: impl FnOnce(&mut Mark),
    ) -> Result<(), ProvisionError> {
        let (node, kind, vmid) = (found.node.clone(), found.kind, found.vmid);
        let request = GetConfig { node: node.clone(), kind, vmid, current: None, snapshot: None };
        let config = self.client.read(&request, TRIES).await?;
        let description = config.text("description").unwrap_or_default();
        let mut mark = Mark::find(&description).unwrap_or_else(|| found.mark.clone());
        change(&mut mark);
        let (description, digest) = (Some(mark.put(&description)), config.digest().map(ToOwned::to_owned));
        let tags = config.text("tags").unwrap_or_default();
        let is_tagged = tags.split([';', ',', ' ']).any(|tag| tag == TAG);
        let tags = (!is_tagged).then(|| format!("{tags};{TAG}").trim_start_matches(';').to_owned());
        match kind {
            GuestKind::Lxc => {
                self.client
                    .call(&LxcUpdate { node, vmid, description, tags, digest, ..LxcUpdate::default() })
                    .await?;
            }
            GuestKind::Qemu => {
                self.client
                    .call(&QemuUpdate { node, vmid, description, tags, digest, ..QemuUpdate::default() })
                    .await?;
            }
        }
        Ok(())
    }

    async fn change(
        &self,
        found: &Found,
        cores: Option<u32>,
        memory: Option<u32>,
        onboot: Option<bool>,
    ) -> Result<(), ProvisionError> {
        let (node, vmid) = (found.node.clone(), found.vmid);
        match found.kind {
            GuestKind::Lxc => {
                self.client
                    .call(&LxcUpdate { node, vmid, cores, memory, onboot, ..LxcUpdate::default() })
                    .await?;
            }
            GuestKind::Qemu => {
                let memory = memory.map(|memory| memory.to_string());
                self.client
                    .call(&QemuUpdate { node, vmid, cores, memory, onboot, ..QemuUpdate::default() })
                    .await?;
            }
        }
        Ok(())
    }

    /// Opens before it closes: whoever is connected stays connected.
    async fn firewall(
        &self,
        found: &Found,
        close: bool,
        open: &[Opening],
        wall: Option<&Wall>,
    ) -> Result<(), ProvisionError> {
        let (node, kind, vmid) = (found.node.clone(), found.kind, found.vmid);
        let mut wall = wall.cloned();
        while let Some((seen, pos)) = wall.take().and_then(|wall| wall.superfluous(&self.wanted.openings)) {
            // Rules have no names, only places: with the digest it is this rule that goes, or none.
            let request = DeleteFirewallRule { node: node.clone(), kind, vmid, pos, digest: seen };
            self.client.call(&request).await?;
            wall = Some(firewall::read(self.client, found).await?);
        }
        for opening in open {
            let request = CreateFirewallRule {
                node: node.clone(),
                kind,
                vmid,
                direction: "in".to_owned(),
                action: "ACCEPT".to_owned(),
                enable: Some(1),
                proto: Some(opening.protocol.clone()),
                dport: Some(opening.ports.clone()).filter(|ports| !ports.is_empty()),
                source: None,
                comment: Some(OURS.to_owned()),
                pos: None,
            };
            self.client.call(&request).await?;
        }
        if close {
            let (enable, policy_in) = (Some(true), Some("DROP".to_owned()));
            let request =
                UpdateFirewallOptions { node, kind, vmid, enable, policy_in, policy_out: None, digest: None };
            self.client.call(&request).await?;
        }
        Ok(())
    }

    async fn address(&self, found: &Found) -> Result<(), ProvisionError> {
        let begun = Instant::now();
        let (vmid, Wanted { app, target, .. }) = (found.vmid, self.wanted);
        while begun.elapsed() < BOOT {
            let now = crate::find(self.client, &self.wanted.node, app, target).await?;
            if let Some(found) = now.filter(|found| found.address.is_some()) {
                return self.forget(&found).await;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        Err(ProvisionError::NoAddress { vmid, seconds: BOOT.as_secs() })
    }
}

/// Whether another look and another try may help.
fn may_pass(error: &ProvisionError, wanted: &Wanted) -> bool {
    match error {
        ProvisionError::Node(error) => {
            let taken = matches!(error.refusal().map(|refusal| &refusal.kind), Some(Kind::Exists))
                && wanted.guest.id.is_none();
            // Somebody else, or a run that was killed, did it meanwhile.
            let changed = matches!(
                error.refusal().map(|refusal| &refusal.kind),
                Some(Kind::Changed | Kind::AlreadyRunning)
            );
            taken || changed || error.outcome_unknown() || error.is_transient()
        }
        ProvisionError::Task(error) => match error.as_ref() {
            TaskError::Failed { kind: Kind::Exists, .. } => wanted.guest.id.is_none(),
            TaskError::Failed {
                kind: Kind::LockTimeout(_) | Kind::Locked(_) | Kind::AlreadyRunning, ..
            } => true,
            TaskError::Vanished { .. }
            | TaskError::Unreachable { source: Error::Lost { .. } | Error::Connect { .. }, .. } => true,
            _ => false,
        },
        ProvisionError::Guest(RemoteError::ConnectionLost { .. }) => true,
        _ => false,
    }
}

fn ready(state: &NodeState, plan: &Plan, changed: bool) -> Result<Ready, ProvisionError> {
    let vmid = plan.vmid.unwrap_or_default();
    let found = state.ours.first().ok_or(Refusal::Taken(vmid))?;
    let address = found.address.clone().ok_or(ProvisionError::NoAddress { vmid, seconds: 0 })?;
    let host_key = found.mark.host_key.clone().ok_or(ProvisionError::NoHostKey(vmid))?;
    Ok(Ready { node: found.node.clone(), vmid, address, host_key, changed })
}

/// The fingerprint that the node shows for the best key that it made: `Creating SSH host key '…'`, then `done: SHA256:…`.
fn host_key<'a>(lines: impl Iterator<Item = &'a str>) -> Option<String> {
    let (mut current, mut best) = (0, None);
    for line in lines {
        if let Some(rest) = line.strip_prefix("Creating SSH host key 'ssh_host_") {
            current = match rest.split('_').next() {
                Some("ed25519") => 3,
                Some("ecdsa") => 2,
                Some("rsa") => 1,
                _ => 0,
            };
        } else if let Some(rest) = line.strip_prefix("done: SHA256:") {
            let digest = rest.split_whitespace().next().unwrap_or_default();
            let fingerprint = format!("SHA256:{digest}");
            let fits = digest.len() == 43 && Pin::parse(&fingerprint).is_ok();
            if fits && current > best.as_ref().map_or(0, |(rank, _)| *rank) {
                best = Some((current, fingerprint));
            }
        }
    }
    best.map(|(_, fingerprint)| fingerprint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_read_from_the_log_of_the_creation() {
        let log = [
            "extracting archive",
            "Creating SSH host key 'ssh_host_ed25519_key' - this may take some time ...",
            "done: SHA256:7EgMbBo+WEvsObd23OO4GkEfD/N21J8v5Y4x1IR7kvA root@app1",
            "Creating SSH host key 'ssh_host_rsa_key' - this may take some time ...",
            "done: SHA256:zNTbxljnUqCPS+K2BokXeLVVgMKS/zDWOAYVnuBrDDY root@app1",
            "TASK OK",
        ];
        assert_eq!(
            host_key(log.into_iter()).as_deref(),
            Some("SHA256:7EgMbBo+WEvsObd23OO4GkEfD/N21J8v5Y4x1IR7kvA")
        );
        assert_eq!(host_key(["done: SHA256:short root@a", "Creating SSH host key 'x'"].into_iter()), None);
    }
}
