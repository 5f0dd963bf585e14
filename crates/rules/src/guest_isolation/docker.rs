//! Where Docker is installed or used in a guest.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, HopKind, Machine};
use plimsoll_model::guests::{Guest, GuestKind};
use plimsoll_text::Place;

/// The first command that installs or uses Docker in a guest.
pub(crate) fn installed_in(facts: &Facts, guest: &Guest) -> Option<Place> {
    let alone = facts.guests.real().filter(|other| other.kind == GuestKind::Lxc).count() == 1;
    let commands = facts.commands.iter().filter(|command| command.machine == Machine::Guest);
    commands
        .filter(|command| !facts.commands.unit(command.unit).origin.is_documentation())
        .filter(|command| match (lxc_id(command), &guest.id) {
            (Some(hop), Some(id)) => hop == id.text,
            _ => alone,
        })
        .find(|command| brings_docker(command))
        .map(|command| command.place)
}

fn lxc_id(command: &Command) -> Option<&str> {
    match &command.last_machine_hop()?.kind {
        HopKind::Lxc { guest } => Some(guest.text.as_str()),
        _ => None,
    }
}

fn brings_docker(command: &Command) -> bool {
    let has = |word: &str| command.arg_texts().any(|arg| arg == word);
    match command.program.as_str() {
        "apt" | "apt-get" | "dnf" | "yum" => {
            has("install")
                && command.arg_texts().any(|arg| matches!(arg, "docker.io" | "docker-ce" | "docker"))
        }
        "apk" => has("add") && has("docker"),
        "curl" | "wget" => command.arg_texts().any(|arg| arg.contains("get.docker.com")),
        "docker" | "docker-compose" => true,
        _ => false,
    }
}
