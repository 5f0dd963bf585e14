use std::time::Duration;

use serde_json::json;

use super::*;
use crate::spec::{Hook, Options, Values};
use crate::state::Container;

fn service(name: &str, needs: &[&str]) -> Service {
    Service {
        name: name.to_owned(),
        image: Source::Registry(format!("{name}:1")),
        order: Order::StartFirst,
        replicas: 1,
        is_job: false,
        needs: needs.iter().map(|need| (*need).to_owned()).collect::<BTreeSet<_>>(),
        deadline: Duration::from_secs(60),
        start_period: Duration::ZERO,
        grace: Duration::from_secs(10),
        digest: name.to_owned(),
    }
}

fn spec(services: Vec<Service>) -> Spec {
    Spec {
        app: "shop".to_owned(),
        target: "production".to_owned(),
        version: None,
        compose: json!({"services": {}}),
        services,
        values: Values::default(),
        files: BTreeMap::new(),
        contexts: BTreeMap::new(),
        hooks: Vec::new(),
        checks: Vec::new(),
        options: Options { watch: Duration::ZERO, ..Options::default() },
        warnings: Vec::new(),
    }
}

fn names(plan: &Plan) -> Vec<String> {
    let name = |step: &Step| match step {
        Step::Switch { service, .. } => format!("switch {service}"),
        Step::Hook { service, .. } => format!("hook {service}"),
        Step::Pull { image, reference } => format!("pull {}", reference.as_ref().unwrap_or(image)),
        Step::Remove { service } => format!("remove {service}"),
        other => format!("{other:?}").to_lowercase(),
    };
    plan.steps.iter().map(name).collect()
}

/// The guest after a good deploy of this.
fn deployed(spec: &Spec) -> State {
    let mut state = State { engine: Some("26".to_owned()), ..State::default() };
    for service in &spec.services {
        let id = format!("sha256:{}", service.name);
        state.images.extend([(format!("{}:1", service.name), id.clone()), (id.clone(), id)]);
        state.containers.push(Container {
            id: service.name.clone(),
            name: service.name.clone(),
            service: service.name.clone(),
            image: format!("sha256:{}", service.name),
            status: "running".to_owned(),
            health: "healthy".to_owned(),
            exit: 0,
            restarts: 0,
            started: String::new(),
            oneoff: String::new(),
        });
    }
    let images = plan(spec, &state).images;
    let services = spec.services.iter().map(|service| Released {
        name: service.name.clone(),
        image: images[&service.name].clone(),
        reference: None,
        from: format!("{}:1", service.name),
        fingerprint: Spec::fingerprint(service, &images[&service.name]),
        start_first: true,
        replicas: 1,
        is_job: false,
        deadline: 60,
        start_period: 0,
        grace: 10,
    });
    let release = Release {
        format: 1,
        number: 1,
        target: "production".to_owned(),
        version: None,
        by: String::new(),
        at: String::new(),
        services: services.collect(),
        digest: digest(spec, &images).unwrap(),
        files: BTreeSet::new(),
    };
    state.releases.insert(1, release);
    state.numbers.insert(1);
    state.good = Some(1);
    state
}

#[test]
fn what_is_as_it_should_be_needs_no_step() {
    let spec = spec(vec![service("db", &[]), service("web", &["db"])]);
    assert_eq!(names(&plan(&spec, &deployed(&spec))), [""; 0]);
}

#[test]
fn only_what_changed_is_switched() {
    let before = spec(vec![service("db", &[]), service("web", &["db"])]);
    let mut after = before.clone();
    after.services[1].digest = "other".to_owned();
    assert_eq!(names(&plan(&after, &deployed(&before))), ["render", "switch web", "good", "collect"]);
}

#[test]
fn data_is_kept_before_the_first_thing_that_may_change_it() {
    let mut spec = spec(vec![service("db", &[]), service("web", &["db"])]);
    spec.options.restore_data = true;
    let first = names(&plan(&spec, &State::default()));
    assert!(!first.contains(&"snapshot".to_owned()), "there is nothing to go back to: {first:?}");
    let state = deployed(&spec);
    spec.hooks.push(Hook { service: "web".to_owned(), run: vec!["x".to_owned()], deadline: Duration::ZERO });
    spec.services[1].digest = "other".to_owned();
    assert_eq!(
        names(&plan(&spec, &state)),
        ["render", "snapshot", "hook web", "switch web", "good", "forget", "collect"]
    );
}

#[test]
fn a_container_that_died_is_switched() {
    let spec = spec(vec![service("db", &[]), service("web", &["db"])]);
    let mut state = deployed(&spec);
    state.containers[0].status = "exited".to_owned();
    assert_eq!(names(&plan(&spec, &state)), ["render", "switch db", "good", "collect"]);
}

#[test]
fn a_service_that_is_no_more_is_taken_away() {
    let before = spec(vec![service("db", &[]), service("web", &["db"])]);
    let after = spec(vec![service("db", &[])]);
    assert_eq!(names(&plan(&after, &deployed(&before))), ["render", "remove web", "good", "collect"]);
}

#[test]
fn a_full_disk_is_noticed_before_anything_is_done() {
    let spec = spec(vec![service("db", &[])]);
    let refusal = |free| plan(&spec, &State { free: Some(free), ..State::default() }).refusal;
    assert_eq!(refusal(1 << 30), None);
    assert!(refusal(100 << 20).is_some_and(|reason| reason.contains("100 MiB left")));
}

#[test]
fn a_first_migration_finds_its_database() {
    let mut spec = spec(vec![service("db", &[]), service("other", &[]), service("web", &["db"])]);
    spec.hooks.push(Hook {
        service: "web".to_owned(),
        run: vec!["migrate".to_owned()],
        deadline: Duration::ZERO,
    });
    let names = names(&plan(&spec, &State::default()));
    let rest = &names[3..];
    assert_eq!(rest, ["render", "switch db", "hook web", "switch other", "switch web", "good", "collect"]);
}

#[test]
fn after_a_deploy_that_was_cut_off_nothing_counts_as_unchanged() {
    let spec = spec(vec![service("db", &[])]);
    let mut state = deployed(&spec);
    let line = r#"@journal {"at":"","run":"a","release":2,"step":"switch db","phase":"begin"}"#;
    state.journal = State::parse(line).journal;
    let plan = plan(&spec, &state);
    assert_eq!((plan.unfinished, plan.release), (Some(2), 3));
    assert_eq!(names(&plan), ["render", "switch db", "good", "collect"]);
}

#[test]
fn a_tag_that_moved_does_not_move_what_a_release_means() {
    let spec = spec(vec![service("db", &[])]);
    let mut state = deployed(&spec);
    state.images.insert("db@sha256:d".to_owned(), "sha256:db".to_owned());
    let found = plan(&spec, &state);
    assert_eq!(names(&found), [""; 0], "knowing the digest changes nothing");
    assert_eq!(found.reference("db:1", "sha256:db").as_deref(), Some("db@sha256:d"));
    let released = &mut state.releases.get_mut(&1).unwrap().services[0];
    released.reference = Some("db@sha256:d".to_owned());
    state.images.retain(|name, _| !name.ends_with("d") && !name.ends_with("b"));
    state.images.insert("db:1".to_owned(), "sha256:other".to_owned());
    assert_eq!(names(&plan(&spec, &state))[0], "pull db@sha256:d");
    // A record of before knows no digest: what stands under the name is taken.
    state.releases.get_mut(&1).unwrap().services[0].reference = None;
    assert_eq!(plan(&spec, &state).images["db"], "sha256:other");
}
