//! The steps that log in to the guest.

use std::sync::Arc;
use std::time::{Duration, Instant};

use plimsoll_pve::api::QemuUpdate;
use plimsoll_remote::{Destination, Input, Job, OpenSsh, Pin, RemoteError};

use crate::run::{BOOT, News, Runner};
use crate::{Found, Mark, ProvisionError, prepare};

impl Runner<'_> {
    /// Waits for a guest that boots: for SSH, and for its Docker Engine.
    pub(crate) async fn awake(&self, found: Option<&Found>) -> Result<(), ProvisionError> {
        let Some(found) = found else { return Ok(()) };
        let script =
            "i=0; while [ $i -lt 120 ] && ! docker info >/dev/null 2>&1; do i=$((i+1)); sleep 0.5; done";
        let job = Job::new("waiting for the Docker Engine", script).limit(BOOT).as_root();
        self.connect(found).await?.run(job).await?;
        Ok(())
    }

    pub(crate) async fn prepare(&self, found: &Found) -> Result<(), ProvisionError> {
        const NAME: &str = "prepare guest";
        let ssh = self.connect(found).await?;
        let listener = Arc::clone(&self.listener);
        let job = Job::new("setting up the guest", prepare::SCRIPT)
            .arg(&self.wanted.guest.user)
            .arg(if self.wanted.guest.ssh_keys.is_empty() { "add" } else { "exact" })
            .input(Input::Bytes(self.wanted.keys.join("\n").into_bytes()))
            .limit(Duration::from_secs(1800))
            .on_line(move |_, line| match line.strip_prefix("@note ") {
                Some(note) => listener(News::Note(note.to_owned())),
                None => listener(News::Line(NAME, line.to_owned())),
            })
            .as_root();
        let done = ssh.run(job).await;
        // The settings of SSH have just changed; connections that deploys share are made anew.
        ssh.close().await;
        done?.success()?;
        let digest = prepare::digest(self.wanted);
        self.mark(found, |mark| mark.ready = Some(digest)).await
    }

    /// The file system of a machine follows its disk. What the guest cannot grow is said once, and is no reason to stop.
    pub(crate) async fn spread(&self, found: &Found, to: u64) -> Result<(), ProvisionError> {
        let ssh = self.connect(found).await?;
        let job = Job::new("growing the file system", prepare::GROW).arg("/").limit(BOOT).as_root();
        let done = ssh.run(job).await?;
        if done.status == 3 {
            let text = done.text();
            let why = text.trim().lines().last().unwrap_or_default();
            (self.listener)(News::Note(format!("the disk has {to} GiB: {why}")));
        } else {
            done.success()?;
        }
        self.mark(found, |mark| mark.disk = Some(to)).await
    }

    /// Ways to log in: as the account that deploys, or as root where that is not there yet, by each key that it may show.
    fn ways(&self, found: &Found) -> Vec<Destination> {
        let Some(host) = &found.address else { return Vec::new() };
        let pins: Vec<Pin> = [&found.mark.host_key, &found.mark.next_key]
            .into_iter()
            .filter_map(|key| Pin::parse(key.as_deref()?).ok())
            .collect();
        let user = self.wanted.guest.user.as_str();
        let users = if user == "root" { vec!["root"] } else { vec![user, "root"] };
        let way = |user: &str, pin: &Pin| Destination {
            host: host.clone(),
            port: Some(22),
            user: Some(user.to_owned()),
            identity: self.access.identity.clone(),
            pin: pin.clone(),
        };
        users.iter().flat_map(|user| pins.iter().map(|pin| way(user, pin))).collect()
    }

    /// Connections to the guest from before it started are worth nothing.
    pub(crate) async fn forget(&self, found: &Found) -> Result<(), ProvisionError> {
        for way in self.ways(found) {
            OpenSsh::forget(way, &self.access.sockets).await?;
        }
        Ok(())
    }

    /// Logs in. A guest that boots is waited for.
    pub(crate) async fn connect(&self, found: &Found) -> Result<OpenSsh, ProvisionError> {
        if found.address.is_none() {
            return Err(ProvisionError::NoAddress { vmid: found.vmid, seconds: 0 });
        }
        let ways = self.ways(found);
        if ways.is_empty() {
            return Err(ProvisionError::NoHostKey(found.vmid));
        }
        let begun = Instant::now();
        let several = found.mark.next_key.is_some();
        loop {
            let mut last = None;
            for way in &ways {
                match OpenSsh::connect(way.clone(), &self.access.sockets).await {
                    Ok(ssh) => return Ok(ssh),
                    Err(error @ RemoteError::Unreachable { .. }) => {
                        last = Some(error);
                        break;
                    }
                    Err(error @ RemoteError::AuthRefused { .. }) => last = Some(error),
                    Err(error @ RemoteError::HostKeyChanged { .. }) if several => last = Some(error),
                    Err(error) => return Err(error.into()),
                }
            }
            // A login is refused for a moment while a guest boots.
            let patience =
                if matches!(last, Some(RemoteError::AuthRefused { .. })) { BOOT / 12 } else { BOOT };
            match last {
                Some(error) if begun.elapsed() > patience => return Err(error.into()),
                _ => tokio::time::sleep(Duration::from_millis(300)).await,
            }
        }
    }

    /// The key of the seed lay on the node's storage: the machine makes one that was nowhere else, and the mark follows it.
    pub(crate) async fn unseed(&self, found: &Found) -> Result<(), ProvisionError> {
        if found.mark.host_key.is_some() {
            let renew = |what: &str| Job::new("renewing the host key", prepare::RENEW).arg(what).as_root();
            let ssh = self.connect(found).await?;
            let next = match &found.mark.next_key {
                Some(next) => next.clone(),
                None => {
                    let made = ssh.run(renew("make")).await?.success()?.text().trim().to_owned();
                    if Pin::parse(&made).is_err() {
                        return Err(ProvisionError::NoHostKey(found.vmid));
                    }
                    // Written down before it is used: whoever comes next believes the old one and this one.
                    self.mark(found, |mark| mark.next_key = Some(made.clone())).await?;
                    made
                }
            };
            let done = ssh.run(renew("use")).await;
            ssh.close().await;
            done?.success()?;
            let mark = Mark { host_key: Some(next.clone()), next_key: None, ..found.mark.clone() };
            // The old one is believed until the new one was seen.
            self.connect(&Found { mark, ..found.clone() }).await?;
            let own = |mark: &mut Mark| {
                (mark.host_key, mark.next_key, mark.is_key_shared) = (Some(next), None, false);
            };
            self.mark(found, own).await?;
        }
        if let Some(volume) = found.seed() {
            let empty = "none,media=cdrom".parse().ok();
            let request = QemuUpdate {
                node: found.node.clone(),
                vmid: found.vmid,
                ide: empty.into_iter().map(|drive| (2, drive)).collect(),
                ..QemuUpdate::default()
            };
            self.client.call(&request).await?;
            self.discard(&found.node, &volume).await;
        }
        Ok(())
    }
}
