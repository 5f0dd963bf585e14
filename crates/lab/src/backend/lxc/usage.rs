//! What a guest that boots uses: its control group's accounts, its cards' counters, and what lies in its folder.
//!
//! Sources: cgroup-v1 `cpuacct.usage`, `blkio.throttle.io_service_bytes`; cgroup-v2 `cpu.stat`, `io.stat`; proc(5) `net/dev`.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::config::cards;
use super::guests::World;
use crate::backend::{GuestSpec, Usage};

/// What was read of a guest before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meter {
    /// When, and microseconds of processors until then.
    processors: Option<(Instant, u64)>,
    /// Their rate then.
    rate: Option<f64>,
    /// Bytes in the root file system, and when they were counted.
    disk: Option<(Instant, u64)>,
    /// Whether somebody counts them now.
    counting: bool,
}

/// Shorter spans say more about chance than about load.
const SPAN: Duration = Duration::from_millis(500);
/// How long a count of files stays good, as a node's `pvestatd` does.
const FRESH: Duration = Duration::from_secs(10);

pub(super) fn read(world: &Arc<World>, guest: &GuestSpec, pid: u32) -> Usage {
    let name = world.name(guest.vmid);
    let (now, used) = (Instant::now(), processor_time(&name));
    let mut usage = Usage { processors: None, disk: None, net: traffic(guest, pid), io: io(&name) };
    let mut shared = world.shared();
    let meter = shared.meters.entry(guest.vmid).or_default();
    match (meter.processors, used) {
        (Some((then, before)), Some(used)) if used >= before => {
            let passed = now.duration_since(then);
            if passed >= SPAN {
                #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
                let rate = (used - before) as f64 / 1e6 / passed.as_secs_f64();
                meter.rate = Some(rate);
                meter.processors = Some((now, used));
            }
        }
        // Less than before: it was started anew.
        (_, Some(used)) => (meter.processors, meter.rate) = (Some((now, used)), None),
        (_, None) => {}
    }
    usage.processors = meter.rate;
    usage.disk = meter.disk.map(|(_, bytes)| bytes);
    let stale = meter.disk.is_none_or(|(then, _)| now.duration_since(then) > FRESH);
    if stale && !meter.counting {
        meter.counting = true;
        let (world, vmid) = (world.clone(), guest.vmid);
        drop(shared);
        std::thread::spawn(move || {
            let root = world.guests().join(world.name(vmid)).join("disks/rootfs");
            let bytes = held(&root);
            let mut shared = world.shared();
            let meter = shared.meters.entry(vmid).or_default();
            (meter.disk, meter.counting) = (Some((Instant::now(), bytes)), false);
        });
    }
    usage
}

/// Bytes that files under a folder take, each file once.
fn held(root: &Path) -> u64 {
    let (mut bytes, mut seen, mut open) = (0u64, BTreeSet::new(), vec![root.to_path_buf()]);
    while let Some(folder) = open.pop() {
        // What goes away meanwhile takes nothing.
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(found) = entry.metadata() else { continue };
            if found.nlink() < 2 || found.is_dir() || seen.insert((found.dev(), found.ino())) {
                bytes = bytes.saturating_add(found.blocks().saturating_mul(512));
            }
            if found.is_dir() {
                open.push(entry.path());
            }
        }
    }
    bytes
}

#[expect(clippy::disallowed_methods, reason = "what the kernel counts is in files")]
fn text(path: impl AsRef<Path>) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// A file of the guest's control group.
fn group(name: &str, controller: &str, leaf: &str) -> PathBuf {
    Path::new("/sys/fs/cgroup").join(controller).join(format!("lxc.payload.{name}")).join(leaf)
}

/// Microseconds.
fn processor_time(name: &str) -> Option<u64> {
    let old = ["cpuacct", "cpu,cpuacct"].into_iter().find_map(|controller| {
        text(group(name, controller, "cpuacct.usage"))?.trim().parse::<u64>().ok().map(|nanos| nanos / 1000)
    });
    old.or_else(|| field(&text(group(name, "", "cpu.stat"))?, "usage_usec"))
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

/// Bytes read and written.
fn io(name: &str) -> Option<(u64, u64)> {
    let old = text(group(name, "blkio", "blkio.throttle.io_service_bytes_recursive"))
        .or_else(|| text(group(name, "blkio", "blkio.throttle.io_service_bytes")));
    if let Some(old) = old {
        return Some(io_of_v1(&old));
    }
    Some(io_of_v2(&text(group(name, "", "io.stat"))?))
}

fn io_of_v1(text: &str) -> (u64, u64) {
    let sum = |word: &str| {
        let lines = text.lines().filter_map(|line| line.split_once(' ')?.1.split_once(' '));
        lines.filter(|(kind, _)| *kind == word).filter_map(|(_, bytes)| bytes.parse::<u64>().ok()).sum()
    };
    (sum("Read"), sum("Write"))
}

fn io_of_v2(text: &str) -> (u64, u64) {
    let sum = |word: &str| {
        text.split_whitespace().filter_map(|part| part.strip_prefix(word)?.parse::<u64>().ok()).sum()
    };
    (sum("rbytes="), sum("wbytes="))
}

/// Bytes that the guest's own cards took in and sent. What it makes inside, such as Docker's bridges, does not count.
fn traffic(guest: &GuestSpec, pid: u32) -> Option<(u64, u64)> {
    let text = text(format!("/proc/{pid}/net/dev"))?;
    let names: BTreeSet<String> =
        cards(guest).into_iter().filter_map(|(_, card)| card.get("name").map(str::to_owned)).collect();
    Some(counted(&text, &names))
}

fn counted(text: &str, names: &BTreeSet<String>) -> (u64, u64) {
    let mut sums = (0u64, 0u64);
    for line in text.lines() {
        let Some((name, rest)) = line.split_once(':') else { continue };
        if !names.contains(name.trim()) {
            continue;
        }
        let numbers: Vec<u64> = rest.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        sums.0 += numbers.first().copied().unwrap_or_default();
        sums.1 += numbers.get(8).copied().unwrap_or_default();
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_of_both_versions_of_control_groups_are_read() {
        let old =
            "254:0 Read 4096\n254:0 Write 8192\n254:0 Sync 1\n254:0 Total 12288\n7:0 Read 4\nTotal 12292\n";
        assert_eq!(io_of_v1(old), (4100, 8192));
        let new = "254:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n7:0 rbytes=4 wbytes=0\n";
        assert_eq!(io_of_v2(new), (4100, 8192));
        assert_eq!(field("usage_usec 1500\nuser_usec 1000\n", "usage_usec"), Some(1500));
    }

    #[test]
    fn only_the_guests_own_cards_count() {
        let text = "Inter-|   Receive\n face |bytes\n    lo: 7 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n  eth0: 100 2 0 0 0 0 0 0 50 1 0 0 0 0 0 0\n\
                    docker0: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n";
        assert_eq!(counted(text, &BTreeSet::from(["eth0".to_owned()])), (100, 50));
    }

    #[test]
    fn a_file_with_two_names_takes_its_room_once() {
        let folder = std::env::temp_dir().join(format!("plimsoll-usage-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let one = folder.join("one");
        std::fs::File::create(&one).unwrap().set_len(0).unwrap();
        std::fs::copy("/proc/self/exe", &one).unwrap();
        let before = held(&folder);
        std::fs::hard_link(&one, folder.join("two")).unwrap();
        let after = held(&folder);
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(before > 0 && before == after, "{before} {after}");
    }
}
