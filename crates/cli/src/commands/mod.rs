//! One file for each subcommand: its arguments, whose documentation is its help, and its function.

pub(crate) mod backup;
pub(crate) mod completions;
pub(crate) mod deploy;
pub(crate) mod destroy;
pub(crate) mod doctor;
pub(crate) mod evaluate;
pub(crate) mod events;
pub(crate) mod exec;
pub(crate) mod explain;
pub(crate) mod fix;
pub(crate) mod init;
pub(crate) mod lab;
mod lab_detach;
mod lab_guests;
mod lab_host;
mod lab_up;
pub(crate) mod logs;
pub(crate) mod plan;
pub(crate) mod power;
pub(crate) mod releases;
pub(crate) mod rollback;
pub(crate) mod rules;
pub(crate) mod secret;
pub(crate) mod status;
pub(crate) mod templates;
pub(crate) mod unlock;

mod checkout;
mod choices;
mod held;
#[allow(dead_code, reason = "the commands that ask a node use it one after the other")]
mod node;
mod provision;
mod replace;
mod schedule;
mod settings;
mod target;

use crate::args::Command;
use crate::failure::{Failure, Outcome};
use crate::ui::Ui;

pub(crate) fn run(ui: &Ui, command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Evaluate(args) => evaluate::run(ui, &args),
        Command::Fix(args) => fix::run(ui, &args),
        Command::Explain(args) => explain::run(ui, &args),
        Command::Rules(args) => rules::run(ui, &args),
        Command::Init(args) => init::run(ui, &args),
        Command::Plan(args) => plan::run(ui, &args),
        Command::Deploy(args) => deploy::run(ui, &args),
        Command::Status(args) => status::run(ui, &args),
        Command::Templates(args) => templates::run(ui, &args),
        Command::Releases(args) => releases::run(ui, &args),
        Command::Rollback(args) => rollback::run(ui, &args),
        Command::Logs(args) => logs::run(ui, &args),
        Command::Exec(args) => exec::run(&args),
        Command::Restart(args) => power::restart(ui, &args),
        Command::Stop(args) => power::stop(ui, &args),
        Command::Start(args) => power::start(ui, &args),
        Command::Events(args) => events::run(ui, &args),
        Command::Backup(args) => backup::run(ui, &args),
        Command::Destroy(args) => destroy::run(ui, &args),
        Command::Unlock(args) => unlock::run(ui, &args),
        Command::Doctor(args) => doctor::run(ui, &args),
        Command::Secret(args) => secret::run(ui, &args),
        Command::Lab(args) => lab::run(ui, &args),
        Command::Completions(args) => completions::run(ui, &args),
    }
}
