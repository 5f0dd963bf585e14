//! The guest's firewall: closed but for what the app publishes.

use std::collections::BTreeSet;

use plimsoll_pve::Client;
use plimsoll_pve::api::{FirewallRule, GetFirewallOptions, GetFirewallRules};
use serde_json::{Map, Value};

use crate::find::TRIES;
use crate::{Found, ProvisionError};

/// The remark on rules that are ours. Rules of other people are left alone.
pub(crate) const OURS: &str = "plimsoll";

/// What comes in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opening {
    /// `tcp`, `udp` or `icmp`.
    pub protocol: String,
    /// `8080` or `8000:8100`; empty for `icmp`.
    pub ports: String,
}

impl Opening {
    /// A port or a range of ports, `8000-8100` or `8000:8100`.
    #[must_use]
    pub fn new(protocol: &str, ports: &str) -> Self {
        Self { protocol: protocol.to_owned(), ports: ports.replace('-', ":") }
    }

    /// The rule for people.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.ports.is_empty() {
            self.protocol.clone()
        } else {
            format!("{}/{}", self.ports, self.protocol)
        }
    }
}

/// What the guest's firewall is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wall {
    /// Whether rules count and what has no rule stays outside.
    pub closed: bool,
    /// Our rules with their places.
    pub rules: Vec<(u32, Opening)>,
    /// Of all rules as they were read: places mean something only as long as it is the same.
    pub digest: Option<String>,
}

impl Wall {
    /// Reads what the node says.
    pub(crate) fn read(options: &Map<String, Value>, rules: Vec<FirewallRule>) -> Self {
        let on = options
            .get("enable")
            .is_some_and(|value| matches!(value.to_string().trim_matches('"'), "1" | "true"));
        let policy = options.get("policy_in").and_then(Value::as_str).unwrap_or("DROP");
        let digest = rules.first().and_then(|rule| rule.digest.clone());
        let ours = rules.into_iter().filter(|rule| {
            let remark = rule.comment.as_deref().unwrap_or_default().trim();
            rule.enable && rule.kind == "in" && rule.action == "ACCEPT" && remark == OURS
        });
        let rules = ours.filter_map(|rule| {
            let opening = Opening::new(&rule.proto.unwrap_or_default(), &rule.dport.unwrap_or_default());
            Some((u32::try_from(rule.pos).ok()?, opening))
        });
        Self { closed: on && policy == "DROP", rules: rules.collect(), digest }
    }

    /// What is missing, and what is there for nothing, by place from the last to the first.
    pub(crate) fn against(&self, openings: &[Opening]) -> Mend {
        let wanted = all(openings);
        let mut kept = BTreeSet::new();
        let mut superfluous: Vec<u32> = Vec::new();
        for (place, opening) in &self.rules {
            if !wanted.contains(opening) || !kept.insert(opening.clone()) {
                superfluous.push(*place);
            }
        }
        superfluous.sort_unstable_by(|a, b| b.cmp(a));
        let missing = wanted.difference(&kept).cloned().collect();
        Mend { close: !self.closed, missing, superfluous }
    }

    /// The place of a rule of ours that is there for nothing, with the digest under which that is so.
    pub(crate) fn superfluous(self, openings: &[Opening]) -> Option<(Option<String>, u32)> {
        let place = self.against(openings).superfluous.first().copied()?;
        Some((self.digest, place))
    }
}

/// What the firewall lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mend {
    pub(crate) close: bool,
    pub(crate) missing: Vec<Opening>,
    pub(crate) superfluous: Vec<u32>,
}

impl Mend {
    pub(crate) fn is_empty(&self) -> bool {
        !self.close && self.missing.is_empty() && self.superfluous.is_empty()
    }
}

/// What must come in: the app's ports, SSH, and the question whether somebody is there.
pub(crate) fn all(openings: &[Opening]) -> BTreeSet<Opening> {
    let always = [Opening::new("tcp", "22"), Opening::new("icmp", "")];
    openings.iter().cloned().chain(always).collect()
}

pub(crate) async fn read(client: &Client, found: &Found) -> Result<Wall, ProvisionError> {
    let (node, kind, vmid) = (found.node.clone(), found.kind, found.vmid);
    let options = GetFirewallOptions { node: node.clone(), kind, vmid };
    let rules = GetFirewallRules { node, kind, vmid };
    let (options, rules) = tokio::join!(client.read(&options, TRIES), client.read(&rules, TRIES));
    Ok(Wall::read(&options?, rules?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(port: &str) -> Opening {
        Opening::new("tcp", port)
    }

    #[test]
    fn what_is_published_is_opened_and_nothing_else() {
        let mend = Wall::default().against(&[tcp("8080"), tcp("9000-9010")]);
        assert!(mend.close);
        let shown: Vec<String> = mend.missing.iter().map(Opening::shown).collect();
        assert_eq!(shown, ["icmp", "22/tcp", "8080/tcp", "9000:9010/tcp"]);
        let all: Vec<(u32, Opening)> = (0..).zip(mend.missing).collect();
        assert!(
            Wall { closed: true, rules: all, digest: None }
                .against(&[tcp("9000-9010"), tcp("8080")])
                .is_empty()
        );
    }

    #[test]
    fn a_port_that_is_published_no_more_is_closed_from_the_last_place_on() {
        let rules = vec![
            (0, tcp("22")),
            (1, tcp("80")),
            (2, Opening::new("icmp", "")),
            (3, tcp("22")),
            (4, tcp("81")),
        ];
        let mend = Wall { closed: true, rules, digest: None }.against(&[]);
        assert_eq!((mend.missing, mend.superfluous), (vec![], vec![4, 3, 1]));
    }

    #[test]
    fn rules_of_other_people_are_not_ours() {
        let rule = |comment: Option<&str>, enable| FirewallRule {
            pos: 0,
            kind: "in".to_owned(),
            action: "ACCEPT".to_owned(),
            enable,
            proto: Some("tcp".to_owned()),
            dport: Some("80".to_owned()),
            source: None,
            comment: comment.map(ToOwned::to_owned),
            digest: None,
        };
        let read = |rules| Wall::read(&Map::new(), rules).rules.len();
        assert_eq!(
            read(vec![rule(Some("plimsoll\n"), true), rule(None, true), rule(Some("plimsoll"), false)]),
            1
        );
    }
}
