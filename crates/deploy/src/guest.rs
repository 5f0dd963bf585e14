//! The app on its guest: looking, locking, single steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use plimsoll_remote::{Input, Job, OpenSsh, Output, RemoteError, Stream};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::oneshot;

use crate::error::DeployError;
use crate::event::{Event, Listener};
use crate::state::State;

macro_rules! script {
    ($name:literal) => {
        include_str!(concat!("scripts/", $name, ".sh"))
    };
}
pub(crate) use script;

/// How much to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// What a deploy needs.
    Now,
    /// All releases and the whole journal.
    All,
}

/// An app on a guest.
#[derive(Clone)]
pub struct Guest {
    pub(crate) ssh: Arc<OpenSsh>,
    pub(crate) app: String,
    pub(crate) listener: Listener,
}

impl Guest {
    /// An app on the guest at the other end of a connection.
    #[must_use]
    pub fn new(ssh: Arc<OpenSsh>, app: impl Into<String>, listener: Listener) -> Self {
        Self { ssh, app: app.into(), listener }
    }

    /// Looks at what there is. Changes nothing.
    pub async fn observe(&self, depth: Depth) -> Result<State, DeployError> {
        let depth = if depth == Depth::All { "all" } else { "now" };
        let job = Job::new("looking at the guest", script!("observe")).arg(&self.app).arg(depth).as_root();
        Ok(State::parse(&self.ssh.run(job).await?.success()?.text()))
    }

    /// Takes the lock; whoever holds it is waited for.
    pub(crate) async fn lock(&self, who: &str, reason: &str, wait: Duration) -> Result<Lock, DeployError> {
        let token = token();
        let (mut keep, input) = tokio::io::duplex(64);
        let (locked, is_locked) = oneshot::channel();
        let (locked, listener) = (std::sync::Mutex::new(Some(locked)), Arc::clone(&self.listener));
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let job = Job::new("taking the lock", script!("lock"))
            .arg(&self.app)
            .arg(&token)
            .arg(wait.as_secs().to_string())
            .arg(quoted(who))
            .arg(quoted(reason))
            .as_root()
            .limit(Duration::from_secs(24 * 3600))
            .input(Input::Reader(Box::pin(input)))
            .on_line(move |_, line| {
                if let Some(length) = line.strip_prefix("@locked") {
                    let sender = locked.lock().ok().and_then(|mut locked| locked.take());
                    let _ = sender.map(|sender| sender.send(length.trim().parse().unwrap_or_default()));
                } else if let Some(owner) = line.strip_prefix("@waiting ") {
                    listener(Event::Waiting { owner: owner.to_owned() });
                }
            });
        let ssh = Arc::clone(&self.ssh);
        let mut holder = tokio::spawn(async move { ssh.run(job).await });
        let mut length: u64 = 0;
        let ended = tokio::select! {
            Ok(found) = is_locked => {
                length = found;
                None
            }
            ended = &mut holder => Some(ended),
        };
        match ended {
            None => {}
            Some(Ok(Err(error))) => return Err(error.into()),
            Some(Ok(Ok(output))) => {
                let owner = output
                    .text()
                    .lines()
                    .find_map(|line| line.strip_prefix("@waiting ").map(ToOwned::to_owned));
                output.success().map_err(|error| match owner {
                    Some(owner) => DeployError::Locked(owner),
                    None => error.into(),
                })?;
                return Err(DeployError::LockLost);
            }
            Some(Err(_)) => return Err(DeployError::LockLost),
        }
        let beat = tokio::spawn(async move {
            while keep.write_all(b".").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        });
        Ok(Lock { token, length, beat, holder })
    }

    /// Runs Compose on the release that serves, with the streams of this process; gives its exit status.
    pub async fn compose(&self, words: &[String], terminal: bool) -> Result<i32, DeployError> {
        let job = Job::new("docker compose", script!("compose")).arg(&self.app).args(words).as_root();
        Ok(self.ssh.attach(&job, terminal).await?)
    }

    /// Takes the lock away from whoever holds it; says who that was.
    pub async fn unlock(&self) -> Result<String, DeployError> {
        let job = Job::new("taking the lock away", script!("unlock")).arg(&self.app).as_root();
        Ok(self.ssh.run(job).await?.success()?.text())
    }

    /// Runs a step: journaled before and after in the guest, refused when the lock is gone.
    pub(crate) async fn step(&self, lock: &Lock, step: Action<'_>) -> Result<Output, DeployError> {
        let Action { name, release, script, arguments, input, limit } = step;
        // It stands in a line of JSON.
        let fits = |c: char| c.is_ascii_alphanumeric() || " ._:/@-".contains(c);
        let name: &str = &name.replace(|c: char| !fits(c), "_");
        let total = if let Input::Bytes(bytes) = &input { bytes.len() as u64 } else { 0 };
        (self.listener)(Event::Begin { step: name.to_owned() });
        let begun = Instant::now();
        let script = [script!("prelude"), script, script!("postlude")].concat();
        let sent = Arc::<AtomicU64>::default();
        let (listener, step) = (Arc::clone(&self.listener), name.to_owned());
        let job = Job::new(format!("`{name}`"), script)
            .args([self.app.as_str(), &lock.token, &release.to_string(), name])
            .args(arguments)
            .as_root()
            .limit(limit)
            .counting(Arc::clone(&sent))
            .input(input)
            .on_line(move |stream: Stream, line| {
                if stream == Stream::Err || !line.starts_with('@') {
                    listener(Event::Line { step: step.clone(), line: line.to_owned() });
                }
            });
        let running = self.ssh.run(job);
        tokio::pin!(running);
        let output = loop {
            tokio::select! {
                output = &mut running => break output?,
                () = tokio::time::sleep(Duration::from_millis(500)), if total > 0 => {
                    let sent = sent.load(Ordering::Relaxed);
                    (self.listener)(Event::Progress { step: name.to_owned(), sent, total });
                }
            }
        };
        if output.status == 97 {
            return Err(DeployError::LockLost);
        }
        if output.status == 0 {
            let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            (self.listener)(Event::End { step: name.to_owned(), took, sent: output.sent });
        }
        Ok(output)
    }

    /// A script outside of the journal.
    pub(crate) async fn ask(
        &self,
        what: &str,
        script: &str,
        arguments: &[&str],
    ) -> Result<Output, RemoteError> {
        let job = Job::new(what, script).arg(&self.app).args(arguments.iter().copied()).as_root();
        self.ssh.run(job).await?.success()
    }
}

/// A step as the guest runs it.
pub(crate) struct Action<'a> {
    pub(crate) name: &'a str,
    pub(crate) release: u64,
    pub(crate) script: &'a str,
    pub(crate) arguments: Vec<String>,
    pub(crate) input: Input,
    pub(crate) limit: Duration,
}

impl<'a> Action<'a> {
    pub(crate) fn new(name: &'a str, release: u64, script: &'a str) -> Self {
        let limit = Duration::from_secs(120);
        Self { name, release, script, arguments: Vec::new(), input: Input::Nothing, limit }
    }

    pub(crate) fn args(mut self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub(crate) fn input(self, input: Input) -> Self {
        Self { input, ..self }
    }

    pub(crate) fn limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }
}

/// The lock, held by a process on the guest that lives as long as this does.
pub(crate) struct Lock {
    pub(crate) token: String,
    /// Bytes of the journal when the lock was taken.
    pub(crate) length: u64,
    beat: tokio::task::JoinHandle<()>,
    holder: tokio::task::JoinHandle<Result<Output, RemoteError>>,
}

impl Lock {
    /// Gives the lock back and waits until it is free.
    pub(crate) async fn release(mut self) {
        self.beat.abort();
        drop(tokio::time::timeout(Duration::from_secs(5), &mut self.holder).await);
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.beat.abort();
        self.holder.abort();
    }
}

/// A name for a run that no other run has.
#[expect(clippy::disallowed_methods, reason = "a name for a run must differ from all others")]
fn token() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let text = format!("{:?} {} {:?}", since, std::process::id(), std::thread::current().id());
    crate::digest::of(text.as_bytes()).get(..16).unwrap_or_default().to_owned()
}
