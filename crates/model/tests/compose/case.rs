//! Cases: a folder with files, `args.json` and `expected.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use plimsoll_model::compose::{Environment, Request, Resolution, resolve};
use plimsoll_text::Files;
use serde_json::Value;

/// Where a case's folder seems to be in what was recorded.
pub(crate) const ROOT: &str = "/parent/project";
/// The folder above it.
pub(crate) const PARENT: &str = "/parent";
/// The home directory in what was recorded.
pub(crate) const HOME: &str = "/home/user";

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) files: Vec<String>,
    pub(crate) profiles: Vec<String>,
    pub(crate) env_files: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) directory: Option<String>,
    pub(crate) project: Option<String>,
}

fn read(path: &Path) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "a test reads its fixtures")]
    std::fs::read_to_string(path).ok()
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/compose")
}

/// All cases in order of their names.
pub(crate) fn all() -> Vec<Case> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders.into_iter().map(|folder| Case::read(&folder)).collect()
}

impl Case {
    pub(crate) fn read(folder: &Path) -> Self {
        let args = read(&folder.join("args.json")).unwrap_or("{}".to_owned());
        let args: Value =
            serde_json::from_str(&args).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let list = |key: &str| -> Vec<String> {
            let items = args.get(key).and_then(Value::as_array).into_iter().flatten();
            items.map(|item| item.as_str().unwrap().to_owned()).collect()
        };
        let text = |key: &str| args.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
        let mut files = list("files");
        if files.is_empty() {
            files.push("compose.yaml".to_owned());
        }
        let env = args.get("env").and_then(Value::as_object).into_iter().flatten();
        Self {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            folder: folder.to_owned(),
            files,
            profiles: list("profiles"),
            env_files: list("env_files"),
            env: env.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect(),
            directory: text("directory"),
            project: text("project"),
        }
    }

    pub(crate) fn expected(&self) -> Option<Value> {
        serde_json::from_str(&read(&self.folder.join("expected.json"))?).ok()
    }

    pub(crate) fn resolve(&self) -> (Files, Resolution) {
        let mut all = Vec::new();
        collect(&self.folder, &self.folder, &mut all);
        let files = Files::new(all);
        let mut request = Request::new(&files, self.files.iter().map(Into::into).collect());
        request.root_name.clone_from(&self.name);
        request.directory = self.directory.as_ref().map(Into::into);
        request.name.clone_from(&self.project);
        request.env_files = self.env_files.iter().map(Into::into).collect();
        request.environment = Environment::from_shell(self.env.clone());
        request.profiles.clone_from(&self.profiles);
        let resolution = resolve(&request);
        drop(request);
        (files, resolution)
    }
}

fn collect(root: &Path, folder: &Path, all: &mut Vec<(camino::Utf8PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, all);
        } else if let Some(text) = read(&path) {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            all.push((name.into(), text));
        }
    }
}
