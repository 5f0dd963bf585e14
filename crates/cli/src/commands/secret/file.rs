//! `secrets.age` on disk, the keys that open it, and the keys that it is sealed for.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_config::{self as config, Config, Generate, Origin};
use plimsoll_secrets::{
    ExposeSecret as _, FILE_NAME, Identities, Recipients, SecretString, SecretsError, Store, new_identity,
    public_keys,
};

use crate::commands::target::variable;
use crate::failure::{Failure, FailureKind};
use crate::output::{rewrite_file, write_file};
use crate::ui::Ui;

/// The secrets file of a directory, with what `plimsoll.yaml` there says about secrets.
#[derive(Debug)]
pub(crate) struct SecretFile {
    path: Utf8PathBuf,
    settings: Utf8PathBuf,
    config: Config,
}

pub(super) fn refused(message: impl Into<String>) -> Failure {
    FailureKind::Target(message.into()).into()
}

/// A private key to read with.
const NO_KEY: &str = "set PLIMSOLL_AGE_IDENTITY to the key, or PLIMSOLL_AGE_IDENTITY_FILE to its file; a key of your \
                      own makes `plimsoll secret set` where there is no `secrets.age` yet";

impl SecretFile {
    /// The file of a directory, whether it exists or not.
    #[expect(clippy::disallowed_methods, reason = "the command line is the place that reads files")]
    pub(crate) fn of(directory: &Utf8Path) -> Result<Self, Failure> {
        let settings = directory.join(config::FILE_NAME);
        let text = std::fs::read_to_string(&settings).map_err(|source| {
            let missing = source.kind() == std::io::ErrorKind::NotFound;
            let failure = Failure::from(FailureKind::Read { path: settings.clone(), source });
            if missing { failure.hint("`plimsoll init` writes it") } else { failure }
        })?;
        let config = config::parse(&settings, &text).map_err(|errors| refused(errors.to_string()))?;
        Ok(Self::with(directory, config))
    }

    /// The file beside settings that were read already.
    pub(crate) fn with(directory: &Utf8Path, config: Config) -> Self {
        let directory = directory.strip_prefix(".").unwrap_or(directory);
        Self { path: directory.join(FILE_NAME), settings: directory.join(config::FILE_NAME), config }
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// How a secret is made, where the settings say so.
    pub(super) fn recipe(&self, name: &str) -> Option<Generate> {
        match self.config.secrets.get(name)?.origin {
            Origin::Generate(how) => Some(how),
            _ => None,
        }
    }

    /// The values; none where there is no file.
    #[expect(clippy::disallowed_methods, reason = "the command line is the place that reads files")]
    pub(crate) fn open(&self) -> Result<Store, Failure> {
        let sealed = match std::fs::read(&self.path) {
            Ok(sealed) => sealed,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Store::default()),
            Err(source) => return Err(FailureKind::Read { path: self.path.clone(), source }.into()),
        };
        let opened = Store::open(&sealed, &identities()?);
        opened.map_err(|error| {
            let hint = match &error {
                SecretsError::NoIdentity => Some(NO_KEY.to_owned()),
                SecretsError::NotForUs(_) => Some(
                    "whoever can read them adds your public key to `recipients:` and runs `plimsoll secret recipients`"
                        .to_owned(),
                ),
                SecretsError::Broken(_) => {
                    Some(format!("`git checkout -- {}` brings the committed file back", self.path))
                }
                _ => None,
            };
            let failure = refused(format!("`{}`: {error}", self.path));
            hint.into_iter().fold(failure, Failure::hint)
        })
    }

    /// Seals the values for all recipients; where there are none yet, for a key of the user's own.
    pub(crate) fn save(&mut self, ui: &Ui, store: &Store) -> Result<(), Failure> {
        if self.config.recipients.is_empty() {
            self.first_recipient(ui)?;
        }
        let recipients =
            Recipients::parse(&self.config.recipients).map_err(|error| refused(error.to_string()))?;
        let sealed = store.seal(&recipients).map_err(|error| refused(error.to_string()))?;
        write_file(&self.path, &sealed)
    }

    /// Makes the user a key where there is none, and writes its public half into the settings.
    #[expect(clippy::disallowed_methods, reason = "the command line is the place that reads files")]
    fn first_recipient(&mut self, ui: &Ui) -> Result<(), Failure> {
        let public = match own_key()? {
            Some(public) => public,
            None => {
                let path = identity_path().ok_or_else(|| {
                    refused("there is no home directory to keep a key in")
                        .hint("add a public key to `recipients:` in `plimsoll.yaml`")
                })?;
                let (private, public) = new_identity();
                write_private(&path, private.expose_secret())
                    .map_err(|source| FailureKind::Write { path: shown(&path), source })?;
                ui.status(&format!("made a key of your own: `{}`; keep a copy of it", path.display()));
                public
            }
        };
        let before = std::fs::read_to_string(&self.settings)
            .map_err(|source| FailureKind::Read { path: self.settings.clone(), source })?;
        let gap = if before.ends_with('\n') { "" } else { "\n" };
        let after = format!("{before}{gap}\n# Who can read `{FILE_NAME}`.\nrecipients:\n  - {public}\n");
        match config::parse(&self.settings, &after) {
            Ok(config) if config.recipients == [public.clone()] => {
                rewrite_file(&self.settings, &before, &after)?;
                ui.status(&format!("added your public key to `recipients:` of `{}`", self.settings));
                self.config = config;
                Ok(())
            }
            _ => Err(refused(format!("nobody may read the secrets: `{}` has no recipients", self.settings))
                .hint(format!("add `recipients: [{public}]` to it"))),
        }
    }
}

/// The private keys of whoever runs this.
fn identities() -> Result<Identities, Failure> {
    let mut identities = Identities::default();
    let failed = |error: SecretsError| refused(error.to_string());
    if let Some(key) = variable("PLIMSOLL_AGE_IDENTITY") {
        identities.add(&key, "PLIMSOLL_AGE_IDENTITY").map_err(failed)?;
        return Ok(identities);
    }
    if let Some(path) = variable("PLIMSOLL_AGE_IDENTITY_FILE").map(PathBuf::from) {
        let text = private(&path).map_err(|source| FailureKind::Read { path: shown(&path), source })?;
        identities.add(&text, &format!("`{}`", path.display())).map_err(failed)?;
        return Ok(identities);
    }
    let home = variable("HOME").map(PathBuf::from);
    let ssh = home.map(|home| home.join(".ssh/id_ed25519"));
    let mut refusals = Vec::new();
    for path in [identity_path(), ssh].into_iter().flatten() {
        match private(&path) {
            Ok(text) => {
                // A key with a passphrase is no reason to give up where another key is there.
                refusals.extend(identities.add(&text, &format!("`{}`", path.display())).err());
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(FailureKind::Read { path: shown(&path), source }.into()),
        }
    }
    match refusals.pop() {
        Some(error) if identities.is_empty() => Err(failed(error).hint(NO_KEY)),
        _ => Ok(identities),
    }
}

/// The public half of the key that the user has already.
fn own_key() -> Result<Option<String>, Failure> {
    let from = |text: &str| public_keys(text).into_iter().next();
    if let Some(key) = variable("PLIMSOLL_AGE_IDENTITY") {
        return Ok(from(&key));
    }
    let named = variable("PLIMSOLL_AGE_IDENTITY_FILE").map(PathBuf::from);
    let Some(path) = named.or_else(identity_path) else { return Ok(None) };
    match private(&path) {
        Ok(text) => Ok(from(&text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FailureKind::Read { path: shown(&path), source }.into()),
    }
}

#[expect(clippy::disallowed_methods, reason = "the command line is the place that reads files")]
fn private(path: &std::path::Path) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

fn identity_path() -> Option<PathBuf> {
    let given = variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let base = given.or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".config")));
    Some(base?.join("plimsoll/identity.txt"))
}

fn shown(path: &std::path::Path) -> Utf8PathBuf {
    Utf8PathBuf::from(path.to_string_lossy().into_owned())
}

/// Writes a file that only its owner can read and that was not there before.
fn write_private(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Random bytes of the operating system.
pub(super) fn random(buffer: &mut [u8]) -> Result<(), SecretsError> {
    getrandom::fill(buffer).map_err(|error| SecretsError::Random(error.to_string()))
}

/// What [`SecretFile::complete`] found.
#[derive(Debug, Default)]
pub(crate) struct Complete {
    /// Stored and made values by name.
    pub(crate) values: BTreeMap<String, SecretString>,
    /// Names that were made just now.
    pub(crate) made: Vec<String>,
}

impl SecretFile {
    /// The values of all secrets that are stored or made, but for `elsewhere`, whose values are known. What is to be
    /// made and is not there is made; `keep` says whether it is stored, which must be before anything uses it.
    pub(crate) fn complete(
        &mut self,
        ui: &Ui,
        keep: bool,
        elsewhere: impl Fn(&str) -> bool,
    ) -> Result<Complete, Failure> {
        let kept = |origin: &Origin| matches!(origin, Origin::Store | Origin::Generate(_));
        let wanted = self.config.secrets.iter().filter(|(_, secret)| kept(&secret.origin));
        let wanted: Vec<String> = wanted.map(|(name, _)| name.clone()).collect();
        let mut found = Complete::default();
        if wanted.is_empty() {
            return Ok(found);
        }
        let mut store = self.open()?;
        for name in wanted {
            let value = match (store.get(&name).cloned(), self.recipe(&name)) {
                (Some(value), _) => value,
                (None, _) if elsewhere(&name) => continue,
                (None, Some(how)) => {
                    let value = plimsoll_secrets::generate(how, random)
                        .map_err(|error| refused(error.to_string()))?;
                    store.set(&name, value.clone()).map_err(|error| refused(error.to_string()))?;
                    found.made.push(name.clone());
                    value
                }
                (None, None) => {
                    return Err(refused(format!("the secret `{name}` has no value yet"))
                        .hint(format!("store one with `plimsoll secret set {name}`")));
                }
            };
            found.values.insert(name, value);
        }
        if keep && !found.made.is_empty() {
            self.save(ui, &store)?;
        }
        Ok(found)
    }
}
