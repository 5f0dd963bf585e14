//! A shell on the guest that stays for as long as its client: one channel for many commands.
//!
//! What it can do is a program that the guest may keep under its digest, so that it is sent only once.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::{Mutex, Notify};

use crate::error::reason;
use crate::job::OnLine;
use crate::quote::line;
use crate::session::KEPT;
use crate::{Input, Job, OpenSsh, Output, RemoteError, Stream};

/// How often a client says that it is still there. The shell is gone half a minute after the last word.
const BEAT: Duration = Duration::from_secs(5);

/// Bytes of input that go in one piece: each costs the guest a few processes.
const PIECE: usize = 1 << 20;

/// The end of every program: it takes requests.
const LOOP: &str = include_str!("scripts/shell.sh");

/// Functions for a POSIX shell, as guests get and keep them.
#[derive(Clone, Debug)]
pub struct Program {
    /// SHA-256 of its text in hexadecimal digits: the name of the file.
    pub digest: String,
    /// Its text, compressed by gzip.
    pub packed: Vec<u8>,
}

impl Program {
    /// A program of these functions; `gone` among them is called when the client is. Lines that are comments stay here. `pack`
    /// compresses by gzip.
    pub fn new(functions: &str, pack: impl FnOnce(&[u8]) -> Vec<u8>) -> Self {
        let lines = functions.lines().chain(LOOP.lines());
        let lines = lines.filter(|line| !line.trim_start().starts_with('#'));
        let text = lines.map(|line| format!("{line}\n")).collect::<String>();
        let digest = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { digest, packed: pack(text.as_bytes()) }
    }
}

/// How a request runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// In the shell itself: what it opens stays open.
    Here,
    /// In a process of its own that comes to its end even when the client does not.
    Apart,
}

/// A request: a function of the program with its arguments. Secrets never stand in them: they go by the input.
pub struct Call {
    pub(crate) job: Job,
    pub(crate) how: How,
}

impl Call {
    /// Calls the function that stands first among the arguments of a job. Its script is the program's.
    #[must_use]
    pub fn new(job: Job, how: How) -> Self {
        Self { job, how }
    }
}

/// A shell on a guest.
#[derive(Debug)]
pub struct Shell {
    destination: String,
    stdin: Arc<Mutex<Option<ChildStdin>>>,
    rest: Mutex<Rest>,
    beat: tokio::task::JoinHandle<()>,
    /// Whether the guest had not kept the program.
    pub was_sent: bool,
    stays: AtomicBool,
}

#[derive(Debug)]
struct Rest {
    child: Child,
    out: Answers<ChildStdout>,
    err: ChildStderr,
}

impl OpenSsh {
    /// Opens a shell as root for a program that stands in a directory of the guest once it was kept there. `arguments` are
    /// `$1` and so on in the program; `mark` is a word that no command prints.
    pub async fn shell(
        &self,
        program: &Program,
        directory: &str,
        mark: &str,
        arguments: &[&str],
    ) -> Result<Shell, RemoteError> {
        let length = program.packed.len().to_string();
        let job = Job::new("a shell on the guest", include_str!("scripts/boot.sh"))
            .args([mark, directory, &program.digest, &length])
            .args(arguments.iter().copied())
            .as_root();
        let mut command = self.command_for(&job);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(RemoteError::Start)?;
        let (Some(stdin), Some(out), Some(err)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(RemoteError::Start(std::io::Error::other("it has no streams")));
        };
        let stdin = Arc::new(Mutex::new(Some(stdin)));
        let beat = tokio::spawn(beat(Arc::clone(&stdin)));
        let out = Answers::new(out, mark);
        let mut shell = Shell {
            destination: self.destination().to_string(),
            stdin,
            rest: Mutex::new(Rest { child, out, err }),
            beat,
            was_sent: false,
            stays: AtomicBool::new(false),
        };
        let rest = shell.rest.get_mut();
        let first = tokio::time::timeout(Duration::from_secs(60), rest.out.line()).await;
        match first.ok().flatten().as_deref() {
            Some(b"@kept\n") => {}
            Some(b"@send\n") => {
                shell.was_sent = true;
                let mut stdin = shell.stdin.lock().await;
                let sent = match stdin.as_mut() {
                    Some(stdin) => stdin.write_all(&program.packed).await.is_ok(),
                    None => false,
                };
                drop(stdin);
                if !sent {
                    return Err(shell.ended("a shell on the guest").await);
                }
            }
            _ => return Err(shell.ended("a shell on the guest").await),
        }
        Ok(shell)
    }
}

/// Says now and then that the client is there.
async fn beat(stdin: Arc<Mutex<Option<ChildStdin>>>) {
    loop {
        tokio::time::sleep(BEAT).await;
        let mut stdin = stdin.lock().await;
        let Some(stdin) = stdin.as_mut() else { return };
        if stdin.write_all(b".\n").await.is_err() {
            return;
        }
    }
}

impl Shell {
    /// Runs a request to its end and gives whatever status it ends with.
    pub async fn call(&self, call: Call) -> Result<Output, RemoteError> {
        let Call { job, how } = call;
        let Job { what, arguments, input, sent, limit, on_line, .. } = job;
        let words = line(arguments.iter().map(String::as_str));
        let how = match (&input, how) {
            (Input::Nothing, How::Here) => "here",
            (Input::Nothing, How::Apart) => "apart",
            _ => "input",
        };
        let head = format!("{} {how}\n{words}", words.len());
        let mut rest = self.rest.lock().await;
        let ended = Notify::new();
        let out = &mut rest.out;
        let all = async {
            let out = async {
                let answer = out.until(on_line.as_ref()).await;
                ended.notify_one();
                answer
            };
            tokio::join!(self.write(head.as_bytes(), input, &sent, &ended), out)
        };
        let Ok((fed, out)) = tokio::time::timeout(limit, all).await else {
            // What comes next would be the answer to this.
            self.stdin.lock().await.take();
            return Err(RemoteError::Deadline { what, limit });
        };
        let Some((stdout, status)) = out else {
            drop(rest);
            return Err(self.ended(&what).await);
        };
        fed?;
        // Both streams of the guest come as one.
        let stderr = if status == 0 { String::new() } else { String::from_utf8_lossy(&stdout).into_owned() };
        Ok(Output { status, stdout, stderr, sent: sent.load(Ordering::Relaxed), what })
    }

    /// Ends the shell without waiting: what it does it brings to an end, also when this process does not stay. A request
    /// may be made whose end nobody waits for.
    pub async fn leave(&self, job: Option<Job>) {
        let mut stdin = self.stdin.lock().await;
        if let Some(mut stdin) = stdin.take() {
            if let Some(job) = job {
                let words = line(job.arguments.iter().map(String::as_str));
                drop(stdin.write_all(format!("{} away\n{words}", words.len()).as_bytes()).await);
            }
            drop(stdin.shutdown().await);
        }
        self.stays.store(true, Ordering::Relaxed);
    }

    /// Ends the shell and waits for its end.
    pub async fn close(&self) {
        if let Some(mut stdin) = self.stdin.lock().await.take() {
            drop(stdin.shutdown().await);
        }
        let mut rest = self.rest.lock().await;
        drop(tokio::time::timeout(BEAT, rest.child.wait()).await);
    }

    /// Writes a request and its input, or as much of that as is wanted.
    async fn write(
        &self,
        head: &[u8],
        input: Input,
        sent: &AtomicU64,
        ended: &Notify,
    ) -> Result<(), RemoteError> {
        // Whoever does not read any more says why by its status.
        let put = async |parts: [&[u8]; 2]| {
            let mut stdin = self.stdin.lock().await;
            let Some(stdin) = stdin.as_mut() else { return false };
            for part in parts {
                if stdin.write_all(part).await.is_err() {
                    return false;
                }
            }
            true
        };
        if !put([head, b""]).await {
            return Ok(());
        }
        let mut reader = match input {
            Input::Nothing => return Ok(()),
            Input::Bytes(bytes) => Box::pin(std::io::Cursor::new(bytes)),
            Input::Reader(reader) => reader,
        };
        let mut piece = vec![0; PIECE];
        loop {
            let length = tokio::select! {
                length = fill(&mut reader, &mut piece) => length.map_err(RemoteError::Input)?,
                () = ended.notified() => 0,
            };
            let end = if length < PIECE { "end" } else { "more" };
            let bytes = piece.get(..length).unwrap_or_default();
            if !put([format!("{length} {end}\n").as_bytes(), bytes]).await {
                return Ok(());
            }
            sent.fetch_add(length as u64, Ordering::Relaxed);
            if length < PIECE {
                return Ok(());
            }
        }
    }

    /// Why there is no answer.
    async fn ended(&self, what: &str) -> RemoteError {
        self.stdin.lock().await.take();
        let mut rest = self.rest.lock().await;
        let mut said = std::mem::take(&mut rest.out.open);
        let mut stderr = (&mut rest.err).take(KEPT as u64);
        drop(tokio::time::timeout(Duration::from_secs(2), stderr.read_to_end(&mut said)).await);
        let stderr = String::from_utf8_lossy(&said).into_owned();
        let ended = tokio::time::timeout(Duration::from_secs(2), rest.child.wait()).await;
        match ended.ok().and_then(Result::ok).and_then(|status| status.code()) {
            Some(status) if status != 255 => {
                RemoteError::CommandFailed { what: what.to_owned(), status, stderr }
            }
            _ => {
                RemoteError::ConnectionLost { destination: self.destination.clone(), reason: reason(&stderr) }
            }
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.beat.abort();
        if !self.stays.load(Ordering::Relaxed) {
            drop(self.rest.get_mut().child.start_kill());
        }
    }
}

/// Reads until the piece is full or nothing is left.
async fn fill(reader: &mut (impl AsyncRead + Unpin), piece: &mut [u8]) -> std::io::Result<usize> {
    let mut length = 0;
    while let Some(room) = piece.get_mut(length..).filter(|room| !room.is_empty()) {
        match reader.read(room).await? {
            0 => break,
            count => length += count,
        }
    }
    Ok(length)
}

/// What a stream of the shell says, request by request.
#[derive(Debug)]
struct Answers<R> {
    reader: R,
    mark: Vec<u8>,
    open: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Answers<R> {
    fn new(reader: R, mark: &str) -> Self {
        Self { reader, mark: format!("{mark} ").into_bytes(), open: Vec::new() }
    }

    /// The next line with its end; nothing once the stream is over.
    async fn line(&mut self) -> Option<Vec<u8>> {
        let mut searched = 0;
        loop {
            let found = self.open.iter().skip(searched).position(|byte| *byte == b'\n');
            if let Some(end) = found {
                return Some(self.open.drain(..=searched + end).collect());
            }
            searched = self.open.len();
            let mut buffer = [0; 16 << 10];
            match self.reader.read(&mut buffer).await {
                Ok(count @ 1..) => self.open.extend_from_slice(buffer.get(..count).unwrap_or_default()),
                _ => return None,
            }
        }
    }

    /// What was said until the mark, and the status beside it; nothing once the stream is over.
    async fn until(&mut self, on_line: Option<&OnLine>) -> Option<(Vec<u8>, i32)> {
        let (mut kept, mut held) = (Vec::new(), false);
        let tell = |line: &[u8]| {
            if let Some(on_line) = on_line {
                on_line(Stream::Out, String::from_utf8_lossy(line).trim_end());
            }
        };
        loop {
            let Some(line) = self.line().await else {
                // It says why.
                kept.append(&mut self.open);
                self.open = kept;
                return None;
            };
            if let Some(status) = line.strip_prefix(self.mark.as_slice()) {
                // The mark begins a line of its own whatever was said before it.
                kept.pop();
                return Some((kept, String::from_utf8_lossy(status).trim().parse().ok()?));
            }
            if std::mem::replace(&mut held, line == b"\n") {
                tell(b"");
            }
            if !held {
                tell(&line);
            }
            let room = KEPT.saturating_sub(kept.len()).min(line.len());
            kept.extend_from_slice(line.get(..room).unwrap_or_default());
        }
    }
}
