//! Stand-ins for official images, where no registry can be asked: the same names, ports, volumes and first-start variables, with
//! Debian's programs. Each says in a label what it is.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::image::{LEFT_OUT, SUITE};
use super::run::{HostError, Tool, file};

/// An image that stands in for an official one.
#[derive(Debug)]
pub struct StandIn {
    /// The name that it stands in for, without a tag.
    pub name: &'static str,
    /// Tags that it answers to.
    pub tags: &'static [&'static str],
    packages: &'static [&'static str],
    setup: &'static str,
    entry: &'static str,
    command: &'static [&'static str],
    environment: &'static [&'static str],
    port: Option<&'static str>,
    volume: Option<&'static str>,
    folder: &'static str,
    signal: &'static str,
}

/// What most of them have.
const PLAIN: StandIn = StandIn {
    name: "",
    tags: &[],
    packages: &[],
    setup: "",
    entry: "",
    command: &[],
    environment: &[],
    port: None,
    volume: None,
    folder: "/",
    signal: "SIGTERM",
};

/// All of them.
pub const STAND_INS: [StandIn; 5] = [
    StandIn {
        name: "nginx",
        tags: &["latest", "alpine", "stable", "stable-alpine", "mainline", "mainline-alpine"],
        packages: &["nginx-light", "gettext-base", "curl", "wget"],
        setup: include_str!("../../stand-ins/nginx-setup.sh"),
        entry: include_str!("../../stand-ins/nginx-entry.sh"),
        command: &["nginx", "-g", "daemon off;"],
        port: Some("80/tcp"),
        signal: "SIGQUIT",
        ..PLAIN
    },
    StandIn {
        name: "node",
        tags: &["latest", "20", "20-alpine", "20-slim", "22", "22-alpine", "22-slim", "lts", "lts-alpine"],
        packages: &["nodejs", "npm", "wget"],
        command: &["node"],
        ..PLAIN
    },
    StandIn {
        name: "postgres",
        tags: &["latest", "15", "15-alpine", "16", "16-alpine", "17", "17-alpine"],
        packages: &["postgresql"],
        setup: include_str!("../../stand-ins/postgres-setup.sh"),
        entry: include_str!("../../stand-ins/postgres-entry.sh"),
        command: &["postgres"],
        environment: &["PGDATA=/var/lib/postgresql/data", "LANG=C.UTF-8"],
        port: Some("5432/tcp"),
        volume: Some("/var/lib/postgresql/data"),
        // Clients are not waited for.
        signal: "SIGINT",
        ..PLAIN
    },
    StandIn {
        name: "python",
        tags: &[
            "latest",
            "slim",
            "3-slim",
            "3.11-slim",
            "3.12",
            "3.12-slim",
            "3.12-alpine",
            "3.13",
            "3.13-slim",
        ],
        packages: &["python3", "python3-venv", "python3-pip"],
        setup: include_str!("../../stand-ins/python-setup.sh"),
        command: &["python3"],
        environment: &["LANG=C.UTF-8"],
        ..PLAIN
    },
    StandIn {
        name: "redis",
        tags: &["latest", "alpine", "7", "7-alpine", "8", "8-alpine"],
        packages: &["redis-server"],
        entry: include_str!("../../stand-ins/redis-entry.sh"),
        command: &["redis-server"],
        port: Some("6379/tcp"),
        volume: Some("/data"),
        folder: "/data",
        ..PLAIN
    },
];

const ENTRY: &str = "/usr/local/bin/docker-entrypoint.sh";

impl StandIn {
    /// The archive for `docker load`, once it is built. Its name changes with what is in it.
    pub fn archive(&self, cache: &Path) -> PathBuf {
        let mut hash = Sha256::new();
        for part in [SUITE, self.setup, &self.configuration("").to_string()]
            .iter()
            .chain(self.packages)
            .chain(self.tags)
            .chain(&LEFT_OUT)
            .chain(&[self.entry])
        {
            hash.update(part);
            hash.update([0]);
        }
        let key: String = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        cache.join(format!("stand-in-{}-{key}.tar.zst", self.name))
    }

    /// Whether it is built.
    pub fn is_built(&self, cache: &Path) -> bool {
        self.archive(cache).is_file()
    }

    /// Builds it, with lines about how it goes. Another build at the same time is waited for.
    pub fn build(&self, cache: &Path, mut progress: impl FnMut(&str)) -> Result<(), HostError> {
        std::fs::create_dir_all(cache).map_err(file(cache))?;
        let lock = cache.join(format!("build-{}.lock", self.name));
        let held = std::fs::File::create(&lock).map_err(file(&lock))?;
        held.lock().map_err(file(&lock))?;
        let archive = self.archive(cache);
        if archive.is_file() {
            return Ok(());
        }
        let work = cache.join(format!("work-{}", self.name));
        // What a build that was cut short left is in the way.
        let _ = std::fs::remove_dir_all(&work);
        std::fs::create_dir(&work).map_err(file(&work))?;
        let made = self.make(&work, &archive, &mut progress);
        let _ = std::fs::remove_dir_all(&work);
        made
    }

    fn make(&self, work: &Path, archive: &Path, progress: &mut impl FnMut(&str)) -> Result<(), HostError> {
        let layer = work.join("layer.tar");
        let mut tool = Tool::new("mmdebstrap")
            .args(["--variant=minbase", "--mode=root", "--skip=output/dev"])
            .arg(format!("--include={}", [&["ca-certificates"], self.packages].concat().join(",")))
            .args(LEFT_OUT.map(|line| format!("--dpkgopt={line}")));
        if !self.entry.is_empty() {
            let entry = work.join("entry.sh");
            write(&entry, self.entry)?;
            tool = tool
                .arg(format!("--customize-hook=upload {} {ENTRY}", entry.display()))
                .arg(format!("--customize-hook=chmod 755 \"$1{ENTRY}\""));
        }
        if !self.setup.is_empty() {
            let setup = work.join("setup.sh");
            write(&setup, self.setup)?;
            tool = tool
                .arg(format!("--customize-hook=upload {} /setup.sh", setup.display()))
                .arg("--customize-hook=chroot \"$1\" sh /setup.sh")
                .arg("--customize-hook=rm \"$1/setup.sh\"");
        }
        tool.arg(SUITE).arg(&layer).watch(|line| {
            if let Some(step) = line.strip_prefix("I: ") {
                progress(&format!("{}: {step}", self.name));
            }
        })?;
        let digest = Tool::new("sha256sum").arg(&layer).run()?;
        let digest = digest.split_whitespace().next().unwrap_or_default();
        write(&work.join("config.json"), &self.configuration(digest).to_string())?;
        let tags: Vec<String> = self.tags.iter().map(|tag| format!("{}:{tag}", self.name)).collect();
        let manifest = json!([{ "Config": "config.json", "RepoTags": tags, "Layers": ["layer.tar"] }]);
        write(&work.join("manifest.json"), &manifest.to_string())?;
        let part = work.join("archive.tar.zst");
        Tool::new("tar")
            .args(["--use-compress-program=zstd -T0", "-cf"])
            .arg(&part)
            .arg("-C")
            .arg(work)
            .args(["manifest.json", "config.json", "layer.tar"])
            .run()?;
        std::fs::rename(&part, archive).map_err(file(archive))
    }

    /// The image's configuration (OCI image specification, `config.md`).
    fn configuration(&self, layer: &str) -> Value {
        let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let environment: Vec<&str> = [path].iter().chain(self.environment).copied().collect();
        let set = |one: Option<&str>| one.map(|one| json!({ one: {} }));
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
        let meaning = format!("a stand-in for the official image {}, made of Debian's packages", self.name);
        json!({
            "architecture": architecture,
            "os": "linux",
            "config": {
                "Env": environment,
                "Entrypoint": (!self.entry.is_empty()).then_some([ENTRY]),
                "Cmd": self.command,
                "ExposedPorts": set(self.port),
                "Volumes": set(self.volume),
                "WorkingDir": self.folder,
                "StopSignal": self.signal,
                "Labels": { "plimsoll.stand-in": self.name, "org.opencontainers.image.description": meaning },
            },
            "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{layer}")] },
            "history": [{ "created_by": meaning }],
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "an image is made of files")]
fn write(path: &Path, text: &str) -> Result<(), HostError> {
    std::fs::write(path, text).map_err(file(path))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_stand_in_says_what_it_is_and_has_what_compose_files_count_on() {
        let cache = tempfile::tempdir().unwrap();
        let files: BTreeSet<PathBuf> = STAND_INS.iter().map(|one| one.archive(cache.path())).collect();
        assert_eq!(files.len(), STAND_INS.len());
        let postgres = STAND_INS.iter().find(|one| one.name == "postgres").unwrap();
        assert!(!postgres.is_built(cache.path()) && postgres.tags.contains(&"16-alpine"));
        let text = postgres.configuration("ab");
        assert_eq!(text["config"]["Labels"]["plimsoll.stand-in"], "postgres");
        assert_eq!(text["config"]["Volumes"], json!({ "/var/lib/postgresql/data": {} }));
        assert_eq!(text["config"]["ExposedPorts"], json!({ "5432/tcp": {} }));
        assert_eq!(text["rootfs"]["diff_ids"], json!(["sha256:ab"]));
        for word in ["POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "docker-entrypoint-initdb.d"] {
            assert!(postgres.entry.contains(word), "{word}");
        }
    }
}
