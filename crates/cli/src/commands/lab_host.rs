//! `plimsoll lab image` and `plimsoll lab doctor`: what guests that really boot need from this machine.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, Subcommand, ValueEnum};
use plimsoll_lab::host::{HostError, Image, STAND_INS, VmImage, examine};

use crate::failure::{Failure, FailureKind, Outcome};
use crate::ui::Ui;

#[derive(Debug, Args)]
pub(crate) struct ImageArgs {
    #[command(subcommand)]
    command: ImageCommand,
}

#[derive(Debug, Subcommand)]
enum ImageCommand {
    /// Make the image that guests boot from, once, from Debian's packages
    Build(BuildArgs),
}

#[derive(Debug, Args)]
struct BuildArgs {
    /// Make the disk image that virtual machines boot from instead, with its own kernel
    #[arg(long, conflicts_with_all = ["stand_ins", "only"])]
    vm: bool,
    /// Make archives for `docker load` that stand in for official images where no registry is reached
    #[arg(long)]
    stand_ins: bool,
    /// Make only this stand-in: nginx, node, postgres, python or redis
    #[arg(
        long = "stand-in",
        value_name = "NAME",
        conflicts_with = "stand_ins",
        value_parser = clap::builder::PossibleValuesParser::new(STAND_INS.map(|one| one.name))
    )]
    only: Vec<String>,
    #[command(flatten)]
    cache: CacheArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CacheArgs {
    /// Folder for what is made once: images for guests
    #[arg(
        long,
        value_name = "DIRECTORY",
        env = "PLIMSOLL_LAB_CACHE",
        default_value = "/var/cache/plimsoll-lab"
    )]
    pub(crate) cache: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// How to show it
    #[arg(long, value_enum, default_value = "text")]
    format: DoctorFormat,
    #[command(flatten)]
    cache: CacheArgs,
}

/// Forms of the doctor's answer
#[derive(Clone, Copy, Debug, ValueEnum)]
enum DoctorFormat {
    Text,
    Json,
}

pub(crate) fn image(ui: &Ui, args: &ImageArgs) -> Result<Outcome, Failure> {
    let ImageCommand::Build(args) = &args.command;
    let cache = args.cache.cache.as_path();
    let wanted = |name: &str| args.stand_ins || args.only.iter().any(|only| only == name);
    if args.vm {
        let image = VmImage::in_cache(cache);
        built(ui, &image.path, |ui| image.build(|step| ui.status(step)))?;
        return Ok(Outcome::Clean);
    }
    if !args.stand_ins && args.only.is_empty() {
        let image = Image::in_cache(cache);
        built(ui, &image.path, |ui| image.build(|step| ui.status(step)))?;
    }
    for one in STAND_INS.iter().filter(|one| wanted(one.name)) {
        built(ui, &one.archive(cache), |ui| one.build(cache, |step| ui.status(step)))?;
    }
    Ok(Outcome::Clean)
}

fn built(ui: &Ui, path: &Path, build: impl FnOnce(&Ui) -> Result<(), HostError>) -> Result<(), Failure> {
    if !path.is_file() {
        let begin = Instant::now();
        build(ui).map_err(|error| {
            let failure: Failure =
                FailureKind::Lab { what: "cannot build the image".to_owned(), source: error.into() }.into();
            failure.hint("`plimsoll lab doctor` says what is missing")
        })?;
        ui.status(&format!("built in {} s", begin.elapsed().as_secs()));
    }
    ui.print(&format!("{}\n", path.display()))
}

pub(crate) fn doctor(ui: &Ui, args: &DoctorArgs) -> Result<Outcome, Failure> {
    let all = examine(&args.cache.cache);
    let text = match args.format {
        DoctorFormat::Json => {
            let value = serde_json::json!({ "schema": "plimsoll-lab-doctor/v1", "backends": all.iter().map(|one| {
                serde_json::json!({ "backend": one.backend, "ready": one.is_ready(), "checks": one.checks, "enable": one.enable() })
            }).collect::<Vec<_>>() });
            format!("{value:#}\n")
        }
        DoctorFormat::Text => {
            let mut out = String::new();
            for one in &all {
                let word = if one.is_ready() { "ready" } else { "not ready" };
                out.push_str(&format!("{}: {word}\n", one.backend));
                for check in one.checks.iter().filter(|check| !check.found) {
                    out.push_str(&format!("  missing  {}\n", check.what));
                }
                for line in one.enable() {
                    out.push_str(&format!("  do       {line}\n"));
                }
            }
            out
        }
    };
    ui.print(&text)?;
    Ok(Outcome::Clean)
}
