//! Flags of containers, and the order in which guests start.

use super::PropertyString;
use super::check::{self, is_on, key, property};

const FEATURES: &[check::Key] = &[
    key("nesting", "0 or 1", check::flag),
    key("keyctl", "0 or 1", check::flag),
    key("fuse", "0 or 1", check::flag),
    key("mknod", "0 or 1", check::flag),
    key("force_rw_sys", "0 or 1", check::flag),
];

property!(
    /// What a container may do beyond the usual (`features`). Only `nesting` is open to others than `root@pam` with a password.
    Features,
    default None,
    keys FEATURES,
    also |_| Ok(())
);

impl Features {
    /// Containers inside the container, which also systemd of current distributions needs.
    pub fn nesting() -> Self {
        let mut list = PropertyString::default();
        list.set("nesting", "1");
        Self(list)
    }

    /// Whether a flag is on.
    pub fn has(&self, flag: &str) -> bool {
        is_on(self.0.get(flag))
    }

    /// Keys that only `root@pam` with a password may set, whatever their value.
    pub fn root_only(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|(key, _)| key).filter(|key| *key != "nesting")
    }
}

const STARTUP: &[check::Key] = &[
    key("order", "a number", |text| text.parse::<u32>().is_ok()),
    key("up", "a number of seconds", |text| text.parse::<u32>().is_ok()),
    key("down", "a number of seconds", |text| text.parse::<u32>().is_ok()),
];

property!(
    /// When the guest starts with its node (`startup`).
    Startup,
    default Some("order"),
    keys STARTUP,
    also |_| Ok(())
);

impl Startup {
    /// The guest's place in the order.
    pub fn order(&self) -> Option<u32> {
        self.0.get_or_bare("order")?.parse().ok()
    }

    /// Seconds to wait before the next guest starts.
    pub fn up(&self) -> Option<u32> {
        self.0.get("up")?.parse().ok()
    }

    /// Seconds that the guest gets to stop.
    pub fn down(&self) -> Option<u32> {
        self.0.get("down")?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_only_root_sets() {
        let features: Features = "nesting=1,keyctl=0,mount=nfs;cifs".parse().unwrap();
        assert!(features.has("nesting") && !features.has("keyctl"));
        assert_eq!(features.root_only().collect::<Vec<_>>(), ["keyctl", "mount"]);
        assert!("nesting".parse::<Features>().is_err());
        assert!("nesting=maybe".parse::<Features>().is_err());
    }

    #[test]
    fn the_order_may_stand_alone() {
        assert_eq!("3,up=10".parse::<Startup>().unwrap().order(), Some(3));
        assert_eq!("order=3,up=10".parse::<Startup>().unwrap().up(), Some(10));
        assert!("order=first".parse::<Startup>().is_err());
    }
}
