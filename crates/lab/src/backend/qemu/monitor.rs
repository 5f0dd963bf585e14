//! The monitor of a running virtual machine (QMP; QEMU's interoperability manual, `qemu-qmp-ref`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::socket::Lines;
use crate::host::HostError;

/// Where the monitor of a virtual machine is reached.
#[derive(Clone, Debug)]
pub(super) struct Monitor(PathBuf);

/// Longest wait for an answer: saving memory takes the longest.
const PATIENCE: Duration = Duration::from_secs(600);

impl Monitor {
    pub(super) fn of(home: &Path) -> Self {
        Self(home.join("monitor"))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Runs a command to its answer.
    pub(super) fn run(&self, command: &str, arguments: Value) -> Result<Value, HostError> {
        self.within(PATIENCE, command, arguments)
    }

    pub(super) fn within(
        &self,
        patience: Duration,
        command: &str,
        arguments: Value,
    ) -> Result<Value, HostError> {
        let lost =
            |error: std::io::Error| HostError::Other(format!("QEMU does not answer `{command}`: {error}"));
        let mut lines = Lines::open(&self.0, patience).map_err(lost)?;
        // It greets first, and takes commands once it was answered.
        lines.hear().map_err(lost)?;
        let mut answer = Value::Null;
        for (name, arguments) in [("qmp_capabilities", json!({})), (command, arguments)] {
            lines.say(b"", &json!({ "execute": name, "arguments": arguments })).map_err(lost)?;
            answer = loop {
                let mut heard = lines.hear().map_err(lost)?;
                if let Some(value) = heard.get_mut("return") {
                    break value.take();
                }
                if let Some(text) = heard.pointer("/error/desc").and_then(Value::as_str) {
                    return Err(HostError::Other(format!("QEMU refuses `{command}`: {text}")));
                }
                // Else an event.
            };
        }
        Ok(answer)
    }

    /// Runs a line of the monitor for people. It says nothing where all is well.
    pub(super) fn line(&self, line: &str) -> Result<(), HostError> {
        let said = self.run("human-monitor-command", json!({ "command-line": line }))?;
        match said.as_str().map(str::trim) {
            None | Some("") => Ok(()),
            Some(text) => Err(HostError::Other(format!("QEMU refuses `{line}`: {text}"))),
        }
    }
}
