//! Tasks: what a node does after it has answered.

use std::collections::VecDeque;

use plimsoll_pve::Upid;

use crate::access::Caller;
use crate::state::State;

/// What a step does when its time comes. It answers lines for the log, or the error that ends the task.
pub(crate) type Act = Box<dyn FnOnce(&mut State) -> Result<Vec<String>, String> + Send>;

/// A part of a task.
pub(crate) struct Step {
    /// Milliseconds after the step before.
    pub(crate) after: i64,
    pub(crate) act: Act,
}

impl Step {
    pub(crate) fn new(
        after: i64,
        act: impl FnOnce(&mut State) -> Result<Vec<String>, String> + Send + 'static,
    ) -> Self {
        Self { after, act: Box::new(act) }
    }
}

/// A task, running or ended.
pub(crate) struct Task {
    pub(crate) upid: Upid,
    pub(crate) node: String,
    pub(crate) log: Vec<String>,
    pub(crate) ended: Option<i64>,
    pub(crate) exit: Option<String>,
    steps: VecDeque<Step>,
    due: i64,
    step: usize,
    /// What puts things right when a step fails or the task is stopped.
    undo: Option<Act>,
    pub(crate) warnings: u64,
}

/// A task to be started.
pub(crate) struct Plan {
    kind: &'static str,
    id: String,
    steps: Vec<Step>,
    undo: Option<Act>,
}

impl Plan {
    pub(crate) fn new(kind: &'static str, id: impl Into<String>) -> Self {
        Self { kind, id: id.into(), steps: Vec::new(), undo: None }
    }

    /// Adds a step.
    pub(crate) fn then(
        mut self,
        after: i64,
        act: impl FnOnce(&mut State) -> Result<Vec<String>, String> + Send + 'static,
    ) -> Self {
        self.steps.push(Step::new(after, act));
        self
    }

    /// What happens when a step fails or the task is stopped.
    pub(crate) fn or_else(
        mut self,
        undo: impl FnOnce(&mut State) -> Result<Vec<String>, String> + Send + 'static,
    ) -> Self {
        self.undo = Some(Box::new(undo));
        self
    }
}

impl State {
    /// Starts a task and answers its name.
    pub(crate) fn start(&mut self, node: &str, caller: &Caller, plan: Plan) -> Upid {
        let now = self.now();
        self.last_pid = 1000 + (self.last_pid + 7) % 30_000;
        let pstart = u64::try_from((now - self.booted) / 10).unwrap_or_default();
        let seconds = u64::try_from(now / 1000).unwrap_or_default();
        let upid = Upid::new(node, self.last_pid, pstart, seconds, plan.kind, &plan.id, &caller.full());
        let steps: VecDeque<Step> = plan.steps.into();
        let due = now + steps.front().map_or(0, |step| step.after);
        let undo = plan.undo;
        let (log, node) = (Vec::new(), node.to_owned());
        let task = Task {
            upid: upid.clone(),
            node,
            log,
            ended: None,
            exit: None,
            steps,
            due,
            step: 0,
            undo,
            warnings: 0,
        };
        self.tasks.push(task);
        self.settle();
        upid
    }

    /// Does everything whose time has come, in order of time.
    pub(crate) fn settle(&mut self) {
        let now = self.now();
        while let Some(index) = self.next_due(now) {
            self.step(index);
        }
    }

    fn next_due(&self, now: i64) -> Option<usize> {
        let open = self.tasks.iter().enumerate().filter(|(_, task)| task.ended.is_none() && task.due <= now);
        open.min_by_key(|(index, task)| (task.due, *index)).map(|(index, _)| index)
    }

    fn step(&mut self, index: usize) {
        let Some(task) = self.tasks.get_mut(index) else { return };
        let (at, number, kind) = (task.due, task.step, task.upid.kind.clone());
        let Some(step) = task.steps.pop_front() else {
            self.end(index, at, None);
            return;
        };
        let fault = self.faults.task_failure(&kind, number);
        let outcome = match fault {
            Some(text) => Err(text),
            None => {
                self.at = Some(at);
                let outcome = (step.act)(self);
                self.at = None;
                outcome
            }
        };
        let Some(task) = self.tasks.get_mut(index) else { return };
        match outcome {
            Ok(lines) => {
                task.warnings += lines.iter().filter(|line| line.starts_with("WARN: ")).count() as u64;
                task.log.extend(lines);
                task.step += 1;
                match task.steps.front() {
                    Some(next) => task.due = at + next.after,
                    None => self.end(index, at, None),
                }
            }
            Err(text) => self.end(index, at, Some(text)),
        }
    }

    fn end(&mut self, index: usize, at: i64, error: Option<String>) {
        let Some(task) = self.tasks.get_mut(index) else { return };
        task.ended = Some(at);
        task.steps.clear();
        let undo = task.undo.take();
        let (exit, last) = match &error {
            None if task.warnings > 0 => {
                let exit = format!("WARNINGS: {}", task.warnings);
                (exit.clone(), format!("TASK {exit}"))
            }
            None => ("OK".to_owned(), "TASK OK".to_owned()),
            Some(text) => (text.clone(), format!("TASK ERROR: {text}")),
        };
        task.log.push(last);
        task.exit = Some(exit);
        if let (Some(_), Some(undo)) = (error, undo) {
            self.at = Some(at);
            // What cannot be undone has nothing to say: the task has ended.
            let _ = undo(self);
            self.at = None;
        }
    }

    /// Stops a task that runs.
    pub(crate) fn interrupt(&mut self, upid: &str) {
        let now = self.now();
        let running = self.tasks.iter().position(|task| task.upid.as_str() == upid && task.ended.is_none());
        if let Some(index) = running {
            self.end(index, now, Some("interrupted by signal".to_owned()));
        }
    }
}
