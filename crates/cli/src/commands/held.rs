//! The guest of a target with the node that holds it, for commands that ask the node about it.

use std::io::{BufRead as _, IsTerminal as _};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use camino::Utf8PathBuf;
use clap::Args;
use plimsoll_backup::{BackupError, Line, Machine, Shelf};
use plimsoll_config::Guest;
use plimsoll_deploy::{Check, Depth, Release, State, holds_within};
use plimsoll_doctor::Work;
use plimsoll_provision::find;
use plimsoll_pve::api::{GuestKind, NextId};
use plimsoll_pve::{Client, Vmid};

use super::node::{self, Node};
use super::provision;
use super::settings::Settings;
use super::target::{Session, TargetArgs, listener, runtime};
use crate::failure::{Failure, FailureKind};
use crate::progress;
use crate::ui::Ui;

/// Which app on which node.
#[derive(Clone, Debug, Args)]
pub(crate) struct HeldArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Directory that holds `plimsoll.yaml`
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    pub(crate) directory: Utf8PathBuf,
    /// Show what the node's tasks print
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// A target whose node can be asked.
pub(crate) struct Held {
    pub(crate) settings: Settings,
    pub(crate) target: TargetArgs,
    directory: Utf8PathBuf,
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) client: Arc<Client>,
    pub(crate) node: String,
    pub(crate) pool: Option<String>,
    pub(crate) line: Line,
}

fn refused(message: impl Into<String>) -> Failure {
    FailureKind::Target(message.into()).into()
}

/// What the node said, with what to do about it.
pub(crate) fn failure(error: BackupError) -> Failure {
    match error {
        BackupError::Api(error) => node::failure(error),
        BackupError::Task(error) => node::task(*error),
        BackupError::Refused(text) => FailureKind::Kept(text).into(),
    }
}

impl HeldArgs {
    /// Reads the file and prepares the client.
    pub(crate) fn open(&self) -> Result<Held, Failure> {
        let settings = Settings::read(&self.directory, self.target.target.as_deref())?;
        let settings = settings.ok_or_else(|| {
            refused(format!("there is no `{}` in `{}`", plimsoll_config::FILE_NAME, self.directory))
                .hint("`plimsoll init` writes one; what the node should do stands in it")
        })?;
        let mut held = Held::of(settings, self.target.clone())?;
        held.directory.clone_from(&self.directory);
        if self.verbose {
            held.line = Arc::new(|text| Ui::new().status(&format!("    {text}")));
        }
        Ok(held)
    }
}

impl Held {
    /// Prepares the client of a target's node.
    pub(crate) fn of(settings: Settings, target: TargetArgs) -> Result<Self, Failure> {
        let Node { client, name, pool, .. } = Node::of(&settings)?;
        let directory = settings.directory().to_owned();
        let (runtime, line) = (runtime()?, Arc::new(progress::tell));
        Ok(Self { settings, target, directory, runtime, client, node: name, pool, line })
    }

    /// Waits for work of the node; a person at a terminal sees what it says meanwhile.
    pub(crate) fn work<T>(
        &self,
        ui: &Ui,
        what: &str,
        work: impl Future<Output = Result<T, BackupError>>,
    ) -> Result<T, Failure> {
        let patience = ui.patience(what);
        let done = self.runtime.block_on(work);
        drop(patience);
        done.map_err(failure)
    }

    pub(crate) fn app(&self) -> &str {
        self.settings.app()
    }

    pub(crate) fn target_name(&self) -> &str {
        &self.settings.target().name
    }

    /// What people type to say that they mean it.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.app(), self.target_name())
    }

    /// The storage of backups.
    pub(crate) fn shelf(&self) -> Result<Shelf, Failure> {
        let backup = self.settings.target().backup.as_ref();
        let backup = backup.ok_or_else(|| {
            refused(format!("the target `{}` says nothing of backups", self.target_name())).hint(
                "say where they go in `plimsoll.yaml`: `backup: {storage: NAME, keep: {daily: 7, weekly: 4}}`",
            )
        })?;
        Ok(Shelf {
            client: Arc::clone(&self.client),
            node: self.node.clone(),
            storage: backup.storage.clone(),
        })
    }

    /// Refuses where the token could not see the guest if it was there: to such a token everything looks gone. A number that is free is so
    /// for everybody, and privileges on it go with the guest (`destroy_vm` of `PVE/API2/LXC.pm`).
    pub(crate) fn could_see(&self) -> Result<(), Failure> {
        if let Guest::Vm(new) | Guest::Lxc(new) | Guest::Oci(new) = &self.settings.target().guest
            && let Some(id) = new.id
            && self.runtime.block_on(self.client.call(&NextId { vmid: Some(Vmid(id)) })).is_ok()
        {
            return Ok(());
        }
        let version = self.runtime.block_on(self.client.version()).map_err(node::failure)?;
        let Some(mut work) = Work::of(self.settings.target(), version.major) else { return Ok(()) };
        work.creates = false;
        self.runtime.block_on(node::verify(&self.client, &work))
    }

    /// The guest, if the node has it: an adopted one by the number that the file says, one of ours by its mark.
    pub(crate) fn look(&self) -> Result<Option<Machine>, Failure> {
        match &self.settings.target().guest {
            Guest::Adopt(adopted) => {
                let Some(vmid) = adopted.id.map(Vmid) else {
                    return Err(refused(format!("the number of the guest of {} is not known here", self.name()))
                        .hint("say it in `plimsoll.yaml` as `id:` of `guest`; the node shows it beside the guest's name"));
                };
                self.with_number(vmid)
            }
            Guest::Vm(_) | Guest::Lxc(_) | Guest::Oci(_) => {
                let found = find(&self.client, &self.node, self.app(), self.target_name());
                let found = self.runtime.block_on(found).map_err(provision::failure)?;
                Ok(found.map(|found| Machine {
                    client: Arc::clone(&self.client),
                    node: found.node,
                    kind: found.kind,
                    vmid: found.vmid,
                    line: Arc::clone(&self.line),
                }))
            }
        }
    }

    /// A guest of the node by its number, whether it is there or not.
    pub(crate) fn at(&self, kind: GuestKind, vmid: Vmid) -> Machine {
        let (client, node, line) = (Arc::clone(&self.client), self.node.clone(), Arc::clone(&self.line));
        Machine { client, node, kind, vmid, line }
    }

    /// Whatever guest has a number.
    pub(crate) fn with_number(&self, vmid: Vmid) -> Result<Option<Machine>, Failure> {
        let found = Machine::find(&self.client, &self.node, vmid, &self.line);
        self.runtime.block_on(found).map_err(failure)
    }

    /// The guest, which must be there.
    pub(crate) fn machine(&self) -> Result<Machine, Failure> {
        let found = self.look()?;
        found.ok_or_else(|| {
            refused(format!("the node {} shows no guest of {}", self.node, self.name()))
                .hint("`plimsoll deploy` makes one; the token needs VM.Audit to see one that is there")
        })
    }

    /// Waits until SSH answers at an address, the target's own where none is said; gives the address, too.
    pub(crate) fn session(
        &self,
        address: Option<&str>,
        limit: Duration,
    ) -> Result<(Session, String), Failure> {
        patiently(limit, || {
            let mut target = self.target.filled(&self.directory)?;
            if let (Some(address), Some(guest)) = (address, &target.guest) {
                let user = guest.rsplit_once('@').map_or("root", |(user, _)| user);
                let port = guest.rsplit_once(':').map_or("22", |(_, port)| port);
                target.guest = Some(format!("{user}@{address}:{port}"));
            }
            let session = target.open(self.app(), listener(target.format, false))?;
            Ok((session, target.address()))
        })
    }

    /// Stops or starts the app in its guest, as Compose does it.
    pub(crate) fn power(&self, verb: &str, limit: Duration) -> Result<(), Failure> {
        let (session, _) = self.session(None, limit)?;
        let done = session.runtime.block_on(session.runner.power(verb, &[]));
        session.runtime.shutdown_background();
        done.map_err(|error| FailureKind::from(error).into())
    }

    /// Waits until every service of the last good release is as healthy as its own check says, and until checks from
    /// outside hold that ask this address. Gives the release that serves, or what is not well.
    pub(crate) fn healthy(
        &self,
        session: &Session,
        address: &str,
        limit: Duration,
    ) -> Result<Option<Release>, Failure> {
        let begun = Instant::now();
        let mut started = false;
        let release = loop {
            let state = session.runtime.block_on(session.runner.guest.observe(Depth::Now));
            let ill = match &state {
                Ok(state) if state.engine.is_none() => Some("Docker Engine does not answer".to_owned()),
                Ok(state) => match state.last_good() {
                    None => break None,
                    Some(good) => match ill(good, state) {
                        None => break Some(good.clone()),
                        Some(reason) => {
                            // Services without a restart policy stay down when their guest boots.
                            if !std::mem::replace(&mut started, true) {
                                drop(session.runtime.block_on(session.runner.power("start", &[])));
                            }
                            Some(reason)
                        }
                    },
                },
                Err(error) => Some(error.to_string()),
            };
            if begun.elapsed() > limit {
                return Err(FailureKind::Kept(ill.unwrap_or_default()).into());
            }
            std::thread::sleep(Duration::from_millis(500));
        };
        // A check that names another place than the guest would ask the app that serves.
        let [here, elsewhere] = [address, "elsewhere.invalid"].map(|at| self.settings.checks(at));
        let checks: Vec<Check> =
            here.zip(elsewhere).filter(|(one, other)| one != other).map(|(one, _)| one).collect();
        for check in &checks {
            let held = holds_within(check, limit.saturating_sub(begun.elapsed()));
            if let Err(reason) = self.runtime.block_on(held) {
                return Err(FailureKind::Kept(format!("{check}: {reason}")).into());
            }
        }
        Ok(release)
    }
}

/// Tries until it succeeds or the time is over: a guest that boots does not answer yet.
pub(crate) fn patiently<T>(limit: Duration, once: impl Fn() -> Result<T, Failure>) -> Result<T, Failure> {
    let begun = Instant::now();
    loop {
        match once() {
            Err(_) if begun.elapsed() < limit => std::thread::sleep(Duration::from_millis(500)),
            done => return done,
        }
    }
}

/// The first service that is not well.
fn ill(release: &Release, state: &State) -> Option<String> {
    release.services.iter().find_map(|service| {
        let containers: Vec<_> = state.of(&service.name).collect();
        let well = |status: &str, health: &str, exit: i64| {
            status == "running" && matches!(health, "" | "healthy")
                || service.is_job && status == "exited" && exit == 0
        };
        let sick = containers.iter().find(|one| !well(&one.status, &one.health, one.exit));
        match sick {
            Some(one) if one.status == "running" => Some(format!("{} is {}", service.name, one.health)),
            Some(one) => Some(format!("{} is {}", service.name, one.status)),
            None if containers.len() < service.replicas as usize => {
                Some(format!("{} has no container", service.name))
            }
            None => None,
        }
    })
}

/// Lets a person say that this is meant: by typing the name, or by flags where nobody sits.
pub(crate) fn confirm(
    ui: &Ui,
    what: &str,
    name: &str,
    yes: bool,
    given: Option<&str>,
) -> Result<(), Failure> {
    let wrong = |typed: &str| Err(refused(format!("`{typed}` is not `{name}`; nothing was done")));
    match (given, yes) {
        (Some(typed), _) if typed != name => return wrong(typed),
        (Some(_), true) => return Ok(()),
        _ => {}
    }
    let flags = format!("`--yes --name {name}`");
    if !std::io::stdin().is_terminal() {
        return Err(refused(format!("{what} needs somebody who means it; nothing was done"))
            .hint(format!("where nobody sits, give {flags}")));
    }
    ui.status(&format!("{what}\ntype `{name}` to go on:"));
    let mut typed = String::new();
    let read = std::io::stdin().lock().read_line(&mut typed);
    match read {
        Ok(_) if typed.trim() == name => Ok(()),
        _ => wrong(typed.trim()),
    }
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "ages are told from now")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
