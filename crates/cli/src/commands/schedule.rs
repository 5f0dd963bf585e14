//! The backup job of a target on its node: looked at before a deploy, arranged after it.

use std::sync::Arc;

use plimsoll_backup::{JobChange, Label, Schedule, arrange, backup_jobs, job_changes, jobs_of};
use plimsoll_config::{Guest, Target};
use plimsoll_doctor::checks::JobSeen;
use plimsoll_doctor::{VerifyError, Work, verify_schedule};
use plimsoll_pve::api::BackupJob;
use plimsoll_pve::{Client, Vmid};
use serde_json::json;

use super::held;
use super::node::{self, Node};
use super::settings::Settings;
use super::target::{Format, TargetArgs, runtime};
use crate::failure::{Failure, FailureKind};
use crate::ui::Ui;

/// The backup jobs of a node, for one target.
pub(crate) struct Jobs {
    app: String,
    target: Target,
    client: Arc<Client>,
    runtime: tokio::runtime::Runtime,
    /// None where the token may not see them.
    jobs: Option<Vec<BackupJob>>,
    /// Whether they can be changed.
    is_able: bool,
}

impl Jobs {
    /// Looks at the node's jobs, where a target has a node and a guest there. A node that cannot be asked is said where a job is asked
    /// for, and is no reason to stop.
    pub(crate) fn look(ui: &Ui, args: &TargetArgs) -> Result<Option<Self>, Failure> {
        let Some(settings) = args.settings() else { return Ok(None) };
        let target = settings.target();
        let is_asked = target.backup.as_ref().is_some_and(|backup| backup.schedule.is_some());
        let is_adopted = matches!(&target.guest, Guest::Adopt(_));
        if target.proxmox.is_none() || (is_adopted && !is_asked) {
            return Ok(None);
        }
        let client = match args.site() {
            Some(site) => Ok(Arc::clone(&site.node.client)),
            None => Node::of(settings).map(|node| node.client),
        };
        let said = match client {
            Ok(client) => match Self::of(settings, client) {
                Ok(jobs) => return Ok(Some(jobs)),
                Err(failure) => failure.chain(),
            },
            Err(failure) => failure.chain(),
        };
        if is_asked {
            warn(ui, args.format, &format!("the backup job is left as it is: {said}"))?;
        }
        Ok(None)
    }

    /// Looks at the node's jobs.
    pub(crate) fn of(settings: &Settings, client: Arc<Client>) -> Result<Self, Failure> {
        let runtime = runtime()?;
        let jobs = runtime.block_on(backup_jobs(&client)).map_err(held::failure)?;
        let (app, target) = (settings.app().to_owned(), settings.target().clone());
        Ok(Self { app, target, client, runtime, is_able: jobs.is_some(), jobs })
    }

    /// Looks at the node's jobs again: with a guest that goes, its job goes.
    pub(crate) fn look_again(&mut self) -> Result<(), Failure> {
        self.jobs = self.runtime.block_on(backup_jobs(&self.client)).map_err(held::failure)?;
        Ok(())
    }

    /// The guest's number, where the file says it.
    fn number(&self) -> Option<Vmid> {
        match &self.target.guest {
            Guest::Vm(new) | Guest::Lxc(new) | Guest::Oci(new) => new.id,
            Guest::Adopt(adopted) => adopted.id,
        }
        .map(Vmid)
    }

    /// The job that is asked for.
    fn wanted(&self, vmid: Vmid) -> Option<Schedule> {
        let backup = self.target.backup.as_ref()?;
        Some(Schedule {
            vmid,
            when: backup.schedule.clone()?,
            storage: backup.storage.clone(),
            keep: backup.keep,
        })
    }

    fn changes(&self, vmid: Option<Vmid>) -> Vec<JobChange> {
        let Some(jobs) = &self.jobs else { return Vec::new() };
        let is_asked = self.target.backup.as_ref().is_some_and(|backup| backup.schedule.is_some());
        let wanted = vmid.or_else(|| self.number()).and_then(|vmid| self.wanted(vmid));
        if is_asked && wanted.is_none() {
            // Of a guest that is still to be made only the number is not known.
            return Vec::new();
        }
        job_changes(&self.app, &self.target.name, wanted.as_ref(), jobs)
    }

    /// What a deploy will do about it, a line each.
    pub(crate) fn lines(&self, vmid: Option<Vmid>) -> Vec<String> {
        if !self.is_able {
            return Vec::new();
        }
        self.changes(vmid).iter().map(JobChange::shown).collect()
    }

    /// Says before the first change what will not come of it. `vmid` is the guest's number where it is there.
    pub(crate) fn warn(&mut self, ui: &Ui, format: Format, vmid: Option<Vmid>) -> Result<(), Failure> {
        let Some(backup) = self.target.backup.as_ref().filter(|backup| backup.schedule.is_some()) else {
            return Ok(());
        };
        let own = self.jobs.as_deref().unwrap_or_default();
        let is_off = jobs_of(&self.app, &self.target.name, own).any(|job| !job.enabled);
        if is_off {
            warn(ui, format, "somebody switched the backup job off; it stays off")?;
        }
        if self.jobs.is_some() && vmid.is_some() && self.changes(vmid).is_empty() {
            return Ok(());
        }
        let version = self.runtime.block_on(self.client.version()).map_err(node::failure)?;
        let Some(work) = Work::of(&self.target, version.major) else {
            self.is_able = false;
            return warn(
                ui,
                format,
                "no backup job is made: the guest's number is not said as `id:` of `guest`",
            );
        };
        match self.runtime.block_on(verify_schedule(&self.client, &work)) {
            Ok(()) => Ok(()),
            Err(VerifyError::Node(error)) => Err(node::failure(error)),
            Err(missing) => {
                self.is_able = false;
                let when = backup.schedule.as_deref().unwrap_or_default();
                let text = format!(
                    "no backup job is made for `schedule: {when}`: {missing}; `plimsoll doctor` prints the ways to get one"
                );
                warn(ui, format, &text)
            }
        }
    }

    /// Makes the node's jobs what the target asks for.
    pub(crate) fn arrange(&self, ui: &Ui, format: Format, vmid: Vmid) -> Result<(), Failure> {
        if !self.is_able || self.changes(Some(vmid)).is_empty() {
            return Ok(());
        }
        let wanted = self.wanted(vmid);
        let done = arrange(&self.client, &self.app, &self.target.name, wanted.as_ref());
        let done = self.runtime.block_on(done).map_err(|error| {
            let failure = held::failure(error);
            let text = format!(
                "the release serves; the backup job is not as `plimsoll.yaml` says: {}",
                failure.chain()
            );
            failure.hints.into_iter().fold(FailureKind::Kept(text).into(), Failure::hint)
        })?;
        for change in &done {
            match format {
                Format::Json => {
                    ui.print(&format!("{}\n", json!({"event": "job", "text": change.shown()})))?;
                }
                Format::Text => ui.status(&change.shown()),
            }
        }
        Ok(())
    }

    /// What the doctor says of it, and the command that makes the job as root.
    pub(crate) fn seen(&self, vmid: Option<Vmid>) -> (JobSeen, Option<String>) {
        let wanted = vmid.or_else(|| self.number()).and_then(|vmid| self.wanted(vmid));
        let by_hand = wanted.as_ref().map(|job| {
            let label = Label::scheduled(&self.app, &self.target.name);
            format!(
                "pvesh create /cluster/backup --id {} --vmid {} --schedule '{}' --storage {} --mode snapshot --compress zstd \
                 --prune-backups {} --notes-template '{label}' --comment '{label}'",
                job.id(), job.vmid, job.when, job.storage, job.prune()
            )
        });
        let (Some(jobs), Some(wanted)) = (&self.jobs, &wanted) else { return (JobSeen::Unseen, by_hand) };
        let changes = job_changes(&self.app, &self.target.name, Some(wanted), jobs);
        let is_off = jobs_of(&self.app, &self.target.name, jobs).any(|job| !job.enabled);
        let seen = match changes.first() {
            Some(change) => JobSeen::Due(change.shown()),
            None if is_off => JobSeen::Off(format!("the job {} backs up {}", wanted.id(), wanted.shown())),
            None => JobSeen::There(format!("the job {} backs up {}", wanted.id(), wanted.shown())),
        };
        (seen, by_hand)
    }
}

fn warn(ui: &Ui, format: Format, text: &str) -> Result<(), Failure> {
    match format {
        Format::Json => ui.print(&format!("{}\n", json!({"event": "note", "text": text}))),
        Format::Text => {
            ui.status(&format!("warning: {text}"));
            Ok(())
        }
    }
}
