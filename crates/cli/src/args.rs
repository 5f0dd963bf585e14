//! The command line as plain data.

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

use crate::commands::{
    backup, completions, deploy, destroy, doctor, evaluate, events, exec, explain, fix, init, lab, logs,
    plan, power, releases, rollback, rules, secret, status, templates, unlock,
};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::BrightWhite.on_default().bold())
    .usage(AnsiColor::BrightWhite.on_default().bold())
    .literal(AnsiColor::BrightCyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Judge how a Docker Compose application is deployed on Proxmox VE.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", bin_name = "plimsoll", version, styles = STYLES, disable_help_subcommand = true)]
#[command(after_help = "\
Exit codes:
  0   nothing to object to
  1   findings at or above the threshold of --fail-on, or changes that --diff shows
  2   wrong usage, or input that could not be read
  3   a deploy that failed, or a guest or a node that could not be asked
  70  a bug in Plimsoll")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Evaluate(evaluate::EvaluateArgs),
    Fix(fix::FixArgs),
    Explain(explain::ExplainArgs),
    Rules(rules::RulesArgs),
    Init(init::InitArgs),
    Doctor(doctor::DoctorArgs),
    Plan(plan::PlanArgs),
    Deploy(deploy::DeployArgs),
    Status(status::StatusArgs),
    Releases(releases::ReleasesArgs),
    Rollback(rollback::RollbackArgs),
    Logs(logs::LogsArgs),
    Exec(exec::ExecArgs),
    Restart(power::RestartArgs),
    Stop(power::StopArgs),
    Start(power::StartArgs),
    Events(events::EventsArgs),
    Backup(backup::BackupArgs),
    Destroy(destroy::DestroyArgs),
    Templates(templates::TemplatesArgs),
    Unlock(unlock::UnlockArgs),
    Secret(secret::SecretArgs),
    Lab(lab::LabArgs),
    Completions(completions::CompletionsArgs),
}
