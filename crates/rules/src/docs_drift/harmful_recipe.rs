//! Document recommends a command that harms.

use plimsoll_model::Facts;
use plimsoll_model::commands::Command;

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "DOC-007",
    name: "harmful-recipe",
    title: "Document recommends a command that harms",
    theme: Theme::DocsDrift,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("harmful_recipe.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen = std::collections::BTreeSet::new();
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        if !unit.origin.is_documentation() {
            continue;
        }
        let Some((what, help)) = harm(command) else { continue };
        if seen.insert((unit.file, what)) {
            findings.add(command.place, what).label("people copy this").help(help);
        }
    }
}

fn harm(command: &Command) -> Option<(&'static str, &'static str)> {
    let words: Vec<&str> = command.arg_texts().collect();
    let has = |word: &str| words.contains(&word);
    match command.program.as_str() {
        "chmod" if has("777") || has("0777") || has("a+rwx") => Some((
            "this makes files writable for everyone on the machine",
            "name the owner with `chown`, and give what it needs",
        )),
        "docker" if command.is("docker", &["system", "prune"]) && has("--volumes") => Some((
            "this removes every volume that no running container holds, a stopped database's included",
            "prune images only: `docker image prune`",
        )),
        "git" if has("http.sslVerify") && has("false") => Some((
            "this switches certificate checks off for good",
            "add the authority that signed the certificate",
        )),
        "setenforce" if has("0") => Some(("this switches SELinux off", "label what the service needs")),
        "systemctl" if (has("disable") || has("stop")) && has("apparmor") => Some((
            "this switches AppArmor off for the whole machine",
            "mend the one profile that is in the way",
        )),
        "ufw" | "iptables" if has("disable") || has("-F") => {
            Some(("this opens the whole firewall", "admit the one port that is needed"))
        }
        _ => None,
    }
}
