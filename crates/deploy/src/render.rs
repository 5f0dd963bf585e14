//! The texts of a release.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::plan::{self, Plan};
use crate::run::is_start_first;
use crate::spec::{Spec, spelled};
use crate::state::{Release, Released};

/// The record; or the service whose image is not there.
pub(crate) fn release(spec: &Spec, plan: &Plan, who: &str) -> Result<Release, String> {
    let mut services = Vec::new();
    for service in &spec.services {
        let image = plan.images.get(&service.name).ok_or_else(|| service.name.clone())?;
        services.push(Released {
            name: service.name.clone(),
            image: image.clone(),
            reference: plan.reference(&service.image.name(&spec.app), image),
            from: service.image.name(&spec.app),
            fingerprint: Spec::fingerprint(service, image),
            start_first: is_start_first(&service.order),
            replicas: service.replicas,
            is_job: service.is_job,
            deadline: service.deadline.as_secs(),
            start_period: service.start_period.as_secs(),
            grace: service.grace.as_secs(),
        });
    }
    Ok(Release {
        format: 1,
        number: plan.release,
        target: spec.target.clone(),
        version: spec.version.clone(),
        by: who.to_owned(),
        at: String::new(),
        services,
        digest: plan::digest(spec, &plan.images).unwrap_or_default(),
        files: spec.files.keys().cloned().collect(),
    })
}

/// The project with its images by id and its values by reference.
pub(crate) fn compose(spec: &Spec, release: &Release) -> Result<String, serde_json::Error> {
    let mut project = spec.compose.clone();
    let images: BTreeMap<&str, &str> =
        release.services.iter().map(|service| (service.name.as_str(), service.image.as_str())).collect();
    let services = project.get_mut("services").and_then(Json::as_object_mut);
    for (name, service) in services.into_iter().flatten() {
        let Some(service) = service.as_object_mut() else { continue };
        service.shift_remove("build");
        service.insert("pull_policy".to_owned(), json!("never"));
        if let Some(image) = images.get(name.as_str()) {
            service.insert("image".to_owned(), json!(image));
        }
    }
    Ok(spelled(&serde_json::to_string(&project)?))
}
