//! Lines of JSON over a socket, as QEMU and its agent speak.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

/// A conversation that ends at a time.
pub(super) struct Lines {
    stream: UnixStream,
    rest: Vec<u8>,
    until: Instant,
}

/// More than any answer: the agent reads files of at most 16 MiB, in base64.
const MOST: usize = 64 << 20;

impl Lines {
    pub(super) fn open(path: &Path, patience: Duration) -> std::io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        Ok(Self { stream, rest: Vec::new(), until: Instant::now() + patience })
    }

    /// Sends a value, after bytes that end whatever was said before.
    pub(super) fn say(&mut self, before: &[u8], value: &Value) -> std::io::Result<()> {
        let mut bytes = before.to_vec();
        bytes.extend_from_slice(value.to_string().as_bytes());
        bytes.push(b'\n');
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write_all(&bytes)
    }

    /// The next line that is a value. Others are passed over: the agent's answers to somebody who did not wait for them.
    pub(super) fn hear(&mut self) -> std::io::Result<Value> {
        loop {
            while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).filter(|byte| *byte != 0xFF).collect();
                if let Ok(value) = serde_json::from_slice(&line) {
                    return Ok(value);
                }
            }
            if self.rest.len() > MOST {
                return Err(std::io::Error::other("an answer without an end"));
            }
            self.stream.set_read_timeout(Some(self.left()?))?;
            let mut part = [0; 16 << 10];
            let count = self.stream.read(&mut part)?;
            let read = part.get(..count).unwrap_or_default();
            if read.is_empty() {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            self.rest.extend_from_slice(read);
        }
    }

    /// Lets the conversation go on for so long from now.
    pub(super) fn extend(&mut self, patience: Duration) {
        self.until = Instant::now() + patience;
    }

    fn left(&self) -> std::io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(std::io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_found_among_noise_and_silence_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let mut lines = Lines::open(&path, Duration::from_millis(300)).unwrap();
        let (mut other, _) = listener.accept().unwrap();
        lines.say(b"\xFF", &json!({"a": 1})).unwrap();
        let mut heard = [0; 9];
        other.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"\xFF{\"a\":1}\n");
        other.write_all(b"half a li\n\xFF{\"return\":").unwrap();
        other.write_all(b"7}\n").unwrap();
        assert_eq!(lines.hear().unwrap(), json!({"return": 7}));
        let silent = lines.hear().unwrap_err().kind();
        assert!(
            matches!(silent, std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
            "{silent:?}"
        );
        drop(other);
        let mut lines = Lines::open(&path, Duration::from_millis(300)).unwrap();
        drop(listener.accept().unwrap());
        assert_eq!(lines.hear().unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
    }
}
