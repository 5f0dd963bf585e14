//! Proxmox property strings: `name=eth0,bridge=vmbr0,ip=dhcp` and `local-lvm:8,ssd=1`.

/// A property string taken apart, in order.
///
/// Format: `PVE::JSONSchema::parse_property_string`; the first part without `=` belongs to the default key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    parts: Vec<(Option<String>, String)>,
}

impl Properties {
    /// Takes a property string apart.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let parts = text
            .split([',', ';'])
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| match part.split_once('=') {
                Some((key, value)) => (Some(key.trim().to_owned()), value.trim().to_owned()),
                None => (None, part.to_owned()),
            })
            .collect();
        Self { parts }
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.parts.iter().find(|(name, _)| name.as_deref() == Some(key)).map(|(_, value)| value.as_str())
    }

    /// The value of the default key (`rootfs`'s volume, for one).
    #[must_use]
    pub fn default(&self) -> Option<&str> {
        self.parts.iter().find(|(name, _)| name.is_none()).map(|(_, value)| value.as_str())
    }

    /// Whether a key holds a true value.
    #[must_use]
    pub fn is_on(&self, key: &str) -> bool {
        matches!(self.get(key), Some("1" | "true" | "yes" | "on"))
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        self.parts.iter().map(|(key, value)| (key.as_deref(), value.as_str()))
    }
}
