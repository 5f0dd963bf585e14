//! What known keys take, and the boilerplate of the types.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::{PropertyError, PropertyString};

/// What a key takes.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) wants: &'static str,
    pub(crate) accepts: fn(&str) -> bool,
}

pub(crate) const fn key(name: &'static str, wants: &'static str, accepts: fn(&str) -> bool) -> Key {
    Key { name, wants, accepts }
}

pub(crate) fn verify(
    list: &PropertyString,
    default: Option<&str>,
    keys: &[Key],
) -> Result<(), PropertyError> {
    for (name, value) in list.iter() {
        let Some(name) = name.or(default) else { return Err(PropertyError::NoKey(value.to_owned())) };
        if let Some(known) = keys.iter().find(|known| known.name == name)
            && !(known.accepts)(value)
        {
            let (key, value) = (name.to_owned(), value.to_owned());
            return Err(PropertyError::Value { key, value, wants: known.wants });
        }
    }
    if let Some(default) = default
        && list.bare().is_some()
        && list.get(default).is_some()
    {
        return Err(PropertyError::Duplicate(default.to_owned()));
    }
    Ok(())
}

pub(crate) fn flag(text: &str) -> bool {
    matches!(text, "0" | "1" | "on" | "off" | "yes" | "no" | "true" | "false")
}

pub(crate) fn is_on(text: Option<&str>) -> bool {
    matches!(text, Some("1" | "on" | "yes" | "true"))
}

pub(crate) fn mac(text: &str) -> bool {
    let pairs: Vec<&str> = text.split(':').collect();
    let first = pairs.first().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    // The node refuses group addresses.
    pairs.len() == 6
        && pairs.iter().all(|pair| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit()))
        && first.is_some_and(|byte| byte & 1 == 0)
}

pub(crate) fn cidr4(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, length)| {
        address.parse::<Ipv4Addr>().is_ok()
            && length.parse::<u8>().is_ok_and(|length| (1..=32).contains(&length))
    })
}

pub(crate) fn cidr6(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, length)| {
        address.parse::<Ipv6Addr>().is_ok()
            && length.parse::<u8>().is_ok_and(|length| (1..=128).contains(&length))
    })
}

pub(crate) fn ip4(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok()
}

pub(crate) fn ip6(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}

pub(crate) fn vlan(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|tag| (1..=4094).contains(&tag))
}

/// The size of a volume: `8G`, `512M`, `1024` (bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(
    /// In bytes.
    pub u64,
);

const UNITS: [(u64, &str); 4] = [(1 << 40, "T"), (1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")];

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, letter) in UNITS {
            if self.0 >= unit && self.0.is_multiple_of(unit) {
                return write!(f, "{}{letter}", self.0 / unit);
            }
        }
        write!(f, "{}", self.0)
    }
}

impl FromStr for Size {
    type Err = PropertyError;

    fn from_str(text: &str) -> Result<Self, PropertyError> {
        let wrong =
            || PropertyError::Value { key: "size".into(), value: text.into(), wants: "a size such as 8G" };
        let (digits, unit) = match UNITS.iter().find(|(_, letter)| text.ends_with(letter)) {
            Some((unit, _)) => (text.get(..text.len() - 1).unwrap_or_default(), *unit),
            None => (text, 1),
        };
        let decimal = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
        if !decimal(whole) || !decimal(part) {
            return Err(wrong());
        }
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        let part: f64 = format!("0.{part}").parse().map_err(|_| wrong())?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a fraction of a unit"
        )]
        let fraction = (part * unit as f64) as u64;
        whole.checked_mul(unit).and_then(|bytes| bytes.checked_add(fraction)).map(Self).ok_or_else(wrong)
    }
}

/// The type around a [`PropertyString`]: reading checks the known keys, writing gives the text back.
macro_rules! property {
    ($(#[$doc:meta])* $name:ident, default $default:expr, keys $keys:expr, also $also:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(super::PropertyString);

        impl $name {
            /// The whole list, unknown keys included.
            pub fn list(&self) -> &super::PropertyString {
                &self.0
            }

            /// The whole list, to change what has no setter here.
            pub fn list_mut(&mut self) -> &mut super::PropertyString {
                &mut self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = super::PropertyError;

            fn from_str(text: &str) -> Result<Self, super::PropertyError> {
                let list: super::PropertyString = text.parse()?;
                super::check::verify(&list, $default, $keys)?;
                let check: fn(&super::PropertyString) -> Result<(), super::PropertyError> = $also;
                check(&list)?;
                Ok(Self(list))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
pub(crate) use property;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes, shown) in
            [("8G", 8 << 30, "8G"), ("512M", 512 << 20, "512M"), ("0.5G", 512 << 20, "512M"), ("7", 7, "7")]
        {
            let size: Size = text.parse().unwrap();
            assert_eq!((size.0, size.to_string().as_str()), (bytes, shown));
        }
        for text in ["", "G", "8g", "-1G", "1.G", "99999999999999999999T"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn group_addresses_are_no_card_addresses() {
        assert!(mac("BC:24:11:C3:5C:9D"));
        assert!(!mac("01:24:11:C3:5C:9D") && !mac("BC:24:11:C3:5C") && !mac("BC-24-11-C3-5C-9D"));
    }
}
