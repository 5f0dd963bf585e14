//! What user namespaces, AppArmor, SELinux and seccomp give or cost in this deployment.

use crate::situation::{Isolation, Situation};
use crate::{Evidence, Source};

/// A mechanism of the kernel, seen from this deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mechanism {
    /// Its name.
    pub name: &'static str,
    /// Whether it is at work here; nothing where the files do not tell.
    pub active: Option<bool>,
    /// What it gives here.
    pub gives: String,
    /// What it costs here.
    pub costs: String,
    /// The facts.
    pub evidence: Vec<Evidence>,
    /// Where it is documented.
    pub source: Source,
}

const PCT: Source = Source {
    title: "Proxmox VE Administration Guide, Proxmox Container Toolkit: Security Considerations",
    url: "https://pve.proxmox.com/pve-docs/chapter-pct.html",
};
const DOCKER: Source = Source {
    title: "Docker documentation, Engine security",
    url: "https://docs.docker.com/engine/security/",
};

/// What the kernel's mechanisms give or cost here.
#[must_use]
pub fn mechanisms(situation: &Situation) -> Vec<Mechanism> {
    let Some(guest) = situation.guests.first() else { return Vec::new() };
    let name = |isolation: Isolation| isolation.words();
    let kind = guest.isolation;
    let namespaces = match kind {
        Isolation::PrivilegedLxc => (
            Some(false),
            "would make root of the guest an ordinary user of the node (100000 and up): the ways from the guest to the node that need the node's root end",
            "the guest is created anew or restored with shifted owners; NFS and CIFS cannot be mounted inside; devices and bind mounts need fitting owners; no cost in speed that can be measured",
        ),
        Isolation::UnprivilegedLxc => (
            Some(true),
            "root of the guest is an ordinary user of the node",
            "no NFS or CIFS inside, no modules, ids above 65535 in images fail",
        ),
        Isolation::Vm => (
            None,
            "the VM has a kernel of its own; `userns-remap` of Docker would separate the containers from root of the VM as well",
            "`userns-remap` shifts the owners of every volume and forbids `--pid=host` and the like",
        ),
        Isolation::Unknown => (
            None,
            "whether it is at work cannot be told: `pct config ID` on the node shows `unprivileged: 1`",
            "none beyond shifted owners",
        ),
    };
    let lifted = guest.unconfined.is_some();
    let apparmor = match (kind, lifted) {
        (Isolation::Vm, _) => (
            None,
            "Docker's own profile confines each container where the distribution of the VM has AppArmor (Debian and Ubuntu do)",
            "none",
        ),
        (_, true) => (
            Some(false),
            "would keep the guest from writing to the node's `/proc` and `/sys` and from mounting what it likes",
            "nesting has to be on for Docker; old versions of `lxc-pve` and new ones of runc do not agree, so both have to be current",
        ),
        (Isolation::PrivilegedLxc, false) => (
            Some(true),
            "is what is left between root of the guest and the node; with nesting since `lxc-pve` 6.0.5-2 it no longer guards `/proc/sys` and `/sys`, so it guards less than it seems",
            "none",
        ),
        _ => (
            Some(true),
            "guards the node's `/proc` and `/sys` a second time, behind the user namespace",
            "nesting has to be on for Docker",
        ),
    };
    let selinux = match kind {
        Isolation::Vm => (
            None,
            "can be used inside the VM with a distribution that has it (Fedora, RHEL and their kin); Docker then labels each container",
            "bind mounts need `:z` or `:Z`; it takes AppArmor's place",
        ),
        _ => (
            Some(false),
            "cannot be used: an LXC guest has the kernel of the node, and that of Proxmox VE confines with AppArmor",
            "would take a VM",
        ),
    };
    let unfiltered = situation.weaknesses.iter().find(|weakness| weakness.rule == "CMP-004");
    let seccomp = (
        Some(unfiltered.is_none()),
        match unfiltered {
            Some(_) => {
                "Docker's filter is switched off for a container and would close about 44 system calls to it"
            }
            None => {
                "Docker's default filter closes about 44 system calls to each container; LXC closes loading of modules and `kexec` to the guest"
            }
        },
        "programs that need a closed call (some debuggers, `io_uring`) need a profile of their own",
    );
    let make = |mechanism, (active, gives, costs): (Option<bool>, &str, &str), evidence, source| Mechanism {
        name: mechanism,
        active,
        gives: gives.to_owned(),
        costs: costs.to_owned(),
        evidence,
        source,
    };
    let facts = if guest.evidence.is_empty() {
        vec![Evidence::nowhere(format!("the guest is a {}", name(kind)))]
    } else {
        guest.evidence.clone()
    };
    let lifts = guest.unconfined.clone().into_iter().chain(facts.clone()).collect();
    let filters = unfiltered.map(|weakness| weakness.evidence.clone()).into_iter().collect();
    vec![
        make("user namespaces", namespaces, facts.clone(), PCT),
        make("AppArmor", apparmor, lifts, PCT),
        make("SELinux", selinux, facts, PCT),
        make("seccomp", seccomp, filters, DOCKER),
    ]
}
