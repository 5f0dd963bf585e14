//! The bridge and the address.

use std::net::IpAddr;

use plimsoll_config::{Address, Guest, Target};

use super::storage::lacks;
use crate::Place;
use crate::check::Check;
use crate::look::Seen;

pub(super) fn bridge(target: &Target, seen: &Seen) -> Option<Check> {
    const NAME: &str = "bridge";
    let (work, new) = match (&seen.work, &target.guest) {
        (Some(work), Guest::Vm(new) | Guest::Lxc(new) | Guest::Oci(new)) => (work, new),
        _ => return None,
    };
    let wanted = new.network.bridge.as_str();
    let all = match &seen.network {
        Ok(all) => all,
        Err(error) => return Some(Check::unknown(NAME, error.clone())),
    };
    let is_bridge = |kind: &str| kind.to_ascii_lowercase().contains("bridge") || kind == "vnet";
    Some(match all.iter().find(|one| one.iface == wanted) {
        Some(one) if !is_bridge(&one.kind) => {
            Check::failed(NAME, format!("{wanted} is no bridge but `{}`", one.kind))
                .fix("correct `network.bridge`")
        }
        Some(one) if !one.active => Check::failed(NAME, format!("{wanted} is down"))
            .fix("bring it up, on the node, as root:")
            .commands(vec![format!("ifup {wanted}")]),
        Some(one) => {
            let cidr =
                one.cidr.as_ref().map(|cidr| format!(", the node is {cidr} there")).unwrap_or_default();
            Check::fine(NAME, format!("{wanted} is up{cidr}"))
        }
        // A node lists bridges that the token may use.
        None if lacks(seen, work, Place::Card) || new.network.vlan.is_some() => {
            Check::unknown(NAME, format!("the token may not see the bridge {wanted}"))
        }
        None => {
            let names = all.iter().filter(|one| is_bridge(&one.kind)).map(|one| one.iface.as_str());
            let names: Vec<&str> = names.collect();
            let others = if names.is_empty() {
                String::new()
            } else {
                format!("; the token sees {}", names.join(", "))
            };
            Check::failed(NAME, format!("there is no bridge {wanted} on {}{others}", work.node))
                .fix("correct `network.bridge`")
        }
    })
}

/// What came back from an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// A host that speaks SSH is there.
    Somebody,
    /// Something answers: a host without SSH, or a firewall on the way.
    Something,
    /// Nobody answered.
    Nobody,
    /// It was not tried.
    NotTried,
}

/// The address of a guest: whether it fits its network, and whether it is free where the guest is not there yet.
#[must_use]
pub fn address(target: &Target, seen: Option<&Seen>, is_there: bool, echo: Echo) -> Option<Check> {
    const NAME: &str = "address";
    let new = match &target.guest {
        Guest::Vm(new) | Guest::Lxc(new) | Guest::Oci(new) => new,
        Guest::Adopt(_) => return None,
    };
    let Address::Fixed { ip, prefix } = new.network.address else {
        return Some(Check::fine(NAME, "the network gives it (DHCP)"));
    };
    let wrong =
        |evidence: String| Some(Check::failed(NAME, evidence).fix("correct `network` in `plimsoll.yaml`"));
    if is_end(ip, prefix) {
        return wrong(format!(
            "{ip} is the first or the last address of its network and names the network itself"
        ));
    }
    if let Some(gateway) = new.network.gateway {
        if gateway == ip {
            return wrong(format!("{ip} is also the gateway"));
        }
        if !same(ip, gateway, prefix) {
            return wrong(format!("the gateway {gateway} is outside {ip}/{prefix}"));
        }
    }
    if !is_there && echo == Echo::Somebody {
        return Some(
            Check::failed(NAME, format!("somebody else has {ip}"))
                .fix("give a free address: neither in use nor in the range that DHCP gives out"),
        );
    }
    let bridge = seen.and_then(|seen| seen.network.as_ref().ok()).into_iter().flatten();
    let bridge = bridge.into_iter().find(|one| one.iface == new.network.bridge && new.network.vlan.is_none());
    let node = bridge.and_then(|one| one.cidr.as_deref()).and_then(|cidr| {
        let (ip, prefix) = cidr.split_once('/')?;
        Some((ip.parse::<IpAddr>().ok()?, prefix.parse::<u8>().ok()?))
    });
    if let Some((theirs, length)) = node
        && theirs.is_ipv4() == ip.is_ipv4()
    {
        if theirs == ip {
            return wrong(format!("{ip} is the node's own address"));
        }
        if !same(ip, theirs, length) {
            return Some(
                Check::warning(
                    NAME,
                    format!("{ip} is not in the network of {}, {theirs}/{length}", new.network.bridge),
                )
                .fix("correct `network.address` unless that bridge carries several networks"),
            );
        }
    }
    Some(match (is_there, echo) {
        (true, _) => Check::fine(NAME, format!("{ip}/{prefix} is the guest's")),
        (false, Echo::Something) => {
            Check::warning(NAME, format!("something answers at {ip}, a host or a firewall"))
                .fix("make sure that nobody has the address, and that DHCP does not give it out")
        }
        (false, Echo::Nobody) => Check::fine(NAME, format!("nobody answers at {ip}/{prefix}")),
        (false, _) => Check::unknown(NAME, format!("whether {ip}/{prefix} is free was not tried")),
    })
}

fn bits(ip: IpAddr) -> (u128, u32) {
    match ip {
        IpAddr::V4(ip) => (u128::from(u32::from(ip)), 32),
        IpAddr::V6(ip) => (u128::from(ip), 128),
    }
}

/// Whether two addresses are in one network.
fn same(a: IpAddr, b: IpAddr, prefix: u8) -> bool {
    let ((a, width), (b, other)) = (bits(a), bits(b));
    let host = width.saturating_sub(u32::from(prefix));
    width == other && a.checked_shr(host).unwrap_or_default() == b.checked_shr(host).unwrap_or_default()
}

/// Whether an IPv4 address names the network or everybody in it.
fn is_end(ip: IpAddr, prefix: u8) -> bool {
    let IpAddr::V4(ip) = ip else { return false };
    if prefix >= 31 {
        return false;
    }
    let mask = u32::MAX.checked_shr(u32::from(prefix)).unwrap_or_default();
    let host = u32::from(ip) & mask;
    host == 0 || host == mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_told_apart() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(same(ip("10.0.1.5"), ip("10.0.1.254"), 24) && !same(ip("10.0.1.5"), ip("10.0.2.1"), 24));
        assert!(same(ip("fd00::5"), ip("fd00::1"), 64) && !same(ip("fd00::5"), ip("10.0.0.1"), 64));
        assert!(same(ip("10.0.1.5"), ip("99.0.1.5"), 0));
        assert!(is_end(ip("10.0.1.0"), 24) && is_end(ip("10.0.1.255"), 24) && !is_end(ip("10.0.1.0"), 16));
        assert!(!is_end(ip("10.0.0.0"), 31) && !is_end(ip("fd00::"), 64));
    }
}
