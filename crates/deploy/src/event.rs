//! What a run says of itself. Terminal, JSON lines and history are readers of these.

use std::sync::Arc;

use serde::Serialize;

use crate::state::Owner;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Somebody else holds the lock.
    Waiting {
        /// Who, and why.
        owner: Owner,
    },
    /// A step begins.
    Begin {
        /// Its name.
        step: String,
    },
    /// Bytes are on their way.
    Progress {
        /// The step.
        step: String,
        /// Bytes that are done, before they are packed.
        done: u64,
        /// Bytes in all, before they are packed; of an image of another size than its engine says, an estimate.
        total: u64,
        /// Bytes that were sent.
        sent: u64,
    },
    /// A line that a step printed.
    Line {
        /// The step.
        step: String,
        /// The line.
        line: String,
    },
    /// A step came to its end.
    End {
        /// Its name.
        step: String,
        /// Milliseconds that it took.
        took: u64,
        /// Bytes that were sent.
        sent: u64,
    },
    /// A step failed.
    Failed {
        /// Its name.
        step: String,
        /// Why.
        reason: String,
    },
    /// Data was taken back: what was written in between is lost.
    Lost {
        /// Milliseconds since 1970, by the clock of the machine that deploys.
        from: u64,
        /// The same.
        until: u64,
    },
    /// The release before is put back.
    Reverting {
        /// Its number; nothing when there was none.
        to: Option<u64>,
    },
}

/// Who listens.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;
