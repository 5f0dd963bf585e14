//! Why nothing came of it.

use plimsoll_pve::{Error, TaskError};

/// Why a backup, a restore, a drill or a snapshot did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The node did not do what it was asked.
    #[error(transparent)]
    Api(#[from] Error),
    /// A task of the node did not succeed.
    #[error(transparent)]
    Task(#[from] Box<TaskError>),
    /// It must not or cannot be done; nothing was.
    #[error("{0}")]
    Refused(String),
}
