//! Which maker of guests a lab has: the one that is wished for, else the first that is possible.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use plimsoll_lab::docker::{self, Docker, Reach};
use plimsoll_lab::host::{Diagnosis, HostError, Image, VmImage, diagnose};
use plimsoll_lab::lxc::{self, Lxc};
use plimsoll_lab::{Backend, Simulated};

use super::lab::failure;
use super::lab_host::CacheArgs;
use crate::failure::Failure;
use crate::ui::Ui;

#[derive(Debug, Args)]
pub(super) struct GuestArgs {
    /// What guests are made of
    #[arg(long, value_enum, default_value = "auto")]
    guests: Guests,
    /// What virtual machines are made of, beside containers by LXC
    #[arg(long, value_enum, default_value = "auto")]
    vms: Vms,
    /// First address of the guests' network of 254 addresses; a free one is taken where it is not given
    #[arg(long, value_name = "ADDRESS")]
    subnet: Option<Ipv4Addr>,
    /// Let guests reach what this machine reaches, through slirp4netns or Docker; else they reach each other and this machine
    #[arg(long)]
    internet: bool,
    /// Folder for the disks of guests, which everybody must be able to pass through; `/var/lib/plimsoll-lab`, or one beside the socket
    /// where guests are in Docker and that folder cannot be used
    #[arg(long, value_name = "DIRECTORY")]
    data: Option<PathBuf>,
    #[command(flatten)]
    cache: CacheArgs,
}

/// Makers of guests
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Guests {
    /// The first of LXC and Docker for which `plimsoll lab doctor` finds nothing missing, else simulated
    Auto,
    /// Containers that really boot, by LXC
    Lxc,
    /// Containers that really boot, in any Docker engine
    Docker,
    /// No processes: for plans and tests of the API
    Simulated,
}

/// Makers of virtual machines
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Vms {
    /// QEMU where containers boot by LXC and `plimsoll lab doctor` finds nothing missing for it, else simulated
    Auto,
    /// Virtual machines that really boot, emulated in software by QEMU
    Qemu,
    /// No processes: for plans and tests of the API
    Simulated,
}

/// Where guests lie, if nothing else is said.
const DATA: &str = "/var/lib/plimsoll-lab";

/// The maker of guests that is wished for, or that is possible.
pub(super) fn backend(ui: &Ui, args: &GuestArgs, directory: &Path) -> Result<Box<dyn Backend>, Failure> {
    let wished: &[&'static str] = match args.guests {
        _ if args.vms == Vms::Qemu && matches!(args.guests, Guests::Docker | Guests::Simulated) => {
            let text = "they need the network of containers by LXC";
            return Err(failure("virtual machines cannot boot here", std::io::Error::other(text))
                .hint("take `--guests lxc`"));
        }
        Guests::Auto if args.vms == Vms::Qemu => &["lxc"],
        Guests::Simulated => return Ok(Box::new(Simulated)),
        Guests::Auto => &["lxc", "docker"],
        Guests::Lxc => &["lxc"],
        Guests::Docker => &["docker"],
    };
    let all = diagnose(&args.cache.cache);
    let vms = vms(ui, args, &all)?;
    let mut reasons = Vec::new();
    for name in wished {
        let Some(found) = all.iter().find(|one| one.backend == *name) else { continue };
        let why = match lacking(found) {
            Some(text) => format!("{text} missing; see `plimsoll lab doctor`"),
            None => match open(args, directory, name, vms.clone()) {
                Ok(backend) => {
                    if let Some(reason) = reasons.first() {
                        ui.status(&format!("guests boot by {name}, not by {reason}"));
                    }
                    return Ok(backend);
                }
                Err(error) => story(&error),
            },
        };
        reasons.push(format!("{name}: {why}"));
    }
    let text = reasons.join("; ");
    if args.guests == Guests::Auto && args.vms != Vms::Qemu {
        ui.status(&format!("guests are simulated: {text}"));
        return Ok(Box::new(Simulated));
    }
    Err(failure("guests cannot boot here", std::io::Error::other(text))
        .hint("do without with `--guests simulated`"))
}

/// The disk image of virtual machines, where they boot.
fn vms(ui: &Ui, args: &GuestArgs, all: &[Diagnosis]) -> Result<Option<PathBuf>, Failure> {
    let by_lxc = matches!(args.guests, Guests::Auto | Guests::Lxc);
    if args.vms == Vms::Simulated || !by_lxc {
        return Ok(None);
    }
    let missing = all.iter().find(|one| one.backend == "qemu").and_then(lacking);
    match missing {
        None => Ok(Some(VmImage::in_cache(&args.cache.cache).path)),
        Some(text) if args.vms == Vms::Qemu => {
            let text = format!("{text} missing; see `plimsoll lab doctor`");
            Err(failure("virtual machines cannot boot here", std::io::Error::other(text))
                .hint("do without with `--vms simulated`"))
        }
        Some(text) => {
            ui.status(&format!("virtual machines are simulated: {text} missing; see `plimsoll lab doctor`"));
            Ok(None)
        }
    }
}

fn lacking(found: &Diagnosis) -> Option<String> {
    let missing = found.checks.iter().filter(|check| !check.found).map(|check| check.what.as_str());
    (!found.is_ready()).then(|| missing.collect::<Vec<_>>().join(", "))
}

fn story(error: &HostError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn open(
    args: &GuestArgs,
    directory: &Path,
    name: &str,
    vms: Option<PathBuf>,
) -> Result<Box<dyn Backend>, HostError> {
    let image = Image::in_cache(&args.cache.cache).path;
    let (subnet, internet) = (args.subnet, args.internet);
    let data = args.data.clone().unwrap_or_else(|| PathBuf::from(DATA));
    if name == "lxc" {
        return Ok(Box::new(Lxc::open(&lxc::Place { data, image, vms, subnet, internet })?));
    }
    // An engine can be used without being root; the folder of a system's programs cannot.
    let data = if args.data.is_none() && !is_ours(&data) { directory.join("data") } else { data };
    Ok(Box::new(Docker::open(&docker::Place { data, image, subnet, internet, reach: Reach::Detected })?))
}

/// Whether files can be made in a folder.
fn is_ours(folder: &Path) -> bool {
    let trial = folder.join(format!(".trial-{}", std::process::id()));
    let made = std::fs::create_dir_all(folder).and_then(|()| std::fs::create_dir(&trial));
    made.and_then(|()| std::fs::remove_dir(&trial)).is_ok()
}
