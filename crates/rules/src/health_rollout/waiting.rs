//! Waiting for what was started instead of letting time pass.

use plimsoll_model::Facts;
use plimsoll_model::commands::Command;
use plimsoll_model::compose::Condition;
use plimsoll_text::Edit;

use crate::edits;

/// Whether waiting for health can end well: no health check is known that cannot pass, and no service runs to its
/// end, which counts as a failure to wait for.
pub(super) fn can_end(facts: &Facts) -> bool {
    let ends = facts.stacks.deployed_services().any(|(_, service)| {
        service.depends_on.values().any(|on| on.condition == Condition::CompletedSuccessfully)
            || service.restart.as_ref().is_some_and(|restart| restart.value == "no")
    });
    !ends && !super::health_check_cannot_pass::any(facts)
}

/// Lets `docker compose up -d` wait until all services are healthy.
pub(super) fn wait(start: &Command) -> Option<Edit> {
    let detached = start.flag(&["-d", "--detach"])?;
    let fits = start.is("docker", &["compose", "up"]) && start.flag(&["--wait"]).is_none();
    fits.then(|| edits::after(detached.place, " --wait --wait-timeout 300"))
}

/// Replaces a `sleep` by the waiting that fits what was started; `can_end` says whether waiting for health does.
pub(super) fn instead_of(
    facts: &Facts,
    sleep: &Command,
    start: &Command,
    can_end: bool,
) -> Option<Vec<Edit>> {
    let alone = edits::line_tail(facts, sleep.place).trim().is_empty();
    let head = edits::line_head(facts, sleep.place).trim();
    if !alone || sleep.carrier.is_some() || !matches!(head, "" | "-") {
        return None;
    }
    if start.is("docker", &["compose", "up"]) {
        let added = start.flag(&["--wait"]).is_none().then(|| wait(start).filter(|_| can_end));
        let mut edits = vec![edits::remove_lines(facts, sleep.place)];
        if let Some(added) = added {
            edits.push(added?);
        }
        return Some(edits);
    }
    if !start.is("pct", &["start"]) || !edits::in_script(facts, sleep) {
        return None;
    }
    let outer = facts.commands.outermost(start);
    let id = facts.text(start.operands().nth(1)?.place);
    let ask = if outer.id == start.id {
        format!("pct exec {id} -- ip route get 1.1.1.1")
    } else if outer.program == "ssh" && outer.args.len() == 2 && !id.contains(['"', '\\', '\'']) {
        format!("ssh {} \"pct exec {id} -- ip route get 1.1.1.1\"", facts.text(outer.args.first()?.place))
    } else {
        return None;
    };
    let indent = edits::indent_of(facts, sleep.place);
    let step = if indent.contains('\t') { "\t" } else { "    " };
    let lines = [
        "# A minute at most until the guest has a network".to_owned(),
        "tries=0".to_owned(),
        format!("until {ask} &>/dev/null; do"),
        format!("{step}tries=$((tries + 1))"),
        format!("{step}if [ \"$tries\" -ge 30 ]; then"),
        format!("{step}{step}echo \"the guest has no network\" >&2"),
        format!("{step}{step}exit 1"),
        format!("{step}fi"),
        format!("{step}sleep 2"),
        "done".to_owned(),
    ];
    let lines = lines.join(&format!("\n{indent}"));
    Some(vec![edits::replace(sleep.place, lines)])
}
