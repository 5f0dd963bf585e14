//! The least privileges of a piece of work, and what an answer of the node leaves of them.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_pve::api::Permissions;

use crate::calls::{CALLS, Call, Place};
use crate::schedule_calls::SCHEDULE_CALLS;
use crate::work::Work;

/// The least privileges: none can be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Path and privilege.
    pub privileges: BTreeSet<(String, &'static str)>,
    /// Paths whose privileges count as well: a guest's own path beside the pool that it is made in.
    pub also: BTreeMap<String, String>,
}

/// A privilege that is not there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// Where.
    pub path: String,
    /// Which.
    pub privilege: &'static str,
    /// What it is needed for.
    pub why: Vec<&'static str>,
}

impl Needs {
    /// What the table says about a piece of work.
    #[must_use]
    pub fn of(work: &Work) -> Self {
        Self::by(CALLS, work)
    }

    /// What a backup job of the node takes; nothing where none is asked for.
    #[must_use]
    pub fn of_schedule(work: &Work) -> Self {
        Self { also: BTreeMap::new(), ..Self::by(SCHEDULE_CALLS, work) }
    }

    fn by(calls: &[Call], work: &Work) -> Self {
        let made: Vec<&Call> = calls.iter().filter(|call| call.is_made_by(work)).collect();
        let needs = || made.iter().flat_map(|call| call.needs);
        let mut privileges = BTreeSet::new();
        for need in needs() {
            if let (&[only], Some(path)) = (need.any_of, path(work, need.place)) {
                privileges.insert((path, only));
            }
        }
        for need in needs() {
            let Some(path) = path(work, need.place) else { continue };
            if !need.any_of.iter().any(|name| privileges.contains(&(path.clone(), *name))) {
                privileges.extend(need.any_of.first().map(|name| (path, *name)));
            }
        }
        let by_pool = path(work, Place::Guest).filter(|path| path.starts_with("/pool/"));
        Self { privileges, also: by_pool.into_iter().map(|pool| (pool, vms(work))).collect() }
    }

    /// Paths that the node must be asked about.
    #[must_use]
    pub fn paths(&self) -> BTreeSet<&str> {
        let own = self.privileges.iter().map(|(path, _)| path.as_str());
        own.chain(self.also.values().map(String::as_str)).collect()
    }

    /// What is not there, by the node's answers about [`Self::paths`].
    #[must_use]
    pub fn missing(&self, answer: &Permissions, work: &Work) -> Vec<Missing> {
        let has = |path: &str, privilege: &str| {
            let inherited = path == "/vms";
            answer.get(path).and_then(|all| all.get(privilege)).is_some_and(|flag| !inherited || *flag == 1)
        };
        let lacks = self.privileges.iter().filter(|(path, privilege)| {
            let also = self.also.get(path).is_some_and(|also| has(also, privilege));
            !also && !has(path, privilege)
        });
        lacks
            .map(|(path, privilege)| Missing {
                path: path.clone(),
                privilege,
                why: why(work, path, privilege),
            })
            .collect()
    }
}

/// What needs a privilege on a path.
fn why(work: &Work, at: &str, privilege: &str) -> Vec<&'static str> {
    let mut out = Vec::new();
    for call in CALLS.iter().chain(SCHEDULE_CALLS).filter(|call| call.is_made_by(work)) {
        let needs = call
            .needs
            .iter()
            .any(|need| need.any_of.contains(&privilege) && path(work, need.place).as_deref() == Some(at));
        if needs && !out.contains(&call.what) {
            out.push(call.what);
        }
    }
    out
}

/// The guest's own path; that of all guests before it has a number.
fn vms(work: &Work) -> String {
    work.vmid.map_or_else(|| "/vms".to_owned(), |vmid| format!("/vms/{vmid}"))
}

/// The path of a place for a piece of work.
pub(crate) fn path(work: &Work, place: Place) -> Option<String> {
    let storage = |name: &String| format!("/storage/{name}");
    match place {
        // What is there already need not be in the pool.
        Place::Guest | Place::NewGuest => Some(match &work.pool {
            Some(pool) if work.kind != crate::Kind::Adopted => format!("/pool/{pool}"),
            _ => vms(work),
        }),
        Place::Disk => work.disk.as_ref().map(storage),
        Place::Templates => work.templates.as_ref().map(|templates| storage(&templates.storage)),
        Place::Seeds => work.seeds.as_ref().map(storage),
        Place::Backups => work.backups.as_ref().map(storage),
        Place::Card => work.card.as_ref().map(|card| {
            let vlan = card.vlan.map(|vlan| format!("/{vlan}")).unwrap_or_default();
            format!("/sdn/zones/localnetwork/{}{vlan}", card.bridge)
        }),
        Place::Node => Some(format!("/nodes/{}", work.node)),
        Place::Cluster => Some("/".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::tests::{adopted, lxc, vm};

    fn shown(work: &Work) -> String {
        let needs = Needs::of(work);
        needs.privileges.iter().map(|(path, name)| format!("{path} {name}\n")).collect()
    }

    #[test]
    fn a_container_in_a_pool() {
        insta::assert_snapshot!(shown(&lxc()));
    }

    #[test]
    fn a_machine_takes_other_privileges_in_release_8() {
        insta::assert_snapshot!("machine_9", shown(&vm(9)));
        insta::assert_snapshot!("machine_8", shown(&vm(8)));
    }

    #[test]
    fn a_guest_that_is_there_takes_what_snapshots_and_backups_take() {
        insta::assert_snapshot!(shown(&adopted()), @r"
        /storage/backup Datastore.AllocateSpace
        /vms/107 VM.Audit
        /vms/107 VM.Backup
        /vms/107 VM.PowerMgmt
        /vms/107 VM.Snapshot
        ");
    }

    #[test]
    fn an_alternative_that_is_needed_anyway_is_taken() {
        let mut work = lxc();
        work.disk = Some("local".to_owned());
        let needs = Needs::of(&work);
        let there = |name: &'static str| needs.privileges.contains(&("/storage/local".to_owned(), name));
        assert!(there("Datastore.AllocateSpace") && !there("Datastore.Audit"));
    }

    fn all(needs: &Needs) -> Permissions {
        let mut answer = Permissions::new();
        for (path, privilege) in &needs.privileges {
            answer.entry(path.clone()).or_default().insert((*privilege).to_owned(), 1);
        }
        answer
    }

    #[test]
    fn each_privilege_that_is_not_there_is_missed_with_what_needs_it() {
        for work in [lxc(), vm(8), vm(9), adopted()] {
            let needs = Needs::of(&work);
            assert_eq!(needs.missing(&all(&needs), &work), []);
            for (path, privilege) in &needs.privileges {
                let mut answer = all(&needs);
                answer.get_mut(path).unwrap().remove(*privilege);
                let missing = needs.missing(&answer, &work);
                assert_eq!(missing.len(), 1);
                assert!(
                    missing[0].path == *path
                        && missing[0].privilege == *privilege
                        && !missing[0].why.is_empty()
                );
            }
        }
    }

    #[test]
    fn what_was_given_on_the_guest_itself_counts_beside_the_pool() {
        let work = lxc();
        let needs = Needs::of(&work);
        let mut answer = all(&needs);
        let of_pool = answer.remove("/pool/apps").unwrap();
        assert!(!needs.missing(&answer, &work).is_empty());
        answer.insert("/vms".to_owned(), of_pool.clone());
        assert_eq!(needs.missing(&answer, &work), []);
        // What is not inherited below says nothing about a guest that has no number yet.
        answer.insert("/vms".to_owned(), of_pool.into_keys().map(|name| (name, 0)).collect());
        assert!(!needs.missing(&answer, &work).is_empty());
    }
}
