//! Archive of the project takes local secrets along.

use plimsoll_model::commands::{Command, Machine};
use plimsoll_model::{Facts, Kind};
use plimsoll_text::{Edit, Fix};

use crate::edits;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SEC-006",
    name: "secret-in-archive",
    title: "Archive of the project takes local secrets along",
    theme: Theme::Secrets,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[],
    doc: include_str!("secret_in_archive.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    if !uses_dotenv(facts) {
        return;
    }
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        if unit.origin.is_documentation()
            || command.machine != Machine::Workstation
            || !command.takes_whole_folder()
        {
            continue;
        }
        if command.arg_texts().any(leaves_out) {
            continue;
        }
        let finding = findings.add(command.place, "this takes `.env` and other local secrets along");
        finding.label("everything in the folder, ignored files included");
        if let Some(exclude) = command.args.iter().find(|arg| arg.value.text.contains(".env")) {
            finding.related(exclude.place, "leaves out this one only");
        }
        finding
            .note("the developer's keys end up on the node, in the guest and in every copy of the archive")
            .help("pack what git tracks (`git archive HEAD`), or leave out `.env*` and keys")
            .fix(fix(facts, command));
    }
}

/// Leaves `.env` out of an archive, beside what is left out already. Where nothing else brings a `.env` to the guest,
/// the archive may be meant to, which needs a look.
fn fix(facts: &Facts, command: &Command) -> Option<Fix> {
    let edits = leave_out(facts, command).map(|edit| vec![edit]);
    let brought = facts.commands.iter().any(|other| {
        let operands = other.operands().map(|arg| arg.value.text.as_str());
        match other.program.as_str() {
            "pct" => other.is("pct", &["push"]) && operands.last().is_some_and(is_dotenv),
            "scp" | "rsync" => operands.last().is_some_and(is_dotenv),
            _ => other
                .outputs
                .iter()
                .any(|output| other.machine != Machine::Workstation && is_dotenv(&output.target.text)),
        }
    });
    let title = "leave `.env` out of the archive";
    if brought { edits::safe(title, edits) } else { edits::review(title, edits) }
}

fn is_dotenv(path: &str) -> bool {
    path.ends_with("/.env") || path.ends_with(":.env")
}

fn leave_out(facts: &Facts, command: &Command) -> Option<Edit> {
    if !matches!(command.program.as_str(), "tar" | "rsync") {
        return None;
    }
    let mut excludes = command.args.iter().filter(|arg| arg.value.text.starts_with("--exclude="));
    let Some(last) = excludes.next_back() else {
        let first =
            command.operands().find(|arg| matches!(arg.value.text.as_str(), "." | "./" | "*" | "./*"))?;
        return Some(edits::before(first.place, "--exclude=.env "));
    };
    let written = facts.text(last.place);
    let quote = written.chars().find(|c| matches!(c, '\'' | '"')).map(String::from).unwrap_or_default();
    let option = format!("--exclude={quote}.env{quote}");
    // An option on a line of its own gets a line of its own.
    let alone = edits::line_head(facts, last.place).trim().is_empty()
        && edits::line_tail(facts, last.place).trim() == "\\";
    Some(if alone {
        edits::after(last.place, format!(" \\\n{}{option}", edits::indent_of(facts, last.place)))
    } else {
        edits::after(last.place, format!(" {option}"))
    })
}

/// The edits that keep a `.env` of this machine out of every archive that takes one along.
pub(super) fn keep_out(facts: &Facts) -> Option<Vec<Edit>> {
    let mut all = Vec::new();
    let mut findings = Findings::new(&RULE, &mut all);
    check(facts, &mut findings);
    all.into_iter()
        .map(|finding| finding.fix.map(|fix| fix.edits))
        .collect::<Option<Vec<_>>>()
        .map(|all| all.concat())
}

/// Whether the project keeps secrets in a file that git ignores.
fn uses_dotenv(facts: &Facts) -> bool {
    let ignored = facts.trees.of_kind(Kind::Ignore).any(|file| {
        facts.files.get(file).text().lines().any(|line| {
            let line = line.trim().trim_start_matches(['/', '*']);
            line == ".env" || line == ".env*" || line == ".env.*"
        })
    });
    ignored || facts.trees.of_kind(Kind::Dotenv).any(|file| facts.files.get(file).name().contains("example"))
}

/// Whether an argument leaves `.env` itself out.
fn leaves_out(arg: &str) -> bool {
    let pattern = arg
        .split_once('=')
        .map_or(arg, |(_, value)| value)
        .trim_matches(['"', '\''])
        .trim_start_matches("./");
    matches!(pattern, ".env" | ".env*" | "*.env" | ".env.*" | "**/.env" | "**/.env*")
        || arg.starts_with("--exclude-vcs-ignores")
        || arg.starts_with("--exclude-from")
        || arg.starts_with("--files-from")
        || arg == "-T"
        || arg.contains(":- .gitignore")
        || arg.contains("dir-merge,- .gitignore")
}
