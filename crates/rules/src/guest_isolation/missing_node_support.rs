//! Service needs something of the node that its guest does not have.

use std::cell::LazyCell;
use std::sync::LazyLock;

use plimsoll_model::commands::Machine;
use plimsoll_model::compose::Service;
use plimsoll_model::guests::GuestKind;
use plimsoll_model::{Facts, Kind};
use plimsoll_text::Phrases;

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "ISO-012",
    name: "missing-node-support",
    title: "Service needs something of the node that its guest does not have",
    theme: Theme::GuestIsolation,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("missing_node_support.md"),
    check,
};

/// Images whose program refuses to start with the kernel's default of `vm.max_map_count`.
const MANY_MAPS: &[&str] = &["elasticsearch", "opensearch", "sonarqube"];

/// How a guest gets a device of the node.
static PASSES_DEVICES: LazyLock<Phrases> =
    LazyLock::new(|| Phrases::new(&["lxc.mount.entry", "-dev0", "dev0:", "device_passthrough", "hostpci"]));

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let guest = facts.guests.real().find(|guest| guest.kind == GuestKind::Lxc && guest.created);
    let lxc_script = facts.trees.of_kind(Kind::Shell).find_map(|id| {
        let file = facts.files.get(id);
        let at = file.text().find("var_unprivileged=")?;
        let line = file.line_span(file.line_of(u32::try_from(at).ok()?));
        Some(plimsoll_text::Place::new(id, line))
    });
    let Some(guest_place) = guest.map(|guest| guest.place).or(lxc_script) else { return };
    let passes = LazyCell::new(|| {
        let mut files = facts.files.iter().filter(|(id, _)| facts.trees.kind(*id) != Kind::Markdown);
        files.any(|(_, file)| PASSES_DEVICES.are_in(file))
    });
    let raised = LazyCell::new(|| {
        facts.commands.iter().any(|command| {
            command.machine == Machine::Node && command.arg_texts().any(|arg| arg.contains("max_map_count"))
        })
    });
    let mut seen = Vec::new();
    let mut graphics: Vec<&Service> = Vec::new();
    for (_, service) in facts.stacks.deployed_services() {
        if seen.contains(&service.place) {
            continue;
        }
        seen.push(service.place);
        if wants_graphics(service) && !*passes {
            graphics.push(service);
        }
        let image = service.image.as_ref().filter(|image| {
            let name = image.value.split([':', '@']).next().unwrap_or_default();
            MANY_MAPS.iter().any(|known| name.rsplit('/').next() == Some(known))
        });
        if let Some(image) = image.filter(|_| !*raised) {
            findings
                .add(
                    image.place,
                    format!("`{}` needs `vm.max_map_count`, which only the node can set", service.name),
                )
                .label("does not start with the kernel's default")
                .related(guest_place, "an LXC guest shares the kernel of the node")
                .help("set `vm.max_map_count=262144` in `/etc/sysctl.d` of the node, or use a VM");
        }
    }
    let Some((first, rest)) = graphics.split_first() else { return };
    let finding = findings.add(
        first.place,
        format!("`{}` asks for a graphics card, and nothing gives one to the guest", first.name),
    );
    finding.label("reserves a device").severity(Severity::Medium);
    for service in rest {
        finding.related(service.place, format!("`{}` asks for one too", service.name));
    }
    finding
        .related(guest_place, "the guest gets no device here")
        .note("the service does not start, or computes on the CPU")
        .help("pass the device with `pct set ID --dev0 PATH`, and install the driver in the guest in the version of the node");
}

fn wants_graphics(service: &Service) -> bool {
    let reserved = service
        .deploy
        .as_ref()
        .and_then(|deploy| deploy.reservations.as_ref())
        .is_some_and(|reserved| reserved.other.contains_key("devices"));
    reserved
        || service.other.contains_key("gpus")
        || service.runtime.as_ref().is_some_and(|runtime| runtime.value == "nvidia")
        || service
            .devices
            .iter()
            .any(|device| device.source.starts_with("/dev/dri") || device.source.starts_with("/dev/nvidia"))
}
