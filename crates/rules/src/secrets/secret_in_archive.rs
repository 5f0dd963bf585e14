//! Archive of the project takes local secrets along.

use plimsoll_model::commands::{Command, Machine};
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
            || !takes_everything(command)
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

/// Packs or copies a whole folder: `tar c … .`, `rsync -a ./ host:`, `scp -r . host:`, `zip -r x .`.
fn takes_everything(command: &Command) -> bool {
    let operands: Vec<&str> = command.operands().map(|arg| arg.value.text.as_str()).collect();
    let whole = |word: &str| matches!(word, "." | "./" | "*" | "./*") || word.ends_with("/.");
    match command.program.as_str() {
        "tar" => {
            let creates = command.flag(&["-c", "--create"]).is_some()
                || operands.first().is_some_and(|first| first.starts_with('c') && first.len() < 6);
            creates && operands.iter().any(|word| whole(word))
        }
        "rsync" => {
            operands.first().is_some_and(|source| whole(source))
                && operands.iter().any(|word| word.contains(':'))
        }
        "scp" => command.flag(&["-r"]).is_some() && operands.first().is_some_and(|source| whole(source)),
        "zip" => command.flag(&["-r"]).is_some() && operands.iter().skip(1).any(|word| whole(word)),
        _ => false,
    }
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
