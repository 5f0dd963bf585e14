//! Whether new containers can start before old ones stop, and which line forbids it.

use plimsoll_model::compose::{Compose, Condition, MountKind, Service};
use plimsoll_text::Files;

use crate::prepare::line;
use crate::spec::Order;

/// Whether a service runs to its end: another one waits for that.
pub(crate) fn is_job(compose: &Compose, name: &str) -> bool {
    compose.services.values().any(|service| {
        service
            .depends_on
            .get(name)
            .is_some_and(|dependency| dependency.condition == Condition::CompletedSuccessfully)
    })
}

/// The order for a service.
pub(crate) fn of(files: &Files, compose: &Compose, service: &Service) -> Order {
    let mut because = Vec::new();
    for port in &service.ports {
        if let Some(published) = &port.published {
            let place = line(files, port.place);
            because.push(format!("{place}: only one container can have the port {published}"));
        }
    }
    if let Some(name) = &service.container_name {
        because.push(format!(
            "{}: only one container can have the name `{}`",
            line(files, name.place),
            name.value
        ));
    }
    for mount in &service.volumes {
        let is_shared = matches!(mount.kind, MountKind::Volume | MountKind::Bind | MountKind::Cluster);
        if is_shared && !mount.read_only {
            let place = line(files, mount.place);
            because.push(format!("{place}: two containers would write to `{}`", mount.target));
        }
    }
    if let Some(mode) = &service.network_mode {
        because.push(format!("{}: it has no network of its own", line(files, mode.place)));
    }
    for network in service.networks.values() {
        for key in ["ipv4_address", "ipv6_address", "mac_address"] {
            if let Some(value) = network.options.get(key) {
                let place = line(files, value.place);
                because.push(format!("{place}: only one container can have the address"));
            }
        }
    }
    let shared = format!("service:{}", service.name);
    for other in compose.services.values() {
        let modes = [&other.network_mode, &other.pid, &other.ipc];
        for mode in modes.into_iter().flatten().filter(|mode| mode.value == shared) {
            because.push(format!("{}: {} shares its namespace", line(files, mode.place), other.name));
        }
    }
    if is_job(compose, &service.name) {
        because.push(format!("{}: it runs to its end", line(files, service.place)));
    }
    because.dedup();
    if because.is_empty() { Order::StartFirst } else { Order::StopFirst { because } }
}
