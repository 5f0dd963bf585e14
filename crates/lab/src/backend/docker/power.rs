//! Starting and stopping.

use std::process::Child;
use std::time::{Duration, Instant};

use super::engine::docker;
use crate::host::{HostError, Tool};

/// A guest that runs.
#[derive(Debug)]
pub(super) struct Running {
    /// Waits for the container's end, and ends with it.
    watch: Child,
    /// The guest's first process, on the engine's machine.
    pub(super) pid: u32,
}

/// The first process of a guest, up to its own init.
pub(super) const ENTRY: &str = include_str!("entry.sh");

/// What it says at its end.
const BEGINS: &str = "the guest begins";

/// Longest wait for a guest's first process, and for its end when it was asked.
const PATIENCE: Duration = Duration::from_secs(60);

impl Running {
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.watch.try_wait(), Ok(None))
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
}

impl Drop for Running {
    fn drop(&mut self) {
        // It is there for as long as the guest only.
        let _ = self.watch.kill();
        let _ = self.watch.wait();
    }
}

/// Starts a guest's container.
pub(super) fn start(name: &str, words: Vec<String>) -> Result<Running, HostError> {
    // One that ended by itself keeps the name.
    remove(name)?;
    let made = docker(["run", "--detach"])
        .args(words)
        .env("SCRIPT", ENTRY)
        .run()
        .map_err(|error| HostError::Other(format!("the container did not start: {}", error.said())));
    let running = made.and_then(|_| begun(name));
    if running.is_err() {
        // What the failure is about is not hidden by a container that stays: the next start removes it.
        let _ = remove(name);
    }
    running
}

fn begun(name: &str) -> Result<Running, HostError> {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        let said = docker(["logs", name]).run()?;
        let state = docker(["inspect", "--format", "{{.State.Running}} {{.State.Pid}}", name]).run()?;
        let pid = state.trim().strip_prefix("true ").and_then(|pid| pid.parse().ok());
        match pid {
            Some(pid) if said.contains(BEGINS) => {
                return Ok(Running { watch: docker(["wait", name]).background()?, pid });
            }
            Some(_) => std::thread::sleep(Duration::from_millis(20)),
            None => {
                let words = last_words(name)?;
                return Err(HostError::Other(format!("the container did not start: {words}")));
            }
        }
    }
    Err(HostError::Other("the container did not start in a minute".to_owned()))
}

/// What the container said on its standard error.
fn last_words(name: &str) -> Result<String, HostError> {
    let mut lines: Vec<String> = Vec::new();
    docker(["logs", "--tail", "3", name]).watch(|line| lines.push(line.to_owned()))?;
    Ok(if lines.is_empty() { "it said nothing".to_owned() } else { lines.join("; ") })
}

fn remove(name: &str) -> Result<(), HostError> {
    // Without one there is nothing to remove; engines differ in whether they call that a failure.
    match docker(["rm", "--force", name]).run() {
        Err(error) if !error.said().contains("No such container") => Err(error),
        _ => Ok(()),
    }
}

/// Stops a container. One that is asked may take its time, and may refuse.
pub(super) fn stop(name: &str, running: &mut Running, ask: bool) -> Result<(), HostError> {
    if ask {
        // systemd's order to end (systemd(1), SIGRTMIN+3).
        let told = docker(["kill", "--signal", "SIGRTMIN+3", name]).run();
        if !running.end(PATIENCE) {
            told?;
            return Err(HostError::Other("the container still runs".to_owned()));
        }
    }
    remove(name)
}

/// Holds all processes of a running guest still while something is done.
pub(super) fn still<T>(
    name: &str,
    running: bool,
    act: impl FnOnce() -> Result<T, HostError>,
) -> Result<T, HostError> {
    if !running {
        return act();
    }
    docker(["pause", name]).run()?;
    let done = act();
    docker(["unpause", name]).run()?;
    done
}

/// Where the SSH server of a guest is published, as `127.0.0.1:32768`.
pub(super) fn published(name: &str) -> Result<String, HostError> {
    let said = docker(["port", name, "22/tcp"]).run()?;
    let address = said.lines().next().unwrap_or_default().trim().to_owned();
    if address.is_empty() {
        return Err(HostError::Other("the engine published no port".to_owned()));
    }
    Ok(address)
}

/// A volume of the engine for a guest's disks.
pub(super) fn volume(name: &str, labels: &[String]) -> Result<(), HostError> {
    let tool: Tool = docker(["volume", "create"]).args(labels).arg(name);
    tool.run().map(drop)
}

/// Takes a guest's container and its volume away.
pub(super) fn destroy(name: &str) -> Result<(), HostError> {
    remove(name)?;
    docker(["volume", "rm", "--force", name]).run().map(drop)
}
