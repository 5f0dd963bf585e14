//! Starting and stopping.

use std::fs::File;
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::agent::Agent;
use super::config::Card;
use super::monitor::Monitor;
use crate::backend::lxc::machine::{BRIDGE, Machine};
use crate::host::{HostError, file};

/// The emulator.
pub(super) const PROGRAM: &str = "qemu-system-x86_64";

/// Longest wait for the emulator to answer, and for its end.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest wait for a machine that was asked to stop. On a node it is one minute; these machines are emulated.
const ASKED: Duration = Duration::from_secs(300);

/// A virtual machine that runs.
#[derive(Debug)]
pub(super) struct Running {
    emulator: Child,
    pub(super) monitor: Monitor,
    pub(super) agent: Arc<Agent>,
    /// Whether its configuration has an agent.
    pub(super) has_agent: bool,
}

impl Running {
    pub(super) fn pid(&self) -> u32 {
        self.emulator.id()
    }

    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.emulator.try_wait(), Ok(None))
    }

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

    /// Ends it. One that is asked may take its time, and may refuse.
    pub(super) fn stop(&mut self, ask: bool) -> Result<(), HostError> {
        if ask {
            let by_agent = self.has_agent && self.agent.answers(Duration::from_secs(10));
            if by_agent {
                // It answers nothing where all is well.
                self.agent.tell("guest-shutdown", &json!({})).map_err(HostError::Other)?;
            } else {
                self.monitor.run("system_powerdown", json!({}))?;
            }
            if self.end(ASKED) {
                return Ok(());
            }
            return Err(HostError::Other("VM quit/powerdown failed - got timeout".to_owned()));
        }
        // It writes down what it holds of its disks. One that does not answer any more is ended all the same.
        let _ = self.monitor.within(Duration::from_secs(10), "quit", json!({}));
        if !self.end(Duration::from_secs(10)) {
            let _ = self.emulator.kill();
        }
        if self.end(PATIENCE) { Ok(()) } else { Err(HostError::Other("the machine still runs".to_owned())) }
    }
}

/// Starts the emulator, with its cards on the lab's bridge.
pub(super) fn start(
    machine: &Machine,
    home: &Path,
    vmid: u32,
    cards: &[Card],
    arguments: Vec<String>,
    has_agent: bool,
) -> Result<Running, HostError> {
    for card in cards {
        plug(machine, &card.tap(vmid), card.linked)?;
    }
    let (monitor, agent) = (Monitor::of(home), Agent::new(home.join("agent")));
    // What a machine of before left would be taken for this one's.
    for old in [monitor.path(), &home.join("agent")] {
        let _ = std::fs::remove_file(old);
    }
    let log = home.join("errors");
    let errors = File::create(&log).map_err(file(&log))?;
    let emulator = machine.inside(PROGRAM).args(arguments).errors(errors).background()?;
    let mut running = Running { emulator, monitor, agent, has_agent };
    let begin = Instant::now();
    loop {
        if running.has_ended() {
            unplug(machine, vmid, cards);
            return Err(HostError::Other(format!("QEMU did not start: {}", last_words(&log))));
        }
        let within = Duration::from_secs(5);
        if running.monitor.within(within, "query-status", json!({})).is_ok() {
            break;
        }
        if begin.elapsed() > PATIENCE {
            let _ = running.emulator.kill();
            let _ = running.emulator.wait();
            unplug(machine, vmid, cards);
            return Err(HostError::Other("QEMU did not answer in a minute".to_owned()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    for card in cards.iter().filter(|card| !card.linked) {
        let name = format!("net{}", card.number);
        running.monitor.run("set_link", json!({ "name": name, "up": false }))?;
    }
    Ok(running)
}

fn plug(machine: &Machine, tap: &str, linked: bool) -> Result<(), HostError> {
    let ip = |args: &[&str]| machine.inside("ip").args(args.iter().copied()).run();
    // One that a start left which failed.
    let _ = ip(&["link", "del", tap]);
    ip(&["tuntap", "add", tap, "mode", "tap"])?;
    if linked {
        ip(&["link", "set", tap, "master", BRIDGE])?;
    }
    ip(&["link", "set", tap, "up"])?;
    Ok(())
}

/// Takes the taps of a machine away that does not run.
pub(super) fn unplug(machine: &Machine, vmid: u32, cards: &[Card]) {
    for card in cards {
        // It may be gone already.
        let _ = machine.inside("ip").args(["link", "del", &card.tap(vmid)]).run();
    }
}

#[expect(clippy::disallowed_methods, reason = "what a failed start said")]
fn last_words(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(3).collect();
    if lines.is_empty() {
        "it said nothing".to_owned()
    } else {
        lines.into_iter().rev().collect::<Vec<_>>().join("; ")
    }
}
