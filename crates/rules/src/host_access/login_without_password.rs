//! Somebody becomes root or an administrator without a password.

use std::sync::LazyLock;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Machine};
use plimsoll_text::{Phrases, Place};

use super::lines::effective_lines;

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HST-009",
    name: "login-without-password",
    title: "An account of the node or guest has no password",
    theme: Theme::HostAccess,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("login_without_password.md"),
    check,
};

static AUTOLOGIN: LazyLock<Phrases> = LazyLock::new(|| Phrases::new(&["--autologin"]));

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for command in facts.commands.iter() {
        if facts.commands.is_only_read(command.unit)
            || matches!(command.machine, Machine::Build | Machine::Container)
        {
            continue;
        }
        let Some(user) = freed(command) else { continue };
        let on_node = command.machine == Machine::Node;
        let finding =
            findings.add(command.place, format!("`{user}` can log in without a password from here on"));
        finding
            .label("removes the password")
            .note("whoever gets to a console or a shell of any user is this user one command later")
            .help("keep the account locked (`passwd -l`) and log in with a key");
        if on_node {
            finding.severity(Severity::High).note("this runs on the hypervisor");
        }
    }
    let mut lines = effective_lines(facts, &AUTOLOGIN).map(|(_, place, _)| place);
    let Some(first) = lines.next() else { return };
    let rest: Vec<Place> = lines.collect();
    let finding = findings.add(first, "the console is logged in without a password");
    finding.severity(Severity::Low).label("logs in whoever opens the console");
    for place in rest {
        finding.related(place, "here, too");
    }
    finding.help("leave the login prompt on; `pct enter` needs no password of the guest");
}

/// Whose password a command removes.
fn freed(command: &Command) -> Option<String> {
    let user = || command.operands().last().map(|arg| arg.value.text.clone()).filter(|user| !user.is_empty());
    match command.program.as_str() {
        "passwd" => command.flag(&["-d", "--delete"]).and_then(|_| user()),
        "usermod" => {
            command.option(&["-p", "--password"]).filter(|option| option.text.is_empty()).and_then(|_| user())
        }
        _ => None,
    }
}
