//! `plimsoll status`

use camino::Utf8Path;
use clap::Args;
use plimsoll_deploy::{Depth, State};
use serde_json::json;

use super::target::{Format, TargetArgs, listener};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ui::Ui;

/// Show which release serves and how its services are
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll status --app shop --guest root@192.168.1.50 --host-key SHA256:…
  plimsoll status --format json

Exit code 1 when a service of the release does not run or is not healthy.")]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    target: TargetArgs,
}

pub(crate) fn run(ui: &Ui, args: &StatusArgs) -> Result<Outcome, Failure> {
    let target = args.target.filled(Utf8Path::new("."))?;
    let app = target.app(Utf8Path::new("."))?;
    let session = target.open(&app, listener(args.target.format, false))?;
    let state =
        session.runtime.block_on(session.runner.guest.observe(Depth::Now)).map_err(FailureKind::from)?;
    let (rows, sound) = rows(&state);
    match args.target.format {
        Format::Json => {
            let services: Vec<serde_json::Value> = rows
                .iter()
                .map(|row| json!({"service": row.service, "state": row.state, "containers": row.containers}))
                .collect();
            let good = state.last_good();
            let guest = target.site().and_then(|site| site.place());
            let guest = guest.map(|(node, id, address)| json!({"node": node, "id": id, "address": address}));
            let status = json!({
                "app": app, "guest": guest, "release": state.good, "version": good.and_then(|good| good.version.as_deref()),
                "by": good.map(|good| good.by.as_str()), "sound": sound, "services": services,
                "unfinished": state.unfinished(), "lock": state.lock.as_ref().map(|lock| lock.who.as_str()), "busy": state.busy,
                "engine": state.engine, "compose": state.compose, "free_bytes": state.free,
            });
            ui.print(&format!("{status}\n"))?;
        }
        Format::Text => {
            let place = target.site().and_then(|site| site.place());
            let place = place.map_or(String::new(), |(node, id, address)| {
                let address = address.map_or(String::new(), |address| format!(", {address}"));
                format!("guest {id} on {node}{address}\n")
            });
            ui.print(&format!("{}{place}", text(&app, &state, &rows)))?;
        }
    }
    Ok(if sound { Outcome::Clean } else { Outcome::Findings })
}

struct Row {
    service: String,
    state: String,
    containers: usize,
}

/// A row for each service, and whether all are well.
fn rows(state: &State) -> (Vec<Row>, bool) {
    let mut sound = state.good.is_some() && state.unfinished().is_none();
    let services = state.last_good().map(|good| good.services.as_slice()).unwrap_or_default();
    let mut rows = Vec::new();
    for service in services {
        let containers: Vec<_> = state.of(&service.name).collect();
        let states: Vec<&str> = containers
            .iter()
            .map(|container| match (container.status.as_str(), container.health.as_str()) {
                ("running", "") => "running",
                ("running", health) => health,
                ("exited", _) if service.is_job && container.exit == 0 => "done",
                (status, _) => status,
            })
            .collect();
        let is_well = |state: &&&str| matches!(**state, "running" | "healthy" | "done" | "starting");
        sound &= states.iter().filter(is_well).count() == service.replicas as usize;
        let state = if states.is_empty() { "gone".to_owned() } else { states.join(", ") };
        rows.push(Row { service: service.name.clone(), state, containers: containers.len() });
    }
    (rows, sound)
}

fn text(app: &str, state: &State, rows: &[Row]) -> String {
    let mut out = match state.last_good() {
        Some(good) => {
            let version = good.version.as_ref().map_or(String::new(), |version| format!(" ({version})"));
            format!("{app}: release {}{version}, by {}\n", good.number, good.by)
        }
        None => format!("{app} is not deployed here\n"),
    };
    let width = rows.iter().map(|row| row.service.len()).max().unwrap_or_default();
    for row in rows {
        out.push_str(&format!("  {:<width$}  {}\n", row.service, row.state));
    }
    match (&state.lock, state.unfinished()) {
        (Some(owner), _) => out.push_str(&format!("at work: {owner}\n")),
        (None, _) if state.busy => out.push_str("at work: the last step of an earlier run\n"),
        (None, Some(number)) => out.push_str(&format!(
            "the deploy of release {number} was cut off; `plimsoll deploy` finishes it\n"
        )),
        (None, None) => {}
    }
    out
}
