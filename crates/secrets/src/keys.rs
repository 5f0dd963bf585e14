//! Who may read the secrets, and with which private key.

use std::fmt;
use std::str::FromStr as _;

use age::secrecy::SecretString;

use crate::SecretsError;

/// Public keys that the secrets are encrypted to.
pub struct Recipients(pub(crate) Vec<Box<dyn age::Recipient + Send>>);

impl fmt::Debug for Recipients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipients({})", self.0.len())
    }
}

impl Recipients {
    /// Reads `age1…` and `ssh-ed25519 …` (also `ssh-rsa …`) public keys.
    ///
    /// # Errors
    /// When there is none, or one is no public key.
    pub fn parse(list: &[String]) -> Result<Self, SecretsError> {
        if list.is_empty() {
            return Err(SecretsError::NoRecipients);
        }
        let mut found: Vec<Box<dyn age::Recipient + Send>> = Vec::new();
        for text in list {
            let text = text.trim();
            let refused = |reason: String| SecretsError::Recipient { recipient: text.to_owned(), reason };
            if text.starts_with("age1") {
                let key =
                    age::x25519::Recipient::from_str(text).map_err(|why| refused(format!(": {why}")))?;
                found.push(Box::new(key));
            } else {
                let key = age::ssh::Recipient::from_str(text).map_err(|_| refused(String::new()))?;
                found.push(Box::new(key));
            }
        }
        Ok(Self(found))
    }
}

/// Private keys to read the secrets with, in the order in which they are tried.
#[derive(Default)]
pub struct Identities {
    pub(crate) keys: Vec<Box<dyn age::Identity + Send + Sync>>,
    from: Vec<String>,
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identities({})", self.from.join(", "))
    }
}

impl Identities {
    /// Adds the keys of a text: lines `AGE-SECRET-KEY-1…`, or an OpenSSH private key. `from` says where the text
    /// comes from, for messages.
    ///
    /// # Errors
    /// When it holds no key, or one that has a passphrase: nothing could ask for it here.
    pub fn add(&mut self, text: &str, from: &str) -> Result<(), SecretsError> {
        let refused =
            |reason: &str| SecretsError::Identity { from: from.to_owned(), reason: reason.to_owned() };
        if text.contains("-----BEGIN") {
            let key = age::ssh::Identity::from_buffer(text.as_bytes(), None)
                .map_err(|_| refused("it is no OpenSSH private key"))?;
            match key {
                age::ssh::Identity::Unencrypted(_) => self.keys.push(Box::new(key)),
                age::ssh::Identity::Encrypted(_) => {
                    return Err(refused("it has a passphrase, which nobody can be asked for here"));
                }
                age::ssh::Identity::Unsupported(_) => {
                    return Err(refused("only ed25519 and RSA keys can decrypt"));
                }
            }
        } else {
            let file = age::IdentityFile::from_buffer(text.as_bytes())
                .map_err(|_| refused("its lines are no `AGE-SECRET-KEY-1…`"))?;
            let keys = file.into_identities().map_err(|_| refused("its keys cannot be used"))?;
            if keys.is_empty() {
                return Err(refused("it is empty"));
            }
            self.keys.extend(keys);
        }
        self.from.push(from.to_owned());
        Ok(())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Where they come from, for messages.
    #[must_use]
    pub fn origins(&self) -> String {
        self.from.join(", ")
    }
}

/// The public keys of the `AGE-SECRET-KEY-1…` lines of a text.
#[must_use]
pub fn public_keys(text: &str) -> Vec<String> {
    let keys = text.lines().filter_map(|line| age::x25519::Identity::from_str(line.trim()).ok());
    keys.map(|key| key.to_public().to_string()).collect()
}

/// A new private key as the text of an identity file, and its public key.
#[must_use]
pub fn new_identity() -> (SecretString, String) {
    use age::secrecy::ExposeSecret as _;
    let identity = age::x25519::Identity::generate();
    let public = identity.to_public().to_string();
    let private = identity.to_string();
    let text = format!("# public key: {public}\n{}\n", private.expose_secret());
    (SecretString::from(text), public)
}
