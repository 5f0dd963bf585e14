//! Start of the app destroys data.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Machine, Origin};

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "DAT-001",
    name: "destructive-start",
    title: "Start of the app destroys data",
    theme: Theme::DataSafety,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("destructive_start.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for creation in facts.application.schema_creations.iter().filter(|creation| creation.destructive) {
        if facts.is_development(creation.place.file) {
            continue;
        }
        findings
            .add(creation.place, format!("`{}` drops the tables whenever this code runs", creation.call))
            .label("data is gone after this")
            .help("create the schema with migrations and never drop it from the app");
    }
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        let at_start = matches!(unit.origin, Origin::ServiceCommand { .. })
            || facts.path(unit.file).file_stem().is_some_and(|stem| stem.contains("entrypoint"));
        if !at_start || command.machine == Machine::Build || facts.is_development(unit.file) {
            continue;
        }
        let Some(what) = destroys(command) else { continue };
        findings
            .add(command.place, format!("`{what}` runs at every start of the container"))
            .label("destroys what earlier runs kept")
            .help("move it into a task that a person starts on purpose");
    }
}

fn destroys(command: &Command) -> Option<String> {
    let words: Vec<&str> = command.arg_texts().collect();
    let word = |wanted: &str| words.iter().any(|word| word.eq_ignore_ascii_case(wanted));
    let found = match command.program.as_str() {
        "php" => word("migrate:fresh") || word("migrate:refresh") || word("db:wipe"),
        "redis-cli" => word("flushall") || word("flushdb"),
        "npx" | "prisma" | "pnpm" | "yarn" => {
            (word("reset") && word("migrate")) || word("--force-reset") || word("--accept-data-loss")
        }
        "rails" | "rake" => word("db:reset") || word("db:drop") || word("db:setup"),
        "dropdb" => true,
        "python" | "python3" => word("flush") && words.iter().any(|word| word.ends_with("manage.py")),
        "alembic" => word("downgrade") && word("base"),
        _ => false,
    };
    found.then(|| format!("{} {}", command.program, words.join(" ")))
}
