//! Digests of what clients read before they change it: whoever names another one than there is now is refused
//! (`PVE::Tools::assert_if_modified`).

use std::fmt::Debug;

use sha2::{Digest as _, Sha256};

use crate::reply::Refusal;

/// SHA-1 in the node; the lab's is as long.
pub(crate) fn of(values: &impl Debug) -> String {
    let hash = Sha256::digest(format!("{values:?}"));
    hash.iter().take(20).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether something is as the caller last saw it.
pub(super) fn unmodified(now: &str, seen: Option<&str>) -> Result<(), Refusal> {
    match seen {
        Some(seen) if seen != now => {
            Err(Refusal::died("detected modified configuration - file changed by other user? Try again."))
        }
        _ => Ok(()),
    }
}
