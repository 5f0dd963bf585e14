//! A plan becomes true, or the release before serves again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use plimsoll_remote::{Output, Shell};

use crate::data::Keeper;
use crate::error::DeployError;
use crate::event::Event;
use crate::guest::{Action, Depth, Guest, Lock, script};
use crate::local::{Building, Engine, builds_here};
use crate::password::{Change, Verb};
use crate::plan::{self, Plan, Step};
use crate::registry::Logins;
use crate::ship::Cache;
use crate::spec::{Order, Spec};
use crate::state::{Release, Released, State};
use crate::steps::{Run, buildings, built_of, how_many};

/// How long to wait for another deploy.
pub(crate) const LOCK_WAIT: Duration = Duration::from_secs(40);

/// What a deploy came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The release that serves.
    pub release: u64,
    /// Whether anything was changed.
    pub changed: bool,
    /// Bytes that were sent as input of steps.
    pub sent: u64,
    /// Pauses of services in milliseconds, as measured.
    pub pauses: BTreeMap<String, u64>,
}

/// Who deploys, and what helps.
#[derive(Clone)]
pub struct Runner {
    /// The app on its guest.
    pub guest: Guest,
    /// What guests have.
    pub cache: Cache,
    /// Who deploys: user and machine.
    pub who: String,
    /// The guest on its node, where data is to go back with a release.
    pub keeper: Option<Keeper>,
    /// This machine's logins at registries.
    pub logins: Logins,
    /// A password that changes in its server, too.
    pub change: Option<Arc<Change>>,
}

/// What a deploy begins with.
enum Begun {
    /// All is as it should be.
    Nothing(Done),
    /// The lock, what is to be done, what there was, and images that are being built for it.
    Work(Box<(Lock, Plan, State, BTreeMap<String, Building>)>),
}

/// Why a step did not come to its end.
pub(crate) struct Stop {
    pub(crate) step: String,
    pub(crate) reason: String,
    pub(crate) service: Option<String>,
}

impl Runner {
    /// Looks, and works out what a deploy would do.
    pub async fn plan(&self, spec: &Spec) -> Result<(Plan, State), DeployError> {
        self.plan_in(&self.guest.shell().await?, spec).await
    }

    async fn plan_in(&self, shell: &Shell, spec: &Spec) -> Result<(Plan, State), DeployError> {
        let state = self.guest.look(shell, Depth::Now, &built_of(spec)).await?;
        if state.engine.is_none() {
            return Err(DeployError::NoEngine("Docker Engine"));
        }
        if state.compose.is_none() {
            return Err(DeployError::NoEngine("Docker Compose"));
        }
        Ok((plan::plan(spec, &state), state))
    }

    /// Makes the guest run what the checkout says, or leaves it as it was.
    pub async fn deploy(&self, spec: &Spec, reason: &str) -> Result<Done, DeployError> {
        let (lock, plan, state, buildings) = match self.begin(spec, reason).await? {
            Begun::Nothing(done) => return Ok(done),
            Begun::Work(work) => *work,
        };
        let done = Done { release: plan.release, changed: true, sent: 0, pauses: BTreeMap::new() };
        let kept = match &self.keeper {
            Some(keeper) => keeper.settle(state.unfinished()).await,
            None => Ok(None),
        };
        let mut is_finished = false;
        let result = match kept {
            Ok(kept) => {
                // What a deploy that was cut off switched is for this one to put back.
                let (release, switched) = (None, plan.unfinished.is_some());
                let told = false;
                let (runner, lock) = (self, &lock);
                let mut run = Run {
                    runner,
                    lock,
                    spec,
                    plan,
                    state,
                    buildings,
                    release,
                    switched,
                    told,
                    kept,
                    done,
                    is_finished,
                };
                let result = run.all().await;
                is_finished = run.is_finished;
                result
            }
            Err(error) => Err(error),
        };
        match &result {
            Ok(_) if is_finished => lock.leave().await,
            Ok(done) => {
                let action = Action::new("collect", done.release, "collect").args([how_many(spec)]);
                lock.release_after(action).await;
            }
            Err(_) => lock.release().await,
        }
        result
    }

    /// Takes the lock for what is to be done, if anything is.
    async fn begin(&self, spec: &Spec, reason: &str) -> Result<Begun, DeployError> {
        let owner = (self.who.as_str(), reason);
        loop {
            // Images are built while the guest is asked; what it has already is given up.
            let mut buildings = buildings(spec);
            let shell = self.guest.shell().await?;
            let (plan, state) = self.plan_in(&shell, spec).await?;
            if state.is_at_work() {
                // Things are otherwise in a moment.
                let lock = self.guest.lock(shell, owner, spec.options.lock_wait, false).await?;
                lock.release().await;
                continue;
            }
            let is_shipped = |name: &str| {
                plan.steps.iter().any(|step| matches!(step, Step::Ship { image, .. } if image == name))
            };
            buildings.retain(|name, _| is_shipped(name));
            if let (true, Some(release)) = (plan.is_empty(), plan.against) {
                if let Some(keeper) = &self.keeper {
                    keeper.settle(None).await?;
                }
                let done = Done { release, changed: false, sent: 0, pauses: BTreeMap::new() };
                return Ok(Begun::Nothing(done));
            }
            self.check(spec, &plan, !buildings.is_empty()).await?;
            let lock = self.guest.lock(shell, owner, spec.options.lock_wait, !buildings.is_empty()).await?;
            if lock.length == state.length {
                return Ok(Begun::Work(Box::new((lock, plan, state, buildings))));
            }
            // Somebody else deployed in the meantime.
            lock.release().await;
        }
    }

    /// Whether a plan can be carried out from here.
    async fn check(&self, spec: &Spec, plan: &Plan, builds: bool) -> Result<(), DeployError> {
        if let Some(refusal) = &plan.refusal {
            return Err(DeployError::Refused(refusal.clone()));
        }
        if builds && !builds_here(spec.options.engine).await {
            let reason = match spec.options.engine {
                Some(Engine::Docker) => "no Docker Engine answers here",
                Some(Engine::Podman) => "no Podman answers here",
                None => "neither Docker Engine nor Podman answers here",
            };
            return Err(DeployError::Local { what: "build", reason: reason.to_owned() });
        }
        if plan.steps.contains(&Step::Snapshot) {
            let Some(keeper) = &self.keeper else {
                let reason = "no node is named that could take the data back when a release fails";
                return Err(DeployError::Refused(reason.to_owned()));
            };
            if !keeper.machine.can_snapshot().await? {
                return Err(DeployError::Refused(format!(
                    "the storage of guest {} keeps no snapshots, so no data could go back when a release fails",
                    keeper.machine.vmid
                )));
            }
        }
        Ok(())
    }

    /// Goes to an earlier release: the one with this number, or the good one before the present one.
    pub async fn rollback(&self, number: Option<u64>) -> Result<Done, DeployError> {
        let reason = number.map_or_else(|| "rollback".to_owned(), |number| format!("rollback to {number}"));
        let shell = self.guest.shell().await?;
        let lock = self.guest.lock(shell, (&self.who, &reason), LOCK_WAIT, false).await?;
        let state = self.guest.look(&lock.shell, Depth::All, &[]).await?;
        let number = match number {
            Some(number) => number,
            None => previous(&state).ok_or(DeployError::NoEarlier)?,
        };
        let release = state.releases.get(&number).ok_or(DeployError::NoRelease(number))?.clone();
        let result = self.replay(&lock, &state, &release, number).await;
        let result = match result {
            Ok(Ok(pauses)) => {
                let number_text = number.to_string();
                let action = Action::new("good", number, "good").args([number_text]);
                self.guest.step(&lock, action).await.map(|_| Done {
                    release: number,
                    changed: true,
                    sent: 0,
                    pauses,
                })
            }
            Ok(Err(stop)) => {
                let dossier = self.dossier(stop.service.as_deref()).await;
                let back = state.last_good().filter(|good| good.number != number);
                let after = match back {
                    Some(good) => self.put_back(&lock, number, good).await,
                    None => "nothing else was there to put back".to_owned(),
                };
                Err(DeployError::Failed {
                    release: number,
                    step: stop.step,
                    reason: stop.reason,
                    after,
                    dossier,
                })
            }
            Err(error) => Err(error),
        };
        lock.release().await;
        result
    }

    /// Restarts, stops or starts services of the release that serves.
    pub async fn power(&self, verb: &str, services: &[String]) -> Result<(), DeployError> {
        let shell = self.guest.shell().await?;
        let lock = self.guest.lock(shell, (&self.who, verb), LOCK_WAIT, false).await?;
        let state = self.guest.look(&lock.shell, Depth::Now, &[]).await?;
        let result = match state.good {
            None => Err(DeployError::NoEarlier),
            Some(good) => {
                let action =
                    Action::new(verb, good, "power").args([good.to_string(), verb.to_owned()]).args(services);
                self.guest.step(&lock, action).await.and_then(|output| Ok(output.success().map(drop)?))
            }
        };
        lock.release().await;
        result
    }

    /// Switches every service to a release that the guest has whole.
    pub(crate) async fn replay(
        &self,
        lock: &Lock,
        state: &State,
        release: &Release,
        journal: u64,
    ) -> Result<Result<BTreeMap<String, u64>, Stop>, DeployError> {
        let mut pauses = BTreeMap::new();
        if let Err(stop) = self.pull_missing(lock, state, release, journal).await? {
            return Ok(Err(stop));
        }
        for service in &release.services {
            let output = self.switch(lock, journal, release.number, service).await?;
            if let Err(stop) = stopped(&format!("switch {}", service.name), Some(&service.name), &output) {
                return Ok(Err(stop));
            }
            if let Some(pause) = pause(&output) {
                pauses.insert(service.name.clone(), pause);
            }
            if self.is_told(&service.name)
                && let Err(stop) = self.password(lock, journal, Verb::Back).await?
            {
                return Ok(Err(stop));
            }
        }
        let wanted: BTreeSet<&str> = release.services.iter().map(|service| service.name.as_str()).collect();
        let present: BTreeSet<&str> =
            state.containers.iter().map(|container| container.service.as_str()).collect();
        for service in present.difference(&wanted) {
            let name = format!("remove {service}");
            self.guest.step(lock, Action::new(&name, journal, "remove").args([*service])).await?;
        }
        Ok(Ok(pauses))
    }

    pub(crate) async fn switch(
        &self,
        lock: &Lock,
        journal: u64,
        release: u64,
        service: &Released,
    ) -> Result<Output, DeployError> {
        let name = format!("switch {}", service.name);
        let limit = service.deadline * u64::from(service.replicas.max(1)) + service.grace + 120;
        let action = Action::new(&name, journal, "switch")
            .args([
                release.to_string(),
                service.name.clone(),
                if service.start_first { "start" } else { "stop" }.to_owned(),
                service.replicas.to_string(),
                service.deadline.to_string(),
                service.start_period.to_string(),
                service.grace.to_string(),
                if service.is_job { "yes" } else { "no" }.to_owned(),
            ])
            .limit(Duration::from_secs(limit));
        self.guest.step(lock, action).await
    }

    /// Puts the last good release back and says in words what serves now.
    pub(crate) async fn put_back(&self, lock: &Lock, failed: u64, good: &Release) -> String {
        (self.guest.listener)(Event::Reverting { to: Some(good.number) });
        let state = match self.guest.look(&lock.shell, Depth::Now, &[]).await {
            Ok(state) => state,
            Err(error) => return format!("release {} could not be put back: {error}", good.number),
        };
        // Clients of the old release need it; a server that does not run now is told once it does.
        drop(self.password(lock, failed, Verb::Back).await);
        match self.replay(lock, &state, good, failed).await {
            Ok(Ok(_)) => {
                let closed = self.guest.step(lock, Action::new("reverted", failed, "nothing")).await;
                closed.err().map_or_else(
                    || format!("release {} serves again", good.number),
                    |error| {
                        format!(
                            "release {} serves again, but the journal does not say so: {error}",
                            good.number
                        )
                    },
                )
            }
            Ok(Err(stop)) => {
                format!(
                    "release {} could not be put back either: {}: {}",
                    good.number, stop.step, stop.reason
                )
            }
            Err(error) => format!("release {} could not be put back: {error}", good.number),
        }
    }

    pub(crate) async fn dossier(&self, service: Option<&str>) -> String {
        let script = ["A=$1; shift\n", script!("dossier")].concat();
        match self.guest.ask("gathering what helps", &script, &[service.unwrap_or_default()]).await {
            Ok(output) => output.text(),
            Err(error) => format!("nothing could be gathered: {error}\n"),
        }
    }
}

/// The newest good release before the present one, by the journal.
fn previous(state: &State) -> Option<u64> {
    let good: BTreeSet<u64> = state
        .journal
        .iter()
        .filter(|entry| entry.step == "good" && entry.phase == "end")
        .map(|entry| entry.release)
        .collect();
    good.into_iter().rev().find(|number| Some(*number) < state.good && state.releases.contains_key(number))
}

/// What a step's status means.
pub(crate) fn stopped(step: &str, service: Option<&str>, output: &Output) -> Result<(), Stop> {
    if output.status == 0 {
        return Ok(());
    }
    let text = output.text();
    let unhealthy = text.lines().find_map(|line| line.strip_prefix("@unhealthy ")?.split_once(' '));
    let reason = match unhealthy {
        Some((_, reason)) => reason.to_owned(),
        None => {
            let lines = output
                .stderr
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty() && !line.starts_with('@'));
            let last: Vec<&str> = lines.rev().take(3).collect();
            let said = last.into_iter().rev().collect::<Vec<_>>().join("; ");
            if said.is_empty() { format!("status {}", output.status) } else { said }
        }
    };
    Err(Stop { step: step.to_owned(), reason, service: service.map(ToOwned::to_owned) })
}

/// The pause that a switch measured.
pub(crate) fn pause(output: &Output) -> Option<u64> {
    output.text().lines().find_map(|line| line.strip_prefix("@pause ")?.parse().ok())
}

/// Whether new containers are healthy before old ones stop.
pub(crate) fn is_start_first(order: &Order) -> bool {
    matches!(order, Order::StartFirst)
}
