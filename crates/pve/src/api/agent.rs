//! The guest agent of a virtual machine.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::request::requests;
use crate::values::{flag, number};
use crate::{Secret, Vmid};

/// What the agent gives back.
#[derive(Clone, Debug, Deserialize)]
pub struct AgentAnswer<T> {
    /// The answer.
    pub result: T,
}

/// A process that the agent started.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct AgentProcess {
    /// Its number, to ask about it.
    #[serde(deserialize_with = "number")]
    pub pid: u64,
}

/// The state of a process that the agent started. The agent forgets it once it has told of its end.
#[derive(Clone, Debug, Deserialize)]
pub struct AgentProcessStatus {
    /// Whether it has ended.
    #[serde(deserialize_with = "flag")]
    pub exited: bool,
    /// Its exit code.
    #[serde(default)]
    pub exitcode: Option<i64>,
    /// What it wrote, decoded.
    #[serde(default, rename = "out-data")]
    pub stdout: Option<String>,
    /// What it complained of, decoded.
    #[serde(default, rename = "err-data")]
    pub stderr: Option<String>,
}

/// An interface inside a machine.
#[derive(Clone, Debug, Deserialize)]
pub struct AgentInterface {
    /// Its name.
    pub name: String,
    /// The card's address.
    #[serde(default, rename = "hardware-address")]
    pub mac: Option<String>,
    /// Its addresses.
    #[serde(default, rename = "ip-addresses")]
    pub addresses: Vec<AgentAddress>,
}

/// An address inside a machine.
#[derive(Clone, Debug, Deserialize)]
pub struct AgentAddress {
    /// The address.
    #[serde(rename = "ip-address")]
    pub address: String,
    /// `ipv4` or `ipv6`; containers say `inet` and `inet6`.
    #[serde(rename = "ip-address-type")]
    pub kind: String,
    /// Length of the network part.
    #[serde(default, deserialize_with = "number")]
    pub prefix: u64,
}

/// A file that the agent read.
#[derive(Clone, Debug, Deserialize)]
pub struct AgentFile {
    /// Its content.
    pub content: Secret,
}

requests! {
    /// Whether the agent answers.
    AgentPing = Post "/nodes/{node}/qemu/{vmid}/agent/ping" -> AgentAnswer<Value> {
        node: String = "node",
        vmid: Vmid = "vmid",
    }

    /// Interfaces and addresses inside the machine.
    AgentInterfaces = Get "/nodes/{node}/qemu/{vmid}/agent/network-get-interfaces" -> AgentAnswer<Vec<AgentInterface>> {
        node: String = "node",
        vmid: Vmid = "vmid",
    }

    /// The system inside the machine.
    AgentOsInfo = Get "/nodes/{node}/qemu/{vmid}/agent/get-osinfo" -> AgentAnswer<Map<String, Value>> {
        node: String = "node",
        vmid: Vmid = "vmid",
    }

    /// Starts a program; there is no shell between. It cannot be stopped through the agent.
    AgentExec = Post "/nodes/{node}/qemu/{vmid}/agent/exec" -> AgentProcess {
        node: String = "node",
        vmid: Vmid = "vmid",
        command: Vec<String> = "command",
        input_data: Option<Secret> = "input-data",
    }

    /// What became of a program.
    AgentExecStatus = Get "/nodes/{node}/qemu/{vmid}/agent/exec-status" -> AgentProcessStatus {
        node: String = "node",
        vmid: Vmid = "vmid",
        pid: u64 = "pid",
    }

    /// Writes a file of at most 60 KiB.
    AgentFileWrite = Post "/nodes/{node}/qemu/{vmid}/agent/file-write" -> () {
        node: String = "node",
        vmid: Vmid = "vmid",
        file: String = "file",
        content: Secret = "content",
        encode: Option<bool> = "encode",
    }

    /// Reads a file.
    AgentFileRead = Get "/nodes/{node}/qemu/{vmid}/agent/file-read" -> AgentFile {
        node: String = "node",
        vmid: Vmid = "vmid",
        file: String = "file",
    }
}
