//! Which controls are met.

use plimsoll_model::Facts;
use plimsoll_rules::Assessment;

use super::{Control, controls};
use crate::Evidence;
use crate::situation::Situation;

/// Whether a control is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The files break it.
    NotMet,
    /// The files keep it.
    Met,
    /// The files do not tell.
    Unknown,
}

impl State {
    /// The words for it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotMet => "not met",
            Self::Met => "met",
            Self::Unknown => "cannot be told from the files",
        }
    }
}

/// A control with its state.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The control.
    pub control: &'static Control,
    /// Whether it is met.
    pub state: State,
    /// The findings that break it, or what the files show where it is met.
    pub evidence: Vec<Evidence>,
}

/// Compares the deployment with every control.
#[must_use]
pub fn compare(facts: &Facts, findings: &Assessment, situation: &Situation) -> Vec<Compared> {
    controls().iter().map(|control| compared(control, facts, findings, situation)).collect()
}

fn compared(
    control: &'static Control,
    facts: &Facts,
    findings: &Assessment,
    situation: &Situation,
) -> Compared {
    let broken: Vec<Evidence> = crate::situation::all(findings)
        .filter(|finding| control.rules.contains(&finding.rule.code))
        .map(Evidence::of)
        .collect();
    if !broken.is_empty() {
        return Compared { control, state: State::NotMet, evidence: broken };
    }
    let shown = shown(control, facts, situation);
    let state = if shown.is_empty() { State::Unknown } else { State::Met };
    Compared { control, state, evidence: shown }
}

/// What the files show of the subject of a control that no finding breaks. A rule that finds nothing proves a control
/// only where the files hold what the rule judges.
fn shown(control: &Control, facts: &Facts, situation: &Situation) -> Vec<Evidence> {
    let about = |theme: &str| control.rules.iter().any(|rule| rule.starts_with(theme));
    let only = |theme: &str| !control.rules.is_empty() && control.rules.iter().all(|r| r.starts_with(theme));
    if only("CMP-") || only("NET-0") && !control.rules.contains(&"NET-005") {
        let services = situation.containers.iter();
        return services.map(|c| Evidence::at(c.place, format!("nothing found in `{}`", c.name))).collect();
    }
    if about("ISO-") {
        let known = situation.guests.iter().filter(|g| g.isolation != crate::situation::Isolation::Unknown);
        return known.flat_map(|guest| guest.evidence.iter().cloned()).collect();
    }
    if only("HLT-") {
        let checks = facts.stacks.deployed_services().filter_map(|(_, service)| {
            let check = service.healthcheck.as_ref()?;
            Some(Evidence::at(check.place, format!("`{}` has a health check", service.name)))
        });
        return checks.collect();
    }
    if about("BLD-") && !control.rules.contains(&"LIF-003") {
        return facts
            .images
            .iter()
            .filter_map(|image| image.stages.last())
            .map(|stage| Evidence::at(stage.place, "nothing found in this image"))
            .collect();
    }
    Vec::new()
}
