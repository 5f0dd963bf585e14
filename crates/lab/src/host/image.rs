//! The image that guests are made of: Debian with systemd, an SSH server and Docker, as a container template.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::run::{HostError, Tool, file};

/// What the template is called in the storages of a lab.
pub const TEMPLATE_NAME: &str = "debian-13-docker_13-lab_amd64.tar.zst";

pub(super) const SUITE: &str = "trixie";

/// What guests of either kind have.
pub(super) const PACKAGES: [&str; 21] = [
    "systemd-sysv",
    "dbus",
    "openssh-server",
    "docker.io",
    "docker-cli",
    "docker-buildx",
    "docker-compose",
    "iptables",
    "nftables",
    "ca-certificates",
    "iproute2",
    "iputils-ping",
    "curl",
    "procps",
    "kmod",
    "rsync",
    "zstd",
    "netbase",
    "sudo",
    // A program that fits alone into a container image, where no registry can be asked for one.
    "busybox-static",
    "python3-minimal",
];

/// Manuals and translations are a third of the time and of the size.
pub(super) const LEFT_OUT: [&str; 4] = [
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/doc/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/info/*",
];

/// The image, in a folder of cached ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Where it lies, once it is built.
    pub path: PathBuf,
}

impl Image {
    /// The image of this release of Plimsoll. Its name changes with what is in it.
    pub fn in_cache(cache: &Path) -> Self {
        let mut hash = Sha256::new();
        for part in [SUITE].iter().chain(&PACKAGES).chain(&LEFT_OUT) {
            hash.update(part);
            hash.update([0]);
        }
        let key: String = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Self { path: cache.join(format!("template-{key}.tar.zst")) }
    }

    /// Whether it is built.
    pub fn is_built(&self) -> bool {
        self.path.is_file()
    }

    /// Builds it, with lines about how it goes. Another build at the same time is waited for.
    pub fn build(&self, mut progress: impl FnMut(&str)) -> Result<(), HostError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(file(folder))?;
        let lock = folder.join("build.lock");
        let held = std::fs::File::create(&lock).map_err(file(&lock))?;
        held.lock().map_err(file(&lock))?;
        if self.is_built() {
            return Ok(());
        }
        let part = self.path.with_extension("part.tar.zst");
        let left_out = LEFT_OUT.map(|line| format!("--dpkgopt={line}"));
        let tool = Tool::new("mmdebstrap")
            .args(["--variant=minbase", "--mode=root"])
            .arg(format!("--include={}", PACKAGES.join(",")))
            .args(left_out)
            .arg(SUITE)
            .arg(&part);
        let made = tool.watch(|line| {
            if let Some(step) = line.strip_prefix("I: ") {
                progress(step);
            }
        });
        if let Err(error) = made {
            // What is left of it is of no use.
            let _ = std::fs::remove_file(&part);
            return Err(error);
        }
        std::fs::rename(&part, &self.path).map_err(file(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_a_name_of_its_own_and_is_not_there_before_it_is_built() {
        let cache = tempfile::tempdir().unwrap();
        let image = Image::in_cache(cache.path());
        assert!(!image.is_built());
        std::fs::File::create(&image.path).unwrap();
        assert!(Image::in_cache(cache.path()).is_built());
        // Nothing is built twice: this machine need not have the tool.
        image.build(|_| panic!("it is there")).unwrap();
    }
}
