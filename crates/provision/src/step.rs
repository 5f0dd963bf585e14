//! A step of a plan.

use plimsoll_config::CloneKind;
use plimsoll_pve::{Upid, Vmid};

use crate::Wanted;
use crate::golden::CloneOf;
use crate::request::Make;
use crate::wanted::noun;

/// Something to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Wait for a task of ours that runs.
    Wait(Upid),
    /// Let the node get a template of its index.
    Download {
        /// Where to.
        storage: String,
        /// The template.
        template: String,
    },
    /// Let the node get an image.
    Fetch {
        /// Where to.
        storage: String,
        /// From where.
        url: String,
        /// The file's name there.
        file: String,
        /// Its digest, `sha512:…`.
        checksum: String,
    },
    /// Make the guest.
    Create(Box<Make>),
    /// Make the template that the guest is a clone of.
    Template(Box<Wanted>),
    /// Make the guest as a clone of it.
    Clone(CloneOf),
    /// Give the clone its own card and sizes, and a machine what it is told at its first start.
    Fit {
        /// The storage that takes the seed of a machine.
        seed_shelf: Option<String>,
    },
    /// Take a half-made template away that holds the guest's address.
    Discard(Vmid),
    /// Read the host key that the guest got, and write it into the mark.
    Pin,
    /// Change processors and memory.
    Change {
        /// Processors.
        cores: Option<u32>,
        /// Memory in MiB.
        memory: Option<u32>,
        /// Starting with the node.
        onboot: Option<bool>,
    },
    /// Make the disk bigger.
    Grow {
        /// The disk.
        disk: String,
        /// Its size in GiB.
        from: u64,
        /// The size that it gets.
        to: u64,
    },
    /// Close the guest's firewall but for some ports.
    Firewall {
        /// Whether it must be closed first.
        close: bool,
        /// What is opened.
        open: Vec<crate::Opening>,
        /// Places of rules that go, from the last to the first.
        remove: Vec<u32>,
    },
    /// Start it.
    Start,
    /// Wait for its address.
    Address,
    /// Set up Docker Engine, updates and SSH inside.
    Prepare,
    /// Grow the machine's file system to the size of its disk, while it runs.
    Spread {
        /// The size of the disk in GiB.
        to: u64,
    },
    /// Give the machine a host key of its own, and take the seed away that held its first one.
    Unseed,
}

impl Step {
    /// Its name, short.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Wait(_) => "wait for the node",
            Self::Download { .. } | Self::Fetch { .. } => "download image",
            Self::Create(_) => "create guest",
            Self::Template(_) => "make template",
            Self::Clone(_) => "clone guest",
            Self::Fit { .. } => "fit clone",
            Self::Discard(_) => "discard template",
            Self::Pin => "pin host key",
            Self::Change { .. } => "change guest",
            Self::Grow { .. } => "grow disk",
            Self::Firewall { .. } => "set firewall",
            Self::Start => "start guest",
            Self::Address => "wait for address",
            Self::Prepare => "prepare guest",
            Self::Spread { .. } => "grow file system",
            Self::Unseed => "renew host key",
        }
    }

    /// What it does.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Wait(upid) => format!("wait for the task {} of {} that runs", upid.kind, upid.id),
            Self::Download { storage, template } => format!("let the node download {template} to {storage}"),
            Self::Fetch { storage, url, checksum, .. } => {
                let algorithm = checksum.split(':').next().unwrap_or_default();
                format!("let the node download {url} to {storage} and check its {algorithm}")
            }
            Self::Create(make) => format!(
                "create {} {} `{}` from {}: {}",
                noun(make.kind()),
                make.vmid(),
                make.name(),
                make.image,
                make.shown
            ),
            Self::Template(template) => format!(
                "make the template `{}` from {}: a {} that is set up inside, sealed and stopped",
                template.name(),
                template.guest.image.as_deref().unwrap_or_default(),
                noun(template.kind)
            ),
            Self::Clone(clone) => {
                let how = if clone.kind == CloneKind::Full { "full" } else { "linked" };
                let of = clone.template.map_or_else(String::new, |vmid| format!(" {vmid}"));
                let what = noun(clone.guest);
                format!("create {what} {} as a {how} clone of the template{of}", clone.vmid)
            }
            Self::Fit { seed_shelf: None } => {
                "give it its own network card, processors and memory".to_owned()
            }
            Self::Fit { seed_shelf: Some(_) } => {
                "give it its own network card, processors, memory and a seed for its first start".to_owned()
            }
            Self::Discard(vmid) => {
                format!("take guest {vmid} away, a template that was left half-made and has this address")
            }
            Self::Pin => "pin the host key that the node made for it".to_owned(),
            Self::Change { cores, memory, onboot } => {
                let cores = cores.map(|cores| format!("{cores} cores"));
                let memory = memory.map(|memory| format!("{memory} MiB of memory"));
                let onboot = onboot.map(|_| "start with the node".to_owned());
                let all: Vec<String> = [cores, memory, onboot].into_iter().flatten().collect();
                format!("change the guest: {}", all.join(", "))
            }
            Self::Grow { disk, from: 0, to } => format!("grow {disk} to {to} GiB"),
            Self::Grow { disk, from, to } => format!("grow {disk} from {from} to {to} GiB"),
            Self::Firewall { close, open, remove } => {
                let open: Vec<String> = open.iter().map(crate::Opening::shown).collect();
                let mut parts = Vec::new();
                if *close {
                    parts.push("close the guest's firewall".to_owned());
                }
                if !open.is_empty() {
                    parts.push(format!("open {}", open.join(", ")));
                }
                if !remove.is_empty() {
                    parts.push(format!("take {} rules away that nothing needs any more", remove.len()));
                }
                parts.join(", ")
            }
            Self::Start => "start it".to_owned(),
            Self::Address => "wait for its address".to_owned(),
            Self::Spread { to } => {
                format!("grow its file system to the {to} GiB of its disk, over SSH while it runs")
            }
            Self::Unseed => "give it a host key of its own, and take away what held its first one".to_owned(),
            Self::Prepare => {
                "set up Docker Engine, security updates and SSH by key only inside, over SSH".to_owned()
            }
        }
    }
}
