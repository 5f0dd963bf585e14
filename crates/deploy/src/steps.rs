//! The steps of a plan, one after the other, and what becomes of a release that fails.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use plimsoll_backup::exactly;
use plimsoll_remote::{Output, RemoteError};

use crate::data::{self, Kept};
use crate::error::DeployError;
use crate::event::Event;
use crate::guest::{Action, Depth, Lock};
use crate::local::Building;
use crate::password::Verb;
use crate::plan::{self, Plan, Step};
use crate::registry::Pulled;
use crate::render;
use crate::run::{Done, LOCK_WAIT, Runner, Stop, pause, stopped};
use crate::spec::{Build, Place, Source, Spec};
use crate::state::{Release, Released, State};

/// One run of a plan.
pub(crate) struct Run<'a> {
    pub(crate) runner: &'a Runner,
    pub(crate) lock: &'a Lock,
    pub(crate) spec: &'a Spec,
    pub(crate) plan: Plan,
    pub(crate) state: State,
    /// Images that are built here, by name.
    pub(crate) buildings: BTreeMap<String, Building>,
    pub(crate) release: Option<Release>,
    pub(crate) switched: bool,
    /// Whether a server may know the new password.
    pub(crate) told: bool,
    pub(crate) kept: Option<Kept>,
    pub(crate) done: Done,
    /// Whether the guest collects by itself.
    pub(crate) is_finished: bool,
}

impl Run<'_> {
    pub(crate) async fn all(&mut self) -> Result<Done, DeployError> {
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
                drop(self.runner.guest.step(self.lock, Action::new("reverted", release, "nothing")).await);
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
                let action = Action::new("remove", release, "remove").args([""]);
                drop(self.runner.guest.step(self.lock, action).await);
                drop(self.runner.guest.step(self.lock, Action::new("reverted", release, "nothing")).await);
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
        let halt = Action::new("halt", release, "halt").limit(Duration::from_secs(300));
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
        let locked = match runner.guest.shell().await {
            Ok(shell) => runner.guest.lock(shell, (&runner.who, "data goes back"), LOCK_WAIT, false).await,
            Err(error) => Err(error.into()),
        };
        let lock = match locked {
            Ok(lock) => lock,
            Err(error) => {
                return format!(
                    "its data is back, but release {} could not be started: {error}",
                    good.number
                );
            }
        };
        drop(runner.guest.step(&lock, Action::new("data back", release, "nothing")).await);
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
        let output = runner.guest.step(self.lock, Action::new("snapshot", release, "snapshot")).await?;
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
                let building =
                    self.buildings.remove(image).unwrap_or_else(|| Building::begin(spec, build, image));
                match guest.ship(lock, release, (image, building), &runner.cache).await {
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
            Step::Pull { image, reference } => {
                let reference = reference.as_deref().unwrap_or(image);
                let pulled = runner.pull(lock, release, (image, reference), spec.options.engine).await?;
                return Ok(pulled.map(|pulled| self.pulled(image, pulled)));
            }
            Step::Render => return self.render().await,
            Step::Hook { index, service, .. } => {
                let Some(hook) = spec.hooks.get(*index) else { return Ok(Ok(())) };
                let name = format!("hook {index} {service}");
                let action = Action::new(&name, release, "hook")
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
                guest.step(lock, Action::new(&name, release, "remove").args([service])).await?
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
            Step::Good if self.plan.steps.contains(&Step::Forget) => {
                guest.step(lock, Action::new("good", release, "good").args([release.to_string()])).await?
            }
            Step::Good => self.finish().await?,
            Step::Collect => {
                // A release is good whatever becomes of what is left of others: nobody waits for that.
                (guest.listener)(Event::Begin { step: "collect".to_owned() });
                return Ok(Ok(()));
            }
        };
        self.done.sent += output.sent;
        if let Step::Build { image, .. } | Step::Ship { image, .. } = step {
            let text = output.text();
            self.learn(image, text.lines().find_map(|line| line.strip_prefix("@image ")));
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
        let action =
            Action::new(&name, self.plan.release, "build").args(arguments).limit(Duration::from_secs(3600));
        self.runner.guest.step(self.lock, action).await
    }

    /// Writes the release with the images that are there now.
    async fn render(&mut self) -> Result<Result<(), Stop>, DeployError> {
        let missing = self.spec.services.iter().any(|service| !self.plan.images.contains_key(&service.name));
        if missing {
            let state = self.runner.guest.look(&self.lock.shell, Depth::Now, &built_of(self.spec)).await?;
            let Plan { images, references, .. } = plan::plan(self.spec, &state);
            (self.plan.images, self.plan.references) = (images, references);
        }
        let release = match render::release(self.spec, &self.plan, &self.runner.who) {
            Ok(release) => release,
            Err(service) => {
                let reason = "the guest has no image for it".to_owned();
                return Ok(Err(Stop { step: "render".to_owned(), reason, service: Some(service) }));
            }
        };
        let record = serde_json::to_string(&release)?;
        let project = render::compose(self.spec, &release)?;
        let texts = [record.as_str(), &project, &self.spec.env_file()];
        let output = self.runner.guest.send_release(self.lock, self.plan.release, texts).await?;
        self.done.sent += output.sent;
        self.release = Some(release);
        Ok(stopped("render", None, &output))
    }

    /// Remembers the release as good, and lets the guest take away what no kept one needs.
    async fn finish(&mut self) -> Result<Output, DeployError> {
        let (step, begun) = ("good".to_owned(), Instant::now());
        let listener = &self.runner.guest.listener;
        listener(Event::Begin { step: step.clone() });
        let output = match self.lock.finish(self.plan.release, &how_many(self.spec)).await {
            Err(RemoteError::CommandFailed { .. }) => return Err(DeployError::LockLost),
            output => output?,
        };
        match output.status {
            0 => {
                self.is_finished = true;
                let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                listener(Event::End { step, took, sent: 0 });
                Ok(output)
            }
            97 => Err(DeployError::LockLost),
            _ => Ok(output),
        }
    }

    /// Remembers what was pulled.
    fn pulled(&mut self, name: &str, pulled: Pulled) {
        self.done.sent += pulled.sent;
        if let (Some(id), Some(reference)) = (&pulled.id, pulled.reference) {
            self.plan.references.insert((name.to_owned(), id.clone()), reference);
        }
        self.learn(name, pulled.id.as_deref());
    }

    /// Remembers the id that a step found for an image.
    fn learn(&mut self, name: &str, id: Option<&str>) {
        let Some(id) = id.filter(|id| !id.is_empty()) else { return };
        let users = self.spec.services.iter().filter(|service| service.image.name(&self.spec.app) == name);
        self.plan.images.extend(users.map(|service| (service.name.clone(), id.to_owned())));
    }
}

/// How many releases are kept.
pub(crate) fn how_many(spec: &Spec) -> String {
    spec.options.keep.max(2).to_string()
}

/// Names of the images that are built.
pub(crate) fn built_of(spec: &Spec) -> Vec<String> {
    let built = spec.services.iter().filter(|service| matches!(service.image, Source::Build(_)));
    let mut names: Vec<String> = built.map(|service| service.image.name(&spec.app)).collect();
    names.sort();
    names.dedup();
    names
}

/// Images of this app that are built here, under way.
pub(crate) fn buildings(spec: &Spec) -> BTreeMap<String, Building> {
    let here = spec.services.iter().filter(|_| spec.options.build == Place::Local);
    let mut buildings = BTreeMap::new();
    for service in here {
        if let Source::Build(build) = &service.image {
            let name = service.image.name(&spec.app);
            buildings.entry(name.clone()).or_insert_with(|| Building::begin(spec, build, &name));
        }
    }
    buildings
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
        Step::Pull { image, .. } => format!("pull {image}"),
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
