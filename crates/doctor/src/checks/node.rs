//! The node, the token, and what the token may do.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_config::Target;
use plimsoll_pve::{Error, Fingerprint, Kind as Refused};

use super::{network, storage};
use crate::check::Check;
use crate::lines::{Names, lines};
use crate::look::{Seen, Vouched};
use crate::needs::{Missing, Needs};
use crate::work::Work;

/// How the node is asked.
#[derive(Clone, Debug)]
pub struct Access {
    /// Its address.
    pub host: String,
    /// The pinned fingerprint.
    pub pinned: Option<Fingerprint>,
    /// Whether a file with the authority is given instead.
    pub authority: bool,
    /// The token, `user@realm!name`.
    pub token: Option<String>,
    /// Names for what is made on the node.
    pub names: Names,
    /// The node's major release, as long as the node was not asked.
    pub major: u16,
    /// This machine's clock, in seconds since 1970.
    pub now: u64,
}

/// Names of checks that need an answer of the node.
const LATER: [&str; 8] =
    ["privileges", "release", "cluster", "storage", "backups", "bridge", "image", "clock"];

/// Why the node was not asked.
#[derive(Debug)]
pub enum NotAsked<'a> {
    /// It does not answer, or not to this token; whether its certificate is believed, where it shows one.
    Error(&'a Error, Option<Vouched>),
    /// There is no token, or none that may be used; whether the node's certificate is believed.
    Token(Check, Result<Vouched, &'a Error>),
}

/// The checks of a node that answers.
#[must_use]
pub fn node(access: &Access, target: &Target, seen: &Seen) -> Vec<Check> {
    let mut out = vec![
        Check::fine("node", format!("{} answers", access.host)),
        certificate(access),
        Check::fine("token", access.token.clone().unwrap_or_default()),
    ];
    out.extend(privileges(access, seen));
    out.push(release(seen));
    out.push(cluster(target, seen));
    out.extend(storage::storage(target, seen));
    out.extend(storage::backups(target, seen));
    out.extend(network::bridge(target, seen));
    out.extend(storage::image(target, seen));
    out.push(clock(access, seen));
    out
}

/// The checks of a node that could not be asked: what is known, and the commands that let it be asked.
#[must_use]
pub fn not_asked(access: &Access, target: &Target, why: NotAsked<'_>) -> Vec<Check> {
    let mut out = match why {
        NotAsked::Error(error, shown) => refused(access, error, shown),
        NotAsked::Token(token, Ok(shown)) => {
            vec![
                Check::fine("node", format!("{} answers", access.host)),
                shown_certificate(access, shown),
                token,
            ]
        }
        NotAsked::Token(token, Err(error)) => {
            let mut checks = refused(access, error, None);
            checks.push(token);
            checks
        }
    };
    let is_token = out.last().is_some_and(|check| check.name == "token");
    if is_token && let Some(work) = Work::of(target, access.major) {
        // Who has no token yet needs to know what it must be able to do.
        let all = lines(&Needs::of(&work), &access.names, &BTreeMap::new());
        let check = Check::unknown("privileges", "the node was not asked")
            .fix(format!(
                "on the node, as root (for Proxmox VE {}), this makes the token with what a deploy takes:",
                access.major
            ))
            .commands(all);
        out.push(check);
    }
    let there: Vec<&str> = out.iter().map(|check| check.name).collect();
    let rest = LATER.iter().filter(|name| !there.contains(name));
    let rest: Vec<Check> = rest.map(|name| Check::unknown(name, "the node was not asked")).collect();
    out.extend(rest);
    out
}

fn refused(access: &Access, error: &Error, shown: Option<Vouched>) -> Vec<Check> {
    let host = &access.host;
    match error {
        Error::Pin { seen, pinned, .. } => vec![
            Check::fine("node", format!("{host} answers")),
            changed(*seen, *pinned),
        ],
        Error::Refused(refusal) if refusal.kind == Refused::Unauthenticated => vec![
            Check::fine("node", format!("{host} answers")),
            certificate(access),
            Check::failed("token", format!("the node does not know {}", access.token.as_deref().unwrap_or("the token")))
                .fix("its secret is wrong, it has run out, or it was taken away; `pveum user token list` on the node shows tokens"),
        ],
        _ => match shown {
            Some(shown) => vec![Check::fine("node", format!("{host} answers")), shown_certificate(access, shown)],
            None => vec![
                Check::failed("node", chain(error))
                    .fix("check `proxmox.url`, the network, and the node's firewall: port 8006 must be open to this machine"),
                Check::unknown("certificate", "the node was not reached"),
            ],
        },
    }
}

fn chain(error: &Error) -> String {
    let mut out = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        out = format!("{out}: {cause}");
        next = cause.source();
    }
    out
}

fn certificate(access: &Access) -> Check {
    match access.pinned {
        Some(pinned) => Check::fine("certificate", format!("the pinned one, {pinned}")),
        None if access.authority => {
            Check::fine("certificate", "signed by the authority of `PLIMSOLL_PVE_CA`")
        }
        None => Check::fine("certificate", "signed by an authority that this machine knows"),
    }
}

/// A certificate that was looked at, and nothing more.
fn shown_certificate(access: &Access, shown: Vouched) -> Check {
    const NAME: &str = "certificate";
    match (shown, access.pinned) {
        (Vouched::Yes, _) => certificate(access),
        (Vouched::No(seen), Some(pinned)) => changed(seen, pinned),
        (Vouched::No(seen), None) => {
            Check::failed(NAME, "no authority that this machine knows signed the node's certificate")
                .fix("compare with `pvenode cert info` on the node, then write this below `proxmox` in `plimsoll.yaml`:")
                .commands(vec![format!("fingerprint: {seen}")])
        }
    }
}

fn changed(seen: Fingerprint, pinned: Fingerprint) -> Check {
    Check::failed("certificate", format!("the node shows {seen}, and {pinned} is pinned")).fix(
        "compare with `pvenode cert info` on the node: if it renewed its certificate, pin the new one; else somebody stands between",
    )
}

fn privileges(access: &Access, seen: &Seen) -> Option<Check> {
    const NAME: &str = "privileges";
    let work = seen.work.as_ref()?;
    let needs = Needs::of(work);
    let answer = match &seen.permissions {
        Ok(answer) => answer,
        Err(error) => return Some(Check::unknown(NAME, error.clone())),
    };
    let missing = needs.missing(answer, work);
    if missing.is_empty() {
        let (count, paths) = (needs.privileges.len(), needs.paths().len());
        return Some(Check::fine(NAME, format!("all {count} that a deploy takes, on {paths} paths")));
    }
    let known = seen.roles.as_ref().map(Vec::as_slice).unwrap_or_default();
    let roles = known.iter().map(|role| (role.roleid.clone(), role.privileges()));
    let only = only(&needs, &missing);
    let all = lines(&only, &access.names, &roles.collect());
    Some(
        Check::failed(NAME, format!("the token lacks {}", shown(&missing)))
            .fix("on the node, as root; the user and its token both need each role:")
            .commands(all),
    )
}

/// Needs on paths where something is missing. A role has all that is needed on its path.
fn only(needs: &Needs, missing: &[Missing]) -> Needs {
    let paths: BTreeSet<&str> = missing.iter().map(|missing| missing.path.as_str()).collect();
    let kept = needs.privileges.iter().filter(|(path, _)| paths.contains(path.as_str())).cloned();
    Needs { privileges: kept.collect(), also: needs.also.clone() }
}

/// `SDN.Use on …, VM.Audit and VM.Backup on …`, with what the first is for when it is one.
pub(super) fn shown(missing: &[Missing]) -> String {
    let mut by_path: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in missing {
        by_path.entry(&one.path).or_default().push(one.privilege);
    }
    let parts: Vec<String> =
        by_path.iter().map(|(path, names)| format!("{} on `{path}`", names.join(" and "))).collect();
    match missing {
        [one] => format!("{} (to {})", parts.join(", "), one.why.first().copied().unwrap_or("deploy")),
        _ => parts.join(", "),
    }
}

fn release(seen: &Seen) -> Check {
    const NAME: &str = "release";
    let version = seen.version;
    match version.major {
        0..8 => Check::failed(NAME, format!("Proxmox VE {version}; 8 is the oldest that a deploy knows"))
            .fix("upgrade the node"),
        8 | 9 => Check::fine(NAME, format!("Proxmox VE {version}")),
        _ => Check::warning(
            NAME,
            format!("Proxmox VE {version} is newer than what deploys were tested with, 8 and 9"),
        ),
    }
}

fn cluster(target: &Target, seen: &Seen) -> Check {
    const NAME: &str = "cluster";
    let wanted = target.proxmox.as_ref().map(|proxmox| proxmox.node.as_str()).unwrap_or_default();
    let nodes = match &seen.nodes {
        Ok(nodes) => nodes,
        Err(error) => return Check::unknown(NAME, error.clone()),
    };
    match nodes.iter().find(|node| node.node == wanted) {
        Some(node) if node.status == "online" => Check::fine(NAME, format!("the node {wanted} is online")),
        Some(node) => Check::failed(NAME, format!("the node {wanted} is {}", node.status))
            .fix("start it, or look why its cluster does not see it: `pvecm status`"),
        None => {
            let names: Vec<&str> = nodes.iter().map(|node| node.node.as_str()).collect();
            Check::failed(NAME, format!("there is no node {wanted}; there is {}", names.join(", ")))
                .fix("correct `proxmox.node`")
        }
    }
}

/// Seconds that clocks may differ before it is worth a word.
const SKEW: u64 = 30;

fn clock(access: &Access, seen: &Seen) -> Check {
    const NAME: &str = "clock";
    let Some(theirs) = seen.clock else { return Check::unknown(NAME, "the node does not say its time") };
    let (difference, word) =
        if theirs < access.now { (access.now - theirs, "behind") } else { (theirs - access.now, "ahead of") };
    if difference <= SKEW {
        return Check::fine(NAME, format!("the node's clock agrees within {} s", difference.max(1)));
    }
    Check::warning(NAME, format!("the node is {difference} s {word} this machine"))
        .fix("let both follow a time server: `chronyc tracking` on the node says what it follows")
}
