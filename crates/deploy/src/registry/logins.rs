//! This machine's logins at registries, as Docker and Podman keep them.
//!
//! <https://docs.docker.com/reference/cli/docker/login/#credential-stores>: a file `config.json` with logins in it, or the
//! names of programs that keep them, which are asked over standard input.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plimsoll_pve::Secret;
use serde::Deserialize;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::reference::{Reference, canonical, login_key};

/// How long a program that keeps logins may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Where this machine keeps logins at registries: files in the format of Docker's `config.json`. They are read when an image
/// is pulled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logins {
    /// The files, those that count more first. One that does not exist holds nothing.
    pub files: Vec<PathBuf>,
}

/// Why a login could not be read. No value of a file stands in it.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The file cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The file.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file is not what Docker writes.
    #[error("`{path}:{line}:{column}` is not what `docker login` writes: {what}")]
    Format {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
        /// What is wrong there, without what stands there.
        what: String,
    },
    /// A login is not `user:password` in base64.
    #[error("the login for `{key}` in `{path}` is not `user:password` in base64")]
    Auth {
        /// The registry as the file names it.
        key: String,
        /// The file.
        path: String,
    },
    /// A program that keeps logins does not give one.
    #[error("`docker-credential-{helper}`, which `{path}` names, gives no login for `{key}`: {reason}")]
    Helper {
        /// The program's name after `docker-credential-`.
        helper: String,
        /// What it was asked for.
        key: String,
        /// The file that names it.
        path: String,
        /// Why.
        reason: String,
    },
}

/// A login at one registry.
#[derive(Debug)]
pub(crate) struct Login {
    /// The registry.
    registry: String,
    /// The user; nothing with a token that says who it is.
    pub(crate) user: String,
    /// Where it was found.
    pub(crate) path: String,
    password: Secret,
    identity: Option<Secret>,
    token: Option<Secret>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct File {
    auths: BTreeMap<String, Entry>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<Secret>,
    username: Option<String>,
    password: Option<Secret>,
    identitytoken: Option<Secret>,
    registrytoken: Option<Secret>,
}

/// What a program that keeps logins answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    secret: Secret,
}

impl Logins {
    /// The login for an image's registry; nothing where this machine has none.
    pub(crate) async fn find(&self, image: &Reference) -> Result<Option<Login>, LoginError> {
        for path in &self.files {
            let Some(text) = read(path)? else { continue };
            if let Some(login) = find(&path.display().to_string(), &text, image).await? {
                return Ok(Some(login));
            }
        }
        Ok(None)
    }

    /// The files in words.
    pub(crate) fn places(&self) -> String {
        let all: Vec<String> = self.files.iter().map(|path| format!("`{}`", path.display())).collect();
        all.join(", ")
    }
}

impl Login {
    /// A `config.json` with this login and nothing else.
    pub(crate) fn config(&self) -> Vec<u8> {
        let mut entry = serde_json::Map::new();
        if !self.user.is_empty() {
            let both = format!("{}:{}", self.user, self.password.expose());
            entry.insert("auth".to_owned(), json!(STANDARD.encode(both)));
        }
        for (key, value) in [("identitytoken", &self.identity), ("registrytoken", &self.token)] {
            entry.extend(value.as_ref().map(|value| (key.to_owned(), json!(value.expose()))));
        }
        json!({"auths": {login_key(&self.registry): entry}}).to_string().into_bytes()
    }

    /// A text without the secrets of this login.
    pub(crate) fn redact(&self, text: &str) -> String {
        let both = format!("{}:{}", self.user, self.password.expose());
        let auth = STANDARD.encode(both);
        let secrets = [Some(&self.password), self.identity.as_ref(), self.token.as_ref()];
        let secrets = secrets.into_iter().flatten().map(Secret::expose).chain([auth.as_str()]);
        secrets.filter(|secret| !secret.is_empty()).fold(text.to_owned(), |text, it| text.replace(it, "…"))
    }
}

#[expect(clippy::disallowed_methods, reason = "logins stand in files of their own")]
fn read(path: &Path) -> Result<Option<String>, LoginError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(LoginError::Read { path: path.display().to_string(), source }),
    }
}

fn parse(path: &str, text: &str) -> Result<File, LoginError> {
    if text.trim().is_empty() {
        return Ok(File::default());
    }
    serde_json::from_str(text).map_err(|error| {
        let what = match error.classify() {
            // What serde says of a value of another kind quotes it.
            serde_json::error::Category::Data => "a value of another kind is expected".to_owned(),
            _ => error.to_string().split(" at line ").next().unwrap_or_default().to_owned(),
        };
        LoginError::Format { path: path.to_owned(), line: error.line(), column: error.column(), what }
    })
}

/// How well a key fits an image: nothing where it names another registry, else the length of the path that it names.
fn fits(key: &str, image: &Reference) -> Option<usize> {
    let without = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let (host, path) = without.unwrap_or(key).split_once('/').unwrap_or((without.unwrap_or(key), ""));
    if canonical(host) != image.registry() {
        return None;
    }
    // Addresses of Docker's logins end with the version of an interface. Podman's may be for some of a registry's images.
    let path = path.trim_end_matches('/');
    if without.is_some() || ["", "v1", "v2"].contains(&path) {
        return Some(0);
    }
    let rest = image.path().strip_prefix(path)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(path.len())
}

async fn find(path: &str, text: &str, image: &Reference) -> Result<Option<Login>, LoginError> {
    let file = parse(path, text)?;
    let own = file.cred_helpers.iter().find(|(key, _)| fits(key, image).is_some()).map(|(_, helper)| helper);
    if let Some(helper) = own.or(file.creds_store.as_ref()).filter(|helper| !helper.is_empty())
        && let Some(login) = ask(helper, path, image.registry()).await?
    {
        return Ok(Some(login));
    }
    let best = file.auths.into_iter().filter_map(|(key, entry)| Some((fits(&key, image)?, key, entry)));
    let Some((_, key, entry)) = best.max_by_key(|(length, key, _)| (*length, std::cmp::Reverse(key.clone())))
    else {
        return Ok(None);
    };
    login(path, &key, entry, image.registry())
}

/// What an entry says; an empty one says that a program keeps the login.
fn login(path: &str, key: &str, entry: Entry, registry: &str) -> Result<Option<Login>, LoginError> {
    let wrong = || LoginError::Auth { key: key.to_owned(), path: path.to_owned() };
    let Entry { auth, username, password, identitytoken: identity, registrytoken: token } = entry;
    let (user, password) = match auth.filter(|auth| !auth.expose().is_empty()) {
        Some(auth) => {
            let bytes = STANDARD.decode(auth.expose().trim()).map_err(|_| wrong())?;
            let both = String::from_utf8(bytes).map_err(|_| wrong())?;
            let (user, password) = both.split_once(':').ok_or_else(wrong)?;
            (user.to_owned(), Secret::new(password.trim_matches('\0')))
        }
        None => (username.unwrap_or_default(), password.unwrap_or_else(|| Secret::new(""))),
    };
    let is_empty = |value: &Option<Secret>| value.as_ref().is_none_or(|value| value.expose().is_empty());
    if password.expose().is_empty() && is_empty(&identity) && is_empty(&token) {
        return Ok(None);
    }
    let (registry, path) = (registry.to_owned(), path.to_owned());
    Ok(Some(Login { registry, user, path, password, identity, token }))
}

/// Asks a program that keeps logins.
async fn ask(helper: &str, path: &str, registry: &str) -> Result<Option<Login>, LoginError> {
    let key = login_key(registry);
    let failed = |reason: &str| LoginError::Helper {
        helper: helper.to_owned(),
        key: key.to_owned(),
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    if !helper.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        return Err(failed("this is no name of a program"));
    }
    let mut child = Command::new(format!("docker-credential-{helper}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(&error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read says why in its answer.
        let _ = stdin.write_all(key.as_bytes()).await;
    }
    let output = match tokio::time::timeout(LIMIT, child.wait_with_output()).await {
        Ok(output) => output.map_err(|error| failed(&error.to_string()))?,
        Err(_) => return Err(failed("it does not answer")),
    };
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let said = said.trim();
        return match said.contains("credentials not found") {
            true => Ok(None),
            false => Err(failed(if said.is_empty() { "it says nothing" } else { said })),
        };
    }
    // What it says is a secret, so it stands in no error.
    answered(&said, helper, registry).map(Some).ok_or_else(|| failed("its answer is no login"))
}

fn answered(said: &str, helper: &str, registry: &str) -> Option<Login> {
    let Answer { username, secret } = serde_json::from_str(said).ok()?;
    let (user, password, identity) = match username.as_str() {
        "<token>" => (String::new(), Secret::new(""), Some(secret)),
        _ => (username, secret, None),
    };
    let (registry, path) = (registry.to_owned(), format!("docker-credential-{helper}"));
    Some(Login { registry, user, path, password, identity, token: None })
}

#[cfg(test)]
mod tests;
