//! How parameters are written.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::Secret;

/// Encodes everything but letters, digits and `-_.~`, which every part of a URL and of a form takes unchanged.
pub fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Parameters of a request, in the order in which they are sent. A list is a repeated name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    /// Adds a parameter.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.pairs.push((name.into(), value.into()));
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The form as the body of a request or the query of an address.
    pub fn to_form(&self) -> String {
        let mut out = String::new();
        for (name, value) in &self.pairs {
            if !out.is_empty() {
                out.push('&');
            }
            out.push_str(&percent_encode(name));
            out.push('=');
            out.push_str(&percent_encode(value));
        }
        out
    }
}

/// Names only: values may be secrets.
impl std::fmt::Debug for Params {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.pairs.iter().map(|(name, _)| name)).finish()
    }
}

/// A value that can be a parameter.
pub trait ToParam {
    /// Whether nothing may be written.
    const OPTIONAL: bool = false;

    /// Writes the value under `name`, or nothing when there is none.
    fn write(&self, name: &str, out: &mut Params);
}

macro_rules! displayed {
    ($($type:ty),*) => {$(
        impl ToParam for $type {
            fn write(&self, name: &str, out: &mut Params) {
                out.push(name, self.to_string());
            }
        }
    )*};
}

displayed!(String, u8, u16, u32, u64, i64, f64, crate::Vmid, crate::Upid, crate::api::GuestKind);
displayed!(
    crate::property::LxcNet,
    crate::property::QemuNet,
    crate::property::Mount,
    crate::property::Drive,
    crate::property::IpConfig,
    crate::property::Features,
    crate::property::Startup,
    crate::property::PropertyString
);

/// Forms take 1 and 0 only; `true` is refused.
impl ToParam for bool {
    fn write(&self, name: &str, out: &mut Params) {
        out.push(name, if *self { "1" } else { "0" });
    }
}

impl ToParam for Secret {
    fn write(&self, name: &str, out: &mut Params) {
        out.push(name, self.expose());
    }
}

impl<T: ToParam> ToParam for Option<T> {
    const OPTIONAL: bool = true;

    fn write(&self, name: &str, out: &mut Params) {
        if let Some(value) = self {
            value.write(name, out);
        }
    }
}

/// A list is a repeated name; an empty one is not sent.
impl<T: ToParam> ToParam for Vec<T> {
    fn write(&self, name: &str, out: &mut Params) {
        for value in self {
            value.write(name, out);
        }
    }
}

/// Numbered parameters such as `net0`: the name stands before the number.
impl<T: ToParam> ToParam for BTreeMap<u16, T> {
    const OPTIONAL: bool = true;

    fn write(&self, name: &str, out: &mut Params) {
        let stem = name.strip_suffix("[n]").unwrap_or(name);
        for (number, value) in self {
            value.write(&format!("{stem}{number}"), out);
        }
    }
}

/// Parameters by their own names, for options that have no field of their own.
impl<T: ToParam> ToParam for BTreeMap<String, T> {
    const OPTIONAL: bool = true;

    fn write(&self, _: &str, out: &mut Params) {
        for (name, value) in self {
            value.write(name, out);
        }
    }
}

/// A value that the node wants percent-encoded inside its parameter, such as `sshkeys` of a virtual machine. A form encodes it once
/// more. The public keys of a container (`ssh-public-keys`) are not encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlEncoded(pub String);

impl ToParam for UrlEncoded {
    fn write(&self, name: &str, out: &mut Params) {
        out.push(name, percent_encode(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_machine_are_encoded_twice_in_a_form() {
        let mut params = Params::default();
        UrlEncoded("ssh-ed25519 A+b/ me\n".to_owned()).write("sshkeys", &mut params);
        assert_eq!(params.iter().next(), Some(("sshkeys", "ssh-ed25519%20A%2Bb%2F%20me%0A")));
        assert_eq!(params.to_form(), "sshkeys=ssh-ed25519%2520A%252Bb%252F%2520me%250A");
    }

    #[test]
    fn numbered_parameters_lists_and_flags() {
        let mut params = Params::default();
        BTreeMap::from([(0, "a".to_owned()), (12, "b".to_owned())]).write("net[n]", &mut params);
        vec!["sh".to_owned(), "-c".to_owned()].write("command", &mut params);
        Some(true).write("start", &mut params);
        None::<bool>.write("force", &mut params);
        assert_eq!(params.to_form(), "net0=a&net12=b&command=sh&command=-c&start=1");
    }

    #[test]
    fn debug_hides_values() {
        let mut params = Params::default();
        params.push("password", "hunter2");
        assert_eq!(format!("{params:?}"), r#"["password"]"#);
    }
}
