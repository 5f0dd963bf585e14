//! `plimsoll.yaml`, for the commands that work on a target.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_config::{self as config, Adopted, Build, Config, FILE_NAME, Guest, OnFailure, Origin, Target};
use plimsoll_deploy::{Check, Hook, Values};
use plimsoll_secrets::{ExposeSecret as _, SecretString};

use super::secret::SecretFile;
use crate::failure::{Failure, FailureKind};
use crate::process::shell;
use crate::ui::Ui;

/// The target that is meant, with what the file says for all targets.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    config: Config,
    target: Target,
    directory: Utf8PathBuf,
    /// Values that take the place of those that are stored.
    changed: BTreeMap<String, SecretString>,
}

fn refused(message: impl Into<String>) -> Failure {
    FailureKind::Target(message.into()).into()
}

impl Settings {
    /// Reads the file of a directory; nothing where there is none.
    #[expect(clippy::disallowed_methods, reason = "the command line is the place that reads files")]
    pub(crate) fn read(directory: &Utf8Path, name: Option<&str>) -> Result<Option<Self>, Failure> {
        let path = directory.join(FILE_NAME);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(FailureKind::Read { path, source }.into()),
        };
        let config = config::parse(&path, &text).map_err(|errors| refused(errors.to_string()))?;
        let names: Vec<&str> = config.targets.keys().map(String::as_str).collect();
        let chosen = match (name, names.as_slice()) {
            (Some(name), _) => config.targets.get(name),
            (None, [one]) => config.targets.get(*one),
            (None, _) => config.targets.get("production"),
        };
        let Some(target) = chosen.cloned() else {
            let which =
                name.map_or("no target is said".to_owned(), |name| format!("there is no target `{name}`"));
            return Err(refused(format!("{which} in `{path}`"))
                .hint(format!("give one of {} with `--target`", names.join(", "))));
        };
        if let (OnFailure::RestoreData, None, _)
        | (OnFailure::RestoreData, _, Guest::Adopt(Adopted { id: None, .. })) =
            (target.on_failure, &target.proxmox, &target.guest)
        {
            return Err(refused(format!(
                "`{path}`: `on_failure: restore_data` takes a snapshot of the guest back, and nothing says which guest of \
                 which node that is"
            ))
            .hint("say it as `proxmox:` of the target and `id:` of `guest`"));
        }
        Ok(Some(Self { config, target, directory: directory.to_owned(), changed: BTreeMap::new() }))
    }

    pub(crate) fn app(&self) -> &str {
        &self.config.app
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// Takes a value in place of the one that is stored.
    pub(crate) fn change(&mut self, (name, value): (String, SecretString)) {
        self.changed.insert(name, value);
    }

    /// Takes the values that are stored.
    pub(crate) fn unchange(&mut self) {
        self.changed.clear();
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// The folder of the file.
    pub(crate) fn directory(&self) -> &Utf8Path {
        &self.directory
    }

    pub(crate) fn compose(&self) -> &[Utf8PathBuf] {
        &self.config.compose
    }

    pub(crate) fn builds_in_guest(&self) -> bool {
        self.target.build == Build::Guest
    }

    /// Where the guest is and who logs in; the port and the key where they are said.
    pub(crate) fn guest(&self) -> Result<(String, Option<String>), Failure> {
        match &self.target.guest {
            Guest::Adopt(Adopted { address, user, port, host_key, .. }) => {
                Ok((format!("{user}@{address}:{port}"), host_key.clone()))
            }
            Guest::Vm(guest) | Guest::Lxc(guest) => match self.target.guest.known_address() {
                Some(address) => Ok((format!("{}@{address}:22", guest.user), None)),
                None => {
                    Err(refused("the address of the guest is not known here").hint("give it with `--guest`"))
                }
            },
            Guest::Oci(_) => Err(refused("a native container for each service cannot be deployed to so far")),
        }
    }

    pub(crate) fn hooks(&self) -> impl Iterator<Item = Hook> {
        self.target.before_release.iter().map(|hook| Hook {
            service: hook.service.clone(),
            run: words(&hook.run),
            deadline: hook.deadline,
        })
    }

    pub(crate) fn checks(&self, guest: &str) -> impl Iterator<Item = Check> {
        self.target.checks.iter().map(move |check| match check {
            config::Check::Http { url, expect, contains, timeout } => Check::Http {
                url: url.render(guest),
                expect: *expect,
                contains: contains.clone(),
                timeout: *timeout,
            },
            config::Check::Tcp { address, timeout } => {
                Check::Tcp { address: address.render(guest), timeout: *timeout }
            }
            config::Check::Command { run, timeout } => {
                Check::Command { run: run.render(guest), timeout: *timeout }
            }
        })
    }

    /// The values of secrets, each from where the file says. A stored one that the environment has instead is taken
    /// from there. What is to be made is made once; `keep` says whether it is stored, which is before it is used.
    #[expect(clippy::disallowed_methods, reason = "the command line is the place that reads files")]
    pub(crate) fn values(
        &self,
        environment: &BTreeMap<String, String>,
        keep: bool,
    ) -> Result<Values, Failure> {
        let ui = Ui::new();
        let mut file = SecretFile::with(&self.directory, self.config.clone());
        let complete = file.complete(&ui, keep, |name| environment.contains_key(name))?;
        if !complete.made.is_empty() {
            let will = if keep { "made" } else { "a deploy will make" };
            ui.status(&format!("{will} {}", complete.made.join(", ")));
        }
        let mut values = BTreeMap::new();
        for (name, secret) in &self.config.secrets {
            let of = |variable: &str| {
                environment.get(variable).cloned().ok_or_else(|| {
                    refused(format!("the value of the secret `{name}` is not known here"))
                        .hint(format!("set the variable `{variable}`"))
                })
            };
            let value = match &secret.origin {
                Origin::Env(variable) => of(variable)?,
                Origin::Store | Origin::Generate(_) => match complete.values.get(name) {
                    Some(value) => value.expose_secret().to_owned(),
                    None => of(name)?,
                },
                Origin::File(path) => {
                    let path = self.directory.join(path);
                    let text = std::fs::read_to_string(&path)
                        .map_err(|source| FailureKind::Read { path: path.clone(), source })?;
                    text.trim_end_matches(['\n', '\r']).to_owned()
                }
                Origin::Command(run) => shell(&self.directory, run).map_err(|reason| {
                    refused(format!("the command for the secret `{name}` failed: {reason}"))
                })?,
            };
            let changed = self.changed.get(name).map(|value| value.expose_secret().to_owned());
            values.insert(name.clone(), changed.unwrap_or(value));
        }
        Ok(Values(values))
    }
}

/// The words of a command; what a shell would have to read goes to a shell.
pub(crate) fn words(run: &str) -> Vec<String> {
    let needs_shell = run.contains(['\'', '"', '$', '&', '|', ';', '<', '>', '*', '(', '`', '\\', '\n']);
    match needs_shell {
        true => vec!["sh".to_owned(), "-c".to_owned(), run.to_owned()],
        false => run.split_whitespace().map(ToOwned::to_owned).collect(),
    }
}
