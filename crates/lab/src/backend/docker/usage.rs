//! What a guest uses, as the engine counts it. Its answer takes a second or two, so the last one is told while the next is made.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::engine::docker;
use super::guests::World;
use crate::backend::Usage;

/// What was read of a guest before.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    pub(super) memory: Option<u64>,
    pub(super) usage: Usage,
    read: Option<Instant>,
}

/// How long an answer stays good, as that of a node's `pvestatd` does.
const FRESH: Duration = Duration::from_secs(10);

/// Begins to read, where the last answer is old.
pub(super) fn refresh(world: &Arc<World>, vmid: u32) {
    let mut shared = world.shared();
    let meter = shared.meters.entry(vmid).or_default();
    if meter.read.is_some_and(|read| read.elapsed() < FRESH) || !shared.read.insert(vmid) {
        return;
    }
    drop(shared);
    let world = world.clone();
    std::thread::spawn(move || {
        let format = "{{.CPUPerc}}\t{{.MemUsage}}\t{{.NetIO}}\t{{.BlockIO}}";
        let name = world.machine.name(vmid);
        let said = docker(["stats", "--no-stream", "--format", format, &name]).run().unwrap_or_default();
        let disk = world.machine.tools(vmid, &["used"]).run().ok().and_then(|said| said.trim().parse().ok());
        let mut shared = world.shared();
        shared.read.remove(&vmid);
        // A guest that was stopped meanwhile uses nothing.
        let Some(meter) = shared.meters.get_mut(&vmid) else { return };
        let (memory, usage) = parse(said.trim());
        *meter = Meter { memory, usage: Usage { disk, ..usage }, read: Some(Instant::now()) };
    });
}

/// Waits until nobody reads of a guest: a volume that is read cannot be removed.
pub(super) fn settle(world: &World, vmid: u32) {
    let begin = Instant::now();
    while world.shared().read.contains(&vmid) && begin.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn parse(line: &str) -> (Option<u64>, Usage) {
    let mut words = line.split('\t');
    let processors = words.next().and_then(|word| word.strip_suffix('%')?.parse::<f64>().ok());
    let memory = words.next().and_then(|word| Some(pair(word)?.0));
    let usage = Usage {
        processors: processors.map(|percent| percent / 100.0),
        disk: None,
        net: words.next().and_then(pair),
        io: words.next().and_then(pair),
    };
    (memory, usage)
}

/// Two sizes, as `43.5MiB / 2GiB`.
fn pair(text: &str) -> Option<(u64, u64)> {
    let (one, two) = text.split_once(" / ")?;
    Some((bytes(one)?, bytes(two)?))
}

/// A size in the engine's words: decimal units, or binary ones (github.com/docker/go-units).
fn bytes(text: &str) -> Option<u64> {
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at_checked(at)?;
    let number: f64 = number.trim().parse().ok()?;
    let power = |letter| " kmgtp".find(letter).and_then(|at| i32::try_from(at).ok());
    let unit = unit.to_ascii_lowercase();
    let factor = match unit.as_bytes() {
        b"b" => 1.0,
        [letter, b'i', b'b'] => 1024f64.powi(power(char::from(*letter))?),
        [letter, b'b'] => 1000f64.powi(power(char::from(*letter))?),
        _ => return None,
    };
    let bytes = number * factor;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rounded size of the engine's"
    )]
    (bytes.is_finite() && bytes >= 0.0).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_words_are_numbers() {
        let (memory, usage) = parse("12.50%\t43.5MiB / 2GiB\t1.5kB / 2MB\t0B / 4.1kB");
        assert_eq!(memory, Some(43 * 1024 * 1024 + 512 * 1024));
        assert_eq!(
            usage,
            Usage { processors: Some(0.125), disk: None, net: Some((1500, 2_000_000)), io: Some((0, 4100)) }
        );
        assert_eq!(parse(""), (None, Usage::default()));
        assert_eq!(parse("--\t-- / --\t--\t--"), (None, Usage::default()));
    }
}
