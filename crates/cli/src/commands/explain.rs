//! `plimsoll explain`

use clap::Args;
use plimsoll_report::page_for_terminal;
use plimsoll_rules::{registry, similar_id};

use crate::failure::{Failure, FailureKind, Outcome};
use crate::ui::Ui;

/// Explain a rule: what it checks, why it matters, a bad and a better example
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll explain ISO-001
  plimsoll explain syntax-error")]
pub(crate) struct ExplainArgs {
    /// Code or name of the rule
    #[arg(value_name = "RULE")]
    rule: String,
}

/// Lines of prose beyond this are tiring to read.
const WIDTH: usize = 90;

pub(crate) fn run(ui: &Ui, args: &ExplainArgs) -> Result<Outcome, Failure> {
    let Some(rule) = registry::find(&args.rule) else {
        return Err(unknown_rule(&args.rule, similar_id(&args.rule)));
    };
    ui.print(&page_for_terminal(rule, ui.width().min(WIDTH)))?;
    Ok(Outcome::Clean)
}

pub(super) fn unknown_rule(id: &str, similar: Option<&str>) -> Failure {
    let failure = Failure::from(FailureKind::UnknownRule(id.to_owned()));
    match similar {
        Some(similar) => failure.hint(format!("did you mean `{similar}`?")),
        None => failure.hint("`plimsoll rules` lists all codes and names"),
    }
}
