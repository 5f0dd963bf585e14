//! The client that others wrote: fetched once, into this project's `target`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::checks::{Skipped, command};
use crate::say;

/// Releases that the tests are known to pass with.
const PACKAGES: [&str; 2] = ["proxmoxer==2.2.0", "requests<3"];

/// The folder that Python finds it in.
pub(crate) fn client(root: &Path, skipped: &mut Vec<Skipped>) -> Option<PathBuf> {
    let folder = root.join("target/foreign-client");
    if folder.join("proxmoxer").is_dir() && folder.join("requests").is_dir() {
        return Some(folder);
    }
    say("== fetching proxmoxer, to drive the lab with a client that others wrote");
    let mut pip = command("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]);
    pip.arg(&folder).args(PACKAGES).stdin(Stdio::null()).stderr(Stdio::null());
    if pip.status().is_ok_and(|status| status.success()) {
        return Some(folder);
    }
    let present = "import proxmoxer, requests";
    let mut python = command("python3");
    python.args(["-c", present]).stdout(Stdio::null()).stderr(Stdio::null());
    if !python.status().is_ok_and(|status| status.success()) {
        skipped.push(Skipped::new(
            "whole lives of guests, driven by proxmoxer",
            "python3 -m pip install proxmoxer requests",
        ));
    }
    None
}
