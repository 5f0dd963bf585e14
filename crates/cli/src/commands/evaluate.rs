//! `plimsoll evaluate`

use camino::{Utf8Path, Utf8PathBuf};
use clap::{ArgAction, Args};
use plimsoll_judge::graph::{Graph, graph, to_dot, to_mermaid};
use plimsoll_judge::situation::situation;
use plimsoll_model::Facts;
use plimsoll_report::{
    Detail, Report, TerminalOptions, read_baseline, to_json, to_markdown, to_sarif, to_terminal, verdict,
    write_baseline,
};
use plimsoll_rules::{Baseline, RuleSet, Selection, evaluate};

use super::choices::{ConfidenceChoice, FailOn, ProfileChoice, ReportFormat};
use super::explain::unknown_rule;
use crate::discovery::{Discovery, discover};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::output::write_file;
use crate::ui::Ui;

/// Judge a deployment by its files
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll evaluate
  plimsoll evaluate deploy/ docker-compose.yml --fail-on medium
  plimsoll evaluate --rules ISO,SEC,port-on-all-interfaces
  plimsoll evaluate --format sarif --output plimsoll.sarif
  plimsoll evaluate --format dot | dot -Tsvg > attack-paths.svg
  plimsoll evaluate --write-baseline plimsoll-baseline.json
  plimsoll evaluate --baseline plimsoll-baseline.json

Accept a finding by a comment on its line or the line above:
  # plimsoll: ignore[ISO-001] needs the GPU driver of the node

Exit codes:
  0  no finding at or above the threshold of --fail-on
  1  such findings
  2  wrong usage, nothing to evaluate, or no such findings but files that could not be read")]
pub(crate) struct EvaluateArgs {
    /// Directories or files to evaluate
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<String>,
    /// Form of the report
    #[arg(long, value_enum, default_value_t = ReportFormat::Terminal)]
    format: ReportFormat,
    /// Write the report to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<Utf8PathBuf>,
    /// What the deployment is for; network findings weigh more outside a homelab
    #[arg(long, value_enum, default_value_t = ProfileChoice::Homelab)]
    profile: ProfileChoice,
    /// Exit with 1 for findings at or above this severity
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = FailOn::High)]
    fail_on: FailOn,
    /// Run only these rules: codes, names, or themes such as ISO or secrets
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    rules: Vec<String>,
    /// Show only findings that are at least this sure
    #[arg(long, value_enum, value_name = "CONFIDENCE", default_value_t = ConfidenceChoice::Medium)]
    min_confidence: ConfidenceChoice,
    /// Leave out the findings that this file knows
    #[arg(long, value_name = "FILE")]
    baseline: Option<Utf8PathBuf>,
    /// Make all present findings known in this file
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<Utf8PathBuf>,
    /// One line for each finding
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// All findings in full, hidden ones as a list
    #[arg(short, long, action = ArgAction::SetTrue)]
    verbose: bool,
}

pub(crate) fn run(ui: &Ui, args: &EvaluateArgs) -> Result<Outcome, Failure> {
    let selection = selection(args)?;
    let patience = ui.patience("reading and judging");
    let own: Vec<&Utf8Path> = [&args.output, &args.baseline, &args.write_baseline]
        .into_iter()
        .flatten()
        .map(Utf8PathBuf::as_path)
        .collect();
    let Discovery { root, files, inventory, problems, unreadable, .. } = discover(&args.paths, &own)?;
    let facts = Facts::new(files, inventory);
    let assessment = quietly(|| evaluate(&facts, &selection));
    drop(patience);
    let report = Report {
        root: &root,
        files: &facts.files,
        assessment: &assessment,
        problems: &problems,
        profile: selection.profile,
        fail_on: args.fail_on.threshold(),
        min_confidence: selection.min_confidence,
    };
    if let Some(path) = &args.write_baseline {
        write_file(path, &write_baseline(&report))?;
    }
    emit(ui, args, &report, &facts)?;
    let outcome = if report.failures() > 0 {
        Outcome::Findings
    } else if unreadable || !assessment.broken.is_empty() {
        Outcome::Incomplete
    } else {
        Outcome::Clean
    };
    // The process ends here, and the system takes millions of small pieces of memory back faster than we could.
    std::mem::forget((facts, assessment));
    Ok(outcome)
}

fn selection(args: &EvaluateArgs) -> Result<Selection, Failure> {
    Ok(Selection {
        rules: rule_set(&args.rules)?,
        min_confidence: args.min_confidence.into(),
        profile: args.profile.into(),
        baseline: args.baseline.as_deref().map(baseline).transpose()?.unwrap_or_default(),
    })
}

/// The rules that ids name; all of them where there is no id.
pub(super) fn rule_set(ids: &[String]) -> Result<RuleSet, Failure> {
    if ids.is_empty() {
        return Ok(RuleSet::All);
    }
    let ids = ids.iter().map(|id| id.trim()).filter(|id| !id.is_empty());
    RuleSet::from_ids(ids).map_err(|unknown| unknown_rule(&unknown.id, unknown.similar))
}

#[expect(clippy::disallowed_methods, reason = "the command line is what reads files")]
fn baseline(path: &Utf8Path) -> Result<Baseline, Failure> {
    let text = std::fs::read_to_string(path).map_err(|source| {
        Failure::from(FailureKind::Read { path: path.to_owned(), source })
            .hint("`--write-baseline` makes such a file of the present findings")
    })?;
    read_baseline(&text).map_err(|source| FailureKind::Baseline { path: path.to_owned(), source }.into())
}

fn emit(ui: &Ui, args: &EvaluateArgs, report: &Report<'_>, facts: &Facts) -> Result<(), Failure> {
    let detail = match (args.quiet, args.verbose) {
        (true, _) => Detail::Brief,
        (_, true) => Detail::Full,
        _ => Detail::Normal,
    };
    let text = match args.format {
        ReportFormat::Terminal => to_terminal(report, TerminalOptions { detail, width: ui.width() }),
        ReportFormat::Json => to_json(report),
        ReportFormat::Sarif => to_sarif(report),
        ReportFormat::Markdown => to_markdown(report),
        ReportFormat::Dot => to_dot(&attack_graph(report, facts)),
        ReportFormat::Mermaid => to_mermaid(&attack_graph(report, facts)),
    };
    let Some(path) = &args.output else { return ui.print(&text) };
    write_file(path, &anstream::adapter::strip_str(&text).to_string())?;
    if !args.quiet {
        ui.status(&format!("{}; the report is in `{path}`", verdict(report)));
    }
    Ok(())
}

fn attack_graph(report: &Report<'_>, facts: &Facts) -> Graph {
    graph(&situation(facts, report.assessment, report.profile))
}

/// Runs something whose panics are caught and reported elsewhere, without their usual message.
pub(super) fn quietly<T>(run: impl FnOnce() -> T) -> T {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = run();
    std::panic::set_hook(usual);
    result
}
