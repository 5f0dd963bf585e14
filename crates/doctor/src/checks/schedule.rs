//! The backup job of the node.

use std::collections::{BTreeMap, BTreeSet};

use super::node::{Access, shown};
use crate::check::Check;
use crate::lines::lines;
use crate::look::Seen;
use crate::needs::Needs;

/// What the node's jobs say of a target that asks for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobSeen {
    /// The job is as it is asked for; in words.
    There(String),
    /// The same, and somebody switched it off.
    Off(String),
    /// A deploy adds or changes it; in words.
    Due(String),
    /// The token may not see jobs, or the guest is not there yet.
    Unseen,
}

/// Whether the job that a target asks for is there, or can be made. Its privileges are no part of the least role: they hold for the
/// whole cluster. `by_hand` is the command that makes the job as root, where the guest's number is known.
#[must_use]
pub fn schedule(access: &Access, seen: &Seen, job: &JobSeen, by_hand: Option<String>) -> Option<Check> {
    const NAME: &str = "schedule";
    let work = seen.work.as_ref().filter(|work| work.schedule)?;
    match job {
        JobSeen::There(said) => return Some(Check::fine(NAME, said.clone())),
        JobSeen::Off(said) => {
            return Some(
                Check::warning(NAME, format!("{said}; somebody switched it off"))
                    .fix("switch it on again: Datacenter > Backup > Edit"),
            );
        }
        JobSeen::Due(_) | JobSeen::Unseen => {}
    }
    let needs = Needs::of_schedule(work);
    let answer = match &seen.permissions {
        Ok(answer) => answer,
        Err(error) => return Some(Check::unknown(NAME, error.clone())),
    };
    let missing = needs.missing(answer, work);
    if missing.is_empty() {
        let said = match job {
            JobSeen::Due(said) => format!("a deploy will {said}"),
            _ => "a deploy will add the backup job".to_owned(),
        };
        return Some(Check::fine(NAME, said));
    }
    let known = seen.roles.as_ref().map(Vec::as_slice).unwrap_or_default();
    let present: BTreeMap<String, BTreeSet<String>> =
        known.iter().map(|role| (role.roleid.clone(), role.privileges())).collect();
    let mut commands = lines(&needs, &access.names.clone().apart("schedule"), &present);
    let other = "a timer that runs `plimsoll backup create` needs none of this";
    let fix = match by_hand {
        None => format!(
            "these, as root on the node, let the token change settings of the whole cluster and take away what the storage holds; {other}:"
        ),
        Some(line) => {
            commands.insert(0, line);
            format!(
                "the first line, as root on the node, makes the job; the others let the token do it, and change settings of the whole cluster and take away what the storage holds; {other}:"
            )
        }
    };
    let lacks = format!("no backup job is made: the token lacks {}", shown(&missing));
    Some(Check::warning(NAME, lacks).fix(fix).commands(commands))
}
