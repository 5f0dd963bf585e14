//! Tasks: what a node does after it has answered.

use std::collections::VecDeque;

use plimsoll_pve::Upid;

use crate::access::Caller;
use crate::backend::{Operation, Progress};
use crate::state::State;

/// What a step does when its time comes. It answers lines for the log, or the error that ends the task.
pub(crate) type Act = Box<dyn FnOnce(&mut State) -> Result<Vec<String>, String> + Send>;

/// What a step lets the backend do before it acts itself, if anything.
pub(crate) type Ask = Box<dyn FnOnce(&mut State) -> Result<Option<Operation>, String> + Send>;

/// A part of a task.
struct Step {
    /// Milliseconds after the step before.
    after: i64,
    ask: Option<Ask>,
    act: Act,
}

/// A task, running or ended.
pub(crate) struct Task {
    pub(crate) upid: Upid,
    pub(crate) node: String,
    pub(crate) log: Vec<String>,
    pub(crate) ended: Option<i64>,
    pub(crate) exit: Option<String>,
    steps: VecDeque<Step>,
    /// The backend's operation that is waited for, and what follows.
    waiting: Option<(u64, Act)>,
    due: i64,
    step: usize,
    /// What puts things right when a step fails or the task is stopped.
    undo: Option<Act>,
    pub(crate) warnings: u64,
}

impl Task {
    /// Whether it has steps to take, and waits for nothing but its time.
    fn is_open(&self) -> bool {
        self.ended.is_none() && self.waiting.is_none()
    }
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
        self.steps.push(Step { after, ask: None, act: Box::new(act) });
        self
    }

    /// Adds a step that waits for the backend. A failure of the backend is one of the step.
    pub(crate) fn work(
        mut self,
        after: i64,
        ask: impl FnOnce(&mut State) -> Result<Option<Operation>, String> + Send + 'static,
        act: impl FnOnce(&mut State) -> Result<Vec<String>, String> + Send + 'static,
    ) -> Self {
        self.steps.push(Step { after, ask: Some(Box::new(ask)), act: Box::new(act) });
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
            waiting: None,
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
        self.look_after(now);
        while let Some(index) = self.next_due(now) {
            self.step(index);
        }
    }

    /// Goes on with tasks whose operation has ended, and takes note of guests that ended by themselves.
    fn look_after(&mut self, now: i64) {
        for index in 0..self.tasks.len() {
            let Some(task) = self.tasks.get_mut(index) else { return };
            let Some((number, act)) = task.waiting.take() else { continue };
            let outcome = match self.backend.poll(number) {
                Progress::Running => {
                    task.waiting = Some((number, act));
                    continue;
                }
                Progress::Done(lines) => self.act(now, lines, act),
                Progress::Failed(text) => Err(text),
            };
            self.finish(index, now, outcome);
        }
        for vmid in self.backend.ended() {
            if let Some(guest) = self.guests.get_mut(&vmid) {
                guest.running = None;
                guest.programs.clear();
                guest.apply_pending();
            }
        }
    }

    fn next_due(&self, now: i64) -> Option<usize> {
        let open = self.tasks.iter().enumerate().filter(|(_, task)| task.is_open() && task.due <= now);
        open.min_by_key(|(index, task)| (task.due, *index)).map(|(index, _)| index)
    }

    fn step(&mut self, index: usize) {
        let Some(task) = self.tasks.get_mut(index) else { return };
        let (at, number, kind) = (task.due, task.step, task.upid.kind.clone());
        let Some(step) = task.steps.pop_front() else {
            self.end(index, at, None);
            return;
        };
        if let Some(text) = self.faults.task_failure(&kind, number) {
            self.end(index, at, Some(text));
            return;
        }
        self.at = Some(at);
        let asked = step.ask.map_or(Ok(None), |ask| ask(self));
        self.at = None;
        let outcome = match asked {
            Err(text) => Err(text),
            Ok(None) => self.act(at, Vec::new(), step.act),
            Ok(Some(operation)) => {
                let number = self.backend.begin(operation);
                match self.backend.poll(number) {
                    Progress::Done(lines) => self.act(at, lines, step.act),
                    Progress::Failed(text) => Err(text),
                    Progress::Running => {
                        if let Some(task) = self.tasks.get_mut(index) {
                            task.waiting = Some((number, step.act));
                        }
                        return;
                    }
                }
            }
        };
        self.finish(index, at, outcome);
    }

    fn act(&mut self, at: i64, mut lines: Vec<String>, act: Act) -> Result<Vec<String>, String> {
        self.at = Some(at);
        let said = act(self);
        self.at = None;
        lines.extend(said?);
        Ok(lines)
    }

    fn finish(&mut self, index: usize, at: i64, outcome: Result<Vec<String>, String>) {
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
        task.waiting = None;
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
