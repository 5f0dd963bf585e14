//! The certificate of the Proxmox API is not checked.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use plimsoll_model::{Facts, Kind};
use plimsoll_text::{FileId, Phrases, Place};

use super::lines::effective_lines;

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HST-004",
    name: "unverified-node-tls",
    title: "The certificate of the Proxmox API is not checked",
    theme: Theme::HostAccess,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("unverified_node_tls.md"),
    check,
};

static HINTS: LazyLock<Phrases> = LazyLock::new(|| {
    Phrases::new(&["insecure", "validate_certs", "verify_ssl", "verify_tls", "verify=", "default"])
});

/// A cause: a variable of the project, or what stands in one file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    Variable(String),
    File(FileId),
}

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let lines: Vec<(FileId, Place, &str)> = effective_lines(facts, &HINTS).collect();
    let mut causes = BTreeMap::<Cause, Vec<(Place, String)>>::new();
    for (file, place, text) in &lines {
        if let Some((cause, what)) = turned_off(facts, *file, *place, text) {
            causes.entry(cause).or_default().push((*place, what));
        }
    }
    for command in facts.commands.iter().filter(|command| command.program == "curl") {
        let to_node = command.arg_texts().any(is_node_address);
        if let Some(flag) = command.flag(&["-k", "--insecure"]).filter(|_| to_node)
            && !facts.commands.is_only_read(command.unit)
        {
            let found = (flag.place, "curl --insecure".to_owned());
            causes.entry(Cause::File(flag.place.file)).or_default().push(found);
        }
    }
    for (cause, places) in causes {
        let Some(((first, what), rest)) = places.split_first() else { continue };
        let message = format!("`{what}`: the API token goes to any machine that answers");
        let finding = findings.add(*first, message);
        finding.label("the node's certificate is not checked");
        for (other, what) in rest {
            finding.related(*other, format!("`{what}` here too"));
        }
        if let Cause::Variable(name) = &cause {
            let uses = [format!("var.{name}"), format!("{{{{ {name} ")];
            for (_, place, text) in &lines {
                if uses.iter().any(|used| text.contains(used.as_str())) {
                    finding.related(*place, "takes effect here");
                }
            }
        }
        finding.help("trust the node's own CA (`/etc/pve/pve-root-ca.pem`) or give the API a certificate that is trusted");
    }
}

fn is_node_address(text: &str) -> bool {
    text.contains(":8006") || text.contains("/api2/json")
}

/// The cause and a stable word for what turns the check off on a line.
fn turned_off(facts: &Facts, file: FileId, place: Place, line: &str) -> Option<(Cause, String)> {
    let path = facts.path(file).as_str();
    let (before, after) = around(facts, place);
    let own = Cause::File(file);
    if facts.trees.kind(file) == Kind::Terraform || path.contains(".tfvars") {
        let (key, value) = pair(line, '=')?;
        if value != "true" {
            return None;
        }
        let what = format!("{key} = true");
        let block =
            before.lines().rev().find(|line| !line.starts_with([' ', '\t', '#', '}']) && line.contains('{'));
        return match (key, block) {
            ("default", Some(block)) if block.starts_with("variable") => {
                let name = block.split('"').nth(1).filter(|name| name.contains("tls_insecure"))?;
                Some((Cause::Variable(name.to_owned()), format!("{name} = true")))
            }
            ("insecure", Some(block)) if block.contains("provider \"proxmox\"") => Some((own, what)),
            ("pm_tls_insecure", Some(_)) => Some((own, what)),
            (key, _) if key.contains("tls_insecure") => Some((Cause::Variable(key.to_owned()), what)),
            _ => None,
        };
    }
    if facts.trees.kind(file) == Kind::Python {
        let plain: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        let text = facts.files.get(file).text();
        if plain.contains("verify_ssl=False") && text.contains("ProxmoxAPI") {
            return Some((own, "verify_ssl=False".to_owned()));
        }
        let near = before.lines().rev().take(NEAR).chain([line]).chain(after.lines().take(NEAR));
        let mut near = near.filter(|line| is_node_address(line));
        return (plain.contains("verify=False") && near.next().is_some())
            .then(|| (own, "verify=False".to_owned()));
    }
    if !path.ends_with(".yml") && !path.ends_with(".yaml") {
        return None;
    }
    let (key, value) = pair(line.trim_start_matches("- "), ':')?;
    let names = ["validate_certs", "verify_ssl", "verify_tls"];
    if !matches!(value.to_ascii_lowercase().as_str(), "false" | "no")
        || !names.iter().any(|name| key.ends_with(name))
    {
        return None;
    }
    let what = format!("{key}: false");
    if key.contains("proxmox") || key.starts_with("pve_") {
        return Some((Cause::Variable(key.to_owned()), what));
    }
    // The task around it: from the item that begins it to the next one.
    let starts = |line: &&str| line.trim_start().starts_with("- name:");
    let head = before.lines().rev().take_while(|line| !starts(line));
    let tail = after.lines().take_while(|line| !starts(line));
    let asks = |line: &str| {
        let module = line.trim().trim_start_matches("- ").trim_end_matches(':');
        let name = module.rsplit('.').next().unwrap_or_default();
        is_node_address(line) || (line.trim_end().ends_with(':') && name.starts_with("proxmox"))
    };
    (names.contains(&key) && head.chain(tail).any(asks)).then_some((own, what))
}

/// Lines before and after in which the address of a call is looked for.
const NEAR: usize = 5;

fn around(facts: &Facts, place: Place) -> (&str, &str) {
    let text = facts.files.get(place.file).text();
    let before = text.get(..place.span.start as usize).unwrap_or_default();
    (before, text.get(place.span.end as usize..).unwrap_or_default())
}

/// The key and value of a setting, a comment behind it left out.
fn pair(line: &str, mark: char) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(mark)?;
    let value = value.split('#').next().unwrap_or_default().trim().trim_matches('"');
    Some((key.trim(), value))
}
