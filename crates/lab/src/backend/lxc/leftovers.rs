//! What labs leave on a machine: found by their label, and taken away once their lab is gone.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use super::machine::inside;
use crate::host::{HostError, Tool, file};

/// Writes a file that only root reads.
#[expect(clippy::disallowed_methods, reason = "files of guests are made here, not read for an evaluation")]
pub(in crate::backend) fn write(path: &Path, text: &str) -> Result<(), HostError> {
    std::fs::write(path, text).map_err(file(path))
}

/// Takes the lock of a lab's folder; a lab that lives holds it.
pub(in crate::backend) fn lock(folder: &Path) -> Result<File, HostError> {
    let path = folder.join("lock");
    let lock = File::create(&path).map_err(file(&path))?;
    lock.try_lock().map_err(|error| HostError::Other(format!("`{}` is held: {error}", path.display())))?;
    Ok(lock)
}

/// Takes away what killed labs left.
pub(super) fn sweep(data: &Path) {
    let labs = std::fs::read_dir(data).into_iter().flatten().flatten();
    for entry in labs {
        let name = entry.file_name().to_string_lossy().into_owned();
        let folder = entry.path();
        if !name.starts_with("plimsoll-") {
            continue;
        }
        if let Ok(_held) = lock(&folder) {
            clear(&folder, &name);
        }
    }
}

/// The card of the machine that a lab's network is reached by.
pub(super) fn cable(label: &str) -> String {
    label.replace("plimsoll-", "pl")
}

/// Stops what runs for a lab, and removes its control groups and files.
pub(super) fn clear(folder: &Path, label: &str) {
    let guests = folder.join("guests");
    if let Some(holder) =
        running(folder).into_iter().find(|(_, words)| words.first().is_some_and(|word| word == "tail"))
    {
        for guest in std::fs::read_dir(&guests).into_iter().flatten().flatten() {
            // A guest that does not run has nothing to stop.
            let _ = inside(holder.0, "lxc-stop")
                .arg("-P")
                .arg(&guests)
                .arg("-n")
                .arg(guest.file_name())
                .arg("-k")
                .run();
        }
    }
    for _ in 0..50 {
        let left = running(folder);
        if left.is_empty() {
            break;
        }
        for (pid, _) in left {
            for child in children(pid) {
                let _ = Tool::new("kill").args(["-KILL", &child.to_string()]).run();
            }
            let _ = Tool::new("kill").args(["-KILL", &pid.to_string()]).run();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    // It goes with the namespace that its other end is in, if nobody else holds that.
    let _ = Tool::new("ip").args(["link", "del", &cable(label)]).run();
    // Groups go once the last process in them is gone.
    for _ in 0..100 {
        if !groups(Path::new("/sys/fs/cgroup"), label, 0) {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = std::fs::remove_dir_all(folder);
}

/// Processes whose words name the lab's folder. The lab itself is none of them.
fn running(folder: &Path) -> Vec<(u32, Vec<String>)> {
    let folder = folder.to_string_lossy().into_owned();
    let own = std::process::id();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok());
    pids.filter(|pid| *pid != own)
        .filter_map(|pid| Some((pid, command_line(pid)?)))
        .filter(|(_, words)| {
            let tool = words.first().map(|word| word.rsplit('/').next().unwrap_or_default().to_owned());
            let ours = tool.is_some_and(|tool| {
                tool == "tail"
                    || tool == "slirp4netns"
                    || tool.starts_with("qemu-")
                    || tool.starts_with("lxc-")
                    || tool == "tar"
                    || tool == "cp"
            });
            ours && words.iter().any(|word| word.starts_with(&folder))
        })
        .collect()
}

/// The words that a process was started with.
#[expect(clippy::disallowed_methods, reason = "processes are described in files")]
pub(super) fn command_line(pid: u32) -> Option<Vec<String>> {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words = bytes.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    Some(words.collect())
}

#[expect(clippy::disallowed_methods, reason = "processes are described in files")]
fn children(pid: u32) -> Vec<u32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// Removes empty control groups of the lab. Answers whether some are left.
fn groups(folder: &Path, label: &str, depth: usize) -> bool {
    let mut left = false;
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let (name, path) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
        if name.contains(label) {
            remove_groups(&path);
            left |= path.exists();
        } else if depth == 0 {
            // Version 1 has a folder for each kind of control.
            left |= groups(&path, label, 1);
        }
    }
    left
}

fn remove_groups(path: &Path) {
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_groups(&entry.path());
        }
    }
    // One that is still in use is tried again.
    let _ = std::fs::remove_dir(path);
}

/// What the processes of a container use (memory.usage_in_bytes of version 1, memory.current of version 2).
#[expect(clippy::disallowed_methods, reason = "control groups are files")]
pub(super) fn memory(name: &str) -> Option<u64> {
    let old = format!("/sys/fs/cgroup/memory/lxc.payload.{name}/memory.usage_in_bytes");
    let new = format!("/sys/fs/cgroup/lxc.payload.{name}/memory.current");
    [old, new].iter().find_map(|path| std::fs::read_to_string(path).ok()?.trim().parse().ok())
}

/// Whether the machine has control groups of version 1.
pub(super) fn has_old_groups() -> bool {
    Path::new("/sys/fs/cgroup/memory/cgroup.procs").exists()
}

#[expect(clippy::disallowed_methods, reason = "what the kernel can do is in a file")]
pub(super) fn has_apparmor() -> bool {
    std::fs::read_to_string("/sys/module/apparmor/parameters/enabled").is_ok_and(|text| text.starts_with('Y'))
}
