//! Backups now and by schedule.

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

use super::cluster::object;
use crate::access::missing;
use crate::backend::Operation;
use crate::cx::{Cx, locked, may};
use crate::guest::{Guest, Kind};
use crate::reply::{Answer, Refusal};
use crate::state::State;
use crate::storage::Volume;
use crate::task::Plan;

pub(super) fn vzdump(cx: &mut Cx<'_>) -> Answer {
    let node = cx.node();
    let all = cx.args.flag("all");
    let listed: Vec<u32> = cx.args.list("vmid").iter().filter_map(|text| text.parse().ok()).collect();
    let on_node = |vmid: &u32| cx.state.guests.get(vmid).is_none_or(|guest| guest.node == node);
    let guests: Vec<u32> = if all {
        cx.state.guests.keys().copied().filter(on_node).collect()
    } else {
        listed.into_iter().filter(on_node).collect()
    };
    if guests.is_empty() {
        // Guests of other nodes are none of this node's business, and that is no error.
        return Ok(json!("OK").into());
    }
    let storage = cx.args.get("storage").unwrap_or("local").to_owned();
    for name in ["tmpdir", "dumpdir", "script", "job-id"] {
        if cx.args.get(name).is_some() && !cx.caller.is_root() {
            return Err(Refusal::parameter(name, "Only root may set this option."));
        }
    }
    for name in ["bwlimit", "ionice", "performance"] {
        if cx.args.get(name).is_some() {
            cx.need("/", &["Sys.Modify"])?;
        }
    }
    let compress = cx.args.get("compress").unwrap_or("0").to_owned();
    let (notes, protected) = (cx.args.get("notes-template").map(str::to_owned), cx.args.flag("protected"));
    let prunes = cx.args.get("remove") != Some("0");
    let (caller, long) = (cx.caller.clone(), cx.state.ms(300));
    let id = if let [only] = guests.as_slice() { only.to_string() } else { String::new() };
    let mut plan = Plan::new("vzdump", id);
    let undo = guests.clone();
    for vmid in guests {
        let (store, caller) = (storage.clone(), caller.clone());
        let (compress, notes) = (compress.clone(), notes.clone());
        let into = storage.clone();
        // The name holds the time at which the dump begins.
        let to = Arc::new(Mutex::new(String::new()));
        plan = plan
            .then(0, move |state| {
                let path = format!("/vms/{vmid}");
                if !may(state, &caller, &path, "VM.Backup") {
                    return Err(format!("403 {}", missing(&path, &["VM.Backup"]).message));
                }
                let target = format!("/storage/{store}");
                if !may(state, &caller, &target, "Datastore.AllocateSpace") {
                    return Err(format!("403 {}", missing(&target, &["Datastore.AllocateSpace"]).message));
                }
                let holds = state.storages.get(&store).ok_or_else(|| format!("could not get storage information for '{store}'"))?;
                if !holds.content.contains("backup") {
                    return Err(format!("could not get storage information for '{store}': can't use storage '{store}' for backups - wrong content type"));
                }
                let guest = state.guests.get(&vmid).ok_or_else(|| format!("unable to find VM '{vmid}'"))?;
                if let Some(text) = locked(state, guest) {
                    return Err(format!("job errors: Backup of VM {vmid} failed - {text}"));
                }
                state.guest_mut(vmid)?.lock = Some("backup".to_owned());
                Ok(vec![format!("INFO: Starting Backup of VM {vmid}")])
            })
            .work(long, begin_dump(vmid, to.clone(), into.clone(), compress), move |state| {
                let name = to.lock().map(|name| name.clone()).unwrap_or_default();
                let lines = dump(state, vmid, &into, &name, notes.as_deref(), protected)?;
                if prunes {
                    prune(state, vmid, &into);
                }
                Ok(lines)
            });
    }
    let plan = plan.or_else(move |state| {
        for vmid in undo {
            if let Some(guest) =
                state.guests.get_mut(&vmid).filter(|guest| guest.lock.as_deref() == Some("backup"))
            {
                guest.lock = None;
            }
        }
        Ok(Vec::new())
    });
    Ok(cx.spawn(plan).into())
}

fn begin_dump(
    vmid: u32,
    to: Arc<Mutex<String>>,
    storage: String,
    compress: String,
) -> impl FnOnce(&mut State) -> Result<Option<Operation>, String> {
    move |state| {
        if state.faults.storage_full(&storage) {
            return Err("job errors".to_owned());
        }
        let now = state.now();
        let guest = state.guest_mut(vmid)?;
        let name = format!(
            "backup/vzdump-{}-{vmid}-{}.{}",
            guest.kind.api(),
            stamp(now / 1000),
            ending(guest.kind, &compress)
        );
        let (spec, volume) = (guest.spec(), format!("{storage}:{name}"));
        if let Ok(mut to) = to.lock() {
            *to = name;
        }
        Ok(Some(Operation::Dump { spec, volume }))
    }
}

fn ending(kind: Kind, compress: &str) -> &'static str {
    match (kind, compress) {
        (Kind::Lxc, "zstd" | "1") => "tar.zst",
        (Kind::Lxc, "gzip") => "tar.gz",
        (Kind::Lxc, "lzo") => "tar.lzo",
        (Kind::Lxc, _) => "tar",
        (Kind::Qemu, "zstd" | "1") => "vma.zst",
        (Kind::Qemu, "gzip") => "vma.gz",
        (Kind::Qemu, "lzo") => "vma.lzo",
        (Kind::Qemu, _) => "vma",
    }
}

fn dump(
    state: &mut State,
    vmid: u32,
    storage: &str,
    name: &str,
    notes: Option<&str>,
    protected: bool,
) -> Result<Vec<String>, String> {
    let now = state.now();
    state.guest_mut(vmid)?.lock = None;
    let guest = state.guest_mut(vmid)?.clone();
    // A simulated archive is as large as zstd would make it: about a third of what is in it.
    let bytes = state.backend.size(&format!("{storage}:{name}")).unwrap_or_else(|| guest.used_bytes() / 3);
    let ending = name.split_once('.').map_or("", |(_, ending)| ending);
    let mut volume = Volume::new("backup", ending, bytes, now);
    volume.vmid = Some(vmid);
    volume.notes =
        notes.map(|text| text.replace("{{guestname}}", &guest.name()).replace("{{vmid}}", &vmid.to_string()));
    volume.protected = protected;
    volume.backup = Some(Box::new(bare(guest)));
    let store =
        state.storages.get_mut(storage).ok_or_else(|| format!("storage '{storage}' does not exist"))?;
    store.volumes.insert(name.to_owned(), volume);
    Ok(vec![
        format!("INFO: creating vzdump archive '{storage}:{name}'"),
        format!("INFO: Finished Backup of VM {vmid}"),
        "INFO: Backup job finished successfully".to_owned(),
    ])
}

/// A guest as a backup holds it: without snapshots and without what is only in a backup when it says so.
fn bare(mut guest: Guest) -> Guest {
    guest.snapshots.clear();
    guest.parent = None;
    guest.running = None;
    guest.pending.clear();
    if guest.kind.is_container() {
        guest.config.retain(|key, value| !key.starts_with("mp") || value.contains("backup=1"));
    }
    guest
}

/// Keeps as many backups of a guest as the storage says with `keep-last`.
fn prune(state: &mut State, vmid: u32, storage: &str) {
    let Some(store) = state.storages.get_mut(storage) else { return };
    let keep = store.options.get("prune-backups").and_then(|text| {
        text.split(',').find_map(|part| part.strip_prefix("keep-last=")?.parse::<usize>().ok())
    });
    let Some(keep) = keep else { return };
    let own = store
        .volumes
        .iter()
        .filter(|(_, volume)| volume.content == "backup" && volume.vmid == Some(vmid) && !volume.protected);
    let mut names: Vec<String> = own.map(|(name, _)| name.clone()).collect();
    names.sort_unstable();
    let gone = names.len().saturating_sub(keep);
    for name in names.into_iter().take(gone) {
        state.free(&format!("{storage}:{name}"));
    }
}

/// `2026_08_01-12_00_00` of seconds since 1970 (days to a date by Howard Hinnant's algorithm).
fn stamp(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let year = yoe + era * 400 + i64::from(month <= 2);
    format!("{year:04}_{month:02}_{day:02}-{:02}_{:02}_{:02}", rest / 3600, rest / 60 % 60, rest % 60)
}

pub(super) fn extract_config(cx: &mut Cx<'_>) -> Answer {
    let volid = cx.args.text("volume");
    let storage = volid.split(':').next().unwrap_or_default();
    cx.need(&format!("/storage/{storage}"), &["Datastore.AllocateSpace", "Datastore.Allocate"])?;
    let guest = cx.state.volume(&volid).and_then(|volume| volume.backup.as_ref());
    let guest = guest.ok_or_else(|| Refusal::died(format!("volume '{volid}' does not exist")))?;
    cx.need(&format!("/vms/{}", guest.vmid), &["VM.Backup"])?;
    let lines: Vec<String> = guest.config.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
    Ok(json!(lines.concat()).into())
}

pub(super) fn jobs(cx: &mut Cx<'_>) -> Answer {
    Ok(Value::Array(cx.state.backup_jobs.values().map(shown).collect()).into())
}

/// A job as it is answered: what is kept is taken apart (`decode_value` of PVE/VZDump/Plugin.pm).
fn shown(job: &Map<String, Value>) -> Value {
    let mut job = job.clone();
    let keep = job.get("prune-backups").and_then(Value::as_str).map(|text| {
        let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
        Value::Object(pairs.map(|(key, value)| (key.to_owned(), json!(value))).collect())
    });
    job.extend(keep.map(|keep| ("prune-backups".to_owned(), keep)));
    Value::Object(job)
}

/// What a new job, or a job with another storage, takes beside the contract's privilege (`assert_param_permission_create` and
/// `_update` of PVE/API2/Backup.pm).
fn may_fill(cx: &Cx<'_>, storage: &str) -> Result<(), Refusal> {
    cx.need(&format!("/storage/{storage}"), &["Datastore.Allocate"])
}

pub(super) fn create_job(cx: &mut Cx<'_>) -> Answer {
    let number = cx.state.rng.next();
    let id = cx
        .args
        .get("id")
        .map_or_else(|| format!("backup-{:08x}-{:04x}", number >> 32, number & 0xFFFF), str::to_owned);
    may_fill(cx, cx.args.get("storage").unwrap_or("local"))?;
    if cx.state.backup_jobs.contains_key(&id) {
        return Err(Refusal::died(format!("Job '{id}' already exists")));
    }
    let mut job = object(cx, &["repeat-missed"]);
    if let Some(vmids) = cx.args.get("vmid") {
        job.insert("vmid".to_owned(), json!(vmids));
    }
    job.insert("id".to_owned(), json!(id));
    job.insert("type".to_owned(), json!("vzdump"));
    job.entry("enabled").or_insert_with(|| json!(1));
    cx.state.backup_jobs.insert(id, job);
    Ok(Value::Null.into())
}

fn no_job(id: &str) -> Refusal {
    Refusal::parameter("id", format!("No such job '{id}'"))
}

pub(super) fn job(cx: &mut Cx<'_>) -> Answer {
    let id = cx.args.text("id");
    let job = cx.state.backup_jobs.get(&id).ok_or_else(|| no_job(&id))?;
    Ok(shown(job).into())
}

pub(super) fn update_job(cx: &mut Cx<'_>) -> Answer {
    let (id, delete) = (cx.args.text("id"), cx.args.list("delete"));
    if let Some(storage) = cx.args.get("storage") {
        may_fill(cx, storage)?;
    }
    let mut new = object(cx, &["id", "delete", "repeat-missed"]);
    if let Some(vmids) = cx.args.get("vmid") {
        new.insert("vmid".to_owned(), json!(vmids));
    }
    let job = cx.state.backup_jobs.get_mut(&id).ok_or_else(|| no_job(&id))?;
    for key in delete {
        job.remove(&key);
    }
    job.extend(new);
    Ok(Value::Null.into())
}

pub(super) fn delete_job(cx: &mut Cx<'_>) -> Answer {
    let id = cx.args.text("id");
    match cx.state.backup_jobs.remove(&id) {
        Some(_) => Ok(Value::Null.into()),
        None => Err(Refusal::parameter("id", "No such job")),
    }
}

/// Takes a guest out of all jobs; a job that has no other one goes (`remove_vmid_from_backup_jobs` of PVE/API2Tools.pm).
pub(super) fn purge(state: &mut State, vmid: u32) {
    let gone = vmid.to_string();
    state.backup_jobs.retain(|_, job| {
        let Some(listed) = job.get("vmid").and_then(Value::as_str) else { return true };
        let left: Vec<&str> = listed.split(',').filter(|one| *one != gone).collect();
        let (is_empty, left) = (left.is_empty(), left.join(","));
        job.insert("vmid".to_owned(), json!(left));
        !is_empty
    });
}

pub(super) fn not_backed_up(cx: &mut Cx<'_>) -> Answer {
    let jobs: Vec<_> =
        cx.state.backup_jobs.values().filter(|job| job.get("enabled") != Some(&json!(0))).collect();
    let covered = |guest: &Guest| {
        jobs.iter().any(|job| {
            let listed = job.get("vmid").and_then(Value::as_str).unwrap_or_default();
            job.get("all") == Some(&json!(1)) || listed.split(',').any(|vmid| vmid == guest.vmid.to_string())
        })
    };
    let open = cx.state.guests.values().filter(|guest| !covered(guest));
    let lines =
        open.map(|guest| json!({ "vmid": guest.vmid, "name": guest.name(), "type": guest.kind.api() }));
    Ok(Value::Array(lines.collect()).into())
}

#[cfg(test)]
mod tests {
    use super::stamp;

    #[test]
    fn times_stand_in_names_of_backups() {
        assert_eq!(stamp(1_795_391_367), "2026_11_22-23_49_27");
        assert_eq!(stamp(951_782_400), "2000_02_29-00_00_00");
    }
}
