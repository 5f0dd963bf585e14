//! `plimsoll secret import` and `export`, and values as lines that Compose reads.

use std::io::IsTerminal as _;

use camino::Utf8Path;
use plimsoll_config::Origin;
use plimsoll_secrets::{ExposeSecret as _, SecretString, Store};
use plimsoll_syntax::dotenv::{self, Quote};
use plimsoll_text::{Files, Layer};

use super::file::{SecretFile, refused};
use super::{ExportArgs, ImportArgs};
use crate::failure::{Failure, FailureKind};
use crate::ui::Ui;

#[expect(clippy::disallowed_methods, reason = "the command line is the place that reads files")]
pub(super) fn import(ui: &Ui, args: &ImportArgs) -> Result<(), Failure> {
    let mut file = SecretFile::of(&args.place.directory)?;
    let text = std::fs::read_to_string(&args.file)
        .map_err(|source| FailureKind::Read { path: args.file.clone(), source })?;
    let mut store = file.open()?;
    let (mut taken, mut unknown, mut same) = (Vec::new(), Vec::new(), Vec::new());
    for (name, value) in read(&args.file, &text)? {
        let declared = file.config().secrets.contains_key(&name);
        match store.get(&name) {
            _ if !declared && !args.all => unknown.push(name),
            Some(old) if old.expose_secret() == value.expose_secret() => same.push(name),
            Some(_) if !args.replace => {
                return Err(refused(format!(
                    "`{name}` has another value in `{}`; nothing was stored",
                    file.path()
                ))
                .hint("`--replace` takes the file's values"));
            }
            _ => {
                store.set(&name, value).map_err(|error| refused(error.to_string()))?;
                taken.push(name);
            }
        }
    }
    if !unknown.is_empty() {
        ui.status(&format!(
            "left out, because `plimsoll.yaml` does not list them under `secrets:`: {} (`--all` takes them)",
            unknown.join(", ")
        ));
    }
    if taken.is_empty() {
        return ui.print(&format!("nothing new in {}\n", args.file));
    }
    file.save(ui, &store)?;
    ui.print(&format!("stored {} in {}\n", taken.join(", "), file.path()))?;
    let declared = &file.config().secrets;
    let kept = |name: &&String| {
        let origin = declared.get(*name).map(|secret| &secret.origin);
        origin.is_none_or(|origin| matches!(origin, Origin::Store | Origin::Generate(_)))
    };
    for name in taken.iter().filter(|name| !kept(name)) {
        ui.status(&format!(
            "`plimsoll.yaml` takes {name} from elsewhere: write `{name}: {{from: store}}` to use the stored value"
        ));
    }
    ui.status(&format!(
        "`{}` still holds them in the clear: remove it when nothing reads it any more",
        args.file
    ));
    Ok(())
}

pub(super) fn export(ui: &Ui, args: &ExportArgs) -> Result<(), Failure> {
    let file = SecretFile::of(&args.place.directory)?;
    let store = file.open()?;
    if !args.yes && std::io::stdout().is_terminal() {
        return Err(refused("this shows every secret on the screen")
            .hint("say so with `--yes`, or send the output to where it is needed"));
    }
    ui.print(&lines(&store))
}

/// All values, one line each, as [`read`] reads them back.
pub(super) fn lines(store: &Store) -> String {
    let values = store.names().filter_map(|name| Some((name, store.get(name)?)));
    values.map(|(name, value)| format!("{name}={}\n", quoted(value.expose_secret()))).collect()
}

/// A value in quotes in which no variable is resolved.
fn quoted(value: &str) -> String {
    if !value.contains(['\'', '\\', '\n', '\r']) {
        return format!("'{value}'");
    }
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '$' => out.push_str("\\$"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// The values of a dotenv file, by the rules of Compose; of two with one name the last counts.
pub(super) fn read(path: &Utf8Path, text: &str) -> Result<Vec<(String, SecretString)>, Failure> {
    let files = Files::new([(path.to_owned(), text.to_owned())]);
    let mut found: Vec<(String, SecretString)> = Vec::new();
    for (id, source) in files.iter() {
        let tree = dotenv::parse(&Layer::whole(id, source));
        if let Some(error) = tree.errors.first() {
            let at = source.line_column(error.place.span.start);
            return Err(refused(format!("{path}:{}:{}: {}", at.line, at.column, error.message)));
        }
        for entry in &tree.entries {
            let Some(value) = &entry.value else { continue };
            let text =
                if value.interpolates() { value.text().replace("$$", "\0") } else { value.text().to_owned() };
            if value.interpolates() && text.contains('$') && value.quote != Quote::Single {
                let at = source.line_column(entry.span.start);
                return Err(refused(format!(
                    "{path}:{}:{}: the value of `{}` refers to another variable",
                    at.line, at.column, entry.key
                ))
                .hint("write it out, or in single quotes when the dollar sign is part of it"));
            }
            found.retain(|(name, _)| *name != entry.key);
            found.push((entry.key.clone(), SecretString::from(text.replace('\0', "$"))));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_value_is_read_back_as_it_was_written(value in "[^\0]{0,60}") {
            let mut store = Store::default();
            store.set("A", SecretString::from(value.clone())).unwrap();
            let back = read(Utf8Path::new(".env"), &lines(&store)).unwrap();
            prop_assert_eq!(back.first().unwrap().1.expose_secret(), value.as_str());
        }
    }

    #[test]
    fn errors_name_the_line_and_no_value() {
        for text in ["A=1\nB='horse\n", "A=1\nB=\"horse${X}\"\n"] {
            let failure = read(Utf8Path::new(".env"), text).unwrap_err();
            let shown = format!("{failure:?} {}", failure.chain());
            assert!(shown.contains(".env:2:"), "{shown}");
            assert!(!shown.contains("horse"), "{shown}");
        }
    }
}
