//! A guest's configuration in LXC's words (lxc.container.conf(5)).

use std::collections::BTreeMap;
use std::path::Path;

use plimsoll_pve::property::PropertyString;

use super::machine::{FIRST_ID, IDS};
use crate::backend::{Address, GuestSpec, Network};

/// What the configuration depends on besides the guest.
pub(super) struct Surroundings<'a> {
    /// The name of the container.
    pub(super) name: &'a str,
    /// Where its disks are: folders `rootfs`, `mp0` and so on.
    pub(super) disks: &'a Path,
    /// The lab's network.
    pub(super) network: &'a Network,
    /// Addresses of cards that ask for one: number of the card and address.
    pub(super) leases: &'a BTreeMap<u32, String>,
    /// Whether the machine has control groups of version 1.
    pub(super) groups_v1: bool,
    /// Whether the machine's kernel has AppArmor.
    pub(super) apparmor: bool,
    /// Processors of the machine.
    pub(super) processors: u32,
}

pub(super) fn is_unprivileged(spec: &GuestSpec) -> bool {
    spec.config.get("unprivileged").is_some_and(|flag| flag == "1")
}

/// The user that the guest's root is on the machine.
pub(super) fn owner(spec: &GuestSpec) -> u32 {
    if is_unprivileged(spec) { FIRST_ID } else { 0 }
}

fn list(text: &str) -> PropertyString {
    text.parse().unwrap_or_default()
}

fn has_feature(spec: &GuestSpec, name: &str) -> bool {
    spec.config.get("features").is_some_and(|text| list(text).get(name) == Some("1"))
}

/// Cards by number.
pub(in crate::backend) fn cards(spec: &GuestSpec) -> Vec<(u32, PropertyString)> {
    let nets = spec
        .config
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix("net")?.parse().ok()?, list(value))));
    let mut cards: Vec<(u32, PropertyString)> = nets.collect();
    cards.sort_by_key(|(number, _)| *number);
    cards
}

/// Mount points by key, with the path in the guest.
pub(in crate::backend) fn mounts(spec: &GuestSpec) -> Vec<(String, String)> {
    let found = spec.config.iter().filter_map(|(key, value)| {
        let number = key.strip_prefix("mp")?;
        number.parse::<u32>().ok()?;
        Some((key.clone(), list(value).get("mp")?.to_owned()))
    });
    found.collect()
}

/// What a guest of the lab cannot have, in words.
pub(in crate::backend) fn refusal(spec: &GuestSpec, network: &Network) -> Option<String> {
    for (key, value) in &spec.config {
        let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
        let bare = list(value);
        let text = match stem {
            "mp" if bare.get_or_bare("volume").is_some_and(|volume| volume.starts_with('/')) => {
                "the lab mounts no folder of this machine into a guest"
            }
            "dev" => "the lab gives no device of this machine to a guest",
            "hookscript" => "the lab runs no hook script on this machine",
            "net" if bare.get("bridge").is_some_and(|bridge| bridge != network.bridge) => {
                return Some(format!("bridge '{}' does not exist", bare.get("bridge").unwrap_or_default()));
            }
            "net" if bare.get("tag").is_some() => "the lab's bridge has no VLANs",
            "rootfs" if bare.get("ro") == Some("1") => "the lab mounts no root file system for reading only",
            _ => continue,
        };
        return Some(format!("{key}: {text}"));
    }
    None
}

/// The address of a card, with its length; `None` where it has none of the lab's.
pub(in crate::backend) fn address(
    number: u32,
    card: &PropertyString,
    leases: &BTreeMap<u32, String>,
) -> Option<String> {
    match card.get("ip") {
        None | Some("manual") => None,
        Some("dhcp") => leases.get(&number).cloned(),
        Some(fixed) => Some(fixed.to_owned()),
    }
}

pub(in crate::backend) fn addresses(spec: &GuestSpec, leases: &BTreeMap<u32, String>) -> Vec<Address> {
    let cards = cards(spec);
    let found = cards.iter().filter_map(|(number, card)| {
        let interface = card.get("name")?.to_owned();
        let mac = card.get("hwaddr").unwrap_or_default().to_owned();
        Some(Address { interface, mac, cidr: address(*number, card, leases)? })
    });
    found.collect()
}

/// The whole file.
pub(super) fn text(spec: &GuestSpec, around: &Surroundings<'_>) -> Result<String, String> {
    if let Some(text) = refusal(spec, around.network) {
        return Err(text);
    }
    if let Some((key, _)) =
        spec.config.iter().find(|(key, value)| value.contains('\n') && *key != "description")
    {
        return Err(format!("{key}: a line break"));
    }
    let get = |key: &str| spec.config.get(key).map(String::as_str);
    let mut out = String::new();
    let mut put = |key: &str, value: &str| out.push_str(&format!("lxc.{key} = {value}\n"));
    put("include", "/usr/share/lxc/config/common.conf");
    let nesting = has_feature(spec, "nesting");
    if is_unprivileged(spec) {
        put("include", "/usr/share/lxc/config/userns.conf");
        for kind in ["u", "g"] {
            put("idmap", &format!("{kind} 0 {FIRST_ID} {IDS}"));
        }
        if nesting {
            put("mount.entry", "proc dev/.lxc/proc proc create=dir,optional 0 0");
            put("mount.entry", "sys dev/.lxc/sys sysfs create=dir,optional 0 0");
        }
    } else if nesting {
        put("include", "/usr/share/lxc/config/nesting.conf");
    }
    put("uts.name", get("hostname").unwrap_or(around.name));
    put("arch", "linux64");
    put("rootfs.path", &format!("dir:{}", around.disks.join("rootfs").display()));
    put("init.cmd", "/sbin/init");
    put("pty.max", "1024");
    put("apparmor.profile", if around.apparmor { "generated" } else { "unconfined" });
    if around.apparmor && nesting {
        put("apparmor.allow_nesting", "1");
    }
    // Else systemd mounts groups of version 1 itself, in another order than the machine has them, and Docker loses its limits.
    put("mount.auto", "cgroup:mixed:force");
    for (key, path) in mounts(spec) {
        let relative = path.trim_start_matches('/');
        if relative.is_empty()
            || relative.split('/').any(|part| part == "..")
            || relative.contains(char::is_whitespace)
        {
            return Err(format!("{key}: mp={path} cannot be mounted"));
        }
        let from = around.disks.join(&key);
        put("mount.entry", &format!("{} {relative} none bind,create=dir 0 0", from.display()));
    }
    limits(spec, around, &mut put);
    let cards = cards(spec);
    for (number, card) in &cards {
        let key = |name: &str| format!("net.{number}.{name}");
        put(&key("type"), "veth");
        put(&key("veth.pair"), &format!("veth{}i{number}", spec.vmid));
        // A card whose cable is unplugged is on no bridge.
        if card.get("link_down") != Some("1") {
            put(&key("flags"), "up");
            put(&key("link"), &around.network.bridge);
        }
        put(&key("name"), card.get("name").unwrap_or("eth0"));
        if let Some(mac) = card.get("hwaddr") {
            put(&key("hwaddr"), mac);
        }
        if let Some(address) = address(*number, card, around.leases) {
            put(&key("ipv4.address"), &address);
            let given = card.get("gw").map(str::to_owned);
            let leased =
                (card.get("ip") == Some("dhcp") && *number == 0).then(|| around.network.gateway.clone());
            if let Some(gateway) = given.or(leased) {
                put(&key("ipv4.gateway"), &gateway);
            }
        }
        if let Some(address) = card.get("ip6").filter(|address| address.contains('/')) {
            put(&key("ipv6.address"), address);
        }
        if let Some(gateway) = card.get("gw6") {
            put(&key("ipv6.gateway"), gateway);
        }
    }
    if cards.is_empty() {
        put("net.0.type", "empty");
    }
    Ok(out)
}

/// Memory and processors, which the machine's control groups keep to.
fn limits(spec: &GuestSpec, around: &Surroundings<'_>, put: &mut impl FnMut(&str, &str)) {
    let number = |key: &str| spec.config.get(key).and_then(|text| text.parse::<f64>().ok());
    let megabytes = spec.config.get("memory").and_then(|text| text.parse::<u64>().ok()).unwrap_or(512);
    let cores = number("cores").unwrap_or_else(|| f64::from(around.processors));
    let share = number("cpulimit").filter(|limit| *limit > 0.0).map_or(cores, |limit| limit.min(cores));
    let bounded = (share < f64::from(around.processors)).then(|| format!("{:.0}", share * 100_000.0));
    if around.groups_v1 {
        put("cgroup.memory.limit_in_bytes", &format!("{megabytes}M"));
        if let Some(quota) = bounded {
            put("cgroup.cpu.cfs_quota_us", &quota);
        }
        // Docker gives this device to every container by itself.
        put("cgroup.devices.allow", "c 10:200 rwm");
    } else {
        put("cgroup2.memory.max", &format!("{megabytes}M"));
        if let Some(quota) = bounded {
            put("cgroup2.cpu.max", &format!("{quota} 100000"));
        }
        put("cgroup2.devices.allow", "c 10:200 rwm");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(config: &[(&str, &str)]) -> GuestSpec {
        let config = config.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        GuestSpec { vmid: 105, container: true, config }
    }

    fn network() -> Network {
        let text = str::to_owned;
        Network {
            bridge: text("vmbr0"),
            subnet: text("10.9.8.0/24"),
            gateway: text("10.9.8.1"),
            machine: text("10.9.8.254"),
            nameserver: None,
        }
    }

    fn written(spec: &GuestSpec) -> Result<String, String> {
        let around = Surroundings {
            name: "lab-105",
            disks: Path::new("/lab/105"),
            network: &network(),
            leases: &BTreeMap::from([(0, "10.9.8.100/24".to_owned())]),
            groups_v1: true,
            apparmor: false,
            processors: 4,
        };
        text(spec, &around)
    }

    #[test]
    fn an_unprivileged_guest_has_users_of_its_own_its_address_and_its_limits() {
        let guest = spec(&[
            ("hostname", "web"),
            ("unprivileged", "1"),
            ("memory", "1024"),
            ("cores", "2"),
            ("mp0", "local-lvm:vm-105-disk-1,mp=/srv/data,size=8G"),
            ("net0", "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,ip=dhcp,type=veth"),
            ("net1", "name=eth1,bridge=vmbr0,ip=10.9.8.7/24,gw=10.9.8.1"),
        ]);
        let text = written(&guest).unwrap();
        for line in [
            "lxc.idmap = u 0 100000 65536",
            "lxc.uts.name = web",
            "lxc.net.0.ipv4.address = 10.9.8.100/24",
            "lxc.net.0.ipv4.gateway = 10.9.8.1",
            "lxc.net.1.ipv4.address = 10.9.8.7/24",
            "lxc.net.1.ipv4.gateway = 10.9.8.1",
            "lxc.cgroup.memory.limit_in_bytes = 1024M",
            "lxc.cgroup.cpu.cfs_quota_us = 200000",
            "lxc.mount.entry = /lab/105/mp0 srv/data none bind,create=dir 0 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("dev/.lxc"), "nesting was not asked for");
    }

    #[test]
    fn a_card_without_a_cable_is_on_no_bridge() {
        let text = written(&spec(&[("net0", "name=eth0,bridge=vmbr0,link_down=1")])).unwrap();
        assert!(text.contains("lxc.net.0.name = eth0") && !text.contains("lxc.net.0.link"), "{text}");
    }

    #[test]
    fn what_belongs_to_the_machine_is_refused() {
        for (key, value, word) in [
            ("mp0", "/etc,mp=/x", "folder"),
            ("dev0", "/dev/kvm", "device"),
            ("net0", "name=eth0,bridge=vmbr7", "vmbr7"),
            ("hookscript", "local:snippets/x", "hook"),
            ("hostname", "a\nlxc.hook.start = /bin/false", "line break"),
            ("mp1", "local-lvm:vm-105-disk-1,mp=/../x", "cannot be mounted"),
        ] {
            let error = written(&spec(&[(key, value)])).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn a_privileged_guest_nests_only_when_asked() {
        let plain = written(&spec(&[])).unwrap();
        assert!(!plain.contains("idmap") && !plain.contains("nesting.conf"));
        assert!(written(&spec(&[("features", "nesting=1")])).unwrap().contains("nesting.conf"));
    }
}
