//! What a running virtual machine uses: the accounts of its process, and the counters of its taps.
//!
//! Sources: proc_pid_stat(5), proc_pid_statm(5), proc_pid_io(5), `net/dev` of its network. A node tells the same figures of the
//! emulator's process (PVE::QemuServer::vmstatus).

use std::time::{Duration, Instant};

use super::config::cards;
use crate::backend::{GuestSpec, Usage};

/// What was read of it before.
#[derive(Debug, Default)]
pub(super) struct Meter {
    before: Option<(u32, Instant, u64)>,
    rate: Option<f64>,
}

/// Shorter spans say more about chance than about load.
const SPAN: Duration = Duration::from_millis(500);
/// Ticks of a second (`sysconf(_SC_CLK_TCK)`, 100 on every Linux of this architecture).
const TICKS: f64 = 100.0;
/// Bytes of a page on this architecture.
const PAGE: u64 = 4096;

#[expect(clippy::disallowed_methods, reason = "what the kernel counts is in files")]
fn text(pid: u32, name: &str) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{pid}/{name}")).ok()
}

/// Bytes of memory that its process holds.
pub(super) fn memory(pid: u32) -> Option<u64> {
    let pages: u64 = text(pid, "statm")?.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * PAGE)
}

pub(super) fn read(meter: &mut Meter, guest: &GuestSpec, pid: u32) -> Usage {
    if let Some(used) = text(pid, "stat").and_then(|text| ticks(&text)) {
        let now = Instant::now();
        match meter.before {
            Some((of, then, before)) if of == pid => {
                let passed = now.duration_since(then);
                if passed >= SPAN {
                    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
                    let rate = used.saturating_sub(before) as f64 / TICKS / passed.as_secs_f64();
                    (meter.rate, meter.before) = (Some(rate), Some((pid, now, used)));
                }
            }
            _ => (meter.rate, meter.before) = (None, Some((pid, now, used))),
        }
    }
    let taps: Vec<String> = cards(guest).iter().map(|card| card.tap(guest.vmid)).collect();
    Usage {
        processors: meter.rate,
        // A node does not look into the disks of a virtual machine.
        disk: None,
        net: text(pid, "net/dev").map(|text| traffic(&text, &taps)),
        io: text(pid, "io").map(|text| (field(&text, "read_bytes:"), field(&text, "write_bytes:"))),
    }
}

/// Time in user mode and in the kernel, the 14th and 15th field. The second one is a name, which may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let rest = stat.rsplit_once(')')?.1;
    let mut fields = rest.split_whitespace().skip(11);
    let (user, kernel): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + kernel)
}

fn field(text: &str, name: &str) -> u64 {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap_or_default()
}

/// Bytes that the machine took in and sent: what a tap sends, the machine takes in.
fn traffic(dev: &str, taps: &[String]) -> (u64, u64) {
    let mut sums = (0, 0);
    for line in dev.lines() {
        let Some((name, rest)) = line.split_once(':') else { continue };
        if taps.iter().any(|tap| tap == name.trim()) {
            let numbers: Vec<u64> = rest.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            sums.0 += numbers.get(8).copied().unwrap_or_default();
            sums.1 += numbers.first().copied().unwrap_or_default();
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_of_a_process_are_read() {
        let stat = "77 (qemu) x) S 1 77 77 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 4 0 100";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(field("rchar: 1\nread_bytes: 4096\n", "read_bytes:"), 4096);
        let dev = "tap105i0: 100 2 0 0 0 0 0 0 50 1 0 0 0 0 0 0\n  lo: 7 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n";
        assert_eq!(traffic(dev, &["tap105i0".to_owned()]), (50, 100));
        assert!(memory(std::process::id()).is_some_and(|bytes| bytes > 0));
    }
}
