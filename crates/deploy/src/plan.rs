//! From what should be and what is to steps: pure data that can be printed, tested and refused.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::Hasher;
use crate::spec::{Order, Place, Service, Source, Spec};
use crate::state::{Release, Released, State};

/// What a deploy does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The number that the release gets.
    pub release: u64,
    /// The release that serves now, to which a failure leads back.
    pub against: Option<u64>,
    /// The release of a deploy that was cut off.
    pub unfinished: Option<u64>,
    /// The steps in order; none when all is as it should be.
    pub steps: Vec<Step>,
    /// Ids of images that the guest has already, by service.
    pub images: BTreeMap<String, String>,
    /// What registries give images for, whatever becomes of their tags, by name and id.
    pub references: BTreeMap<(String, String), String>,
    /// Bytes that the guest will need, as far as they are known before.
    pub needed: u64,
    /// Why it must not be done.
    pub refusal: Option<String>,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// What a guest must have left besides what a deploy brings.
const RESERVE: u64 = 256 << 20;

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send mounted files.
    Files {
        /// Their digest.
        digest: String,
        /// Bytes before compression.
        bytes: u64,
    },
    /// Send a build context, or what changed in it.
    Context {
        /// Its name.
        name: String,
        /// Bytes before compression, all files; what the guest has is left out once its list is known.
        bytes: u64,
        /// Whether the guest has an earlier state of it.
        is_update: bool,
    },
    /// Build an image in the guest.
    Build {
        /// The services that use it.
        services: Vec<String>,
        /// Its name.
        image: String,
    },
    /// Build an image here and send the layers that the guest lacks.
    Ship {
        /// The services that use it.
        services: Vec<String>,
        /// Its name.
        image: String,
    },
    /// Pull an image in the guest.
    Pull {
        /// Its name.
        image: String,
        /// What the release before means by that name, where the guest has it no more.
        reference: Option<String>,
    },
    /// Write the release into the guest.
    Render,
    /// Keep the guest as it is, so that a failure can take its data back.
    Snapshot,
    /// Run a command with the new image.
    Hook {
        /// Its place among the hooks.
        index: usize,
        /// The service.
        service: String,
        /// The command, for people.
        run: String,
    },
    /// Replace the containers of a service.
    Switch {
        /// The service.
        service: String,
        /// How.
        order: Order,
        /// Whether it has containers now.
        is_new: bool,
        /// The pause to expect in milliseconds, as measured last time.
        pause: Option<u64>,
    },
    /// Take away the containers of a service that is no more.
    Remove {
        /// The service.
        service: String,
    },
    /// Look from outside.
    Check {
        /// What must hold, for people.
        what: Vec<String>,
    },
    /// Watch that everything stays healthy.
    Watch {
        /// Seconds.
        seconds: u64,
    },
    /// Remember the release as good.
    Good,
    /// Forget the snapshot.
    Forget,
    /// Take away what no kept release needs.
    Collect,
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// What its registry gives the image with this name and id for.
    #[must_use]
    pub fn reference(&self, name: &str, id: &str) -> Option<String> {
        self.references.get(&(name.to_owned(), id.to_owned())).cloned()
    }
}

/// What the last good release means by the name of an image.
fn meant<'a>(name: &str, good: Option<&'a Release>) -> Option<&'a Released> {
    good.into_iter().flat_map(|release| &release.services).find(|old| old.from == name)
}

/// The id of a service's image where the guest has it.
fn present(spec: &Spec, service: &Service, good: Option<&Release>, state: &State) -> Option<String> {
    let name = service.image.name(&spec.app);
    if matches!(service.image, Source::Registry(_)) {
        // A tag that moved upstream does not move here: the release says which image is meant.
        match meant(&name, good) {
            Some(before) if state.has(&before.image) => return Some(before.image.clone()),
            // What the guest has under that name by now may be another one.
            Some(before) if before.reference.is_some() => return None,
            _ => {}
        }
    }
    state.image(&name).map(ToOwned::to_owned)
}

/// What registries give the images of services for, as the last good release says or the guest's engine.
fn references(
    spec: &Spec,
    images: &BTreeMap<String, String>,
    good: Option<&Release>,
    state: &State,
) -> BTreeMap<(String, String), String> {
    let pulled = spec.services.iter().filter(|service| matches!(service.image, Source::Registry(_)));
    let one = |service: &Service| {
        let (name, id) = (service.image.name(&spec.app), images.get(&service.name)?);
        let before = meant(&name, good).filter(|before| before.image == *id);
        let recorded = before.and_then(|before| before.reference.clone());
        let reference = recorded.or_else(|| state.reference(&name, id))?;
        Some(((name, id.clone()), reference))
    };
    pulled.filter_map(one).collect()
}

/// Digest of a release: the same one means that nothing would change.
#[must_use]
pub(crate) fn digest(spec: &Spec, images: &BTreeMap<String, String>) -> Option<String> {
    let mut hasher = Hasher::default();
    for service in &spec.services {
        hasher.text(&service.name);
        hasher.text(&Spec::fingerprint(service, images.get(&service.name)?));
        hasher.text(&service.replicas.to_string());
    }
    for part in ["networks", "volumes"] {
        hasher.text(&spec.compose.get(part).map(ToString::to_string).unwrap_or_default());
    }
    Some(hasher.finish())
}

/// Works out what to do.
#[must_use]
pub fn plan(spec: &Spec, state: &State) -> Plan {
    let good = state.last_good();
    let images: BTreeMap<String, String> = spec
        .services
        .iter()
        .filter_map(|service| Some((service.name.clone(), present(spec, service, good, state)?)))
        .collect();
    let mut plan = Plan {
        release: state.next(),
        against: state.good,
        unfinished: state.unfinished(),
        steps: Vec::new(),
        needed: 0,
        refusal: None,
        warnings: spec.warnings.clone(),
        references: references(spec, &images, good, state),
        images,
    };
    let is_same =
        digest(spec, &plan.images).is_some_and(|digest| good.is_some_and(|good| good.digest == digest));
    let serves = spec.services.iter().all(|service| serves(service, state));
    if is_same && serves && plan.unfinished.is_none() && leftovers(spec, state).is_empty() {
        return plan;
    }
    if let Some(number) = plan.unfinished {
        plan.warnings
            .push(format!("the deploy of release {number} was cut off; this one takes over from there"));
    }
    plan.steps = steps(spec, state, &plan.images);
    let sent = plan.steps.iter().map(|step| match step {
        Step::Files { bytes, .. } => *bytes,
        // What arrives, the context made of it, and the layer made of that.
        Step::Context { bytes, .. } => bytes.saturating_mul(3),
        _ => 0,
    });
    plan.needed = sent.sum();
    if let Some(free) = state.free.filter(|free| *free < plan.needed + RESERVE) {
        let (free, needed) = (free >> 20, (plan.needed + RESERVE) >> 20);
        plan.refusal =
            Some(format!("the guest has {free} MiB left where images are kept; this needs {needed} MiB"));
    }
    plan
}

fn serves(service: &Service, state: &State) -> bool {
    let alive = |container: &&crate::state::Container| {
        container.status == "running" && container.health != "unhealthy"
            || service.is_job && container.status == "exited" && container.exit == 0
    };
    let all = state.of(&service.name).count();
    all == state.of(&service.name).filter(alive).count() && all == service.replicas as usize
}

/// Services that have containers and are no more.
fn leftovers(spec: &Spec, state: &State) -> Vec<String> {
    let mut names: Vec<String> = state
        .containers
        .iter()
        .map(|container| container.service.clone())
        .filter(|name| spec.service(name).is_none())
        .collect();
    names.dedup();
    names
}

fn steps(spec: &Spec, state: &State, images: &BTreeMap<String, String>) -> Vec<Step> {
    let mut steps = Vec::new();
    for (digest, tree) in &spec.files {
        if !state.files.contains(digest) {
            steps.push(Step::Files { digest: digest.clone(), bytes: tree.size() });
        }
    }
    let mut builds: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    let mut pulls: BTreeSet<String> = BTreeSet::new();
    for service in spec.services.iter().filter(|service| !images.contains_key(&service.name)) {
        let name = service.image.name(&spec.app);
        match &service.image {
            Source::Build(build) => {
                let entry = builds.entry(name).or_insert_with(|| (build.context.clone(), Vec::new()));
                entry.1.push(service.name.clone());
            }
            Source::Registry(_) => drop(pulls.insert(name)),
        }
    }
    steps.extend(pulls.into_iter().map(|image| {
        let reference = meant(&image, state.last_good()).and_then(|before| before.reference.clone());
        Step::Pull { image, reference }
    }));
    let is_here = spec.options.build == Place::Local;
    let mut contexts: Vec<&String> =
        builds.values().filter(|_| !is_here).map(|(context, _)| context).collect();
    contexts.sort();
    contexts.dedup();
    for name in contexts {
        let Some(tree) = spec.contexts.get(name) else { continue };
        let known = state.contexts.get(name);
        if known != Some(&tree.root) {
            steps.push(Step::Context { name: name.clone(), bytes: tree.size(), is_update: known.is_some() });
        }
    }
    steps.extend(builds.into_iter().map(|(image, (_, services))| match is_here {
        true => Step::Ship { services, image },
        false => Step::Build { services, image },
    }));
    steps.push(Step::Render);
    // What was never good has nothing to go back to.
    let keeps = spec.options.restore_data && state.good.is_some();
    if keeps {
        steps.push(Step::Snapshot);
    }
    let changed: Vec<&Service> =
        spec.services.iter().filter(|service| !unchanged(service, state, images)).collect();
    let is_first = state.good.is_none();
    let mut waiting = changed.clone();
    // What only another configuration would change needs no migration; a new image does.
    for (index, hook) in spec.hooks.iter().enumerate() {
        let is_due =
            is_first || state.unfinished().is_some() || changed.iter().any(|s| s.name == hook.service);
        if !is_due {
            continue;
        }
        // A migration needs its database: what was never started is started before.
        let needs = spec.service(&hook.service).map(|service| &service.needs);
        let is_needed = |service: &&Service| {
            needs.is_some_and(|needs| needs.contains(&service.name))
                && state.of(&service.name).next().is_none()
        };
        steps.extend(
            waiting.extract_if(.., |service| is_needed(service)).map(|service| switch(service, state)),
        );
        let run = hook.run.join(" ");
        steps.push(Step::Hook { index, service: hook.service.clone(), run });
    }
    steps.extend(waiting.into_iter().map(|service| switch(service, state)));
    steps.extend(leftovers(spec, state).into_iter().map(|service| Step::Remove { service }));
    if !spec.checks.is_empty() {
        steps.push(Step::Check { what: spec.checks.iter().map(ToString::to_string).collect() });
    }
    if !spec.options.watch.is_zero() {
        steps.push(Step::Watch { seconds: spec.options.watch.as_secs() });
    }
    steps.push(Step::Good);
    if keeps {
        steps.push(Step::Forget);
    }
    steps.push(Step::Collect);
    steps
}

fn switch(service: &Service, state: &State) -> Step {
    let is_new = state.of(&service.name).next().is_none();
    let pause = match service.order {
        Order::StopFirst { .. } if !is_new => state.measured_pause(&service.name),
        _ => None,
    };
    Step::Switch { service: service.name.clone(), order: service.order.clone(), is_new, pause }
}

/// Whether the containers of a service are those that the release wants.
fn unchanged(service: &Service, state: &State, images: &BTreeMap<String, String>) -> bool {
    let Some(image) = images.get(&service.name) else { return false };
    let fingerprint = Spec::fingerprint(service, image);
    let before = state.last_good().into_iter().flat_map(|release| &release.services);
    let is_same = before.into_iter().any(|old| {
        old.name == service.name && old.fingerprint == fingerprint && old.replicas == service.replicas
    });
    // After a deploy that was cut off nobody knows which release a container belongs to.
    is_same && serves(service, state) && state.unfinished().is_none()
}

#[cfg(test)]
mod tests;
