//! The script that grows a file system, on a disk of this machine: a file with a partition, through the kernel.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::prepare::GROW;

/// Takes the disk away again.
struct Disk {
    device: String,
    folder: tempfile::TempDir,
}

impl Drop for Disk {
    fn drop(&mut self) {
        let at = self.folder.path().join("at");
        drop(run("umount", &[&at.display().to_string()]));
        drop(run("partx", &["-d", &self.device]));
        drop(run("losetup", &["-d", &self.device]));
    }
}

#[expect(clippy::disallowed_methods, reason = "a test prepares a disk")]
fn run(program: &str, args: &[&str]) -> Result<String, String> {
    let done = Command::new(program).args(args).output().map_err(|error| format!("{program}: {error}"))?;
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    if done.status.success() { Ok(said) } else { Err(format!("{program} {args:?}: {said}")) }
}

/// A mounted file system of a kind, on a partition of a disk that is bigger than it; why not, where this machine makes none.
#[expect(clippy::disallowed_methods, reason = "a test prepares a disk")]
fn disk(make: &[&str]) -> Result<Disk, String> {
    let folder = tempfile::tempdir_in("/var/tmp").map_err(|error| error.to_string())?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (file, at) = (path("disk"), path("at"));
    run("truncate", &["-s", "500M", &file])?;
    let mut sfdisk = Command::new("sfdisk")
        .args(["-q", &file])
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| format!("sfdisk: {error}"))?;
    let layout = "start=2048, size=800000, type=83\n";
    sfdisk.stdin.take().unwrap().write_all(layout.as_bytes()).map_err(|error| error.to_string())?;
    sfdisk.wait().map_err(|error| error.to_string())?;
    let device = run("losetup", &["-f", "--show", &file])?.trim().to_owned();
    let disk = Disk { device: device.clone(), folder };
    run("partx", &["-a", &device])?;
    let part = format!("{device}p1");
    run(make[0], &[&make[1..], &[part.as_str()]].concat())?;
    std::fs::create_dir(&at).map_err(|error| error.to_string())?;
    run("mount", &[&part, &at])?;
    std::fs::write(Path::new(&at).join("kept"), "data").map_err(|error| error.to_string())?;
    run("truncate", &["-s", "900M", &file])?;
    run("losetup", &["-c", &device])?;
    Ok(disk)
}

fn megabytes(at: &str) -> u64 {
    let said = run("df", &["-m", "--output=size", at]).unwrap();
    said.lines().last().unwrap().trim().parse().unwrap()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test reads what it wrote")]
fn a_mounted_file_system_grows_with_its_disk_and_keeps_what_is_in_it() {
    let mut tried = 0;
    for make in [&["mkfs.ext4", "-q"][..], &["mkfs.xfs", "-q"], &["mkfs.btrfs", "-q"]] {
        let disk = match disk(make) {
            Ok(disk) => disk,
            Err(why) => {
                println!("skipped: {why}");
                continue;
            }
        };
        let at = disk.folder.path().join("at").display().to_string();
        let before = megabytes(&at);
        let grow = || run("sh", &["-c", GROW, "sh", &at]);
        match grow() {
            Err(why) if why.contains("Permission denied to resize") => {
                println!("skipped: {}: this machine's root may not grow a mounted ext4", make[0]);
                continue;
            }
            done => println!("{}", done.unwrap()),
        }
        let after = megabytes(&at);
        assert!(before < 450 && after > 750, "{}: from {before} to {after} MB", make[0]);
        assert_eq!(std::fs::read_to_string(format!("{at}/kept")).unwrap(), "data");
        grow().unwrap();
        assert_eq!(megabytes(&at), after, "{}: a second time changes nothing", make[0]);
        tried += 1;
    }
    println!("{tried} kinds of file systems were grown");
}

#[test]
fn what_cannot_be_grown_says_so_and_is_left_alone() {
    let at = "/proc";
    let refused = run("sh", &["-c", &format!("{GROW}\n"), "sh", at]).unwrap_err();
    assert!(refused.contains("the file system at /proc is proc, which is not grown"), "{refused}");
}
