//! What commands do to a running deployment.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Fate, Machine, Origin};

/// Whether a command only talks to a person.
pub(crate) fn prints(facts: &Facts, command: &Command) -> bool {
    let program = command.program.as_str();
    if matches!(program, "echo" | "printf" | "tput" | "clear" | "cat" | "") && command.heredoc.is_none() {
        return true;
    }
    let name = program.to_ascii_lowercase();
    let speaks = [
        "log", "msg", "info", "warn", "print", "say", "step", "success", "ok", "error", "header", "note",
        "banner",
    ];
    facts.commands.function(command.unit, program).is_some() && speaks.iter().any(|word| name.contains(word))
        || name.starts_with("msg_")
        || matches!(name.as_str(), "log" | "info" | "warn" | "success")
}

/// The words that a printing command says, in lower case.
pub(crate) fn said(command: &Command) -> String {
    command.arg_texts().collect::<Vec<&str>>().join(" ").to_ascii_lowercase()
}

/// Whether a text says that all went well.
pub(super) fn claims_success(text: &str) -> bool {
    [
        "success",
        "complete",
        "deployed",
        "done",
        "finished",
        "is up",
        "is running",
        "is now running",
        "live at",
        "conclu",
        "sucesso",
        "éxito",
        "succès",
        "erfolgreich",
        "успешно",
        "успішно",
        "thành công",
    ]
    .iter()
    .any(|word| text.contains(word))
        && !["unsuccess", "incomplete", "not complete", "${", "failed"].iter().any(|word| text.contains(word))
}

/// Whether a command sets something running that needs time until it is ready.
pub(super) fn starts(command: &Command) -> bool {
    compose_verb(command, &["up", "start", "restart"])
        || command.is("docker", &["start"])
        || command.is("docker", &["restart"])
        || command.is("docker", &["run"]) && command.flag(&["-d", "--detach"]).is_some()
        || command.is("pct", &["start"])
        || command.is("pct", &["reboot"])
        || command.is("qm", &["start"])
        || command.is("qm", &["reboot"])
        || command.program == "systemctl"
            && command
                .operands()
                .next()
                .is_some_and(|arg| matches!(arg.value.text.as_str(), "start" | "restart"))
        || command.program == "pm2"
            && command
                .operands()
                .next()
                .is_some_and(|arg| matches!(arg.value.text.as_str(), "start" | "restart" | "reload"))
        || command.program == "service" && command.arg_texts().any(|arg| matches!(arg, "start" | "restart"))
        || command.program == "reboot"
}

/// Whether a command takes something down.
pub(super) fn stops(command: &Command) -> bool {
    compose_verb(command, &["down", "stop", "rm"])
        || command.program == "systemctl"
            && command.operands().next().is_some_and(|arg| arg.value.text == "stop")
        || command.is("docker", &["stop"])
        || command.is("pm2", &["stop"])
}

/// Whether a command is `docker compose` with one of these verbs.
pub(super) fn compose_verb(command: &Command, verbs: &[&str]) -> bool {
    verbs.iter().any(|verb| command.is("docker", &["compose", verb]))
}

/// Whether a command builds an image on the spot.
pub(super) fn builds(command: &Command) -> bool {
    compose_verb(command, &["build"])
        || compose_verb(command, &["up"]) && command.flag(&["--build"]).is_some()
        || command.is("docker", &["build"])
        || command.is("docker", &["buildx", "build"])
}

/// Whether a command looks whether something works and its failure has a consequence.
pub(super) fn probes(command: &Command) -> bool {
    let has_consequence = !matches!(command.fate, Fate::Masked { .. });
    let asks = match command.program.as_str() {
        "curl" | "wget" | "nc" | "pg_isready" | "wait-for-it.sh" | "redis-cli" | "http" | "timeout" => true,
        "grep" | "jq" => command.fate == Fate::Tested || command.flag(&["-q", "-e"]).is_some(),
        "[" | "[[" | "test" => command.arg_texts().any(|arg| {
            let arg = arg.to_ascii_lowercase();
            ["healthy", "running", "active", "$(docker", "200", "health", "ready"]
                .iter()
                .any(|word| arg.contains(word))
        }),
        _ => {
            command.is("docker", &["inspect"])
                || command.is("docker", &["wait"])
                || compose_verb(command, &["wait"])
                || command.flag(&["--wait"]).is_some()
        }
    };
    asks && has_consequence
        && (command.fate == Fate::Tested || command.fate == Fate::Fatal || command.assigned_to.is_some())
}

/// Whether a command belongs to the daily work on a developer's machine rather than to a deployment.
pub(super) fn is_local_work(facts: &Facts, command: &Command) -> bool {
    let unit = facts.commands.unit(command.unit);
    let is_file = matches!(unit.origin, Origin::Script | Origin::WrittenScript { .. } | Origin::Program);
    command.machine == Machine::Workstation && !is_file || facts.is_development(command.place.file)
}
