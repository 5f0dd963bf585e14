//! Whether the app fits another way of hosting, and which line of its files stands against it.

use plimsoll_model::Facts;
use plimsoll_model::compose::{Condition, MountKind, MountSource, Service};
use plimsoll_model::images::Role;
use plimsoll_model::services::purpose;

use super::Kind;
use crate::{Evidence, Source};

/// How much a line stands against an alternative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstruction {
    /// Nothing is lost, but it is done in another way.
    Note,
    /// It has to be rebuilt by other means.
    Complicates,
    /// It cannot be done there.
    Forbids,
}

/// A line of a Compose file that stands against an alternative.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Obstacle {
    /// How much.
    pub obstruction: Obstruction,
    /// The service.
    pub service: String,
    /// What stands against it and where.
    pub evidence: Evidence,
    /// Where it is documented.
    pub source: Source,
}

const OCI: Source = Source {
    title: "Proxmox VE Administration Guide, Proxmox Container Toolkit, OCI images (technology preview)",
    url: "https://pve.proxmox.com/pve-docs/chapter-pct.html",
};
const PCT: Source = Source {
    title: "Proxmox VE Administration Guide, Proxmox Container Toolkit",
    url: "https://pve.proxmox.com/pve-docs/chapter-pct.html",
};
const STACK: Source = Source {
    title: "Docker documentation, docker stack deploy and the legacy Compose file format version 3",
    url: "https://docs.docker.com/reference/cli/docker/stack/deploy/",
};
const HA: Source = Source {
    title: "Proxmox VE Administration Guide, High Availability, Requirements",
    url: "https://pve.proxmox.com/pve-docs/chapter-ha-manager.html",
};

/// The lines that stand against an alternative, the worst first.
#[must_use]
pub fn obstacles(facts: &Facts, kind: Kind) -> Vec<Obstacle> {
    let mut found = Vec::new();
    for (_, service) in facts.stacks.deployed_services() {
        match kind {
            Kind::Oci => oci(service, &mut found),
            Kind::UnprivilegedLxc => unprivileged(facts, service, &mut found),
            Kind::PrivilegedLxc | Kind::Today => {}
            Kind::Vm => vm(service, &mut found),
            Kind::HighAvailability => {
                vm(service, &mut found);
                available(service, &mut found);
            }
            Kind::Hybrid => {
                vm(service, &mut found);
                hybrid(facts, service, &mut found);
            }
            Kind::Swarm => swarm(service, &mut found),
        }
    }
    found.sort_by(|a, b| b.obstruction.cmp(&a.obstruction).then_with(|| a.cmp(b)));
    found.dedup();
    found
}

struct Against<'a> {
    service: &'a Service,
    source: Source,
    out: &'a mut Vec<Obstacle>,
}

impl Against<'_> {
    fn add(&mut self, obstruction: Obstruction, place: plimsoll_text::Place, text: &str) {
        self.out.push(Obstacle {
            obstruction,
            service: self.service.name.clone(),
            evidence: Evidence::at(place, text),
            source: self.source,
        });
    }
}

fn oci(service: &Service, out: &mut Vec<Obstacle>) {
    use Obstruction::{Complicates, Forbids};
    let mut against = Against { service, source: OCI, out };
    if let Some(build) = &service.build {
        let text = "`build`: Proxmox builds no images; they have to be built and uploaded as archives";
        against.add(Complicates, build.place, text);
    }
    for dependency in service.depends_on.values() {
        against.add(
            Complicates,
            dependency.place,
            "`depends_on`: guests have a start order and no conditions",
        );
    }
    if let Some(check) = &service.healthcheck {
        against.add(Complicates, check.place, "`healthcheck`: health checks of images are ignored");
    }
    if let Some(restart) = service.restart.as_ref().filter(|restart| restart.value != "no") {
        let text = "`restart`: a container whose first process ends is stopped and stays so";
        against.add(Complicates, restart.place, text);
    }
    for mount in service.volumes.iter().filter(|mount| mount.kind == MountKind::Bind) {
        let text = "a bind mount needs root on the node, and its files owners that are shifted";
        against.add(Complicates, mount.place, text);
    }
    if let Some(privileged) = service.privileged.as_ref().filter(|privileged| privileged.value) {
        against.add(Forbids, privileged.place, "`privileged`: no such right through the API");
    }
    for cap in &service.cap_add {
        against.add(Forbids, cap.place, "`cap_add`: capabilities cannot be set through the API");
    }
    for secret in service.secrets.iter().chain(&service.configs) {
        against.add(Complicates, secret.place, "`secrets` and `configs`: there is nothing like them");
    }
    if socket(service).is_some() {
        against.add(Forbids, service.place, "it talks to the Docker engine, and there is none");
    }
}

fn socket(service: &Service) -> Option<plimsoll_text::Place> {
    let mount = service.volumes.iter().find(|mount| match &mount.source {
        Some(MountSource::Path(path)) => path.resolved.as_str().ends_with("docker.sock"),
        _ => false,
    })?;
    Some(mount.place)
}

fn unprivileged(facts: &Facts, service: &Service, out: &mut Vec<Obstacle>) {
    use Obstruction::{Complicates, Forbids, Note};
    let mut against = Against { service, source: PCT, out };
    if let Some(privileged) = service.privileged.as_ref().filter(|privileged| privileged.value) {
        let text = "`privileged` gives root of the guest only; what needs root of the machine fails";
        against.add(Complicates, privileged.place, text);
    }
    for device in &service.devices {
        let text =
            "`devices`: the device has to be passed into the guest first (`dev0`), by root on the node";
        against.add(Complicates, device.place, text);
    }
    for cap in &service.cap_add {
        let name = cap.value.to_ascii_uppercase();
        match name.trim_start_matches("CAP_") {
            "SYS_MODULE" => against.add(Forbids, cap.place, "a guest cannot load modules"),
            "NET_ADMIN" | "SYS_ADMIN" => against.add(
                Note,
                cap.place,
                "the capability holds inside the user namespace; modules such as `wireguard` load on the node",
            ),
            _ => {}
        }
    }
    for sysctl in service.sysctls.iter().filter(|(name, _)| !name.starts_with("net.")) {
        against.add(Complicates, sysctl.1.place, "`sysctls` outside the network are set on the node");
    }
    if purpose(facts, service) == Some(Role::Search) {
        let text = "search engines need `vm.max_map_count`, which is set on the node";
        against.add(Complicates, service.place, text);
    }
    for mount in &service.volumes {
        if let Some(MountSource::Path(path)) = &mount.source
            && path.resolved.as_str().starts_with("/mnt")
        {
            against.add(
                Note,
                mount.place,
                "NFS and CIFS are mounted on the node and passed in as a bind mount",
            );
        }
    }
}

fn vm(service: &Service, out: &mut Vec<Obstacle>) {
    let mut against = Against { service, source: PCT, out };
    for device in &service.devices {
        let text = "`devices`: a device of the node needs passthrough, which takes it away from the node";
        against.add(Obstruction::Complicates, device.place, text);
    }
}

fn available(service: &Service, out: &mut Vec<Obstacle>) {
    let mut against = Against { service, source: HA, out };
    for mount in service.volumes.iter().filter(|mount| mount.kind == MountKind::Volume) {
        let text = "data follow the VM only on shared or replicated storage; replication loses what came after the last run";
        against.add(Obstruction::Note, mount.place, text);
    }
    for device in &service.devices {
        let text = "a guest with a device of its node cannot move to another";
        against.add(Obstruction::Forbids, device.place, text);
    }
}

fn hybrid(facts: &Facts, service: &Service, out: &mut Vec<Obstacle>) {
    let is_data = |service: &Service| purpose(facts, service).is_some_and(Role::is_data_service);
    let mut against = Against { service, source: PCT, out };
    let project = facts.stacks.deployed().find(|stack| stack.compose.services.contains_key(&service.name));
    for (name, dependency) in &service.depends_on {
        let other = project.and_then(|stack| stack.compose.services.get(name));
        if other.is_some_and(is_data) {
            let text = match dependency.condition {
                Condition::Healthy => {
                    "`depends_on` with a condition does not reach over guests; the app has to wait itself"
                }
                _ => {
                    "`depends_on` and the service's name do not reach over guests; an address takes their place"
                }
            };
            against.add(Obstruction::Complicates, dependency.place, text);
        }
    }
}

fn swarm(service: &Service, out: &mut Vec<Obstacle>) {
    use Obstruction::{Complicates, Forbids, Note};
    let mut against = Against { service, source: STACK, out };
    if let Some(build) = &service.build {
        against.add(Complicates, build.place, "`build` is ignored; a registry has to hold the image");
    }
    if let Some(name) = &service.container_name {
        against.add(Note, name.place, "`container_name` is ignored");
    }
    for dependency in service.depends_on.values() {
        against.add(
            Complicates,
            dependency.place,
            "`depends_on` is ignored; services have to wait themselves",
        );
    }
    if let Some(restart) = &service.restart {
        against.add(Note, restart.place, "`restart` is ignored; `deploy.restart_policy` takes its place");
    }
    if let Some(privileged) = service.privileged.as_ref().filter(|privileged| privileged.value) {
        against.add(Forbids, privileged.place, "`privileged` is not supported");
    }
    for device in &service.devices {
        against.add(Forbids, device.place, "`devices` is not supported");
    }
    if let Some(mode) = service.network_mode.as_ref().filter(|mode| mode.value != "host") {
        against.add(Complicates, mode.place, "`network_mode` is not supported");
    }
    for mount in service.volumes.iter().filter(|mount| mount.kind != MountKind::Tmpfs) {
        let text =
            "the volume is local to one machine; the service has to be kept on it or its storage shared";
        against.add(Complicates, mount.place, text);
    }
}
