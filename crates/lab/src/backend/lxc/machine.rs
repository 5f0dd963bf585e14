//! The lab's own corner of the machine: a network namespace with a bridge, a view of `/sys` that shows that bridge, and one leg
//! of a cable in the machine's network, so that guests are reached from it.

use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::leftovers;
use crate::backend::Network;
use crate::host::{HostError, Tool, file};

/// Where guests of labs lie, and from what they are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// A folder for the disks of running labs. Everybody must be able to pass through it: root of an unprivileged guest does.
    pub data: PathBuf,
    /// The guest image.
    pub image: PathBuf,
    /// The disk image of virtual machines, where they boot by QEMU; else they are simulated.
    pub vms: Option<PathBuf>,
    /// First address and length of the guests' network; a free one is taken where it is not said.
    pub subnet: Option<Ipv4Addr>,
    /// Whether guests reach what this machine reaches. Else they reach each other and this machine only.
    pub internet: bool,
}

/// The bridge that cards of guests name.
pub(in crate::backend) const BRIDGE: &str = "vmbr0";

/// The card that leads outside.
const OUT: &str = "outside0";

/// The users that unprivileged guests have, as on the node (pct(1)).
pub(super) const FIRST_ID: u32 = 100_000;
pub(super) const IDS: u32 = 65_536;

/// A lab's corner of the machine. It is given back with [`Machine::close`].
pub(in crate::backend) struct Machine {
    /// `plimsoll-` and six digits: the label of everything that the lab makes.
    pub(in crate::backend) label: String,
    /// The lab's folder.
    pub(in crate::backend) folder: PathBuf,
    pub(in crate::backend) network: Network,
    holder: Mutex<Child>,
    /// Speaks for guests to the outside.
    speaker: Mutex<Option<Child>>,
    target: u32,
    /// Held as long as the lab lives; the kernel lets go of it when the lab is killed.
    _lock: File,
}

impl Machine {
    /// Makes the corner. What killed labs left is taken away first.
    pub(super) fn open(place: &Place) -> Result<Self, HostError> {
        std::fs::create_dir_all(&place.data).map_err(file(&place.data))?;
        passable(&place.data)?;
        leftovers::sweep(&place.data);
        let digits = RandomState::new().hash_one(std::process::id()) & 0xFF_FFFF;
        let label = format!("plimsoll-{digits:06x}");
        let folder = place.data.join(&label);
        std::fs::create_dir(&folder).map_err(file(&folder))?;
        passable(&folder)?;
        let lock = leftovers::lock(&folder)?;
        let subnet = match place.subnet {
            Some(first) => first,
            None => free_subnet(digits)?,
        };
        let holder = hold(&folder)?;
        let machine = Self {
            network: network(subnet, place.internet),
            label,
            folder,
            target: holder.id(),
            holder: Mutex::new(holder),
            speaker: Mutex::default(),
            _lock: lock,
        };
        match machine.furnish() {
            Ok(()) => Ok(machine),
            Err(error) => {
                machine.close();
                Err(error)
            }
        }
    }

    fn furnish(&self) -> Result<(), HostError> {
        let entry = |name: &str| self.folder.join(name);
        let groups = entry("cgroup");
        std::fs::create_dir(&groups).map_err(file(&groups))?;
        let ids = entry("subid");
        leftovers::write(&ids, &format!("root:{FIRST_ID}:{IDS}\n"))?;
        // LXC looks for bridges in /sys, which shows the network of whoever mounted it; and it wants to read in /etc which users
        // root may give away.
        self.inside("mount").args(["--rbind", "/sys/fs/cgroup"]).arg(&groups).run()?;
        self.inside("mount").args(["-t", "sysfs", "sysfs", "/sys"]).run()?;
        self.inside("mount").arg("--rbind").arg(&groups).arg("/sys/fs/cgroup").run()?;
        self.inside("umount").arg("-l").arg(&groups).run()?;
        for table in ["/etc/subuid", "/etc/subgid"] {
            self.inside("mount").arg("--bind").arg(&ids).arg(table).run()?;
        }
        let of = |address: &str| format!("{address}/24");
        let ip = |args: &[&str]| self.inside("ip").args(args.iter().copied()).run();
        ip(&["link", "set", "lo", "up"])?;
        ip(&["link", "add", BRIDGE, "type", "bridge"])?;
        let own = self.network.subnet.replace(".0/24", ".1/24");
        ip(&["addr", "add", &own, "dev", BRIDGE])?;
        ip(&["link", "set", BRIDGE, "up"])?;
        let holder = self.target.to_string();
        let outside = |args: &[&str]| Tool::new("ip").args(args.iter().copied()).run();
        let (cable, peer) = (&leftovers::cable(&self.label), "machine0");
        outside(&["link", "add", cable, "type", "veth", "peer", "name", peer, "netns", &holder])?;
        outside(&["addr", "add", &of(&self.network.machine), "dev", cable])?;
        outside(&["link", "set", cable, "up"])?;
        ip(&["link", "set", peer, "master", BRIDGE])?;
        ip(&["link", "set", peer, "up"])?;
        ip(&["route", "add", "default", "via", &self.network.machine])?;
        if self.network.nameserver.is_some() { self.reach_out() } else { Ok(()) }
    }

    /// Puts a program on the bridge that is the guests' gateway: to the outside it is any program of this machine, and nothing of the
    /// machine's own network is changed (slirp4netns(1)).
    fn reach_out(&self) -> Result<(), HostError> {
        let ip = |args: &[&str]| self.inside("ip").args(args.iter().copied()).run();
        ip(&["tuntap", "add", OUT, "mode", "tap"])?;
        ip(&["link", "set", OUT, "master", BRIDGE])?;
        ip(&["link", "set", OUT, "up"])?;
        let socket = self.folder.join("outside");
        let speaker = Tool::new("slirp4netns")
            .args(["--disable-host-loopback", "--cidr", &self.network.subnet, "--api-socket"])
            .arg(&socket)
            .args([&self.target.to_string(), OUT])
            .background()
            .map_err(|error| {
                HostError::Other(format!("{}; to enable: apt-get install slirp4netns", error.story()))
            })?;
        if let Ok(mut kept) = self.speaker.lock() {
            *kept = Some(speaker);
        }
        let begin = Instant::now();
        while !socket.exists() {
            if begin.elapsed() > Duration::from_secs(5) {
                return Err(HostError::Other(
                    "slirp4netns did not start; is there a /dev/net/tun?".to_owned(),
                ));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// A program that runs in the lab's corner. LXC's commands find each other only there.
    pub(in crate::backend) fn inside(&self, program: &str) -> Tool {
        inside(self.target, program)
    }

    /// A program that runs as root of unprivileged guests.
    pub(super) fn shifted(&self, program: &str) -> Tool {
        let map = format!("b:0:{FIRST_ID}:{IDS}");
        self.inside("lxc-usernsexec").args(["-m", &map, "--"]).arg(program)
    }

    /// Takes everything away.
    pub(super) fn close(&self) {
        leftovers::clear(&self.folder, &self.label);
        if let Some(mut speaker) = self.speaker.lock().ok().and_then(|mut kept| kept.take()) {
            let _ = speaker.kill();
            let _ = speaker.wait();
        }
        if let Ok(mut holder) = self.holder.lock() {
            // It may be gone already.
            let _ = holder.kill();
            let _ = holder.wait();
        }
    }
}

pub(super) fn inside(holder: u32, program: &str) -> Tool {
    let target = holder.to_string();
    Tool::new("nsenter").args(["--target", &target, "--mount", "--net", "--", program])
}

/// A process that does nothing but keep the namespaces, and names the lab's folder for those who look for it.
fn hold(folder: &Path) -> Result<Child, HostError> {
    let label = folder.join("label");
    leftovers::write(&label, "")?;
    let holder = Tool::new("unshare")
        .args(["--mount", "--net", "--propagation", "private", "--", "tail", "-f"])
        .arg(&label)
        .background()?;
    // The namespaces are there once the program has changed.
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(10) {
        if leftovers::command_line(holder.id())
            .is_some_and(|words| words.first().is_some_and(|word| word == "tail"))
        {
            return Ok(holder);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(HostError::Other(
        "the lab's namespaces were not made; `plimsoll lab doctor` says what is missing".to_owned(),
    ))
}

pub(in crate::backend) fn passable(folder: &Path) -> Result<(), HostError> {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o711)).map_err(file(folder))
}

fn network(first: Ipv4Addr, internet: bool) -> Network {
    let [a, b, c, _] = first.octets();
    let at = |last: &str| format!("{a}.{b}.{c}.{last}");
    Network {
        bridge: BRIDGE.to_owned(),
        subnet: at("0/24"),
        // Where slirp4netns puts itself, and its name server.
        gateway: at(if internet { "2" } else { "1" }),
        machine: at("254"),
        nameserver: internet.then(|| at("3")),
    }
}

/// A private network that the machine has no route to.
pub(in crate::backend) fn free_subnet(digits: u64) -> Result<Ipv4Addr, HostError> {
    let routes = Tool::new("ip").args(["-4", "route", "show", "table", "all"]).run()?;
    let taken: Vec<(u32, u32)> = routes.split_whitespace().filter_map(range).collect();
    let candidates = (0..4096u64).map(|step| {
        let at = digits.wrapping_add(step * 37);
        let second = u8::try_from(64 + at % 128).unwrap_or(64);
        Ipv4Addr::new(10, second, u8::try_from(at / 128 % 256).unwrap_or(0), 0)
    });
    let free = |first: &Ipv4Addr| {
        let (low, high) = (u32::from(*first), u32::from(*first) + 255);
        taken.iter().all(|(from, to)| high < *from || low > *to)
    };
    let mut candidates = candidates;
    candidates
        .find(free)
        .ok_or_else(|| HostError::Other("no private network is free; name one with --subnet".to_owned()))
}

/// First and last address of a word of `ip route`, where it is one.
fn range(word: &str) -> Option<(u32, u32)> {
    let (address, length) = word.split_once('/').unwrap_or((word, "32"));
    let first = u32::from(address.parse::<Ipv4Addr>().ok()?);
    let length: u32 = length.parse().ok().filter(|length| (1..=32).contains(length))?;
    let size = 1u64 << (32 - length);
    Some((first, u32::try_from(u64::from(first) + size - 1).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_routes_are_ranges_of_addresses() {
        assert_eq!(range("10.0.0.0/8"), Some((0x0A00_0000, 0x0AFF_FFFF)));
        assert_eq!(range("192.0.2.1"), Some((0xC000_0201, 0xC000_0201)));
        assert_eq!(range("default"), None);
        assert_eq!(range("0.0.0.0/0"), None);
        assert_eq!(network(Ipv4Addr::new(10, 9, 8, 0), false).gateway, "10.9.8.1");
        assert_eq!(network(Ipv4Addr::new(10, 9, 8, 0), true).nameserver.as_deref(), Some("10.9.8.3"));
    }
}
