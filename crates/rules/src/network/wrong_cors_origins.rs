//! The pages' origin is not the one that is allowed.

use plimsoll_model::Facts;
use plimsoll_model::services::published_everywhere;

use super::frontend::{host, is_own_machine};
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "NET-009",
    name: "wrong-cors-origins",
    title: "Cross-origin rule allows everybody, or nobody who uses this deployment",
    theme: Theme::Network,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "MDN, Cross-Origin Resource Sharing (CORS)",
        url: "https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS",
    }],
    doc: include_str!("wrong_cors_origins.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let Some((service, port)) = facts
        .stacks
        .deployed_services()
        .find_map(|(_, service)| Some((service, published_everywhere(service).next()?)))
    else {
        return;
    };
    for cors in &facts.application.cors {
        if cors.configured || cors.origins.is_empty() || facts.is_development(cors.place.file) {
            continue;
        }
        let any = cors.origins.iter().any(|origin| origin.value == "*");
        let local = cors.origins.iter().all(|origin| host(&origin.value).is_some_and(is_own_machine));
        if local {
            findings
                .add(cors.place, "only pages on the visitor's own machine may call this")
                .label("fixed in the source")
                .related(port.place, format!("`{}` is reached under another origin", service.name))
                .note("browsers block every call from the deployed pages")
                .help("take the origins from a variable, or serve pages and API from one origin");
        } else if any && cors.credentials == Some(true) {
            findings
                .add(cors.place, "pages of any origin may call this with the visitor's login")
                .severity(Severity::Medium)
                .help("name the origins of the deployed pages in a variable");
        }
    }
}
