//! Why a deploy did not succeed.

use plimsoll_remote::RemoteError;

use crate::state::Owner;
use crate::tree::TreeError;

/// Why a deploy did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The guest could not be asked or a step could not be run.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The checkout cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// There is no engine or no Compose.
    #[error("the guest has no {0} that answers")]
    NoEngine(&'static str),
    /// Something on this machine did not work. Nothing was switched.
    #[error("`{what}` failed on this machine: {reason}")]
    Local {
        /// What.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// It must not be done; nothing was.
    #[error("{0}; nothing was done")]
    Refused(String),
    /// Somebody else deploys.
    #[error("somebody else is at work: {0}")]
    Locked(Owner),
    /// Somebody took the lock away; nothing more was done.
    #[error("the lock was taken away; nothing more was done")]
    LockLost,
    /// A step failed and the release before serves again.
    #[error("release {release} failed at `{step}`: {reason}; {after}")]
    Failed {
        /// The release.
        release: u64,
        /// The step.
        step: String,
        /// Why.
        reason: String,
        /// What serves now.
        after: String,
        /// What was gathered about it.
        dossier: String,
    },
    /// A server could not be asked or told about its password.
    #[error("the password of {service}: {reason}")]
    Password {
        /// The server's service.
        service: String,
        /// Why.
        reason: String,
    },
    /// There is no such release.
    #[error("there is no release {0} to go to")]
    NoRelease(u64),
    /// There is nothing to go back to.
    #[error("there is no earlier release")]
    NoEarlier,
    /// The node did not keep the guest's data or take it back.
    #[error(transparent)]
    Node(#[from] plimsoll_backup::BackupError),
    /// A text of ours is not what it must be.
    #[error("cannot write the release")]
    Render(#[from] serde_json::Error),
}
