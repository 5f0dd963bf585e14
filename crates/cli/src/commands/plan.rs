//! `plimsoll plan`

use clap::Args;
use plimsoll_deploy::{Order, Plan, State, Step};
use serde_json::json;

use super::schedule::Jobs;
use super::secret::Rotation;
use super::target::{Format, Making, ReleaseArgs, TargetArgs, listener};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::figures::{bytes, seconds};
use crate::ui::Ui;

/// Show what a deploy would do, without doing any of it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll plan --guest root@192.168.1.50 --host-key SHA256:…
  plimsoll plan --guest root@192.168.1.50 --host-key SHA256:… --format json")]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    release: ReleaseArgs,
}

pub(crate) fn run(ui: &Ui, args: &PlanArgs) -> Result<Outcome, Failure> {
    show(ui, &args.target, &args.release)?;
    Ok(Outcome::Clean)
}

/// Works the plan out and prints it.
pub(crate) fn show(ui: &Ui, target: &TargetArgs, release: &ReleaseArgs) -> Result<(), Failure> {
    let target = &target.filled(&release.directory)?;
    if let Some(rotation) = Rotation::unfinished(&release.directory, target)? {
        let (name, _) = rotation.value();
        ui.status(&format!(
            "a change of {name} was cut off: a deploy asks its server first, and finishes or forgets it"
        ));
    }
    let app = target.app(&release.directory)?;
    let checkout = release.checkout()?;
    let spec = release.spec(target, &app, checkout.path(), Making::Pretend)?;
    let guest = target.site().map(|site| site.plan(&spec)).transpose()?;
    let plan = if guest.as_ref().is_some_and(|guest| !guest.is_reachable()) {
        // Nothing runs there yet.
        plimsoll_deploy::plan(&spec, &State::default())
    } else {
        let session = target.open(&app, listener(target.format, false))?;
        session.runtime.block_on(session.runner.plan(&spec)).map_err(FailureKind::from)?.0
    };
    let jobs = Jobs::look(ui, target)?;
    let jobs = match jobs {
        Some(mut jobs) => {
            let vmid = guest.as_ref().and_then(|guest| guest.vmid).or_else(|| target.vmid());
            jobs.warn(ui, Format::Text, vmid)?;
            jobs.lines(vmid)
        }
        None => Vec::new(),
    };
    match target.format {
        Format::Json => {
            let mut machine = machine(&plan);
            if let Some(map) = machine.as_object_mut() {
                map.insert("jobs".to_owned(), json!(jobs));
            }
            if let (Some(map), Some(guest)) = (machine.as_object_mut(), &guest) {
                let (id, steps) = (guest.vmid.map(|vmid| vmid.0), guest.lines());
                map.insert(
                    "guest".to_owned(),
                    json!({"id": id, "create": guest.creates(), "steps": steps, "notes": guest.notes}),
                );
            }
            ui.print(&format!("{machine}\n"))
        }
        Format::Text => {
            let jobs = jobs.iter().map(|line| format!("on the node: {line}\n")).collect::<String>();
            ui.print(&format!("{}{}{jobs}", before(guest.as_ref()), text(&app, &plan)))
        }
    }
}

/// What happens on the node before the release.
fn before(guest: Option<&plimsoll_provision::Plan>) -> String {
    let Some(guest) = guest.filter(|guest| !guest.steps.is_empty()) else { return String::new() };
    let number = guest.vmid.map_or("?".to_owned(), |vmid| vmid.to_string());
    let mut out: String = guest.notes.iter().map(|note| format!("note: {note}\n")).collect();
    out.push_str(&format!("guest {number}; by the node's API:\n"));
    guest.lines().iter().for_each(|line| out.push_str(&format!("  {line}\n")));
    out
}

fn text(app: &str, plan: &Plan) -> String {
    let mut out = String::new();
    for warning in &plan.warnings {
        out.push_str(&format!("warning: {warning}\n"));
    }
    if let Some(refusal) = &plan.refusal {
        out.push_str(&format!("refused: {refusal}\n"));
    }
    if plan.is_empty() {
        let serving = plan.against.map_or(String::new(), |release| format!(": release {release} serves"));
        out.push_str(&format!("{app} is as it should be{serving}\n"));
        return out;
    }
    let against = plan.against.map_or("nothing".to_owned(), |release| format!("release {release}"));
    out.push_str(&format!("release {} of {app}; {against} serves now\n", plan.release));
    for step in &plan.steps {
        for (index, line) in lines(step).iter().enumerate() {
            out.push_str(if index == 0 { "  " } else { "      " });
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

pub(crate) fn lines(step: &Step) -> Vec<String> {
    match step {
        Step::Files { digest, bytes: count } => {
            vec![format!("send mounted files {} ({})", digest.get(..8).unwrap_or(digest), bytes(*count))]
        }
        Step::Context { name, bytes: count, is_update: true } => {
            vec![format!("send what changed in the build context {name} (of {})", bytes(*count))]
        }
        Step::Context { name, bytes: count, is_update: false } => {
            vec![format!("send the build context {name} ({} before compression)", bytes(*count))]
        }
        Step::Build { services, image } => {
            vec![format!("build {image} in the guest for {}", services.join(", "))]
        }
        Step::Ship { services, image } => {
            vec![format!(
                "build {image} here for {} and send the layers that the guest lacks",
                services.join(", ")
            )]
        }
        Step::Pull { image, reference: None } => vec![format!("pull {image} in the guest")],
        Step::Pull { image, reference: Some(reference) } => {
            vec![format!("pull {image} in the guest as the release before means it: {reference}")]
        }
        Step::Snapshot => {
            vec!["take a snapshot of the guest; a failure takes its data back".to_owned()]
        }
        Step::Forget => vec!["forget the snapshot".to_owned()],
        Step::Render => vec!["write the release into the guest".to_owned()],
        Step::Hook { service, run, .. } => vec![format!("run `{run}` with the new image of {service}")],
        Step::Switch { service, is_new: true, .. } => vec![format!("start {service}")],
        Step::Switch { service, order: Order::StartFirst, .. } => {
            vec![format!("switch {service}: new containers are healthy before old ones stop, no pause")]
        }
        Step::Switch { service, order: Order::StopFirst { because }, pause, .. } => {
            let pause =
                pause.map_or("not measured yet".to_owned(), |pause| format!("about {}", seconds(pause)));
            let mut lines = vec![format!("switch {service}: the old container stops first, pause {pause}")];
            lines.extend(because.iter().cloned());
            lines
        }
        Step::Remove { service } => vec![format!("take {service} away; its volumes stay")],
        Step::Check { what } => vec![format!("check from here: {}", what.join(", "))],
        Step::Watch { seconds } => vec![format!("watch for {seconds} s")],
        Step::Good => vec!["mark the release as good".to_owned()],
        Step::Collect => vec!["take away what no kept release needs".to_owned()],
    }
}

pub(crate) fn machine(plan: &Plan) -> serde_json::Value {
    let steps: Vec<serde_json::Value> = plan
        .steps
        .iter()
        .map(|step| match step {
            Step::Files { digest, bytes } => json!({"step": "files", "digest": digest, "bytes": bytes}),
            Step::Context { name, bytes, is_update } => {
                json!({"step": "context", "name": name, "bytes": bytes, "update": is_update})
            }
            Step::Build { services, image } => json!({"step": "build", "services": services, "image": image}),
            Step::Ship { services, image } => json!({"step": "ship", "services": services, "image": image}),
            Step::Pull { image, reference } => {
                json!({"step": "pull", "image": image, "reference": reference})
            }
            Step::Snapshot => json!({"step": "snapshot"}),
            Step::Forget => json!({"step": "forget"}),
            Step::Render => json!({"step": "render"}),
            Step::Hook { service, run, .. } => json!({"step": "hook", "service": service, "run": run}),
            Step::Switch { service, order, is_new, pause } => {
                let because = match order {
                    Order::StartFirst => &[],
                    Order::StopFirst { because } => because.as_slice(),
                };
                let order = if *order == Order::StartFirst { "start_first" } else { "stop_first" };
                json!({
                    "step": "switch", "service": service, "order": order, "new": is_new,
                    "because": because, "expected_pause_ms": pause,
                })
            }
            Step::Remove { service } => json!({"step": "remove", "service": service}),
            Step::Check { what } => json!({"step": "check", "what": what}),
            Step::Watch { seconds } => json!({"step": "watch", "seconds": seconds}),
            Step::Good => json!({"step": "good"}),
            Step::Collect => json!({"step": "collect"}),
        })
        .collect();
    json!({
        "release": plan.release, "against": plan.against, "unfinished": plan.unfinished,
        "changes": !plan.is_empty(), "needed_bytes": plan.needed, "refusal": plan.refusal, "steps": steps, "warnings": plan.warnings,
    })
}
