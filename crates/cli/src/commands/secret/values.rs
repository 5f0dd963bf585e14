//! `plimsoll secret set`, `generate`, `rotate`, `remove` and `recipients`

use std::io::{IsTerminal as _, Read as _};

use plimsoll_secrets::SecretString;

use super::file::{SecretFile, random, refused};
use super::{GenerateArgs, RecipientsArgs, RemoveArgs, RotateArgs, SetArgs};
use crate::failure::{Failure, FailureKind};
use crate::ui::Ui;

pub(super) fn set(ui: &Ui, args: &SetArgs) -> Result<(), Failure> {
    let mut file = SecretFile::of(&args.place.directory)?;
    let mut store = file.open()?;
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

pub(super) fn rotate(ui: &Ui, args: &RotateArgs) -> Result<(), Failure> {
    let mut file = SecretFile::of(&args.place.directory)?;
    let Some(how) = file.recipe(&args.name) else { return Err(no_recipe(&args.name)) };
    if file.config().secrets.get(&args.name).is_some_and(|secret| secret.rotate.is_some()) {
        return Err(refused(format!(
            "`{}` is the password of a server, which would go on asking for the old one",
            args.name
        ))
        .hint("change it in the server first, then store it with `plimsoll secret set`"));
    }
    let mut store = file.open()?;
    let value = plimsoll_secrets::generate(how, random).map_err(|error| refused(error.to_string()))?;
    store.set(&args.name, value).map_err(|error| refused(error.to_string()))?;
    file.save(ui, &store)?;
    ui.print(&format!(
        "made a new {} in {}; `plimsoll deploy` brings it to the guest\n",
        args.name,
        file.path()
    ))
}

pub(super) fn remove(ui: &Ui, args: &RemoveArgs) -> Result<(), Failure> {
    let mut file = SecretFile::of(&args.place.directory)?;
    let mut store = file.open()?;
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
