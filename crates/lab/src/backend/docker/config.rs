//! A guest's configuration in Docker's words (docker-run(1)).

use std::collections::BTreeMap;

use crate::backend::lxc::config::{address, cards, mounts, refusal as common};
use crate::backend::{GuestSpec, Network};

/// What the words depend on besides the guest.
pub(super) struct Surroundings<'a> {
    pub(super) name: &'a str,
    /// The lab's network, which has the lab's label as its name in the engine.
    pub(super) network: &'a Network,
    pub(super) label: &'a str,
    /// Addresses of cards that ask for one.
    pub(super) leases: &'a BTreeMap<u32, String>,
    /// Whether the SSH server gets a port on the loopback interface.
    pub(super) published: bool,
    /// Processors of the engine's machine.
    pub(super) processors: u32,
    pub(super) capabilities: &'a [&'static str],
    pub(super) labels: &'a [String],
    pub(super) image: &'a str,
}

/// What a guest of this backend cannot have, in words.
pub(super) fn refusal(spec: &GuestSpec, network: &Network) -> Option<String> {
    if let Some(text) = common(spec, network) {
        return Some(text);
    }
    let cards = cards(spec);
    if cards.len() > 1 {
        return Some("a guest in Docker has one card; do without the others".to_owned());
    }
    let start = network.gateway.rsplit_once('.').map_or("", |(start, _)| start);
    for (number, card) in &cards {
        if card.get("name").is_some_and(|name| name != "eth0") {
            return Some(format!("net{number}: the card of a guest in Docker is called eth0"));
        }
        if card.get("ip6").is_some_and(|ip| ip.contains('/')) {
            return Some(format!("net{number}: the network of guests in Docker has no IPv6"));
        }
        if let Some(ip) = card.get("ip").filter(|ip| ip.contains('/')) {
            let near = ip.strip_prefix(start).and_then(|rest| rest.strip_prefix('.')?.split_once('/'));
            if !near.is_some_and(|(last, length)| last.parse::<u8>().is_ok() && length == "24") {
                return Some(format!("net{number}: {ip} is not in the lab's network {}", network.subnet));
            }
        }
    }
    let bad = |path: &str| {
        let relative = path.trim_start_matches('/');
        relative.is_empty()
            || relative.split('/').any(|part| part == "..")
            || relative.contains(char::is_whitespace)
    };
    let bad = mounts(spec).into_iter().find(|(_, path)| bad(path));
    bad.map(|(key, path)| format!("{key}: mp={path} cannot be mounted"))
}

/// The words behind `docker run`.
pub(super) fn words(spec: &GuestSpec, around: &Surroundings<'_>) -> Result<Vec<String>, String> {
    if let Some(text) = refusal(spec, around.network) {
        return Err(text);
    }
    let get = |key: &str| spec.config.get(key).map(String::as_str);
    let mut words: Vec<String> = Vec::new();
    let mut put = |pair: [&str; 2]| words.extend(pair.map(str::to_owned));
    put(["--name", around.name]);
    put(["--hostname", get("hostname").unwrap_or("CT")]);
    put(["--mount", &super::engine::mount(around.name, "/guest", around.labels)]);
    put(["--cap-drop", "ALL"]);
    for capability in around.capabilities {
        put(["--cap-add", capability]);
    }
    for option in ["seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"] {
        put(["--security-opt", option]);
    }
    // A tunnel and file systems by programs, which the engine in the guest and its containers ask for.
    for device in ["c 10:200 rwm", "c 10:229 rwm"] {
        put(["--device-cgroup-rule", device]);
    }
    put(["--cgroupns", "private"]);
    // What systemd(1) takes as the order to end.
    put(["--stop-signal", "SIGRTMIN+3"]);
    // systemd asks who made its container (https://systemd.io/CONTAINER_INTERFACE).
    put(["--env", "container=docker"]);
    put(["--env", "SCRIPT"]);
    limits(spec, around.processors, &mut put);
    let card = cards(spec).into_iter().find(|(_, card)| card.get("link_down") != Some("1"));
    let (mut gateway, mut bare) = (None, true);
    match &card {
        // A card whose cable is unplugged is none.
        None => put(["--network", "none"]),
        Some((number, card)) => {
            put(["--network", around.label]);
            // Set inside: programs and engines of different age disagree on how it is said (API 1.44).
            put(["--env", &format!("MAC={}", card.get("hwaddr").unwrap_or_default())]);
            if let Some(ip) = address(*number, card, around.leases) {
                bare = false;
                put(["--ip", ip.split('/').next().unwrap_or_default()]);
            }
            let leased = (card.get("ip") == Some("dhcp")).then(|| around.network.gateway.clone());
            gateway = card.get("gw").map(str::to_owned).or(leased);
            if around.published {
                // Answers find their way by the route that the engine set.
                gateway = Some(around.network.gateway.clone());
                put(["--publish", "127.0.0.1::22"]);
            }
        }
    }
    put(["--env", &format!("GATEWAY={}", gateway.unwrap_or_default())]);
    put(["--env", if bare { "BARE=1" } else { "BARE=" }]);
    words.extend(around.labels.iter().cloned());
    words.extend(
        [around.image, "/usr/bin/busybox", "sh", "-c", "eval \"$SCRIPT\"", "guest"].map(str::to_owned),
    );
    words.extend(
        mounts(spec).into_iter().flat_map(|(key, path)| [key, path.trim_start_matches('/').to_owned()]),
    );
    Ok(words)
}

/// Memory and processors, which the engine's control groups keep to.
fn limits(spec: &GuestSpec, processors: u32, put: &mut impl FnMut([&str; 2])) {
    let number = |key: &str| spec.config.get(key).and_then(|text| text.parse::<f64>().ok());
    let megabytes = spec.config.get("memory").and_then(|text| text.parse::<u64>().ok()).unwrap_or(512);
    put(["--memory", &format!("{megabytes}m")]);
    let cores = number("cores").unwrap_or_else(|| f64::from(processors));
    let share = number("cpulimit").filter(|limit| *limit > 0.0).map_or(cores, |limit| limit.min(cores));
    if share < f64::from(processors) {
        put(["--cpus", &format!("{share:.2}")]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(config: &[(&str, &str)]) -> GuestSpec {
        let config = config.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        GuestSpec { vmid: 105, container: true, config }
    }

    fn written(config: &[(&str, &str)], published: bool) -> Result<String, String> {
        let text = str::to_owned;
        let network = Network {
            bridge: text("vmbr0"),
            subnet: text("10.9.8.0/24"),
            gateway: text("10.9.8.1"),
            machine: text("10.9.8.1"),
            nameserver: None,
        };
        let around = Surroundings {
            name: "lab-105",
            network: &network,
            label: "lab",
            leases: &BTreeMap::from([(0, text("10.9.8.100/24"))]),
            published,
            processors: 4,
            capabilities: &["CHOWN", "SYS_ADMIN"],
            labels: &[text("--label"), text("plimsoll.lab=lab")],
            image: "image:1",
        };
        words(&spec(config), &around).map(|words| words.join(" "))
    }

    #[test]
    fn a_guest_has_its_address_its_limits_and_its_disks() {
        let text = written(
            &[
                ("hostname", "web"),
                ("memory", "1024"),
                ("cores", "2"),
                ("mp0", "local-lvm:vm-105-disk-1,mp=/srv/data,size=8G"),
                ("net0", "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,ip=10.9.8.7/24,gw=10.9.8.1"),
            ],
            false,
        );
        let text = text.unwrap();
        for part in [
            "--hostname web",
            "--memory 1024m",
            "--cpus 2.00",
            "--network lab --env MAC=BC:24:11:00:00:01 --ip 10.9.8.7 --env GATEWAY=10.9.8.1 --env BARE= ",
            "--label plimsoll.lab=lab image:1 ",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(text.ends_with(" guest mp0 srv/data") && !text.contains("--privileged"), "{text}");
        assert!(!text.contains("--publish"));
    }

    #[test]
    fn a_card_asks_for_an_address_or_has_none_or_no_cable() {
        let leased = written(&[("net0", "name=eth0,bridge=vmbr0,ip=dhcp")], true).unwrap();
        assert!(leased.contains("--ip 10.9.8.100") && leased.contains("--publish 127.0.0.1::22"), "{leased}");
        let bare = written(&[("net0", "name=eth0,bridge=vmbr0")], false).unwrap();
        assert!(bare.contains("--env GATEWAY= --env BARE=1"), "{bare}");
        let unplugged = written(&[("net0", "name=eth0,bridge=vmbr0,link_down=1")], true).unwrap();
        assert!(unplugged.contains("--network none") && !unplugged.contains("--publish"), "{unplugged}");
    }

    #[test]
    fn what_docker_cannot_show_is_refused() {
        for (config, word) in [
            (&[("mp0", "/etc,mp=/x")][..], "folder"),
            (&[("mp1", "local-lvm:vm-105-disk-1,mp=/../x")], "cannot be mounted"),
            (&[("net0", "name=eth0,bridge=vmbr0,ip=10.9.7.7/24")], "not in the lab's network"),
            (&[("net0", "name=eth0,bridge=vmbr0,ip=10.9.8.7/16")], "not in the lab's network"),
            (&[("net0", "name=lan0,bridge=vmbr0")], "eth0"),
            (&[("net0", "name=eth0,bridge=vmbr7")], "vmbr7"),
            (&[("net0", "name=eth0,bridge=vmbr0"), ("net1", "name=eth1,bridge=vmbr0")], "one card"),
        ] {
            let error = written(config, false).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
