//! The steps of a golden template and its clones.

use std::sync::Arc;

use plimsoll_config::CloneKind;
use plimsoll_pve::api::{
    DeleteGuest, GetConfig, GetTasks, GuestKind, LxcUpdate, MakeTemplate, Power, PowerOff, QemuUpdate,
};
use plimsoll_pve::property::Drive;
use plimsoll_pve::{Upid, Vmid};
use plimsoll_remote::Job;

use crate::find::{TRIES, search};
use crate::golden::{self, SEAL};
use crate::run::Runner;
use crate::{Found, Mark, NodeState, ProvisionError, Step, Wanted};

impl Runner<'_> {
    /// Makes the template, or goes on where it was left.
    pub(crate) async fn golden(&self, wanted: &Wanted) -> Result<(), ProvisionError> {
        for _ in 0..4 {
            let found = self.template_of(wanted).await?;
            match found {
                Some(found) if golden::is_done(&found) => return Ok(()),
                Some(found) if found.mark.is_sealed => return self.convert(&found).await,
                found => {
                    let wanted = match &found {
                        Some(found) => golden::as_found(wanted.clone(), found),
                        None => wanted.clone(),
                    };
                    let runner = Runner {
                        client: self.client,
                        wanted: &wanted,
                        access: self.access.clone(),
                        listener: Arc::clone(&self.listener),
                    };
                    Box::pin(runner.run()).await?;
                    if let Some(found) = self.template_of(&wanted).await? {
                        runner.seal(&found).await?;
                    }
                }
            }
        }
        Err(ProvisionError::NoProgress("making the template".to_owned()))
    }

    async fn template_of(&self, wanted: &Wanted) -> Result<Option<Found>, ProvisionError> {
        let (found, _) = search(self.client, &wanted.node, &wanted.app, &wanted.target, None).await?;
        // Two clients may have made one each: the first is everybody's.
        Ok(found.into_iter().min_by_key(|found| (!golden::is_done(found), found.vmid)))
    }

    /// Takes everything out that tells it from its clones. Written down once it is done, so that nobody starts it again.
    async fn seal(&self, found: &Found) -> Result<(), ProvisionError> {
        let ssh = self.connect(found).await?;
        let done = ssh.run(Job::new("sealing the template", SEAL).as_root()).await;
        ssh.close().await;
        done?.success()?;
        self.mark(found, |mark| mark.is_sealed = true).await
    }

    /// Stops it and turns it into a template.
    async fn convert(&self, found: &Found) -> Result<(), ProvisionError> {
        const NAME: &str = "make template";
        let (node, kind, vmid) = (found.node.clone(), found.kind, found.vmid);
        if found.power == Power::Running {
            // Its engine is stopped and what it wrote is on its disk. A shutdown would write again what was just taken out, such
            // as the seed of its random numbers.
            self.task(NAME, &PowerOff { node: node.clone(), kind, vmid }).await?;
        }
        // A container's endpoint tells no task: its configuration says when it is done.
        let before = self.newest(found, "vztemplate").await?;
        match self.client.call(&MakeTemplate { node, kind, vmid }).await? {
            Some(upid) => self.wait(NAME, &upid).await?,
            None => {
                let begun = std::time::Instant::now();
                while begun.elapsed() < crate::run::BOOT && !self.is_template(found).await? {
                    if let Some(upid) =
                        self.newest(found, "vztemplate").await?.filter(|upid| Some(upid) != before.as_ref())
                    {
                        self.wait(NAME, &upid).await?;
                    }
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
        if self.is_template(found).await? { Ok(()) } else { Err(ProvisionError::NoProgress(NAME.to_owned())) }
    }

    async fn is_template(&self, found: &Found) -> Result<bool, ProvisionError> {
        let (node, kind, vmid) = (found.node.clone(), found.kind, found.vmid);
        let request = GetConfig { node, kind, vmid, current: None, snapshot: None };
        Ok(self.client.read(&request, TRIES).await?.flag("template") == Some(true))
    }

    async fn newest(&self, found: &Found, kind: &str) -> Result<Option<Upid>, ProvisionError> {
        let request = GetTasks {
            node: found.node.clone(),
            vmid: Some(found.vmid),
            source: Some("all".to_owned()),
            typefilter: Some(kind.to_owned()),
            ..GetTasks::default()
        };
        let tasks = self.client.read(&request, TRIES).await?;
        Ok(tasks.into_iter().map(|task| task.upid).max_by_key(|upid| (upid.starttime, upid.pstart)))
    }

    /// Makes the guest as a clone.
    pub(crate) async fn clone_from(
        &self,
        step: &Step,
        state: &NodeState,
        vmid: Vmid,
        kind: CloneKind,
        digest: &str,
    ) -> Result<(), ProvisionError> {
        let template = state.templates.iter().find(|one| golden::is_done(one) && one.mark.target == digest);
        let template = template.ok_or_else(|| ProvisionError::NoProgress(step.shown()))?;
        match template.kind {
            GuestKind::Lxc => {
                self.task(step.name(), &golden::container(self.wanted, template, vmid, kind)).await
            }
            GuestKind::Qemu => {
                self.task(step.name(), &golden::machine(self.wanted, template, vmid, kind)).await
            }
        }
    }

    /// Gives a clone its own card and sizes; a machine gets a seed as well, for the host key and the address of its first start.
    pub(crate) async fn fit(
        &self,
        name: &'static str,
        found: &Found,
        seed_shelf: Option<&str>,
    ) -> Result<(), ProvisionError> {
        let seeded = match seed_shelf {
            Some(shelf) => Some(self.upload_seed(name, &found.node, shelf, found.vmid).await?),
            None => None,
        };
        let (node, kind, vmid) = (found.node.clone(), found.kind, found.vmid);
        let request = GetConfig { node, kind, vmid, current: None, snapshot: None };
        let config = self.client.read(&request, TRIES).await?;
        let description = config.text("description").unwrap_or_default();
        let mut mark =
            Mark { is_raw: false, ..Mark::find(&description).unwrap_or_else(|| found.mark.clone()) };
        let digest = config.digest().map(ToOwned::to_owned);
        let Some((volume, host_key)) = seeded else {
            let request = golden::fitting(self.wanted, found, mark.put(&description));
            self.client.call(&LxcUpdate { digest, ..request }).await?;
            return Ok(());
        };
        mark.host_key = Some(host_key);
        let drive: Option<Drive> = format!("{volume},media=cdrom").parse().ok();
        let request = golden::fitting_machine(self.wanted, found, mark.put(&description), drive);
        let done = self.client.call(&QemuUpdate { digest, ..request }).await;
        if matches!(&done, Err(error) if !error.outcome_unknown()) {
            // Nobody has read it.
            self.discard(&found.node, &volume).await;
        }
        Ok(done?)
    }

    /// Takes a half-made template away, which holds nothing.
    pub async fn discard_guest(&self, name: &'static str, found: &Found) -> Result<(), ProvisionError> {
        let (node, kind, vmid) = (found.node.clone(), found.kind, found.vmid);
        if found.power == Power::Running {
            self.task(name, &PowerOff { node: node.clone(), kind, vmid }).await?;
        }
        let request =
            DeleteGuest { node, kind, vmid, purge: Some(true), destroy_unreferenced_disks: Some(true) };
        self.task(name, &request).await
    }
}

/// The digest of the template that a new guest would be a clone of; nothing where it would not be one.
#[must_use]
pub fn template_digest(wanted: &Wanted, state: &NodeState) -> Option<String> {
    let is_cloned = wanted.guest.clone.is_some() && golden::refusal(wanted, state).is_none();
    let image = crate::plan::image(wanted, state, &mut Vec::new()).ok().filter(|_| is_cloned)?;
    Some(golden::digest(wanted, &image))
}

/// The templates of a node that this tool made, for people who look after them. Asks only.
pub async fn templates(client: &plimsoll_pve::Client, node: &str) -> Result<Vec<Found>, ProvisionError> {
    crate::find::search_templates(client, node).await
}
