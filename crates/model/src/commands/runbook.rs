//! Documents that are the deployment: nothing else makes the guest or sets it up.

use std::collections::BTreeSet;

use plimsoll_text::FileId;

use super::reading::Reading;
use super::set::is_node_tool;
use super::{Machine, Unit};

/// Finds such documents, and puts what stands below `pct enter` or a login where it is typed.
pub(super) fn find(units: &mut [Unit], readings: &[Reading]) -> BTreeSet<FileId> {
    let makes = |reading: &Reading| {
        reading.commands.iter().any(|command| {
            is_node_tool(&command.program) && command.program != "pveversion"
                || command.machine == Machine::Node
        })
    };
    let automated = units.iter().zip(readings).any(|(unit, reading)| {
        !unit.origin.is_documentation() && (makes(reading) || reading.commands.iter().any(reaches))
    });
    if automated {
        return BTreeSet::new();
    }
    let mut runbooks = BTreeSet::new();
    for (unit, reading) in units.iter().zip(readings) {
        let creates = reading.commands.iter().any(|command| {
            matches!(command.program.as_str(), "pct" | "qm") && command.arg(0) == Some("create")
        });
        if creates {
            runbooks.insert(unit.file);
        }
    }
    let mut entered = None;
    for (unit, reading) in units.iter_mut().zip(readings) {
        if !unit.origin.is_documentation() || !runbooks.contains(&unit.file) {
            entered = None;
            continue;
        }
        if makes(reading) {
            unit.machine = Machine::Node;
            entered = None;
        } else if entered == Some(unit.file) {
            unit.machine = Machine::Guest;
        }
        let enters = reading.commands.iter().any(|command| {
            command.is("pct", &["enter"])
                || command.program == "ssh"
                    && command.operands().count() == 1
                    && command.flag(&["-N", "-L"]).is_none()
        });
        if enters {
            entered = Some(unit.file);
        }
    }
    runbooks
}

/// Whether a command works on another machine by SSH.
fn reaches(command: &super::Command) -> bool {
    command.machine == Machine::Guest && command.last_machine_hop().is_some()
}
