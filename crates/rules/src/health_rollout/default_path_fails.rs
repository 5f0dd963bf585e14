//! What fails when everything is done as the files and the guide say.

use plimsoll_model::Facts;
use plimsoll_model::commands::Command;
use plimsoll_syntax::hcl::{Block, ExpressionKind};
use plimsoll_text::{FileId, Place};

use super::ansible_variables::resolve;
use super::settings_folder;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HLT-013",
    name: "default-path-fails",
    title: "Deployment by the defaults can only fail",
    theme: Theme::HealthRollout,
    severity: Severity::Critical,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[
        Reference {
            title: "Proxmox VE Administration Guide, User Management, API Tokens",
            url: "https://pve.proxmox.com/pve-docs/chapter-pveum.html#pveum_tokens",
        },
        Reference {
            title: "Proxmox VE Administration Guide, Proxmox VE Storage",
            url: "https://pve.proxmox.com/pve-docs/chapter-pvesm.html",
        },
    ],
    doc: include_str!("default_path_fails.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    token_without_rights(facts, findings);
    settings_folder::elsewhere(facts, findings);
    machine_without_disk(facts, findings);
    let mut seen: Vec<String> = Vec::new();
    let is_doc = |command: &&Command| facts.commands.unit(command.unit).origin.is_documentation();
    let steps = facts.commands.iter().filter(|command| !is_doc(command));
    for command in steps.chain(facts.commands.iter().filter(is_doc)) {
        root_on_template_storage(facts, command, &mut seen, findings);
    }
    second_copy(facts, findings);
}

/// A token with privilege separation has only rights of its own; a recipe that gives rights to the user alone leaves
/// it with none.
fn token_without_rights(facts: &Facts, findings: &mut Findings<'_>) {
    let is_acl =
        |command: &Command| command.is("pveum", &["acl", "modify"]) || command.is("pveum", &["aclmod"]);
    let has = |command: &Command, names: &[&str]| {
        command
            .arg_texts()
            .any(|text| names.iter().any(|name| text == *name || text.starts_with(&format!("{name}="))))
    };
    for token in facts.commands.iter().filter(|command| command.is("pveum", &["user", "token", "add"])) {
        let whole = token.option(&["--privsep", "-privsep"]).is_some_and(|option| option.text == "0");
        let rights = || facts.commands.in_file(token.place.file).filter(|other| is_acl(other));
        let given = rights().any(|acl| has(acl, &["--tokens", "-tokens", "--token", "-token"]));
        let to_user = rights().find(|acl| has(acl, &["--users", "-users", "--user", "-user"]));
        let Some(to_user) = to_user.filter(|_| !whole && !given) else { continue };
        findings
            .add(token.place, "this token has no rights: they are given to its user only")
            .severity(Severity::High)
            .label("privilege separation is on unless `--privsep 0` says otherwise")
            .related(to_user.place, "names the user, not the token")
            .help("give the rights to the token as well: `pveum acl modify PATH --tokens 'USER!TOKEN' --roles ROLE`");
    }
}

/// VMs of the bpg provider that start from an empty disk.
fn machine_without_disk(facts: &Facts, findings: &mut Findings<'_>) {
    for tree in facts.trees.terraform.values() {
        let mut empty = tree.body.blocks("resource").filter_map(|vm| Some((vm, empty_disk(facts, vm)?)));
        let Some((vm, disk)) = empty.next() else { continue };
        let name = vm.label(1).unwrap_or_default();
        let finding = findings.add(vm.place_of_head(), format!("`{name}` has nothing to boot from"));
        finding.severity(Severity::High).related(disk, "this disk is empty");
        for (vm, _) in empty {
            finding.related(vm.place_of_head(), format!("nor has `{}`", vm.label(1).unwrap_or_default()));
        }
        finding.help("clone a template, import a cloud image (`import_from`), or attach an installer");
    }
}

/// The first disk of a VM that neither a clone, an image, an installer nor an import fills.
fn empty_disk(facts: &Facts, vm: &Block) -> Option<Place> {
    if vm.label(0) != Some("proxmox_virtual_environment_vm") {
        return None;
    }
    let body = &vm.body;
    let boots = ["clone", "cdrom", "dynamic"].iter().any(|kind| body.blocks(kind).next().is_some())
        || body.blocks("disk").any(|disk| {
            ["file_id", "import_from", "path_in_datastore"].iter().any(|key| disk.body.get(key).is_some())
        });
    let address = format!("proxmox_virtual_environment_vm.{}", vm.label(1).unwrap_or_default());
    let imported = facts
        .trees
        .terraform
        .values()
        .any(|other| other.body.blocks("import").any(|import| refers(import, &address)));
    body.blocks("disk").next().filter(|_| !boots && !imported).map(|disk| disk.place)
}

/// The head of a block: what a reader looks for.
trait Head {
    fn place_of_head(&self) -> Place;
}

impl Head for Block {
    fn place_of_head(&self) -> Place {
        self.labels.last().map_or(self.kind.place, |label| {
            Place::new(self.kind.place.file, self.kind.place.span.cover(label.place.span))
        })
    }
}

fn refers(import: &Block, address: &str) -> bool {
    import.body.get("to").is_some_and(|to| match &to.kind {
        ExpressionKind::Reference(text) => text.as_str() == address,
        _ => to.as_str() == Some(address),
    })
}

/// `local` keeps templates and, as installed, no guest disks.
fn root_on_template_storage(
    facts: &Facts,
    command: &Command,
    seen: &mut Vec<String>,
    findings: &mut Findings<'_>,
) {
    if !command.is("pct", &["create"]) {
        return;
    }
    let Some(root) = command.option(&["--rootfs", "-rootfs"]) else { return };
    let (value, variable) = resolve(facts, root.text);
    let storage = value.split_once(':').map(|(storage, _)| storage);
    if storage != Some("local") || seen.contains(&value) {
        return;
    }
    seen.push(value.clone());
    let finding = findings
        .add(root.value.place, "the root disk goes to `local`, which holds no disks of guests as installed");
    finding.severity(Severity::High);
    if let Some(variable) = variable {
        finding.related(variable, "the storage comes from here");
    }
    if let Some(template) = command.operands().nth(2).filter(|arg| arg.value.text.contains("vztmpl")) {
        finding.related(template.place, "the template may stay there");
    }
    finding.help("name a storage with content `rootdir`, such as `local-lvm` or `local-zfs`, apart from that of templates");
}

/// A hint which settings to edit that leaves out the second copy of a password.
fn second_copy(facts: &Facts, findings: &mut Findings<'_>) {
    for (file, dotenv) in &facts.trees.dotenv {
        let text = |key: &str| {
            dotenv.entries.iter().find(|entry| entry.key == key)?.value.as_ref().map(|v| v.text().to_owned())
        };
        for entry in dotenv.entries.iter().filter(|entry| entry.key.ends_with("PASSWORD")) {
            let Some(password) = text(&entry.key).filter(|value| value.len() > 3 && !value.contains('$'))
            else {
                continue;
            };
            let copy = dotenv.entries.iter().find(|other| {
                other.key.ends_with("URL")
                    && text(&other.key).is_some_and(|url| url.contains(&format!(":{password}@")))
            });
            let Some(copy) = copy else { continue };
            if let Some(hint) = hint(facts, &entry.key, &copy.key) {
                findings
                    .add(
                        hint,
                        format!(
                            "whoever changes `{}` alone locks the application out: `{}` repeats it",
                            entry.key, copy.key
                        ),
                    )
                    .severity(Severity::High)
                    .related(Place::new(*file, entry.span), "the database gets this one")
                    .related(Place::new(*file, copy.span), "the application logs in with this one")
                    .help(format!("put `{}` together from the other settings, or name both here", copy.key));
                return;
            }
        }
    }
}

/// A command that prints the first name and never the second.
fn hint(facts: &Facts, first: &str, second: &str) -> Option<Place> {
    let tells = |file: FileId, name: &str| facts.files.get(file).text().contains(name);
    let command = facts.commands.iter().find(|command| {
        !facts.commands.is_only_read(command.unit)
            && super::actions::prints(facts, command)
            && command.arg_texts().any(|text| text.contains(first))
            && !tells(command.place.file, second)
    });
    command.map(|command| command.place)
}
