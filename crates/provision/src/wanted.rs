//! What is to be there.

use plimsoll_config::{Address, NewGuest};
use plimsoll_pve::api::GuestKind;

use crate::Opening;

/// The guest of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The app.
    pub app: String,
    /// The target.
    pub target: String,
    /// A container or a machine.
    pub kind: GuestKind,
    /// What it is made with.
    pub guest: NewGuest,
    /// The node that holds it.
    pub node: String,
    /// The pool that holds it.
    pub pool: Option<String>,
    /// Public keys that may log in, one each.
    pub keys: Vec<String>,
    /// What the app publishes.
    pub openings: Vec<Opening>,
}

impl Wanted {
    /// Its name on the node.
    #[must_use]
    pub fn name(&self) -> String {
        let usual = || format!("{}-{}", self.app, self.target);
        let name = self.guest.name.clone().unwrap_or_else(usual);
        let name: String =
            name.chars().map(|c| if c == '_' || c == '.' { '-' } else { c }).take(63).collect();
        name.trim_matches('-').to_owned()
    }

    /// `10.0.0.5/24` where it is fixed.
    #[must_use]
    pub fn cidr(&self) -> Option<String> {
        match self.guest.network.address {
            Address::Fixed { ip, prefix } => Some(format!("{ip}/{prefix}")),
            Address::Dhcp => None,
        }
    }
}

/// A container or a virtual machine, in a word for people.
pub(crate) fn noun(kind: GuestKind) -> &'static str {
    match kind {
        GuestKind::Lxc => "container",
        GuestKind::Qemu => "virtual machine",
    }
}
