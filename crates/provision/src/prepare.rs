//! What is set up inside, over SSH.

use sha2::{Digest as _, Sha256};

use crate::Wanted;

/// Runs as root. Arguments: the account that deploys, and whether keys of before go (`exact`) or stay (`add`). Reads the public
/// keys that may log in, one a line.
pub(crate) const SCRIPT: &str = include_str!("scripts/prepare.sh");

/// Runs as root: grows the file system of a place, its argument, to the size of its disk.
pub(crate) const GROW: &str = include_str!("scripts/grow.sh");

/// Runs as root: gives the guest a host key that nobody else ever had.
pub(crate) const RENEW: &str = include_str!("scripts/renew.sh");

/// What stands in the mark once this was done: it changes with the script, the account and the keys that the file names.
pub(crate) fn digest(wanted: &Wanted) -> String {
    let mut hash = Sha256::new();
    hash.update(SCRIPT);
    hash.update([0]);
    hash.update(&wanted.guest.user);
    hash.update([0]);
    // Keys that the file does not name are the client's own, and clients differ.
    if !wanted.guest.ssh_keys.is_empty() {
        hash.update(wanted.keys.join("\n"));
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
