//! Tasks and their logs.

use serde::Deserialize;

use super::request::requests;
use crate::values::maybe_number;
use crate::{LogLine, Upid};

/// Whether a task still runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskState {
    /// It runs.
    Running,
    /// It has ended, well or not.
    Stopped,
}

/// A task as the node sees it.
#[derive(Clone, Debug, Deserialize)]
pub struct TaskInfo {
    /// Its name.
    pub upid: Upid,
    /// Whether it runs.
    pub status: TaskState,
    /// `OK`, `WARNINGS: n` or the error, once it has ended.
    #[serde(default)]
    pub exitstatus: Option<String>,
    /// Who started it, without the token.
    pub user: String,
    /// The token that started it.
    #[serde(default)]
    pub tokenid: Option<String>,
}

/// A task in a list. Lists write the end of a task into `status`.
#[derive(Clone, Debug, Deserialize)]
pub struct TaskEntry {
    /// Its name.
    pub upid: Upid,
    /// `OK`, the error or `RUNNING`.
    #[serde(default)]
    pub status: Option<String>,
    /// Seconds since 1970.
    #[serde(default, deserialize_with = "maybe_number")]
    pub endtime: Option<u64>,
}

requests! {
    /// Whether a task runs, and how it ended. Ask the node in the task's name.
    TaskStatus = Get "/nodes/{node}/tasks/{upid}/status" -> TaskInfo {
        node: String = "node",
        upid: Upid = "upid",
    }

    /// Lines of a task's log, 50 unless `limit` says otherwise.
    TaskLog = Get "/nodes/{node}/tasks/{upid}/log" -> Vec<LogLine> {
        node: String = "node",
        upid: Upid = "upid",
        start: Option<u64> = "start",
        limit: Option<u64> = "limit",
    }

    /// Stops a task. What it leaves behind is for the caller to look at.
    StopTask = Delete "/nodes/{node}/tasks/{upid}" -> () {
        node: String = "node",
        upid: Upid = "upid",
    }

    /// Tasks of a node: the caller's own, or all with `Sys.Audit`.
    #[derive(Default)]
    GetTasks = Get "/nodes/{node}/tasks" -> Vec<TaskEntry> {
        node: String = "node",
        vmid: Option<crate::Vmid> = "vmid",
        source: Option<String> = "source",
        typefilter: Option<String> = "typefilter",
        since: Option<u64> = "since",
        until: Option<u64> = "until",
        errors: Option<bool> = "errors",
        start: Option<u64> = "start",
        limit: Option<u64> = "limit",
    }

    /// Recent tasks of the cluster.
    GetClusterTasks = Get "/cluster/tasks" -> Vec<TaskEntry> {}
}
