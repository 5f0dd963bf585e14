//! What deploys has more rights on the node than it needs.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use plimsoll_model::commands::Command;
use plimsoll_model::{Facts, Kind};
use plimsoll_text::{FileId, Phrases, Place, Span};

use super::lines::effective_lines;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HST-005",
    name: "node-rights-too-wide",
    title: "What deploys may do anything on the node",
    theme: Theme::HostAccess,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Proxmox VE Administration Guide, User Management",
        url: "https://pve.proxmox.com/pve-docs/chapter-pveum.html",
    }],
    doc: include_str!("node_rights_too_wide.md"),
    check,
};

/// The user that may do everything, whatever the access lists say.
const ROOT: &str = "root@pam";

static HINTS: LazyLock<Phrases> = LazyLock::new(|| Phrases::new(&[ROOT, "privsep", "privileges_separation"]));

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut files = BTreeMap::<FileId, Vec<(Place, String)>>::new();
    for command in facts.commands.iter().filter(|command| command.program == "pveum") {
        if let Some(what) = too_wide(command) {
            files.entry(command.place.file).or_default().push((command.place, what));
        }
    }
    for (file, place, line) in effective_lines(facts, &HINTS) {
        if is_made_up(facts, file) {
            continue;
        }
        let Some((place, what)) = written(facts, file, place, line) else { continue };
        let places = files.entry(file).or_default();
        if !places.iter().any(|(known, _)| known.span.contains(place.span)) {
            places.push((place, what));
        }
    }
    for places in files.values_mut() {
        places.sort();
        let Some(((first, what), rest)) = places.split_first() else { continue };
        let finding = findings.add(*first, what.clone());
        finding.label("nothing limits it");
        for (other, what) in rest {
            finding.related(*other, what.clone());
        }
        finding
            .note("whoever gets hold of this login can read and destroy every guest and change the node itself")
            .help("give a user of its own a role with the privileges that the deployment uses, on `/vms/ID` or a pool and on the storage, and let its token keep privilege separation");
    }
}

/// Tests name users that no node has.
fn is_made_up(facts: &Facts, file: FileId) -> bool {
    let path = facts.path(file).as_str().to_ascii_lowercase();
    ["test", "mock", "fixture", "spec."].iter().any(|word| path.contains(word))
}

/// What a call of `pveum` hands out.
fn too_wide(command: &Command) -> Option<String> {
    let grants = command.is("pveum", &["acl", "modify"]) || command.is("pveum", &["aclmod"]);
    if grants && command.arg_texts().any(|arg| arg == "/") {
        let role = command.option(&["--roles", "--role", "-roles", "-role"])?;
        let wide =
            role.text.split([',', ';', ' ']).find(|role| matches!(*role, "Administrator" | "PVEAdmin"))?;
        return Some(format!("the role `{wide}` on `/` reaches every guest, storage and node"));
    }
    let makes_token = command.is("pveum", &["user", "token"]) && command.arg_texts().any(|arg| arg == "add");
    let unlimited = command.option(&["--privsep", "-privsep"]).is_some_and(|value| value.text == "0");
    (makes_token && unlimited).then(|| "this token has all rights of its user".to_owned())
}

/// The same in programs, settings and playbooks, line by line.
fn written(facts: &Facts, file: FileId, place: Place, line: &str) -> Option<(Place, String)> {
    let plain: String = line.chars().filter(|c| !matches!(c, ' ' | '"' | '\'' | ',')).collect();
    let off = [
        "privileges_separation=false",
        "privsep:false",
        "privsep:0",
        "privsep:no",
        "privsep=False",
        "privsep=0",
    ];
    let in_program = facts.trees.kind(file) == Kind::Python
        && ["pveum user token add", "--privsep 0"].iter().all(|words| line.contains(words));
    if in_program || off.iter().any(|words| plain.contains(words)) {
        return Some((place, "this token has all rights of its user".to_owned()));
    }
    let says = ["echo", "printf", "print", "description", "help", "msg", "log", "raise", "error_message"];
    let start = line.trim_start_matches(['-', '@', ' ']);
    let asks = start.starts_with("condition") || ["!=", "=="].iter().any(|sign| line.contains(sign));
    if says.iter().any(|word| start.starts_with(word)) || line.contains("description") || asks {
        return None;
    }
    let at = line.find(ROOT)?;
    let before = line.get(..at)?.chars().next_back();
    let after = line.get(at + ROOT.len()..)?.chars().next();
    let is_value = before.is_none_or(|c| matches!(c, '"' | '\'' | '=' | ' ' | '-'))
        && after.is_none_or(|c| matches!(c, '"' | '\'' | '!' | '}' | ','));
    let is_set = line.get(..at)?.contains(['=', ':']);
    let start = place.span.start.saturating_add(u32::try_from(at).ok()?);
    let place = Place::new(file, Span::new(start, start.saturating_add(u32::try_from(ROOT.len()).ok()?)));
    let what = if after == Some('!') { "the token belongs to" } else { "the API is used as" };
    (is_value && is_set).then(|| (place, format!("{what} `{ROOT}`, whose rights nothing limits")))
}
