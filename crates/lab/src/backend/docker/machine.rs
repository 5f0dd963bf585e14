//! The lab's own corner of the engine: an image, a network, a folder for files of storages.

use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};

use super::engine::{self, FOLDER, LAB, MACHINE, docker};
use super::leftovers;
use crate::backend::Network;
use crate::backend::lxc::leftovers::lock;
use crate::backend::lxc::machine::free_subnet;
use crate::host::{HostError, Tool, file};

/// How guests are reached from this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// At their own addresses where this machine has a leg in the engine's network, as on Linux; else by a published port.
    Detected,
    /// By a port on the loopback interface that leads to their SSH server, as where the engine is in a virtual machine.
    Published,
}

/// Where a lab's files lie, and what guests are made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// A folder for uploads and backups of running labs, and for their locks.
    pub data: PathBuf,
    /// The guest image.
    pub image: PathBuf,
    /// First address of the guests' network of 254 addresses; a free one is taken where it is not said.
    pub subnet: Option<Ipv4Addr>,
    /// Whether guests reach what the engine reaches.
    pub internet: bool,
    /// How guests are reached.
    pub reach: Reach,
}

/// The bridge that cards of guests name, as on a node.
const BRIDGE: &str = "vmbr0";

/// What labels of labs with this backend begin with.
pub(super) const PREFIX: &str = "plimsoll-docker-";

/// What a guest may do besides what every container may. Modules, clock and raw access to memory are the machine's, as on a node
/// (`lxc.cap.drop` of /usr/share/lxc/config/common.conf).
const CAPABILITIES: [&str; 32] = [
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_TTY_CONFIG",
    "SYS_RESOURCE",
];

/// A lab's corner of the engine. It is given back with [`Machine::close`].
pub(super) struct Machine {
    /// [`PREFIX`] and six digits: the label of everything that the lab makes.
    pub(super) label: String,
    /// The lab's folder.
    pub(super) folder: PathBuf,
    pub(super) network: Network,
    /// The guest image's name in the engine.
    pub(super) image: String,
    /// Whether guests are reached by a published port.
    pub(super) published: bool,
    /// What guests may do on this machine: a machine that lacks a right cannot give it.
    pub(super) capabilities: Vec<&'static str>,
    /// Processors of the engine's machine.
    pub(super) processors: u32,
    /// Words that label what is made.
    pub(super) labels: Vec<String>,
    /// Held as long as the lab lives; the kernel lets go of it when the lab is killed.
    _lock: File,
}

impl Machine {
    /// Makes the corner. What killed labs left is taken away first.
    pub(super) fn open(place: &Place) -> Result<Self, HostError> {
        std::fs::create_dir_all(&place.data).map_err(file(&place.data))?;
        let data = std::fs::canonicalize(&place.data).map_err(file(&place.data))?;
        let host = leftovers::machine()?;
        leftovers::sweep(&data, &host)?;
        let image = engine::import(&place.image)?;
        let digits = RandomState::new().hash_one(std::process::id()) & 0xFF_FFFF;
        let label = format!("{PREFIX}{digits:06x}");
        let folder = data.join(&label);
        std::fs::create_dir(&folder).map_err(file(&folder))?;
        let made = Self::furnish(place, digits, label.clone(), folder.clone(), &host, image);
        made.inspect_err(|_| {
            leftovers::clear(&label);
            let _ = std::fs::remove_dir_all(&folder);
        })
    }

    fn furnish(
        place: &Place,
        digits: u64,
        label: String,
        folder: PathBuf,
        host: &str,
        image: String,
    ) -> Result<Self, HostError> {
        let lock = lock(&folder)?;
        let shown = folder.display();
        let of = [format!("{LAB}={label}"), format!("{FOLDER}={shown}"), format!("{MACHINE}={host}")];
        let labels: Vec<String> = of.into_iter().flat_map(|one| ["--label".to_owned(), one]).collect();
        let capabilities = capabilities(&image, &labels)?;
        let processors = docker(["info", "--format", "{{.NCPU}}"]).run()?.trim().parse().unwrap_or(1);
        let closed = !place.internet;
        let (mut first, mut published) = (join(place, digits, &label, &labels, closed)?, false);
        // Only an address of this machine can be bound: where the engine is elsewhere, its bridge is too.
        let near = UdpSocket::bind((gateway(first), 0)).is_ok();
        if place.reach == Reach::Published || !near {
            published = true;
            if closed {
                // Nothing can be published from a network that has no way out.
                docker(["network", "rm", &label]).run()?;
                first = join(place, digits, &label, &labels, false)?;
            }
        }
        let nameserver = if place.internet { nameserver(&image, &labels)? } else { None };
        let gateway = gateway(first).to_string();
        let network = Network {
            bridge: BRIDGE.to_owned(),
            subnet: format!("{first}/24"),
            machine: gateway.clone(),
            gateway,
            nameserver,
        };
        Ok(Self { label, folder, network, image, published, capabilities, processors, labels, _lock: lock })
    }

    /// The name of a guest's container and of its volume.
    pub(super) fn name(&self, vmid: u32) -> String {
        format!("{}-{vmid}", self.label)
    }

    /// A command for the disks of a guest.
    pub(super) fn tools(&self, vmid: u32, words: &[&str]) -> Tool {
        engine::tools(&self.image, &self.labels, &self.name(vmid), &[], words)
    }

    /// A command for the disks of a guest that has those of another at `/from`.
    pub(super) fn tools_from(&self, from: u32, vmid: u32, words: &[&str]) -> Tool {
        let more = ["--mount".to_owned(), engine::mount(&self.name(from), "/from,readonly", &self.labels)];
        engine::tools(&self.image, &self.labels, &self.name(vmid), &more, words)
    }

    /// Takes everything away but the image, which is a cache.
    pub(super) fn close(&self) {
        leftovers::clear(&self.label);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn gateway(first: Ipv4Addr) -> Ipv4Addr {
    let [a, b, c, _] = first.octets();
    Ipv4Addr::new(a, b, c, 1)
}

/// Makes the network, and answers its first address. The engine knows which ones are taken.
fn join(
    place: &Place,
    digits: u64,
    label: &str,
    labels: &[String],
    closed: bool,
) -> Result<Ipv4Addr, HostError> {
    let mut last = HostError::Other("no private network is free; name one with --subnet".to_owned());
    for step in 0..20 {
        let first = match place.subnet {
            Some(first) => first,
            // Without a table of routes to look at, as on macOS, there is only the engine to ask.
            None => free_subnet(digits + step * 4099).unwrap_or_else(|_| some_subnet(digits + step)),
        };
        let [a, b, c, _] = first.octets();
        let first = Ipv4Addr::new(a, b, c, 0);
        let mut tool = docker(["network", "create", "--driver", "bridge"])
            .args(["--subnet", &format!("{first}/24"), "--gateway", &gateway(first).to_string()])
            .args(labels);
        if closed {
            tool = tool.arg("--internal");
        } else if !place.internet {
            // A way in for published ports, and no answer to what goes out.
            tool = tool.args(["--opt", "com.docker.network.bridge.enable_ip_masquerade=false"]);
        }
        match tool.arg(label).run() {
            Ok(_) => return Ok(first),
            Err(error) if place.subnet.is_some() || !error.said().contains("overlaps") => return Err(error),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn some_subnet(digits: u64) -> Ipv4Addr {
    let second = u8::try_from(64 + digits % 128).unwrap_or(64);
    Ipv4Addr::new(10, second, u8::try_from(digits / 128 % 256).unwrap_or(0), 0)
}

/// The name server that the engine gives to containers; one that answers only inside of a container is none for a guest's own.
fn nameserver(image: &str, labels: &[String]) -> Result<Option<String>, HostError> {
    let tool = docker(["run", "--rm"]).args(labels).args([image, "cat", "/etc/resolv.conf"]);
    let text = tool.run()?;
    let servers = text.lines().filter_map(|line| line.strip_prefix("nameserver "));
    Ok(servers.map(str::trim).find(|server| !server.starts_with("127.")).map(str::to_owned))
}

/// What the engine can give of what guests should have. An engine in a container may lack some.
fn capabilities(image: &str, labels: &[String]) -> Result<Vec<&'static str>, HostError> {
    let trial = |names: &[&str]| {
        let given = names.iter().flat_map(|name| ["--cap-add", name]);
        let tool = docker(["run", "--rm", "--network", "none", "--cap-drop", "ALL"]).args(labels);
        tool.args(given).args([image, "true"]).run()
    };
    if trial(&CAPABILITIES).is_ok() {
        return Ok(CAPABILITIES.to_vec());
    }
    // An engine that starts nothing at all says why.
    trial(&[])?;
    let (last, most) = CAPABILITIES.split_last().unwrap_or((&"", &[]));
    if trial(most).is_ok() {
        return Ok(most.to_vec());
    }
    let mut given: Vec<&'static str> = most.iter().copied().filter(|name| trial(&[name]).is_ok()).collect();
    given.extend(trial(&[last]).is_ok().then_some(*last));
    if given.contains(&"SYS_ADMIN") {
        return Ok(given);
    }
    let text = "the engine gives no container the right to mounts of its own (CAP_SYS_ADMIN); \
                a rootless engine cannot boot guests";
    Err(HostError::Other(text.to_owned()))
}

/// The folder for files of storages.
pub(super) fn volumes(folder: &Path) -> PathBuf {
    folder.join("volumes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_to_try_are_private_ones() {
        for digits in [0, 1, 127, 128, 0xFF_FFFF] {
            let first = some_subnet(digits);
            assert!(first.is_private() && first.octets()[3] == 0, "{first}");
            assert_eq!(gateway(first).octets()[3], 1);
        }
    }
}
