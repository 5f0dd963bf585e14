//! What a handler works with.

use serde_json::{Map, Value, json};

use crate::access::{Caller, missing};
use crate::contract::Contract;
use crate::guest::{Guest, Kind};
use crate::reply::Refusal;
use crate::state::State;
use crate::task::Plan;
use crate::validate::{Args, schema};

/// A request that has passed the contract and its privileges.
pub(crate) struct Cx<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) contract: &'a Contract,
    pub(crate) caller: Caller,
    pub(crate) args: Args,
}

impl Cx<'_> {
    /// The node of the path.
    pub(crate) fn node(&self) -> String {
        match self.args.get("node") {
            Some("localhost") | None => self.state.nodes.first().cloned().unwrap_or_default(),
            Some(node) => node.to_owned(),
        }
    }

    /// Whether the caller has a privilege on a path.
    pub(crate) fn may(&self, path: &str, privilege: &str) -> bool {
        may(self.state, &self.caller, path, privilege)
    }

    pub(crate) fn may_any(&self, path: &str, privileges: &[&str]) -> bool {
        privileges.iter().any(|privilege| self.may(path, privilege))
    }

    /// Refuses unless the caller has any of the privileges.
    pub(crate) fn need(&self, path: &str, any: &[&str]) -> Result<(), Refusal> {
        if self.may_any(path, any) { Ok(()) } else { Err(missing(path, any)) }
    }

    /// Starts a task on the node of the path.
    pub(crate) fn spawn(&mut self, plan: Plan) -> Value {
        let node = self.node();
        let caller = self.caller.clone();
        json!(self.state.start(&node, &caller, plan).to_string())
    }

    /// The guest of the path, which must be of the kind and on the node.
    pub(crate) fn guest(&self, kind: Kind) -> Result<&Guest, Refusal> {
        let (vmid, node) = (self.args.vmid(), self.node());
        let found = self.state.guests.get(&vmid).filter(|guest| guest.kind == kind && guest.node == node);
        found.ok_or_else(|| Refusal::died(no_such(kind, &node, vmid)))
    }

    pub(crate) fn guest_mut(&mut self, kind: Kind) -> Result<&mut Guest, Refusal> {
        self.guest(kind)?;
        let vmid = self.args.vmid();
        let node = self.node();
        self.state.guests.get_mut(&vmid).ok_or_else(|| Refusal::died(no_such(kind, &node, vmid)))
    }

    /// A configuration as the node answers it: numbers where the contract says so.
    pub(crate) fn typed<'a>(
        &self,
        kind: Kind,
        config: impl IntoIterator<Item = (&'a String, &'a String)>,
    ) -> Map<String, Value> {
        let path = ["nodes".to_owned(), String::new(), kind.api().to_owned()];
        let detail = self.contract.find("POST", &path).and_then(|(endpoint, _)| endpoint.detail.as_ref());
        let typed = |key: &str, value: &str| {
            let kind =
                detail.and_then(|detail| schema(&detail.params, key)).map(|schema| schema["type"].clone());
            match kind.as_ref().and_then(Value::as_str) {
                Some("integer" | "boolean") => {
                    value.parse::<i64>().map_or_else(|_| json!(value), |number| json!(number))
                }
                _ => json!(value),
            }
        };
        config.into_iter().map(|(key, value)| (key.clone(), typed(key, value))).collect()
    }
}

pub(crate) fn may(state: &State, caller: &Caller, path: &str, privilege: &str) -> bool {
    state.access.effective(caller, path, state.pool_of(path)).contains_key(privilege)
}

/// The node's words for a guest that is not there.
pub(crate) fn no_such(kind: Kind, node: &str, vmid: u32) -> String {
    format!("Configuration file 'nodes/{node}/{}/{vmid}.conf' does not exist", kind.folder())
}

/// The node's words for a guest that is locked.
pub(crate) fn locked(state: &State, guest: &Guest) -> Option<String> {
    let lock = state.faults.lock(guest.vmid).or_else(|| guest.lock.clone())?;
    Some(format!("{} is locked ({lock})", guest.kind.word()))
}
