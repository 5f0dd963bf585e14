//! `plimsoll secret rotate`

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::time::Instant;

use clap::Args;
use plimsoll_config::{Alphabet, Generate, Rotate};
use plimsoll_deploy::{Answer, Change, Plan, Step};
use plimsoll_secrets::Pending;
use serde_json::json;

use super::file::{SecretFile, random, refused};
use super::rotation::Rotation;
use super::values;
use crate::commands::target::{Format, Making, ReleaseArgs, TargetArgs, listener};
use crate::commands::{deploy, plan};
use crate::failure::{Failure, FailureKind};
use crate::ui::Ui;

/// Put a new value in place of a made one
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll secret rotate SESSION_KEY             # the next deploy brings it to the guest
  plimsoll secret rotate DB_PASSWORD --dry-run   # with `rotate: postgres` in `plimsoll.yaml`
  plimsoll secret rotate DB_PASSWORD --yes

With `rotate: postgres` (or `mysql`, `redis`) the server is told, and every service that uses the value is switched, as one
release: a failure puts server and release back. A client that was killed leaves both values in `secrets.age`; the same
command, or the next deploy, asks the server and goes on.")]
pub(crate) struct RotateArgs {
    /// Name of a secret that `plimsoll.yaml` says to make, or of a server's password
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// Only show what would be done
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Change a server's password without asking
    #[arg(short, long)]
    yes: bool,
    /// Show what the steps print
    #[arg(short, long)]
    verbose: bool,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    pub(super) release: ReleaseArgs,
}

pub(super) fn run(ui: &Ui, args: &RotateArgs) -> Result<(), Failure> {
    let (name, directory) = (&args.name, &args.release.directory);
    let file = SecretFile::of(directory)?;
    if file.config().secrets.get(name).is_none_or(|secret| secret.rotate.is_none()) {
        return values::renew(ui, args);
    }
    let begun = Instant::now();
    let mut target = args.target.filled(directory)?;
    let (rotation, is_begun) = rotation(&file, args, &target)?;
    target.change(&rotation.value());
    let app = target.app(directory)?;
    let checkout = args.release.checkout()?;
    let spec = args.release.spec(&target, &app, checkout.path(), Making::Pretend)?;
    let change = rotation.change(&spec)?;
    let mut session = target.open(&app, listener(args.target.format, args.verbose))?;
    session.runner.guest = session.runner.guest.live(args.verbose);
    let (plan, _) = session.runtime.block_on(session.runner.plan(&spec)).map_err(FailureKind::from)?;
    if plan.against.is_none() {
        return Err(refused(format!("{app} is not deployed yet, so no server has `{name}`"))
            .hint("`plimsoll deploy` comes first"));
    }
    let answer = session.runtime.block_on(session.runner.which(&change)).map_err(FailureKind::from)?;
    let shown = Shown { change: &change, answer, is_begun, plan: &plan };
    match args.target.format {
        Format::Json => ui.print(&format!("{}\n", shown.machine()))?,
        Format::Text => ui.print(&shown.text())?,
    }
    if answer == Answer::Neither {
        return Err(rotation.lost(&change));
    }
    if args.dry_run {
        deploy::finish(session);
        return Ok(());
    }
    agree(ui, args)?;
    if !is_begun {
        rotation.begin(ui)?;
    }
    let spec = args.release.spec(&target, &app, checkout.path(), Making::Keep)?;
    session.runner.keeper = deploy::keeper(&target, &spec)?.0;
    session.runner.change = Some(change.clone());
    let result = session.runtime.block_on(session.runner.deploy(&spec, &format!("rotate {name}")));
    let done = rotation.finish(ui, &session, &change, result)?;
    deploy::report(ui, args.target.format, &app, Ok(done), begun)?;
    deploy::finish(session);
    drop(checkout);
    Ok(())
}

/// What is on its way already, or a new value that nobody keeps yet.
fn rotation(file: &SecretFile, args: &RotateArgs, target: &TargetArgs) -> Result<(Rotation, bool), Failure> {
    let (name, directory) = (&args.name, &args.release.directory);
    let Some(settings) = target.settings() else { return Err(refused("no target is said")) };
    let own = &settings.target().name;
    if let Some(pending) = file.open()?.pending() {
        if pending.name != *name || pending.target != *own {
            let (other, at) = (&pending.name, &pending.target);
            return Err(refused(format!("a new value of `{other}` is on its way to {at}"))
                .hint(format!("`plimsoll secret rotate {other} --target {at}` finishes that first")));
        }
        return Ok((Rotation::of(directory, file, pending.clone())?, true));
    }
    let targets: Vec<&str> = file.config().targets.keys().map(String::as_str).collect();
    if targets.len() > 1 {
        return Err(refused(format!(
            "{} have the same `{name}`, and only the server of {own} would be told",
            targets.join(" and ")
        ))
        .hint(
            "keep them in files of their own, each with one target, to change their passwords one by one",
        ));
    }
    let usual = Generate { length: 32, alphabet: Alphabet::UrlSafe };
    let value = plimsoll_secrets::generate(file.recipe(name).unwrap_or(usual), random)
        .map_err(|error| refused(error.to_string()))?;
    let pending = Pending { name: name.clone(), value, target: own.clone() };
    Ok((Rotation::of(directory, file, pending)?, false))
}

fn agree(ui: &Ui, args: &RotateArgs) -> Result<(), Failure> {
    if args.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(refused(format!("nobody said that `{}` should change; nothing was done", args.name))
            .hint("`--yes` says it, `--dry-run` only shows how"));
    }
    ui.status("");
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "change it? [y/N] ").and_then(|()| stderr.flush());
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    if matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(refused("nothing was done")) }
}

/// What would be done.
struct Shown<'a> {
    change: &'a Change,
    answer: Answer,
    is_begun: bool,
    plan: &'a Plan,
}

impl Shown<'_> {
    /// What clients notice.
    fn meanwhile(&self) -> &'static str {
        match self.change.server.kind {
            Rotate::Postgres => {
                "open connections go on; new ones with the old value are refused until their service is switched"
            }
            Rotate::Mysql => {
                "open connections go on; MySQL from 8.0.14 takes both values until all are switched, others the new one only"
            }
            Rotate::Redis => "open connections go on; both values are taken until all services are switched",
        }
    }

    fn text(&self) -> String {
        let (change, server) = (self.change, &self.change.server);
        let (kind, service, users) = (server.kind.name(), &server.service, server.users.join(" and "));
        let mut out = format!(
            "{} is the password of {users} in {kind}: service {service}, by {}\n",
            change.name, server.because
        );
        let mut line = |text: &str| out.push_str(&format!("  {text}\n"));
        line(&match (self.is_begun, self.answer) {
            (true, Answer::New | Answer::Both) => {
                "a change was cut off; the server takes the new value already".to_owned()
            }
            (true, _) => "a change was cut off; it goes on with the same new value".to_owned(),
            (false, _) => {
                format!("keep a new value in {} beside the present one", plimsoll_secrets::FILE_NAME)
            }
        });
        let mut is_told = false;
        for step in &self.plan.steps {
            if !is_told && matches!(step, Step::Hook { .. } | Step::Switch { .. }) {
                is_told = true;
                line(&format!("tell {service} the new value"));
                line(&format!("    {}", self.meanwhile()));
            }
            for (index, text) in plan::lines(step).iter().enumerate() {
                line(&if index == 0 { text.clone() } else { format!("    {text}") });
            }
        }
        line(&format!("take the old value away, from {service} and from releases that can be gone back to"));
        if let Some(good) = self.plan.against {
            out.push_str(&format!("a failure gives {service} the old value and puts release {good} back\n"));
        }
        out
    }

    fn machine(&self) -> serde_json::Value {
        let server = &self.change.server;
        json!({
            "event": "rotation", "secret": self.change.name, "begun": self.is_begun,
            "server": {"kind": server.kind.word(), "service": server.service, "users": server.users, "because": server.because},
            "takes": format!("{:?}", self.answer).to_lowercase(), "meanwhile": self.meanwhile(), "release": plan::machine(self.plan),
        })
    }
}
