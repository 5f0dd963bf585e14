//! File with secrets is pushed into the guest readable by all.

use plimsoll_model::Facts;

use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SEC-009",
    name: "secret-pushed-without-mode",
    title: "File with secrets is pushed into the guest readable by all",
    theme: Theme::Secrets,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "Proxmox VE, pct(1)",
        url: "https://pve.proxmox.com/pve-docs/pct.1.html",
    }],
    doc: include_str!("secret_pushed_without_mode.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for command in facts.commands.iter().filter(|command| command.is("pct", &["push"])) {
        let operands: Vec<&str> = command.operands().map(|arg| arg.value.text.as_str()).collect();
        let secret = operands.iter().skip(2).any(|path| {
            let name = path.rsplit('/').next().unwrap_or_default();
            name.starts_with(".env")
                || name.ends_with(".env")
                || name.ends_with(".key")
                || name.ends_with(".pem")
                || name.starts_with("id_")
                || name.contains("secret")
                || name.contains("credential")
        });
        let sets_mode = command.flag(&["--perms", "-perms"]).is_some();
        let later = facts.commands.of_unit(command.unit).iter().any(|other| {
            other.program == "chmod"
                && operands.last().is_some_and(|path| other.arg_texts().any(|arg| arg == *path))
        });
        if secret && !sets_mode && !later {
            findings
                .add(command.place, "the file arrives readable by every account of the guest")
                .label("no `--perms`")
                .help("add `--perms 0600`")
                .fix(edits::safe(
                    "let only root of the guest read it",
                    Some(vec![edits::add_argument(command, "--perms 0600")]),
                ));
        }
    }
}
