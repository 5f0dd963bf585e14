//! What the device nodes of a machine are.
//!
//! Types and major numbers: Linux, `Documentation/admin-guide/devices.txt`.

/// `b` for a block device, `c` for a character device.
pub(super) type Class = (char, u32);

const CLASSES: &[(&str, Class)] = &[
    ("sr", ('b', 11)),
    ("cdrom", ('b', 11)),
    ("sd", ('b', 8)),
    ("nvme", ('b', 259)),
    ("loop", ('b', 7)),
    ("nvidia", ('c', 195)),
    ("dri/", ('c', 226)),
    ("ttyUSB", ('c', 188)),
    ("ttyACM", ('c', 166)),
    ("ttyS", ('c', 4)),
    ("net/tun", ('c', 10)),
    ("kvm", ('c', 10)),
    ("input/", ('c', 13)),
    ("video", ('c', 81)),
    ("snd/", ('c', 116)),
    ("sg", ('c', 21)),
    ("bus/usb/", ('c', 189)),
];

/// The type and major number of a device node, for the common ones.
pub(super) fn class(path: &str) -> Option<Class> {
    let name = path.trim_start_matches('/').strip_prefix("dev/")?;
    if name.starts_with("nvidia-") {
        return None;
    }
    CLASSES.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, class)| *class)
}

/// The device that has this major number, but is of the other type.
pub(super) fn of_other_type(kind: char, major: u32) -> Option<&'static str> {
    // 7 is loop (block) and vcs (character) alike.
    let known = |wanted: bool| {
        CLASSES.iter().find(move |(_, class)| class.1 == major && (class.0 == kind) == wanted && major != 7)
    };
    known(true).is_none().then(|| known(false)).flatten().map(|(name, _)| *name)
}

/// Whether a device node is a disk (or a partition of one), a volume, or the SCSI access to one.
pub(super) fn is_disk(path: &str) -> bool {
    let Some(name) = path.trim_start_matches('/').strip_prefix("dev/") else { return false };
    let followed = |prefix: &str, next: fn(char) -> bool| {
        name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(next))
    };
    followed("sd", |c| c.is_ascii_lowercase())
        || followed("vd", |c| c.is_ascii_lowercase())
        || followed("sg", |c| c.is_ascii_digit())
        || followed("nvme", |c| c.is_ascii_digit())
        || followed("dm-", |c| c.is_ascii_digit())
        || name.starts_with("mapper/")
        || name.starts_with("disk/")
        || name.starts_with("zvol/")
        || name.starts_with("pve/")
}

/// A rule of `lxc.cgroup2.devices.allow` taken apart: type, major, minor, access.
pub(super) fn parse_rule(value: &str) -> Option<(char, Option<u32>, Option<u32>)> {
    let mut words = value.split_whitespace();
    let kind = words.next()?;
    let mut letters = kind.chars();
    let (letter, None) = (letters.next()?, letters.next()) else { return None };
    if letter == 'a' {
        return Some(('a', None, None));
    }
    if !matches!(letter, 'b' | 'c') {
        return None;
    }
    let (major, minor) = words.next()?.split_once(':')?;
    let number = |text: &str| match text {
        "*" => Some(None),
        digits => digits.parse().ok().map(Some),
    };
    // `m` alone only makes nodes and opens nothing.
    let access = words.next().unwrap_or("rwm");
    (access != "m").then_some(())?;
    Some((letter, number(major)?, number(minor)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_and_devices_are_told_apart() {
        assert_eq!(parse_rule("c 226:128 rwm"), Some(('c', Some(226), Some(128))));
        assert_eq!(parse_rule("a"), Some(('a', None, None)));
        assert_eq!(parse_rule("c *:* m"), None);
        assert_eq!(class("/dev/sr0"), Some(('b', 11)));
        assert_eq!(of_other_type('c', 11), Some("sr"));
        assert_eq!(of_other_type('c', 226), None);
        assert!(is_disk("/dev/sg0") && is_disk("/dev/nvme0n1"));
        assert!(!is_disk("/dev/dri/card0"));
    }
}
