//! `plimsoll lab`

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand, ValueEnum};
use plimsoll_lab::control::{self, Ask};
use plimsoll_lab::{Release, Rule, coverage};

use super::lab_host::{self, DoctorArgs, ImageArgs};
use super::lab_up::{self, UpArgs};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ui::Ui;

/// Run a Proxmox VE node for rehearsals, on this machine and without Proxmox
#[derive(Debug, Args)]
pub(crate) struct LabArgs {
    #[command(subcommand)]
    command: LabCommand,
    /// Directory for the lab's socket and certificate
    #[arg(long, global = true, value_name = "DIRECTORY", env = "PLIMSOLL_LAB_DIR")]
    directory: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum LabCommand {
    /// Start a node and keep it running until `lab down` or Ctrl-C
    Up(UpArgs),
    /// Stop the node
    Down,
    /// Show the node's release, guests and faults
    Status(StatusArgs),
    /// Print what a client needs: address, fingerprint, token, template and network
    Env(EnvArgs),
    /// Throw all guests, users and tasks away and begin anew
    Reset,
    /// Show tasks with their logs
    Logs,
    /// Run a line of `pveum`, the node's tool for users, tokens and roles, as `plimsoll doctor` prints it
    Pveum(PveumArgs),
    /// Show, set or take away faults
    Faults(FaultsArgs),
    /// List the endpoints of a release that the node answers, and those that it does not
    Coverage(CoverageArgs),
    /// Say what this machine lacks for guests that really boot, and how to get it
    Doctor(DoctorArgs),
    /// Make the image that guests boot from
    Image(ImageArgs),
}

/// Releases of Proxmox VE that the lab knows
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Pve {
    #[value(name = "8.4")]
    V8,
    #[value(name = "9.2")]
    V9,
}

impl From<Pve> for Release {
    fn from(pve: Pve) -> Self {
        match pve {
            Pve::V8 => Self::V8,
            Pve::V9 => Self::V9,
        }
    }
}

#[derive(Debug, Args)]
struct StatusArgs {
    /// How to show it
    #[arg(long, value_enum, default_value = "text")]
    format: StatusFormat,
}

#[derive(Debug, Args)]
struct EnvArgs {
    /// How to show it: as assignments for a shell, or as JSON
    #[arg(long, value_enum, default_value = "text")]
    format: StatusFormat,
}

/// Forms of answers
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StatusFormat {
    Text,
    Json,
}

#[derive(Debug, Args)]
struct PveumArgs {
    /// The words behind `pveum`
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "WORD")]
    words: Vec<String>,
}

#[derive(Debug, Args)]
struct FaultsArgs {
    /// Set a fault: a JSON object such as {"fault":"status","status":596,"path":"/lxc","times":1}
    #[arg(long, value_name = "JSON", conflicts_with_all = ["remove", "clear"])]
    add: Option<String>,
    /// Take the fault with this number away
    #[arg(long, value_name = "NUMBER", conflicts_with = "clear")]
    remove: Option<u32>,
    /// Take all faults away
    #[arg(long)]
    clear: bool,
}

#[derive(Debug, Args)]
struct CoverageArgs {
    /// Release to list
    #[arg(long, value_enum, default_value = "9.2", value_name = "RELEASE")]
    pve: Pve,
    /// List only what the node does not answer
    #[arg(long)]
    missing: bool,
}

pub(crate) fn run(ui: &Ui, args: &LabArgs) -> Result<Outcome, Failure> {
    let directory = args.directory.clone().unwrap_or_else(usual_directory);
    let socket = directory.join("lab.sock");
    match &args.command {
        LabCommand::Up(up) => lab_up::run(ui, up, &directory, &socket)?,
        LabCommand::Coverage(coverage) => list(ui, coverage)?,
        LabCommand::Doctor(doctor) => return lab_host::doctor(ui, doctor),
        LabCommand::Image(image) => return lab_host::image(ui, image),
        LabCommand::Down => stop(ui, &socket)?,
        LabCommand::Status(status) if status.format == StatusFormat::Json => {
            tell(ui, &socket, &Ask::Describe)?;
        }
        LabCommand::Status(_) => tell(ui, &socket, &Ask::Status)?,
        LabCommand::Env(env) => lab_up::environment(ui, &directory, env.format == StatusFormat::Json)?,
        LabCommand::Reset => tell(ui, &socket, &Ask::Reset)?,
        LabCommand::Logs => tell(ui, &socket, &Ask::Logs)?,
        LabCommand::Pveum(pveum) => {
            let answer = ask(&socket, &Ask::Pveum { words: pveum.words.clone() })?;
            if let Some(error) = answer.strip_prefix("error: ") {
                return Err(failure("the lab node refuses that", error.trim_end().to_owned()));
            }
            ui.print(&answer)?;
        }
        LabCommand::Faults(faults) => tell(ui, &socket, &wanted(faults)?)?,
    }
    Ok(Outcome::Clean)
}

#[expect(clippy::disallowed_methods, reason = "the command line is the place that reads the environment")]
fn usual_directory() -> PathBuf {
    let of = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = of("XDG_RUNTIME_DIR").or_else(|| of("HOME").map(|home| home.join(".cache")));
    base.unwrap_or_else(std::env::temp_dir).join("plimsoll-lab")
}

pub(super) fn failure(
    what: impl Into<String>,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Failure {
    FailureKind::Lab { what: what.into(), source: source.into() }.into()
}

fn tell(ui: &Ui, socket: &Path, ask: &Ask) -> Result<(), Failure> {
    ui.print(&self::ask(socket, ask)?)
}

fn ask(socket: &Path, ask: &Ask) -> Result<String, Failure> {
    control::ask(socket, ask)
        .map_err(|error| failure("cannot ask the lab", error).hint("start one with `plimsoll lab up`"))
}

/// Guests that run take their time: the lab is gone when its socket is.
fn stop(ui: &Ui, socket: &Path) -> Result<(), Failure> {
    tell(ui, socket, &Ask::Down)?;
    let begin = Instant::now();
    while socket.exists() && begin.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

pub(super) fn rule(text: &str) -> Result<Rule, Failure> {
    serde_json::from_str(text).map_err(|error| failure(format!("`{text}` is no fault"), error))
}

fn wanted(args: &FaultsArgs) -> Result<Ask, Failure> {
    Ok(match (&args.add, args.remove, args.clear) {
        (Some(text), _, _) => Ask::AddFault { rule: rule(text)? },
        (_, Some(number), _) => Ask::RemoveFault { number },
        (_, _, true) => Ask::ClearFaults,
        _ => Ask::Faults,
    })
}

fn list(ui: &Ui, args: &CoverageArgs) -> Result<(), Failure> {
    let all = coverage(args.pve.into());
    let answered = all.iter().filter(|(_, _, answered)| *answered).count();
    let shown = all.iter().filter(|(_, _, answered)| !(args.missing && *answered));
    let lines: Vec<String> = shown
        .map(|(verb, path, answered)| {
            format!("{}  {verb:<6}  {path}\n", if *answered { "yes" } else { "no " })
        })
        .collect();
    ui.print(&lines.concat())?;
    ui.status(&format!("{answered} of {} endpoints are answered, the others with 501", all.len()));
    Ok(())
}
