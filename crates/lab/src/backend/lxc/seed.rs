//! What the node writes into a new guest: name, keys, addresses of name servers. Nothing follows a link that the template brings.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, chown, lchown, symlink};
use std::path::{Path, PathBuf};

use super::config::owner;
use super::machine::Machine;
use crate::backend::{GuestSpec, NewGuest};
use crate::host::{HostError, Tool, file};

/// A guest's root file system, and who its root is.
struct Root {
    folder: PathBuf,
    owner: u32,
}

impl Root {
    /// The place of a path whose folders are real ones; missing ones are made.
    fn place(&self, path: &str) -> Result<PathBuf, HostError> {
        let mut at = self.folder.clone();
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            at.push(part);
            if parts.peek().is_none() {
                break;
            }
            match std::fs::symlink_metadata(&at) {
                Ok(found) if found.is_dir() => {}
                Ok(_) => return Err(HostError::Other(format!("the template's `{path}` leads elsewhere"))),
                Err(_) => {
                    std::fs::create_dir(&at).map_err(file(&at))?;
                    chown(&at, Some(self.owner), Some(self.owner)).map_err(file(&at))?;
                }
            }
        }
        Ok(at)
    }

    fn put(&self, path: &str, text: &str, mode: u32) -> Result<(), HostError> {
        let at = self.place(path)?;
        // Also a link is removed, not followed.
        let _ = std::fs::remove_file(&at);
        let made: Result<File, _> = OpenOptions::new().write(true).create_new(true).mode(mode).open(&at);
        made.and_then(|mut made| made.write_all(text.as_bytes())).map_err(file(&at))?;
        std::fs::set_permissions(&at, std::fs::Permissions::from_mode(mode)).map_err(file(&at))?;
        chown(&at, Some(self.owner), Some(self.owner)).map_err(file(&at))
    }

    /// Makes systemd leave a unit alone.
    fn leave(&self, unit: &str) -> Result<(), HostError> {
        let at = self.place(unit)?;
        let _ = std::fs::remove_file(&at);
        symlink("/dev/null", &at)
            .and_then(|()| lchown(&at, Some(self.owner), Some(self.owner)))
            .map_err(file(&at))
    }
}

/// What is new for each guest: keys of the host, keys of the user, a password, no identity of the template.
pub(super) fn first(machine: &Machine, folder: &Path, guest: &NewGuest) -> Result<Vec<String>, HostError> {
    let root = Root { folder: folder.to_owned(), owner: owner(&guest.spec) };
    root.put("etc/machine-id", "", 0o444)?;
    if root.owner != 0 && root.folder.join("etc/systemd/system").is_dir() {
        // The kernel's file system for debugging is never an unprivileged guest's to mount.
        root.leave("etc/systemd/system/sys-kernel-debug.mount")?;
    }
    let mut lines = Vec::new();
    let name = guest.spec.config.get("hostname").map_or("localhost", String::as_str);
    let comment = format!("root@{}", name.split('.').next().unwrap_or(name));
    if root.folder.join("etc/ssh").is_dir() {
        for kind in ["rsa", "ecdsa", "ed25519"] {
            let key = root.place(&format!("etc/ssh/ssh_host_{kind}_key"))?;
            let public = root.place(&format!("etc/ssh/ssh_host_{kind}_key.pub"))?;
            for old in [&key, &public] {
                let _ = std::fs::remove_file(old);
            }
            if kind == "rsa" {
                // The slow one, which no client of today asks for.
                continue;
            }
            lines.push(format!("Creating SSH host key 'ssh_host_{kind}_key' - this may take some time ..."));
            let words = ["-N", "", "-E", "sha256", "-C", &comment, "-t", kind, "-f"];
            let said = Tool::new("ssh-keygen").args(words).arg(&key).run()?;
            // The one way in which a node tells the host key of a container that it made.
            let shown = said.lines().filter(|line| line.starts_with("SHA256:"));
            lines.extend(shown.map(|line| format!("done: {}", line.trim())));
            for made in [&key, &public] {
                chown(made, Some(root.owner), Some(root.owner)).map_err(file(made))?;
            }
        }
    }
    if !guest.keys.trim().is_empty() {
        let mut keys = guest.keys.trim().to_owned();
        keys.push('\n');
        root.put("root/.ssh/authorized_keys", &keys, 0o600)?;
        let folder = root.folder.join("root/.ssh");
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).map_err(file(&folder))?;
    }
    if let Some(password) = &guest.password {
        let tool = if root.owner == 0 { machine.inside("chroot") } else { machine.shifted("chroot") };
        tool.arg(&root.folder).arg("chpasswd").input(format!("root:{}\n", password.expose())).run()?;
    }
    Ok(lines)
}

/// What follows the configuration, before each start.
pub(super) fn each_start(folder: &Path, spec: &GuestSpec, nameserver: Option<&str>) -> Result<(), HostError> {
    let root = Root { folder: folder.to_owned(), owner: owner(spec) };
    let name = spec.config.get("hostname").map_or("CT", String::as_str);
    root.put("etc/hostname", &format!("{name}\n"), 0o644)?;
    let short = name.split('.').next().unwrap_or(name);
    let both = if short == name { name.to_owned() } else { format!("{name} {short}") };
    let hosts = format!("127.0.0.1 localhost\n127.0.1.1 {both}\n::1 localhost ip6-localhost ip6-loopback\n");
    root.put("etc/hosts", &hosts, 0o644)?;
    let mut names = String::new();
    if let Some(domain) = spec.config.get("searchdomain") {
        names.push_str(&format!("search {domain}\n"));
    }
    // A guest without servers of its own has those of the node.
    let servers = spec.config.get("nameserver").map(String::as_str).or(nameserver);
    for server in servers.into_iter().flat_map(|text| text.split([' ', ',', ';'])) {
        names.push_str(&format!("nameserver {server}\n"));
    }
    root.put("etc/resolv.conf", &names, 0o644)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_templates_links_lead_nowhere() {
        let outside = tempfile::tempdir().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let owner = std::os::unix::fs::MetadataExt::uid(&folder.path().metadata().unwrap());
        let root = Root { folder: folder.path().to_owned(), owner };
        std::os::unix::fs::symlink(outside.path(), folder.path().join("etc")).unwrap();
        assert!(root.put("etc/hostname", "x", 0o644).is_err());
        std::os::unix::fs::symlink(outside.path().join("victim"), folder.path().join("link")).unwrap();
        root.put("link", "x", 0o644).unwrap();
        assert!(!outside.path().join("victim").exists());
        root.put("root/.ssh/authorized_keys", "key", 0o600).unwrap();
        assert!(folder.path().join("root/.ssh/authorized_keys").is_file());
    }
}
