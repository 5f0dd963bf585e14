//! Every file read once, by its kind.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_syntax::{dotenv, hcl, ini, justfile, makefile, markdown, nginx, yaml};
use plimsoll_text::{FileId, Files, Layer, SyntaxError};

use crate::{Facts, Kind};

/// The trees of all files. Shell scripts and Dockerfiles are kept by [`crate::commands::Commands`] and
/// [`crate::images::Images`].
#[derive(Debug, Default)]
pub struct Trees {
    /// In file order.
    kinds: Vec<(FileId, Kind)>,
    /// YAML and JSON of all kinds.
    pub yaml: BTreeMap<FileId, Arc<yaml::Stream>>,
    /// Markdown.
    pub markdown: BTreeMap<FileId, Arc<markdown::Markdown>>,
    /// `.env` and its relatives.
    pub dotenv: BTreeMap<FileId, Arc<dotenv::Dotenv>>,
    /// Terraform.
    pub terraform: BTreeMap<FileId, Arc<hcl::Hcl>>,
    /// nginx configurations that are files of their own.
    pub nginx: BTreeMap<FileId, Arc<nginx::Config>>,
    /// INI files and systemd units.
    pub ini: BTreeMap<FileId, Arc<ini::Ini>>,
    /// Makefiles.
    pub makefiles: BTreeMap<FileId, Arc<makefile::Makefile>>,
    /// justfiles.
    pub justfiles: BTreeMap<FileId, Arc<justfile::Justfile>>,
    /// What could not be read.
    pub errors: Vec<SyntaxError>,
    /// The folders of Terraform files; a folder is a module.
    modules: BTreeMap<FileId, Utf8PathBuf>,
}

impl Trees {
    /// Reads all files, except those that have been read before.
    #[must_use]
    pub(crate) fn new(files: &Files, before: Option<&Facts>) -> Self {
        let mut trees = Self::default();
        for (id, file) in files.iter() {
            if let Some(before) = before.filter(|before| before.files.has_same(id, file)) {
                trees.take(id, &before.trees);
                continue;
            }
            let kind = Kind::of(file.path(), file.text());
            trees.kinds.push((id, kind));
            if kind == Kind::Terraform {
                let folder = file.path().parent().unwrap_or(Utf8Path::new(""));
                trees.modules.insert(id, folder.to_owned());
            }
            let layer = Layer::whole(id, file);
            trees.read(id, kind, file.path().extension() == Some("j2"), file.name(), &layer);
        }
        trees
    }

    /// Shares what reading a file gave.
    fn take(&mut self, id: FileId, other: &Self) {
        fn share<T>(own: &mut BTreeMap<FileId, Arc<T>>, other: &BTreeMap<FileId, Arc<T>>, id: FileId) {
            own.extend(other.get(&id).map(|tree| (id, Arc::clone(tree))));
        }
        self.kinds.push((id, other.kind(id)));
        self.modules.extend(other.modules.get(&id).map(|folder| (id, folder.clone())));
        self.errors.extend(other.errors.iter().filter(|error| error.place.file == id).cloned());
        share(&mut self.yaml, &other.yaml, id);
        share(&mut self.markdown, &other.markdown, id);
        share(&mut self.dotenv, &other.dotenv, id);
        share(&mut self.terraform, &other.terraform, id);
        share(&mut self.nginx, &other.nginx, id);
        share(&mut self.ini, &other.ini, id);
        share(&mut self.makefiles, &other.makefiles, id);
        share(&mut self.justfiles, &other.justfiles, id);
    }

    fn read(&mut self, id: FileId, kind: Kind, is_template: bool, name: &str, layer: &Layer) {
        match kind {
            Kind::Compose
            | Kind::Taskfile
            | Kind::Workflow
            | Kind::Ansible
            | Kind::CloudInit
            | Kind::Yaml => {
                let stream = yaml::parse(layer);
                // Other YAML may be a template of any tool; what nobody deploys is nobody's error either.
                let is_template = is_template || kind == Kind::Yaml && layer.text().contains("{{");
                if !is_template {
                    self.errors.extend(stream.errors.iter().cloned());
                }
                self.yaml.insert(id, Arc::new(stream));
            }
            // JSON is read as flow YAML; lock files and data are not worth the time.
            Kind::Json
                if matches!(name, "package.json" | "daemon.json" | "composer.json" | "tsconfig.json") =>
            {
                self.yaml.insert(id, Arc::new(yaml::parse(layer)));
            }
            Kind::Markdown => {
                let tree = markdown::parse(layer);
                self.markdown.insert(id, Arc::new(tree));
            }
            Kind::Dotenv => {
                let tree = dotenv::parse(layer);
                self.errors.extend(tree.errors.iter().cloned());
                self.dotenv.insert(id, Arc::new(tree));
            }
            Kind::Terraform => {
                let tree = hcl::parse(layer);
                self.errors.extend(tree.errors.iter().cloned());
                self.terraform.insert(id, Arc::new(tree));
            }
            Kind::Nginx => {
                self.nginx.insert(id, Arc::new(nginx::parse(layer)));
            }
            Kind::Ini | Kind::Systemd => {
                self.ini.insert(id, Arc::new(ini::parse(layer)));
            }
            Kind::Makefile => {
                let tree = makefile::parse(layer);
                self.errors.extend(tree.errors.iter().cloned());
                self.makefiles.insert(id, Arc::new(tree));
            }
            Kind::Justfile => {
                self.justfiles.insert(id, Arc::new(justfile::parse(layer)));
            }
            _ => {}
        }
    }

    /// What a Terraform variable is in the module of a file: what the `module` block that calls it gives, else its
    /// default there, else the default of its namesake anywhere.
    #[must_use]
    pub fn terraform_variable(&self, name: &str, file: FileId) -> Option<&hcl::Expression> {
        let folder = self.modules.get(&file)?;
        let given = self.terraform.iter().find_map(|(caller, tree)| {
            let base = self.modules.get(caller)?;
            let calls = |block: &&hcl::Block| {
                let source = block.body.get("source").and_then(hcl::Expression::as_str);
                source.is_some_and(|source| source.starts_with('.') && joined(base, source) == *folder)
            };
            tree.body.blocks("module").filter(calls).find_map(|block| block.body.get(name))
        });
        let default = |same: bool| {
            self.terraform
                .iter()
                .filter(move |(other, _)| !same || self.modules.get(other) == Some(folder))
                .find_map(|(_, tree)| {
                    tree.body
                        .blocks("variable")
                        .find(|block| block.label(0) == Some(name))
                        .and_then(|block| block.body.get("default"))
                })
        };
        given.or_else(|| default(true)).or_else(|| default(false))
    }

    /// The kind of a file.
    #[must_use]
    pub fn kind(&self, file: FileId) -> Kind {
        self.kinds.get(file.index()).map_or(Kind::Other, |(_, kind)| *kind)
    }

    /// Files of a kind, in path order.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = FileId> {
        self.kinds.iter().filter(move |(_, own)| *own == kind).map(|(id, _)| *id)
    }

    /// YAML streams of a kind, in path order.
    pub fn yaml_of(&self, kind: Kind) -> impl Iterator<Item = (FileId, &Arc<yaml::Stream>)> {
        self.yaml.iter().filter(move |(id, _)| self.kind(**id) == kind).map(|(id, stream)| (*id, stream))
    }
}

/// A relative path below a folder, `.` and `..` resolved.
fn joined(base: &Utf8Path, path: &str) -> Utf8PathBuf {
    let mut out = base.to_owned();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}
