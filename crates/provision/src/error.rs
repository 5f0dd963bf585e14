//! Why there is no guest.

use plimsoll_pve::api::GuestKind;
use plimsoll_pve::{Error, TaskError, Vmid};
use plimsoll_remote::RemoteError;

use crate::wanted::noun;

/// Why nothing is done, although everything answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Several guests say that they are the one.
    #[error("guests {} carry the mark of this app and target", list(.0))]
    Several(Vec<Vmid>),
    /// The number belongs to somebody else.
    #[error("guest {0} is there already and is not of this app and target")]
    Taken(Vmid),
    /// The name belongs to somebody else.
    #[error("guest {vmid} has the name `{name}` already and is not of this app and target")]
    Named {
        /// The other guest.
        vmid: Vmid,
        /// The name.
        name: String,
    },
    /// The guest is of the other kind.
    #[error("guest {vmid} is a {}, and a {} is asked for; what it holds would be lost", noun(*.is), noun(*.wants))]
    Kind {
        /// The guest.
        vmid: Vmid,
        /// What it is.
        is: GuestKind,
        /// What is asked for.
        wants: GuestKind,
    },
    /// The number of the guest is another one.
    #[error("the guest of this app and target is {is}, and `id` says {wants}")]
    Number {
        /// What it is.
        is: Vmid,
        /// What is asked for.
        wants: Vmid,
    },
    /// The disk would have to shrink.
    #[error(
        "the disk of guest {vmid} has {is} GiB and would have to shrink to {wants} GiB, which loses data"
    )]
    Shrink {
        /// The guest.
        vmid: Vmid,
        /// Its size.
        is: u64,
        /// The size that is asked for.
        wants: u64,
    },
    /// The card is somewhere else.
    #[error("the network card of guest {vmid} is `{is}`, and {wants} is asked for")]
    Network {
        /// The guest.
        vmid: Vmid,
        /// The card.
        is: String,
        /// What differs.
        wants: String,
    },
    /// Something works on the guest.
    #[error("guest {vmid} is locked ({why})")]
    Locked {
        /// The guest.
        vmid: Vmid,
        /// What the node says.
        why: String,
    },
    /// There is nothing to make the guest from.
    #[error("the node has no {0}, and does not offer one")]
    NoImage(&'static str),
    /// There is nowhere to put an image.
    #[error("no storage of the node takes {0}")]
    NoShelf(&'static str),
    /// Nobody could log in.
    #[error("there is no public key that may log in to the new guest")]
    NoKey,
}

impl Refusal {
    /// What to do.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Several(_) => "look which one holds the data, and take the line `plimsoll:…` out of the description of the others".to_owned(),
            Self::Taken(_) => "give another `id`, or none for the next free one; `guest: {kind: adopt, …}` takes a machine that exists".to_owned(),
            Self::Named { .. } => "give another `name`, or `guest: {kind: adopt, …}` for a machine that exists".to_owned(),
            Self::Kind { .. } => "give the target another name for a new guest and move the data, or let `plimsoll deploy --replace` make it anew after a backup".to_owned(),
            Self::Number { .. } => "leave `id` out, or set it to the number that the guest has".to_owned(),
            Self::Shrink { .. } => "set `disk` to what it is: a disk only ever grows; `plimsoll deploy --replace` makes the guest anew after a backup".to_owned(),
            Self::Network { .. } => "change `network` back, change the card on the node first, or let `plimsoll deploy --replace` make the guest anew after a backup".to_owned(),
            Self::Locked { .. } => "wait until that is over; a lock that a crash left is taken away on the node with `pct unlock` or `qm unlock`".to_owned(),
            Self::NoImage(what) if what.starts_with("cloud") => "name one with `image` and `checksum`: the distribution's own `https://…/debian-13-genericcloud-amd64.qcow2` and its SHA512, or a volume such as `local:import/….qcow2`".to_owned(),
            Self::NoImage(_) => "name one with `image`, or let the node read its index of templates: `pveam update`".to_owned(),
            Self::NoShelf(_) => "let a storage take it: Datacenter > Storage > Edit > Content".to_owned(),
            Self::NoKey => "make a key with `ssh-keygen -t ed25519`, or name one with `ssh_keys`".to_owned(),
        }
    }
}

/// Why there is no guest.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// What is asked for cannot be.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The node did not do what it was asked.
    #[error(transparent)]
    Node(#[from] Error),
    /// A task of the node did not succeed.
    #[error(transparent)]
    Task(#[from] Box<TaskError>),
    /// The guest could not be reached or set up.
    #[error(transparent)]
    Guest(#[from] RemoteError),
    /// The node does not tell the guest's host key.
    #[error("the node does not tell which host key guest {0} got when it was made")]
    NoHostKey(Vmid),
    /// The guest has no address.
    #[error("guest {vmid} has no address after {seconds} s")]
    NoAddress {
        /// The guest.
        vmid: Vmid,
        /// How long it was waited for.
        seconds: u64,
    },
    /// Steps came to their ends and left the guest as it was.
    #[error("{0} changed nothing, although it succeeded")]
    NoProgress(String),
}

fn list(numbers: &[Vmid]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}
