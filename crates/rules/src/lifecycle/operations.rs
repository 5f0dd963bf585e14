//! Tasks that operators miss on a bad day.

use plimsoll_model::Facts;
use plimsoll_model::commands::{HopKind, Origin, Procedure, Source, Value};
use plimsoll_text::{Fix, Place};

use crate::edits;

/// Writes the missing tasks beside the one that deploys, out of what that one knows: the node and the
/// guest. Values come from the environment in the way of the shell, as `task` hands it on.
pub(super) fn fix(facts: &Facts, deploy: &Procedure, missing: &[&str]) -> Option<Fix> {
    let unit = facts.commands.unit(deploy.unit);
    let Origin::Task { name } = &unit.origin else { return None };
    let prefix = name.rsplit_once(':').map(|(prefix, _)| format!("{prefix}:")).unwrap_or_default();
    let start = deploy.commands(&facts.commands).find(|command| command.starts_services())?;
    let node = start.hops.iter().find_map(|hop| match &hop.kind {
        HopKind::Ssh { target, .. } => Some(target),
        _ => None,
    })?;
    let guest = start.hops.iter().find_map(|hop| match &hop.kind {
        HopKind::Lxc { guest } => Some(guest),
        _ => None,
    })?;
    let (node, guest) = (expression(node)?, expression(guest)?);
    let on_node = |words: &str| format!("ssh \"{node}\" \"{words}\"");
    let mut tasks = String::new();
    for verb in missing {
        match *verb {
            "stop" => {
                // The restart policy brings the services back with the guest.
                task(
                    &mut tasks,
                    &prefix,
                    "stop",
                    "Stop the guest with all that runs in it",
                    &[on_node(&format!("pct shutdown {guest}"))],
                );
                task(
                    &mut tasks,
                    &prefix,
                    "start",
                    "Start the guest again",
                    &[on_node(&format!("pct start {guest}"))],
                );
            }
            "backup" => task(
                &mut tasks,
                &prefix,
                "backup",
                "Back up the guest with its volumes",
                &[on_node(&format!("vzdump {guest} --mode snapshot --compress zstd"))],
            ),
            "rollback" => {
                task(
                    &mut tasks,
                    &prefix,
                    "snapshot",
                    "Remember the guest as it is, in place of the last time",
                    &[on_node(&format!(
                        "pct listsnapshot {guest} | grep -q known-good && pct delsnapshot {guest} known-good; pct snapshot {guest} known-good"
                    ))],
                );
                task(
                    &mut tasks,
                    &prefix,
                    "rollback",
                    "Put the guest back to its snapshot; everything since then is lost",
                    &[on_node(&format!("pct rollback {guest} known-good"))],
                );
            }
            _ => {}
        }
    }
    let place = tasks_key(facts, unit.file)?;
    edits::safe(
        format!("add tasks for {}", missing.join(", ")),
        edits::add_entries(facts, place, tasks.trim_end_matches('\n')).map(|edit| vec![edit]),
    )
}

fn task(out: &mut String, prefix: &str, verb: &str, what: &str, commands: &[String]) {
    out.push_str(&format!("\n{prefix}{verb}:\n  desc: \"{what}\"\n"));
    if verb == "rollback" {
        out.push_str("  prompt: Everything since the snapshot is lost. Go on?\n");
    }
    out.push_str("  cmds:\n");
    for command in commands {
        out.push_str(&format!("    - {command}\n"));
    }
}

/// A value as the shell of a task can work it out: `${NAME:-default}`, or the text where nothing decides it.
fn expression(value: &Value) -> Option<String> {
    let outside: Vec<&str> = value
        .sources
        .iter()
        .filter_map(|source| match source {
            Source::Default { name, .. } => Some(name.as_str()),
            _ => None,
        })
        .collect();
    let plain = !value.text.is_empty()
        && value.text.bytes().all(|b| b.is_ascii_alphanumeric() || b"@.-_".contains(&b));
    match outside.as_slice() {
        _ if !plain => None,
        [] => Some(value.text.clone()),
        [first, rest @ ..] => {
            rest.iter().all(|name| name == first).then(|| format!("${{{first}:-{}}}", value.text))
        }
    }
}

fn tasks_key(facts: &Facts, file: plimsoll_text::FileId) -> Option<Place> {
    let stream = facts.trees.yaml.get(&file)?;
    Some(Place::new(file, stream.documents.first()?.entry("tasks")?.key.span))
}
