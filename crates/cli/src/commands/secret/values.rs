//! `plimsoll secret set`, `generate`, `rotate`, `remove` and `recipients`

use std::io::{IsTerminal as _, Read as _};

use plimsoll_secrets::{SecretString, Store};

use super::file::{SecretFile, random, refused};
use super::rotate::RotateArgs;
use super::{GenerateArgs, RecipientsArgs, RemoveArgs, SetArgs};
use crate::failure::{Failure, FailureKind};
use crate::ui::Ui;

pub(super) fn set(ui: &Ui, args: &SetArgs) -> Result<(), Failure> {
    let mut file = SecretFile::of(&args.place.directory)?;
    let mut store = file.open()?;
    at_rest(&store, &args.name)?;
    let value = given(ui, &args.name)?;
    let replaced = store.set(&args.name, value).map_err(|error| refused(error.to_string()))?;
    file.save(ui, &store)?;
    let what = if replaced { "replaced" } else { "stored" };
    ui.print(&format!("{what} {} in {}\n", args.name, file.path()))?;
    if !file.config().secrets.contains_key(&args.name) {
        ui.status(&format!(
            "`plimsoll.yaml` does not use it yet: add `{}: {{from: store}}` to `secrets:`",
            args.name
        ));
    }
    Ok(())
}

/// A value from a pipe, or typed in unseen. One line break at its end is not part of it.
fn given(ui: &Ui, name: &str) -> Result<SecretString, Failure> {
    let failed = |source| Failure::from(FailureKind::Read { path: "standard input".into(), source });
    let mut stdin = std::io::stdin();
    let mut text = String::new();
    if stdin.is_terminal() {
        ui.status(&format!("value of {name} (it is not shown):"));
        text = rpassword::read_password().map_err(failed)?;
    } else {
        stdin.read_to_string(&mut text).map_err(failed)?;
    }
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() {
        return Err(refused(format!("no value for `{name}` came from standard input"))
            .hint(format!("pipe it in: `printf %s \"$VALUE\" | plimsoll secret set {name}`")));
    }
    Ok(SecretString::from(text))
}

pub(super) fn generate(ui: &Ui, args: &GenerateArgs) -> Result<(), Failure> {
    let mut file = SecretFile::of(&args.place.directory)?;
    let mut store = file.open()?;
    let names: Vec<String> = match args.names.as_slice() {
        [] => file.config().secrets.keys().filter(|name| file.recipe(name).is_some()).cloned().collect(),
        names => names.to_vec(),
    };
    let mut made = Vec::new();
    for name in names {
        let Some(how) = file.recipe(&name) else { return Err(no_recipe(&name)) };
        if store.get(&name).is_some() {
            continue;
        }
        let value = plimsoll_secrets::generate(how, random).map_err(|error| refused(error.to_string()))?;
        store.set(&name, value).map_err(|error| refused(error.to_string()))?;
        made.push(name);
    }
    if made.is_empty() {
        return ui.print("nothing to make: every secret that is to be made is there\n");
    }
    file.save(ui, &store)?;
    ui.print(&format!("made {} in {}\n", made.join(", "), file.path()))
}

fn no_recipe(name: &str) -> Failure {
    refused(format!("`plimsoll.yaml` does not say how to make `{name}`"))
        .hint(format!("add `{name}: {{generate: {{length: 32, alphabet: url-safe}}}}` to `secrets:`"))
}

/// A new value of a secret that no server asks for.
pub(super) fn renew(ui: &Ui, args: &RotateArgs) -> Result<(), Failure> {
    let mut file = SecretFile::of(&args.release.directory)?;
    let Some(how) = file.recipe(&args.name) else { return Err(no_recipe(&args.name)) };
    let mut store = file.open()?;
    let value = plimsoll_secrets::generate(how, random).map_err(|error| refused(error.to_string()))?;
    store.set(&args.name, value).map_err(|error| refused(error.to_string()))?;
    if args.dry_run {
        return ui.print(&format!("would make a new {} in {}\n", args.name, file.path()));
    }
    file.save(ui, &store)?;
    ui.print(&format!(
        "made a new {} in {}; `plimsoll deploy` brings it to the guest\n",
        args.name,
        file.path()
    ))
}

/// A value that is on its way to a server is not changed under it.
fn at_rest(store: &Store, name: &str) -> Result<(), Failure> {
    match store.pending() {
        Some(pending) if pending.name == name => {
            Err(refused(format!("a new value of `{name}` is on its way to its server"))
                .hint(format!("`plimsoll secret rotate {name}` finishes that first")))
        }
        _ => Ok(()),
    }
}

pub(super) fn remove(ui: &Ui, args: &RemoveArgs) -> Result<(), Failure> {
    let mut file = SecretFile::of(&args.place.directory)?;
    let mut store = file.open()?;
    at_rest(&store, &args.name)?;
    if !store.remove(&args.name) {
        return Err(refused(format!("there is no `{}` in `{}`", args.name, file.path()))
            .hint("`plimsoll secret list` names those that are there"));
    }
    file.save(ui, &store)?;
    ui.print(&format!("removed {} from {}\n", args.name, file.path()))
}

pub(super) fn recipients(ui: &Ui, args: &RecipientsArgs) -> Result<(), Failure> {
    let mut file = SecretFile::of(&args.place.directory)?;
    let store = file.open()?;
    file.save(ui, &store)?;
    let count = file.config().recipients.len();
    ui.print(&format!(
        "{} can be read by {count} recipient{}\n",
        file.path(),
        if count == 1 { "" } else { "s" }
    ))
}
