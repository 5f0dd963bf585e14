//! The app on its guest: looking, locking, single steps.

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use plimsoll_remote::{Call, How, Input, Job, OpenSsh, Output, RemoteError, Shell, Stream};

use crate::error::DeployError;
use crate::event::{Event, Listener};
use crate::pack::Meter;
use crate::program::PROGRAM;
use crate::state::{Owner, State};

macro_rules! script {
    ($name:literal) => {
        include_str!(concat!("scripts/", $name, ".sh"))
    };
}
pub(crate) use script;

/// Bytes of what a guest says of itself.
const KEPT: u64 = 64 << 20;

/// Longer than anybody looks at logs.
const FOREVER: Duration = Duration::from_secs(10 * 365 * 86_400);

/// The status of a lock that did not become free in time.
const STILL_HELD: i32 = 75;

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
    /// Whether all that steps print is told while they run, or the end of it when they fail.
    pub(crate) live: bool,
}

impl Guest {
    /// An app on the guest at the other end of a connection.
    #[must_use]
    pub fn new(ssh: Arc<OpenSsh>, app: impl Into<String>, listener: Listener) -> Self {
        Self { ssh, app: app.into(), listener, live: false }
    }

    /// The same with [`Event::Line`] for each line that a step prints, while it runs.
    #[must_use]
    pub fn live(self, live: bool) -> Self {
        Self { live, ..self }
    }

    /// Opens a shell that can do all that a deploy needs.
    pub(crate) async fn shell(&self) -> Result<Shell, RemoteError> {
        let directory = format!("/var/lib/plimsoll/{}/scripts", self.app);
        let live = if self.live { "live" } else { "" };
        self.ssh
            .shell(
                &PROGRAM,
                &directory,
                &format!("\u{1e}{}", token().get(..8).unwrap_or_default()),
                &[&self.app, live],
            )
            .await
    }

    /// Looks at what there is. Changes nothing.
    pub async fn observe(&self, depth: Depth) -> Result<State, DeployError> {
        self.look(&self.shell().await?, depth, &[]).await
    }

    /// The same in a shell that is there; of built images only these are of interest, or all of the app.
    pub(crate) async fn look(
        &self,
        shell: &Shell,
        depth: Depth,
        images: &[String],
    ) -> Result<State, DeployError> {
        let depth = if depth == Depth::All { "all" } else { "now" };
        let words: Vec<&str> =
            ["do_observe", depth].into_iter().chain(images.iter().map(String::as_str)).collect();
        let packed = self.ask_in(shell, "looking at the guest", &words).await?.stdout;
        let mut text = String::new();
        let read = GzDecoder::new(packed.as_slice()).take(KEPT).read_to_string(&mut text);
        read.map_err(RemoteError::Input)?;
        Ok(State::parse(&text))
    }

    /// Takes the lock; whoever holds it is waited for. `store` asks for what the store has of the images that serve.
    pub(crate) async fn lock(
        &self,
        shell: Shell,
        (who, reason): (&str, &str),
        wait: Duration,
        store: bool,
    ) -> Result<Lock, DeployError> {
        let token = token();
        let listener = Arc::clone(&self.listener);
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let job = Job::new("taking the lock", "")
            .args(["do_lock", &token, &wait.as_secs().to_string(), &quoted(who), &quoted(reason)])
            .args(store.then_some("serves"))
            .limit(wait * 2 + Duration::from_secs(60))
            .on_line(move |_, line| {
                if let Some(owner) = line.strip_prefix("@waiting ").and_then(Owner::parse) {
                    listener(Event::Waiting { owner });
                }
            });
        let output = shell.call(Call::new(job, How::Here)).await?;
        let text = output.text();
        let Some(length) = text.lines().find_map(|line| line.strip_prefix("@locked")) else {
            let waited = text.lines().rev().find_map(|line| line.strip_prefix("@waiting "));
            return Err(match waited.and_then(Owner::parse) {
                Some(owner) if output.status == STILL_HELD => DeployError::Locked(owner),
                _ => output.success().err().map_or(DeployError::LockLost, DeployError::Remote),
            });
        };
        if shell.was_sent {
            let job = Job::new("keeping what a deploy needs", "")
                .args(["keep", &PROGRAM.digest])
                .input(Input::Bytes(PROGRAM.packed.clone()));
            // A guest that does not keep it gets it again.
            drop(shell.call(Call::new(job, How::Apart)).await?);
        }
        Ok(Lock { length: length.trim().parse().unwrap_or_default(), store: text, shell })
    }

    /// Runs Compose on the release that serves, with the streams of this process; gives its exit status.
    pub async fn compose(&self, words: &[String], terminal: bool) -> Result<i32, DeployError> {
        let job = Job::new("docker compose", script!("compose")).arg(&self.app).args(words).as_root();
        Ok(self.ssh.attach(&job, terminal).await?)
    }

    /// Runs Compose on the release that serves and tells each line of its output, for as long as it runs.
    pub async fn compose_lines(
        &self,
        words: &[String],
        on_line: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<(), DeployError> {
        let job = Job::new("docker compose", script!("compose")).arg(&self.app).args(words).as_root();
        let job = job.limit(FOREVER).on_line(move |stream, line| {
            if stream == Stream::Out {
                on_line(line);
            }
        });
        self.ssh.run(job).await?.success()?;
        Ok(())
    }

    /// Takes the lock away from whoever holds it; says who that was.
    pub async fn unlock(&self) -> Result<Option<Owner>, DeployError> {
        let job = Job::new("taking the lock away", script!("unlock")).arg(&self.app).as_root();
        Ok(Owner::parse(&self.ssh.run(job).await?.success()?.text()))
    }

    /// Runs a step: journaled before and after in the guest, refused when the lock is gone.
    pub(crate) async fn step(&self, lock: &Lock, step: Action<'_>) -> Result<Output, DeployError> {
        let (limit, meter) = (step.limit, step.meter.clone());
        let (name, what, input, words) = step.words();
        (self.listener)(Event::Begin { step: name.clone() });
        let begun = Instant::now();
        let sent = Arc::<AtomicU64>::default();
        let (done, total) = match (&input, meter) {
            (Input::Bytes(bytes), _) => (Arc::clone(&sent), bytes.len() as u64),
            (_, Some(meter)) => (meter.done, meter.total),
            (_, None) => (Arc::clone(&sent), 0),
        };
        let (listener, step) = (Arc::clone(&self.listener), name.clone());
        let job =
            Job::new(what, "").args(words).limit(limit).counting(Arc::clone(&sent)).input(input).on_line(
                move |stream: Stream, line| {
                    if stream == Stream::Err || !line.starts_with('@') {
                        listener(Event::Line { step: step.clone(), line: line.to_owned() });
                    }
                },
            );
        let running = lock.shell.call(Call::new(job, How::Apart));
        tokio::pin!(running);
        let output = loop {
            tokio::select! {
                output = &mut running => break output,
                () = tokio::time::sleep(Duration::from_millis(500)), if total > 0 => {
                    let [done, sent] = [&done, &sent].map(|count| count.load(Ordering::Relaxed));
                    (self.listener)(Event::Progress { step: name.clone(), done, total, sent });
                }
            }
        };
        let output = match output {
            // Whoever takes the lock away ends the shell that holds it.
            Err(RemoteError::CommandFailed { .. }) => return Err(DeployError::LockLost),
            output => output?,
        };
        if output.status == 97 {
            return Err(DeployError::LockLost);
        }
        if output.status == 0 {
            let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            (self.listener)(Event::End { step: name, took, sent: output.sent });
        }
        Ok(output)
    }

    /// A function of the program outside of the journal.
    pub(crate) async fn ask_in(
        &self,
        shell: &Shell,
        what: &str,
        words: &[&str],
    ) -> Result<Output, RemoteError> {
        let job = Job::new(what, "").args(words.iter().copied());
        shell.call(Call::new(job, How::Apart)).await?.success()
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
    /// The function of the program without its `do_`.
    pub(crate) what: &'static str,
    pub(crate) arguments: Vec<String>,
    pub(crate) input: Input,
    /// How far its input has come, where that is not told by what was sent.
    pub(crate) meter: Option<Meter>,
    pub(crate) limit: Duration,
}

impl<'a> Action<'a> {
    pub(crate) fn new(name: &'a str, release: u64, what: &'static str) -> Self {
        let limit = Duration::from_secs(120);
        Self { name, release, what, arguments: Vec::new(), input: Input::Nothing, meter: None, limit }
    }

    pub(crate) fn args(mut self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub(crate) fn input(self, input: Input) -> Self {
        Self { input, ..self }
    }

    pub(crate) fn meter(self, meter: Meter) -> Self {
        Self { meter: Some(meter), ..self }
    }

    pub(crate) fn limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Its name, what completes "… failed", what it reads, and the words of the request.
    fn words(self) -> (String, String, Input, Vec<String>) {
        let Self { name, release, what, arguments, input, .. } = self;
        // It stands in a line of JSON.
        let fits = |c: char| c.is_ascii_alphanumeric() || " ._:/@-".contains(c);
        let name = name.replace(|c: char| !fits(c), "_");
        let words = ["step".to_owned(), release.to_string(), name.clone(), format!("do_{what}")];
        let words = words.into_iter().chain(arguments).collect();
        let said = format!("`{name}`");
        (name, said, input, words)
    }
}

/// The lock, held by a shell on the guest that lives as long as this does.
pub(crate) struct Lock {
    /// Bytes of the journal when the lock was taken.
    pub(crate) length: u64,
    /// What the store has of the images that serve, if that was asked for.
    pub(crate) store: String,
    pub(crate) shell: Shell,
}

impl Lock {
    /// Gives the lock back and waits until it is free.
    pub(crate) async fn release(self) {
        self.shell.close().await;
    }

    /// The release is good; what no kept one needs is taken away when nobody waits any more.
    pub(crate) async fn finish(&self, release: u64, keep: &str) -> Result<Output, RemoteError> {
        let job = Job::new("`good`", "").args(["finish", &release.to_string(), keep]);
        self.shell.call(Call::new(job, How::Here)).await
    }

    /// Leaves the guest to do what it still does.
    pub(crate) async fn leave(self) {
        self.shell.leave(None).await;
    }

    /// Gives it back once a last step has begun, whose end nobody waits for.
    pub(crate) async fn release_after(self, step: Action<'_>) {
        let (_, what, _, mut words) = step.words();
        words.splice(..1, ["last".to_owned()]);
        self.shell.leave(Some(Job::new(what, "").args(words))).await;
    }
}

/// A name for a run that no other run has.
#[expect(clippy::disallowed_methods, reason = "a name for a run must differ from all others")]
fn token() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let text = format!("{:?} {} {:?}", since, std::process::id(), std::thread::current().id());
    crate::digest::of(text.as_bytes()).get(..16).unwrap_or_default().to_owned()
}
