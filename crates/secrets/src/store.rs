//! The secrets file.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read as _, Write as _};

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::{Identities, Recipients, SecretsError};

/// The version of the text inside.
const VERSION: u32 = 1;

/// Values by name.
#[derive(Clone, Default)]
pub struct Store {
    values: BTreeMap<String, SecretString>,
    pending: Option<Pending>,
}

/// A value that is to take the place of another one once its server takes it.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The name.
    pub name: String,
    /// The new value; never shown.
    pub value: SecretString,
    /// The target whose server is told.
    pub target: String,
}

/// Names only.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inside {
    version: u32,
    values: BTreeMap<String, String>,
    #[serde(default)]
    pending: Option<InsidePending>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InsidePending {
    name: String,
    value: String,
    target: String,
}

#[derive(Serialize)]
struct Outside<'a> {
    version: u32,
    values: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<OutsidePending<'a>>,
}

#[derive(Serialize)]
struct OutsidePending<'a> {
    name: &'a str,
    value: &'a str,
    target: &'a str,
}

impl Store {
    /// Decrypts a file.
    ///
    /// # Errors
    /// When no key fits, or the file is not what [`Store::seal`] writes.
    pub fn open(file: &[u8], identities: &Identities) -> Result<Self, SecretsError> {
        if identities.is_empty() {
            return Err(SecretsError::NoIdentity);
        }
        let broken = |why: &dyn fmt::Display| SecretsError::Broken(why.to_string());
        let decryptor = age::Decryptor::new(ArmoredReader::new(file)).map_err(|why| broken(&why))?;
        let keys = identities.keys.iter().map(|key| key.as_ref() as &dyn age::Identity);
        let mut reader = decryptor.decrypt(keys).map_err(|error| match error {
            age::DecryptError::NoMatchingKeys => SecretsError::NotForUs(identities.origins()),
            other => broken(&other),
        })?;
        let mut text = String::new();
        reader.read_to_string(&mut text).map_err(|why| broken(&why))?;
        let text = SecretString::from(text);
        // What a parser says of the text can quote it.
        let inside: Inside = serde_json::from_str(text.expose_secret())
            .map_err(|_| broken(&"what is inside is no list of secrets"))?;
        if inside.version != VERSION {
            return Err(broken(&format_args!("a newer Plimsoll wrote them (version {})", inside.version)));
        }
        let values = inside.values.into_iter().map(|(name, value)| (name, SecretString::from(value)));
        let pending = inside.pending.map(|InsidePending { name, value, target }| Pending {
            name,
            value: SecretString::from(value),
            target,
        });
        Ok(Self { values: values.collect(), pending })
    }

    /// Encrypts all values to all recipients, as text that may stand in a repository.
    ///
    /// # Errors
    /// When a recipient cannot be encrypted to.
    pub fn seal(&self, recipients: &Recipients) -> Result<String, SecretsError> {
        let failed = |why: &dyn fmt::Display| SecretsError::Encrypt(why.to_string());
        let values = self.values.iter().map(|(name, value)| (name.as_str(), value.expose_secret()));
        let pending = self.pending.as_ref().map(|Pending { name, value, target }| OutsidePending {
            name,
            value: value.expose_secret(),
            target,
        });
        let outside = Outside { version: VERSION, values: values.collect(), pending };
        let text = SecretString::from(serde_json::to_string(&outside).map_err(|why| failed(&why))?);
        let keys = recipients.0.iter().map(|key| key.as_ref() as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(keys).map_err(|why| failed(&why))?;
        let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor).map_err(|why| failed(&why))?;
        let mut writer = encryptor.wrap_output(armor).map_err(|why| failed(&why))?;
        writer.write_all(text.expose_secret().as_bytes()).map_err(|why| failed(&why))?;
        let bytes = writer.finish().and_then(ArmoredWriter::finish).map_err(|why| failed(&why))?;
        String::from_utf8(bytes).map_err(|why| failed(&why))
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SecretString> {
        self.values.get(name)
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Sets a value, and says whether there was another one.
    ///
    /// # Errors
    /// When the name is no variable's (letters, digits and `_`, no digit first), or the value holds a NUL.
    pub fn set(&mut self, name: &str, value: SecretString) -> Result<bool, SecretsError> {
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !starts || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(SecretsError::Name(name.to_owned()));
        }
        if value.expose_secret().contains('\0') {
            return Err(SecretsError::Value(name.to_owned()));
        }
        Ok(self.values.insert(name.to_owned(), value).is_some())
    }

    /// The value that is on its way, if one is.
    #[must_use]
    pub fn pending(&self) -> Option<&Pending> {
        self.pending.as_ref()
    }

    /// Puts a value beside that of its name, until [`Store::keep`] or [`Store::forget`]; in the place of whatever was on
    /// its way.
    ///
    /// # Errors
    /// When the value holds a NUL.
    pub fn await_value(&mut self, pending: Pending) -> Result<(), SecretsError> {
        if pending.value.expose_secret().contains('\0') {
            return Err(SecretsError::Value(pending.name));
        }
        self.pending = Some(pending);
        Ok(())
    }

    /// The value on its way has arrived: it takes the place of the one before.
    pub fn keep(&mut self) {
        if let Some(Pending { name, value, .. }) = self.pending.take() {
            self.values.insert(name, value);
        }
    }

    /// The value on its way will not be used.
    pub fn forget(&mut self) {
        self.pending = None;
    }

    /// Takes a value away, and says whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        self.values.remove(name).is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::new_identity;

    /// A private key as OpenSSH writes it, and its public key.
    #[expect(clippy::disallowed_methods, reason = "keys are made by the program that users make them with")]
    fn ssh_pair() -> (String, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id");
        let mut command = std::process::Command::new("ssh-keygen");
        command.args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]).arg(&path);
        assert!(command.status().unwrap().success());
        let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
        (read(&path), read(&path.with_extension("pub")))
    }

    fn pair() -> (Identities, Recipients) {
        let (private, public) = new_identity();
        let mut identities = Identities::default();
        identities.add(private.expose_secret(), "the test").unwrap();
        (identities, Recipients::parse(&[public]).unwrap())
    }

    fn store(values: &[(&str, &str)]) -> Store {
        let mut store = Store::default();
        for (name, value) in values {
            store.set(name, SecretString::from((*value).to_owned())).unwrap();
        }
        store
    }

    #[test]
    fn a_value_on_its_way_outlives_the_process_and_arrives_or_does_not() {
        let (identities, recipients) = pair();
        let mut first = store(&[("A", "old")]);
        let value = SecretString::from("new");
        first.await_value(Pending { name: "A".to_owned(), value, target: "test".to_owned() }).unwrap();
        let sealed = first.seal(&recipients).unwrap();
        let opened = || Store::open(sealed.as_bytes(), &identities).unwrap();
        let value = |store: &Store| store.get("A").unwrap().expose_secret().to_owned();
        assert_eq!((value(&opened()).as_str(), opened().pending().unwrap().target.as_str()), ("old", "test"));
        let (mut kept, mut forgotten) = (opened(), opened());
        kept.keep();
        forgotten.forget();
        assert_eq!((value(&kept).as_str(), value(&forgotten).as_str()), ("new", "old"));
        assert!(kept.pending().is_none() && forgotten.pending().is_none());
        assert!(!format!("{:?}", opened().pending()).contains("new"));
    }

    #[test]
    fn what_is_sealed_is_opened_by_each_recipient_and_by_nobody_else() {
        let (first, _) = new_identity();
        let (private, public) = new_identity();
        let (ssh_private, ssh_public) = ssh_pair();
        let recipients = Recipients::parse(&[public, ssh_public]).unwrap();
        let sealed = store(&[("PASSWORD", "horse\nbattery"), ("EMPTY", "")]).seal(&recipients).unwrap();
        assert!(sealed.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"));
        assert!(!sealed.contains("horse") && !sealed.contains("PASSWORD"));
        for key in [private.expose_secret(), ssh_private.as_str()] {
            let mut identities = Identities::default();
            identities.add(key, "a key").unwrap();
            let opened = Store::open(sealed.as_bytes(), &identities).unwrap();
            assert_eq!(opened.get("PASSWORD").unwrap().expose_secret(), "horse\nbattery");
            assert_eq!(opened.names().collect::<Vec<_>>(), ["EMPTY", "PASSWORD"]);
        }
        let mut stranger = Identities::default();
        stranger.add(first.expose_secret(), "another key").unwrap();
        let refused = Store::open(sealed.as_bytes(), &stranger).unwrap_err();
        assert_eq!(refused.to_string(), "the secrets are encrypted to other keys than another key");
        let none = Store::open(sealed.as_bytes(), &Identities::default()).unwrap_err();
        assert!(matches!(none, SecretsError::NoIdentity));
    }

    #[test]
    fn nothing_that_is_printed_holds_a_value() {
        let (identities, recipients) = pair();
        let mut secrets = store(&[("PASSWORD", "horse")]);
        let shown = format!("{secrets:?} {identities:?} {recipients:?} {:?}", secrets.get("PASSWORD"));
        assert!(shown.contains("PASSWORD") && !shown.contains("horse"), "{shown}");
        assert!(!shown.contains("AGE-SECRET-KEY"), "{shown}");
        let refused = secrets.set("1X", SecretString::from("horse".to_owned())).unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("horse"));
        let refused = secrets.set("X", SecretString::from("horse\0".to_owned())).unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("horse"));
        let mut keys = Identities::default();
        let refused = keys.add("AGE-SECRET-KEY-1WRONG", "a file").unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("WRONG"), "{refused:?}");
    }

    #[test]
    fn a_damaged_file_is_an_error_and_says_so() {
        let (identities, recipients) = pair();
        let sealed = store(&[("A", "b")]).seal(&recipients).unwrap();
        for text in ["", "nothing", &sealed[..sealed.len() / 2], &sealed.replace('A', "B")] {
            assert!(Store::open(text.as_bytes(), &identities).is_err(), "{text}");
        }
        assert!(Recipients::parse(&[]).is_err());
        for bad in ["age1", "ssh-ed25519", "AGE-SECRET-KEY-1", "x"] {
            assert!(Recipients::parse(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let (identities, _) = pair();
            prop_assert!(Store::open(&bytes, &identities).is_err());
        }

        #[test]
        fn any_value_comes_back_as_it_was(value in "[^\0]{0,200}") {
            let (identities, recipients) = pair();
            let sealed = store(&[("V", &value)]).seal(&recipients).unwrap();
            let opened = Store::open(sealed.as_bytes(), &identities).unwrap();
            prop_assert_eq!(opened.get("V").unwrap().expose_secret(), value.as_str());
        }
    }
}
