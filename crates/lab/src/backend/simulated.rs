//! Guests without processes.

use super::interface::{Address, Backend, GuestSpec, Operation, Progress};

/// Guests without processes: they start when they are told to, and have the addresses that their configuration says.
#[derive(Debug, Default)]
pub struct Simulated;

impl Backend for Simulated {
    fn name(&self) -> &'static str {
        "simulated"
    }

    fn limits(&self) -> Vec<&'static str> {
        vec![
            "nothing runs inside a guest: no SSH, no Docker, no program",
            "disks hold only what the guest agent wrote",
        ]
    }

    fn begin(&mut self, _: Operation) -> u64 {
        0
    }

    fn poll(&mut self, _: u64) -> Progress {
        Progress::Done(Vec::new())
    }

    fn addresses(&mut self, guest: &GuestSpec) -> Vec<Address> {
        let nets = guest.config.iter().filter_map(|(key, value)| Some((key.strip_prefix("net")?, value)));
        nets.filter_map(|(number, value)| address(guest, number, value)).collect()
    }

    fn clean(&mut self) {}
}

fn address(guest: &GuestSpec, number: &str, net: &str) -> Option<Address> {
    let list: plimsoll_pve::property::PropertyString = net.parse().ok()?;
    let number: u32 = number.parse().ok()?;
    let (interface, mac, ip) = if guest.container {
        (list.get("name")?.to_owned(), list.get("hwaddr")?.to_owned(), list.get("ip")?.to_owned())
    } else {
        let net: plimsoll_pve::property::QemuNet = net.parse().ok()?;
        let config = guest.config.get(&format!("ipconfig{number}"));
        let config: Option<plimsoll_pve::property::IpConfig> = config.and_then(|text| text.parse().ok());
        let ip = config.as_ref().and_then(|config| config.ip()).unwrap_or("dhcp").to_owned();
        (format!("eth{number}"), net.mac()?.to_owned(), ip)
    };
    let cidr = match ip.as_str() {
        "dhcp" => lease(guest.vmid, number),
        "manual" => return None,
        fixed => fixed.to_owned(),
    };
    Some(Address { interface, mac, cidr })
}

/// The address that the lab's network hands out: always the same for the same card.
fn lease(vmid: u32, number: u32) -> String {
    let host = (vmid + number * 1009) % 65_000 + 256;
    format!("10.99.{}.{}/16", host / 256, host % 256)
}
