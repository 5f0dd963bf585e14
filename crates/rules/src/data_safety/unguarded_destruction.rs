//! Data or guests are destroyed without a question.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Bound, Command, Guard, Machine, Origin, Procedure};

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "DAT-009",
    name: "unguarded-destruction",
    title: "Data or guests are destroyed without a question",
    theme: Theme::DataSafety,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("unguarded_destruction.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen = std::collections::BTreeSet::new();
    for procedure in facts.commands.procedures() {
        let unit = facts.commands.unit(procedure.unit);
        if facts.commands.is_only_read(procedure.unit)
            || matches!(unit.origin, Origin::ImageBuild | Origin::ServiceCommand { .. })
        {
            continue;
        }
        let mut saved = false;
        let mut asked = false;
        for command in procedure.commands(&facts.commands) {
            saved |= command.backs_up();
            asked |= asks(facts, command);
            let Some(what) = destroys(facts, command) else { continue };
            if saved || asked || guarded(facts, command) || on_request(facts, procedure, command) {
                continue;
            }
            if !seen.insert(command.place) {
                continue;
            }
            findings
                .add(
                    command.place,
                    format!("`{}` {what} without asking and without a backup", short(command)),
                )
                .label("cannot be taken back")
                .help("ask for the name of what is to be destroyed, and save it first");
        }
    }
}

fn asks(facts: &Facts, command: &Command) -> bool {
    matches!(command.program.as_str(), "read" | "whiptail" | "dialog" | "gum" | "select")
        || facts.commands.bindings(command.unit).iter().any(|b| {
            matches!(b.bound, Bound::Input)
                && b.function.as_deref() == command.function.as_deref()
                && command.function.is_some()
        })
}

/// Whether a condition around the command speaks of consent or of something that the script made itself.
fn guarded(facts: &Facts, command: &Command) -> bool {
    command.guards.iter().any(|Guard { condition, .. }| {
        let text = facts.text(*condition).to_ascii_lowercase();
        ["confirm", "force", "yes", "reply", "answer", "destroy", "purge", "y/n", "prompt"]
            .iter()
            .any(|word| text.contains(word))
    })
}

/// A task that says by its name that it destroys is asked for by name; local development stacks are nobody's data.
fn on_request(facts: &Facts, procedure: &Procedure, command: &Command) -> bool {
    let local = matches!(command.machine, Machine::Workstation) && command.hops.is_empty();
    let name = procedure.name.to_ascii_lowercase();
    let named =
        ["destroy", "clean", "reset", "nuke", "purge", "teardown", "down", "delete", "remove", "uninstall"]
            .iter()
            .any(|word| name.contains(word));
    let unit = facts.commands.unit(command.unit);
    // `-auto-approve` takes away the question that the tool itself asks.
    let unasked = command.arg_texts().any(|text| text.contains("auto-approve"));
    local
        && !unasked
        && (named || command.program == "docker" || matches!(unit.origin, Origin::WorkflowStep { .. }))
}

fn destroys(facts: &Facts, command: &Command) -> Option<&'static str> {
    let words: Vec<&str> = command.operands().map(|arg| arg.value.text.as_str()).collect();
    match (command.program.as_str(), words.as_slice()) {
        ("pct" | "qm", ["destroy", ..]) => Some("destroys a guest with its disks"),
        ("zfs" | "zpool", ["destroy", ..]) => Some("destroys a dataset"),
        ("lvremove" | "mkfs" | "wipefs", _) => Some("destroys a volume"),
        ("docker" | "docker-compose", _) if command.is("docker", &["compose", "down"]) => {
            command.flag(&["-v", "--volumes"]).map(|_| "removes the volumes with their data")
        }
        ("docker", ["volume", "rm" | "prune", ..]) => Some("removes volumes with their data"),
        ("docker", ["system", "prune", ..]) => {
            command.flag(&["--volumes"]).map(|_| "removes volumes with their data")
        }
        ("psql" | "mysql" | "mariadb", _)
            if command.arg_texts().any(|text| {
                let text = text.to_ascii_uppercase();
                text.contains("DROP DATABASE") || text.contains("DROP SCHEMA")
            }) =>
        {
            Some("drops a database")
        }
        ("shutdown" | "poweroff" | "halt", _) if command.machine == Machine::Node => {
            Some("switches the hypervisor and all its guests off")
        }
        ("alembic", ["downgrade", "base" | "-1", ..]) => Some("removes tables with their data"),
        ("dropdb", _) => Some("drops a database"),
        ("prisma" | "npx" | "pnpm" | "yarn", _)
            if command.arg_texts().any(|a| matches!(a, "--accept-data-loss" | "--force-reset")) =>
        {
            Some("accepts the loss of data")
        }
        ("terraform" | "tofu", ["destroy", ..])
            if command.arg_texts().any(|a| a.contains("auto-approve")) =>
        {
            Some("destroys what the state holds")
        }
        ("rm", _) if is_recursive(command) => {
            let kept = facts.stacks.deployed_services().any(|(_, service)| {
                service.volumes.iter().any(|mount| {
                    mount.source.as_ref().is_some_and(|source| match source {
                        plimsoll_model::compose::MountSource::Path(path) => words.iter().any(|word| {
                            let word = word.trim_end_matches(['*', '/']);
                            word.starts_with('/') && word.len() > 4 && path.written.starts_with(word)
                        }),
                        plimsoll_model::compose::MountSource::Volume(_) => false,
                    })
                })
            });
            kept.then_some("removes a folder that a service keeps data in")
        }
        _ => None,
    }
}

fn is_recursive(command: &Command) -> bool {
    command.flag(&["-r", "-R", "--recursive"]).is_some()
}

fn short(command: &Command) -> String {
    let words: Vec<&str> = command.operands().take(2).map(|arg| arg.value.text.as_str()).collect();
    format!("{} {}", command.program, words.join(" ")).trim_end().to_owned()
}
