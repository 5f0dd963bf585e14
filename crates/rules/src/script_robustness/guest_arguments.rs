//! The grammar of `pct` and `qm`.

use plimsoll_model::commands::{Arg, Command};
use plimsoll_model::guests::Properties;
use plimsoll_text::Place;

/// An argument that its program refuses, or reads in another way than it looks.
pub(super) struct Refused {
    pub place: Place,
    pub message: String,
    pub help: String,
}

/// Options of `pct create` and `pct set` (`PVE::API2::LXC`, `PVE::API2::LXC::Config`); `N` stands for a number.
const PCT: &[&str] = &[
    "arch",
    "bwlimit",
    "cmode",
    "console",
    "cores",
    "cpulimit",
    "cpuunits",
    "debug",
    "delete",
    "description",
    "devN",
    "digest",
    "entrypoint",
    "env",
    "features",
    "force",
    "ha-managed",
    "hookscript",
    "hostname",
    "ignore-unpack-errors",
    "lock",
    "memory",
    "mpN",
    "nameserver",
    "netN",
    "onboot",
    "ostemplate",
    "ostype",
    "password",
    "pool",
    "protection",
    "restore",
    "revert",
    "rootfs",
    "searchdomain",
    "ssh-public-keys",
    "start",
    "startup",
    "storage",
    "swap",
    "tags",
    "template",
    "timezone",
    "tty",
    "unique",
    "unprivileged",
    "unusedN",
    "vmid",
];

/// Options of `qm create` and `qm set` (`PVE::API2::Qemu`, `PVE::QemuServer`).
const QM: &[&str] = &[
    "acpi",
    "affinity",
    "agent",
    "allow-ksm",
    "amd-sev",
    "arch",
    "archive",
    "args",
    "audioN",
    "autostart",
    "background_delay",
    "balloon",
    "bios",
    "boot",
    "bootdisk",
    "bwlimit",
    "cdrom",
    "cicustom",
    "cipassword",
    "citype",
    "ciupgrade",
    "ciuser",
    "cores",
    "cpu",
    "cpulimit",
    "cpuunits",
    "delete",
    "description",
    "digest",
    "efidiskN",
    "force",
    "freeze",
    "ha-managed",
    "hookscript",
    "hostpciN",
    "hotplug",
    "hugepages",
    "ideN",
    "import-working-storage",
    "intel-tdx",
    "ipconfigN",
    "ivshmem",
    "keephugepages",
    "keyboard",
    "kvm",
    "live-restore",
    "localtime",
    "lock",
    "machine",
    "memory",
    "migrate_downtime",
    "migrate_speed",
    "name",
    "nameserver",
    "netN",
    "numa",
    "numaN",
    "onboot",
    "ostype",
    "parallelN",
    "pool",
    "protection",
    "reboot",
    "revert",
    "rngN",
    "running-nets-host-mtu",
    "sataN",
    "scsiN",
    "scsihw",
    "searchdomain",
    "serialN",
    "shares",
    "skiplock",
    "smbiosN",
    "smp",
    "sockets",
    "spice_enhancements",
    "sshkeys",
    "start",
    "startdate",
    "startup",
    "storage",
    "tablet",
    "tags",
    "tdf",
    "template",
    "tpmstateN",
    "unique",
    "unusedN",
    "usbN",
    "vcpus",
    "vga",
    "virtioN",
    "virtiofsN",
    "vmgenid",
    "vmid",
    "vmstatestorage",
    "watchdog",
];

/// What a command asks of `pct` or `qm` that they refuse.
pub(super) fn refused(command: &Command) -> Vec<Refused> {
    let known: &[&str] = match command.program.as_str() {
        "pct" => PCT,
        "qm" => QM,
        _ => return Vec::new(),
    };
    if !(command.is(&command.program, &["create"]) || command.is(&command.program, &["set"])) {
        return Vec::new();
    }
    let is_container = command.program == "pct";
    let mut found = Vec::new();
    for (index, arg) in command.args.iter().enumerate() {
        let text = arg.value.text.as_str();
        let Some(written) = text.strip_prefix("--").or_else(|| text.strip_prefix('-')) else { continue };
        let (name, joined) = written.split_once('=').map_or((written, None), |(a, b)| (a, Some(b)));
        if name.len() < 2 || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
            continue;
        }
        let value = match joined {
            Some(value) => Some((value, arg)),
            None => command.args.get(index + 1).map(|next| (next.value.text.as_str(), next)),
        };
        let base = name.trim_end_matches(|c: char| c.is_ascii_digit());
        if !known.iter().any(|option| option.trim_end_matches('N').starts_with(base)) {
            found.push(Refused {
                place: arg.place,
                message: format!("`{} {}` has no option `--{name}`", command.program, verb(command)),
                help: format!("see `{} help {} --verbose` for the options", command.program, verb(command)),
            });
            continue;
        }
        let Some((value, at)) = value.filter(|(value, _)| is_plain(value)) else { continue };
        found.extend(disk(base, value, at));
        found.extend(number(base, value, at));
        found.extend(nic(is_container, base, value, at));
        found.extend(address(base, value, at));
    }
    if is_container && command.is("pct", &["create"]) {
        found.extend(command.operands().nth(2).and_then(|arg| template(&arg.value.text, arg.place)));
    }
    found
}

fn verb(command: &Command) -> &str {
    command.operands().next().map_or("set", |arg| arg.value.text.as_str())
}

/// Whether all of a value is written out.
fn is_plain(value: &str) -> bool {
    !value.is_empty() && !value.contains(['$', '{', '<', '(', '['])
}

/// `storage:8G`: a new volume's size has no unit. Source: `NEW_DISK_RE` of `PVE::LXC` and `PVE::QemuServer::Drive`.
fn disk(option: &str, value: &str, arg: &Arg) -> Option<Refused> {
    if !matches!(option, "rootfs" | "mp" | "scsi" | "virtio" | "sata" | "ide" | "efidisk") {
        return None;
    }
    let properties = Properties::parse(value);
    let volume =
        properties.default().or_else(|| properties.get("volume")).or_else(|| properties.get("file"))?;
    let (_, size) = volume.split_once(':')?;
    let digits = size.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let has_unit = digits.len() < size.len()
        && size.len() - digits.len() <= 3
        && !digits.is_empty()
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    has_unit.then(|| Refused {
        place: arg.place,
        message: format!("`{size}` is no size of a new volume, so it is taken for the name of one"),
        help: format!(
            "leave the unit out: `{}` are GiB",
            volume.trim_end_matches(|c: char| c.is_ascii_alphabetic())
        ),
    })
}

fn number(option: &str, value: &str, arg: &Arg) -> Option<Refused> {
    let whole = matches!(option, "memory" | "swap" | "cores" | "balloon" | "sockets");
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let has_unit =
        digits.len() < value.len() && !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
    (whole && has_unit).then(|| Refused {
        place: arg.place,
        message: format!("`--{option}` takes a whole number, not `{value}`"),
        help: "write the number alone; memory and swap are in MiB".to_owned(),
    })
}

/// The parts of a NIC that have to be there (`name` of a container's, the model of a VM's).
fn nic(is_container: bool, option: &str, value: &str, arg: &Arg) -> Option<Refused> {
    if option != "net" {
        return None;
    }
    let properties = Properties::parse(value);
    let models = ["virtio", "e1000", "e1000e", "rtl8139", "vmxnet3", "i82551", "ne2k_pci", "pcnet"];
    let has_model = properties.get("model").is_some()
        || properties.iter().any(|(key, text)| models.contains(&key.unwrap_or(text)));
    let missing = if is_container {
        (properties.get("name").is_none()).then_some("name=eth0")
    } else {
        (!has_model).then_some("virtio")
    };
    missing.map(|part| Refused {
        place: arg.place,
        message: format!("the NIC lacks `{part}`, which has to be there"),
        help: format!("write `{part},{value}`"),
    })
}

/// `ip=10.0.0.5`: a static address needs its prefix. Source: the format `pve-ipv4-config`.
fn address(option: &str, value: &str, arg: &Arg) -> Option<Refused> {
    if !matches!(option, "net" | "ipconfig") {
        return None;
    }
    let properties = Properties::parse(value);
    let ip = properties.get("ip")?;
    let parts: Vec<&str> = ip.split('.').collect();
    let bare = parts.len() == 4 && parts.iter().all(|part| part.parse::<u8>().is_ok());
    bare.then(|| Refused {
        place: arg.place,
        message: format!("`ip={ip}` lacks the length of its network"),
        help: format!("write it with a prefix, such as `ip={ip}/24`"),
    })
}

/// A template that is no volume id (`storage:vztmpl/file`).
pub(super) fn template(value: &str, place: Place) -> Option<Refused> {
    let (storage, rest) = value.split_once(':')?;
    let is_name = !storage.is_empty()
        && storage.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && !matches!(storage, "http" | "https" | "file");
    let is_archive = [".tar.zst", ".tar.gz", ".tar.xz"].iter().any(|end| rest.ends_with(end));
    let is_volume = rest.starts_with("vztmpl/") || rest.starts_with("backup/") || rest.starts_with("import/");
    (is_name && is_archive && !is_volume && !rest.starts_with('$') && !rest.starts_with('{')).then(|| {
        let file = rest.rsplit('/').next().unwrap_or(rest);
        Refused {
            place,
            message: format!("`{value}` is no volume: a storage keeps its templates under `vztmpl/`"),
            help: format!("write `{storage}:vztmpl/{file}`"),
        }
    })
}
