//! Distributions and the programs that come with them.

use plimsoll_syntax::dockerfile::ImageReference;

use super::table::KnownImage;

/// Distribution families and what follows from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Os {
    /// Debian, minimal package set.
    DebianSlim,
    /// Debian with the tools of `buildpack-deps` (`curl`, `wget`, `git`, compilers).
    DebianFull,
    /// Ubuntu.
    Ubuntu,
    /// Alpine: musl and BusyBox.
    Alpine,
    /// Fedora, CentOS, Rocky, Alma, Oracle, UBI.
    RedHat,
    /// No shell and no package manager.
    Distroless,
    /// An empty image.
    Scratch,
    /// Not known.
    Unknown,
}

/// Programs of `coreutils` and of the essential packages that every Debian, Ubuntu and Red Hat base holds, and
/// that BusyBox has too.
const COMMON: &[&str] = &[
    "[",
    "awk",
    "basename",
    "cat",
    "chgrp",
    "chmod",
    "chown",
    "chroot",
    "cp",
    "cut",
    "date",
    "dd",
    "df",
    "dirname",
    "du",
    "echo",
    "egrep",
    "env",
    "expr",
    "false",
    "fgrep",
    "find",
    "grep",
    "gunzip",
    "gzip",
    "head",
    "hostname",
    "id",
    "install",
    "kill",
    "ln",
    "ls",
    "md5sum",
    "mkdir",
    "mkfifo",
    "mknod",
    "mktemp",
    "mv",
    "nice",
    "nohup",
    "printenv",
    "printf",
    "pwd",
    "readlink",
    "realpath",
    "rm",
    "rmdir",
    "sed",
    "seq",
    "sh",
    "sha256sum",
    "sha512sum",
    "sleep",
    "sort",
    "stat",
    "su",
    "sync",
    "tail",
    "tar",
    "tee",
    "test",
    "timeout",
    "touch",
    "tr",
    "true",
    "tty",
    "uname",
    "uniq",
    "wc",
    "which",
    "whoami",
    "xargs",
    "yes",
    "zcat",
];

/// What Debian's and Ubuntu's essential packages add.
const DEBIAN: &[&str] = &[
    "addgroup",
    "adduser",
    "apt",
    "apt-get",
    "bash",
    "dash",
    "deluser",
    "dpkg",
    "groupadd",
    "login",
    "perl",
    "runuser",
    "setpriv",
    "useradd",
    "usermod",
    "passwd",
    "mount",
    "flock",
    "start-stop-daemon",
];

/// What `buildpack-deps` adds.
const BUILDPACK: &[&str] = &[
    "curl",
    "wget",
    "git",
    "hg",
    "svn",
    "gpg",
    "ssh",
    "scp",
    "ps",
    "pkill",
    "pgrep",
    "top",
    "make",
    "gcc",
    "g++",
    "cc",
    "patch",
    "unzip",
    "xz",
    "bzip2",
    "openssl",
    "file",
    "mysql_config",
    "pg_config",
    "python3",
    "autoconf",
    "automake",
];

/// BusyBox applets of Alpine's build beyond the common ones.
const ALPINE: &[&str] = &[
    "addgroup",
    "adduser",
    "ash",
    "apk",
    "bunzip2",
    "clear",
    "cmp",
    "cpio",
    "crond",
    "crontab",
    "deluser",
    "delgroup",
    "diff",
    "dmesg",
    "dos2unix",
    "fuser",
    "getent",
    "ifconfig",
    "ip",
    "killall",
    "less",
    "logger",
    "lsof",
    "more",
    "mount",
    "nc",
    "netstat",
    "nslookup",
    "passwd",
    "pgrep",
    "ping",
    "pkill",
    "ps",
    "route",
    "start-stop-daemon",
    "strings",
    "telnet",
    "top",
    "traceroute",
    "umount",
    "unzip",
    "uptime",
    "vi",
    "watch",
    "wget",
    "xxd",
    "flock",
    "setpriv",
];

/// What Red Hat family bases add.
const RED_HAT: &[&str] = &["bash", "curl", "rpm", "useradd", "groupadd"];

/// Programs that bases leave out often enough for their absence to be certain.
const OFTEN_MISSED: &[&str] = &[
    "curl",
    "wget",
    "nc",
    "netcat",
    "ncat",
    "ping",
    "ps",
    "pgrep",
    "pkill",
    "top",
    "ip",
    "ifconfig",
    "netstat",
    "ss",
    "dig",
    "nslookup",
    "telnet",
    "git",
    "ssh",
    "scp",
    "rsync",
    "jq",
    "openssl",
    "sudo",
    "vi",
    "vim",
    "nano",
    "less",
    "unzip",
    "gcc",
    "make",
    "bash",
    "gosu",
    "su-exec",
    "tini",
    "dumb-init",
    "supervisord",
    "cron",
    "crond",
    "python",
    "python3",
    "pip",
    "node",
    "npm",
    "npx",
    "psql",
    "pg_isready",
    "pg_dump",
    "mysql",
    "mysqladmin",
    "redis-cli",
    "nginx",
    "lsof",
    "uvicorn",
    "gunicorn",
    "alembic",
    "celery",
    "flask",
    "php",
    "ruby",
    "go",
    "cargo",
    "java",
    "docker",
    "sqlite3",
];

impl Os {
    /// The distribution of an image, by its tag, then by what is known about it.
    #[must_use]
    pub fn of(reference: &ImageReference, known: Option<&KnownImage>) -> Self {
        let tag = reference.tag.as_deref().unwrap_or_default().to_ascii_lowercase();
        let name = reference.name.as_str();
        let says = |word: &str| tag.contains(word);
        if name.contains("distroless") || reference.registry.as_deref() == Some("cgr.dev") && !says("dev") {
            return Self::Distroless;
        }
        if says("alpine") || name == "alpine" || name == "busybox" {
            return Self::Alpine;
        }
        if says("ubi") || says("oracle") || says("fedora") || says("rhel") {
            return Self::RedHat;
        }
        if ["ubuntu", "jammy", "noble", "focal", "resolute"].iter().any(|word| says(word)) || name == "ubuntu"
        {
            return Self::Ubuntu;
        }
        if says("slim") {
            return Self::DebianSlim;
        }
        known.map_or(Self::Unknown, |known| known.default_os)
    }

    /// Whether a program comes with the distribution's base; nothing when that is not known.
    #[must_use]
    pub fn provides(self, program: &str) -> Option<bool> {
        let lists: &[&[&str]] = match self {
            Self::DebianSlim | Self::Ubuntu => &[COMMON, DEBIAN],
            Self::DebianFull => &[COMMON, DEBIAN, BUILDPACK],
            Self::Alpine => &[COMMON, ALPINE],
            Self::RedHat => &[COMMON, RED_HAT],
            Self::Distroless | Self::Scratch => return Some(false),
            Self::Unknown => return None,
        };
        if lists.iter().any(|list| list.contains(&program)) {
            return Some(true);
        }
        OFTEN_MISSED.contains(&program).then_some(false)
    }

    /// Whether there is a shell.
    #[must_use]
    pub fn has_shell(self) -> Option<bool> {
        self.provides("sh")
    }

    /// Whether its C library is musl.
    #[must_use]
    pub fn is_musl(self) -> Option<bool> {
        match self {
            Self::Alpine => Some(true),
            Self::DebianSlim | Self::DebianFull | Self::Ubuntu | Self::RedHat => Some(false),
            Self::Distroless | Self::Scratch | Self::Unknown => None,
        }
    }

    /// Whether `wget` is BusyBox's: it takes the first address of a name and does not try the next one, and musl
    /// puts `::1` first for `localhost`. A server that listens on IPv4 only refuses it.
    #[must_use]
    pub fn wget_tries_ipv6_only(self) -> bool {
        self == Self::Alpine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn os(text: &str) -> Os {
        let reference = ImageReference::parse(text).unwrap();
        Os::of(&reference, KnownImage::find(&reference))
    }

    #[test]
    fn the_tag_decides_before_the_image() {
        assert_eq!(os("python:3.12"), Os::DebianFull);
        assert_eq!(os("python:3.12-slim-bookworm"), Os::DebianSlim);
        assert_eq!(os("nginx:alpine"), Os::Alpine);
        assert_eq!(os("gcr.io/distroless/static:nonroot"), Os::Distroless);
        assert_eq!(os("acme/x:1"), Os::Unknown);
    }

    #[test]
    fn programs_are_present_absent_or_unknown() {
        assert_eq!(Os::DebianSlim.provides("curl"), Some(false));
        assert_eq!(Os::DebianFull.provides("curl"), Some(true));
        assert_eq!(Os::Alpine.provides("wget"), Some(true));
        assert_eq!(Os::Alpine.provides("bash"), Some(false));
        assert_eq!(Os::DebianSlim.provides("frobnicate"), None);
        assert_eq!(Os::Distroless.has_shell(), Some(false));
    }
}
