//! Containers with default rights.

use plimsoll_model::Facts;
use plimsoll_model::compose::Service;
use plimsoll_text::Fix;

use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "CMP-005",
    name: "unhardened-service",
    title: "Container keeps rights that it does not need",
    theme: Theme::ComposeHardening,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "OWASP, Docker Security Cheat Sheet",
        url: "https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html",
    }],
    doc: include_str!("unhardened_service.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for stack in facts.stacks.deployed() {
        let mut left: Vec<&Service> = stack
            .services()
            .filter(|service| service.image.is_some() || service.build.is_some())
            .filter(|service| service.profiles.is_empty() && !hardened(service))
            .collect();
        left.sort_by_key(|service| (service.build.is_none(), service.place));
        let fix = harden(facts, &left);
        let mut rest = left.into_iter();
        let Some(first) = rest.next() else { continue };
        let finding = findings
            .add(first.place, format!("`{}` runs with every right that Docker gives by default", first.name));
        finding.label("no `no-new-privileges`, no `cap_drop`, no `read_only`");
        for service in rest {
            finding.related(service.place, format!("so does `{}`", service.name));
        }
        finding
            .note("who takes the process over finds setuid programs, capabilities and a writable system to go on with")
            .help("add `security_opt: [no-new-privileges:true]`, then `cap_drop: [ALL]` and `read_only: true` where the image allows it")
            .fix(fix);
    }
}

fn harden(facts: &Facts, services: &[&Service]) -> Option<Fix> {
    let edits = services.iter().map(|service| match service.security_opt.last() {
        Some(option) if edits::is_in_compose_file(facts, option.place) => {
            Some(edits::add_item(facts, option.place, "no-new-privileges:true"))
        }
        _ => edits::add_entries(facts, service.place, "security_opt:\n  - no-new-privileges:true"),
    });
    edits::safe("forbid the services to gain new privileges", edits.collect())
}

fn hardened(service: &Service) -> bool {
    !service.cap_drop.is_empty()
        || service.read_only.as_ref().is_some_and(|read_only| read_only.value)
        || service
            .security_opt
            .iter()
            .any(|option| option.value.starts_with("no-new-privileges") && !option.value.ends_with("false"))
}
