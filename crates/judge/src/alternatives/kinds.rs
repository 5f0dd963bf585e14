//! The ways to host an app, as changes of the situation.

use crate::situation::{GuestModel, Isolation, Situation};

/// A way to host the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// As it is today, where it is none of the others.
    Today,
    /// Docker in a privileged LXC guest.
    PrivilegedLxc,
    /// Docker in an unprivileged LXC guest.
    UnprivilegedLxc,
    /// Docker in a VM.
    Vm,
    /// One native Proxmox container for each service, made from its OCI image.
    Oci,
    /// The services in a VM, those with state in a guest of their own.
    Hybrid,
    /// A VM that Proxmox HA restarts on another node, with replicated storage.
    HighAvailability,
    /// Docker Swarm (or k3s) over several VMs.
    Swarm,
}

impl Kind {
    /// All that can be compared with today's.
    pub const ALL: [Self; 7] = [
        Self::PrivilegedLxc,
        Self::UnprivilegedLxc,
        Self::Vm,
        Self::Oci,
        Self::Hybrid,
        Self::HighAvailability,
        Self::Swarm,
    ];

    /// Its name for machines.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.words().0
    }

    /// Its name for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.words().1
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Today => ("today", "today's way"),
            Self::PrivilegedLxc => ("privileged-lxc", "privileged LXC guest with Docker"),
            Self::UnprivilegedLxc => ("unprivileged-lxc", "unprivileged LXC guest with Docker"),
            Self::Vm => ("vm", "VM with Docker"),
            Self::Oci => ("oci", "one native OCI container for each service"),
            Self::Hybrid => ("hybrid", "hybrid: a VM for the app, state in a guest of its own"),
            Self::HighAvailability => ("ha", "VM under Proxmox HA with replication"),
            Self::Swarm => ("swarm", "Docker Swarm or k3s over several VMs"),
        }
    }

    /// Whether the Compose files and Docker stay.
    #[must_use]
    pub const fn keeps_compose(self) -> bool {
        !matches!(self, Self::Oci | Self::Swarm)
    }

    /// The way that a guest is today.
    #[must_use]
    pub const fn of(isolation: Isolation) -> Self {
        match isolation {
            Isolation::PrivilegedLxc => Self::PrivilegedLxc,
            Isolation::UnprivilegedLxc => Self::UnprivilegedLxc,
            Isolation::Vm => Self::Vm,
            Isolation::Unknown => Self::Today,
        }
    }
}

/// The situation if the app were hosted so; the scripts, images and Compose files stay as they are otherwise.
#[must_use]
pub fn transformed(situation: &Situation, kind: Kind) -> Situation {
    let mut changed = situation.clone();
    let guest = |name: &str, isolation| GuestModel {
        name: name.to_owned(),
        isolation,
        unconfined: None,
        evidence: Vec::new(),
        memory_mib: None,
        disk_gib: None,
    };
    let single = |isolation| vec![guest("the guest", isolation)];
    match kind {
        Kind::Today => return changed,
        Kind::PrivilegedLxc => changed.guests = single(Isolation::PrivilegedLxc),
        Kind::UnprivilegedLxc => changed.guests = single(Isolation::UnprivilegedLxc),
        Kind::Vm | Kind::HighAvailability => changed.guests = single(Isolation::Vm),
        Kind::Swarm => {
            changed.guests = single(Isolation::Vm);
            // `docker stack deploy` has no way to start a privileged container.
            for container in &mut changed.containers {
                container.controls.retain(|control| !control.text.ends_with("is privileged"));
            }
        }
        Kind::Hybrid => {
            changed.guests =
                vec![guest("the app's guest", Isolation::Vm), guest("the data's guest", Isolation::Vm)];
            for container in &mut changed.containers {
                container.guest = usize::from(container.is_data_service && !container.data.is_empty());
            }
        }
        Kind::Oci => {
            changed.guests = Vec::new();
            for (index, container) in changed.containers.iter_mut().enumerate() {
                changed
                    .guests
                    .push(guest(&format!("the guest of {}", container.name), Isolation::UnprivilegedLxc));
                container.guest = index;
                // No engine, so no socket; and no way to give rights through the API.
                container.controls.clear();
                container.unhardened.clear();
            }
        }
    }
    // What rules say of a guest holds for the kind of guest that it is.
    changed.weaknesses.retain(|weakness| {
        let of_lxc = weakness.rule.starts_with("ISO-");
        !of_lxc || changed.guests.iter().all(|guest| guest.isolation != Isolation::Vm)
    });
    changed
}
