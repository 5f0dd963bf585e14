//! A guest is made with a password and no key.

use plimsoll_model::Facts;
use plimsoll_model::guests::GuestKind;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HST-013",
    name: "password-only-guest",
    title: "A guest takes a password and no key",
    theme: Theme::HostAccess,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Proxmox VE Administration Guide, Cloud-Init Support",
        url: "https://pve.proxmox.com/pve-docs/pve-admin-guide.html#qm_cloud_init",
    }],
    doc: include_str!("password_only_guest.md"),
    check,
};

/// Where a guest's keys are named.
const KEYS: &[&str] = &["ssh-public-keys", "sshkeys", "sshkey", "ssh_public_keys", "pubkey", "keys"];

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for guest in facts.guests.real().filter(|guest| guest.created) {
        let name = if guest.kind == GuestKind::Vm { "cipassword" } else { "password" };
        let Some(password) = guest.setting(name) else { continue };
        let has_key = KEYS.iter().any(|key| guest.setting(key).is_some());
        // Keys may be put into the guest later.
        let later = facts.commands.iter().any(|command| {
            command.arg_texts().any(|arg| arg.contains("authorized_keys"))
                || command.outputs.iter().any(|output| output.target.text.contains("authorized_keys"))
                || command.program == "ssh-copy-id"
        });
        if has_key || later {
            continue;
        }
        findings
            .add(password.place, "the guest is made with a password and without a key")
            .label("the only way in")
            .mask(password.place)
            .related(guest.place, "the guest")
            .note("each login sends the password, and scripts have to keep it somewhere")
            .help(if guest.kind == GuestKind::Vm {
                "name a public key with `--sshkeys FILE`, and leave `--cipassword` out"
            } else {
                "name a public key with `--ssh-public-keys FILE`, and leave `--password` out"
            });
    }
}
