//! Starting and stopping.

use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use super::machine::Machine;
use crate::host::{HostError, Tool};

/// A guest that runs.
#[derive(Debug)]
pub(super) struct Running {
    /// The process that watches over the guest, and ends with it.
    monitor: Child,
    /// The guest's first process.
    pub(super) pid: u32,
}

/// Longest wait for a guest's first process, and for its end when it was asked.
const PATIENCE: Duration = Duration::from_secs(60);

impl Running {
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.monitor.try_wait(), Ok(None))
    }

    /// Waits for the end.
    fn end(&mut self, patience: Duration) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < patience {
            if self.has_ended() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

fn tool(machine: &Machine, program: &str, guests: &Path, name: &str) -> Tool {
    machine.inside(program).arg("-P").arg(guests).args(["-n", name])
}

/// Starts a container whose configuration lies in its folder.
pub(super) fn start(machine: &Machine, guests: &Path, name: &str) -> Result<Running, HostError> {
    let log = guests.join(name).join("start.log");
    let _ = std::fs::remove_file(&log);
    let monitor =
        tool(machine, "lxc-start", guests, name).args(["-F", "-l", "ERROR", "-o"]).arg(&log).background()?;
    let mut running = Running { monitor, pid: 0 };
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        if running.has_ended() {
            return Err(HostError::Other(format!("the container did not start: {}", last_words(&log))));
        }
        if let Some(pid) = pid(machine, guests, name) {
            running.pid = pid;
            return Ok(running);
        }
        std::thread::sleep(Duration::from_millis(30));
    }
    let _ = running.monitor.kill();
    let _ = running.monitor.wait();
    Err(HostError::Other("the container did not start in a minute".to_owned()))
}

fn pid(machine: &Machine, guests: &Path, name: &str) -> Option<u32> {
    let said = tool(machine, "lxc-info", guests, name).args(["-sp"]).run().ok()?;
    let field = |key: &str| said.lines().find_map(|line| line.strip_prefix(key).map(str::trim));
    field("State:").filter(|state| *state == "RUNNING")?;
    field("PID:")?.parse().ok()
}

#[expect(clippy::disallowed_methods, reason = "the log of a failed start")]
fn last_words(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(3).collect();
    if lines.is_empty() {
        "LXC said nothing".to_owned()
    } else {
        lines.into_iter().rev().collect::<Vec<_>>().join("; ")
    }
}

/// Stops a container. One that is asked may take its time, and may refuse.
pub(super) fn stop(
    machine: &Machine,
    guests: &Path,
    name: &str,
    running: &mut Running,
    ask: bool,
) -> Result<(), HostError> {
    let how: &[&str] = if ask { &["--nokill", "--timeout", "60"] } else { &["--kill"] };
    let told = tool(machine, "lxc-stop", guests, name).args(how.iter().copied()).run();
    if running.end(if ask { Duration::from_secs(2) } else { PATIENCE }) {
        return Ok(());
    }
    told?;
    Err(HostError::Other("the container still runs".to_owned()))
}

/// Holds all processes of a running guest still while something is done.
pub(super) fn still<T>(
    machine: &Machine,
    guests: &Path,
    name: &str,
    running: bool,
    act: impl FnOnce() -> Result<T, HostError>,
) -> Result<T, HostError> {
    if !running {
        return act();
    }
    freeze(machine, guests, name)?;
    let done = act();
    tool(machine, "lxc-unfreeze", guests, name).run()?;
    done
}

/// Freezes all processes of a guest.
///
/// With control groups of version 1 that never ends when a process waits for its child to run a program (`CLONE_VFORK`, as Go
/// starts programs) and the child was frozen before it did: all go on for a moment, and it is tried again.
fn freeze(machine: &Machine, guests: &Path, name: &str) -> Result<(), HostError> {
    let mut tries = 10;
    loop {
        let freeze = machine.inside("timeout").args(["3", "lxc-freeze", "-P"]).arg(guests).args(["-n", name]);
        let Err(error) = freeze.run() else { return Ok(()) };
        tries -= 1;
        let thawed = tool(machine, "lxc-unfreeze", guests, name).run();
        if tries == 0 || thawed.is_err() {
            return Err(error);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
