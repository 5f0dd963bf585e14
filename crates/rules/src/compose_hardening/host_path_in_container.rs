//! Mounts that hand the machine over.

use plimsoll_model::Facts;
use plimsoll_model::compose::MountSource;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "CMP-002",
    name: "host-path-in-container",
    title: "Container holds the machine's controls",
    theme: Theme::ComposeHardening,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: true,
    fix: FixKind::None,
    references: &[Reference {
        title: "OWASP, Docker Security Cheat Sheet",
        url: "https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html",
    }],
    doc: include_str!("host_path_in_container.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for (_, service) in facts.stacks.deployed_services() {
        for mount in &service.volumes {
            let Some(MountSource::Path(path)) = &mount.source else { continue };
            let path = path.resolved.as_str();
            let socket =
                ["docker.sock", "podman.sock", "containerd.sock"].iter().any(|name| path.ends_with(name));
            let wide = matches!(
                path,
                "/" | "/etc"
                    | "/root"
                    | "/boot"
                    | "/var/run"
                    | "/run"
                    | "/var/lib/docker"
                    | "/etc/pve"
                    | "/home"
                    | "/usr"
            );
            if !socket && (!wide || mount.read_only) {
                continue;
            }
            let finding =
                findings.add(mount.place, format!("`{}` holds `{path}` of the machine", service.name));
            if socket {
                finding.label("the Docker API: it starts any container with any right");
                if mount.read_only {
                    finding.note("read-only protects the file, not the API behind it");
                }
            }
            if let Some(port) = service.ports.first() {
                finding.related(port.place, "and is reachable from outside");
            }
            finding.note("whoever takes this service over has root on the guest").help(if socket {
                "put a socket proxy between them that allows only the calls that are needed"
            } else {
                "mount only the folder that the service needs, read-only"
            });
        }
    }
}
