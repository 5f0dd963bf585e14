//! From what should be and what is to steps: pure data that can be printed, tested and refused.

use std::collections::BTreeMap;

use crate::digest::Hasher;
use crate::spec::{Order, Service, Source, Spec};
use crate::state::{Release, State};

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
    /// What a person should know.
    pub warnings: Vec<String>,
}

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
    /// Pull an image in the guest.
    Pull {
        /// Its name.
        image: String,
    },
    /// Write the release into the guest.
    Render,
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
    /// Take away what no kept release needs.
    Collect,
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

/// The id of a service's image where the guest has it.
fn present(spec: &Spec, service: &Service, good: Option<&Release>, state: &State) -> Option<String> {
    let name = service.image.name(&spec.app);
    let has = |id: &str| state.images.values().any(|found| found == id);
    if matches!(service.image, Source::Registry(_)) {
        // A tag that moved upstream does not move here: the release says which image is meant.
        let before = good.into_iter().flat_map(|release| &release.services).find(|old| old.from == name);
        if let Some(before) = before.filter(|before| has(&before.image)) {
            return Some(before.image.clone());
        }
    }
    state.image(&name).map(ToOwned::to_owned)
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
        warnings: spec.warnings.clone(),
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
    let mut pulls: Vec<String> = Vec::new();
    for service in spec.services.iter().filter(|service| !images.contains_key(&service.name)) {
        let name = service.image.name(&spec.app);
        match &service.image {
            Source::Build(build) => {
                let entry = builds.entry(name).or_insert_with(|| (build.context.clone(), Vec::new()));
                entry.1.push(service.name.clone());
            }
            Source::Registry(_) => pulls.push(name),
        }
    }
    pulls.sort();
    pulls.dedup();
    steps.extend(pulls.into_iter().map(|image| Step::Pull { image }));
    let mut contexts: Vec<&String> = builds.values().map(|(context, _)| context).collect();
    contexts.sort();
    contexts.dedup();
    for name in contexts {
        let Some(tree) = spec.contexts.get(name) else { continue };
        let known = state.contexts.get(name);
        if known != Some(&tree.root) {
            steps.push(Step::Context { name: name.clone(), bytes: tree.size(), is_update: known.is_some() });
        }
    }
    steps.extend(builds.into_iter().map(|(image, (_, services))| Step::Build { services, image }));
    steps.push(Step::Render);
    let changed: Vec<&Service> =
        spec.services.iter().filter(|service| !unchanged(service, state, images)).collect();
    let is_first = state.good.is_none();
    // What only another configuration would change needs no migration; a new image does.
    for (index, hook) in spec.hooks.iter().enumerate() {
        let is_due =
            is_first || state.unfinished().is_some() || changed.iter().any(|s| s.name == hook.service);
        if is_due {
            let run = hook.run.join(" ");
            steps.push(Step::Hook { index, service: hook.service.clone(), run });
        }
    }
    for service in changed {
        let is_new = state.of(&service.name).next().is_none();
        let pause = match service.order {
            Order::StopFirst { .. } if !is_new => state.measured_pause(&service.name),
            _ => None,
        };
        let order = service.order.clone();
        steps.push(Step::Switch { service: service.name.clone(), order, is_new, pause });
    }
    steps.extend(leftovers(spec, state).into_iter().map(|service| Step::Remove { service }));
    if !spec.checks.is_empty() {
        steps.push(Step::Check { what: spec.checks.iter().map(ToString::to_string).collect() });
    }
    if !spec.options.watch.is_zero() {
        steps.push(Step::Watch { seconds: spec.options.watch.as_secs() });
    }
    steps.extend([Step::Good, Step::Collect]);
    steps
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
