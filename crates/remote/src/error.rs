//! Why a command on a guest gave nothing.

use std::io;
use std::time::Duration;

/// Why a command on a guest gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// There is no `ssh` here, or it cannot be started.
    #[error("cannot start `ssh`")]
    Start(#[source] io::Error),
    /// A directory or file for the connection cannot be made.
    #[error("cannot prepare the connection in `{path}`")]
    Prepare {
        /// The file or directory.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Nobody answers there.
    #[error("{destination} cannot be reached: {reason}")]
    Unreachable {
        /// The guest.
        destination: String,
        /// What OpenSSH says.
        reason: String,
    },
    /// The guest shows another host key than the pinned one. Nothing was sent.
    #[error("{destination} does not show the host key that is pinned ({pinned}){}", list(.shown))]
    HostKeyChanged {
        /// The guest.
        destination: String,
        /// The pinned fingerprint.
        pinned: String,
        /// The fingerprints that it shows, where they are known.
        shown: Vec<String>,
    },
    /// The guest refuses the login.
    #[error("{destination} refuses the login: {reason}")]
    AuthRefused {
        /// The guest.
        destination: String,
        /// What OpenSSH says.
        reason: String,
    },
    /// The command ran and failed.
    #[error("{what} failed with status {status}{}", tail(.stderr))]
    CommandFailed {
        /// What it was for.
        what: String,
        /// Its exit status.
        status: i32,
        /// The end of what it said.
        stderr: String,
    },
    /// The connection went away while the command ran; whether it came to its end is not known.
    #[error("the connection to {destination} was lost: {reason}")]
    ConnectionLost {
        /// The guest.
        destination: String,
        /// What OpenSSH says.
        reason: String,
    },
    /// The command took longer than it may.
    #[error("{what} took longer than {} s", .limit.as_secs())]
    Deadline {
        /// What it was for.
        what: String,
        /// The time it had.
        limit: Duration,
    },
    /// What is to be sent cannot be read.
    #[error("cannot read what is to be sent")]
    Input(#[source] io::Error),
}

fn list(fingerprints: &[String]) -> String {
    if fingerprints.is_empty() { String::new() } else { format!("; it shows {}", fingerprints.join(", ")) }
}

/// The last lines, short enough for a message.
fn tail(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let kept = lines.get(lines.len().saturating_sub(5)..).unwrap_or_default();
    if kept.is_empty() { String::new() } else { format!(": {}", kept.join("\n  ")) }
}

/// What OpenSSH means when a connection cannot be made.
pub(crate) fn refused(destination: &str, pinned: &str, stderr: &str) -> RemoteError {
    let reason = reason(stderr);
    let destination = destination.to_owned();
    let says = |texts: &[&str]| texts.iter().any(|text| stderr.contains(text));
    if says(&["Host key verification failed", "HOST IDENTIFICATION HAS CHANGED", "no matching host key type"])
    {
        RemoteError::HostKeyChanged { destination, pinned: pinned.to_owned(), shown: Vec::new() }
    } else if says(&["Permission denied", "Too many authentication failures", "UNPROTECTED PRIVATE KEY"]) {
        RemoteError::AuthRefused { destination, reason }
    } else {
        RemoteError::Unreachable { destination, reason }
    }
}

/// The last line of OpenSSH that says something.
pub(crate) fn reason(stderr: &str) -> String {
    let mut lines =
        stderr.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("debug"));
    lines.next_back().unwrap_or("ssh gave no reason").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_openssh_are_told_apart() {
        let of = |text: &str| refused("guest", "SHA256:x", text);
        let denied = of("root@guest: Permission denied (publickey).\r\n");
        assert!(matches!(denied, RemoteError::AuthRefused { .. }), "{denied}");
        let changed = of("@@@ WARNING\nHost key verification failed.\r\n");
        assert!(matches!(changed, RemoteError::HostKeyChanged { .. }), "{changed}");
        let closed = of("ssh: connect to host guest port 22: Connection refused\r\n");
        assert_eq!(
            closed.to_string(),
            "guest cannot be reached: ssh: connect to host guest port 22: Connection refused"
        );
    }
}
