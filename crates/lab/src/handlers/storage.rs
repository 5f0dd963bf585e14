//! Storages: their configuration and their state.

use serde_json::{Map, Value, json};

use crate::cx::Cx;
use crate::reply::{Answer, Refusal};
use crate::storage::Storage;

fn seen(cx: &Cx<'_>, name: &str) -> bool {
    cx.may_any(&format!("/storage/{name}"), &["Datastore.Audit", "Datastore.AllocateSpace"])
}

pub(super) fn list(cx: &mut Cx<'_>) -> Answer {
    let (content, only) = (cx.args.get("content"), cx.args.get("storage"));
    let lines = cx.state.storages.iter().filter(|(name, storage)| {
        seen(cx, name)
            && content.is_none_or(|wanted| wanted.split(',').any(|kind| storage.content.contains(kind)))
            && only.is_none_or(|wanted| wanted == *name)
            && !(cx.args.flag("enabled") && storage.is_disabled())
    });
    Ok(Value::Array(lines.map(|(name, storage)| storage.status(Some(name))).collect()).into())
}

pub(super) fn find<'a>(cx: &'a Cx<'_>) -> Result<(&'a str, &'a Storage), Refusal> {
    let name = cx.args.get("storage").unwrap_or_default();
    let found = cx.state.storages.get(name);
    Ok((name, found.ok_or_else(|| Refusal::died(format!("storage '{name}' does not exist")))?))
}

pub(super) fn status(cx: &mut Cx<'_>) -> Answer {
    Ok(find(cx)?.1.status(None).into())
}

fn configured(name: &str, storage: &Storage) -> Value {
    let content: Vec<&str> = storage.content.iter().map(String::as_str).collect();
    let mut out: Map<String, Value> =
        storage.options.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    out.insert("storage".to_owned(), json!(name));
    out.insert("type".to_owned(), json!(storage.kind));
    out.insert("content".to_owned(), json!(content.join(",")));
    out.insert("digest".to_owned(), json!("da39a3ee5e6b4b0d3255bfef95601890afd80709"));
    for key in ["shared", "disable"] {
        if let Some(Value::String(flag)) = out.get(key).cloned() {
            out.insert(key.to_owned(), json!(u8::from(flag == "1")));
        }
    }
    Value::Object(out)
}

pub(super) fn configs(cx: &mut Cx<'_>) -> Answer {
    let kind = cx.args.get("type");
    let lines = cx
        .state
        .storages
        .iter()
        .filter(|(name, storage)| seen(cx, name) && kind.is_none_or(|kind| kind == storage.kind));
    Ok(Value::Array(lines.map(|(name, storage)| configured(name, storage)).collect()).into())
}

pub(super) fn config(cx: &mut Cx<'_>) -> Answer {
    let (name, storage) = find(cx)?;
    Ok(configured(name, storage).into())
}

fn change(cx: &Cx<'_>, storage: &mut Storage) -> Result<(), Refusal> {
    for (key, values) in &cx.args.0 {
        let value = values.first().cloned().unwrap_or_default();
        match key.as_str() {
            "storage" | "type" | "digest" => {}
            "delete" => {
                for key in cx.args.list("delete") {
                    storage.options.remove(&key);
                }
            }
            "content" => {
                let wanted = cx.args.list("content");
                let possible = Storage::possible(&storage.kind);
                if let Some(wrong) =
                    wanted.iter().find(|kind| *kind != "none" && !possible.contains(&kind.as_str()))
                {
                    let text = format!("storage does not support content type '{wrong}'");
                    return Err(Refusal::parameter("content", format!("invalid format - {text}\n")));
                }
                storage.content = wanted.into_iter().collect();
            }
            _ => {
                storage.options.insert(key.clone(), value);
            }
        }
    }
    Ok(())
}

pub(super) fn create(cx: &mut Cx<'_>) -> Answer {
    let (name, kind) = (cx.args.text("storage"), cx.args.text("type"));
    if cx.state.storages.contains_key(&name) {
        return Err(Refusal::died(format!("create storage failed: storage ID '{name}' already defined")));
    }
    let content = if Storage::possible(&kind).contains(&"rootdir") {
        "images,rootdir"
    } else {
        Storage::possible(&kind).first().unwrap_or(&"images")
    };
    let mut storage = Storage::new(&kind, content, &[]);
    change(cx, &mut storage)?;
    cx.state.storages.insert(name.clone(), storage);
    Ok(json!({ "storage": name, "type": kind }).into())
}

pub(super) fn update(cx: &mut Cx<'_>) -> Answer {
    let (name, mut storage) = find(cx).map(|(name, storage)| (name.to_owned(), storage.clone()))?;
    change(cx, &mut storage)?;
    let kind = storage.kind.clone();
    cx.state.storages.insert(name.clone(), storage);
    Ok(json!({ "storage": name, "type": kind }).into())
}

pub(super) fn delete(cx: &mut Cx<'_>) -> Answer {
    let name = find(cx)?.0.to_owned();
    cx.state.storages.remove(&name);
    Ok(Value::Null.into())
}
