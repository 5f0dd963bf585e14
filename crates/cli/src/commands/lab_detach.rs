//! `plimsoll lab up --detach`: the lab in the background, once it answers.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use plimsoll_lab::control::{self, Ask};

use super::lab::failure;
use super::lab_up::DESCRIPTION;
use crate::failure::Failure;
use crate::ui::Ui;

/// What the lab says, while it runs.
pub(super) const LOG: &str = "lab.log";

/// Longest wait for a lab to answer. Nothing is downloaded at a start.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts this program again without `--detach`, and shows what it said once it answers.
#[expect(
    clippy::disallowed_methods,
    reason = "the lab's process is this program, and what it says is in a file of its directory"
)]
pub(super) fn run(ui: &Ui, directory: &Path, socket: &Path) -> Result<(), Failure> {
    let cannot = |error: std::io::Error| failure("cannot start the lab", error);
    if control::ask(socket, &Ask::Status).is_ok() {
        let error = std::io::Error::new(std::io::ErrorKind::AddrInUse, "a lab runs there already");
        return Err(cannot(error).hint("stop the one that runs with `plimsoll lab down`"));
    }
    std::fs::create_dir_all(directory).map_err(cannot)?;
    let said = directory.join(LOG);
    let _ = std::fs::remove_file(&said);
    // The password is in it.
    let log = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&said).map_err(cannot)?;
    let errors = log.try_clone().map_err(cannot)?;
    let program = std::env::current_exe().map_err(cannot)?;
    let mut lab = Command::new(program)
        .args(std::env::args_os().skip(1).filter(|arg| arg != "--detach"))
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        // Ctrl-C in this terminal is for others.
        .process_group(0)
        .spawn()
        .map_err(cannot)?;
    let ready = answers(&mut lab, directory, socket);
    let text = std::fs::read_to_string(&said).unwrap_or_default();
    if ready {
        return ui.print(&text);
    }
    // One that does not answer in time is of no use.
    let _ = lab.kill();
    let _ = lab.wait();
    Err(cannot(std::io::Error::other(text.trim_end().trim_start_matches("error: ").to_owned())))
}

fn answers(lab: &mut Child, directory: &Path, socket: &Path) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE && matches!(lab.try_wait(), Ok(None)) {
        if directory.join(DESCRIPTION).exists() && control::ask(socket, &Ask::Status).is_ok() {
            // It says what it is right after it has noted it.
            std::thread::sleep(Duration::from_millis(50));
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}
