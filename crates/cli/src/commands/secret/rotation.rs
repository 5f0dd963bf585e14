//! A password on its way from the store to its server: begun, finished or taken back.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_config::{FILE_NAME, Origin, SecretSpec};
use plimsoll_deploy::{Answer, Change, DeployError, Done, Spec, server};
use plimsoll_secrets::{ExposeSecret as _, Pending, SecretString};

use super::file::{SecretFile, random, refused};
use crate::commands::deploy;
use crate::commands::target::{Session, TargetArgs};
use crate::failure::{Failure, FailureKind};
use crate::ui::Ui;

/// A secret that is changing in the server that asks for it.
pub(crate) struct Rotation {
    directory: Utf8PathBuf,
    rotation: plimsoll_config::Rotation,
    old: SecretString,
    pub(super) pending: Pending,
}

impl Rotation {
    /// What was begun for a target and not ended.
    pub(crate) fn unfinished(directory: &Utf8Path, target: &TargetArgs) -> Result<Option<Self>, Failure> {
        let Some(settings) = target.settings() else { return Ok(None) };
        let name = settings.target().name.clone();
        let file = SecretFile::with(directory, settings.config().clone());
        // Nobody needs a key to deploy what has no such password.
        let is_kept = |secret: &SecretSpec| matches!(secret.origin, Origin::Store | Origin::Generate(_));
        if !file.config().secrets.values().any(|secret| secret.rotate.is_some() && is_kept(secret)) {
            return Ok(None);
        }
        let store = file.open()?;
        let Some(pending) = store.pending().filter(|pending| pending.target == name).cloned() else {
            return Ok(None);
        };
        Self::of(directory, &file, pending).map(Some)
    }

    /// The change of a secret to a value that may be kept already.
    pub(super) fn of(directory: &Utf8Path, file: &SecretFile, pending: Pending) -> Result<Self, Failure> {
        let name = &pending.name;
        let secret = file.config().secrets.get(name);
        let Some((rotation, origin)) =
            secret.and_then(|secret| Some((secret.rotate.clone()?, &secret.origin)))
        else {
            return Err(refused(format!(
                "a new value of `{name}` is on its way, and `{FILE_NAME}` names no server of it"
            ))
            .hint(format!(
                "give `{name}` its `rotate:` back; the next deploy finishes or forgets the new value"
            )));
        };
        if !matches!(origin, Origin::Store | Origin::Generate(_)) {
            return Err(refused(format!(
                "the value of `{name}` is kept elsewhere, so no new one can be kept here"
            ))
            .hint(format!("store it with `plimsoll secret set {name}` and write `from: store`")));
        }
        let old = file.open()?.get(name).cloned().ok_or_else(|| {
            refused(format!("the secret `{name}` has no value yet"))
                .hint("the first `plimsoll deploy` makes it, and the server with it")
        })?;
        Ok(Self { directory: directory.to_owned(), rotation, old, pending })
    }

    /// The name and the value that a release with the change has.
    pub(crate) fn value(&self) -> (String, SecretString) {
        (self.pending.name.clone(), self.pending.value.clone())
    }

    /// The change, for a release that has the new value.
    pub(crate) fn change(&self, spec: &Spec) -> Result<Arc<Change>, Failure> {
        let found = server(spec, &self.pending.name, &self.rotation).map_err(refused)?;
        let mut salts = [[0; 16]; 2];
        for salt in &mut salts {
            random(salt).map_err(|error| refused(error.to_string()))?;
        }
        let values = (self.old.expose_secret(), self.pending.value.expose_secret());
        Change::new(&self.pending.name, found, values, salts).map(Arc::new).map_err(refused)
    }

    /// Whether a change that was cut off goes on; otherwise the server never heard of it, and it is forgotten.
    pub(crate) fn goes_on(&self, ui: &Ui, session: &Session, change: &Change) -> Result<bool, Failure> {
        let name = &self.pending.name;
        let answer = session.runtime.block_on(session.runner.which(change)).map_err(FailureKind::from)?;
        match answer {
            Answer::Old => {
                self.end(ui, false)?;
                ui.status(&format!(
                    "a change of {name} was cut off before {} heard of it: the value stays",
                    change.server.service
                ));
                Ok(false)
            }
            Answer::Neither => Err(self.lost(change)),
            Answer::New | Answer::Both | Answer::Any | Answer::Silent => {
                ui.status(&format!("a change of {name} was cut off: it goes on with this release"));
                Ok(true)
            }
        }
    }

    pub(super) fn lost(&self, change: &Change) -> Failure {
        let name = &self.pending.name;
        refused(format!("{} takes neither the present nor the new value of `{name}`; nothing was done", change.server.service))
            .hint("somebody else changed it: set it there to the present value, which `plimsoll secret export` prints")
    }

    /// Keeps the value before anything uses it.
    pub(super) fn begin(&self, ui: &Ui) -> Result<(), Failure> {
        let mut file = SecretFile::of(&self.directory)?;
        let mut store = file.open()?;
        store.await_value(self.pending.clone()).map_err(|error| refused(error.to_string()))?;
        file.save(ui, &store)
    }

    /// Takes the new value for good, or forgets it. The file may have changed in the meantime.
    fn end(&self, ui: &Ui, keeps: bool) -> Result<(), Failure> {
        let mut file = SecretFile::of(&self.directory)?;
        let mut store = file.open()?;
        if store.pending().is_none_or(|pending| pending.name != self.pending.name) {
            return Ok(());
        }
        if keeps {
            store.keep();
        } else {
            store.forget();
        }
        file.save(ui, &store)
    }

    /// What becomes of the value after a deploy with it.
    pub(crate) fn finish(
        &self,
        ui: &Ui,
        session: &Session,
        change: &Arc<Change>,
        result: Result<Done, DeployError>,
    ) -> Result<Done, Failure> {
        let (name, service) = (&self.pending.name, &change.server.service);
        let again =
            format!("both values of {name} are kept: `plimsoll secret rotate {name}` goes on from here");
        match result {
            Ok(done) => {
                let settled = session.runtime.block_on(session.runner.settle(change));
                settled.map_err(|error| Failure::from(FailureKind::from(error)).hint(again))?;
                self.end(ui, true)?;
                ui.status(&format!(
                    "{service} takes the new value of {name} only; commit `{}`",
                    plimsoll_secrets::FILE_NAME
                ));
                Ok(done)
            }
            Err(error) => {
                let answer = session.runtime.block_on(session.runner.which(change));
                let is_over = matches!(error, DeployError::Failed { .. });
                let failure = deploy::failure(error);
                match answer {
                    Ok(Answer::Old) => {}
                    Ok(Answer::Any) if is_over => {}
                    _ => return Err(failure.hint(again)),
                }
                self.end(ui, false)?;
                Err(failure.hint(format!(
                    "{service} takes the old value of {name} as before; the new one is forgotten"
                )))
            }
        }
    }
}
