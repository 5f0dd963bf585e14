//! Whether a program is in an image.

use camino::Utf8Path;
use plimsoll_text::{Files, Layer, Place, Spanned};

use super::context::exists;
use super::image::{CopyFact, CopyFrom, Image, Package, PackageManager, Program, Stage};
use super::known::{KnownImage, Os};
use crate::Inventory;

/// Whether a program is in an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provides {
    /// It is, because of this.
    Yes(Evidence),
    /// It is not: this is what there is instead.
    No(Evidence),
    /// The files do not tell, because of this.
    Unknown(Evidence),
}

/// A reason with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// A fragment, such as "`python:3.12-slim` has no `curl` and no instruction installs it".
    pub why: String,
    /// Where it can be seen.
    pub place: Place,
    /// Further facts of the argument.
    pub related: Vec<Spanned<String>>,
}

impl Evidence {
    fn new(why: impl Into<String>, place: Place) -> Self {
        Self { why: why.into(), place, related: Vec::new() }
    }
}

impl Package {
    /// Whether it stands for the project itself and what that depends on.
    pub(super) fn is_project(&self) -> bool {
        self.name == "." || self.name.starts_with("-r ")
    }
}

impl PackageManager {
    /// The command that people know it by.
    #[must_use]
    pub fn command(self) -> &'static str {
        match self {
            Self::Apt => "apt-get install",
            Self::Apk => "apk add",
            Self::Dnf => "dnf install",
            Self::Pip => "pip install",
            Self::Uv => "uv",
            Self::PythonProject => "poetry install",
            Self::Npm => "npm install",
            Self::Cargo => "cargo install",
            Self::Go => "go install",
            Self::Gem => "gem install",
        }
    }
}

/// Programs that a `COPY` brings from an earlier stage or another image.
pub(super) fn copied_programs(copy: &CopyFact, earlier: &[Stage]) -> Vec<Program> {
    let mut out = Vec::new();
    for source in &copy.sources {
        let from = source.value.trim_end_matches('/');
        let whole_folder = match copy.from {
            CopyFrom::Stage(index, _) => earlier.get(index).map_or(Vec::new(), |stage| below(stage, from)),
            _ => Vec::new(),
        };
        for (program, rest) in whole_folder {
            let target = copy.destination.value.trim_end_matches('/');
            let folder = format!("{target}{rest}");
            let why = format!("copied from another stage, where it was {}", program.why);
            out.push(Program { name: program.name.clone(), folder: Some(folder), why, place: source.place });
        }
        let name = from.rsplit('/').next().unwrap_or_default();
        // One file: under its own name into a folder, or under the destination's name.
        let destination = copy.destination.value.as_str();
        let (folder, name) = match destination.rsplit_once('/') {
            Some((folder, "")) => (folder, name),
            Some((_, _)) if copy.sources.len() > 1 || destination.ends_with("/bin") => (destination, name),
            Some((folder, file)) => (folder, file),
            None => ("", destination),
        };
        if !name.is_empty() && !name.contains('*') {
            let why = "copied by this instruction".to_owned();
            let folder = Some(folder.to_owned());
            out.push(Program { name: name.to_owned(), folder, why, place: source.place });
        }
    }
    out
}

/// The programs of a stage in or below a folder, each with its folder relative to that.
fn below<'a>(stage: &'a Stage, folder: &str) -> Vec<(&'a Program, String)> {
    let inside = |program: &'a Program| {
        let own = program.folder.as_deref()?;
        let rest = own.strip_prefix(folder)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| (program, rest.to_owned()))
    };
    stage.programs.iter().filter_map(inside).collect()
}

impl Image {
    /// Whether a stage has a program, by name or by path.
    #[must_use]
    pub fn provides(&self, stage: &Stage, program: &str, inventory: &Inventory) -> Provides {
        let (folder, name) = match program.rsplit_once('/') {
            Some((folder, name)) => (Some(folder), name),
            None => (None, program),
        };
        if let Some(found) = stage.installed(folder, name) {
            return found;
        }
        let os = stage.os;
        let from = stage.root.as_ref().map_or(stage.place, |root| root.place);
        let base = stage.base_name();
        let in_base = match stage.known {
            Some(known) => known.provides(os, name),
            None => os.provides(name),
        };
        if in_base == Some(true) {
            return Provides::Yes(Evidence::new(format!("part of `{base}`"), from));
        }
        if let Some(found) = folder.and_then(|_| self.copied_path(stage, program, inventory)) {
            return found;
        }
        if let Some(missed) = self.left_behind(stage, name) {
            return Provides::No(missed);
        }
        if let Some(opaque) = stage.opaque.last() {
            let why = format!("{} may bring `{name}`", opaque.value);
            return Provides::Unknown(Evidence::new(why, opaque.place));
        }
        match in_base {
            Some(false) if folder.is_none() => {
                let why = format!("`{base}` has no `{name}` and no instruction installs it");
                Provides::No(Evidence::new(why, from))
            }
            _ => {
                Provides::Unknown(Evidence::new(format!("nothing tells whether `{base}` has `{name}`"), from))
            }
        }
    }

    /// A path that a `COPY` covers.
    fn copied_path(&self, stage: &Stage, path: &str, inventory: &Inventory) -> Option<Provides> {
        let path = match (path.strip_prefix("./"), &stage.workdir) {
            (Some(rest), Some(workdir)) => format!("{}/{rest}", workdir.value.trim_end_matches('/')),
            _ => path.to_owned(),
        };
        let mut missing = None;
        for copy in stage.copies.iter().rev() {
            let destination = copy.destination.value.trim_end_matches('/');
            let Some(rest) = path.strip_prefix(destination) else { continue };
            if !rest.starts_with('/') && !destination.is_empty() {
                continue;
            }
            let rest = rest.trim_start_matches('/');
            let (CopyFrom::Context, Some(context)) = (&copy.from, &self.context) else {
                let why = "copied with a folder whose content is not known".to_owned();
                return Some(Provides::Unknown(Evidence::new(why, copy.place)));
            };
            for source in &copy.sources {
                let folder = context.join(source.value.trim_start_matches("./").trim_end_matches('/'));
                let folder = if source.value == "." { context.clone() } else { folder };
                if inventory.has(&folder.join(rest)) {
                    let why = format!("`{}` is copied here", folder.join(rest));
                    return Some(Provides::Yes(Evidence::new(why, source.place)));
                }
                if exists(inventory, &folder) {
                    missing = Some((folder, rest.to_owned(), source.place));
                }
            }
        }
        let (folder, rest, place) = missing?;
        let shown = if folder == Utf8Path::new("") { Utf8Path::new(".") } else { folder.as_path() };
        // A build step may create it.
        let why = format!("`{shown}` is copied here and has no `{rest}`");
        Some(match stage.runs.last() {
            Some(run) if run.place.span.start > place.span.start => {
                Provides::Unknown(Evidence::new(why, place))
            }
            _ => Provides::No(Evidence::new(why, place)),
        })
    }

    /// A program that an earlier stage has and this one does not copy.
    fn left_behind(&self, stage: &Stage, name: &str) -> Option<Evidence> {
        let copies_from = |index: usize| {
            stage
                .copies
                .iter()
                .filter(move |copy| matches!(copy.from, CopyFrom::Stage(from, _) if from == index))
        };
        let earlier = self.stages.iter().take(stage.index).rev();
        let (source, program) =
            earlier.filter(|source| copies_from(source.index).next().is_some()).find_map(|source| {
                Some((source, source.programs.iter().find(|program| program.name == name)?))
            })?;
        let folder = program.folder.as_deref()?;
        let title = source.name.clone().unwrap_or_else(|| source.index.to_string());
        // Nobody copies a system package from stage to stage: it has to be installed again.
        let is_system = folder == "/usr/bin" && source.root.is_some();
        let why = if is_system {
            format!(
                "only stage `{title}` installs `{name}`; this stage starts from `{}` again",
                stage.base_name()
            )
        } else {
            format!("stage `{title}` has `{name}` in `{folder}`, which this stage does not copy")
        };
        let mut evidence = Evidence::new(why, stage.place);
        evidence.related.push(Spanned::new(program.why.clone(), program.place));
        for copy in copies_from(source.index).filter(|_| !is_system) {
            let paths: Vec<&str> = copy.sources.iter().map(|source| source.value.as_str()).collect();
            evidence.related.push(Spanned::new(format!("copies only `{}`", paths.join(" ")), copy.place));
        }
        Some(evidence)
    }
}

impl Image {
    /// Where the entry point gives up root for another user (`gosu`, `su-exec` and relatives): in its words, or in
    /// a script of the repository that it starts.
    #[must_use]
    pub fn drops_root(&self, stage: &Stage, files: &Files) -> Option<Place> {
        let words = stage.start_words();
        if let Some(word) = words.iter().find(|word| DROPPERS.contains(&word.value.as_str())) {
            return Some(word.place);
        }
        words.iter().find_map(|word| {
            let name = word.value.rsplit('/').next()?;
            let copy = stage.copies.iter().rev().find(|copy| {
                let whole = copy.sources.iter().any(|source| source.value.rsplit('/').next() == Some(name));
                copy.from == CopyFrom::Context
                    && (whole || copy.destination.value.ends_with(&format!("/{name}")))
            });
            let context = self.context.as_ref()?;
            let named =
                copy.and_then(|copy| copy.sources.first()).map_or(name, |source| source.value.as_str());
            let paths = [context.join(named.trim_start_matches("./")), context.join(name)];
            let id = paths.iter().find_map(|path| files.find(path))?;
            let text = files.get(id).text();
            let at = DROPPERS.iter().find_map(|dropper| {
                text.match_indices(dropper).find(|(at, _)| {
                    let before = text.get(..*at).and_then(|before| before.chars().next_back());
                    before.is_none_or(|before| before.is_whitespace() || before == '/')
                })
            });
            let (at, dropper) = at?;
            Some(Layer::whole(id, files.get(id)).place(at..at + dropper.len()))
        })
    }
}

/// Programs that start another one as another user.
const DROPPERS: &[&str] = &["gosu", "su-exec", "setpriv", "runuser", "s6-setuidgid", "chpst", "setuidgid"];

impl Stage {
    /// The name of the image it starts from in the end.
    #[must_use]
    pub fn base_name(&self) -> String {
        let Some(root) = &self.root else { return "scratch".to_owned() };
        let reference = &root.value;
        let registry = reference.registry.as_ref().map(|host| format!("{host}/")).unwrap_or_default();
        let tag = reference.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
        format!("{registry}{}{tag}", reference.name)
    }

    /// A program that the instructions put there.
    fn installed(&self, folder: Option<&str>, name: &str) -> Option<Provides> {
        let path = self.search_path();
        let mut elsewhere = None;
        for program in self.programs.iter().rev().filter(|program| program.name == name) {
            let evidence = Evidence::new(program.why.clone(), program.place);
            match (folder, program.folder.as_deref()) {
                (_, None) => return Some(Provides::Yes(evidence)),
                (Some(wanted), Some(own)) if wanted == own => return Some(Provides::Yes(evidence)),
                (None, Some(own)) if path.iter().any(|entry| entry == own) => {
                    return Some(Provides::Yes(evidence));
                }
                (None, Some(own)) => {
                    let why = format!("`{name}` is in `{own}`, which `PATH` does not name");
                    elsewhere = Some(Provides::Unknown(Evidence::new(why, program.place)));
                }
                (Some(_), Some(_)) => {}
            }
        }
        elsewhere
    }
}

impl KnownImage {
    /// Whether a program is in a public image that a Compose file uses as it is.
    #[must_use]
    pub fn provides_in(
        reference: &plimsoll_syntax::dockerfile::ImageReference,
        program: &str,
    ) -> Option<bool> {
        let known = Self::find(reference);
        let os = Os::of(reference, known);
        match known {
            Some(known) => known.provides(os, program),
            None => os.provides(program),
        }
    }
}
