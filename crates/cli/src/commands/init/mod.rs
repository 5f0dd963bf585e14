//! `plimsoll init`

mod ask;
mod draft;
mod files;
mod taskfile;
mod text;
mod workflow;

use std::io::IsTerminal as _;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use plimsoll_config::{Config, FILE_NAME};
use plimsoll_model::Facts;

use super::settings::Settings;
use crate::discovery::discover;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ui::Ui;

use draft::{Draft, Given, NewKind};
use files::Change;

/// Write a commented `plimsoll.yaml` from the Compose files and from scripts that deploy the app today
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll init
  plimsoll init --adopt deploy@10.0.0.5
  plimsoll init --node pve1 --url https://pve.lan:8006 --address 192.168.1.50/24 --gateway 192.168.1.1
  plimsoll init --yes --kind lxc --backup dumps
  plimsoll init --taskfile --workflow          # beside a plimsoll.yaml that is there, too
  plimsoll init --print

At a terminal it asks what neither files nor flags say, each with a default and the reason for it. With `--yes`, and
where nobody sits, it asks nothing: what is not said takes a usual value, and is named at the end. Nothing is replaced.")]
pub(crate) struct InitArgs {
    /// Directory of the checkout
    #[arg(value_name = "DIRECTORY", default_value = ".")]
    directory: Utf8PathBuf,
    /// Name of the app [default: that of the Compose project]
    #[arg(long, value_name = "NAME")]
    app: Option<String>,
    /// Name of the target [default: production, or the only one of a file that is there]
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// Take a machine that exists already, with Docker Engine, instead of a new guest
    #[arg(long, value_name = "[USER@]HOST[:PORT]", conflicts_with_all = ["url", "node", "storage", "address", "gateway", "backup"])]
    adopt: Option<String>,
    /// What is made for the app [default: vm]
    #[arg(long, value_enum, conflicts_with = "adopt")]
    kind: Option<NewKind>,
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
    /// The node's storage for backups, or `none`
    #[arg(long, value_name = "NAME")]
    backup: Option<String>,
    /// Also write Taskfile.plimsoll.yml with the verbs, and include it in the project's Taskfile
    #[arg(long)]
    taskfile: bool,
    /// Also write .github/workflows/deploy.yml: a plan for pull requests, a deploy for the main branch
    #[arg(long)]
    workflow: bool,
    /// Print the file instead of writing it; asks nothing
    #[arg(long, conflicts_with_all = ["taskfile", "workflow"])]
    print: bool,
    /// Ask nothing
    #[arg(long, short)]
    yes: bool,
}

pub(crate) fn run(ui: &Ui, args: &InitArgs) -> Result<Outcome, Failure> {
    let path = args.directory.join(FILE_NAME);
    let is_there = !args.print && path.symlink_metadata().is_ok();
    let mut changes = Vec::new();
    let mut assumed = Vec::new();
    let (config, target) = if is_there {
        if !args.taskfile && !args.workflow {
            return Err(files::exists(&path).hint("`plimsoll init --print` shows what would be written"));
        }
        let settings = Settings::read(&args.directory, args.target.as_deref())?;
        let settings = settings.ok_or_else(|| files::exists(&path))?;
        (settings.config().clone(), settings.target().clone())
    } else {
        let draft = drafted(args)?;
        let (text, config) = accepted(&draft).map_err(|reason| refused(&reason))?;
        if args.print {
            ui.print(&text)?;
            return Ok(Outcome::Clean);
        }
        changes.push(Change { path, before: None, after: text });
        let target = config.targets.get(&draft.given.target).cloned();
        let target = target.ok_or_else(|| refused("it has no target"))?;
        assumed = draft.assumed;
        (config, target)
    };
    if args.taskfile {
        changes.extend(files::taskfile(&args.directory)?);
    }
    if args.workflow {
        changes.extend(files::workflow(&args.directory, &config, &target)?);
    }
    for change in &changes {
        change.write()?;
        let verb = if change.before.is_some() { "changed" } else { "wrote" };
        ui.print(&format!("{verb} {}\n", change.path))?;
    }
    if changes.is_empty() {
        ui.print("everything is there already; nothing was changed\n")?;
    }
    if !assumed.is_empty() {
        ui.status(&format!("not said by the files, so look at: {}", assumed.join(", ")));
    }
    Ok(Outcome::Clean)
}

/// What the file should say, by flags, files and, at a terminal, by answers.
fn drafted(args: &InitArgs) -> Result<Draft, Failure> {
    let found = discover(&[args.directory.to_string()], &[])?;
    let facts = Facts::new(found.files, found.inventory);
    let directory = args.directory.canonicalize_utf8().ok();
    let folder = directory.as_deref().and_then(Utf8Path::file_name).unwrap_or("app");
    let draft = |given: Given| {
        Draft::new(&facts, given, folder).ok_or_else(|| {
            Failure::from(FailureKind::Nothing(format!("`{}`: it has no Compose file", args.directory)))
                .hint("name the directory that holds it")
        })
    };
    let flags = draft(args.given())?;
    let stdin = std::io::stdin();
    if args.yes || args.print || !stdin.is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(flags);
    }
    accepted(&flags).map_err(|reason| refused(&reason))?;
    let accept = |given: &Given| match Draft::new(&facts, given.clone(), folder) {
        Some(draft) => accepted(&draft).map(drop),
        None => Ok(()),
    };
    let given = ask::ask(&mut stdin.lock(), &mut std::io::stderr(), &flags, accept).map_err(|_| {
        FailureKind::Target("the questions were not answered; nothing was written".to_owned())
    })?;
    draft(given)
}

fn refused(reason: &str) -> FailureKind {
    FailureKind::Target(format!("the file would not be accepted: {reason}"))
}

/// The text of a draft. It is read again before it is written: a flag or an answer can hold what the file may not.
fn accepted(draft: &Draft) -> Result<(String, Config), String> {
    let text = text::text(draft);
    match plimsoll_config::parse(Utf8Path::new(FILE_NAME), &text) {
        Ok(config) => Ok((text, config)),
        Err(errors) => {
            let reasons: Vec<String> = errors.0.iter().map(|error| error.message.clone()).collect();
            Err(reasons.join("; "))
        }
    }
}

impl InitArgs {
    /// What the flags say.
    fn given(&self) -> Given {
        Given {
            app: self.app.clone(),
            target: self.target.clone().unwrap_or_else(|| "production".to_owned()),
            adopt: self.adopt.clone(),
            url: self.url.clone(),
            node: self.node.clone(),
            storage: self.storage.clone(),
            address: self.address.clone(),
            gateway: self.gateway.clone(),
            backup: self.backup.clone(),
            kind: self.kind,
        }
    }
}
