//! Following a task to its end.

use std::time::Duration;

use serde::Deserialize;

use crate::api::{TaskLog, TaskState, TaskStatus};
use crate::error::from_text;
use crate::{Client, Error, Kind, Upid};

/// A line of a task's log.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LogLine {
    /// Its number, from 1.
    #[serde(rename = "n", deserialize_with = "crate::values::number")]
    pub number: u64,
    /// Its text.
    #[serde(rename = "t")]
    pub text: String,
}

/// How a task ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// `OK`.
    Ok,
    /// `WARNINGS: n`: it did what was asked, and the log says what it did not like.
    Warnings(u64),
}

/// A task that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskResult {
    /// The task.
    pub upid: Upid,
    /// How it ended.
    pub exit: Exit,
    /// Its log.
    pub log: Vec<LogLine>,
}

/// Why waiting gave no result.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The task ended with an error.
    #[error("task {} on {} failed: {message}", upid.kind, upid.node)]
    Failed {
        /// The task.
        upid: Upid,
        /// The node's text.
        message: String,
        /// What the text means.
        kind: Kind,
        /// The last lines of its log.
        tail: Vec<LogLine>,
    },
    /// The task is gone without an end in its log: its process was killed, or the node went down. What it did is unknown.
    #[error("task {} on {} vanished; what it did is unknown", upid.kind, upid.node)]
    Vanished {
        /// The task.
        upid: Upid,
    },
    /// The task still runs after the time that was given.
    #[error("task {} on {} still runs after {} s", upid.kind, upid.node, waited.as_secs())]
    Timeout {
        /// The task, to go on waiting for.
        upid: Upid,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The node could not be asked about the task, several times in a row.
    #[error("cannot follow task {} on {}", upid.kind, upid.node)]
    Unreachable {
        /// The task.
        upid: Upid,
        /// The last error.
        source: Error,
    },
}

/// How to wait.
#[derive(Clone, Copy, Debug)]
pub struct WaitOptions {
    /// The first pause between two questions; it grows to `longest`.
    pub shortest: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// When to give up. The task goes on.
    pub timeout: Duration,
    /// How many errors in a row to sit out.
    pub errors: u32,
}

impl Default for WaitOptions {
    fn default() -> Self {
        Self {
            shortest: Duration::from_millis(100),
            longest: Duration::from_secs(2),
            timeout: Duration::from_secs(30 * 60),
            errors: 10,
        }
    }
}

/// Lines to ask for at a time. The node's own default is 50.
const PAGE: u64 = 500;
/// Lines of a failed task to keep in the error.
const TAIL: usize = 20;

impl Client {
    /// Waits for a task and hands each line of its log to `line` as it appears. Questions that fail are asked again: a task outlives
    /// a broken connection.
    pub async fn wait(
        &self,
        upid: &Upid,
        options: WaitOptions,
        mut line: impl FnMut(&LogLine),
    ) -> Result<TaskResult, Box<TaskError>> {
        let begin = tokio::time::Instant::now();
        let (mut log, mut pause, mut errors) = (Vec::new(), options.shortest, 0);
        loop {
            // The status first: lines written between the two questions are then not missed.
            match self.look(upid, &mut log, &mut line).await {
                Ok(None) => errors = 0,
                Ok(Some(exit)) => return end(upid, &exit, log),
                Err(error) if may_pass(&error) && errors < options.errors => errors += 1,
                Err(source) => return Err(Box::new(TaskError::Unreachable { upid: upid.clone(), source })),
            }
            let waited = begin.elapsed();
            if waited >= options.timeout {
                return Err(Box::new(TaskError::Timeout { upid: upid.clone(), waited }));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(options.longest);
        }
    }

    async fn look(
        &self,
        upid: &Upid,
        log: &mut Vec<LogLine>,
        line: &mut impl FnMut(&LogLine),
    ) -> Result<Option<String>, Error> {
        let status = self.call(&TaskStatus { node: upid.node.clone(), upid: upid.clone() }).await?;
        loop {
            let start = log.len() as u64;
            let request = TaskLog {
                node: upid.node.clone(),
                upid: upid.clone(),
                start: Some(start),
                limit: Some(PAGE),
            };
            let page = self.call(&request).await?;
            let more = page.len() as u64 == PAGE;
            for entry in page.into_iter().filter(|entry| entry.number > start) {
                // A log without a line is shown as one that says so.
                if !(entry.number == 1 && entry.text == "no content") {
                    line(&entry);
                    log.push(entry);
                }
            }
            if !more {
                break;
            }
        }
        Ok(match status.status {
            TaskState::Running => None,
            TaskState::Stopped => Some(status.exitstatus.unwrap_or_else(|| "unexpected status".to_owned())),
        })
    }
}

/// Whether asking again may help. A node in trouble answers 500 with whatever its handler died of; that the task is not there it says
/// otherwise (400, `no such task`).
fn may_pass(error: &Error) -> bool {
    error.is_transient() || error.refusal().is_some_and(|refusal| refusal.kind == Kind::Other)
}

fn end(upid: &Upid, exit: &str, mut log: Vec<LogLine>) -> Result<TaskResult, Box<TaskError>> {
    let upid = upid.clone();
    if exit == "OK" {
        return Ok(TaskResult { upid, exit: Exit::Ok, log });
    }
    if let Some(count) = exit.strip_prefix("WARNINGS: ").and_then(|count| count.parse().ok()) {
        return Ok(TaskResult { upid, exit: Exit::Warnings(count), log });
    }
    if exit == "unexpected status" {
        return Err(Box::new(TaskError::Vanished { upid }));
    }
    let tail = log.split_off(log.len().saturating_sub(TAIL));
    Err(Box::new(TaskError::Failed { upid, message: exit.to_owned(), kind: from_text(500, exit), tail }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upid() -> Upid {
        "UPID:pve1:0000107E:00036FA9:6B0382D6:vzcreate:120:root@pam:".parse().unwrap()
    }

    #[test]
    fn warnings_are_no_failure() {
        assert_eq!(end(&upid(), "WARNINGS: 2", vec![]).unwrap().exit, Exit::Warnings(2));
        assert_eq!(end(&upid(), "OK", vec![]).unwrap().exit, Exit::Ok);
    }

    #[test]
    fn a_failure_says_what_it_means_and_a_vanished_task_is_none() {
        let failed = end(&upid(), "CT is locked (backup)", vec![]).unwrap_err();
        assert!(matches!(*failed, TaskError::Failed { kind: Kind::Locked(_), .. }));
        let vanished = end(&upid(), "unexpected status", vec![]).unwrap_err();
        assert!(matches!(*vanished, TaskError::Vanished { .. }));
    }
}
