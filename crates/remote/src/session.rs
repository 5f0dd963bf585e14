//! One process of `ssh` from its start to its end.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStdin, Command};

use crate::job::OnLine;
use crate::{Input, Job, Output, RemoteError, Stream};

/// Bytes of each stream that are kept; a command that says more is cut, not refused.
pub(crate) const KEPT: usize = 64 << 20;

pub(crate) async fn run(mut command: Command, job: Job) -> Result<Output, RemoteError> {
    let Job { what, input, sent, limit, on_line, .. } = job;
    let stdin = if matches!(input, Input::Nothing) { Stdio::null() } else { Stdio::piped() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(RemoteError::Start)?;
    let write = feed(child.stdin.take(), input, sent.clone());
    let out = collect(child.stdout.take(), Stream::Out, on_line.clone());
    let err = collect(child.stderr.take(), Stream::Err, on_line);
    let all = async {
        let (fed, stdout, stderr) = tokio::join!(write, out, err);
        (fed, stdout, stderr, child.wait().await)
    };
    let Ok((fed, stdout, stderr, status)) = tokio::time::timeout(limit, all).await else {
        return Err(RemoteError::Deadline { what, limit });
    };
    fed?;
    let status = status.map_err(RemoteError::Start)?.code().unwrap_or(255);
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    Ok(Output { status, stdout, stderr, sent: sent.load(Ordering::Relaxed), what })
}

/// Writes the input. A command that stops reading says why by its status.
async fn feed(stdin: Option<ChildStdin>, input: Input, sent: Arc<AtomicU64>) -> Result<(), RemoteError> {
    let Some(mut stdin) = stdin else { return Ok(()) };
    match input {
        Input::Nothing => {}
        Input::Bytes(bytes) => {
            for chunk in bytes.chunks(64 << 10) {
                if stdin.write_all(chunk).await.is_err() {
                    return Ok(());
                }
                sent.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            }
        }
        Input::Reader(mut reader) => {
            let mut buffer = vec![0; 64 << 10];
            loop {
                let count = reader.read(&mut buffer).await.map_err(RemoteError::Input)?;
                let Some(chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else { break };
                if stdin.write_all(chunk).await.is_err() {
                    return Ok(());
                }
                sent.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            }
        }
    }
    drop(stdin.shutdown().await);
    Ok(())
}

async fn collect(reader: Option<impl AsyncRead + Unpin>, stream: Stream, on_line: Option<OnLine>) -> Vec<u8> {
    let Some(mut reader) = reader else { return Vec::new() };
    let (mut kept, mut open) = (Vec::new(), Vec::new());
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count @ 1..) = reader.read(&mut buffer).await {
        let chunk = buffer.get(..count).unwrap_or_default();
        let room = KEPT.saturating_sub(kept.len()).min(chunk.len());
        kept.extend_from_slice(chunk.get(..room).unwrap_or_default());
        let Some(on_line) = &on_line else { continue };
        open.extend_from_slice(chunk);
        while let Some(end) = open.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = open.drain(..=end).collect();
            on_line(stream, String::from_utf8_lossy(&line).trim_end());
        }
    }
    if let Some(on_line) = on_line.filter(|_| !open.is_empty()) {
        on_line(stream, String::from_utf8_lossy(&open).trim_end());
    }
    kept
}
