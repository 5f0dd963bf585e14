//! Everything that rules may ask for.

use camino::Utf8Path;
use plimsoll_syntax::dockerfile;
use plimsoll_text::{FileId, Files, Layer, Place, SyntaxError};

use crate::application::Application;
use crate::circles::circles;
use crate::commands::{Commands, Origin, Shared, Unit};
use crate::guests::{self, Guests};
use crate::images::{ImageSource, Images};
use crate::written::written_files;
use crate::{Inventory, Kind, Role, Stacks, Trees, WrittenFile, programs};

/// What is known about the files under judgement.
#[derive(Debug)]
pub struct Facts {
    /// The files themselves.
    pub files: Files,
    /// Which files exist, read or not.
    pub inventory: Inventory,
    /// Every file as a tree.
    pub trees: Trees,
    /// Every command with the machine it runs on.
    pub commands: Commands,
    /// LXC containers and VMs.
    pub guests: Guests,
    /// Compose projects.
    pub stacks: Stacks,
    /// Images that are built from the files.
    pub images: Images,
    /// What the application's source says.
    pub application: Application,
    errors: Vec<SyntaxError>,
    development: std::collections::BTreeSet<FileId>,
    way_to_node: Option<Place>,
    programs: Programs,
}

/// What the programs of files are before anything is known about other files.
#[derive(Clone, Debug, Default)]
struct Programs {
    units: Vec<Unit>,
    /// Files that programs hold as text.
    texts: Vec<WrittenFile>,
}

impl Facts {
    /// Reads every file and links what they say.
    #[must_use]
    pub fn new(files: Files, inventory: Inventory) -> Self {
        Self::linked(files, inventory, None)
    }

    /// The facts of the same files with other texts. Only what changed is read; all is linked again.
    #[must_use]
    pub fn with_files(&self, files: Files) -> Self {
        Self::linked(files, self.inventory.clone(), Some(self))
    }

    fn linked(files: Files, inventory: Inventory, before: Option<&Self>) -> Self {
        let trees = Trees::new(&files, before);
        let programs = programs(&files, &trees, before);
        let Programs { units, texts } = programs.clone();
        let mut errors = trees.errors.clone();
        for unit in &units {
            let whole = matches!(unit.origin, Origin::Script);
            if whole {
                errors.extend(unit.script.errors.iter().cloned());
            }
        }
        errors.extend(circles(&files, &trees, &units));
        let shared =
            before.map(|before| Shared { begun: &before.programs.units, commands: &before.commands });
        let commands = Commands::new(units, &files, shared.as_ref());
        let mut all_guests = Guests::default();
        for file in trees.of_kind(Kind::GuestConfig) {
            guests::from_config(file, files.get(file), &mut all_guests);
        }
        for (file, stream) in trees.yaml_of(Kind::Ansible) {
            guests::from_ansible(file, stream, &mut all_guests);
        }
        for (file, stream) in trees.yaml_of(Kind::Yaml) {
            guests::from_variables(file, stream, &mut all_guests);
        }
        guests::from_terraform(&trees, &mut all_guests);
        guests::from_commands(&commands, &mut all_guests);
        let written = written_files(&trees, &commands, texts);
        let stacks = Stacks::new(&files, &trees, &commands, &written);
        let application = Application::new(&files, &inventory, &trees, before);
        let images = Images::new(image_sources(&files, &trees, &written), &application.projects, &inventory);
        errors.sort();
        errors.dedup();
        let mut facts = Self {
            files,
            inventory,
            trees,
            commands,
            guests: all_guests,
            stacks,
            images,
            application,
            errors,
            development: std::collections::BTreeSet::new(),
            way_to_node: None,
            programs,
        };
        facts.development = facts.find_development();
        facts.way_to_node = facts.find_way_to_node();
        facts
    }

    /// Whether a file serves development or tests only, by its name, its place or what refers to it.
    #[must_use]
    pub fn is_development(&self, file: FileId) -> bool {
        self.development.contains(&file)
    }

    /// The first fact that opens a way to the hypervisor (a privileged guest, raw LXC settings that lift its
    /// confinement), if there is one.
    #[must_use]
    pub fn way_to_node(&self) -> Option<Place> {
        self.way_to_node
    }

    /// What the readers could not make sense of, in path order.
    #[must_use]
    pub fn syntax_errors(&self) -> &[SyntaxError] {
        &self.errors
    }

    /// The text at a place.
    #[must_use]
    pub fn text(&self, place: Place) -> &str {
        self.files.slice(place)
    }

    /// The path of a file.
    #[must_use]
    pub fn path(&self, file: FileId) -> &Utf8Path {
        self.files.get(file).path()
    }

    fn find_development(&self) -> std::collections::BTreeSet<FileId> {
        let of_stack = self.stacks.iter().filter(|stack| stack.role == Role::Development);
        let mut found: std::collections::BTreeSet<FileId> =
            of_stack.flat_map(|stack| stack.compose.files.iter().copied()).collect();
        let deployed: std::collections::BTreeSet<FileId> = self
            .stacks
            .iter()
            .filter(|stack| stack.role != Role::Development)
            .flat_map(|stack| stack.compose.files.iter().copied())
            .collect();
        found.retain(|file| !deployed.contains(file));
        found
            .extend(self.files.iter().filter(|(_, file)| is_development_path(file.path())).map(|(id, _)| id));
        found
    }

    fn find_way_to_node(&self) -> Option<Place> {
        if let Some((_, place)) = self.guests.privileged() {
            return Some(place);
        }
        let raw = self.guests.real().flat_map(guests::Guest::raw).find(|setting| {
            setting.key == "lxc.apparmor.profile" && setting.value.text.contains("unconfined")
                || setting.key == "lxc.cap.drop" && setting.value.text.is_empty()
        });
        raw.map(|setting| setting.place)
    }
}

fn is_development_path(path: &Utf8Path) -> bool {
    let folders = path.parent().map(|parent| {
        parent.components().any(|part| {
            matches!(
                part.as_str(),
                "test" | "tests" | "e2e" | "__tests__" | "testdata" | "fixtures" | ".devcontainer"
            )
        })
    });
    if folders == Some(true) {
        return true;
    }
    let name = path.file_name().unwrap_or_default().to_ascii_lowercase();
    let words: Vec<&str> = name.split(['.', '-', '_']).collect();
    words.iter().any(|word| matches!(*word, "dev" | "development" | "local" | "test" | "devcontainer"))
}

/// All shell programs of all files, in file order.
fn programs(files: &Files, trees: &Trees, before: Option<&Facts>) -> Programs {
    let Programs { mut units, mut texts } = Programs::default();
    for (id, file) in files.iter() {
        if let Some(before) = before.filter(|before| before.files.has_same(id, file)) {
            let Programs { units: known, texts: held } = &before.programs;
            let start = known.partition_point(|unit| unit.file < id);
            units.extend(known.iter().skip(start).take_while(|unit| unit.file == id).cloned());
            texts.extend(held.iter().filter(|text| text.place.file == id).cloned());
            continue;
        }
        let layer = Layer::whole(id, file);
        let stream = trees.yaml.get(&id);
        match trees.kind(id) {
            Kind::Batch => units.push(programs::batch(id, &layer)),
            Kind::Shell => units.push(programs::script(id, file, &layer)),
            Kind::Taskfile => units.extend(stream.map(|s| programs::taskfile(id, s)).unwrap_or_default()),
            Kind::Workflow => units.extend(stream.map(|s| programs::workflow(id, s)).unwrap_or_default()),
            Kind::Ansible => units.extend(stream.map(|s| programs::ansible(id, s)).unwrap_or_default()),
            Kind::CloudInit => units.extend(stream.map(|s| programs::cloud_init(id, s)).unwrap_or_default()),
            Kind::Compose => units.extend(stream.map(|s| programs::compose(id, s)).unwrap_or_default()),
            Kind::Json => units.extend(stream.map(|s| programs::package(id, s)).unwrap_or_default()),
            Kind::Markdown => {
                units.extend(trees.markdown.get(&id).map(|m| programs::markdown(id, m)).unwrap_or_default());
            }
            Kind::Makefile => {
                units.extend(
                    trees.makefiles.get(&id).map(|m| programs::makefile(id, &layer, m)).unwrap_or_default(),
                );
            }
            Kind::Justfile => {
                units.extend(
                    trees.justfiles.get(&id).map(|j| programs::justfile(id, &layer, j)).unwrap_or_default(),
                );
            }
            Kind::Terraform => {
                units
                    .extend(trees.terraform.get(&id).map(|t| programs::terraform(id, t)).unwrap_or_default());
            }
            Kind::Dockerfile => units.extend(programs::dockerfile(id, &dockerfile::parse(&layer))),
            // What tests start is made up.
            Kind::Python if is_development_path(file.path()) => {}
            Kind::Python => units.extend(programs::python(id, &layer, &mut texts)),
            _ => {}
        }
    }
    Programs { units, texts }
}

/// Dockerfiles, and those that scripts write.
fn image_sources(files: &Files, trees: &Trees, written: &[WrittenFile]) -> Vec<ImageSource> {
    let mut sources: Vec<ImageSource> = trees
        .of_kind(Kind::Dockerfile)
        .map(|id| ImageSource {
            path: files.get(id).path().to_owned(),
            written_by: None,
            context: None,
            layer: Layer::whole(id, files.get(id)),
        })
        .collect();
    sources.extend(written.iter().filter(|file| file.kind == Kind::Dockerfile).map(|file| ImageSource {
        path: if file.path.is_empty() { "Dockerfile".into() } else { file.path.as_str().into() },
        written_by: Some(file.place),
        context: None,
        layer: file.layer.clone(),
    }));
    sources
}
