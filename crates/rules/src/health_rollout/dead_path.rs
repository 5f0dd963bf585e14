//! A step, task or branch that can never do what it is there for.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use plimsoll_model::commands::{Command, HopKind, Machine, Origin};
use plimsoll_model::services::known;
use plimsoll_model::{Facts, Kind};
use plimsoll_syntax::hcl::Block;
use plimsoll_text::{FileId, Place, Span};

use super::missing_names::{Known, missing_name};
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HLT-011",
    name: "dead-path",
    title: "Step, task or fallback can never work",
    theme: Theme::HealthRollout,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[
        Reference {
            title: "PostgreSQL, Peer Authentication",
            url: "https://www.postgresql.org/docs/current/auth-peer.html",
        },
        Reference {
            title: "Terraform, Provisioners, Destroy-Time Provisioners",
            url: "https://developer.hashicorp.com/terraform/language/provisioners",
        },
    ],
    doc: include_str!("dead_path.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    names(facts, findings);
    for command in facts.commands.iter() {
        closed_tunnel(facts, command, findings);
    }
    peer_login(facts, findings);
    no_checkout(facts, findings);
    uncalled_functions(facts, findings);
    forgotten_before_destroy(facts, findings);
    nested_host_variables(facts, findings);
}

/// What programs call by a name that does not exist.
fn names(facts: &Facts, findings: &mut Findings<'_>) {
    let known = Known::new(facts);
    let mut files: BTreeMap<FileId, Vec<(Place, String)>> = BTreeMap::new();
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        let runs = matches!(
            unit.origin,
            Origin::Script
                | Origin::WrittenScript { .. }
                | Origin::Task { .. }
                | Origin::Recipe { .. }
                | Origin::WorkflowStep { .. }
                | Origin::PackageScript { .. }
        );
        if !runs || facts.is_development(unit.file) {
            continue;
        }
        if let Some(missing) = missing_name(facts, &known, command) {
            files.entry(command.place.file).or_default().push((command.place, missing));
        }
    }
    for places in files.values_mut() {
        places.dedup_by(|b, a| a.1 == b.1);
        let Some(((place, what), rest)) = places.split_first() else { continue };
        let finding = findings.add(*place, format!("there is no {what}"));
        finding.label("fails whenever it is reached");
        for (place, what) in rest {
            finding.related(*place, format!("nor {what}"));
        }
        finding.help("name what exists, or take the step out");
    }
}

/// `ssh -L` to a port of the guest that only containers see.
fn closed_tunnel(facts: &Facts, command: &Command, findings: &mut Findings<'_>) {
    if !matches!(command.program.as_str(), "ssh" | "autossh") {
        return;
    }
    for (index, arg) in command.args.iter().enumerate() {
        let text = arg.value.text.as_str();
        let (forward, place) = match (text, command.args.get(index + 1)) {
            ("-L", Some(next)) => (next.value.text.as_str(), next.place),
            _ => match text.strip_prefix("-L") {
                Some(rest) => (rest, arg.place),
                None => continue,
            },
        };
        let mut parts = forward.rsplitn(3, ':');
        let (Some(Ok(port)), Some(host)) = (parts.next().map(str::parse::<u16>), parts.next()) else {
            continue;
        };
        if !matches!(host, "localhost" | "127.0.0.1") {
            continue;
        }
        let services = || facts.stacks.deployed_services().map(|(_, service)| service);
        let is_open = services().any(|service| {
            service.network_mode.as_ref().is_some_and(|mode| mode.value == "host")
                || service.ports.iter().any(|own| {
                    own.published.as_deref().is_none_or(|published| {
                        published == port.to_string() || published.contains(['-', '$'])
                    })
                })
        });
        let owner = services().find(|service| {
            known(service).is_some_and(|image| image.ports.contains(&port))
                || service.ports.iter().any(|own| own.target == port)
        });
        if let Some(owner) = owner.filter(|_| !is_open) {
            findings
                .add(place, format!("this tunnel leads to port {port} of the guest, where nothing listens"))
                .severity(Severity::Medium)
                .related(owner.place, format!("`{}` has the port inside its network only", owner.name))
                .help(format!("publish it for the guest alone: `127.0.0.1:{port}:{port}`"));
        }
    }
}

/// `pg_dump -U app` over the socket of a PostgreSQL that the distribution installed: it asks for the system user.
fn peer_login(facts: &Facts, findings: &mut Findings<'_>) {
    let installs = facts.commands.iter().find(|command| {
        matches!(command.program.as_str(), "apt" | "apt-get" | "dnf" | "yum")
            && command.machine != Machine::Container
            && !matches!(facts.commands.unit(command.unit).origin, Origin::ImageBuild)
            && command.operands().any(|arg| {
                let name = arg.value.text.as_str();
                name == "postgresql" || name.starts_with("postgresql-1") || name == "postgresql-server"
            })
    });
    let Some(installs) = installs else { return };
    let changed = facts.commands.iter().any(|command| {
        let reads = matches!(command.program.as_str(), "cat" | "grep" | "less" | "ls" | "head" | "tail");
        let mut texts =
            command.arg_texts().chain(command.outputs.iter().map(|output| output.target.text.as_str()));
        !reads && texts.any(|text| text.contains("pg_hba"))
    });
    if changed {
        return;
    }
    let mut files: BTreeMap<FileId, Vec<(Place, String)>> = BTreeMap::new();
    for command in facts.commands.iter() {
        let client = matches!(command.program.as_str(), "pg_dump" | "psql" | "pg_restore" | "pg_dumpall");
        let contained = command.machine == Machine::Container
            || command.hops.iter().any(|hop| matches!(hop.kind, HopKind::Container { .. }));
        let elsewhere = command.option(&["-h", "--host"]).is_some()
            || command.arg_texts().any(|text| text.contains("://") || text.contains("host="))
            || command.assignments.iter().any(|(name, ..)| name == "PGHOST");
        if !client || contained || elsewhere {
            continue;
        }
        let Some(user) = command.option(&["-U", "--username"]) else { continue };
        if user.text != "postgres" && !user.text.starts_with('$') {
            files
                .entry(command.place.file)
                .or_default()
                .push((command.place, format!("`{}` as `{}`", command.program, user.text)));
        }
    }
    for places in files.values() {
        let Some(((place, what), rest)) = places.split_first() else { continue };
        let finding = findings
            .add(*place, format!("{what} is refused: the socket lets in the system user of that name only"));
        for (place, what) in rest {
            finding.related(*place, format!("{what} the same way"));
        }
        finding
            .related(installs.place, "this installs PostgreSQL with its default `pg_hba.conf`")
            .note("a redirect leaves an empty file behind that looks like a backup")
            .help(
                "connect by TCP (`-h localhost`, password in `~/.pgpass`), or run it as `sudo -u postgres`",
            );
    }
}

/// `git pull` where the files came without a repository.
fn no_checkout(facts: &Facts, findings: &mut Findings<'_>) {
    let is_git = |command: &Command, verbs: &[&str]| verbs.iter().any(|verb| command.is("git", &[verb]));
    let cloned = facts
        .commands
        .iter()
        .any(|command| is_git(command, &["clone", "init"]) || command.program == "ansible.builtin.git");
    let unpacked = facts.commands.iter().find(|command| {
        command.machine == Machine::Guest
            && command.program == "tar"
            && command.flag(&["-x", "--extract"]).is_some()
            && !facts.commands.unit(command.unit).origin.is_documentation()
    });
    let Some(unpacked) = unpacked.filter(|_| !cloned) else { return };
    let pull = facts.commands.iter().find(|command| {
        command.machine == Machine::Guest
            && is_git(command, &["pull", "fetch", "reset"])
            && !matches!(facts.commands.unit(command.unit).origin, Origin::WorkflowStep { .. })
    });
    if let Some(pull) = pull {
        findings
            .add(pull.place, "there is no repository to pull into")
            .related(unpacked.place, "the files come as an archive")
            .help("update the way the deployment does, or clone on the guest in both");
    }
}

/// A function for the bad day that nothing calls.
fn uncalled_functions(facts: &Facts, findings: &mut Findings<'_>) {
    // Namesakes in many files are looked for once.
    let mut users: BTreeMap<&str, Vec<FileId>> = BTreeMap::new();
    for (id, unit) in facts.commands.units() {
        if unit.origin != Origin::Script {
            continue;
        }
        for function in facts.commands.functions(id) {
            let name = function.name.as_str();
            let matters = [
                "rollback",
                "roll_back",
                "restore",
                "cleanup",
                "clean_up",
                "verify",
                "health",
                "validate",
                "check_",
                "backup",
            ]
            .iter()
            .any(|word| name.contains(word));
            if !matters || name.starts_with('_') && name.len() < 4 {
                continue;
            }
            if words(facts.files.get(unit.file).text(), name) != 1 {
                continue;
            }
            let users = users.entry(name).or_insert_with(|| {
                let all = facts.files.iter().filter(|(file, source)| {
                    facts.trees.kind(*file) != Kind::Markdown
                        && source.holds(name)
                        && words(source.text(), name) > 0
                });
                all.map(|(file, _)| file).take(2).collect()
            });
            if users.iter().all(|file| *file == unit.file) {
                findings
                    .add(function.place, format!("nothing calls `{name}`"))
                    .severity(Severity::Medium)
                    .help("call it where it is needed (`trap`, `|| …`, a step of the deployment), or take it out");
            }
        }
    }
}

fn words(text: &str, name: &str) -> usize {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name)
        .filter(|(at, _)| {
            let before = text.get(..*at).unwrap_or_default();
            let after = text.get(at + name.len()..).unwrap_or_default();
            !before.ends_with(is_part) && !after.starts_with(is_part)
        })
        .count()
}

/// A resource with a destroy-time provisioner that is taken out of the state before everything is destroyed.
fn forgotten_before_destroy(facts: &Facts, findings: &mut Findings<'_>) {
    let removes: BTreeSet<FileId> = facts
        .commands
        .iter()
        .filter(|command| command.is("terraform", &["state", "rm"]) || command.is("tofu", &["state", "rm"]))
        .map(|command| command.place.file)
        .collect();
    for tree in facts.trees.terraform.values() {
        for resource in tree.body.blocks("resource") {
            let (Some(kind), Some(name)) = (resource.label(0), resource.label(1)) else { continue };
            let Some(provisioner) = resource.body.blocks("provisioner").find(|block| at_destruction(block))
            else {
                continue;
            };
            let address = format!("{kind}.{name}");
            for file in &removes {
                let text = facts.files.get(*file).text();
                let Some(at) = text.find(&address) else { continue };
                let to_u32 = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
                findings
                    .add(
                        Place::new(*file, Span::new(to_u32(at), to_u32(at + address.len()))),
                        format!("`{address}` leaves the state before it is destroyed, so its clean-up never runs"),
                    )
                    .related(provisioner.place, "this was to run when it is destroyed")
                    .note("what it would have revoked or deleted stays")
                    .help("destroy it first (`terraform destroy -target=…`), then remove the rest from the state");
            }
        }
    }
}

fn at_destruction(block: &Block) -> bool {
    block
        .body
        .get("when")
        .is_some_and(|when| when.as_reference() == Some("destroy") || when.as_str() == Some("destroy"))
}

/// `host_vars/NAME.yml` whose only key is NAME: the variables of the host are all one level too deep.
fn nested_host_variables(facts: &Facts, findings: &mut Findings<'_>) {
    for (file, stream) in &facts.trees.yaml {
        let path = facts.path(*file);
        let in_host_vars = path.parent().and_then(Utf8Path::file_name) == Some("host_vars");
        let (Some(document), Some(stem)) =
            (stream.documents.first().filter(|_| in_host_vars), path.file_stem())
        else {
            continue;
        };
        let [only] = document.entries() else { continue };
        if only.key.as_str() != Some(stem) || !only.value.is_mapping() {
            continue;
        }
        let read = facts.files.iter().any(|(other, text)| {
            other != *file
                && facts.trees.kind(other) != Kind::Markdown
                && text.text().contains(&format!("{stem}."))
                || text.text().contains(&format!("{stem}['"))
        });
        if !read {
            findings
                .add(
                    Place::new(*file, only.key.span),
                    format!("no play sees these variables: they all lie below `{stem}`"),
                )
                .severity(Severity::Medium)
                .label("the file's name says whose they are already")
                .help("write the keys at the top level of the file");
        }
    }
}
