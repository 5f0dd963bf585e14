//! What guests are made of. One interface: the simulated guests of this file, and real ones of other backends.

use std::collections::BTreeMap;

/// A guest as a backend sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestSpec {
    /// Its number.
    pub vmid: u32,
    /// Whether it is a container; else it is a virtual machine.
    pub container: bool,
    /// Its configuration.
    pub config: BTreeMap<String, String>,
}

/// An address that a guest has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The interface inside the guest.
    pub interface: String,
    /// The card's address.
    pub mac: String,
    /// The address with its length.
    pub cidr: String,
}

/// Where an operation stands that takes its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It still runs.
    Running,
    /// It is done; these lines belong into the log.
    Done(Vec<String>),
    /// It failed.
    Failed(String),
}

/// What is asked of a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Make the guest from a template, an image or nothing.
    Create(GuestSpec),
    /// Start it.
    Start(GuestSpec),
    /// Stop it, asking it first where `ask` says so.
    Stop {
        /// The guest.
        vmid: u32,
        /// Whether it is asked.
        ask: bool,
    },
    /// Keep its disks under a name.
    Snapshot {
        /// The guest.
        vmid: u32,
        /// The name.
        name: String,
    },
    /// Take its disks back to what was kept under a name.
    Rollback {
        /// The guest.
        vmid: u32,
        /// The name.
        name: String,
    },
    /// Forget what was kept under a name.
    Forget {
        /// The guest.
        vmid: u32,
        /// The name.
        name: String,
    },
    /// Copy its disks for another guest.
    Copy {
        /// The guest.
        from: u32,
        /// The copy.
        to: GuestSpec,
    },
    /// Take it and its disks away.
    Destroy {
        /// The guest.
        vmid: u32,
    },
}

/// A maker of guests. Every call returns at once; what takes time is asked about with [`Backend::poll`].
pub trait Backend: Send {
    /// Its name, shown in every output that speaks of guests.
    fn name(&self) -> &'static str;

    /// What guests of this backend cannot show, for the documentation and for refusals.
    fn limits(&self) -> &'static [&'static str];

    /// Begins an operation. The number is for [`Backend::poll`].
    fn begin(&mut self, operation: Operation) -> u64;

    /// Where an operation stands.
    fn poll(&mut self, number: u64) -> Progress;

    /// Addresses that a running guest has.
    fn addresses(&mut self, guest: &GuestSpec) -> Vec<Address>;

    /// Takes away everything that the backend made, also what an earlier run left.
    fn clean(&mut self);
}

/// Guests without processes: they start when they are told to, and have the addresses that their configuration says.
#[derive(Debug, Default)]
pub struct Simulated;

impl Backend for Simulated {
    fn name(&self) -> &'static str {
        "simulated"
    }

    fn limits(&self) -> &'static [&'static str] {
        &[
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
