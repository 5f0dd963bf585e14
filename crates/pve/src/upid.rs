//! Names of tasks.

use std::fmt;
use std::str::FromStr;

/// The name of a task: `UPID:node:pid:pstart:starttime:type:id:user:` (pve-common, `UPID.pm`).
///
/// The text is kept as the node gave it; the parts are read from it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Upid {
    text: String,
    /// Node that runs the task, and the one to ask about it.
    pub node: String,
    /// Process that runs it.
    pub pid: u32,
    /// Start of that process in ticks since the node booted.
    pub pstart: u64,
    /// Start of the task, seconds since 1970.
    pub starttime: u64,
    /// `vzcreate`, `qmstart`, `vzdump` …
    pub kind: String,
    /// What it works on, usually the number of a guest; empty for some.
    pub id: String,
    /// Who started it, `user@realm` or `user@realm!token`.
    pub user: String,
}

/// Text that names no task.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no task name (UPID:node:pid:pstart:starttime:type:id:user:)")]
pub struct UpidError(String);

impl Upid {
    /// A task of its parts.
    pub fn new(node: &str, pid: u32, pstart: u64, starttime: u64, kind: &str, id: &str, user: &str) -> Self {
        Self {
            text: format!("UPID:{node}:{pid:08X}:{pstart:08X}:{starttime:08X}:{kind}:{id}:{user}:"),
            node: node.to_owned(),
            pid,
            pstart,
            starttime,
            kind: kind.to_owned(),
            id: id.to_owned(),
            user: user.to_owned(),
        }
    }

    /// The text as the node wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Upid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Upid {
    type Err = UpidError;

    fn from_str(text: &str) -> Result<Self, UpidError> {
        parse(text).ok_or_else(|| UpidError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Upid> {
    let rest = text.strip_prefix("UPID:")?.strip_suffix(':')?;
    let parts: Vec<&str> = rest.split(':').collect();
    let [node, pid, pstart, starttime, kind, id, user] = parts.as_slice() else { return None };
    let named = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace) && !text.contains('/');
    let hex = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        (lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then(|| u64::from_str_radix(text, 16).ok())
            .flatten()
    };
    let is_node = node.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !node.starts_with('-')
        && !node.ends_with('-');
    if !named(node) || !is_node || !named(kind) || user.is_empty() || user.contains(char::is_whitespace) {
        return None;
    }
    if id.contains(char::is_whitespace) {
        return None;
    }
    Some(Upid {
        text: text.to_owned(),
        node: (*node).to_owned(),
        pid: u32::try_from(hex(pid, 8..=8)?).ok()?,
        pstart: hex(pstart, 8..=9)?,
        starttime: hex(starttime, 8..=8)?,
        kind: (*kind).to_owned(),
        id: (*id).to_owned(),
        user: (*user).to_owned(),
    })
}

impl<'de> serde::Deserialize<'de> for Upid {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Upid;

    #[test]
    fn parts_are_read_and_the_text_is_kept() {
        let text = "UPID:pve1:0000107E:00036FA9:6B0382D6:vzcreate:120:deploy@pve!ci:";
        let upid: Upid = text.parse().unwrap();
        assert_eq!((upid.node.as_str(), upid.pid, upid.kind.as_str()), ("pve1", 4222, "vzcreate"));
        assert_eq!((upid.id.as_str(), upid.user.as_str()), ("120", "deploy@pve!ci"));
        assert_eq!(upid.to_string(), text);
        assert_eq!(
            Upid::new("pve1", 4222, 0x0003_6FA9, 0x6B03_82D6, "vzcreate", "120", "deploy@pve!ci"),
            upid
        );
    }

    #[test]
    fn tasks_of_no_guest_have_an_empty_id() {
        let upid: Upid = "UPID:pve1:000004E5:00010CC0:6B037CBA:imgcopy::root@pam:".parse().unwrap();
        assert_eq!(upid.id, "");
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "",
            "OK",
            "UPID:bogus",
            "UPID:pve1:000004E5:00010CC0:6B037CBA:imgcopy::root@pam",
            "UPID:-pve:000004E5:00010CC0:6B037CBA:imgcopy::root@pam:",
            "UPID:pve1:4E5:00010CC0:6B037CBA:imgcopy::root@pam:",
            "UPID:pve1:000004E5:00010CC0:6B037CBA:::root@pam:",
        ] {
            assert!(text.parse::<Upid>().is_err(), "{text}");
        }
    }
}
