//! What the machine lacks for guests that really boot, and the line that brings it.

use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::image::Image;
use super::run::HostError;

/// One thing that a backend needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What it is.
    pub what: String,
    /// Whether it is there.
    pub found: bool,
    /// What brings it; empty where it is there.
    pub enable: String,
}

/// What a backend needs and has, and what virtual machines beside the containers of `lxc` need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The backend: `lxc`, `docker`, `qemu` or `simulated`.
    pub backend: &'static str,
    /// Everything that it needs, in the order in which to bring it.
    pub checks: Vec<Check>,
}

impl Diagnosis {
    /// Whether nothing is missing.
    pub fn is_ready(&self) -> bool {
        self.checks.iter().all(|check| check.found)
    }

    /// Lines that bring what is missing, each once.
    pub fn enable(&self) -> Vec<&str> {
        let mut lines: Vec<&str> = Vec::new();
        for check in self.checks.iter().filter(|check| !check.found) {
            if !lines.contains(&check.enable.as_str()) {
                lines.push(&check.enable);
            }
        }
        lines
    }
}

/// Debian's packages with everything that the `lxc` backend runs.
pub const INSTALL: &str = "apt-get update && apt-get install -y --no-install-recommends \
                       lxc uidmap mmdebstrap zstd xz-utils iproute2 util-linux openssh-client slirp4netns";

const PROGRAMS: [&str; 12] = [
    "ip",
    "lxc-attach",
    "lxc-start",
    "lxc-stop",
    "lxc-usernsexec",
    "newuidmap",
    "nsenter",
    "ssh-keygen",
    "tar",
    "unshare",
    "zstd",
    "sysctl",
];

/// Bits of Linux capabilities (include/uapi/linux/capability.h).
const CAP_NET_ADMIN: u32 = 12;
const CAP_SYS_ADMIN: u32 = 21;

/// What each backend lacks here, as far as a look tells: [`super::examine`] tries it.
pub fn diagnose(cache: &Path) -> Vec<Diagnosis> {
    let status = read(Path::new("/proc/self/status"));
    let mut checks = vec![
        check("Linux", Path::new("/proc/self/ns/net").exists(), "run it on Linux"),
        check("root", is_root(&status), "run it as root, or with sudo"),
        check(
            "the right to make networks and mounts (CAP_NET_ADMIN, CAP_SYS_ADMIN)",
            has(&status, CAP_NET_ADMIN) && has(&status, CAP_SYS_ADMIN),
            "run it on the machine itself, or in a container with --privileged",
        ),
        check(
            "control groups at /sys/fs/cgroup",
            Path::new("/sys/fs/cgroup/cgroup.procs").exists()
                || Path::new("/sys/fs/cgroup/devices/cgroup.procs").exists(),
            "mount -t cgroup2 cgroup2 /sys/fs/cgroup",
        ),
    ];
    checks.push(check(
        "/dev/null",
        Path::new("/dev/null").metadata().is_ok_and(|found| found.file_type().is_char_device()),
        "rm /dev/null; mknod -m 666 /dev/null c 1 3",
    ));
    let programs =
        PROGRAMS.iter().map(|name| check(&format!("program {name}"), find(name).is_some(), INSTALL));
    checks.extend(programs);
    let image = Image::in_cache(cache);
    if !image.is_built() {
        checks.push(check("program mmdebstrap", find("mmdebstrap").is_some(), INSTALL));
    }
    checks.push(check("the guest image", image.is_built(), "plimsoll lab image build"));
    vec![
        Diagnosis { backend: "lxc", checks },
        Diagnosis { backend: "docker", checks: super::engine::checks(&image) },
        Diagnosis { backend: "qemu", checks: super::emulator::checks(cache) },
        Diagnosis { backend: "simulated", checks: Vec::new() },
    ]
}

pub(super) fn check(what: &str, found: bool, enable: &str) -> Check {
    let enable = if found { String::new() } else { enable.to_owned() };
    Check { what: what.to_owned(), found, enable }
}

#[expect(clippy::disallowed_methods, reason = "what the kernel says about this process is in a file")]
pub(super) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// The effective user, second of four (proc_pid_status(5)).
fn is_root(status: &str) -> bool {
    field(status, "Uid:").and_then(|ids| ids.split_whitespace().nth(1)) == Some("0")
}

fn has(status: &str, capability: u32) -> bool {
    let bits = field(status, "CapEff:").and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    bits.is_some_and(|bits| bits >> capability & 1 == 1)
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name))
}

/// Where a program is. Root's programs are looked for where they are, whatever the caller's path says.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file())
}

/// Says of programs which one is missing, before work begins that would be lost without it.
pub(super) fn need(programs: &[&str]) -> Result<(), HostError> {
    match programs.iter().find(|name| find(name).is_none()) {
        Some(name) => Err(HostError::Absent {
            program: (*name).to_owned(),
            source: std::io::ErrorKind::NotFound.into(),
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named_before_the_work() {
        assert!(need(&["sh", "cat"]).is_ok());
        let error = need(&["sh", "no-such-program", "cat"]).unwrap_err();
        assert_eq!(error.to_string(), "cannot start `no-such-program`");
    }

    #[test]
    fn rights_are_read_from_the_kernels_words() {
        let status = "Name:\tx\nUid:\t1000\t0\t0\t0\nCapEff:\t0000000000201000\n";
        assert!(is_root(status));
        assert!(has(status, CAP_NET_ADMIN) && has(status, CAP_SYS_ADMIN) && !has(status, 0));
        assert!(!is_root("Uid:\t0\t1000\t0\t0\n"));
        assert!(!has("", CAP_SYS_ADMIN));
    }

    #[test]
    fn what_is_missing_comes_with_its_line_once() {
        let checks =
            vec![check("a", false, "get them"), check("b", true, "x"), check("c", false, "get them")];
        let diagnosis = Diagnosis { backend: "lxc", checks };
        assert!(!diagnosis.is_ready());
        assert_eq!(diagnosis.enable(), ["get them"]);
        let cache = tempfile::tempdir().unwrap();
        let all = diagnose(cache.path());
        assert!(all[0].enable().contains(&"plimsoll lab image build"), "{all:?}");
        assert!(all[1].enable().contains(&"plimsoll lab image build"), "{all:?}");
        assert_eq!(
            all.iter().map(|one| one.backend).collect::<Vec<_>>(),
            ["lxc", "docker", "qemu", "simulated"]
        );
        assert!(all[3].is_ready());
    }
}
