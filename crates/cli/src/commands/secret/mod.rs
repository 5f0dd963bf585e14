//! `plimsoll secret`

mod dotenv;
mod edit;
mod file;
mod list;
mod rotate;
mod rotation;
mod values;

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};

use super::target::Format;
use crate::failure::{Failure, Outcome};
use crate::ui::Ui;

pub(crate) use file::SecretFile;
pub(crate) use rotation::Rotation;

/// Keep the secrets of an app in `secrets.age`, encrypted, beside the code
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll secret set SMTP_PASSWORD               # asks for the value, or reads it from a pipe
  plimsoll secret generate                        # makes those that `plimsoll.yaml` says to make
  plimsoll secret import .env
  plimsoll secret list
  plimsoll secret rotate DB_PASSWORD              # with `rotate: postgres`, its server changes with it
  plimsoll secret edit

Values are read from standard input, never from arguments. The file is encrypted to the `recipients:` of
`plimsoll.yaml` and belongs in the repository. It is read with the first of: the key in PLIMSOLL_AGE_IDENTITY, the
file named by PLIMSOLL_AGE_IDENTITY_FILE, ~/.config/plimsoll/identity.txt, ~/.ssh/id_ed25519.")]
pub(crate) struct SecretArgs {
    #[command(subcommand)]
    command: Command,
}

/// Where the secrets are.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlaceArgs {
    /// Directory of `plimsoll.yaml`
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    pub(crate) directory: Utf8PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show which secrets there are and where each comes from, never a value
    List(ListArgs),
    /// Store a value, read from standard input
    Set(SetArgs),
    /// Make the secrets that `plimsoll.yaml` says to make and that are not there yet
    Generate(GenerateArgs),
    /// Put a new value in place of a made one, in a database's server too
    Rotate(Box<rotate::RotateArgs>),
    /// Take a value out of the file
    Remove(RemoveArgs),
    /// Store the values of a dotenv file
    Import(ImportArgs),
    /// Print all stored values as a dotenv file
    Export(ExportArgs),
    /// Change the values in an editor
    Edit(EditArgs),
    /// Encrypt the file anew, to the recipients that `plimsoll.yaml` has now
    Recipients(RecipientsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// How results are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll secret set SMTP_PASSWORD
  op read op://home/smtp/password | plimsoll secret set SMTP_PASSWORD")]
pub(crate) struct SetArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Name of the variable
    #[arg(value_name = "NAME")]
    name: String,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Only these
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Name of the variable
    #[arg(value_name = "NAME")]
    name: String,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// The dotenv file; it is left as it is
    #[arg(value_name = "FILE")]
    file: Utf8PathBuf,
    /// Also take names that `plimsoll.yaml` does not know
    #[arg(long)]
    all: bool,
    /// Put the file's values in place of stored ones
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Print the values without asking
    #[arg(long, short)]
    yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RecipientsArgs {
    #[command(flatten)]
    place: PlaceArgs,
}

pub(crate) fn run(ui: &Ui, args: &SecretArgs) -> Result<Outcome, Failure> {
    match &args.command {
        Command::List(args) => list::run(ui, args)?,
        Command::Set(args) => values::set(ui, args)?,
        Command::Generate(args) => values::generate(ui, args)?,
        Command::Rotate(args) => rotate::run(ui, args)?,
        Command::Remove(args) => values::remove(ui, args)?,
        Command::Import(args) => dotenv::import(ui, args)?,
        Command::Export(args) => dotenv::export(ui, args)?,
        Command::Edit(args) => edit::run(ui, args)?,
        Command::Recipients(args) => values::recipients(ui, args)?,
    }
    Ok(Outcome::Clean)
}
