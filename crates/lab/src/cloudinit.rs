//! What the node tells a machine at its start by its cloud-init drive (PVE::QemuServer::Cloudinit, for NoCloud).

use std::collections::BTreeMap;

use plimsoll_pve::property::{IpConfig, PropertyString, QemuNet};
use sha2::{Digest as _, Sha256};

type Config = BTreeMap<String, String>;

/// The label by which cloud-init knows the image.
const LABEL: &str = "cidata";

/// `user-data`.
pub(crate) fn user(config: &Config, name: &str) -> String {
    let get = |key: &str| config.get(key);
    let mut text = format!("#cloud-config\nhostname: {name}\nmanage_etc_hosts: true\nfqdn: {name}\n");
    text.extend(get("ciuser").map(|user| format!("user: {user}\n")));
    let is_root = get("ciuser").is_some_and(|user| user == "root");
    if is_root {
        text.push_str("disable_root: False\n");
    }
    text.extend(get("cipassword").map(|password| format!("password: {password}\n")));
    if let Some(keys) = get("sshkeys") {
        text.push_str("ssh_authorized_keys:\n");
        text.extend(crate::http::decode(keys, false).lines().map(|key| format!("  - {key}\n")));
    }
    text.push_str("chpasswd:\n  expire: False\n");
    if !is_root {
        text.push_str("users:\n  - default\n");
    }
    if get("ciupgrade").is_none_or(|flag| flag != "0") {
        text.push_str("package_upgrade: true\n");
    }
    text
}

/// `network-config`, version 1.
pub(crate) fn network(config: &Config) -> String {
    let mut text = "version: 1\nconfig:\n".to_owned();
    for (key, value) in config.iter().filter(|(key, _)| key.starts_with("ipconfig")) {
        let number = key.trim_start_matches("ipconfig");
        text.push_str(&format!("    - type: physical\n      name: eth{number}\n"));
        let card: Option<QemuNet> = config.get(&format!("net{number}")).and_then(|net| net.parse().ok());
        if let Some(mac) = card.as_ref().and_then(|card| card.mac()) {
            text.push_str(&format!("      mac_address: '{}'\n", mac.to_lowercase()));
        }
        text.push_str("      subnets:\n");
        let ip: IpConfig = value.parse().unwrap_or_else(|_| IpConfig::dhcp());
        match ip.ip() {
            Some("dhcp") => text.push_str("      - type: dhcp4\n"),
            Some(fixed) => {
                let (address, length) = fixed.split_once('/').unwrap_or((fixed, "32"));
                text.push_str(&format!(
                    "      - type: static\n        address: '{address}'\n        netmask: '{}'\n",
                    mask(length)
                ));
                text.extend(ip.gateway().map(|gateway| format!("        gateway: '{gateway}'\n")));
            }
            None => {}
        }
        let six: PropertyString = value.parse().unwrap_or_default();
        match six.get("ip6") {
            Some("dhcp") => text.push_str("      - type: dhcp6\n"),
            Some("auto") => text.push_str("      - type: ipv6_slaac\n"),
            Some(fixed) => {
                text.push_str(&format!("      - type: static6\n        address: '{fixed}'\n"));
                text.extend(six.get("gw6").map(|gateway| format!("        gateway: '{gateway}'\n")));
            }
            None => {}
        }
    }
    let words =
        |key: &str| config.get(key).map(|text| text.split([' ', ',', ';']).filter(|word| !word.is_empty()));
    let (servers, domains) = (words("nameserver"), words("searchdomain"));
    if servers.is_some() || domains.is_some() {
        text.push_str("    - type: nameserver\n");
        for (key, found) in [("address", servers), ("search", domains)] {
            let Some(found) = found else { continue };
            text.push_str(&format!("      {key}:\n"));
            text.extend(found.map(|word| format!("      - '{word}'\n")));
        }
    }
    text
}

/// `meta-data`: the instance is another one when what it is told changes.
pub(crate) fn meta(config: &Config, name: &str) -> String {
    let digest = Sha256::digest(format!("{}{}", user(config, name), network(config)));
    let id: String = digest.iter().take(20).map(|byte| format!("{byte:02x}")).collect();
    format!("instance-id: {id}\n")
}

/// The drive.
pub(crate) fn image(config: &Config, name: &str) -> Vec<u8> {
    let files = [
        ("meta-data", meta(config, name)),
        ("network-config", network(config)),
        ("user-data", user(config, name)),
    ];
    plimsoll_pve::iso::image(LABEL, &files)
}

/// `255.255.255.0` of `24`.
fn mask(length: &str) -> String {
    let length: u32 = length.parse().unwrap_or(32).min(32);
    let bits = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    std::net::Ipv4Addr::from(bits).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_told_its_user_and_its_address() {
        let lines = [
            ("ciuser", "root"),
            ("sshkeys", "ssh-ed25519%20AAAA%20me"),
            ("ciupgrade", "0"),
            ("net0", "virtio=02:00:00:00:00:AB,bridge=vmbr0"),
            ("ipconfig0", "ip=10.0.0.5/24,gw=10.0.0.1,ip6=auto"),
            ("nameserver", "10.0.0.1"),
        ];
        let config: Config =
            lines.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let user = user(&config, "web");
        assert!(user.starts_with("#cloud-config\nhostname: web\n"), "{user}");
        assert!(
            user.contains("disable_root: False\n") && user.contains("  - ssh-ed25519 AAAA me\n"),
            "{user}"
        );
        assert!(!user.contains("users:") && !user.contains("package_upgrade"), "{user}");
        let network = network(&config);
        for words in [
            "mac_address: '02:00:00:00:00:ab'",
            "address: '10.0.0.5'\n        netmask: '255.255.255.0'\n        gateway: '10.0.0.1'",
            "type: ipv6_slaac",
            "- type: nameserver\n      address:\n      - '10.0.0.1'",
        ] {
            assert!(network.contains(words), "{words}: {network}");
        }
        assert_eq!((mask("0"), mask("32")), ("0.0.0.0".to_owned(), "255.255.255.255".to_owned()));
        assert_ne!(meta(&config, "web"), meta(&Config::new(), "web"));
        assert_eq!(image(&config, "web").len() % 2048, 0);
    }
}
