//! Risks that the owner accepts.

use plimsoll_rules::{Acceptance, Assessment, Judged};
use plimsoll_text::Place;

use super::Date;

/// A risk that the owner accepts for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedRisk {
    /// The rule's code.
    pub rule: &'static str,
    /// Only findings in files with this path or below it; everywhere when nothing is said.
    pub path: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it is accepted.
    pub until: Date,
    /// Where it is written.
    pub place: Place,
}

/// An accepted risk today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The risk.
    pub risk: AcceptedRisk,
    /// Whether its day has passed.
    pub expired: bool,
    /// The places of the findings that it accepts; none when it has no effect.
    pub findings: Vec<Place>,
}

/// Takes the findings that an unexpired risk covers out of those that are shown, with the reason.
pub fn accept(statuses: &[Status], findings: &mut Assessment) {
    let (kept, accepted) = std::mem::take(&mut findings.findings)
        .into_iter()
        .partition(|judged: &Judged| covering(statuses, judged).is_none());
    findings.findings = kept;
    let accepted: Vec<Judged> = accepted;
    findings.accepted.extend(accepted.into_iter().filter_map(|judged| {
        let risk = &covering(statuses, &judged)?.risk;
        let reason = format!("{} (until {})", risk.reason, risk.until);
        Some((judged, Acceptance { place: risk.place, reason }))
    }));
}

fn covering<'a>(statuses: &'a [Status], judged: &Judged) -> Option<&'a Status> {
    let finding = &judged.finding;
    statuses.iter().find(|status| {
        !status.expired
            && status.risk.rule == finding.rule.code
            && status.findings.contains(&finding.primary.place)
    })
}

/// What the accepted risks cover today. Paths stay in the graph: accepting a risk closes no way.
#[must_use]
pub fn statuses(
    risks: &[AcceptedRisk],
    findings: &Assessment,
    files: &plimsoll_text::Files,
    today: Date,
) -> Vec<Status> {
    risks
        .iter()
        .map(|risk| {
            let covers = |place: Place| match &risk.path {
                Some(path) => files.get(place.file).path().starts_with(path),
                None => true,
            };
            let mut places: Vec<Place> = crate::situation::all(findings)
                .filter(|finding| finding.rule.code == risk.rule && covers(finding.primary.place))
                .map(|finding| finding.primary.place)
                .collect();
            places.sort();
            Status { risk: risk.clone(), expired: risk.until < today, findings: places }
        })
        .collect()
}
