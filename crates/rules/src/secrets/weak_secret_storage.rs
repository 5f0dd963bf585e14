//! Secrets are stored where or how they are not protected.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Machine};

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SEC-016",
    name: "weak-secret-storage",
    title: "Secrets are stored where or how they are not protected",
    theme: Theme::Secrets,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("weak_secret_storage.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        if unit.origin.is_documentation() || command.machine == Machine::Build {
            continue;
        }
        if opens_for_all(command) {
            findings
                .add(command.place, "everyone on the machine may read and change this")
                .label("mode 777")
                .help("name the owner with `chown`, and use 750 or 640");
        } else if command.program == "openssl"
            && command.arg(0) == Some("enc")
            && command.flag(&["-e", "-d"]).is_none()
            && weak(command)
        {
            findings
                .add(command.place, "this encryption is derived in one round and has no check of integrity")
                .label("no `-pbkdf2`")
                .help("use `age`, or at least `-pbkdf2 -iter 600000`");
        }
    }
}

fn opens_for_all(command: &Command) -> bool {
    let wide = command
        .operands()
        .next()
        .is_some_and(|mode| matches!(mode.value.text.as_str(), "777" | "0777" | "a+rwx" | "ugo+rwx"));
    command.program == "chmod"
        && wide
        && !command.operands().skip(1).any(|path| path.value.text.starts_with("/tmp"))
}

fn weak(command: &Command) -> bool {
    !command.arg_texts().any(|arg| arg == "-pbkdf2" || arg == "-iter")
}
