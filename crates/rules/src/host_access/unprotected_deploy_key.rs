//! One key without a passphrase opens several machines.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Machine};
use plimsoll_text::{FileId, Place};

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HST-012",
    name: "unprotected-deploy-key",
    title: "A key of the node, or one without a passphrase, opens the guest",
    theme: Theme::HostAccess,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("unprotected_deploy_key.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut files = BTreeMap::<FileId, Vec<(Place, &'static str)>>::new();
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        if facts.commands.is_only_read(command.unit)
            || matches!(command.machine, Machine::Build | Machine::Container)
        {
            continue;
        }
        if let Some(what) = shared(command).or_else(|| without_passphrase(command)) {
            files.entry(unit.file).or_default().push((command.place, what));
        }
    }
    for places in files.values() {
        let Some(((place, what), rest)) = places.split_first() else { continue };
        let finding = findings.add(*place, *what);
        finding.label("opens the guest");
        for (place, what) in rest {
            finding.related(*place, *what);
        }
        finding
            .note("a copy of this one file opens all machines that know the key, and nobody can take it back from one of them alone")
            .help("give each guest a key of its own, held by a person or a deployment that needs it");
    }
}

/// The node's own keys are put into a guest.
fn shared(command: &Command) -> Option<&'static str> {
    let of_node = |text: &str| {
        text.ends_with("/.ssh/authorized_keys") && (text.starts_with("/root") || text.starts_with('~'))
    };
    let key =
        command.option(&["--ssh-public-keys", "-ssh-public-keys", "--sshkeys", "-sshkeys", "--sshkey"])?;
    of_node(key.text).then_some("every key that opens the hypervisor also opens the guest")
}

/// A key that needs no passphrase, made where deployments run.
fn without_passphrase(command: &Command) -> Option<&'static str> {
    let passphrase =
        command.args.windows(2).find(|pair| matches!(pair, [option, _] if option.value.text == "-N"));
    let empty = matches!(passphrase, Some([_, value]) if value.value.text.is_empty() && value.value.sources.is_empty());
    let of_user = command.program == "ssh-keygen"
        && !command.arg_texts().any(|arg| arg == "-A" || arg.contains("ssh_host_"));
    (of_user && empty).then_some("a key without a passphrase is made for logins")
}
