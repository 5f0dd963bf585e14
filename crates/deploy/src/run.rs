//! A plan becomes true, or the release before serves again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use plimsoll_backup::exactly;
use plimsoll_remote::Output;

use crate::checks;
use crate::data::{self, Keeper, Kept};
use crate::error::DeployError;
use crate::event::Event;
use crate::guest::{Action, Depth, Guest, Lock, script};
use crate::image::builds_here;
use crate::password::{Change, Verb};
use crate::plan::{self, Plan, Step};
use crate::render;
use crate::ship::Cache;
use crate::spec::{Build, Order, Source, Spec};
use crate::state::{Release, Released, State};

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
    /// A password that changes in its server, too.
    pub change: Option<Arc<Change>>,
}

/// Why a step did not come to its end.
pub(crate) struct Stop {
    pub(crate) step: String,
    pub(crate) reason: String,
    pub(crate) service: Option<String>,
}

/// One run of a plan.
struct Run<'a> {
    runner: &'a Runner,
    lock: &'a Lock,
    spec: &'a Spec,
    plan: Plan,
    state: State,
    release: Option<Release>,
    switched: bool,
    /// Whether a server may know the new password.
    told: bool,
    kept: Option<Kept>,
    done: Done,
}

impl Runner {
    /// Looks, and works out what a deploy would do.
    pub async fn plan(&self, spec: &Spec) -> Result<(Plan, State), DeployError> {
        let state = self.guest.observe(Depth::Now).await?;
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
        let (mut plan, mut state) = self.plan(spec).await?;
        if let (true, Some(release)) = (plan.is_empty(), plan.against) {
            if let Some(keeper) = &self.keeper {
                keeper.settle(None).await?;
            }
            return Ok(Done { release, changed: false, sent: 0, pauses: BTreeMap::new() });
        }
        if let Some(refusal) = plan.refusal {
            return Err(DeployError::Refused(refusal));
        }
        if plan.steps.iter().any(|step| matches!(step, Step::Ship { .. })) && !builds_here().await {
            let reason = "no Docker Engine answers here".to_owned();
            return Err(DeployError::Local { what: "docker build", reason });
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
        let lock = self.guest.lock(&self.who, reason, spec.options.lock_wait).await?;
        if lock.length != state.length {
            // Somebody else deployed in the meantime.
            (plan, state) = self.plan(spec).await?;
        }
        let done = Done { release: plan.release, changed: true, sent: 0, pauses: BTreeMap::new() };
        let kept = match &self.keeper {
            Some(keeper) => keeper.settle(state.unfinished()).await,
            None => Ok(None),
        };
        let result = match kept {
            Ok(kept) => {
                // What a deploy that was cut off switched is for this one to put back.
                let (release, switched) = (None, plan.unfinished.is_some());
                let told = false;
                let mut run =
                    Run { runner: self, lock: &lock, spec, plan, state, release, switched, told, kept, done };
                run.all().await
            }
            Err(error) => Err(error),
        };
        lock.release().await;
        result
    }

    /// Goes to an earlier release: the one with this number, or the good one before the present one.
    pub async fn rollback(&self, number: Option<u64>) -> Result<Done, DeployError> {
        let reason = number.map_or_else(|| "rollback".to_owned(), |number| format!("rollback to {number}"));
        let lock = self.guest.lock(&self.who, &reason, Duration::from_secs(40)).await?;
        let state = self.guest.observe(Depth::All).await?;
        let number = match number {
            Some(number) => number,
            None => previous(&state).ok_or(DeployError::NoEarlier)?,
        };
        let release = state.releases.get(&number).ok_or(DeployError::NoRelease(number))?.clone();
        let result = self.replay(&lock, &state, &release, number).await;
        let result = match result {
            Ok(Ok(pauses)) => {
                let number_text = number.to_string();
                let action = Action::new("good", number, script!("good")).args([number_text]);
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
        let lock = self.guest.lock(&self.who, verb, Duration::from_secs(40)).await?;
        let state = self.guest.observe(Depth::Now).await?;
        let result = match state.good {
            None => Err(DeployError::NoEarlier),
            Some(good) => {
                let action = Action::new(verb, good, script!("power"))
                    .args([good.to_string(), verb.to_owned()])
                    .args(services);
                self.guest.step(&lock, action).await.and_then(|output| Ok(output.success().map(drop)?))
            }
        };
        lock.release().await;
        result
    }

    /// Switches every service to a release that the guest has whole.
    async fn replay(
        &self,
        lock: &Lock,
        state: &State,
        release: &Release,
        journal: u64,
    ) -> Result<Result<BTreeMap<String, u64>, Stop>, DeployError> {
        let mut pauses = BTreeMap::new();
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
            self.guest.step(lock, Action::new(&name, journal, script!("remove")).args([*service])).await?;
        }
        Ok(Ok(pauses))
    }

    async fn switch(
        &self,
        lock: &Lock,
        journal: u64,
        release: u64,
        service: &Released,
    ) -> Result<Output, DeployError> {
        let name = format!("switch {}", service.name);
        let limit = service.deadline * u64::from(service.replicas.max(1)) + service.grace + 120;
        let action = Action::new(&name, journal, script!("switch"))
            .args([
                release.to_string(),
                service.name.clone(),
                service.image.clone(),
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
    async fn put_back(&self, lock: &Lock, failed: u64, good: &Release) -> String {
        (self.guest.listener)(Event::Reverting { to: Some(good.number) });
        let state = match self.guest.observe(Depth::Now).await {
            Ok(state) => state,
            Err(error) => return format!("release {} could not be put back: {error}", good.number),
        };
        // Clients of the old release need it; a server that does not run now is told once it does.
        drop(self.password(lock, failed, Verb::Back).await);
        match self.replay(lock, &state, good, failed).await {
            Ok(Ok(_)) => {
                let closed = self.guest.step(lock, Action::new("reverted", failed, "true")).await;
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

    async fn dossier(&self, service: Option<&str>) -> String {
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
            let lines = output.stderr.lines().map(str::trim).filter(|line| !line.is_empty());
            let last: Vec<&str> = lines.rev().take(3).collect();
            let said = last.into_iter().rev().collect::<Vec<_>>().join("; ");
            if said.is_empty() { format!("status {}", output.status) } else { said }
        }
    };
    Err(Stop { step: step.to_owned(), reason, service: service.map(ToOwned::to_owned) })
}

/// The pause that a switch measured.
fn pause(output: &Output) -> Option<u64> {
    output.text().lines().find_map(|line| line.strip_prefix("@pause ")?.parse().ok())
}

impl Run<'_> {
    async fn all(&mut self) -> Result<Done, DeployError> {
        let steps = self.plan.steps.clone();
        for step in &steps {
            let mut result = self.before(step).await?;
            if result.is_ok() {
                result = self.step(step).await?;
            }
            if let (Ok(()), Step::Switch { service, .. }) = (&result, step)
                && self.runner.is_told(service)
            {
                // One that forgot the old value with its restart takes both again.
                result = self.runner.password(self.lock, self.plan.release, Verb::Tell).await?;
            }
            if let Err(stop) = result {
                return Err(self.fail(stop).await);
            }
        }
        Ok(self.done.clone())
    }

    /// Nothing runs with a new password before its server takes it.
    async fn before(&mut self, step: &Step) -> Result<Result<(), Stop>, DeployError> {
        let starts = matches!(step, Step::Hook { .. } | Step::Switch { .. });
        if !starts || self.told || self.runner.change.is_none() {
            return Ok(Ok(()));
        }
        self.told = true;
        self.runner.password(self.lock, self.plan.release, Verb::Tell).await
    }

    async fn fail(&mut self, stop: Stop) -> DeployError {
        let release = self.plan.release;
        let Stop { step, reason, service } = stop;
        (self.runner.guest.listener)(Event::Failed { step: step.clone(), reason: reason.clone() });
        let head = self.head(&step, &reason);
        let dossier = head + &self.runner.dossier(service.as_deref()).await;
        let after = match (self.switched, self.state.last_good()) {
            (_, Some(good)) if self.kept.is_some() => self.take_back(good).await,
            (false, good) => {
                if self.told {
                    drop(self.runner.password(self.lock, release, Verb::Back).await);
                }
                drop(self.runner.guest.step(self.lock, Action::new("reverted", release, "true")).await);
                good.map_or_else(
                    || "nothing was started".to_owned(),
                    |good| format!("release {} serves as before", good.number),
                )
            }
            // Its journal has no end: the next deploy takes every service for changed. A password that was changed goes back.
            (true, good) if self.spec.options.keep_failed && !self.told => {
                let back = good.map_or_else(
                    || "the next deploy replaces it".to_owned(),
                    |good| {
                        let number = good.number;
                        format!("`plimsoll rollback {number}` puts release {number} back, the next deploy replaces it")
                    },
                );
                format!("it stays as it is (`on_failure: keep`); {back}")
            }
            (true, Some(good)) => self.runner.put_back(self.lock, release, good).await,
            (true, None) => {
                (self.runner.guest.listener)(Event::Reverting { to: None });
                let action = Action::new("remove", release, script!("remove")).args([""]);
                drop(self.runner.guest.step(self.lock, action).await);
                drop(self.runner.guest.step(self.lock, Action::new("reverted", release, "true")).await);
                "there was no release before, so nothing serves; volumes stay".to_owned()
            }
        };
        DeployError::Failed { release, step, reason, after, dossier }
    }

    /// Takes the guest back to its snapshot and lets the last good release serve there; says in words what serves now and
    /// what is lost.
    async fn take_back(&self, good: &Release) -> String {
        let (runner, release) = (self.runner, self.plan.release);
        let (Some(keeper), Some(kept)) = (&runner.keeper, &self.kept) else {
            return runner.put_back(self.lock, release, good).await;
        };
        (runner.guest.listener)(Event::Reverting { to: Some(good.number) });
        let halt = Action::new("halt", release, script!("halt")).limit(Duration::from_secs(300));
        drop(runner.guest.step(self.lock, halt).await);
        let until = data::now();
        let guest = match keeper.back(kept, &runner.guest).await {
            Ok(guest) => guest,
            Err(error) => {
                let after = runner.put_back(self.lock, release, good).await;
                return format!(
                    "its data could not be taken back ({error}), the snapshot {} is still there; {after}",
                    kept.name
                );
            }
        };
        // What the guest knows now is what it knew when the snapshot was taken, lock and journal included.
        let runner = Runner { guest, ..runner.clone() };
        let lock = match runner.guest.lock(&runner.who, "data goes back", Duration::from_secs(60)).await {
            Ok(lock) => lock,
            Err(error) => {
                return format!(
                    "its data is back, but release {} could not be started: {error}",
                    good.number
                );
            }
        };
        drop(runner.guest.step(&lock, Action::new("data back", release, "true")).await);
        let after = runner.put_back(&lock, release, good).await;
        let (from, left) = (kept.at, keeper.machine.forget(&kept.name).await);
        lock.release().await;
        (runner.guest.listener)(Event::Lost { from, until });
        let left = left.err().map_or_else(String::new, |error| {
            format!("; the snapshot {} is still there: {error}", kept.name)
        });
        format!(
            "{after} with its data; lost: what was written from {} to {}{left}",
            exactly(from),
            exactly(until)
        )
    }

    /// Keeps the guest as it is, unless an earlier deploy that was cut off did.
    async fn snapshot(&mut self) -> Result<Result<(), Stop>, DeployError> {
        let (runner, release) = (self.runner, self.plan.release);
        let Some(keeper) = runner.keeper.as_ref().filter(|_| self.kept.is_none()) else { return Ok(Ok(())) };
        // Journaled before: what a rollback brings back knows of the deploy that it belongs to.
        let output =
            runner.guest.step(self.lock, Action::new("snapshot", release, script!("snapshot"))).await?;
        if let Err(stop) = stopped("snapshot", None, &output) {
            return Ok(Err(stop));
        }
        let begun = Instant::now();
        let listener = &runner.guest.listener;
        listener(Event::Begin { step: "keep data".to_owned() });
        match keeper.take(&self.spec.app, release).await {
            Ok(kept) => self.kept = Some(kept),
            Err(error) => {
                return Ok(Err(Stop {
                    step: "snapshot".to_owned(),
                    reason: error.to_string(),
                    service: None,
                }));
            }
        }
        let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        listener(Event::End { step: "keep data".to_owned(), took, sent: 0 });
        Ok(Ok(()))
    }

    /// What failed, and what differs from the release that worked.
    fn head(&self, step: &str, reason: &str) -> String {
        let release = self.plan.release;
        let mut text = format!("release {release} failed at `{step}`: {reason}\n");
        let before: BTreeMap<&str, &Released> = self
            .state
            .last_good()
            .into_iter()
            .flat_map(|good| &good.services)
            .map(|service| (service.name.as_str(), service))
            .collect();
        for service in self.release.iter().flat_map(|release| &release.services) {
            let line = match before.get(service.name.as_str()) {
                None => format!("{}: new\n", service.name),
                Some(old) if old.image != service.image => {
                    format!("{}: image {} instead of {}\n", service.name, service.from, old.from)
                }
                Some(old) if old.fingerprint != service.fingerprint => {
                    format!("{}: same image, other configuration\n", service.name)
                }
                Some(_) => continue,
            };
            text.push_str(&line);
        }
        text
    }

    async fn step(&mut self, step: &Step) -> Result<Result<(), Stop>, DeployError> {
        let (release, lock, spec) = (self.plan.release, self.lock, self.spec);
        let runner = self.runner;
        let guest = &runner.guest;
        let output = match step {
            Step::Files { digest, .. } => {
                let Some(tree) = spec.files.get(digest) else { return Ok(Ok(())) };
                guest.send_files(lock, release, digest, tree).await?
            }
            Step::Context { name, .. } => {
                let Some(tree) = spec.contexts.get(name) else { return Ok(Ok(())) };
                let known = self.state.contexts.get(name).map(String::as_str);
                guest.send_context(lock, release, (name, tree, known), &runner.cache).await?
            }
            Step::Build { image, .. } => self.build(image).await?,
            Step::Ship { image, .. } => {
                let Some(build) = build_of(spec, image) else { return Ok(Ok(())) };
                match guest.ship(lock, release, (spec, build, image), runner.cache.layers()).await {
                    Err(DeployError::Local { what, reason }) => {
                        let step = format!("{what} {image}");
                        return Ok(Err(Stop {
                            step,
                            reason: format!("{reason} (on this machine)"),
                            service: None,
                        }));
                    }
                    other => other?,
                }
            }
            Step::Pull { image } => {
                let name = format!("pull {image}");
                let action = Action::new(&name, release, script!("pull")).args([image]);
                let pulled = guest.step(lock, action.limit(Duration::from_secs(3600))).await?;
                match pulled.status {
                    0 => pulled,
                    _ => guest
                        .ship_pulled(lock, release, image, runner.cache.layers())
                        .await?
                        .unwrap_or(pulled),
                }
            }
            Step::Render => return self.render().await,
            Step::Hook { index, service, .. } => {
                let Some(hook) = spec.hooks.get(*index) else { return Ok(Ok(())) };
                let name = format!("hook {index} {service}");
                let action = Action::new(&name, release, script!("hook"))
                    .args([service])
                    .args(hook.run.clone())
                    .limit(hook.deadline);
                let output = guest.step(lock, action).await?;
                return Ok(stopped(&name, Some(service), &output));
            }
            Step::Switch { service, .. } => {
                let found = self.release.iter().flat_map(|release| &release.services);
                let Some(released) = found.into_iter().find(|found| found.name == *service).cloned() else {
                    return Ok(Ok(()));
                };
                self.switched = true;
                let output = runner.switch(lock, release, release, &released).await?;
                self.done.pauses.extend(pause(&output).map(|pause| (service.clone(), pause)));
                return Ok(stopped(&format!("switch {service}"), Some(service), &output));
            }
            Step::Remove { service } => {
                self.switched = true;
                let name = format!("remove {service}");
                guest.step(lock, Action::new(&name, release, script!("remove")).args([service])).await?
            }
            Step::Snapshot => return self.snapshot().await,
            Step::Forget => {
                // A snapshot that stays is found and taken away by the next deploy.
                if let (Some(keeper), Some(kept)) = (&runner.keeper, self.kept.take()) {
                    drop(keeper.machine.forget(&kept.name).await);
                }
                return Ok(Ok(()));
            }
            Step::Check { .. } => return Ok(self.check(spec.options.check_deadline).await),
            Step::Watch { .. } => return self.watch().await,
            Step::Good => {
                guest
                    .step(lock, Action::new("good", release, script!("good")).args([release.to_string()]))
                    .await?
            }
            Step::Collect => {
                // A release is good whatever becomes of what is left of others.
                drop(self.collect().await);
                return Ok(Ok(()));
            }
        };
        self.done.sent += output.sent;
        if let Step::Build { image, .. } | Step::Ship { image, .. } | Step::Pull { image } = step {
            self.learn(image, &output);
        }
        Ok(stopped(&name_of(step), None, &output))
    }

    async fn build(&mut self, image: &str) -> Result<Output, DeployError> {
        let mut arguments = vec![image.to_owned()];
        if let Some(build) = build_of(self.spec, image) {
            arguments.extend([build.context.clone(), build.dockerfile.clone()]);
            if let Some(target) = &build.target {
                arguments.extend(["--target".to_owned(), target.clone()]);
            }
            for (key, value) in &build.args {
                arguments.extend(["--build-arg".to_owned(), format!("{key}={value}")]);
            }
        }
        let name = format!("build {image}");
        let action = Action::new(&name, self.plan.release, script!("build"))
            .args(arguments)
            .limit(Duration::from_secs(3600));
        self.runner.guest.step(self.lock, action).await
    }

    /// Writes the release with the images that are there now.
    async fn render(&mut self) -> Result<Result<(), Stop>, DeployError> {
        let missing = self.spec.services.iter().any(|service| !self.plan.images.contains_key(&service.name));
        if missing {
            let state = self.runner.guest.observe(Depth::Now).await?;
            self.plan.images = plan::plan(self.spec, &state).images;
        }
        let release = match render::release(self.spec, &self.plan, &self.runner.who) {
            Ok(release) => release,
            Err(service) => {
                let reason = "the guest has no image for it".to_owned();
                return Ok(Err(Stop { step: "render".to_owned(), reason, service: Some(service) }));
            }
        };
        let texts = BTreeMap::from([
            ("release.json", serde_json::to_string(&release)?),
            ("compose.json", render::compose(self.spec, &release)?),
            ("env", self.spec.env_file()),
        ]);
        let output = self.runner.guest.send_release(self.lock, self.plan.release, &texts).await?;
        self.done.sent += output.sent;
        self.release = Some(release);
        Ok(stopped("render", None, &output))
    }

    /// All checks from outside, again and again until they hold or the time is over.
    async fn check(&self, limit: Duration) -> Result<(), Stop> {
        (self.runner.guest.listener)(Event::Begin { step: "check".to_owned() });
        let begun = Instant::now();
        for check in &self.spec.checks {
            let failed = |reason| Stop { step: format!("check {check}"), reason, service: None };
            checks::until(check, limit.saturating_sub(begun.elapsed())).await.map_err(failed)?;
        }
        let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        (self.runner.guest.listener)(Event::End { step: "check".to_owned(), took, sent: 0 });
        Ok(())
    }

    /// Everything must stay as healthy as it was.
    async fn watch(&self) -> Result<Result<(), Stop>, DeployError> {
        (self.runner.guest.listener)(Event::Begin { step: "watch".to_owned() });
        let begun = Instant::now();
        let mut restarts: BTreeMap<String, u64> = BTreeMap::new();
        while begun.elapsed() < self.spec.options.watch {
            let state = self.runner.guest.observe(Depth::Now).await?;
            for service in &self.spec.services {
                let stop = |reason: &str| Stop {
                    step: "watch".to_owned(),
                    reason: format!("{} {reason}", service.name),
                    service: Some(service.name.clone()),
                };
                for container in state.of(&service.name) {
                    let first = *restarts.entry(container.id.clone()).or_insert(container.restarts);
                    if container.restarts > first {
                        return Ok(Err(stop("restarts")));
                    }
                    if container.health == "unhealthy" {
                        return Ok(Err(stop("became unhealthy")));
                    }
                    if !service.is_job && container.status != "running" {
                        return Ok(Err(stop(&format!("is {}", container.status))));
                    }
                }
            }
            for check in &self.spec.checks {
                if let Err(reason) = checks::once(check).await {
                    return Ok(Err(Stop { step: format!("watch {check}"), reason, service: None }));
                }
            }
            let left = self.spec.options.watch.saturating_sub(begun.elapsed());
            tokio::time::sleep(left.min(Duration::from_millis(700))).await;
        }
        let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        (self.runner.guest.listener)(Event::End { step: "watch".to_owned(), took, sent: 0 });
        Ok(Ok(()))
    }

    async fn collect(&self) -> Result<Output, DeployError> {
        let keep = self.spec.options.keep.max(2).to_string();
        let action = Action::new("collect", self.plan.release, script!("collect")).args([keep]);
        self.runner.guest.step(self.lock, action).await
    }

    /// Remembers the id that a step found for an image.
    fn learn(&mut self, name: &str, output: &Output) {
        let text = output.text();
        let Some(id) = text.lines().find_map(|line| line.strip_prefix("@image ")).filter(|id| !id.is_empty())
        else {
            return;
        };
        let users = self.spec.services.iter().filter(|service| service.image.name(&self.spec.app) == name);
        self.plan.images.extend(users.map(|service| (service.name.clone(), id.to_owned())));
    }
}

/// How an image of this name is built.
fn build_of<'a>(spec: &'a Spec, image: &str) -> Option<&'a Build> {
    spec.services.iter().find_map(|service| match &service.image {
        Source::Build(build) if service.image.name(&spec.app) == image => Some(build),
        _ => None,
    })
}

fn name_of(step: &Step) -> String {
    match step {
        Step::Files { .. } => "send files".to_owned(),
        Step::Context { name, .. } => format!("send {name}"),
        Step::Build { image, .. } => format!("build {image}"),
        Step::Ship { image, .. } => format!("ship {image}"),
        Step::Pull { image } => format!("pull {image}"),
        Step::Remove { service } => format!("remove {service}"),
        Step::Switch { service, .. } => format!("switch {service}"),
        Step::Hook { service, .. } => format!("hook {service}"),
        Step::Render => "render".to_owned(),
        Step::Check { .. } => "check".to_owned(),
        Step::Watch { .. } => "watch".to_owned(),
        Step::Snapshot => "snapshot".to_owned(),
        Step::Forget => "forget".to_owned(),
        Step::Good => "good".to_owned(),
        Step::Collect => "collect".to_owned(),
    }
}

/// Whether new containers are healthy before old ones stop.
pub(crate) fn is_start_first(order: &Order) -> bool {
    matches!(order, Order::StartFirst)
}
