//! New code serves before its migrations ran.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, HopKind, Machine};

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "DAT-013",
    name: "code-before-migrations",
    title: "New code serves before its migrations ran",
    theme: Theme::DataSafety,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("code_before_migrations.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen = std::collections::BTreeSet::new();
    for procedure in facts.commands.procedures() {
        let unit = facts.commands.unit(procedure.unit);
        if unit.origin.is_documentation() || facts.is_development(unit.file) {
            continue;
        }
        let mut started: Option<&Command> = None;
        for command in procedure.commands(&facts.commands) {
            if command.starts_services()
                && is_deployed(command, unit.machine)
                && started.is_none()
                && !starts_only_data(facts, command)
            {
                started = Some(command);
            }
            if let Some(start) = started.filter(|start| command.migrates() && start.id != command.id)
                && command.hops.iter().any(|hop| matches!(&hop.kind, HopKind::Container { .. }))
                && seen.insert(start.place)
            {
                findings
                    .add(start.place, "the new code serves before its migrations have run")
                    .label("starts the new version")
                    .related(command.place, "changes the schema afterwards")
                    .note("until then every request meets a schema that the code does not know, and a failed migration leaves it so")
                    .help("run the migration with the new image first (`docker compose run --rm`), then switch");
            }
        }
    }
}

fn is_deployed(command: &Command, unit: Machine) -> bool {
    command.machine == Machine::Guest || matches!(unit, Machine::Guest | Machine::Node)
}

/// `up -d db` starts the database alone.
fn starts_only_data(facts: &Facts, command: &Command) -> bool {
    let services: Vec<&str> = command
        .operands()
        .map(|arg| arg.value.text.as_str())
        .filter(|word| !matches!(*word, "compose" | "up"))
        .collect();
    !services.is_empty()
        && services.iter().all(|name| {
            facts
                .stacks
                .iter()
                .flat_map(plimsoll_model::Stack::services)
                .any(|service| service.name == *name && service.build.is_none())
        })
}
