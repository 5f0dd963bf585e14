//! The vendor's expressions of privileges (`exec_api2_perm_check`).

use serde_json::Value;

use crate::access::{Caller, missing};
use crate::cx::may;
use crate::reply::Refusal;
use crate::state::State;
use crate::validate::Args;

/// Refuses unless the expression holds.
pub(crate) fn permit(state: &State, caller: &Caller, check: &Value, args: &Args) -> Result<(), Refusal> {
    let parts = check.as_array().map(Vec::as_slice).unwrap_or_default();
    let rest = parts.get(1..).unwrap_or_default();
    match parts.first().and_then(Value::as_str).unwrap_or_default() {
        "and" => rest.iter().try_for_each(|part| permit(state, caller, part, args)),
        "or" => {
            let holds = rest.iter().any(|part| permit(state, caller, part, args).is_ok());
            if holds { Ok(()) } else { Err(Refusal::denied("")) }
        }
        "perm" => perm(state, caller, rest, args),
        "perm-modify" => modify(state, caller, &fill(rest.first(), args)),
        "userid-param" => match rest.first().and_then(Value::as_str) {
            // A token is never the user whom it belongs to.
            Some("self") if caller.token.is_none() && args.get("userid") == Some(caller.user.as_str()) => {
                Ok(())
            }
            Some("Realm.AllocateUser") => {
                let user = args.text("userid");
                let realm = user.rsplit_once('@').map(|(_, realm)| realm).unwrap_or_default();
                need(state, caller, &format!("/access/realm/{realm}"), &["Realm.AllocateUser"], true)
            }
            _ => Err(Refusal::denied("")),
        },
        "userid-group" => {
            let names = strings(rest.first());
            if names.iter().any(|name| may(state, caller, "/access/groups", name)) {
                Ok(())
            } else {
                Err(Refusal::denied(""))
            }
        }
        _ => Ok(()),
    }
}

fn perm(state: &State, caller: &Caller, rest: &[Value], args: &Args) -> Result<(), Refusal> {
    let names = strings(rest.get(1));
    let option = |name: &str| rest.iter().position(|part| part == name).and_then(|at| rest.get(at + 1));
    if let Some(param) = option("require-param").and_then(Value::as_str)
        && !args.flag(param)
    {
        return Err(Refusal::denied(""));
    }
    let any = option("any").is_some();
    need(state, caller, &fill(rest.first(), args), &names, any)
}

fn need(state: &State, caller: &Caller, path: &str, names: &[&str], any: bool) -> Result<(), Refusal> {
    if any {
        let holds = names.iter().any(|name| may(state, caller, path, name));
        return if holds { Ok(()) } else { Err(missing(path, names)) };
    }
    match names.iter().find(|name| !may(state, caller, path, name)) {
        Some(name) => Err(missing(path, &[name])),
        None => Ok(()),
    }
}

/// Who may change the list on a path.
fn modify(state: &State, caller: &Caller, path: &str) -> Result<(), Refusal> {
    let own: &[&str] = match path.split('/').nth(1).unwrap_or_default() {
        "storage" => &["Datastore.Allocate"],
        "vms" => &["VM.Allocate"],
        "pool" => &["Pool.Allocate"],
        _ => &[],
    };
    let holds = own.iter().chain(&["Permissions.Modify"]).any(|name| may(state, caller, path, name));
    if holds { Ok(()) } else { Err(Refusal::denied("")) }
}

fn strings(value: Option<&Value>) -> Vec<&str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn fill(path: Option<&Value>, args: &Args) -> String {
    let mut path = path.and_then(Value::as_str).unwrap_or_default().to_owned();
    for (name, values) in &args.0 {
        if let Some(value) = values.first() {
            path = path.replace(&format!("{{{name}}}"), value);
        }
    }
    path
}
