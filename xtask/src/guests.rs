//! What tests with guests that really boot need on this machine.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use plimsoll_lab::host::{Image, STAND_INS, VmImage, examine};

use crate::checks::{Skipped, command, is_root};
use crate::say;

/// Brings it, on Debian as root. What is missing after that is said by the tests themselves.
pub(crate) fn prepare() {
    let cache = cache();
    if !Path::new("/etc/debian_version").exists() || !is_root() {
        return;
    }
    let begin = Instant::now();
    let lines: Vec<String> = examine(&cache)
        .iter()
        .flat_map(|one| one.enable())
        .filter(|line| line.starts_with("apt-get "))
        .map(str::to_owned)
        .collect();
    for line in lines {
        say(&format!("== {line}"));
        let mut install = command("sh");
        install.args(["-c", &format!("timeout 600 sh -c '{line}'")]).env("DEBIAN_FRONTEND", "noninteractive");
        // What does not come is missing afterwards.
        let _ = install.stdin(Stdio::null()).stdout(Stdio::null()).status();
    }
    let image = |what: &str| ["the guest image", "the disk image of virtual machines"].contains(&what);
    let all = examine(&cache);
    // Whether nothing but images is missing for it.
    let may = |backend: &str| {
        let mut of = all.iter().filter(|one| one.backend == backend);
        of.any(|one| one.checks.iter().all(|check| check.found || image(&check.what)))
    };
    if !may("lxc") {
        return;
    }
    say("== making the images of guests and of their stack, once");
    let mut made = vec![Image::in_cache(&cache).build(|_| {})];
    if may("qemu") {
        made.push(VmImage::in_cache(&cache).build(|_| {}));
    }
    let wanted = STAND_INS.iter().filter(|one| ["nginx", "postgres", "python", "redis"].contains(&one.name));
    made.extend(wanted.map(|one| one.build(&cache, |_| {})));
    for error in made.into_iter().filter_map(Result::err) {
        say(&format!("cannot make an image: {error}"));
    }
    say(&format!("guests are prepared after {} s", begin.elapsed().as_secs()));
}

fn cache() -> PathBuf {
    let named = std::env::var_os("PLIMSOLL_LAB_CACHE");
    named.map_or_else(|| PathBuf::from("/var/cache/plimsoll-lab"), PathBuf::from)
}

/// Tests that did not run, in their own words.
#[expect(clippy::disallowed_methods, reason = "this tool reads what the tests noted for it")]
pub(crate) fn skipped(notes: &Path) -> Vec<Skipped> {
    let text = std::fs::read_to_string(notes).unwrap_or_default();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    let skipped = lines.into_iter().map(|line| {
        let (what, enable) = line.split_once("; to enable: ").unwrap_or((line, "see docs/lab.md"));
        Skipped { what: what.to_owned(), enable: enable.to_owned() }
    });
    skipped.collect()
}
