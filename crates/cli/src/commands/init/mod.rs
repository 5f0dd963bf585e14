//! `plimsoll init`

mod draft;
mod text;

use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use plimsoll_model::Facts;

use crate::discovery::discover;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ui::Ui;

use draft::{Draft, Given, NewKind};

/// Write a commented `plimsoll.yaml` from the Compose files and from scripts that deploy the app today
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll init
  plimsoll init --adopt deploy@10.0.0.5
  plimsoll init --node pve1 --url https://pve.lan:8006 --address 192.168.1.50/24 --gateway 192.168.1.1
  plimsoll init --print

Nothing is asked and nothing is replaced: what the files do not say takes a usual value, and is named at the end.")]
pub(crate) struct InitArgs {
    /// Directory of the checkout
    #[arg(value_name = "DIRECTORY", default_value = ".")]
    directory: Utf8PathBuf,
    /// Name of the app [default: that of the Compose project]
    #[arg(long, value_name = "NAME")]
    app: Option<String>,
    /// Name of the target
    #[arg(long, value_name = "NAME", default_value = "production")]
    target: String,
    /// Take a machine that exists already, with Docker Engine, instead of a new guest
    #[arg(long, value_name = "[USER@]HOST[:PORT]", conflicts_with_all = ["url", "node", "storage", "address", "gateway"])]
    adopt: Option<String>,
    /// What is made for the app
    #[arg(long, value_enum, default_value_t, conflicts_with = "adopt")]
    kind: NewKind,
    /// Where the node's API answers
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The node's name
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// The storage of the guest's disk
    #[arg(long, value_name = "NAME")]
    storage: Option<String>,
    /// The guest's address with its prefix, or `dhcp`
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
    /// The guest's gateway
    #[arg(long, value_name = "ADDRESS", requires = "address")]
    gateway: Option<String>,
    /// Print the file instead of writing it
    #[arg(long)]
    print: bool,
    /// Accepted for scripts: nothing is asked anyway
    #[arg(long, short)]
    yes: bool,
}

pub(crate) fn run(ui: &Ui, args: &InitArgs) -> Result<Outcome, Failure> {
    let path = args.directory.join(plimsoll_config::FILE_NAME);
    let exists = || {
        Failure::from(FailureKind::Target(format!("`{path}` exists and is not replaced")))
            .hint("`plimsoll init --print` shows what would be written")
    };
    if !args.print && path.symlink_metadata().is_ok() {
        return Err(exists());
    }
    let found = discover(&[args.directory.to_string()], &[])?;
    let facts = Facts::new(found.files, found.inventory);
    let given = Given {
        app: args.app.clone(),
        target: args.target.clone(),
        adopt: args.adopt.clone(),
        url: args.url.clone(),
        node: args.node.clone(),
        storage: args.storage.clone(),
        address: args.address.clone(),
        gateway: args.gateway.clone(),
        kind: args.kind,
    };
    let directory = args.directory.canonicalize_utf8().ok();
    let folder = directory.as_deref().and_then(Utf8Path::file_name).unwrap_or("app");
    let Some(draft) = Draft::new(&facts, given, folder) else {
        return Err(Failure::from(FailureKind::Nothing(format!(
            "`{}`: it has no Compose file",
            args.directory
        )))
        .hint("name the directory that holds it"));
    };
    let text = text::text(&draft);
    // What is written is read again first: a flag can hold what the file may not.
    if let Err(errors) = plimsoll_config::parse(Utf8Path::new(plimsoll_config::FILE_NAME), &text) {
        let reasons: Vec<String> = errors.0.iter().map(|error| error.message.clone()).collect();
        return Err(
            FailureKind::Target(format!("the file would not be accepted: {}", reasons.join("; "))).into()
        );
    }
    if args.print {
        ui.print(&text)?;
        return Ok(Outcome::Clean);
    }
    let write = |mut file: std::fs::File| file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    match std::fs::File::create_new(&path).and_then(write) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(exists()),
        Err(source) => return Err(FailureKind::Write { path, source }.into()),
        Ok(()) => {}
    }
    ui.print(&format!("wrote {path}\n"))?;
    if !draft.assumed.is_empty() {
        ui.status(&format!("not said by the files, so look at: {}", draft.assumed.join(", ")));
    }
    Ok(Outcome::Clean)
}
