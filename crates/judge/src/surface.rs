//! Everything that can be reached, by whom.

use plimsoll_model::services::{Access, Reach};

use crate::Evidence;
use crate::graph::Actor;
use crate::situation::Situation;

/// Whether something asks for a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Authentication {
    /// Nobody is asked.
    None,
    /// It asks.
    Asked,
    /// The files do not tell; try it without a credential.
    Unknown,
}

impl Authentication {
    /// The words for it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Asked => "asked for",
            Self::Unknown => "cannot be told from the files: try it without a credential",
        }
    }
}

/// One thing that can be reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reachable {
    /// The service, or what else answers.
    pub what: String,
    /// The address, as `address:port/protocol`, or how it is reached.
    pub address: String,
    /// Whether it asks for a credential.
    pub authentication: Authentication,
    /// Who reaches it.
    pub by: Vec<Actor>,
    /// Whether a rule says that it need not be reachable.
    pub needless: bool,
    /// The facts.
    pub evidence: Vec<Evidence>,
}

/// Everything that can be reached: published ports first, then the ways of the deployment itself.
#[must_use]
pub fn surface(situation: &Situation) -> Vec<Reachable> {
    let mut found = Vec::new();
    for container in &situation.containers {
        for entry in &container.entries {
            let mut by = Vec::new();
            if entry.reach != Reach::Machine {
                by.extend(situation.internet.as_ref().map(|_| Actor::Internet));
                by.extend([Actor::Lan, Actor::Neighbour]);
            }
            let mut evidence = vec![Evidence::at(entry.place, format!("`{}` publishes it", container.name))];
            evidence.extend(entry.needless.clone());
            let authentication = match &container.access {
                Access::Open { why, place } => {
                    evidence.push(Evidence::at(*place, why.clone()));
                    Authentication::None
                }
                Access::Guarded if container.is_data_service => Authentication::Asked,
                Access::Guarded | Access::Unknown => Authentication::Unknown,
            };
            found.push(Reachable {
                what: container.name.clone(),
                address: entry.address.clone(),
                authentication,
                by,
                needless: entry.needless.is_some(),
                evidence,
            });
        }
    }
    found.sort();
    let ways = [
        ("HST-001", "the node's SSH", "SSH as root to the node", Actor::Contributor),
        (
            "BLD-007",
            "the guest's or the node's root shell",
            "a script that is downloaded and run",
            Actor::Supplier,
        ),
        ("BLD-009", "containers", "an image whose tag may move", Actor::Supplier),
        ("NET-008", "a route of the application", "a published route without a login", Actor::Lan),
    ];
    for (rule, what, address, actor) in ways {
        let evidence: Vec<Evidence> = situation
            .weaknesses
            .iter()
            .filter(|weakness| weakness.rule == rule)
            .map(|weakness| weakness.evidence.clone())
            .collect();
        if !evidence.is_empty() {
            found.push(Reachable {
                what: what.to_owned(),
                address: address.to_owned(),
                authentication: if rule == "HST-001" { Authentication::Asked } else { Authentication::None },
                by: vec![actor],
                needless: true,
                evidence,
            });
        }
    }
    found
}
