//! `plimsoll secret edit`

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use camino::Utf8Path;
use plimsoll_secrets::{ExposeSecret as _, Store};

use super::EditArgs;
use super::dotenv::{lines, read};
use super::file::{SecretFile, refused};
use crate::commands::target::variable;
use crate::failure::{Failure, FailureKind};
use crate::ui::Ui;

pub(super) fn run(ui: &Ui, args: &EditArgs) -> Result<(), Failure> {
    let mut file = SecretFile::of(&args.place.directory)?;
    let before = file.open()?;
    let editor = ["VISUAL", "EDITOR"].into_iter().find_map(variable).unwrap_or_else(|| "vi".to_owned());
    let room = Room::make().map_err(|source| FailureKind::Write { path: "/dev/shm".into(), source })?;
    let text =
        format!("# One NAME='value' a line. Nothing is stored when nothing changes.\n{}", lines(&before));
    room.write(&text).map_err(|source| FailureKind::Write { path: "/dev/shm".into(), source })?;
    let edited = loop {
        let text = room.edit(&editor)?;
        match read(Utf8Path::new("secrets.env"), &text) {
            Ok(values) => break values,
            Err(failure) if !std::io::IsTerminal::is_terminal(&std::io::stdin()) => return Err(failure),
            Err(failure) => {
                ui.failure(&failure);
                ui.status("press Enter to go back to the editor, or Ctrl-C to leave all as it was");
                let mut line = String::new();
                drop(std::io::stdin().read_line(&mut line));
            }
        }
    };
    drop(room);
    // What is on its way to a server stays so.
    let mut after = before.clone();
    for name in before.names() {
        after.remove(name);
    }
    for (name, value) in edited {
        after.set(&name, value).map_err(|error| refused(error.to_string()))?;
    }
    let value = |store: &Store, name: &str| store.get(name).map(|value| value.expose_secret().to_owned());
    let names: std::collections::BTreeSet<&str> = before.names().chain(after.names()).collect();
    let changed: Vec<&str> =
        names.into_iter().filter(|name| value(&before, name) != value(&after, name)).collect();
    if changed.is_empty() {
        return ui.print("nothing changed\n");
    }
    file.save(ui, &after)?;
    ui.print(&format!("changed {} in {}\n", changed.join(", "), file.path()))
}

/// A directory in memory that only its owner can enter, gone when the command ends. What a killed command left is
/// taken away by the next one.
struct Room(PathBuf);

impl Room {
    fn make() -> std::io::Result<Self> {
        let base = variable("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_dir());
        let base = base.unwrap_or_else(|| PathBuf::from("/dev/shm"));
        let user = variable("USER").unwrap_or_default().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let folder = base.join(format!("plimsoll-edit-{user}"));
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Self(folder))
    }

    fn path(&self) -> PathBuf {
        self.0.join("secrets.env")
    }

    fn write(&self, text: &str) -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(self.path())?;
        file.write_all(text.as_bytes())
    }

    /// What the editor left.
    #[expect(clippy::disallowed_methods, reason = "the user's editor is the point of this command")]
    fn edit(&self, editor: &str) -> Result<String, Failure> {
        let path = self.path();
        // An editor may be given with arguments, as git allows it.
        let script = format!("exec {editor} \"$1\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh"]).arg(&path).stdin(Stdio::inherit());
        let child = command.spawn();
        let status = child
            .and_then(|mut child| ignoring_interrupts(|| child.wait()))
            .map_err(|error| refused(format!("the editor `{editor}` does not start: {error}")))?;
        if !status.success() {
            return Err(refused(format!("the editor `{editor}` failed; nothing was stored"))
                .hint("name another one in the variable `EDITOR`"));
        }
        read_back(&path)
    }
}

/// Ctrl-C belongs to the editor while it runs: this process must live to take the file away.
fn ignoring_interrupts<T>(wait: impl FnOnce() -> T) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let Ok(runtime) = runtime else { return wait() };
    // From its first call on, the signal no longer ends the process.
    runtime.spawn(async {
        loop {
            if tokio::signal::ctrl_c().await.is_err() {
                break;
            }
        }
    });
    let result = wait();
    runtime.shutdown_background();
    result
}

#[expect(clippy::disallowed_methods, reason = "the command line is the place that reads files")]
fn read_back(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|source| {
        FailureKind::Read { path: path.to_string_lossy().into_owned().into(), source }.into()
    })
}

impl Drop for Room {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}
