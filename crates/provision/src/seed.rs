//! What a new virtual machine is told at its first start (NoCloud of cloud-init, version 1).
//!
//! YAML is a superset of JSON, so all of it is JSON.

use plimsoll_config::Address;
use plimsoll_pve::{Vmid, iso};
use plimsoll_remote::KeyPair;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::Wanted;

/// The label by which cloud-init knows the image.
const LABEL: &str = "cidata";

/// How images of ours begin, so that they can be told from those of other people.
pub(crate) const START: &str = "plimsoll-seed-";

/// The file's name on the storage: the machine's number, whose it is, and which one. Two clients at the same time make two files.
pub(crate) fn file(wanted: &Wanted, vmid: Vmid, pair: &KeyPair) -> String {
    format!("{START}{vmid}-{}-{}.iso", owner(wanted), short(&pair.public.to_string()))
}

/// Whether a file is a seed for this target, of whatever run.
pub(crate) fn is_of(wanted: &Wanted, file: &str) -> bool {
    let parts = file.strip_prefix(START).map(|rest| rest.split('-').collect::<Vec<_>>());
    matches!(parts.as_deref(), Some([_, of, _]) if *of == owner(wanted))
}

fn owner(wanted: &Wanted) -> String {
    short(&format!("{}\n{}\n{}", wanted.app, wanted.target, wanted.node))
}

fn short(text: &str) -> String {
    Sha256::digest(text).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// The address of the machine's card: said beforehand, so that the seed can name it. Of the range for local use.
pub(crate) fn card(wanted: &Wanted, vmid: Vmid) -> String {
    let digest = Sha256::digest(format!("{}\n{}\n{}\n{vmid}", wanted.app, wanted.target, wanted.node));
    let tail: Vec<String> = digest.iter().take(5).map(|byte| format!("{byte:02X}")).collect();
    format!("02:{}", tail.join(":"))
}

/// The whole image.
pub(crate) fn image(wanted: &Wanted, vmid: Vmid, pair: &KeyPair) -> Vec<u8> {
    let files = [
        (
            "meta-data",
            text(
                "",
                &json!({"instance-id": format!("plimsoll-{vmid}-{}", pair.public.fingerprint()), "local-hostname": wanted.name()}),
            ),
        ),
        ("network-config", text("", &network(wanted, &card(wanted, vmid)))),
        ("user-data", text("#cloud-config\n", &user(wanted, pair))),
    ];
    iso::image(LABEL, &files)
}

fn text(head: &str, value: &Value) -> String {
    format!("{head}{value:#}\n")
}

fn user(wanted: &Wanted, pair: &KeyPair) -> Value {
    let name = wanted.guest.user.as_str();
    let is_root = name == "root";
    let mut user = json!({"name": name, "ssh_authorized_keys": wanted.keys, "lock_passwd": true});
    if let (Some(map), false) = (user.as_object_mut(), is_root) {
        map.insert("shell".to_owned(), json!("/bin/bash"));
        map.insert("sudo".to_owned(), json!("ALL=(ALL) NOPASSWD:ALL"));
    }
    let mut config = json!({
        "hostname": wanted.name(),
        "manage_etc_hosts": true,
        "users": [user],
        "disable_root": !is_root,
        "ssh_pwauth": false,
        "ssh_deletekeys": true,
        "ssh_keys": {"ed25519_private": pair.private, "ed25519_public": pair.public.to_string()},
        "growpart": {"mode": "auto", "devices": ["/"]},
        "resize_rootfs": true,
        // Tells the guest's setup that this seed was read.
        "write_files": [{"path": "/var/lib/plimsoll-guest/seeded", "content": "1\n", "permissions": "0600"}],
    });
    // Without a fixed address the node learns it from the agent, which images do not bring along.
    if let (Some(map), Address::Dhcp) = (config.as_object_mut(), wanted.guest.network.address) {
        map.insert("package_update".to_owned(), json!(true));
        map.insert("packages".to_owned(), json!(["qemu-guest-agent"]));
        map.insert("runcmd".to_owned(), json!([["systemctl", "enable", "--now", "qemu-guest-agent"]]));
    }
    config
}

fn network(wanted: &Wanted, card: &str) -> Value {
    let network = &wanted.guest.network;
    let mut nic = json!({"match": {"macaddress": card.to_lowercase()}});
    if let Some(map) = nic.as_object_mut() {
        match wanted.cidr() {
            None => {
                map.insert("dhcp4".to_owned(), json!(true));
            }
            Some(cidr) => {
                map.insert("addresses".to_owned(), json!([cidr]));
                if let Some(gateway) = network.gateway {
                    let to = if gateway.is_ipv4() { "0.0.0.0/0" } else { "::/0" };
                    map.insert("routes".to_owned(), json!([{"to": to, "via": gateway}]));
                }
            }
        }
        // In a small network the gateway is the name server as well.
        let own: Vec<String> = network
            .dns
            .iter()
            .chain(network.gateway.iter().filter(|_| network.dns.is_empty()))
            .map(ToString::to_string)
            .collect();
        if !own.is_empty() {
            map.insert("nameservers".to_owned(), json!({"addresses": own}));
        }
    }
    json!({"version": 2, "ethernets": {"app": nic}})
}

#[cfg(test)]
mod tests {
    use plimsoll_remote::HostKey;

    use super::*;
    use crate::plan::tests::wanted;

    fn pair() -> KeyPair {
        let public = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
        KeyPair { private: "PRIVATE".to_owned(), public: HostKey::parse(public).unwrap() }
    }

    #[test]
    fn a_machine_learns_its_key_its_user_and_its_address() {
        let user = user(&wanted(), &pair());
        assert_eq!(user["ssh_keys"]["ed25519_private"], "PRIVATE");
        assert_eq!(user["users"][0]["name"], "plimsoll");
        assert_eq!((&user["ssh_pwauth"], &user["disable_root"]), (&json!(false), &json!(true)));
        assert!(user.get("packages").is_none(), "nothing is installed at the first start of a fixed address");
        let network = network(&wanted(), &card(&wanted(), Vmid(103)));
        let nic = &network["ethernets"]["app"];
        assert_eq!(nic["addresses"], json!(["10.0.0.5/24"]));
        assert_eq!(nic["routes"], json!([{"to": "0.0.0.0/0", "via": "10.0.0.1"}]));
        assert_eq!(nic["nameservers"]["addresses"], json!(["10.0.0.1"]));
    }

    #[test]
    fn a_card_is_local_and_the_same_every_time() {
        let one = card(&wanted(), Vmid(103));
        assert_eq!(one, card(&wanted(), Vmid(103)));
        assert_ne!(one, card(&wanted(), Vmid(104)));
        assert!(one.starts_with("02:") && one.len() == 17, "{one}");
    }

    #[test]
    fn root_is_not_made_anew_and_an_address_by_dhcp_needs_the_agent() {
        let mut wanted = wanted();
        wanted.guest.user = "root".to_owned();
        wanted.guest.network.address = Address::Dhcp;
        wanted.guest.network.gateway = None;
        let user = user(&wanted, &pair());
        assert_eq!((&user["disable_root"], user["users"][0].get("sudo")), (&json!(false), None));
        assert_eq!(user["packages"], json!(["qemu-guest-agent"]));
        assert_eq!(network(&wanted, "02:00:00:00:00:01")["ethernets"]["app"]["dhcp4"], true);
    }
}
