//! A guest on its node.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use plimsoll_pve::api::{
    DeleteGuest, GetConfig, GetGuests, GetStatus, GetTasks, GuestKind, Power, PowerOff, PowerOn, Shutdown,
};
use plimsoll_pve::{Client, Error, GuestConfig, Kind, Request, TaskResult, Upid, Vmid, WaitOptions};

use crate::BackupError;

/// Times that a question is asked.
pub(crate) const TRIES: u32 = 4;

/// Hears each line that a task of the node prints.
pub type Line = Arc<dyn Fn(&str) + Send + Sync>;

/// A guest on its node.
#[derive(Clone)]
pub struct Machine {
    /// The node's API.
    pub client: Arc<Client>,
    /// The node's name.
    pub node: String,
    /// A container or a virtual machine.
    pub kind: GuestKind,
    /// Its number.
    pub vmid: Vmid,
    /// Who hears what tasks print.
    pub line: Line,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} on {}", self.kind, self.vmid, self.node)
    }
}

impl Machine {
    /// The guest with this number, if the caller sees it.
    pub async fn find(
        client: &Arc<Client>,
        node: &str,
        vmid: Vmid,
        line: &Line,
    ) -> Result<Option<Self>, BackupError> {
        for kind in [GuestKind::Lxc, GuestKind::Qemu] {
            let guests = client.read(&GetGuests { node: node.to_owned(), kind }, TRIES).await?;
            if guests.iter().any(|guest| guest.vmid == vmid) {
                let (client, line) = (Arc::clone(client), Arc::clone(line));
                return Ok(Some(Self { client, node: node.to_owned(), kind, vmid, line }));
            }
        }
        Ok(None)
    }

    /// Another guest of the same node.
    #[must_use]
    pub fn other(&self, kind: GuestKind, vmid: Vmid) -> Self {
        Self { kind, vmid, ..self.clone() }
    }

    /// Its configuration.
    pub async fn config(&self) -> Result<GuestConfig, BackupError> {
        let (node, kind, vmid) = (self.node.clone(), self.kind, self.vmid);
        Ok(self.client.read(&GetConfig { node, kind, vmid, current: None, snapshot: None }, TRIES).await?)
    }

    /// Whether it runs.
    pub async fn power(&self) -> Result<Power, BackupError> {
        let (node, kind, vmid) = (self.node.clone(), self.kind, self.vmid);
        Ok(self.client.read(&GetStatus { node, kind, vmid }, TRIES).await?.status)
    }

    /// Starts it, where it does not run yet.
    pub async fn start(&self) -> Result<(), BackupError> {
        if self.power().await? == Power::Running {
            return Ok(());
        }
        let (node, kind, vmid) = (self.node.clone(), self.kind, self.vmid);
        self.finish(&PowerOn { node, kind, vmid }, "start").await.map(drop)
    }

    /// Asks it to stop, and stops it after a while.
    pub async fn shut_down(&self) -> Result<(), BackupError> {
        if self.power().await? == Power::Stopped {
            return Ok(());
        }
        let (node, kind, vmid) = (self.node.clone(), self.kind, self.vmid);
        let ask = Shutdown { node, kind, vmid, timeout: Some(60), force_stop: Some(true) };
        self.finish(&ask, "shutdown").await.map(drop)
    }

    /// Stops it at once.
    pub async fn stop(&self) -> Result<(), BackupError> {
        if self.power().await? == Power::Stopped {
            return Ok(());
        }
        let (node, kind, vmid) = (self.node.clone(), self.kind, self.vmid);
        self.finish(&PowerOff { node, kind, vmid }, "stop").await.map(drop)
    }

    /// Takes it away with its disks, and with what jobs of the node know of it.
    pub async fn destroy(&self) -> Result<(), BackupError> {
        self.stop().await?;
        let (node, kind, vmid) = (self.node.clone(), self.kind, self.vmid);
        let delete =
            DeleteGuest { node, kind, vmid, purge: Some(true), destroy_unreferenced_disks: Some(true) };
        self.finish(&delete, "destroy").await.map(drop)
    }

    /// Waits until the node works on the guest no more: a client that was killed leaves its tasks running.
    pub async fn idle(&self) -> Result<(), BackupError> {
        let request = GetTasks {
            node: self.node.clone(),
            vmid: Some(self.vmid),
            source: Some("active".to_owned()),
            ..GetTasks::default()
        };
        for task in self.client.read(&request, TRIES).await? {
            if task.endtime.is_none() {
                // However it ends, the guest is looked at next.
                drop(self.wait(&task.upid).await);
            }
        }
        Ok(())
    }

    /// Starts a task and waits for its end. A question that was not sent is asked again; where an answer is lost, the task
    /// that it started is looked for by its type, `vz` or `qm` left out.
    pub(crate) async fn finish<R: Request<Answer = Upid>>(
        &self,
        request: &R,
        task: &str,
    ) -> Result<TaskResult, BackupError> {
        let before = self.newest(task).await?;
        let upid = self.patiently(request, task, before).await?;
        self.wait(&upid).await
    }

    /// Sends a request that starts a task.
    async fn patiently<R: Request<Answer = Upid>>(
        &self,
        request: &R,
        task: &str,
        before: Option<Upid>,
    ) -> Result<Upid, BackupError> {
        let mut pause = Duration::from_millis(300);
        for _ in 0..6 {
            match self.client.call(request).await {
                Err(error) if error.outcome_unknown() => {
                    tokio::time::sleep(pause).await;
                    return self.started(task, before.as_ref()).await?.ok_or(BackupError::Api(error));
                }
                Err(error) if error.is_transient() || is_locked(&error) => tokio::time::sleep(pause).await,
                done => return Ok(done?),
            }
            pause = (pause * 2).min(Duration::from_secs(5));
        }
        Ok(self.client.call(request).await?)
    }

    pub(crate) async fn wait(&self, upid: &Upid) -> Result<TaskResult, BackupError> {
        let options = WaitOptions { timeout: Duration::from_secs(6 * 3600), ..WaitOptions::default() };
        Ok(self.client.wait(upid, options, |line| (self.line)(&line.text)).await?)
    }

    /// The task of a type that works on the guest since the newest one before. Clocks say nothing of it: the node's may be
    /// another one.
    pub(crate) async fn started(
        &self,
        task: &str,
        before: Option<&Upid>,
    ) -> Result<Option<Upid>, BackupError> {
        Ok(self.newest(task).await?.filter(|found| Some(found) != before))
    }

    /// The newest task of a type that works or worked on the guest.
    pub(crate) async fn newest(&self, task: &str) -> Result<Option<Upid>, BackupError> {
        let request = GetTasks {
            node: self.node.clone(),
            vmid: Some(self.vmid),
            source: Some("all".to_owned()),
            ..GetTasks::default()
        };
        let tasks = self.client.read(&request, TRIES).await?;
        let is_meant = |upid: &Upid| upid.kind.get(2..) == Some(task);
        let found = tasks.into_iter().map(|task| task.upid).filter(is_meant);
        Ok(found.max_by_key(|upid| (upid.starttime, upid.pstart)))
    }
}

/// Something else works on the guest and will be done in a moment.
fn is_locked(error: &Error) -> bool {
    error.refusal().is_some_and(|refusal| matches!(refusal.kind, Kind::Locked(_) | Kind::LockTimeout(_)))
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "tasks and backups are told apart by their time")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
