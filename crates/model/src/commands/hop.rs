//! How a command gets to the machine it runs on.

use plimsoll_text::Place;

use super::Value;

/// The kind of machine that runs a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Machine {
    /// The developer's machine or a CI runner: wherever the deployment is started.
    Workstation,
    /// A Proxmox VE host.
    Node,
    /// A VM or LXC container on it, or a server reached by SSH that runs the app.
    Guest,
    /// A container of the app.
    Container,
    /// A container in which an image is built (`RUN`).
    Build,
}

impl Machine {
    /// The word that people read.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Workstation => "workstation",
            Self::Node => "node",
            Self::Guest => "guest",
            Self::Container => "container",
            Self::Build => "image build",
        }
    }
}

/// One step from machine to machine, or into another shell on the same machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// What it is.
    pub kind: HopKind,
    /// The command that makes it (its first word).
    pub place: Place,
}

/// The kinds of hops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HopKind {
    /// `ssh target …`.
    Ssh {
        /// `user@host` as resolved.
        target: Value,
        /// Whether a password is given to it (`sshpass`).
        password: bool,
    },
    /// `pct exec ID -- …`, `pct enter`, `lxc-attach -n ID -- …`.
    Lxc {
        /// The guest's id.
        guest: Value,
    },
    /// `qm guest exec ID -- …`.
    GuestAgent {
        /// The guest's id.
        guest: Value,
    },
    /// `docker exec NAME …`, `docker run IMAGE …`, `docker compose exec|run SERVICE …`.
    Container {
        /// Container, image or service.
        name: Value,
    },
    /// `sudo`, `su -c`, `doas`.
    Root,
    /// `bash -c '…'`, `eval`, a heredoc read by a shell.
    Shell,
    /// A wrapper that changes nothing here (`env`, `timeout`, `nohup`, `xargs`, `watch`).
    Wrapper,
}

impl HopKind {
    /// Whether a shell on the other side reads the arguments again as shell text.
    #[must_use]
    pub fn reads_shell_text(&self) -> bool {
        matches!(self, Self::Ssh { .. } | Self::Shell)
    }
}
