//! `plimsoll secret list`

use std::collections::BTreeSet;

use plimsoll_config::Origin;
use serde_json::json;

use super::ListArgs;
use super::file::SecretFile;
use crate::commands::target::Format;
use crate::failure::Failure;
use crate::ui::Ui;

pub(super) fn run(ui: &Ui, args: &ListArgs) -> Result<(), Failure> {
    let file = SecretFile::of(&args.place.directory)?;
    let store = file.open()?;
    let stored: BTreeSet<&str> = store.names().collect();
    let declared = &file.config().secrets;
    let names: BTreeSet<&str> = stored.iter().copied().chain(declared.keys().map(String::as_str)).collect();
    let width = names.iter().map(|name| name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for name in names {
        let secret = declared.get(name);
        let from = secret.map_or("nothing uses it".to_owned(), |secret| origin(&secret.origin));
        let rotates = secret.and_then(|secret| secret.rotate.as_ref()).map(|rotate| rotate.server.name());
        let kept = secret.is_none_or(|one| matches!(one.origin, Origin::Store | Origin::Generate(_)));
        let is_stored = stored.contains(name);
        let is_changing = store.pending().is_some_and(|pending| pending.name == name);
        if args.format == Format::Json {
            let row = json!({
                "name": name, "declared": secret.is_some(), "from": from, "stored": is_stored, "rotate": rotates,
                "changing": is_changing,
            });
            out.push_str(&format!("{row}\n"));
            continue;
        }
        let state = match (kept, is_stored) {
            (true, true) if is_changing => "changing",
            (true, true) => "stored",
            (true, false) => "missing",
            (false, _) => "-",
        };
        let of = rotates.map(|server| format!(", password of {server}")).unwrap_or_default();
        out.push_str(&format!("{name:width$}  {state:7}  {from}{of}\n"));
    }
    if out.is_empty() {
        ui.status("there are no secrets: `plimsoll secret set NAME` stores one");
    }
    ui.print(&out)
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Store => "set by hand".to_owned(),
        Origin::Generate(how) => format!("made once, {} characters ({})", how.length, how.alphabet.name()),
        Origin::Env(name) => format!("the variable {name} of whoever deploys"),
        Origin::File(path) => format!("the file {path}"),
        Origin::Command(_) => "a command".to_owned(),
    }
}
