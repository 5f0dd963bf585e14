//! The guest, what is inside it, and the tools of this machine.

use plimsoll_config::Bytes;

use super::gib;
use crate::check::Check;

/// The guest as the node knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestSeen {
    /// Its number.
    pub vmid: u32,
    /// `container` or `virtual machine`.
    pub kind: &'static str,
    /// Whether it runs.
    pub running: bool,
    /// Why it is locked.
    pub lock: Option<String>,
    /// `user@address:port` and the host key that it must show, where both are known.
    pub login: Option<(String, String)>,
}

/// What stands in the way of the guest itself: the guest, nothing yet, or why it must not be touched and what to do.
#[must_use]
pub fn guest(seen: &Result<Option<GuestSeen>, (String, Option<String>)>) -> Check {
    const NAME: &str = "guest";
    match seen {
        Ok(None) => Check::fine(NAME, "it is not there yet; the first deploy makes it"),
        Ok(Some(guest)) => {
            let GuestSeen { vmid, kind, .. } = guest;
            match (&guest.lock, guest.running) {
                (Some(why), _) => Check::failed(NAME, format!("{kind} {vmid} is locked ({why})"))
                    .fix("wait until that is over; `qm unlock` or `pct unlock` takes a lock away that a crash left"),
                (None, true) => Check::fine(NAME, format!("{kind} {vmid} runs")),
                (None, false) => {
                    Check::warning(NAME, format!("{kind} {vmid} is stopped")).fix("a deploy starts it")
                }
            }
        }
        Err((evidence, fix)) => {
            let check = Check::failed(NAME, evidence.clone());
            match fix {
                Some(fix) => check.fix(fix.clone()),
                None => check,
            }
        }
    }
}

/// What the guest says over SSH.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// Docker Engine's version.
    pub engine: Option<String>,
    /// Docker Compose's version.
    pub compose: Option<String>,
    /// Bytes that are free for images.
    pub free: Option<u64>,
}

/// Whether the guest is reached and shows the key that is pinned. `Err` holds what went wrong and what to do.
#[must_use]
pub fn ssh(destination: &str, reached: &Result<(), (String, Option<String>)>) -> Check {
    const NAME: &str = "ssh";
    match reached {
        Ok(()) => Check::fine(
            NAME,
            format!("{destination} lets this machine in and shows the host key that is pinned"),
        ),
        Err((evidence, Some(fix))) => Check::failed(NAME, evidence.clone()).fix(fix.clone()),
        Err((evidence, None)) => Check::failed(NAME, evidence.clone()),
    }
}

/// Free space under which a deploy is likely to run full.
const LOW: u64 = 2 << 30;

/// Docker Engine and Compose in the guest, and the space for images. `adopted` guests are set up by their owner.
#[must_use]
pub fn engine(inside: &Inside, adopted: bool) -> Vec<Check> {
    const NAME: &str = "engine";
    let missing = |what: &str| {
        let check = Check::failed(NAME, format!("the guest has no {what}"));
        vec![if adopted {
            check
                .fix("in the guest, as root:")
                .commands(vec!["apt-get install docker.io docker-compose".to_owned()])
        } else {
            check.fix("`plimsoll deploy` sets it up")
        }]
    };
    let (Some(engine), Some(compose)) = (&inside.engine, &inside.compose) else {
        return missing(if inside.engine.is_none() {
            "Docker Engine that answers"
        } else {
            "Docker Compose"
        });
    };
    let mut out = vec![Check::fine(NAME, format!("Docker Engine {engine}, Compose {compose}"))];
    if let Some(free) = inside.free {
        let evidence = format!("{} free for images and data in the guest", gib(free));
        out.push(if free < LOW {
            Check::warning("space", evidence)
                .fix(format!("give the guest a bigger `disk`, or free space: a deploy wants {}", Bytes(LOW)))
        } else {
            Check::fine("space", evidence)
        });
    }
    out
}

/// The programs of this machine that a deploy starts: `ssh` always, an engine where images are built here, by its name with
/// its version.
#[must_use]
pub fn tools(ssh: Option<&str>, engine: Option<&str>, builds_here: bool) -> Check {
    const NAME: &str = "tools";
    let Some(ssh) = ssh else {
        return Check::failed(NAME, "there is no `ssh` on this machine").fix("install OpenSSH's client");
    };
    match (engine, builds_here) {
        (Some(engine), true) => Check::fine(NAME, format!("{ssh}, {engine} on this machine")),
        (None, true) => Check::warning(
            NAME,
            "neither Docker Engine nor Podman answers on this machine, and images are built here",
        )
        .fix("start Docker or install Podman, or say `build: guest`; an app without `build` in its Compose file needs neither"),
        (_, false) => Check::fine(NAME, format!("{ssh}; images are built in the guest")),
    }
}
