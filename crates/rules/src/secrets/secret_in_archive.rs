//! Archive of the project takes local secrets along.

use plimsoll_model::commands::Machine;
use plimsoll_model::{Facts, Kind};

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
            .help("pack what git tracks (`git archive HEAD`), or leave out `.env*` and keys");
    }
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
