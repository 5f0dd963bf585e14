//! What storages hold: templates, images, backups and disks.

use serde_json::{Value, json};

use super::node::APPLIANCES;
use super::storage::find;
use crate::cx::Cx;
use crate::reply::{Answer, Refusal};
use crate::state::State;
use crate::storage::Volume;
use crate::task::Plan;

fn line(storage: &str, name: &str, volume: &Volume) -> Value {
    let mut out = json!({
        "volid": format!("{storage}:{name}"), "content": volume.content, "format": volume.format, "size": volume.size,
        "ctime": volume.ctime,
    });
    if let Some(map) = out.as_object_mut() {
        map.extend(volume.vmid.map(|vmid| ("vmid".to_owned(), json!(vmid))));
        map.extend(volume.notes.as_ref().map(|notes| ("notes".to_owned(), json!(notes))));
        if volume.protected {
            map.insert("protected".to_owned(), json!(1));
        }
        if let Some(guest) = &volume.backup {
            map.insert("subtype".to_owned(), json!(guest.kind.api()));
        }
    }
    out
}

pub(super) fn content(cx: &mut Cx<'_>) -> Answer {
    let (name, storage) = find(cx)?;
    let (content, vmid) = (cx.args.get("content"), cx.args.number("vmid"));
    let all = cx.may(&format!("/storage/{name}"), "Datastore.Allocate");
    let seen = storage.volumes.iter().filter(|(_, volume)| {
        // Disks and backups of guests are shown to those who may see the guest.
        let owned = volume
            .vmid
            .filter(|_| !all)
            .is_none_or(|vmid| cx.may_any(&format!("/vms/{vmid}"), &["VM.Audit", "VM.Backup"]));
        owned
            && content.is_none_or(|wanted| volume.content == wanted)
            && vmid.is_none_or(|wanted| volume.vmid.is_some_and(|vmid| u64::from(vmid) == wanted))
    });
    Ok(Value::Array(seen.map(|(of, volume)| line(name, of, volume)).collect()).into())
}

fn volid(cx: &Cx<'_>) -> String {
    let (storage, volume) = (cx.args.text("storage"), cx.args.text("volume"));
    if volume.contains(':') { volume } else { format!("{storage}:{volume}") }
}

pub(super) fn volume(cx: &mut Cx<'_>) -> Answer {
    let volid = volid(cx);
    let (name, _) = find(cx)?;
    cx.need(
        &format!("/storage/{name}"),
        &["Datastore.Audit", "Datastore.AllocateSpace", "Datastore.Allocate"],
    )?;
    let volume = cx.state.volume(&volid);
    let volume =
        volume.ok_or_else(|| Refusal::died(format!("volume_size_info on '{volid}' failed - no format")))?;
    let path = volid.split_once('/').map_or(volid.as_str(), |(_, name)| name);
    let folder = match volume.content.as_str() {
        "vztmpl" => "template/cache",
        "iso" => "template/iso",
        "backup" => "dump",
        other => other,
    };
    let mut out = json!({
        "format": if volume.content == "vztmpl" { "raw" } else { &volume.format }, "size": volume.size, "used": volume.size,
        "path": format!("/var/lib/vz/{folder}/{path}"),
    });
    if let Some(map) = out.as_object_mut() {
        map.extend(volume.notes.as_ref().map(|notes| ("notes".to_owned(), json!(notes))));
    }
    Ok(out.into())
}

pub(super) fn delete(cx: &mut Cx<'_>) -> Answer {
    let volid = volid(cx);
    let name = find(cx)?.0.to_owned();
    let path = format!("/storage/{name}");
    let volume = cx.state.volume(&volid);
    match volume.filter(|volume| volume.content == "backup").and_then(|volume| volume.vmid) {
        Some(vmid) if !cx.may(&path, "Datastore.Allocate") => {
            cx.need(&path, &["Datastore.AllocateSpace"])?;
            cx.need(&format!("/vms/{vmid}"), &["VM.Backup"])?;
        }
        _ => cx.need(&path, &["Datastore.Allocate"])?,
    }
    if let Some(volume) = volume.filter(|volume| volume.protected) {
        let what = if volume.content == "backup" { "backup" } else { "volume" };
        return Err(Refusal::died(format!("can't remove {what} '{volid}' - protected")));
    }
    let user = cx.state.guests.values().find(|guest| guest.disks().iter().any(|(_, of)| *of == volid));
    if let Some(guest) = user {
        return Err(Refusal::died(format!(
            "Cannot remove image, a guest with VMID '{}' exists!",
            guest.vmid
        )));
    }
    let plan = Plan::new("imgdel", volid.replace([':', '/'], "-")).then(cx.state.ms(30), move |state| {
        if state.free(&volid) {
            Ok(vec![format!("Removed volume '{volid}'")])
        } else {
            Err(format!("volume '{volid}' does not exist"))
        }
    });
    Ok(cx.spawn(plan).into())
}

/// File names that a kind of content takes.
fn named(content: &str, name: &str) -> bool {
    let ends = |ends: &[&str]| ends.iter().any(|end| name.len() > end.len() && name.ends_with(end));
    match content {
        "iso" => ends(&[".iso", ".img"]),
        "vztmpl" => ends(&[".tar.gz", ".tar.xz", ".tar.zst", ".tar.bz2", ".tar"]),
        "import" => ends(&[".qcow2", ".raw", ".vmdk", ".ova"]),
        _ => false,
    }
}

/// A file that a storage takes: refused now where that can be seen now.
fn acceptable(cx: &Cx<'_>, content: &str, file: &str) -> Result<String, Refusal> {
    let (name, storage) = find(cx)?;
    if !named(content, file) {
        return Err(Refusal::parameter("filename", "wrong file extension"));
    }
    if !storage.content.contains(content) {
        return Err(Refusal::died(format!(
            "storage '{name}' is not configured for content-type '{content}'"
        )));
    }
    if !storage.is_files() {
        return Err(Refusal::died(format!(
            "can't upload to storage type '{}', not a file based storage!",
            storage.kind
        )));
    }
    Ok(name.to_owned())
}

fn keep(state: &mut State, storage: &str, content: &str, file: &str, size: u64) -> Result<(), String> {
    let now = state.now();
    if state.faults.storage_full(storage) {
        return Err(format!("command 'cp' failed: No space left on device (storage '{storage}')"));
    }
    let format = file.rsplit('.').next().unwrap_or_default().replace("zst", "tzst");
    let store =
        state.storages.get_mut(storage).ok_or_else(|| format!("storage '{storage}' does not exist"))?;
    store.volumes.insert(format!("{content}/{file}"), Volume::new(content, &format, size, now));
    Ok(())
}

/// Where guests are real, a name without content is of no use.
fn real(state: &State) -> Result<(), String> {
    match state.backend.templates() {
        None => Ok(()),
        Some(_) => Err("the lab reaches no network: upload the file".to_owned()),
    }
}

pub(super) fn upload(cx: &mut Cx<'_>) -> Answer {
    let (content, file) = (cx.args.text("content"), cx.args.text("filename"));
    let storage = acceptable(cx, &content, &file)?;
    let size: u64 = cx.args.get("\0size").and_then(|size| size.parse().ok()).unwrap_or_default();
    let seen = cx.args.text("\0sha256");
    let wanted = cx
        .args
        .get("checksum")
        .filter(|_| cx.args.get("checksum-algorithm") == Some("sha256"))
        .map(str::to_owned);
    let long = cx.state.ms(60);
    let node = cx.node();
    let spooled = cx.args.get("\0file").map(std::path::PathBuf::from);
    let plan = Plan::new("imgcopy", "").then(long, move |state| {
        let mut lines = vec!["starting file import".to_owned()];
        if let Some(wanted) = wanted {
            if !wanted.eq_ignore_ascii_case(&seen) {
                return Err(format!("checksum mismatch: got '{seen}' != expect '{wanted}'"));
            }
            lines.push("calculating checksum...OK, checksum verified".to_owned());
        }
        keep(state, &storage, &content, &file, size)?;
        if let Some(spooled) = spooled {
            state.backend.keep(&format!("{storage}:{content}/{file}"), &spooled)?;
        }
        lines.extend([
            format!("target node: {node}"),
            format!("file size is: {size}"),
            "finished file import successfully".to_owned(),
        ]);
        Ok(lines)
    });
    Ok(cx.spawn(plan).into())
}

pub(super) fn download(cx: &mut Cx<'_>) -> Answer {
    let node = cx.node();
    let network = cx.may(&format!("/nodes/{node}"), "Sys.AccessNetwork");
    let administrator = cx.may("/", "Sys.Audit") && cx.may("/", "Sys.Modify");
    if !network && !administrator {
        return Err(Refusal::denied(""));
    }
    let (content, file, url) = (cx.args.text("content"), cx.args.text("filename"), cx.args.text("url"));
    let storage = acceptable(cx, &content, &file)?;
    let checked = cx.args.get("checksum").is_some();
    let long = cx.state.ms(400);
    let name = file.clone();
    let plan = Plan::new("download", name).then(long, move |state| {
        let volid = format!("{storage}:{content}/{file}");
        if state.volume(&volid).is_some() {
            return if checked {
                Ok(vec![format!("already got '{file}', skipping download")])
            } else {
                Err(format!("refusing to override existing file '{file}'"))
            };
        }
        real(state)?;
        // The lab reaches no network: the file is a name with a size.
        keep(state, &storage, &content, &file, 300_000_000)?;
        Ok(vec![format!("downloading {url} to {volid}"), "download of file finished".to_owned()])
    });
    Ok(cx.spawn(plan).into())
}

pub(super) fn query_url(cx: &mut Cx<'_>) -> Answer {
    let url = cx.args.text("url");
    let file = url.rsplit('/').next().unwrap_or_default().to_owned();
    Ok(json!({ "filename": file, "size": 300_000_000, "mimetype": "application/octet-stream" }).into())
}

pub(super) fn download_appliance(cx: &mut Cx<'_>) -> Answer {
    let (storage, template) = (cx.args.text("storage"), cx.args.text("template"));
    cx.need(&format!("/storage/{storage}"), &["Datastore.AllocateTemplate"])?;
    if !APPLIANCES.iter().any(|(name, _)| *name == template) {
        return Err(Refusal::parameter("template", "no such template"));
    }
    find(cx)?;
    let name = template.clone();
    let plan = Plan::new("download", name).then(cx.state.ms(400), move |state| {
        real(state)?;
        keep(state, &storage, "vztmpl", &template, 129_000_000)?;
        Ok(vec!["download of template finished".to_owned()])
    });
    Ok(cx.spawn(plan).into())
}

pub(super) fn oci_pull(cx: &mut Cx<'_>) -> Answer {
    let reference = cx.args.text("reference");
    let last = reference.rsplit('/').next().unwrap_or_default();
    let usual: String = last
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' })
        .collect();
    let file = format!("{}.tar", cx.args.get("filename").unwrap_or(&usual));
    let storage = acceptable(cx, "vztmpl", &file)?;
    let name = file.clone();
    let plan = Plan::new("ociregistrypull", name).then(cx.state.ms(400), move |state| {
        if state.volume(&format!("{storage}:vztmpl/{file}")).is_some() {
            return Err(format!("refusing to override existing file '{file}'"));
        }
        real(state)?;
        keep(state, &storage, "vztmpl", &file, 60_000_000)?;
        Ok(vec![format!("pulled {reference}")])
    });
    Ok(cx.spawn(plan).into())
}
