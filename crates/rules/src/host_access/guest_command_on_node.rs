//! A command that is meant for the guest runs on the hypervisor.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Machine, is_node_tool};
use plimsoll_text::{Place, Span};

use crate::edits;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HST-006",
    name: "guest-command-on-node",
    title: "A command that is meant for the guest runs on the hypervisor",
    theme: Theme::HostAccess,
    severity: Severity::Critical,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[],
    doc: include_str!("guest_command_on_node.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for command in facts.commands.iter() {
        if enters_guest(command) {
            redirected(command, findings);
        }
        let Some(entry) = command.after.and_then(|id| facts.commands.get(id)) else { continue };
        // The command before it in the chain may be known as the entry or as what the entry carries.
        let entry = if enters_guest(entry) {
            entry
        } else {
            let Some(carrier) = entry.carrier.and_then(|id| facts.commands.get(id)) else { continue };
            carrier
        };
        if !enters_guest(entry)
            || command.carrier != entry.carrier
            || command.unit != entry.unit
            || matches!(command.machine, Machine::Guest | Machine::Container)
        {
            continue;
        }
        let Some(inside) = facts.commands.carried_by(entry.id).next() else { continue };
        if !operator_between(facts, entry, command) || asks(inside) || !belongs_to_guest(command, inside) {
            continue;
        }
        findings
            .add(
                command.place,
                format!(
                    "`{}` runs on the machine that runs `{}`, not in the guest",
                    name(command),
                    entry.program
                ),
            )
            .label("everything after the operator leaves the guest")
            .related(entry.place, "only this part goes into the guest")
            .help("hand the guest one command: `pct exec ID -- sh -c '… && …'`")
            .fix(edits::safe("run all of it in the guest", together(facts, inside, command)));
    }
}

fn enters_guest(command: &Command) -> bool {
    command.is("pct", &["exec"]) || command.program == "lxc-attach" || command.is("qm", &["guest", "exec"])
}

fn operator_between(facts: &Facts, entry: &Command, command: &Command) -> bool {
    let (from, to) = (entry.place.span.end, command.place.span.start);
    entry.place.file == command.place.file && from <= to && {
        let text = facts.text(Place::new(entry.place.file, Span::new(from, to)));
        text.contains("&&") || (text.contains(';') && !text.contains('\n'))
    }
}

/// A question to the guest whose answer decides what the node does.
fn asks(inside: &Command) -> bool {
    matches!(
        inside.program.as_str(),
        "test" | "[" | "[[" | "which" | "command" | "grep" | "true" | "ping" | "id"
    ) || inside.arg_texts().any(|arg| matches!(arg, "is-active" | "is-enabled" | "inspect" | "-c"))
}

fn belongs_to_guest(command: &Command, inside: &Command) -> bool {
    !command.program.is_empty()
        && !is_node_tool(&command.program)
        && (command.program == inside.program
            || matches!(
                command.program.as_str(),
                "apt"
                    | "apt-get"
                    | "apk"
                    | "dnf"
                    | "dpkg"
                    | "systemctl"
                    | "service"
                    | "docker"
                    | "docker-compose"
                    | "npm"
                    | "pip"
                    | "pip3"
                    | "useradd"
                    | "usermod"
                    | "adduser"
                    | "chown"
                    | "passwd"
            ))
}

fn redirected(command: &Command, findings: &mut Findings<'_>) {
    for output in command.outputs.iter().filter(|output| output.fd == 1) {
        let target = output.target.text.as_str();
        if ["/etc/", "/opt/", "/root/", "/srv/", "/home/"].iter().any(|folder| target.starts_with(folder)) {
            findings
                .add(output.place, format!("the guest's output is written to `{target}` on the hypervisor"))
                .label("the redirect belongs to the outer shell")
                .related(command.place, "only this part goes into the guest")
                .confidence(Confidence::Medium)
                .help("put the redirect inside: `pct exec ID -- sh -c '… > file'`");
        }
    }
}

fn name(command: &Command) -> String {
    let first = command.operands().next().map_or("", |arg| arg.value.text.as_str());
    format!("{} {first}", command.program).trim().to_owned()
}

/// Quotes around all that belongs to the guest.
fn together(facts: &Facts, inside: &Command, command: &Command) -> Option<Vec<plimsoll_text::Edit>> {
    let mut last = command;
    while let Some(next) =
        facts.commands.of_unit(command.unit).iter().find(|next| next.after == Some(last.id))
    {
        if next.carrier != command.carrier || !belongs_to_guest(next, inside) || next.id <= last.id {
            break;
        }
        last = next;
    }
    let all = Place::new(command.place.file, Span::new(inside.place.span.start, last.place.span.end));
    let text = facts.text(all);
    let plain = !text.contains(['\'', '\n', '$', '|', '(']) && !edits::line_head(facts, all).contains('\'');
    plain.then(|| vec![edits::before(all, "sh -c '"), edits::after(all, "'")])
}
