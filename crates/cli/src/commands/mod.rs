//! One file for each subcommand: its arguments, whose documentation is its help, and its function.

pub(crate) mod completions;
pub(crate) mod evaluate;
pub(crate) mod explain;
pub(crate) mod fix;
pub(crate) mod lab;
mod lab_detach;
mod lab_host;
mod lab_up;
pub(crate) mod rules;

mod choices;

use crate::args::Command;
use crate::failure::{Failure, Outcome};
use crate::ui::Ui;

pub(crate) fn run(ui: &Ui, command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Evaluate(args) => evaluate::run(ui, &args),
        Command::Fix(args) => fix::run(ui, &args),
        Command::Explain(args) => explain::run(ui, &args),
        Command::Rules(args) => rules::run(ui, &args),
        Command::Lab(args) => lab::run(ui, &args),
        Command::Completions(args) => completions::run(ui, &args),
    }
}
