//! `plimsoll lab`

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use plimsoll_lab::control::{self, Ask};
use plimsoll_lab::{Certificate, Lab, Options, Release, Rule, Server, coverage};

use super::lab_host::{self, DoctorArgs, ImageArgs};
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
    Status,
    /// Throw all guests, users and tasks away and begin anew
    Reset,
    /// Show tasks with their logs
    Logs,
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
enum Pve {
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
struct UpArgs {
    /// Release whose contract the node keeps
    #[arg(long, value_enum, default_value = "9.2", value_name = "RELEASE")]
    pve: Pve,
    /// Port on the loopback interface; 0 takes a free one
    #[arg(long, default_value_t = 8006)]
    port: u16,
    /// Nodes of the cluster
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    nodes: u8,
    /// Start of everything that looks random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Password of root@pam
    #[arg(long, default_value = "plimsoll")]
    password: String,
    /// File with faults to begin with, one JSON object a line
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
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
        LabCommand::Up(up) => start(ui, up, &directory, &socket)?,
        LabCommand::Coverage(coverage) => list(ui, coverage)?,
        LabCommand::Doctor(doctor) => return lab_host::doctor(ui, doctor),
        LabCommand::Image(image) => return lab_host::image(ui, image),
        LabCommand::Down => tell(ui, &socket, &Ask::Down)?,
        LabCommand::Status => tell(ui, &socket, &Ask::Status)?,
        LabCommand::Reset => tell(ui, &socket, &Ask::Reset)?,
        LabCommand::Logs => tell(ui, &socket, &Ask::Logs)?,
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

fn failure(what: impl Into<String>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    FailureKind::Lab { what: what.into(), source: source.into() }.into()
}

fn tell(ui: &Ui, socket: &Path, ask: &Ask) -> Result<(), Failure> {
    let answer = control::ask(socket, ask)
        .map_err(|error| failure("cannot ask the lab", error).hint("start one with `plimsoll lab up`"))?;
    ui.print(&answer)
}

fn rule(text: &str) -> Result<Rule, Failure> {
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

#[expect(clippy::disallowed_methods, reason = "the command line is the place that reads and writes files")]
fn start(ui: &Ui, args: &UpArgs, directory: &Path, socket: &Path) -> Result<(), Failure> {
    let shown = directory.display().to_string();
    std::fs::create_dir_all(directory).map_err(|error| failure(format!("cannot make `{shown}`"), error))?;
    let options = Options {
        release: args.pve.into(),
        nodes: usize::from(args.nodes),
        seed: args.seed,
        epoch: now(),
        password: args.password.clone(),
        ..Options::default()
    };
    let lab = Arc::new(Lab::new(options));
    if let Some(path) = &args.faults {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| failure(format!("cannot read `{shown}`"), error))?;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            lab.add_fault(rule(line)?);
        }
    }
    let (down, stopped) = channel();
    control::listen(socket, lab.clone(), down.clone()).map_err(|error| {
        failure("cannot start the lab", error).hint("stop the one that runs with `plimsoll lab down`")
    })?;
    let certificate = Certificate::make().map_err(|error| failure("cannot start the lab", error))?;
    let authority = directory.join("ca.pem");
    std::fs::write(&authority, &certificate.pem)
        .map_err(|error| failure("cannot write the certificate", error))?;
    // The runtime is built here and nowhere else: an evaluation needs none.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| failure("cannot start the lab", error))?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let server = runtime
        .block_on(Server::start(lab.clone(), address, certificate))
        .map_err(|error| failure("cannot start the lab", error).hint("take a free port with `--port 0`"))?;
    let summary = lab.summary();
    ui.print(&format!(
        "Proxmox VE {} (lab), {} guests\n\
         address      https://{}\n\
         fingerprint  {}\n\
         ca file      {}\n\
         user         root@pam, password {}\n",
        summary.release,
        summary.backend,
        server.address,
        server.certificate.fingerprint,
        authority.display(),
        args.password,
    ))?;
    runtime.spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            let _ = down.send(());
        }
    });
    wait(&stopped);
    runtime.block_on(server.stop());
    let _ = std::fs::remove_file(socket);
    let _ = std::fs::remove_file(&authority);
    ui.status("the lab has stopped");
    Ok(())
}

fn wait(stopped: &Receiver<()>) {
    let _ = stopped.recv();
    // The answer to `lab down` is still on its way.
    std::thread::sleep(Duration::from_millis(20));
}

#[expect(clippy::disallowed_methods, reason = "a node's clock shows the time of day")]
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or_default())
}
