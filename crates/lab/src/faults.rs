//! Faults: what goes wrong because the caller of the lab wants it to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// Answers come late.
    Latency {
        /// By how much.
        milliseconds: u64,
    },
    /// The node answers an error instead of doing what was asked.
    Status {
        /// 500, 502, 503, 595, 596 …
        status: u16,
        /// The text of the status line.
        #[serde(default)]
        message: String,
    },
    /// The connection breaks before the request has an effect.
    LostBefore,
    /// The request has its effect, and the connection breaks before the answer.
    LostAfter,
    /// A task of a kind fails at a step.
    Task {
        /// `vzcreate`, `qmstart`, `vzdump` …
        kind: String,
        /// The step, from 0.
        #[serde(default)]
        step: usize,
        /// The error.
        message: String,
    },
    /// A storage has no room.
    StorageFull {
        /// Its name.
        storage: String,
    },
    /// A guest is locked.
    Lock {
        /// Its number.
        vmid: u32,
        /// `backup`, `snapshot` …
        lock: String,
    },
    /// The cluster has no quorum.
    NoQuorum,
    /// The guest agent does not answer.
    AgentSilent {
        /// The guest's number.
        vmid: u32,
    },
    /// A guest gets no address.
    NoAddress {
        /// The guest's number.
        vmid: u32,
    },
    /// The node's clock is off.
    ClockSkew {
        /// By how many seconds.
        seconds: i64,
    },
}

/// A fault with where and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What goes wrong.
    #[serde(flatten)]
    pub fault: Fault,
    /// Only requests with this verb.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verb: Option<String>,
    /// Only requests whose path holds this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How many that it would meet pass by first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skip: u32,
    /// How often; for ever if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Most requests to remember that met a fault.
const MOST_MET: usize = 1000;

/// The faults that are set, by number.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: BTreeMap<u32, Rule>,
    last: u32,
    met: Vec<(String, String)>,
}

impl Faults {
    pub(crate) fn add(&mut self, rule: Rule) -> u32 {
        self.last += 1;
        self.rules.insert(self.last, rule);
        self.last
    }

    pub(crate) fn remove(&mut self, number: u32) -> bool {
        self.rules.remove(&number).is_some()
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    pub(crate) fn list(&self) -> &BTreeMap<u32, Rule> {
        &self.rules
    }

    /// Verb and path of the requests that met a fault, oldest first.
    pub(crate) fn met(&self) -> &[(String, String)] {
        &self.met
    }

    fn meet(&mut self, verb: &str, path: &str) {
        if self.met.len() < MOST_MET {
            self.met.push((verb.to_owned(), path.to_owned()));
        }
    }

    /// The first fault for which `pick` has an answer, counted as used.
    fn take<T>(&mut self, pick: impl Fn(&Rule) -> Option<T>) -> Option<T> {
        let (number, found) = self.rules.iter_mut().find_map(|(number, rule)| {
            let found = pick(rule)?;
            let passes = rule.skip > 0;
            rule.skip = rule.skip.saturating_sub(1);
            (!passes).then_some((*number, found))
        })?;
        let spent = match self.rules.get_mut(&number).and_then(|rule| rule.times.as_mut()) {
            Some(times) => {
                *times = times.saturating_sub(1);
                *times == 0
            }
            None => false,
        };
        if spent {
            self.rules.remove(&number);
        }
        Some(found)
    }

    /// The fault that meets a request, if any. Late answers are asked for on their own.
    pub(crate) fn on_request(&mut self, verb: &str, path: &str) -> Option<Fault> {
        let found = self.take(|rule| {
            let meets = matches!(rule.fault, Fault::Status { .. } | Fault::LostBefore | Fault::LostAfter);
            (meets && fits(rule, verb, path)).then(|| rule.fault.clone())
        })?;
        self.meet(verb, path);
        Some(found)
    }

    pub(crate) fn latency(&mut self, verb: &str, path: &str) -> u64 {
        let late = self.take(|rule| match rule.fault {
            Fault::Latency { milliseconds } if fits(rule, verb, path) => Some(milliseconds),
            _ => None,
        });
        if late.is_some() {
            self.meet(verb, path);
        }
        late.unwrap_or_default()
    }

    pub(crate) fn task_failure(&mut self, kind: &str, step: usize) -> Option<String> {
        self.take(|rule| match &rule.fault {
            Fault::Task { kind: of, step: at, message } if of == kind && *at == step => Some(message.clone()),
            _ => None,
        })
    }

    pub(crate) fn storage_full(&mut self, name: &str) -> bool {
        self.take(|rule| {
            matches!(&rule.fault, Fault::StorageFull { storage } if storage == name).then_some(())
        })
        .is_some()
    }

    fn any(&self, test: impl Fn(&Fault) -> bool) -> bool {
        self.rules.values().any(|rule| test(&rule.fault))
    }

    pub(crate) fn lock(&self, vmid: u32) -> Option<String> {
        self.rules.values().find_map(|rule| match &rule.fault {
            Fault::Lock { vmid: of, lock } if *of == vmid => Some(lock.clone()),
            _ => None,
        })
    }

    pub(crate) fn no_quorum(&self) -> bool {
        self.any(|fault| *fault == Fault::NoQuorum)
    }

    pub(crate) fn agent_silent(&self, vmid: u32) -> bool {
        self.any(|fault| *fault == Fault::AgentSilent { vmid })
    }

    pub(crate) fn no_address(&self, vmid: u32) -> bool {
        self.any(|fault| *fault == Fault::NoAddress { vmid })
    }

    pub(crate) fn skew(&self) -> i64 {
        self.rules
            .values()
            .map(|rule| match rule.fault {
                Fault::ClockSkew { seconds } => seconds,
                _ => 0,
            })
            .sum()
    }
}

fn fits(rule: &Rule, verb: &str, path: &str) -> bool {
    rule.verb.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(verb))
        && rule.path.as_deref().is_none_or(|part| path.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_used_up() {
        let mut faults = Faults::default();
        let rule: Rule =
            serde_json::from_str(r#"{"fault":"status","status":596,"verb":"post","path":"/lxc","times":1}"#)
                .unwrap();
        faults.add(rule);
        assert_eq!(faults.on_request("GET", "/nodes/pve1/lxc"), None);
        assert_eq!(
            faults.on_request("POST", "/nodes/pve1/lxc"),
            Some(Fault::Status { status: 596, message: String::new() })
        );
        assert_eq!(faults.on_request("POST", "/nodes/pve1/lxc"), None);
        assert_eq!(faults.met(), [("POST".to_owned(), "/nodes/pve1/lxc".to_owned())]);
    }

    #[test]
    fn a_fault_lets_the_first_ones_pass() {
        let mut faults = Faults::default();
        let rule = r#"{"fault":"lost-after","path":"/lxc","skip":2,"times":1}"#;
        faults.add(serde_json::from_str(rule).unwrap());
        let mut ask = |path: &str| faults.on_request("POST", path).is_some();
        let asked = ["/lxc/1", "/qemu/1", "/lxc/2", "/lxc/3", "/lxc/4"].map(&mut ask);
        assert_eq!(asked, [false, false, false, true, false]);
    }
}
