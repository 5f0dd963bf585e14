//! Network cards and the addresses that cloud-init gives them.

use super::check::{self, is_on, key, property};
use super::{PropertyError, PropertyString};

fn address4(text: &str) -> bool {
    matches!(text, "dhcp" | "manual") || check::cidr4(text)
}

fn address6(text: &str) -> bool {
    matches!(text, "auto" | "dhcp" | "manual") || check::cidr6(text)
}

fn vlans(text: &str) -> bool {
    text.split(';').all(|part| match part.split_once('-') {
        Some((from, to)) => check::vlan(from) && check::vlan(to),
        None => check::vlan(part),
    })
}

const LXC: &[check::Key] = &[
    key("hwaddr", "a card address such as BC:24:11:00:00:01", check::mac),
    key("ip", "an address with its length, `dhcp` or `manual`", address4),
    key("gw", "an IPv4 address", check::ip4),
    key("ip6", "an address with its length, `auto`, `dhcp` or `manual`", address6),
    key("gw6", "an IPv6 address", check::ip6),
    key("firewall", "0 or 1", check::flag),
    key("link_down", "0 or 1", check::flag),
    key("host-managed", "0 or 1", check::flag),
    key("tag", "a VLAN from 1 to 4094", check::vlan),
    key("trunks", "VLANs with `;` between them", vlans),
    key("mtu", "a number from 64 to 65535", |text| text.parse::<u16>().is_ok_and(|mtu| mtu >= 64)),
    key("type", "veth", |text| text == "veth"),
];

property!(
    /// A network card of a container (`net0` …).
    LxcNet,
    default None,
    keys LXC,
    also |list| if list.get("name").is_some() { Ok(()) } else { Err(PropertyError::Missing("name")) }
);

impl LxcNet {
    /// A card by its name inside the container, on a bridge.
    pub fn new(name: &str, bridge: &str) -> Self {
        let mut list = PropertyString::default();
        list.set("name", name);
        list.set("bridge", bridge);
        Self(list)
    }

    /// The card's name inside the container.
    pub fn name(&self) -> &str {
        self.0.get("name").unwrap_or_default()
    }

    /// The bridge or virtual network.
    pub fn bridge(&self) -> Option<&str> {
        self.0.get("bridge")
    }

    /// `dhcp`, `manual` or the address with its length.
    pub fn ip(&self) -> Option<&str> {
        self.0.get("ip")
    }

    /// The gateway.
    pub fn gateway(&self) -> Option<&str> {
        self.0.get("gw")
    }

    /// The card's address.
    pub fn mac(&self) -> Option<&str> {
        self.0.get("hwaddr")
    }

    /// The VLAN.
    pub fn tag(&self) -> Option<u16> {
        self.0.get("tag")?.parse().ok()
    }

    /// Whether rules of the firewall reach this card.
    pub fn firewall(&self) -> bool {
        is_on(self.0.get("firewall"))
    }
}

const MODELS: [&str; 12] = [
    "virtio",
    "e1000",
    "e1000e",
    "rtl8139",
    "vmxnet3",
    "e1000-82540em",
    "e1000-82544gc",
    "e1000-82545em",
    "i82551",
    "i82557b",
    "i82559er",
    "ne2k_pci",
];

const QEMU: &[check::Key] = &[
    key("macaddr", "a card address such as BC:24:11:00:00:01", check::mac),
    key("firewall", "0 or 1", check::flag),
    key("link_down", "0 or 1", check::flag),
    key("tag", "a VLAN from 1 to 4094", check::vlan),
    key("trunks", "VLANs with `;` between them", vlans),
    key("mtu", "a number from 1 to 65520", |text| {
        text.parse::<u16>().is_ok_and(|mtu| (1..=65520).contains(&mtu))
    }),
    key("queues", "a number from 0 to 64", |text| text.parse::<u8>().is_ok_and(|queues| queues <= 64)),
    key("model", "a model of a card such as virtio", |text| MODELS.contains(&text)),
];

fn has_model(list: &PropertyString) -> Result<(), PropertyError> {
    let model = MODELS.iter().find_map(|model| Some((*model, list.get(model)?)));
    match model {
        Some((_, address)) if check::mac(address) => Ok(()),
        Some((model, address)) => Err(PropertyError::Value {
            key: model.to_owned(),
            value: address.to_owned(),
            wants: "a card address such as BC:24:11:00:00:01",
        }),
        None if list.get_or_bare("model").is_some() => Ok(()),
        None => Err(PropertyError::Missing("model")),
    }
}

property!(
    /// A network card of a virtual machine (`net0` …). The model is written `virtio`, `model=virtio` or `virtio=ADDRESS`.
    QemuNet,
    default Some("model"),
    keys QEMU,
    also has_model
);

impl QemuNet {
    /// A card of a model on a bridge.
    pub fn new(model: &str, bridge: &str) -> Self {
        let mut list = PropertyString::default();
        list.set_bare(model);
        list.set("bridge", bridge);
        Self(list)
    }

    /// The model, however it is written.
    pub fn model(&self) -> Option<&str> {
        self.0.get_or_bare("model").or_else(|| MODELS.into_iter().find(|model| self.0.get(model).is_some()))
    }

    /// The card's address, however it is written.
    pub fn mac(&self) -> Option<&str> {
        self.0.get("macaddr").or_else(|| MODELS.iter().find_map(|model| self.0.get(model)))
    }

    /// The bridge or virtual network.
    pub fn bridge(&self) -> Option<&str> {
        self.0.get("bridge")
    }

    /// The VLAN.
    pub fn tag(&self) -> Option<u16> {
        self.0.get("tag")?.parse().ok()
    }

    /// Whether rules of the firewall reach this card.
    pub fn firewall(&self) -> bool {
        is_on(self.0.get("firewall"))
    }
}

const IPCONFIG: &[check::Key] = &[
    key("ip", "an address with its length or `dhcp`", |text| text == "dhcp" || check::cidr4(text)),
    key("gw", "an IPv4 address", check::ip4),
    key("ip6", "an address with its length, `auto` or `dhcp`", |text| {
        matches!(text, "auto" | "dhcp") || check::cidr6(text)
    }),
    key("gw6", "an IPv6 address", check::ip6),
];

property!(
    /// The address that cloud-init gives a card of a virtual machine (`ipconfig0` …).
    IpConfig,
    default None,
    keys IPCONFIG,
    also |list| match (list.get("gw"), list.get("ip")) {
        (Some(_), None) => Err(PropertyError::Missing("ip")),
        _ => Ok(()),
    }
);

impl IpConfig {
    /// An address by DHCP.
    pub fn dhcp() -> Self {
        let mut list = PropertyString::default();
        list.set("ip", "dhcp");
        Self(list)
    }

    /// `dhcp` or the address with its length.
    pub fn ip(&self) -> Option<&str> {
        self.0.get("ip")
    }

    /// The gateway.
    pub fn gateway(&self) -> Option<&str> {
        self.0.get("gw")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_of_a_container_keeps_keys_of_newer_releases() {
        let text = "name=eth0,bridge=vmbr0,gw=10.0.2.2,hwaddr=BC:24:11:C3:5C:9D,host-managed=1,newer=x,ip=10.0.2.100/24,type=veth";
        let net: LxcNet = text.parse().unwrap();
        assert_eq!((net.name(), net.bridge(), net.gateway()), ("eth0", Some("vmbr0"), Some("10.0.2.2")));
        assert_eq!(net.to_string(), text);
    }

    #[test]
    fn a_card_is_refused_with_the_key_that_is_wrong() {
        assert_eq!("bridge=vmbr0".parse::<LxcNet>().unwrap_err(), PropertyError::Missing("name"));
        assert_eq!("eth0,bridge=vmbr0".parse::<LxcNet>().unwrap_err(), PropertyError::NoKey("eth0".into()));
        for text in
            ["name=eth0,ip=10.0.0.1", "name=eth0,tag=4095", "name=eth0,hwaddr=x", "name=eth0,ip6=dhcp4"]
        {
            assert!(matches!(text.parse::<LxcNet>(), Err(PropertyError::Value { .. })), "{text}");
        }
    }

    #[test]
    fn three_ways_to_write_the_model() {
        for (text, mac) in [
            ("virtio,bridge=vmbr0", None),
            ("model=virtio,macaddr=BC:24:11:00:00:01,bridge=vmbr0", Some("BC:24:11:00:00:01")),
            ("virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1", Some("BC:24:11:00:00:01")),
        ] {
            let net: QemuNet = text.parse().unwrap();
            assert_eq!((net.model(), net.mac(), net.to_string().as_str()), (Some("virtio"), mac, text));
        }
        assert!("bridge=vmbr0".parse::<QemuNet>().is_err());
    }

    #[test]
    fn addresses_of_cloud_init() {
        let config: IpConfig = "ip=10.0.2.115/24,gw=10.0.2.2".parse().unwrap();
        assert_eq!((config.ip(), config.gateway()), (Some("10.0.2.115/24"), Some("10.0.2.2")));
        assert_eq!("gw=10.0.2.2".parse::<IpConfig>().unwrap_err(), PropertyError::Missing("ip"));
        assert_eq!(IpConfig::dhcp().to_string(), "ip=dhcp");
    }
}
