//! Host keys and pins.

use sha2::{Digest as _, Sha256};

/// A guest's public key as it stands in `ssh_host_*_key.pub`: algorithm and base64.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostKey {
    algorithm: String,
    blob: String,
}

/// What a guest must show before anything is sent to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pin {
    /// The key itself.
    Key(HostKey),
    /// Its fingerprint, `SHA256:…` as `ssh-keygen -l` prints it.
    Fingerprint(String),
}

/// A text that is neither a public key nor a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a public key (`ssh-ed25519 AAAA…`) nor a fingerprint (`SHA256:…`)")]
pub struct ParseHostKeyError(String);

impl HostKey {
    /// The algorithms by which a server proves that it has this key, for OpenSSH's `HostKeyAlgorithms`.
    pub(crate) fn algorithms(&self) -> &str {
        match self.algorithm.as_str() {
            "ssh-rsa" => "rsa-sha2-512,rsa-sha2-256",
            other => other,
        }
    }

    /// Reads `ALGORITHM BASE64 [comment]`.
    pub fn parse(text: &str) -> Result<Self, ParseHostKeyError> {
        let refused = || ParseHostKeyError(text.trim().to_owned());
        let mut words = text.split_whitespace();
        let (Some(algorithm), Some(blob)) = (words.next(), words.next()) else { return Err(refused()) };
        let known = ["ssh-", "ecdsa-", "sk-"].iter().any(|start| algorithm.starts_with(start));
        if !known || decode(blob).is_none_or(|bytes| bytes.len() < 16) {
            return Err(refused());
        }
        Ok(Self { algorithm: algorithm.to_owned(), blob: blob.to_owned() })
    }

    /// `SHA256:…`, as OpenSSH prints it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::digest(decode(&self.blob).unwrap_or_default());
        format!("SHA256:{}", encode(&digest))
    }

    /// A line of a known-hosts file.
    pub(crate) fn known_as(&self, name: &str) -> String {
        format!("{name} {} {}\n", self.algorithm, self.blob)
    }
}

impl std::fmt::Display for HostKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.algorithm, self.blob)
    }
}

impl Pin {
    /// Reads a public key or a fingerprint.
    pub fn parse(text: &str) -> Result<Self, ParseHostKeyError> {
        let text = text.trim();
        match text.strip_prefix("SHA256:") {
            Some(rest) if decode(rest).is_some_and(|bytes| bytes.len() == 32) => {
                Ok(Self::Fingerprint(text.trim_end_matches('=').to_owned()))
            }
            Some(_) => Err(ParseHostKeyError(text.to_owned())),
            None => HostKey::parse(text).map(Self::Key),
        }
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 without padding.
fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let index = (word >> (18 - 6 * place)) & 63;
            out.extend(ALPHABET.get(index as usize).map(|byte| char::from(*byte)));
        }
    }
    out
}

/// The bytes of base64 with or without padding; nothing for other text.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut word, mut bits) = (0u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let value = ALPHABET.iter().position(|known| *known == byte)?;
        word = word << 6 | u32::try_from(value).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from((word >> bits) & 255).ok()?);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f guest";

    #[test]
    fn base64_goes_there_and_back() {
        for bytes in [&b""[..], b"a", b"ab", b"abc", b"abcd", &[0, 255, 128]] {
            assert_eq!(decode(&encode(bytes)).as_deref(), Some(bytes));
        }
        assert_eq!(encode(b"ab"), "YWI");
        assert_eq!(decode("YW I"), None);
    }

    #[test]
    fn a_key_is_told_from_a_fingerprint_and_from_neither() {
        let key = HostKey::parse(KEY).unwrap();
        assert!(!key.to_string().contains("guest"));
        assert_eq!(Pin::parse(KEY), Ok(Pin::Key(key.clone())));
        assert_eq!(Pin::parse(&key.fingerprint()), Ok(Pin::Fingerprint(key.fingerprint())));
        for text in ["", "SHA256:abc", "ssh-ed25519", "ssh-ed25519 !!!!", "password AAAAC3NzaC1lZDI1NTE5AAAA"]
        {
            assert!(Pin::parse(text).is_err(), "{text}");
        }
    }
}
