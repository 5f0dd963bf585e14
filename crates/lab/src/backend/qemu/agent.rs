//! The guest agent of a running virtual machine, over its serial line (QEMU's `qemu-ga-ref`).

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::socket::Lines;
use crate::backend::GuestAgent;

/// A line that one asker at a time has.
#[derive(Debug)]
pub(super) struct Agent {
    socket: PathBuf,
    turn: Mutex<u64>,
}

/// How long an agent may take to answer at all. A node waits 3 seconds; these machines are emulated.
const GREETING: Duration = Duration::from_secs(10);
/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(60);

impl Agent {
    pub(super) fn new(socket: PathBuf) -> Arc<Self> {
        Arc::new(Self { socket, turn: Mutex::default() })
    }

    /// Whether it answers within a time.
    pub(super) fn answers(&self, within: Duration) -> bool {
        self.converse(within, "guest-ping", &json!({}), true).is_ok()
    }

    /// Waits until it answers.
    pub(super) fn wait(&self, patience: Duration) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < patience {
            if self.answers(Duration::from_secs(5)) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        false
    }

    /// Tells it something that it does not answer.
    pub(super) fn tell(&self, command: &str, arguments: &Value) -> Result<(), String> {
        self.converse(GREETING, command, arguments, false).map(drop)
    }

    fn converse(
        &self,
        greeting: Duration,
        command: &str,
        arguments: &Value,
        answered: bool,
    ) -> Result<Value, String> {
        const SILENT: &str = "QEMU guest agent is not running";
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        *turn += 1;
        let number = *turn;
        let silent = |_: std::io::Error| SILENT.to_owned();
        let mut lines = Lines::open(&self.socket, greeting).map_err(silent)?;
        let sync = json!({ "execute": "guest-sync-delimited", "arguments": { "id": number } });
        // The byte ends whatever half of a command somebody left.
        lines.say(b"\xFF", &sync).map_err(silent)?;
        while lines.hear().map_err(silent)?.get("return") != Some(&json!(number)) {}
        lines.extend(PATIENCE);
        lines.say(b"", &json!({ "execute": command, "arguments": arguments })).map_err(silent)?;
        if !answered {
            return Ok(Value::Null);
        }
        let timeout = |_| format!("VM qga command '{command}' failed - got timeout");
        let mut heard = lines.hear().map_err(timeout)?;
        if let Some(value) = heard.get_mut("return") {
            return Ok(value.take());
        }
        let text = heard.pointer("/error/desc").and_then(Value::as_str).unwrap_or("it said nothing");
        Err(format!("Agent error: {text}"))
    }
}

impl GuestAgent for Agent {
    fn ask(&self, command: &str, arguments: Value) -> Result<Value, String> {
        self.converse(GREETING, command, &arguments, true)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn an_agent_is_greeted_first_and_stale_answers_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent");
        let listener = UnixListener::bind(&path).unwrap();
        let inside = std::thread::spawn(move || {
            for _ in 0..2 {
                let (stream, _) = listener.accept().unwrap();
                let mut out = stream.try_clone().unwrap();
                out.write_all(b"{\"return\": {\"of\": \"before\"}}\n").unwrap();
                for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                    let line: Vec<u8> = line.into_iter().filter(|byte| *byte != 0xFF).collect();
                    let asked: Value = serde_json::from_slice(&line).unwrap();
                    let answer = match asked["execute"].as_str().unwrap() {
                        "guest-sync-delimited" => json!({ "return": asked["arguments"]["id"] }),
                        "guest-ping" => json!({ "return": {} }),
                        _ => json!({ "error": { "class": "GenericError", "desc": "no such thing" } }),
                    };
                    out.write_all(format!("{answer}\n").as_bytes()).unwrap();
                }
            }
        });
        let agent = Agent::new(path);
        assert_eq!(agent.ask("guest-ping", json!({})), Ok(json!({})));
        assert_eq!(agent.ask("guest-else", json!({})), Err("Agent error: no such thing".to_owned()));
        inside.join().unwrap();
        let gone = agent.ask("guest-ping", json!({}));
        assert_eq!(gone, Err("QEMU guest agent is not running".to_owned()));
    }
}
