//! Programs that a guest is told to run and that nothing installs there.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use plimsoll_model::commands::{Command, Fate, HopKind, Machine, Origin};
use plimsoll_model::guests::{Guest, GuestKind};
use plimsoll_model::{Facts, Kind};
use plimsoll_text::{FileId, Phrases, Place};

use super::installs::{Install, installs};
use super::releases;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "BLD-021",
    name: "never-installed",
    title: "Guest uses a program that nothing installs",
    theme: Theme::TransferBuild,
    severity: Severity::Critical,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Proxmox VE, QEMU guest agent",
        url: "https://pve.proxmox.com/wiki/Qemu-guest-agent",
    }],
    doc: include_str!("never_installed.md"),
    check,
};

/// A program that the templates of Proxmox do not hold.
struct Tool {
    name: &'static str,
    /// Other programs that come with it.
    also: &'static [&'static str],
    /// Packages that bring it.
    packages: &'static [&'static str],
    /// Texts of what installs it otherwise.
    marks: &'static [&'static str],
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "docker",
        also: &["docker-compose"],
        packages: &["docker.io", "docker-ce", "docker", "podman-docker", "moby-engine", "docker-compose"],
        marks: &[
            "get.docker.com",
            "download.docker.com",
            "docker.docker",
            "role: docker",
            "snap install docker",
        ],
    },
    Tool { name: "curl", also: &[], packages: &["curl"], marks: &[] },
    Tool { name: "git", also: &[], packages: &["git"], marks: &[] },
    Tool { name: "jq", also: &[], packages: &["jq"], marks: &[] },
    Tool { name: "unzip", also: &[], packages: &["unzip"], marks: &[] },
    Tool { name: "rsync", also: &[], packages: &["rsync"], marks: &[] },
    Tool { name: "make", also: &[], packages: &["make", "build-essential"], marks: &[] },
    Tool {
        name: "node",
        also: &["npm", "npx"],
        packages: &["nodejs", "npm"],
        marks: &["nodesource.com", "nvm.sh", "nodejs.org/dist"],
    },
    Tool {
        name: "nginx",
        also: &[],
        packages: &["nginx", "nginx-full", "nginx-light"],
        marks: &["nginx.org"],
    },
    Tool {
        name: "psql",
        also: &["pg_dump"],
        packages: &["postgresql", "postgresql-client"],
        marks: &["postgresql"],
    },
];

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let created: Vec<&Guest> = facts.guests.real().filter(|guest| guest.created).collect();
    agent(facts, &created, findings);
    let installs: Vec<Install> =
        installs(facts).into_iter().filter(|install| install.machine != Machine::Build).collect();
    let unclear = installs.iter().any(|install| install.name.contains(['$', '{', '(']));
    let copied = created.iter().any(|guest| is_copy(guest));
    if unclear || copied || created.is_empty() {
        return;
    }
    let mut uses: BTreeMap<usize, Vec<(Place, &Guest, String)>> = BTreeMap::new();
    for command in facts.commands.iter() {
        let Some(guest) = bare_guest(facts, command, &created) else { continue };
        if let Some((index, shown)) = used(facts, command) {
            uses.entry(index).or_default().push((command.place, guest, shown));
        }
    }
    for (index, mut places) in uses {
        // What belongs to the making of the guest shows it best.
        places.sort_by_key(|(place, guest, _)| {
            let (own, made) = (facts.path(place.file), facts.path(guest.place.file));
            Reverse(own.components().zip(made.components()).take_while(|(a, b)| a == b).count())
        });
        let Some(tool) = TOOLS.get(index) else { continue };
        if is_provided(facts, tool, &installs) {
            continue;
        }
        let mut rest = places.into_iter();
        let Some((first, guest, shown)) = rest.next() else { continue };
        let known = releases::of_guests(facts, first.file);
        if tool.name == "curl" && known.is_some_and(|(release, _)| release.distribution == "ubuntu") {
            continue;
        }
        let finding = findings
            .add(first, format!("`{shown}` needs `{}`, which nothing installs in the guest", tool.name));
        let template = guest.setting("ostemplate").map_or(guest.place, |setting| setting.place);
        finding
            .label("used here")
            .related(template, "the guest starts from this template, which has no such program");
        for (place, _, shown) in rest.filter(|(place, _, _)| *place != first) {
            finding.related(place, format!("`{shown}` needs it, too"));
        }
        finding
            .severity(if tool.name == "docker" { Severity::Critical } else { Severity::High })
            .note("on a new guest the deployment ends here with `command not found`")
            .help(format!(
                "install `{}` in the guest before this step",
                tool.packages.first().unwrap_or(&tool.name)
            ));
    }
}

/// The guest of a command, when the files create it and nothing but them sets it up.
fn bare_guest<'a>(facts: &Facts, command: &Command, created: &[&'a Guest]) -> Option<&'a Guest> {
    let unit = facts.commands.unit(command.unit);
    if command.machine != Machine::Guest || facts.commands.is_only_read(command.unit) {
        return None;
    }
    let id = command.hops.iter().rev().find_map(|hop| match &hop.kind {
        HopKind::Lxc { guest } | HopKind::GuestAgent { guest } => Some(guest),
        _ => None,
    });
    if let Some(id) = id {
        return created
            .iter()
            .find(|guest| {
                guest.id.as_ref().is_some_and(|own| own.text == id.text || names_same(&own.text, &id.text))
            })
            .copied();
    }
    (unit.origin == Origin::CloudInit)
        .then(|| created.iter().find(|guest| guest.kind == GuestKind::Vm).copied())?
}

/// `$CTID` and `${CTID}`, `{{ id }}` and `{{id}}`.
fn names_same(a: &str, b: &str) -> bool {
    let bare =
        |text: &str| text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    (a.contains(['$', '{']) && b.contains(['$', '{'])) && bare(a) == bare(b) && !bare(a).is_empty()
}

/// A tool that a command needs, with the words to show.
fn used(facts: &Facts, command: &Command) -> Option<(usize, String)> {
    if matches!(command.fate, Fate::Tested | Fate::Masked { .. }) && command.pipeline.is_none() {
        return None;
    }
    let asks = |tool: &str| {
        command.guards.iter().any(|guard| facts.text(guard.condition).contains(tool))
            || command.arg_texts().any(|arg| arg == "--version")
    };
    let find = |name: &str| TOOLS.iter().position(|tool| tool.name == name || tool.also.contains(&name));
    if let Some(index) = find(&command.program) {
        let first: Vec<&str> = command.arg_texts().take(2).filter(|arg| !arg.starts_with('-')).collect();
        let words = if command.program == "docker" { first.join(" ") } else { String::new() };
        let shown = format!("{} {words}", command.program);
        return (!asks(&command.program)).then(|| (index, shown.trim_end().to_owned()));
    }
    let joins = matches!(command.program.as_str(), "usermod" | "gpasswd" | "adduser")
        && command.arg_texts().any(|arg| arg == "docker");
    (joins && !asks("docker")).then(|| (0, format!("{} … docker", command.program)))
}

/// What a file that sets up one of the tools holds; most files hold none of it.
static SETUPS: LazyLock<Phrases> = LazyLock::new(|| {
    let marks = TOOLS.iter().flat_map(|tool| tool.marks).copied();
    Phrases::exact(&marks.chain(["community-scripts/", "geerlingguy."]).collect::<Vec<_>>())
});

fn is_provided(facts: &Facts, tool: &Tool, installs: &[Install]) -> bool {
    installs.iter().any(|install| {
        let name = install.name.as_str();
        tool.packages.contains(&name)
            || tool.packages.iter().any(|package| name.starts_with(&format!("{package}-")))
    }) || facts.files.iter().any(|(id, file)| {
        is_setup(facts, id)
            && SETUPS.are_in(file)
            && (tool.marks.iter().any(|mark| file.holds(mark))
                || file.holds("community-scripts/")
                || file.holds(&format!("geerlingguy.{}", tool.name)))
    }) || facts.inventory.paths().any(|path| {
        // A role of that name.
        path.as_str().contains(&format!("roles/{}/", tool.name))
            || path.as_str().contains(&format!("install-{}", tool.name))
            || path.as_str().contains(&format!("install_{}", tool.name))
    })
}

/// Whether a file can set up a guest.
fn is_setup(facts: &Facts, file: FileId) -> bool {
    !matches!(
        facts.trees.kind(file),
        Kind::Markdown
            | Kind::Dockerfile
            | Kind::Compose
            | Kind::JavaScript
            | Kind::Go
            | Kind::Rust
            | Kind::Json
    )
}

/// Whether a guest starts from another one or from a template with software in it.
fn is_copy(guest: &Guest) -> bool {
    guest.settings.iter().any(|setting| {
        setting.key == "clone"
            || setting.key.starts_with("clone.")
            || setting.key.contains("template") && {
                let text = setting.value.text.to_ascii_lowercase();
                text.contains("docker") || text.contains("turnkey") || text.contains("golden")
            }
    })
}

static AGENT: LazyLock<Phrases> = LazyLock::new(|| Phrases::exact(&["qemu-guest-agent", "qemu-ga"]));

/// The guest agent is switched on for VMs that do not get it.
fn agent(facts: &Facts, created: &[&Guest], findings: &mut Findings<'_>) {
    let installed =
        facts.files.iter().any(|(id, file)| facts.trees.kind(id) != Kind::Markdown && AGENT.are_in(file));
    let has_own = |guest: &Guest| {
        guest.settings.iter().any(|setting| {
            let text = setting.value.text.to_ascii_lowercase();
            ["talos", "haos", "windows", "win11", "w11", "opnsense", "coreos"]
                .iter()
                .any(|word| text.contains(word))
        })
    };
    if installed {
        return;
    }
    let mut on = created
        .iter()
        .filter(|guest| guest.kind == GuestKind::Vm && !is_copy(guest) && !has_own(guest))
        .filter_map(|guest| {
            let setting = guest.setting("agent").or_else(|| guest.setting("agent.enabled"))?;
            let text = setting.value.text.as_str();
            let enabled = text.split(',').any(|part| matches!(part.trim(), "1" | "enabled=1" | "true"));
            enabled.then_some(setting.place)
        });
    let Some(first) = on.next() else { return };
    let finding = findings
        .add(first, "the guest agent is enabled, and nothing installs `qemu-guest-agent` in the guest");
    for place in on {
        finding.related(place, "the same here");
    }
    for command in facts.commands.iter().filter(|command| asks_agent(command)) {
        finding.related(command.place, "waits for its answer");
    }
    finding
        .severity(Severity::Medium)
        .note("the node waits for an agent that never answers: addresses stay unknown, and backups freeze nothing")
        .help("install `qemu-guest-agent` in the image or by cloud-init");
}

fn asks_agent(command: &Command) -> bool {
    command.is("qm", &["agent"]) || command.is("qm", &["guest"])
}
