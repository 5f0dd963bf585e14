//! `plimsoll rules`

use clap::Args;
use plimsoll_report::{rules_for_terminal, rules_to_json};
use plimsoll_rules::registry;

use super::choices::ListFormat;
use crate::failure::{Failure, Outcome};
use crate::ui::Ui;

/// List all rules
#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    /// Form of the list
    #[arg(long, value_enum, default_value_t = ListFormat::Terminal)]
    format: ListFormat,
}

pub(crate) fn run(ui: &Ui, args: &RulesArgs) -> Result<Outcome, Failure> {
    ui.print(&match args.format {
        ListFormat::Terminal => rules_for_terminal(registry::all()),
        ListFormat::Json => rules_to_json(registry::all()),
    })?;
    Ok(Outcome::Clean)
}
