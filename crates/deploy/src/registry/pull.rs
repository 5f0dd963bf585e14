//! Guests pull images of registries, with this machine's login where it has one.

use std::time::Duration;

use plimsoll_remote::Input;

use super::logins::{Login, LoginError};
use super::reference::{Reference, login_command};
use crate::error::DeployError;
use crate::guest::{Action, Lock};
use crate::local::{Engine, find};
use crate::run::{Runner, Stop, stopped};
use crate::state::{Release, State};

/// An image that the guest has now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pulled {
    /// Its id in the guest's engine; nothing where the guest did not tell.
    pub(crate) id: Option<String>,
    /// What gives the same image for ever, where it came from a registry: a name with a digest.
    pub(crate) reference: Option<String>,
    /// Bytes that were sent.
    pub(crate) sent: u64,
}

impl Runner {
    /// Lets the guest pull an image: `reference`, which is `name` or the image that a release meant by it. What the guest
    /// cannot pull is sent if the engine here has it.
    pub(crate) async fn pull(
        &self,
        lock: &Lock,
        release: u64,
        (name, reference): (&str, &str),
        engine: Option<Engine>,
    ) -> Result<Result<Pulled, Stop>, DeployError> {
        let step = format!("pull {name}");
        let image = Reference::parse(reference);
        // Most images need none, so one that cannot be read is told of where it is missed.
        let login = self.logins.find(&image).await;
        let mut action = Action::new(&step, release, "pull").args([reference]);
        if let Ok(Some(login)) = &login {
            action = action.args(["login"]).input(Input::Bytes(login.config()));
        }
        let output = self.guest.step(lock, action.limit(Duration::from_secs(3600))).await?;
        if output.status == 0 {
            return Ok(Ok(pulled(&output.text(), output.sent, reference)));
        }
        if has_here(engine, name, reference).await
            && let Some(output) = self.guest.ship_pulled(lock, release, (name, engine), &self.cache).await?
            && output.status == 0
        {
            return Ok(Ok(Pulled {
                reference: image.is_pinned().then(|| reference.to_owned()),
                ..pulled(&output.text(), output.sent, "")
            }));
        }
        let Err(mut stop) = stopped(&step, None, &output) else {
            return Ok(Ok(pulled(&output.text(), output.sent, reference)));
        };
        let said = format!("{}\n{}", output.text(), output.stderr);
        if let Some(evidence) = refusal(&said) {
            stop.reason = self.refused(&image, reference, &login, evidence);
        } else if name != reference && is_gone(&said) {
            stop.reason = format!(
                "{}; the release before was made of it: give the image another tag or digest to go on without it",
                stop.reason
            );
        }
        if let Ok(Some(login)) = &login {
            stop.reason = login.redact(&stop.reason);
        }
        Ok(Err(stop))
    }

    /// Pulls what a release is made of and the guest has no more.
    pub(crate) async fn pull_missing(
        &self,
        lock: &Lock,
        state: &State,
        release: &Release,
        journal: u64,
    ) -> Result<Result<(), Stop>, DeployError> {
        let mut there: Vec<&str> = state.images.values().map(String::as_str).collect();
        for service in &release.services {
            let Some(reference) =
                service.reference.as_ref().filter(|_| !there.contains(&service.image.as_str()))
            else {
                continue;
            };
            if let Err(stop) = self.pull(lock, journal, (&service.from, reference), None).await? {
                return Ok(Err(stop));
            }
            there.push(&service.image);
        }
        Ok(Ok(()))
    }

    /// Cause, evidence, and what to do.
    fn refused(
        &self,
        image: &Reference,
        reference: &str,
        login: &Result<Option<Login>, LoginError>,
        evidence: &str,
    ) -> String {
        let registry = image.registry();
        let cause = match login {
            Ok(Some(login)) => {
                let who = if login.user.is_empty() { "a token" } else { &login.user };
                format!("`{registry}` gives no `{reference}` for the login of `{who}` in `{}`", login.path)
            }
            Ok(None) => format!(
                "`{registry}` gives no `{reference}` without a login, and there is none for it here (looked in {})",
                self.logins.places()
            ),
            Err(error) => {
                format!(
                    "`{registry}` gives no `{reference}` without a login, and the one here cannot be used: {error}"
                )
            }
        };
        format!("{cause}: {evidence}; `{}` on this machine, then the same again", login_command(registry))
    }
}

/// Whether the engine here has the image that is meant under its name.
async fn has_here(engine: Option<Engine>, name: &str, reference: &str) -> bool {
    // Nothing can be loaded under a digest.
    if Reference::parse(name).is_pinned() {
        return false;
    }
    if name == reference {
        return true;
    }
    match (find(engine, name).await, find(engine, reference).await) {
        (Ok((_, Some(found))), Ok((_, Some(meant)))) => found.id == meant.id,
        _ => false,
    }
}

/// What the guest says of an image that it pulled.
fn pulled(text: &str, sent: u64, reference: &str) -> Pulled {
    let said = |kind: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(kind)).map(str::trim);
        found.filter(|found| !found.is_empty()).map(ToOwned::to_owned)
    };
    let image = Reference::parse(reference);
    let digest = said("@digest ").map(|digest| image.at(&digest));
    let reference = digest.or_else(|| image.is_pinned().then(|| reference.to_owned()));
    Pulled { id: said("@image "), reference, sent }
}

/// The line in which a registry says that it does not know who asks, or not as somebody who may, or may so often.
fn refusal(said: &str) -> Option<&str> {
    let words = [
        "unauthorized",
        "denied",
        "no basic auth credentials",
        "authentication required",
        "403 forbidden",
        "toomanyrequests",
    ];
    let is_refusal = |line: &&str| {
        let line = line.to_lowercase();
        // Docker's own socket is no registry.
        words.iter().any(|word| line.contains(word)) && !line.contains("docker daemon socket")
    };
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('@'));
    // The last word is that of the last try: a login that is refused is none of the matter where the guest's own is taken.
    lines().next_back().filter(is_refusal).and(lines().find(is_refusal))
}

/// Whether a registry says that it has no such image.
fn is_gone(said: &str) -> bool {
    let said = said.to_lowercase();
    ["manifest unknown", "not found"].iter().any(|word| said.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_becomes_the_digest_that_was_pulled() {
        let found = pulled("@digest sha256:d\n@image sha256:i\n", 7, "host:5000/x:1");
        let reference = Some("host:5000/x@sha256:d".to_owned());
        assert_eq!(found, Pulled { id: Some("sha256:i".to_owned()), reference, sent: 7 });
        let found = pulled("@image \n", 7, "x@sha256:a");
        assert_eq!((found.id, found.reference.as_deref()), (None, Some("x@sha256:a")));
        assert_eq!(pulled("@image sha256:i\n", 7, "x:1").reference, None);
    }

    #[test]
    fn refusals_are_told_from_other_failures() {
        let refusals = [
            "Error response from daemon: Head \"http://h/v2/x/manifests/1\": no basic auth credentials",
            "Error response from daemon: pull access denied for x, repository does not exist or may require 'docker login'",
            "Error response from daemon: unauthorized: authentication required",
            "toomanyrequests: You have reached your unauthenticated pull rate limit",
        ];
        for line in refusals {
            assert_eq!(refusal(&format!("1: Pulling from x\n{line}\n@status 1\n")), Some(line));
        }
        let twice = refusals.join("\n");
        assert_eq!(refusal(&twice), Some(refusals[0]), "that of the login");
        assert_eq!(refusal(&format!("{twice}\nmanifest unknown")), None);
        let others = [
            "dial tcp 10.0.0.1:443: i/o timeout",
            "manifest for x:1 not found: manifest unknown",
            "permission denied while trying to connect to the Docker daemon socket",
        ];
        for line in others {
            assert_eq!(refusal(line), None, "{line}");
        }
    }
}
