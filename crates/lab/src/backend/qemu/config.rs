//! A virtual machine's configuration in QEMU's words (qemu-system-x86_64(1)), as far as the node gives it the same hardware
//! (PVE::QemuServer::config_to_command).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use plimsoll_pve::property::{PropertyString, QemuNet};

use crate::backend::{GuestSpec, Network};
use crate::guest::volume_of;

/// What a drive holds when the machine starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Medium {
    /// A disk of the machine's own.
    Disk(PathBuf),
    /// An image to be read.
    Cdrom(PathBuf),
    /// Nothing.
    Empty,
}

/// What the command depends on besides the guest.
pub(super) struct Surroundings<'a> {
    /// The name of the process.
    pub(super) name: &'a str,
    /// The folder for its sockets.
    pub(super) home: &'a Path,
    /// Drives by option.
    pub(super) media: &'a BTreeMap<String, Medium>,
    /// Whether the emulator has the fault that makes Linux 6.12 fall over `cmpxchg16b`: releases before 8.
    pub(super) old: bool,
    /// The snapshot whose memory it goes on with.
    pub(super) resume: Option<&'a str>,
}

/// A card that is there, and its tap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Card {
    pub(super) number: u32,
    model: String,
    mac: String,
    /// Whether its cable is plugged in.
    pub(super) linked: bool,
}

impl Card {
    /// The name of its tap, which is its own in the lab's network.
    pub(super) fn tap(&self, vmid: u32) -> String {
        format!("tap{vmid}i{}", self.number)
    }
}

fn list(text: &str) -> PropertyString {
    text.parse().unwrap_or_default()
}

/// The name of an option and its number.
fn numbered(key: &str) -> Option<(&str, u32)> {
    let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
    Some((stem, key.get(stem.len()..)?.parse().ok()?))
}

/// Options that are drives, with their values.
pub(super) fn drives(spec: &GuestSpec) -> impl Iterator<Item = (&String, &String)> {
    let is_drive =
        |key: &str| numbered(key).is_some_and(|(stem, _)| matches!(stem, "scsi" | "virtio" | "sata" | "ide"));
    spec.config.iter().filter(move |(key, _)| is_drive(key))
}

pub(super) fn is_cdrom(value: &str) -> bool {
    list(value).get("media") == Some("cdrom")
}

/// Disks of its own, with their volumes.
pub(super) fn disks(spec: &GuestSpec) -> Vec<(String, String)> {
    let own = drives(spec).filter(|(_, value)| !is_cdrom(value));
    own.filter_map(|(key, value)| Some((key.clone(), volume_of(value)?))).collect()
}

/// Its cards, in order.
pub(super) fn cards(spec: &GuestSpec) -> Vec<Card> {
    let nets = spec.config.iter().filter_map(|(key, value)| {
        let ("net", number) = numbered(key)? else { return None };
        let net: QemuNet = value.parse().ok()?;
        let (model, mac) = (net.model()?.to_owned(), net.mac()?.to_owned());
        let linked = list(value).get("link_down") != Some("1");
        Some(Card { number, model, mac, linked })
    });
    let mut cards: Vec<Card> = nets.collect();
    cards.sort_by_key(|card| card.number);
    cards
}

/// Whether the agent's line is there.
pub(super) fn has_agent(spec: &GuestSpec) -> bool {
    spec.config.get("agent").is_some_and(|text| text.starts_with('1') || text.contains("enabled=1"))
}

/// Why a virtual machine cannot be shown.
pub(super) fn refusal(spec: &GuestSpec, network: &Network) -> Option<String> {
    for (key, value) in &spec.config {
        let (stem, bare) = (key.trim_end_matches(|c: char| c.is_ascii_digit()), list(value));
        let text = match stem {
            "args" | "hookscript" => "the lab runs nothing of a caller's on this machine",
            "hostpci" | "usb" | "virtiofs" | "parallel" => {
                "the lab gives no device and no folder of this machine to a guest"
            }
            "serial" if value != "socket" => {
                "the lab gives no device and no folder of this machine to a guest"
            }
            "efidisk" | "tpmstate" => "the lab has no UEFI and no TPM",
            "bios" if value != "seabios" => "the lab has no UEFI and no TPM",
            "ivshmem" | "vmstate" | "numa" if value.contains('/') => "the lab takes no path of this machine",
            "net" if bare.get("bridge").is_some_and(|bridge| bridge != network.bridge) => {
                return Some(format!("bridge '{}' does not exist", bare.get("bridge").unwrap_or_default()));
            }
            "net" if bare.get("tag").is_some() => "the lab's bridge has no VLANs",
            "scsi" | "virtio" | "sata" | "ide" if value.starts_with('/') => {
                "the lab gives no device and no folder of this machine to a guest"
            }
            _ => continue,
        };
        return Some(format!("{key}: {text}"));
    }
    None
}

/// The arguments of the emulator.
pub(super) fn arguments(spec: &GuestSpec, around: &Surroundings<'_>) -> Result<Vec<String>, String> {
    let get = |key: &str| spec.config.get(key).map(String::as_str);
    let number = |key: &str, otherwise: u32| get(key).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let file = |name: &str| quoted(&around.home.join(name));
    let mut out: Vec<String> = Vec::new();
    let mut put = |words: &[&str]| out.extend(words.iter().map(|word| (*word).to_owned()));
    put(&["-name", &quoted_text(around.name), "-pidfile", &around.home.join("pid").display().to_string()]);
    put(&["-nodefaults", "-no-user-config", "-display", "none", "-vga", "std"]);
    let machine = get("machine").map(list).unwrap_or_default();
    let q35 = machine.get_or_bare("type").is_some_and(|kind| kind.contains("q35"));
    put(&["-machine", if q35 { "q35" } else { "pc" }]);
    put(&["-accel", "tcg,thread=multi,tb-size=512"]);
    put(&["-cpu", if around.old { "max,cx16=off" } else { "max" }]);
    put(&["-smp", &number("cores", 1).saturating_mul(number("sockets", 1)).max(1).to_string()]);
    let memory = get("memory").map(list).unwrap_or_default();
    put(&["-m", memory.get_or_bare("current").unwrap_or("512")]);
    if let Some(uuid) = get("smbios1").map(list).as_ref().and_then(|smbios| smbios.get("uuid")) {
        put(&["-uuid", uuid]);
    }
    put(&["-chardev", &format!("socket,id=monitor,path={},server=on,wait=off", file("monitor"))]);
    put(&["-mon", "chardev=monitor,mode=control"]);
    if get("serial0").is_some() {
        put(&["-serial", &format!("file:{}", around.home.join("console").display())]);
    }
    if has_agent(spec) {
        put(&["-device", "virtio-serial-pci,id=serials"]);
        put(&["-chardev", &format!("socket,id=agent,path={},server=on,wait=off", file("agent"))]);
        put(&["-device", "virtserialport,bus=serials.0,chardev=agent,name=org.qemu.guest_agent.0"]);
    }
    let scsi = match get("scsihw").unwrap_or("lsi") {
        "virtio-scsi-pci" | "virtio-scsi-single" => "virtio-scsi-pci",
        "lsi" => "lsi53c895a",
        "lsi53c810" => "lsi53c810",
        "megasas" => "megasas",
        "pvscsi" => "pvscsi",
        other => return Err(format!("scsihw: '{other}' is not known")),
    };
    let has = |stem: &str| around.media.keys().any(|key| numbered(key).is_some_and(|(of, _)| of == stem));
    if has("scsi") {
        put(&["-device", &format!("{scsi},id=scsihw0")]);
    }
    if has("sata") {
        put(&["-device", "ich9-ahci,id=ahci0"]);
    }
    let order = boot_order(spec, around.media);
    for (key, medium) in around.media {
        let Some((stem, number)) = numbered(key) else { continue };
        let what = match medium {
            Medium::Disk(path) => {
                format!("file={},format=qcow2,cache=unsafe,discard=unmap", quoted(path))
            }
            Medium::Cdrom(path) => format!("file={},format=raw,media=cdrom,readonly=on", quoted(path)),
            Medium::Empty => "media=cdrom".to_owned(),
        };
        put(&["-drive", &format!("if=none,id=drive-{key},{what}")]);
        let kind = if matches!(medium, Medium::Disk(_)) { "hd" } else { "cd" };
        let device = match stem {
            "virtio" => "virtio-blk-pci".to_owned(),
            "scsi" if scsi.starts_with("virtio") => {
                format!("scsi-{kind},bus=scsihw0.0,channel=0,scsi-id=0,lun={number}")
            }
            "scsi" => format!("scsi-{kind},bus=scsihw0.0,scsi-id={number}"),
            "sata" => format!("ide-{kind},bus=ahci0.{number}"),
            // Its own controller, with one drive on each cable.
            _ if q35 => format!("ide-{kind},bus=ide.{number},unit=0"),
            _ => format!("ide-{kind},bus=ide.{},unit={}", number / 2, number % 2),
        };
        let place = order.iter().position(|other| other == key).map(|at| format!(",bootindex={}", 100 + at));
        let place = place.unwrap_or_default();
        put(&["-device", &format!("{device},drive=drive-{key},id={key}{place}")]);
    }
    for card in cards(spec) {
        let model = match card.model.as_str() {
            "virtio" => "virtio-net-pci",
            "e1000" | "e1000e" | "rtl8139" | "vmxnet3" => &card.model,
            other => return Err(format!("net{}: the lab has no card '{other}'", card.number)),
        };
        let number = card.number;
        let tap = card.tap(spec.vmid);
        put(&["-netdev", &format!("tap,id=wire{number},ifname={tap},script=no,downscript=no")]);
        put(&["-device", &format!("{model},id=net{number},netdev=wire{number},mac={},romfile=", card.mac)]);
    }
    if let Some(name) = around.resume {
        put(&["-loadvm", name]);
    }
    Ok(out)
}

/// Drives in the order in which they are tried: as `boot` says, else disks first.
fn boot_order(spec: &GuestSpec, media: &BTreeMap<String, Medium>) -> Vec<String> {
    let said = spec.config.get("boot").and_then(|text| list(text).get("order").map(str::to_owned));
    if let Some(order) = said {
        return order.split([';', ' ']).map(str::to_owned).collect();
    }
    let (disks, others): (Vec<_>, Vec<_>) =
        media.iter().partition(|(_, medium)| matches!(medium, Medium::Disk(_)));
    disks.into_iter().chain(others).map(|(key, _)| key.clone()).collect()
}

/// A path in a list of options, where a comma is said twice.
fn quoted(path: &Path) -> String {
    quoted_text(&path.display().to_string())
}

fn quoted_text(text: &str) -> String {
    text.replace(',', ",,")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(lines: &[(&str, &str)]) -> GuestSpec {
        let config = lines.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        GuestSpec { vmid: 105, container: false, config }
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

    fn said(spec: &GuestSpec, media: &[(&str, Medium)]) -> Result<String, String> {
        let media = media.iter().map(|(key, medium)| ((*key).to_owned(), medium.clone())).collect();
        let home = Path::new("/lab/a,b");
        let around = Surroundings { name: "plimsoll-1-105", home, media: &media, old: true, resume: None };
        Ok(arguments(spec, &around)?.join(" "))
    }

    #[test]
    fn a_machine_has_the_hardware_that_its_configuration_says() {
        let spec = spec(&[
            ("cores", "2"),
            ("sockets", "2"),
            ("memory", "2048"),
            ("scsihw", "virtio-scsi-single"),
            ("scsi0", "local-lvm:vm-105-disk-0,size=8G"),
            ("ide2", "local:iso/seed.iso,media=cdrom"),
            ("net0", "virtio=02:00:00:00:00:01,bridge=vmbr0,link_down=1"),
            ("boot", "order=scsi0"),
            ("agent", "enabled=1"),
            ("serial0", "socket"),
            ("smbios1", "uuid=6e5b2f42-2d53-4ab3-8bb9-5a0a3fd1a9f1"),
        ]);
        assert_eq!(refusal(&spec, &network()), None);
        let disk = Medium::Disk("/lab/a,b/disk".into());
        let said = said(&spec, &[("scsi0", disk), ("ide2", Medium::Cdrom("/lab/seed".into()))]).unwrap();
        for words in [
            "-smp 4 ",
            "-m 2048 ",
            "-cpu max,cx16=off ",
            "-pidfile /lab/a,b/pid ",
            "file=/lab/a,,b/disk,format=qcow2",
            "scsi-hd,bus=scsihw0.0,channel=0,scsi-id=0,lun=0,drive=drive-scsi0,id=scsi0,bootindex=100",
            "ide-cd,bus=ide.1,unit=0,drive=drive-ide2",
            "ifname=tap105i0,",
            "virtio-net-pci,id=net0,netdev=wire0,mac=02:00:00:00:00:01",
            "name=org.qemu.guest_agent.0",
            "-uuid 6e5b",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
        assert!(!said.contains("loadvm"));
        assert!(!cards(&spec)[0].linked);
        assert_eq!(disks(&spec), [("scsi0".to_owned(), "local-lvm:vm-105-disk-0".to_owned())]);
    }

    #[test]
    fn what_cannot_be_shown_is_refused_by_its_name() {
        for (key, value) in [
            ("args", "-device x"),
            ("hostpci0", "01:00"),
            ("bios", "ovmf"),
            ("efidisk0", "local-lvm:1"),
            ("net0", "virtio=02:00:00:00:00:01,bridge=vmbr9"),
            ("net0", "virtio=02:00:00:00:00:01,bridge=vmbr0,tag=7"),
            ("scsi1", "/dev/sda"),
            ("serial0", "/dev/ttyS0"),
        ] {
            assert!(refusal(&spec(&[(key, value)]), &network()).is_some(), "{key}: {value}");
        }
        let odd = said(&spec(&[("scsihw", "x"), ("scsi0", "a:b")]), &[]);
        assert_eq!(odd, Err("scsihw: 'x' is not known".to_owned()));
    }
}
