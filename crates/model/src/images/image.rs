//! The types of image facts.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_syntax::dockerfile::{Command, Dockerfile, ImageReference};
use plimsoll_text::{FileId, Layer, Place, Spanned};

use super::known::{KnownImage, Os};

/// All images that the files under judgement build, Dockerfiles in path order first, then those that a script
/// writes.
#[derive(Debug, Default)]
pub struct Images {
    pub(super) images: Vec<Image>,
}

/// A Dockerfile to be read.
#[derive(Clone, Debug)]
pub struct ImageSource {
    /// The Dockerfile's path; for one that a script writes, the path that the script writes to, as written.
    pub path: Utf8PathBuf,
    /// The command that writes it, when a script does.
    pub written_by: Option<Place>,
    /// The build context when something (a Compose file) tells it. Otherwise it is found by what is copied.
    pub context: Option<Utf8PathBuf>,
    /// Its text.
    pub layer: Layer,
}

/// What one Dockerfile builds.
#[derive(Debug)]
pub struct Image {
    /// The Dockerfile's path; for one that a script writes, the path that the script writes to, as written.
    pub path: Utf8PathBuf,
    /// The file that holds its text: the Dockerfile or the script.
    pub file: FileId,
    /// The command that writes it, when a script does.
    pub written_by: Option<Place>,
    /// The folder that `COPY` takes files from, relative to the root; nothing when no folder fits.
    pub context: Option<Utf8PathBuf>,
    /// Its tree.
    pub tree: Arc<Dockerfile>,
    /// Its stages in order, what they inherit included.
    pub stages: Vec<Stage>,
}

/// A stage with everything that it inherits from an earlier stage of the same file.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Position in the file, from 0.
    pub index: usize,
    /// The name after `AS`, in lower case.
    pub name: Option<String>,
    /// The `FROM` instruction.
    pub place: Place,
    /// What it starts from.
    pub base: Base,
    /// The image at the root of its chain of stages, when a public one that is known.
    pub known: Option<&'static KnownImage>,
    /// The image reference at the root of its chain of stages.
    pub root: Option<Spanned<ImageReference>>,
    /// The distribution and C library, as far as the root image's name and tag tell.
    pub os: Os,
    /// Packages that its `RUN` instructions (and those it inherits) install.
    pub packages: Vec<Package>,
    /// Environment, later values win; values as written.
    pub env: BTreeMap<String, Spanned<String>>,
    /// The last `USER`; nothing means what the base image sets (root unless the known image says otherwise).
    pub user: Option<UserFact>,
    /// The last `WORKDIR`, relative ones joined.
    pub workdir: Option<Spanned<String>>,
    /// Exposed ports.
    pub exposed: Vec<Spanned<u16>>,
    /// Declared volumes.
    pub volumes: Vec<Spanned<String>>,
    /// `ENTRYPOINT`.
    pub entrypoint: Option<CommandLine>,
    /// `CMD`.
    pub cmd: Option<CommandLine>,
    /// `HEALTHCHECK`.
    pub healthcheck: Option<HealthcheckFact>,
    /// All `COPY` and `ADD` in order, inherited ones first.
    pub copies: Vec<CopyFact>,
    /// `RUN` commands in order, inherited ones first.
    pub runs: Vec<Spanned<Command>>,
    /// Programs that the instructions put there, in order, those copied from other stages included.
    pub programs: Vec<Program>,
    /// Steps that install something that their text does not name.
    pub opaque: Vec<Spanned<String>>,
    /// Virtual environments in it.
    pub(super) environments: Vec<String>,
    /// Build arguments with a value.
    pub(super) arguments: BTreeMap<String, String>,
}

/// A program that an instruction puts into an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its name without folder.
    pub name: String,
    /// Its folder; nothing when only the package manager knows.
    pub folder: Option<String>,
    /// How it came there, as a fragment.
    pub why: String,
    /// The word that installs or copies it.
    pub place: Place,
}

/// What a stage starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// An earlier stage of the same file.
    Stage(usize),
    /// An image.
    Image(ImageReference),
    /// Nothing.
    Scratch,
    /// Something that depends on a build argument without a default.
    Unknown,
}

/// A package that a stage installs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// By what.
    pub manager: PackageManager,
    /// Its name without version and extras; `.` for the project itself.
    pub name: String,
    /// The version constraint as written.
    pub version: Option<String>,
    /// The word.
    pub place: Place,
}

/// Package managers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PackageManager {
    /// `apt-get`, `apt`.
    Apt,
    /// `apk`.
    Apk,
    /// `dnf`, `microdnf`, `yum`.
    Dnf,
    /// `pip`, `pip3`, `python -m pip`.
    Pip,
    /// `uv`.
    Uv,
    /// `poetry`, `pdm`, `pipenv`.
    PythonProject,
    /// `npm`, `pnpm`, `yarn`, `bun`.
    Npm,
    /// `cargo install`.
    Cargo,
    /// `go install`.
    Go,
    /// `gem`, `bundle`.
    Gem,
}

/// The user that a container starts as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFact {
    /// As written, without group.
    pub name: String,
    /// Whether it is root; nothing when it depends on an argument without a default.
    pub root: Option<bool>,
    /// The instruction's value.
    pub place: Place,
}

/// A command of `CMD` or `ENTRYPOINT`.
#[derive(Clone, Debug)]
pub struct CommandLine {
    /// The form as written.
    pub command: Command,
    /// The words; for the shell form those of its first simple command, split at blanks.
    pub words: Vec<Spanned<String>>,
    /// The instruction.
    pub place: Place,
}

/// A health check.
#[derive(Clone, Debug)]
pub struct HealthcheckFact {
    /// What runs; nothing for `NONE`.
    pub command: Option<Command>,
    /// The instruction.
    pub place: Place,
}

/// One `COPY` or `ADD`.
#[derive(Clone, Debug)]
pub struct CopyFact {
    /// Whether it is `ADD`.
    pub add: bool,
    /// Where the sources are.
    pub from: CopyFrom,
    /// Paths in there.
    pub sources: Vec<Spanned<String>>,
    /// Files written in place: name and body.
    pub heredocs: Vec<(Spanned<String>, Layer)>,
    /// The destination, made absolute with the `WORKDIR` where that is known.
    pub destination: Spanned<String>,
    /// The value of `--chown`.
    pub owner: Option<Spanned<String>>,
    /// The instruction.
    pub place: Place,
}

/// Where `COPY` takes its sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyFrom {
    /// The build context.
    Context,
    /// An earlier stage.
    Stage(usize, Place),
    /// Another image.
    Image(ImageReference, Place),
    /// A name that is neither a stage nor an image reference, or depends on an argument.
    Unknown(Place),
}

impl Images {
    /// The image that a Dockerfile of the repository builds.
    #[must_use]
    pub fn of_file(&self, path: &Utf8Path) -> Option<&Image> {
        let own = self.images.partition_point(|image| image.written_by.is_none());
        let own = self.images.get(..own)?;
        own.get(own.binary_search_by(|image| image.path.as_path().cmp(path)).ok()?)
    }

    /// The Dockerfiles that a script writes.
    pub fn written(&self) -> impl Iterator<Item = &Image> {
        self.images.iter().filter(|image| image.written_by.is_some())
    }

    /// All images.
    pub fn iter(&self) -> impl Iterator<Item = &Image> {
        self.images.iter()
    }
}

impl Image {
    /// The stage that the image ends with, or the one that a build target names.
    #[must_use]
    pub fn stage(&self, target: Option<&str>) -> Option<&Stage> {
        match target {
            Some(name) => {
                let wanted = name.to_lowercase();
                let by_name = self.stages.iter().find(|stage| stage.name.as_deref() == Some(wanted.as_str()));
                by_name.or_else(|| self.stages.get(name.parse::<usize>().ok()?))
            }
            None => self.stages.last(),
        }
    }
}

impl Stage {
    /// Whether its programs start as root; nothing when neither the file nor the known image tells.
    #[must_use]
    pub fn runs_as_root(&self) -> Option<bool> {
        match (&self.user, self.known) {
            (Some(user), _) => user.root,
            (None, Some(known)) => Some(known.user.is_none()),
            (None, None) => {
                let tag = self.root.as_ref().and_then(|root| root.value.tag.as_deref()).unwrap_or_default();
                if tag.contains("nonroot") { Some(false) } else { None }
            }
        }
    }

    /// The folders in which programs are looked up.
    #[must_use]
    pub fn search_path(&self) -> Vec<String> {
        let standard = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
        let written = self.env.get("PATH").map_or("", |path| path.value.as_str());
        let own = written.split(':').filter(|part| part.starts_with('/')).map(str::to_owned);
        let mut out: Vec<String> = own.collect();
        if written.is_empty() || written.contains("PATH") {
            out.extend(standard.map(str::to_owned));
        }
        out
    }

    /// The simple commands of its own `RUN` instructions, inherited ones left out, as words without quotes.
    #[must_use]
    pub fn run_commands(&self) -> Vec<Vec<Spanned<String>>> {
        let own = self.runs.iter().filter(|run| run.place.span.start > self.place.span.start);
        let mut out = Vec::new();
        for run in own {
            match &run.value {
                Command::Exec(words) => out.push(words.clone()),
                Command::Shell(layer) => out.extend(super::run::commands(layer).into_iter().map(|words| {
                    words.into_iter().map(|word| Spanned::new(word.text, word.place)).collect()
                })),
            }
        }
        out
    }

    /// The words that start the container: the entry point's followed by the command's.
    #[must_use]
    pub fn start_words(&self) -> Vec<&Spanned<String>> {
        let entrypoint = self.entrypoint.iter().flat_map(|line| &line.words);
        let shell_form =
            self.entrypoint.as_ref().is_some_and(|line| matches!(line.command, Command::Shell(_)));
        let cmd = self.cmd.iter().filter(|_| !shell_form).flat_map(|line| &line.words);
        entrypoint.chain(cmd).collect()
    }
}
