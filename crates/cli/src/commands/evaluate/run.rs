//! What `plimsoll evaluate` does.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_fix::{Claim, prove};
use plimsoll_judge::graph::{Graph, graph, to_dot, to_mermaid};
use plimsoll_judge::settings::{Date, Settings, Status};
use plimsoll_judge::situation::situation;
use plimsoll_model::Facts;
use plimsoll_report::document::Withdrawals;
use plimsoll_report::{
    Detail, Report, TerminalOptions, read_baseline, to_json, to_markdown, to_sarif, to_terminal, verdict,
    write_baseline,
};
use plimsoll_rules::{Assessment, Baseline, Profile, RuleSet, Selection, evaluate};

use super::args::EvaluateArgs;
use super::clock::today;
use super::document::Target;
use super::settings;
use crate::commands::choices::ReportFormat;
use crate::commands::explain::unknown_rule;
use crate::discovery::{Discovery, discover};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::output::write_file;
use crate::ui::Ui;

pub(crate) fn run(ui: &Ui, args: &EvaluateArgs) -> Result<Outcome, Failure> {
    let mut selection = selection(args)?;
    let document =
        args.document.as_ref().map(|file| Target::new(file.as_deref(), &args.paths)).transpose()?;
    let patience = ui.patience("reading and judging");
    let own: Vec<&Utf8Path> = [&args.output, &args.baseline, &args.write_baseline]
        .into_iter()
        .flatten()
        .map(Utf8PathBuf::as_path)
        .chain(document.as_ref().map(Target::path))
        .collect();
    let Discovery { root, files, inventory, repaired, problems, unreadable } = discover(&args.paths, &own)?;
    let mut settings = settings::read(&files)?;
    selection.profile = args.profile.map(Into::into).or(settings.profile).unwrap_or(selection.profile);
    settings.profile = Some(selection.profile);
    let facts = Facts::new(files, inventory);
    let mut assessment = quietly(|| evaluate(&facts, &selection));
    let today = today();
    let accepted = settings::accept_risks(&settings, today, &facts.files, &mut assessment);
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
    if !args.quiet {
        expired(ui, &accepted);
    }
    match &document {
        Some(target) => {
            let withdrawn = withdrawn(&facts, &assessment, &selection, &settings, today, &repaired);
            target.write(&report, &facts, &settings, today, &withdrawn)?;
            if !args.quiet {
                ui.status(&format!("{}; the evaluation is in `{}`", verdict(&report), target.path()));
            }
            // Who asks for another form too gets both.
            if args.format != ReportFormat::Terminal || args.output.is_some() {
                emit(ui, args, &report, &facts)?;
            }
        }
        None => emit(ui, args, &report, &facts)?,
    }
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

/// Why the patches of some findings do not hold. Bash is not asked: the same files give the same document.
fn withdrawn(
    facts: &Facts,
    assessment: &Assessment,
    selection: &Selection,
    settings: &Settings,
    today: Date,
    repaired: &BTreeSet<Utf8PathBuf>,
) -> Withdrawals {
    let claim = Claim {
        facts,
        assessment,
        selection,
        accept: &|files, assessment| {
            settings::accept_risks(settings, today, files, assessment);
        },
        keep: &|path| repaired.contains(path).then_some("not all of the file is UTF-8 text"),
    };
    quietly(|| prove(&claim))
}

/// Says which risks are no longer accepted.
fn expired(ui: &Ui, accepted: &[Status]) {
    for status in accepted.iter().filter(|status| status.expired && !status.findings.is_empty()) {
        let risk = &status.risk;
        ui.status(&format!(
            "{} was accepted until {} (\"{}\"): its findings count again",
            risk.rule, risk.until, risk.reason
        ));
    }
}

fn selection(args: &EvaluateArgs) -> Result<Selection, Failure> {
    Ok(Selection {
        rules: rule_set(&args.rules)?,
        min_confidence: args.min_confidence.into(),
        profile: Profile::default(),
        baseline: args.baseline.as_deref().map(baseline).transpose()?.unwrap_or_default(),
    })
}

/// The rules that ids name; all of them where there is no id.
pub(crate) fn rule_set(ids: &[String]) -> Result<RuleSet, Failure> {
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
pub(crate) fn quietly<T>(run: impl FnOnce() -> T) -> T {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = run();
    std::panic::set_hook(usual);
    result
}
