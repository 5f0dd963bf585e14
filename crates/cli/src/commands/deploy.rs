//! `plimsoll deploy`

use std::time::{Duration, Instant};

use clap::Args;
use plimsoll_deploy::{DeployError, Done, Keeper, Spec};
use plimsoll_doctor::Work;
use plimsoll_pve::api::Power;
use serde_json::json;

use super::held::{self, Held, patiently};
use super::node;
use super::plan;
use super::replace::{Asked, Former, replace};
use super::schedule::Jobs;
use super::secret::Rotation;
use super::target::{Format, Making, ReleaseArgs, Session, TargetArgs, cache, listener, sockets};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::figures::{bytes, seconds};
use crate::output::write_file;
use crate::progress;
use crate::ui::Ui;

/// Make a guest run what the checkout says, or leave it as it was
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll deploy --guest root@192.168.1.50 --host-key SHA256:… --check-http 'http://{guest}:8080/health'
  plimsoll deploy --dry-run
  plimsoll deploy --version v1.4
  plimsoll deploy --before-release 'backend=alembic upgrade head'
  plimsoll deploy --replace

A deploy that was cut off (by a lost connection, by `kill -9`) is finished or taken back by the next one.")]
pub(crate) struct DeployArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    release: ReleaseArgs,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
    /// Make the guest without asking, where it is not there yet
    #[arg(short, long)]
    yes: bool,
    /// Make the guest anew by the file, although it holds data: backed up first, the backup tried, and gone only then
    #[arg(long, conflicts_with = "dry_run")]
    replace: bool,
    /// The app and the target, as APP/TARGET: with `--yes`, `--replace` asks nothing
    #[arg(long, value_name = "NAME", requires = "replace")]
    name: Option<String>,
    /// Why, for whoever has to wait
    #[arg(long, value_name = "TEXT", default_value = "deploy")]
    reason: String,
    /// Show what the steps print
    #[arg(short, long)]
    verbose: bool,
}

pub(crate) fn run(ui: &Ui, args: &DeployArgs) -> Result<Outcome, Failure> {
    if args.dry_run {
        plan::show(ui, &args.target, &args.release)?;
        return Ok(Outcome::Clean);
    }
    let mut former = None;
    let done = deploy(ui, args, &mut former);
    match (done, former) {
        (Err(failure), Some(former)) => {
            Err(failure.hint(format!("the former guest is whole: {} brings it back", former.way_back())))
        }
        (done, former) => {
            if let Some(former) = former {
                former.report(ui, args.target.format)?;
            }
            done
        }
    }
}

fn deploy(ui: &Ui, args: &DeployArgs, former: &mut Option<Former>) -> Result<Outcome, Failure> {
    let begun = Instant::now();
    let mut target = args.target.filled(&args.release.directory)?;
    let mut rotation = Rotation::unfinished(&args.release.directory, &target)?;
    rotation.iter().for_each(|rotation| target.change(&rotation.value()));
    let app = target.app(&args.release.directory)?;
    let checkout = args.release.checkout()?;
    let mut spec = args.release.spec(&target, &app, checkout.path(), Making::Keep)?;
    let format = args.target.format;
    if args.target.format == Format::Text {
        for warning in &spec.warnings {
            ui.status(&format!("warning: {warning}"));
        }
    }
    let mut jobs = Jobs::look(ui, &target)?;
    let mut vmid = target.vmid();
    if let Some(jobs) = &mut jobs {
        // A guest that is made anew needs its job anew.
        jobs.warn(ui, format, vmid.filter(|_| !args.replace))?;
    }
    if args.replace {
        if let Some(rotation) = &rotation {
            let (name, _) = rotation.value();
            return Err(Failure::from(FailureKind::Target(format!(
                "a change of {name} was cut off; nothing was done"
            )))
            .hint("a deploy without `--replace` finishes it or takes it back"));
        }
        let asked = Asked { yes: args.yes, name: args.name.as_deref(), verbose: args.verbose };
        *former = replace(ui, &target, &args.release.directory, &spec, asked)?;
        target = args.target.filled(&args.release.directory)?;
        vmid = target.vmid();
        if let Some(jobs) = &mut jobs {
            jobs.look_again()?;
        }
    }
    if let Some(site) = target.site() {
        let before = target.address();
        let ((guest, key), made) =
            site.ensure(ui, &spec, args.yes || former.is_some(), format, listener(format, args.verbose))?;
        target.reach(guest, key);
        vmid = Some(made.vmid);
        if made.changed && format == Format::Text {
            ui.status(&format!("guest {} on {} is ready at {}", made.vmid, made.node, made.address));
        }
        if made.address != before {
            // Checks name the address.
            spec = args.release.spec(&target, &app, checkout.path(), Making::Keep)?;
        }
    }
    let (keeper, was_stopped) = keeper(&target, &spec)?;
    let limit = if was_stopped { Duration::from_secs(120) } else { Duration::ZERO };
    let patience = ui.patience("reaching the guest");
    let mut session = patiently(limit, || target.open(&app, listener(format, args.verbose)))?;
    drop(patience);
    session.runner.guest = session.runner.guest.live(args.verbose || progress::is_shown());
    session.runner.keeper = keeper;
    if let Some(unfinished) = &rotation {
        let change = unfinished.change(&spec)?;
        if unfinished.goes_on(ui, &session, &change)? {
            session.runner.change = Some(change);
        } else {
            rotation = None;
            target.unchange();
            spec = args.release.spec(&target, &app, checkout.path(), Making::Keep)?;
        }
    }
    let mut result = session.runtime.block_on(session.runner.deploy(&spec, &args.reason));
    if let (Some(rotation), Some(change)) = (&rotation, session.runner.change.clone()) {
        result = Ok(rotation.finish(ui, &session, &change, result)?);
    }
    report(ui, args.target.format, &app, result, begun)?;
    finish(session);
    drop(checkout);
    if let (Some(jobs), Some(vmid)) = (jobs, vmid) {
        jobs.arrange(ui, format, vmid)?;
    }
    Ok(Outcome::Clean)
}

/// The guest on its node, where data goes back with a release. A guest that a client left stopped, killed while data went
/// back, is started; whether that was so stands beside it.
pub(crate) fn keeper(target: &TargetArgs, spec: &Spec) -> Result<(Option<Keeper>, bool), Failure> {
    let Some(settings) = target.settings().filter(|_| spec.options.restore_data) else {
        return Ok((None, false));
    };
    let held = Held::of(settings.clone(), target.clone())?;
    let version = held.runtime.block_on(held.client.version()).map_err(node::failure)?;
    if let Some(work) = Work::of(settings.target(), version.major) {
        // The guest is there by now: what is left is its snapshots.
        let work = Work { creates: false, ..work };
        held.runtime.block_on(node::verify(&held.client, &work))?;
    }
    let machine = held.machine()?;
    let awake = async {
        machine.idle().await?;
        if machine.power().await? == Power::Stopped && !machine.snapshots().await?.is_empty() {
            machine.start().await?;
            return Ok(true);
        }
        Ok(false)
    };
    let was_stopped = held.runtime.block_on(awake).map_err(held::failure)?;
    Ok((Some(Keeper { machine, sockets: sockets() }), was_stopped))
}

/// Says what a deploy or a rollback came to.
pub(crate) fn report(
    ui: &Ui,
    format: Format,
    app: &str,
    result: Result<Done, DeployError>,
    begun: Instant,
) -> Result<(), Failure> {
    let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let done = match result {
        Ok(done) => done,
        Err(error) => return Err(failure(error)),
    };
    if format == Format::Json {
        let result = json!({
            "event": "done", "release": done.release, "changed": done.changed, "sent": done.sent,
            "pauses_ms": done.pauses, "took_ms": took,
        });
        return ui.print(&format!("{result}\n"));
    }
    if !done.changed {
        return ui.print(&format!(
            "{app} is as it should be: release {} serves ({})\n",
            done.release,
            seconds(took)
        ));
    }
    let pauses: Vec<String> = done
        .pauses
        .iter()
        .map(|(service, pause)| format!("{service} paused for {}", seconds(*pause)))
        .collect();
    let pauses = if pauses.is_empty() { "nothing paused".to_owned() } else { pauses.join(", ") };
    let sent = bytes(done.sent);
    ui.print(&format!("release {} of {app} serves: {}, {sent} sent, {pauses}\n", done.release, seconds(took)))
}

/// A failed deploy, with what was gathered about it in a file.
pub(crate) fn failure(error: DeployError) -> Failure {
    let hint = match &error {
        DeployError::Failed { release, dossier, .. } => {
            let path =
                camino::Utf8PathBuf::from_path_buf(cache().join(format!("failed-release-{release}.txt")))
                    .ok();
            let made = std::fs::create_dir_all(cache()).is_ok();
            let written = path.filter(|path| made && write_file(path, dossier).is_ok());
            written.map(|path| format!("logs, health checks, memory and disk at that moment are in `{path}`"))
        }
        DeployError::Locked(_) => {
            Some("wait for it, or take the lock away with `plimsoll unlock`".to_owned())
        }
        DeployError::Local { .. } => Some("or build in the guest: `--build guest`".to_owned()),
        DeployError::NoEngine(_) => {
            Some("on Debian 13: `apt-get install docker.io docker-compose`".to_owned())
        }
        DeployError::NoRelease(_) | DeployError::NoEarlier => {
            Some("`plimsoll releases` lists them".to_owned())
        }
        _ => None,
    };
    let failure = Failure::from(FailureKind::from(error));
    hint.into_iter().fold(failure, Failure::hint)
}

/// Nothing that still runs is worth waiting for.
pub(crate) fn finish(session: Session) {
    session.runtime.shutdown_background();
}
