//! Commands to a running lab, over a socket that only its owner can open: one line of JSON each way.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::faults::Rule;
use crate::lab::{Lab, Summary};

/// What can be asked of a running lab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Ask {
    /// What it is.
    Status,
    /// The same as JSON.
    Describe,
    /// Stop.
    Down,
    /// Throw everything away and begin anew.
    Reset,
    /// Tasks with their logs.
    Logs,
    /// The faults that are set.
    Faults,
    /// Set a fault.
    AddFault {
        /// The fault.
        rule: Rule,
    },
    /// Take a fault away.
    RemoveFault {
        /// Its number.
        number: u32,
    },
    /// Take all faults away.
    ClearFaults,
    /// Do what a line of `pveum` says.
    Pveum {
        /// Its words.
        words: Vec<String>,
    },
    /// Move time on.
    Advance {
        /// By how many seconds.
        seconds: u64,
    },
}

/// Why a running lab cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nothing listens.
    #[error("no lab answers at {path}")]
    Absent {
        /// The socket.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The answer makes no sense.
    #[error("the lab gave an answer that cannot be read")]
    Unreadable(#[from] serde_json::Error),
}

/// Listens for commands. What a killed lab left is taken away; a lab that lives is not disturbed.
///
/// The thread ends with the process; `down` is told when a command says so.
pub fn listen(path: &Path, lab: Arc<Lab>, down: Sender<()>) -> std::io::Result<()> {
    if UnixStream::connect(path).is_ok() {
        return Err(std::io::Error::new(std::io::ErrorKind::AddrInUse, "a lab runs there already"));
    }
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A caller that hangs up has nothing more to hear.
            let _ = serve(&stream, &lab, &down);
        }
    });
    Ok(())
}

fn serve(stream: &UnixStream, lab: &Lab, down: &Sender<()>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    let answer = match serde_json::from_str::<Ask>(&line) {
        Ok(ask) => obey(lab, ask, down),
        Err(error) => format!("error: {error}\n"),
    };
    let mut stream = stream;
    stream.write_all(answer.as_bytes())
}

fn obey(lab: &Lab, ask: Ask, down: &Sender<()>) -> String {
    match ask {
        Ask::Status => status(lab),
        Ask::Describe => describe(lab),
        Ask::Down => {
            let _ = down.send(());
            "the lab stops\n".to_owned()
        }
        Ask::Reset => {
            lab.reset();
            "the lab is as it was at its start; guests, users and tokens but its own are gone\n".to_owned()
        }
        Ask::Logs => logs(lab),
        Ask::Faults => {
            let lines: Vec<String> = lab
                .faults()
                .iter()
                .map(|(number, rule)| {
                    format!("{number}  {}\n", serde_json::to_string(rule).unwrap_or_default())
                })
                .collect();
            if lines.is_empty() { "no faults are set\n".to_owned() } else { lines.concat() }
        }
        Ask::AddFault { rule } => format!("fault {} is set\n", lab.add_fault(rule)),
        Ask::RemoveFault { number } if lab.remove_fault(number) => format!("fault {number} is gone\n"),
        Ask::RemoveFault { number } => format!("there is no fault {number}\n"),
        Ask::ClearFaults => {
            lab.clear_faults();
            "all faults are gone\n".to_owned()
        }
        Ask::Pveum { words } => lab.pveum(&words).unwrap_or_else(|error| format!("error: {error}\n")),
        Ask::Advance { seconds } => {
            lab.advance(Duration::from_secs(seconds));
            format!("time moved on by {seconds} s\n")
        }
    }
}

fn status(lab: &Lab) -> String {
    let summary = lab.summary();
    let mut out = format!(
        "Proxmox VE {} (lab), nodes {}, {}\n",
        summary.release,
        summary.nodes.join(", "),
        summary.made_of()
    );
    for (vmid, kind, name, running) in &summary.guests {
        let at = published(&summary, *vmid).map(|at| format!("  SSH at {at}")).unwrap_or_default();
        out.push_str(&format!(
            "{vmid:>7}  {kind:<4}  {:<7}  {name}{at}\n",
            if *running { "running" } else { "stopped" }
        ));
    }
    out.push_str(&format!(
        "{} guests, {} tasks, {} faults\n",
        summary.guests.len(),
        summary.tasks,
        summary.faults
    ));
    out
}

fn published(summary: &Summary, vmid: u32) -> Option<&str> {
    summary.published.iter().find_map(|(of, at)| (*of == vmid).then_some(at.as_str()))
}

fn describe(lab: &Lab) -> String {
    let summary = lab.summary();
    let guests = summary.guests.iter().map(|(vmid, kind, name, running)| {
        let mut guest = serde_json::json!({ "vmid": vmid, "type": kind, "name": name, "running": running });
        if let (Some(at), Some(map)) = (published(&summary, *vmid), guest.as_object_mut()) {
            map.insert("ssh".to_owned(), at.into());
        }
        guest
    });
    let value = serde_json::json!({
        "release": summary.release, "nodes": summary.nodes, "backend": summary.backend, "vms": summary.vms, "limits": summary.limits,
        "guests": guests.collect::<Vec<_>>(), "tasks": summary.tasks, "faults": summary.faults,
    });
    format!("{value}\n")
}

fn logs(lab: &Lab) -> String {
    let mut out = String::new();
    for (upid, exit, lines) in lab.logs() {
        out.push_str(&format!("{upid} {}\n", exit.as_deref().unwrap_or("running")));
        out.extend(lines.iter().map(|line| format!("    {line}\n")));
    }
    if out.is_empty() { "no task has run\n".to_owned() } else { out }
}

/// Asks a running lab.
pub fn ask(path: &Path, ask: &Ask) -> Result<String, AskError> {
    let absent = |source| AskError::Absent { path: path.display().to_string(), source };
    let mut stream = UnixStream::connect(path).map_err(absent)?;
    let mut line = serde_json::to_string(ask)?;
    line.push('\n');
    stream.write_all(line.as_bytes()).map_err(absent)?;
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).map_err(absent)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    #[test]
    fn a_lab_is_asked_over_its_socket_and_a_stale_one_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lab.sock");
        std::fs::File::create(&path).unwrap();
        let (down, stopped) = std::sync::mpsc::channel();
        let lab = Arc::new(Lab::new(Options::default()));
        listen(&path, lab.clone(), down.clone()).unwrap();
        assert!(
            ask(&path, &Ask::Status)
                .unwrap()
                .starts_with("Proxmox VE 9.2.3 (lab), nodes pve1, simulated guests")
        );
        let rule: Rule = serde_json::from_str(r#"{"fault":"no-quorum"}"#).unwrap();
        assert_eq!(ask(&path, &Ask::AddFault { rule }).unwrap(), "fault 1 is set\n");
        assert_eq!(lab.faults().len(), 1);
        assert!(listen(&path, lab, down).is_err(), "a lab that lives is not disturbed");
        ask(&path, &Ask::Down).unwrap();
        stopped.recv().unwrap();
    }
}
