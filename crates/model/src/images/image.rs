//! The types of image facts.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8PathBuf;
use plimsoll_syntax::dockerfile::{Command, Dockerfile, ImageReference};
use plimsoll_text::{FileId, Layer, Place, Spanned};

use super::{KnownImage, Os};

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
    /// A fragment, such as "`curl` is not part of `python:3.12-slim` and no instruction installs it".
    pub why: String,
    /// Where it can be seen.
    pub place: Place,
}

impl Images {
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
