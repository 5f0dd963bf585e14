//! The step that makes a guest, and the seeds that machines are told by.

use std::time::Duration;

use plimsoll_pve::api::{DeleteGuest, DeleteVolume, GetContent, Power, QemuCreate};
use plimsoll_pve::{Upload, UploadSource, Vmid};
use plimsoll_remote::KeyPair;

use crate::find::TRIES;
use crate::plan::first_mark;
use crate::request::{Creation, Make};
use crate::run::{News, Runner};
use crate::{Found, Mark, NodeState, ProvisionError, seed};

impl Runner<'_> {
    /// Makes the guest; for a machine its seed goes to a storage first.
    pub(crate) async fn create(&self, name: &'static str, make: &Make) -> Result<(), ProvisionError> {
        match &make.request {
            Creation::Lxc(request) => self.task(name, request.as_ref()).await,
            Creation::Vm { request, seed_shelf } => {
                let (volume, host_key) =
                    self.upload_seed(name, &request.node, seed_shelf, request.vmid).await?;
                let drive = format!("{volume},media=cdrom").parse().ok();
                let mark = Mark { host_key: Some(host_key), ..first_mark(self.wanted) };
                let request = QemuCreate {
                    description: Some(mark.put("")),
                    ide: drive.into_iter().map(|drive| (2, drive)).collect(),
                    ..request.as_ref().clone()
                };
                let done = self.task(name, &request).await;
                if matches!(&done, Err(ProvisionError::Node(error)) if !error.outcome_unknown()) {
                    // Nobody has read it.
                    self.discard(&request.node, &volume).await;
                }
                done
            }
        }
    }

    /// Brings what a machine is told at its first start to a storage: the volume, and the fingerprint of the host key in it.
    pub(crate) async fn upload_seed(
        &self,
        name: &'static str,
        node: &str,
        shelf: &str,
        vmid: Vmid,
    ) -> Result<(String, String), ProvisionError> {
        self.clear_seeds(node, shelf).await?;
        let pair = KeyPair::generate(&self.access.sockets).await?;
        let file = seed::file(self.wanted, vmid, &pair);
        let upload = Upload {
            node: node.to_owned(),
            storage: shelf.to_owned(),
            content: "iso".to_owned(),
            filename: file.clone(),
            checksum: None,
            source: UploadSource::Bytes(seed::image(self.wanted, vmid, &pair)),
            timeout: Duration::from_secs(120),
        };
        let upid = self.client.upload(&upload).await?;
        self.wait(name, &upid).await?;
        Ok((format!("{shelf}:iso/{file}"), pair.public.fingerprint()))
    }

    /// Seeds of runs that ended before there was a machine: nobody reads them any more.
    async fn clear_seeds(&self, node: &str, shelf: &str) -> Result<(), ProvisionError> {
        let request = GetContent {
            node: node.to_owned(),
            storage: shelf.to_owned(),
            content: Some("iso".to_owned()),
            vmid: None,
        };
        for volume in self.client.read(&request, TRIES).await? {
            let file = volume.volid.rsplit('/').next().unwrap_or_default();
            if seed::is_of(self.wanted, file) {
                self.discard(node, &volume.volid).await;
            }
        }
        Ok(())
    }

    /// Takes a seed away. A token that may not leaves it there, and says so.
    pub(crate) async fn discard(&self, node: &str, volume: &str) {
        let storage = volume.split(':').next().unwrap_or_default().to_owned();
        let request =
            DeleteVolume { node: node.to_owned(), storage, volume: volume.to_owned(), delay: Some(10) };
        if let Err(error) = self.client.call(&request).await {
            let text = format!("{volume} stays on the node ({error}); its key is worth nothing any more");
            (self.listener)(News::Note(text));
        }
    }

    /// Two clients that made a guest at the same time agree on one. Ours was never started: it holds nothing.
    pub(crate) async fn yield_to(&self, state: &NodeState, mine: Vmid) -> Result<(), ProvisionError> {
        let older =
            |other: &Found| other.vmid != mine && (other.power == Power::Running || other.vmid < mine);
        let own = state.ours.iter().find(|found| found.vmid == mine);
        let Some(own) = own.filter(|own| own.power == Power::Stopped && state.ours.iter().any(older)) else {
            // The other one goes.
            tokio::time::sleep(Duration::from_secs(1)).await;
            return Ok(());
        };
        (self.listener)(News::Note(format!(
            "somebody else made the guest at the same time: guest {mine} goes again"
        )));
        let request = DeleteGuest {
            node: own.node.clone(),
            kind: own.kind,
            vmid: mine,
            purge: Some(true),
            destroy_unreferenced_disks: None,
        };
        self.task("create guest", &request).await
    }
}
