//! Data goes back with the release: a snapshot of the guest, through its node.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use plimsoll_backup::{Machine, SNAPSHOT};
use plimsoll_remote::OpenSsh;

use crate::error::DeployError;
use crate::guest::{Depth, Guest};

/// The guest as its node knows it.
#[derive(Clone, Debug)]
pub struct Keeper {
    /// The guest.
    pub machine: Machine,
    /// Where connections to the guest have their sockets.
    pub sockets: PathBuf,
}

/// A snapshot that a failure goes back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) name: String,
    /// Milliseconds since 1970, by this machine's clock, before it was taken.
    pub(crate) at: u64,
}

/// What stands before the time in a snapshot's description.
const AT: &str = "taken at ";

/// How long a guest may take to come back.
const BOOT: Duration = Duration::from_secs(180);

impl Keeper {
    /// Looks for snapshots of earlier deploys: that of a deploy that was cut off is what a failure still goes back to; the
    /// others have no use any more and are taken away.
    pub(crate) async fn settle(&self, unfinished: Option<u64>) -> Result<Option<Kept>, DeployError> {
        let mut kept = None;
        for one in self.machine.snapshots().await? {
            let release = one.name.strip_prefix(SNAPSHOT).and_then(|number| number.parse::<u64>().ok());
            // The oldest one is from before everything that was cut off.
            if unfinished.is_some() && release.is_some() && release <= unfinished && kept.is_none() {
                let description = one.description.unwrap_or_default();
                let at = description.lines().find_map(|line| line.strip_prefix(AT)?.trim().parse().ok());
                let at = at.or(one.snaptime.map(|seconds| seconds.saturating_mul(1000)));
                kept = Some(Kept { name: one.name, at: at.unwrap_or_default() });
            } else if release.is_some() {
                self.machine.forget(&one.name).await?;
            }
        }
        Ok(kept)
    }

    /// Keeps the guest as it is.
    pub(crate) async fn take(&self, app: &str, release: u64) -> Result<Kept, DeployError> {
        let (name, at) = (format!("{SNAPSHOT}{release}"), now());
        let text = format!("Before release {release} of {app}; taken away when it serves.\n{AT}{at}\n");
        self.machine.snapshot(&name, &text).await?;
        Ok(Kept { name, at })
    }

    /// Takes the guest back and waits until it can be worked with again.
    pub(crate) async fn back(&self, kept: &Kept, guest: &Guest) -> Result<Guest, DeployError> {
        self.machine.roll_back(&kept.name).await?;
        // A machine that was put back has ended no connection.
        OpenSsh::forget(guest.ssh.destination().clone(), &self.sockets).await?;
        let begun = Instant::now();
        loop {
            let error = match OpenSsh::connect(guest.ssh.destination().clone(), &self.sockets).await {
                Ok(ssh) => {
                    let guest = Guest { ssh: Arc::new(ssh), ..guest.clone() };
                    match guest.observe(Depth::Now).await {
                        Ok(state) if state.engine.is_some() => return Ok(guest),
                        Ok(_) => DeployError::NoEngine("Docker Engine"),
                        Err(error) => error,
                    }
                }
                Err(error) => error.into(),
            };
            if begun.elapsed() > BOOT {
                return Err(error);
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "what is lost is named by its time")]
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
