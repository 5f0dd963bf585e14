//! A deployment changes the hypervisor itself.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Machine};
use plimsoll_text::FileId;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HST-010",
    name: "node-changed-by-deployment",
    title: "The deployment changes the hypervisor itself",
    theme: Theme::HostAccess,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Proxmox VE Administration Guide, Package Repositories and System Software Updates",
        url: "https://pve.proxmox.com/pve-docs/pve-admin-guide.html#sysadmin_package_repositories",
    }],
    doc: include_str!("node_changed_by_deployment.md"),
    check,
};

/// What a command does to the machine, worst last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Service,
    Packages,
    Containers,
    Sources,
    Upgrade,
    Power,
}

impl Change {
    fn says(self) -> &'static str {
        match self {
            Self::Service => "services of the hypervisor are changed",
            Self::Packages => "packages are installed on the hypervisor",
            Self::Containers => "containers run on the hypervisor itself",
            Self::Sources => "package sources of the hypervisor are changed",
            Self::Upgrade => "an upgrade runs on the hypervisor",
            Self::Power => "the hypervisor is switched off",
        }
    }
}

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut files = BTreeMap::<FileId, Vec<(Change, &Command)>>::new();
    for command in facts.commands.iter() {
        if command.machine != Machine::Node
            || facts.commands.is_only_read(command.unit)
            || left_guest(facts, command)
        {
            continue;
        }
        if let Some(change) = change(command) {
            files.entry(facts.commands.unit(command.unit).file).or_default().push((change, command));
        }
    }
    for changes in files.values() {
        let Some((worst, command)) =
            changes.iter().max_by_key(|(change, command)| (*change, std::cmp::Reverse(command.id)))
        else {
            continue;
        };
        if *worst == Change::Service
            || *worst == Change::Packages && changes.iter().all(|(_, command)| is_tool(command))
        {
            continue;
        }
        let finding = findings.add(command.place, worst.says());
        finding.label("runs on the node, not in a guest");
        let mut seen = vec![command.place];
        for (change, command) in changes {
            if !seen
                .iter()
                .any(|place| place.file == command.place.file && place.span.contains(command.place.span))
            {
                seen.push(command.place);
                finding.related(command.place, change.says());
            }
        }
        finding
            .note("what is installed there shares the kernel, the network and the updates of every guest, and no backup of a guest holds it")
            .help("keep the node as it was installed: run the app and its tools in a guest, upgrade the node by hand with `apt full-upgrade`");
    }
}

fn change(command: &Command) -> Option<Change> {
    let verb = || command.operands().next().map(|arg| arg.value.text.as_str()).unwrap_or_default();
    match command.program.as_str() {
        "apt" | "apt-get" | "aptitude" => match verb() {
            "upgrade" | "dist-upgrade" | "full-upgrade" | "autoremove" => Some(Change::Upgrade),
            "install" | "remove" | "purge" => Some(Change::Packages),
            _ => None,
        },
        "dpkg" => command.flag(&["-i", "--install"]).map(|_| Change::Packages),
        "docker" | "docker-compose" => {
            let runs = ["up", "down", "build", "restart", "stop", "rm"];
            let compose = runs.iter().any(|verb| command.is("docker", &["compose", verb]));
            let plain = ["run", "stop", "rm", "build"].iter().any(|verb| command.is("docker", &[verb]));
            (compose || plain).then_some(Change::Containers)
        }
        "systemctl" => matches!(verb(), "enable" | "disable" | "stop" | "mask").then_some(Change::Service),
        "poweroff" | "halt" | "reboot" | "shutdown" => Some(Change::Power),
        "rm" | "cp" | "mv" | "sed" | "tee" => command.arg_texts().any(is_source).then_some(Change::Sources),
        _ => command.outputs.iter().any(|output| is_source(&output.target.text)).then_some(Change::Sources),
    }
}

fn is_source(path: &str) -> bool {
    path.starts_with("/etc/apt/sources.list")
}

/// Small programs that scripts on the node use themselves.
fn is_tool(command: &Command) -> bool {
    command.operands().skip(1).all(|arg| {
        matches!(
            arg.value.text.as_str(),
            "jq" | "curl"
                | "wget"
                | "git"
                | "rsync"
                | "sshpass"
                | "bc"
                | "unzip"
                | "zstd"
                | "libguestfs-tools"
                | "ca-certificates"
        )
    })
}

/// Commands that were meant for a guest are judged by another rule.
fn left_guest(facts: &Facts, command: &Command) -> bool {
    command.after.and_then(|id| facts.commands.get(id)).is_some_and(|before| {
        let outer = facts.commands.outermost(before);
        [before, outer].iter().any(|entry| {
            entry.is("pct", &["exec"]) || entry.program == "lxc-attach" || entry.is("qm", &["guest", "exec"])
        })
    })
}
