//! What a lab is made with.

use crate::contract::Release;

/// How to make a lab.
#[derive(Clone, Debug)]
pub struct Options {
    /// The release whose contract it keeps.
    pub release: Release,
    /// Nodes of its cluster, 1 to 3: `pve1`, `pve2`, `pve3`.
    pub nodes: usize,
    /// The start of everything that looks random: addresses, secrets.
    pub seed: u64,
    /// Milliseconds since 1970 at its start.
    pub epoch: i64,
    /// Whether time stands still until it is moved.
    pub virtual_time: bool,
    /// Hundredths of the usual length of tasks. The usual creation of a container takes a third of a second.
    pub pace: i64,
    /// The password of `root@pam`.
    pub password: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            release: Release::V9,
            nodes: 1,
            seed: 1,
            epoch: 1_795_390_000_000,
            virtual_time: false,
            pace: 100,
            password: "plimsoll".to_owned(),
        }
    }
}
