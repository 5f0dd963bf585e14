//! What each way costs and gives, with sources.

use super::Kind;
use crate::Source;

/// What a way costs to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// Memory that it takes besides the services, in MiB, from and to; for the smallest sound number of guests.
    pub memory_mib: (u32, u32),
    /// Disk that it takes besides the services, in GiB, from and to.
    pub disk_gib: (u32, u32),
    /// Seconds from start to a reachable guest, from and to.
    pub boot_seconds: (u32, u32),
    /// What has to be looked after, a fragment.
    pub operation: &'static str,
    /// Where the numbers come from.
    pub sources: &'static [Source],
}

/// What a way offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quality {
    /// Snapshots.
    pub snapshots: &'static str,
    /// Live migration.
    pub live_migration: &'static str,
    /// Backup.
    pub backup: &'static str,
    /// How much of Docker works.
    pub docker: &'static str,
    /// Points from 0 to 100 for coming back after a failure (snapshot, backup, migration, restart elsewhere).
    pub recovery: u32,
    /// Points from 0 to 100 for how little there is to look after.
    pub operation: u32,
    /// Points from 0 to 100 for how well it is trodden and supported by its makers.
    pub maturity: u32,
    /// Where it is documented.
    pub sources: &'static [Source],
}

const MEASURED: Source = Source {
    title: "Measured for this project: Debian 13 guests with Docker 26.1, 12 runs on a busy machine of two cores",
    url: "",
};
const SIZING: Source = Source {
    title: "Proxmox VE Helper-Scripts, default sizes of the Docker LXC (2 GiB, 4 GB) and of the Docker VM (4 GiB, 10 GB)",
    url: "https://github.com/community-scripts/ProxmoxVE",
};
const RULE_OF_THUMB: Source = Source {
    title: "Rule of thumb of the Proxmox community: 256 to 512 MiB for an idle VM, 20 to 60 MiB for a bare container",
    url: "https://forum.proxmox.com/",
};
const PCT: Source = Source {
    title: "Proxmox VE Administration Guide, Proxmox Container Toolkit (introduction, security, migration, OCI images)",
    url: "https://pve.proxmox.com/pve-docs/chapter-pct.html",
};
const QM: Source = Source {
    title: "Proxmox VE Administration Guide, QEMU/KVM Virtual Machines (migration)",
    url: "https://pve.proxmox.com/pve-docs/chapter-qm.html",
};
const VZDUMP: Source = Source {
    title: "Proxmox VE Administration Guide, Backup and Restore (backup modes)",
    url: "https://pve.proxmox.com/pve-docs/chapter-vzdump.html",
};
const HA: Source = Source {
    title: "Proxmox VE Administration Guide, High Availability (requirements)",
    url: "https://pve.proxmox.com/pve-docs/chapter-ha-manager.html",
};
const PVESR: Source = Source {
    title: "Proxmox VE Administration Guide, Storage Replication",
    url: "https://pve.proxmox.com/pve-docs/chapter-pvesr.html",
};
const SWARM: Source = Source {
    title: "Docker documentation, Administer and maintain a swarm (fault tolerance)",
    url: "https://docs.docker.com/engine/swarm/admin_guide/",
};

impl Kind {
    /// What it costs to run; nothing where the files do not tell what today's way is.
    #[must_use]
    pub fn costs(self, services: u32) -> Option<Costs> {
        let costs = |memory_mib, disk_gib, boot_seconds, operation, sources| Costs {
            memory_mib,
            disk_gib,
            boot_seconds,
            operation,
            sources,
        };
        let lxc = "one guest to update; its kernel is the node's";
        Some(match self {
            Self::Today => return None,
            Self::PrivilegedLxc => costs((37, 60), (2, 4), (1, 6), lxc, &[MEASURED, RULE_OF_THUMB, SIZING]),
            Self::UnprivilegedLxc => costs((37, 60), (2, 4), (1, 6), lxc, &[MEASURED, RULE_OF_THUMB, SIZING]),
            Self::Vm => costs(
                (256, 512),
                (3, 10),
                (15, 40),
                "one guest with a kernel of its own to update",
                &[RULE_OF_THUMB, SIZING],
            ),
            Self::Oci => costs(
                (0, 20 * services),
                (services.div_ceil(2), services),
                (1, 3),
                "one guest for each service to recreate at every update; no layers are shared",
                &[PCT],
            ),
            Self::Hybrid => costs(
                (293, 1024),
                (5, 20),
                (15, 40),
                "two guests to update and one more address",
                &[RULE_OF_THUMB, MEASURED, SIZING],
            ),
            Self::HighAvailability => costs(
                (256, 512),
                (6, 20),
                (15, 40),
                "three nodes or two and a vote, and a copy of the disk on each",
                &[RULE_OF_THUMB, SIZING, HA, PVESR],
            ),
            Self::Swarm => costs(
                (768, 1536),
                (9, 30),
                (15, 40),
                "three managers, a registry and storage that all reach",
                &[RULE_OF_THUMB, SIZING, SWARM],
            ),
        })
    }

    /// What it offers.
    #[must_use]
    pub fn quality(self) -> Quality {
        let lxc = Quality {
            snapshots: "yes, on storage that can (LVM-thin, ZFS, Btrfs, Ceph RBD); not with bind mounts",
            live_migration: "no; a running container is stopped, moved and started",
            backup: "vzdump in snapshot mode where the storage can, else the guest is paused; a database is as after a crash",
            docker: "works with nesting; updates of runc and of AppArmor have broken it before, and Proxmox does not recommend it",
            recovery: 55,
            operation: 75,
            maturity: 50,
            sources: &[PCT, VZDUMP],
        };
        let vm = Quality {
            snapshots: "yes, on qcow2, LVM-thin, ZFS, Ceph RBD; with memory where wanted",
            live_migration: "yes",
            backup: "vzdump in snapshot mode on any storage; the guest agent freezes file systems",
            docker: "everything, as on a machine of its own; what Proxmox recommends for Docker",
            recovery: 80,
            operation: 70,
            maturity: 95,
            sources: &[QM, VZDUMP, PCT],
        };
        match self {
            Self::Today | Self::UnprivilegedLxc => lxc,
            Self::PrivilegedLxc => Quality { maturity: 30, ..lxc },
            Self::Vm => vm,
            Self::Oci => Quality {
                docker: "none: no Compose, no health checks, no restart after a crash, no builds; a technology preview",
                operation: 35,
                maturity: 20,
                ..lxc
            },
            Self::Hybrid => Quality { recovery: 85, operation: 50, maturity: 85, ..vm },
            Self::HighAvailability => Quality {
                live_migration: "yes, and a restart on another node after a failure",
                recovery: 95,
                operation: 40,
                maturity: 90,
                sources: &[QM, VZDUMP, HA, PVESR],
                ..vm
            },
            Self::Swarm => Quality {
                docker: "stacks: no builds, no `depends_on`, no local volumes that follow a service",
                recovery: 80,
                operation: 20,
                maturity: 60,
                sources: &[QM, SWARM],
                ..vm
            },
        }
    }
}
