//! What runs on a guest, and what comes back.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::io::AsyncRead;

use crate::RemoteError;
use crate::quote::line;

/// What a command reads.
#[derive(Default)]
pub enum Input {
    /// Nothing.
    #[default]
    Nothing,
    /// These bytes.
    Bytes(Vec<u8>),
    /// All that this gives.
    Reader(Pin<Box<dyn AsyncRead + Send>>),
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Secrets go this way.
        f.write_str("Input(…)")
    }
}

/// Which stream a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Receives each line while the command runs.
pub(crate) type OnLine = Arc<dyn Fn(Stream, &str) + Send + Sync>;

/// A script for a POSIX shell on the guest with its arguments. Secrets never stand in either: they go by the input.
pub struct Job {
    pub(crate) what: String,
    pub(crate) script: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) input: Input,
    pub(crate) sent: Arc<AtomicU64>,
    pub(crate) limit: Duration,
    pub(crate) on_line: Option<OnLine>,
    pub(crate) as_root: bool,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("what", &self.what).finish_non_exhaustive()
    }
}

impl Job {
    /// A script; `what` completes "… failed".
    pub fn new(what: impl Into<String>, script: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            script: script.into(),
            arguments: Vec::new(),
            input: Input::Nothing,
            sent: Arc::default(),
            limit: Duration::from_secs(60),
            on_line: None,
            as_root: false,
        }
    }

    /// Adds an argument: `$1`, `$2` and so on in the script.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// What it reads.
    #[must_use]
    pub fn input(mut self, input: Input) -> Self {
        self.input = input;
        self
    }

    /// Counts the bytes that were sent, while they are sent.
    #[must_use]
    pub fn counting(mut self, sent: Arc<AtomicU64>) -> Self {
        self.sent = sent;
        self
    }

    /// How long it may take; a minute when nothing is said.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Whom to tell each line.
    #[must_use]
    pub fn on_line(mut self, on_line: impl Fn(Stream, &str) + Send + Sync + 'static) -> Self {
        self.on_line = Some(Arc::new(on_line));
        self
    }

    /// Runs as root, by `sudo -n` where the login is somebody else.
    #[must_use]
    pub fn as_root(mut self) -> Self {
        self.as_root = true;
        self
    }

    /// The line for the login shell.
    pub(crate) fn line(&self) -> String {
        let words = ["sh", "-c", &self.script, "plimsoll"];
        let command = line(words.into_iter().chain(self.arguments.iter().map(String::as_str)));
        let prefix = if self.as_root { r#"s=; [ "$(id -u)" = 0 ] || s="sudo -n"; $s "# } else { "" };
        // 255 is OpenSSH's own word for a failed connection.
        let script = format!("{prefix}{command}; s=$?; [ $s = 255 ] && s=254; exit $s");
        line(["sh", "-c", &script])
    }
}

/// What a command gave.
#[derive(Clone, PartialEq, Eq)]
pub struct Output {
    /// Its exit status.
    pub status: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
    /// Bytes that were sent to it.
    pub sent: u64,
    pub(crate) what: String,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output")
            .field("status", &self.status)
            .field("stderr", &self.stderr)
            .finish_non_exhaustive()
    }
}

impl Output {
    /// An error for any status but 0.
    pub fn success(self) -> Result<Self, RemoteError> {
        match self.status {
            0 => Ok(self),
            status => Err(RemoteError::CommandFailed { what: self.what, status, stderr: self.stderr }),
        }
    }

    /// Standard output as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}
