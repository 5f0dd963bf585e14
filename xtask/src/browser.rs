//! What opens the evaluation's page in tests: on Debian as root it is installed once.

use std::path::Path;
use std::process::Stdio;

use crate::checks::{command, is_root, works};
use crate::say;

/// Brings it. Where it is missing after that, the test itself says so.
pub(crate) fn prepare() {
    let present = works("chromium", &["--version"]) && works("chromedriver", &["--version"]);
    if present || !Path::new("/etc/debian_version").exists() || !is_root() {
        return;
    }
    say("== installing chromium and its driver, to open the evaluation's page");
    let install = "apt-get update && apt-get install --yes --no-install-recommends chromium chromium-driver";
    let mut apt = command("timeout");
    apt.args(["600", "sh", "-c", install]).env("DEBIAN_FRONTEND", "noninteractive");
    // What does not come is missing afterwards.
    let _ = apt.stdin(Stdio::null()).stdout(Stdio::null()).status();
}
