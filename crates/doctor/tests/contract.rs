//! The table of calls says what the vendor's contract says, for both releases, and no more.

#![expect(clippy::unwrap_used, reason = "a test says why it stops")]

use std::collections::BTreeSet;

use plimsoll_doctor::{CALLS, Call, Need, Place, SCHEDULE_CALLS, Source};
use plimsoll_lab::{Release, privileges};
use plimsoll_pve::api::described;
use serde_json::Value;

type Given<'a> = BTreeSet<(&'a str, &'a str)>;

/// Whether an expression of the contract holds for what was given.
fn holds(check: &Value, given: &Given<'_>) -> bool {
    let parts = check.as_array().unwrap();
    let (word, rest) = parts.split_first().unwrap();
    match word.as_str().unwrap() {
        "and" => rest.iter().all(|part| holds(part, given)),
        "or" => rest.iter().any(|part| holds(part, given)),
        "perm" => {
            let path = rest[0].as_str().unwrap();
            let mut names = rest[1].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
            let has = |name: &str| given.contains(&(path, name));
            if rest.iter().any(|part| part == "any") { names.any(has) } else { names.all(has) }
        }
        other => panic!("the contract says `{other}`"),
    }
}

fn place(place: Place) -> &'static str {
    match place {
        Place::Guest => "/vms/{vmid}",
        Place::NewGuest => "/vms/{newid}",
        Place::Disk | Place::Templates | Place::Seeds | Place::Backups => "/storage/{storage}",
        Place::Card => "/sdn/zones/localnetwork/{bridge}",
        Place::Node => "/nodes/{node}",
        Place::Cluster => "/",
    }
}

fn all() -> impl Iterator<Item = &'static Call> {
    CALLS.iter().chain(SCHEDULE_CALLS)
}

fn of_contract(call: &Call) -> Vec<&Need> {
    call.needs.iter().filter(|need| need.source == Source::Contract).collect()
}

fn each(mut judge: impl FnMut(&Call, &str, &Value)) {
    for (release, major) in [(Release::V8, 8), (Release::V9, 9)] {
        for call in all().filter(|call| call.releases.hold(major)) {
            let kinds: &[&str] = if call.path.contains("{kind}") { &["lxc", "qemu"] } else { &[""] };
            for kind in kinds {
                let (verb, path) = (call.method.to_string(), call.path.replace("{kind}", kind));
                let found = privileges(release, &verb, &path);
                let (check, token) = found.unwrap_or_else(|| panic!("{verb} {path} is not in {major}"));
                assert!(token, "{verb} {path} is not for tokens");
                judge(call, &format!("{verb} {path} in {major}"), &check);
            }
        }
    }
}

#[test]
fn what_the_contract_checks_is_in_the_table_and_each_alternative_is_enough() {
    each(|call, shown, check| {
        let needs = of_contract(call);
        if check.is_null() {
            assert!(needs.is_empty(), "the contract says nothing of {shown}");
            assert!(!call.needs.is_empty(), "{shown} needs nothing and does not belong into the table");
            return;
        }
        let first: Given<'_> = needs.iter().map(|need| (place(need.place), need.any_of[0])).collect();
        assert!(holds(check, &first), "{shown} takes more than {first:?}: {check}");
        for need in &needs {
            for other in need.any_of {
                let mut given = first.clone();
                given.remove(&(place(need.place), need.any_of[0]));
                given.insert((place(need.place), other));
                assert!(holds(check, &given), "{shown}: {other} is not enough: {check}");
            }
        }
    });
}

#[test]
fn nothing_is_in_the_table_that_the_contract_does_not_check() {
    each(|call, shown, check| {
        let needs = of_contract(call);
        for without in &needs {
            let given = needs.iter().filter(|need| need.any_of != without.any_of);
            let given: Given<'_> = given.map(|need| (place(need.place), need.any_of[0])).collect();
            assert!(!holds(check, &given), "{shown} does not take {:?}: {check}", without.any_of);
        }
    });
}

#[test]
fn the_client_makes_every_call_of_the_table() {
    let known = described();
    // A file goes its own way, past the types of requests.
    let upload = "/nodes/{node}/storage/{storage}/upload";
    for call in all().filter(|call| call.path != upload) {
        let of = |path: &str, kind| path.replace("{kind}", kind);
        let same = |path: &str| ["lxc", "qemu"].iter().any(|kind| of(path, kind) == of(call.path, kind));
        assert!(
            known.iter().any(|one| one.method == call.method && same(one.path)),
            "{} {}",
            call.method,
            call.path
        );
    }
}
