//! The types of application facts.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8PathBuf;
use plimsoll_text::{FileId, Place, Spanned};

use super::python::PythonFile;

/// What the source of the application says, each list in path order and then in the order of the text.
/// Tests are left out.
#[derive(Debug, Default)]
pub struct Application {
    /// Folders with a manifest of their own.
    pub projects: Vec<Project>,
    /// Environment variables that the source reads.
    pub env_reads: Vec<EnvRead>,
    /// Ports that the source opens.
    pub listens: Vec<Listen>,
    /// HTTP routes.
    pub routes: Vec<Route>,
    /// Cross-origin settings.
    pub cors: Vec<Cors>,
    /// Migration tools and the database they use.
    pub migrations: Vec<Migration>,
    /// Places that create the schema without migrations.
    pub schema_creations: Vec<SchemaCreation>,
    /// Debug switches that are fixed in the source.
    pub debug_switches: Vec<DebugSwitch>,
    /// Interactive API documentation.
    pub api_docs: Vec<ApiDocs>,
    /// Literals that make the program fail when a setting equals them, such as a placeholder.
    pub refused: Vec<Spanned<String>>,
    /// What each source file says by itself, to be shared with the state that a patch leaves.
    pub(super) said: BTreeMap<FileId, Arc<Said>>,
}

/// What one source file says, whatever others say.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) env_reads: Vec<EnvRead>,
    pub(super) listens: Vec<Listen>,
    pub(super) routes: Vec<Route>,
    pub(super) cors: Vec<Cors>,
    pub(super) schema_creations: Vec<SchemaCreation>,
    pub(super) debug_switches: Vec<DebugSwitch>,
    pub(super) api_docs: Vec<ApiDocs>,
    pub(super) refused: Vec<Spanned<String>>,
    /// Routes whose path other files decide about.
    pub(super) module: Option<PythonFile>,
}

/// A folder with a manifest.
#[derive(Clone, Debug)]
pub struct Project {
    /// The folder, relative to the root; empty for the root itself.
    pub folder: Utf8PathBuf,
    /// The manifest: `pyproject.toml`, `requirements.txt`, `package.json`, `go.mod`, `Cargo.toml`.
    pub manifest: FileId,
    /// Its language.
    pub language: Language,
    /// Its name where the manifest has one.
    pub name: Option<Spanned<String>>,
    /// Names of what it depends on at run time, without versions, in lower case.
    pub dependencies: Vec<Spanned<String>>,
    /// Names of what it depends on for development.
    pub dev_dependencies: Vec<Spanned<String>>,
    /// Programs that installing it puts on the path (`[project.scripts]`, `bin`).
    pub programs: Vec<Spanned<String>>,
    /// `scripts` of `package.json`: name and command.
    pub scripts: Vec<(Spanned<String>, Spanned<String>)>,
    /// The version of the language it asks for, as written (`requires-python`, `engines.node`, `go`).
    pub language_version: Option<Spanned<String>>,
    /// What builds it (`build-backend` of `pyproject.toml`).
    pub build_backend: Option<Spanned<String>>,
    /// Files beside the manifest that its build needs: what it names as readme or licence.
    pub build_files: Vec<Spanned<String>>,
    /// Lock files beside the manifest.
    pub lock_files: Vec<Utf8PathBuf>,
}

/// Languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// Python.
    Python,
    /// JavaScript and TypeScript.
    JavaScript,
    /// Go.
    Go,
    /// Rust.
    Rust,
}

/// A read of an environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvRead {
    /// The variable. For a settings class it is the field with the class's prefix, in upper case.
    pub name: String,
    /// In which language.
    pub language: Language,
    /// When it is read.
    pub phase: Phase,
    /// What happens without it.
    pub presence: Presence,
    /// Whether it is a field of a settings class (`BaseSettings`), which matches names in any case.
    pub settings_field: bool,
    /// The expression.
    pub place: Place,
}

/// When a variable is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// While the program runs.
    Run,
    /// While it is built: the value becomes part of the bundle (`import.meta.env.VITE_X`, `NEXT_PUBLIC_X`).
    Build,
}

/// What happens without a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The program fails (`os.environ["X"]`, `env::var("X").unwrap()`, a check that raises).
    Required,
    /// This literal is used.
    Default(Spanned<String>),
    /// An expression or a test takes care of it, or the value may be absent.
    Optional,
}

/// A port that the source opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The port when literal, or the default of the variable it comes from.
    pub port: Option<u16>,
    /// The variable it comes from.
    pub variable: Option<String>,
    /// The address when written.
    pub host: Option<String>,
    /// In which language.
    pub language: Language,
    /// The call.
    pub place: Place,
}

/// An HTTP route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Method in upper case; nothing for any.
    pub method: Option<String>,
    /// The path with all prefixes that are known: those of its own router and of the calls that include it.
    pub path: String,
    /// The path as written on the route.
    pub written: String,
    /// Which framework.
    pub framework: Framework,
    /// Whether the route, its router or its parameters name something that authenticates (`Depends(…)` with a
    /// name about users, tokens or authentication, a decorator, a middleware argument). The evidence is there.
    pub authentication: Option<Place>,
    /// What the handler answers.
    pub body: BodyKind,
    /// Name of the handler.
    pub handler: Option<String>,
    /// The decorator or call.
    pub place: Place,
}

/// What a handler answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BodyKind {
    /// Always the same: it does nothing but return a literal.
    Constant,
    /// Something it computes.
    Computed,
    /// Not known.
    Unknown,
}

/// Web frameworks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Framework {
    /// FastAPI and Starlette.
    FastApi,
    /// Flask.
    Flask,
    /// Django.
    Django,
    /// Express and relatives.
    Express,
    /// Go's net/http and routers.
    Go,
    /// Rust's axum, actix and relatives.
    Rust,
    /// Another.
    Other,
}

/// A cross-origin setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cors {
    /// The origins when they are literals.
    pub origins: Vec<Spanned<String>>,
    /// Whether they come from configuration.
    pub configured: bool,
    /// Whether credentials are allowed.
    pub credentials: Option<bool>,
    /// The list of origins.
    pub place: Place,
}

/// A migration tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its name: `alembic`, `django`, `prisma`, `knex`, `typeorm`, `drizzle`, `flyway`, `goose`, `diesel`, `sqlx`.
    pub tool: &'static str,
    /// The folder it works in, relative to the root.
    pub folder: Utf8PathBuf,
    /// The database address in its configuration when literal.
    pub url: Option<Spanned<String>>,
    /// Where the address is taken from the environment instead.
    pub from_environment: Option<Place>,
    /// Its configuration file.
    pub file: FileId,
    /// The line that says so.
    pub place: Place,
}

/// A place that creates the schema without migrations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaCreation {
    /// What: `create_all`, `drop_all`, `sync({force: true})`, `AutoMigrate`.
    pub call: String,
    /// Whether it destroys data first.
    pub destructive: bool,
    /// The call.
    pub place: Place,
}

/// A debug switch that is fixed in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DebugSwitch {
    /// Which.
    pub kind: SwitchKind,
    /// The value.
    pub place: Place,
}

/// Kinds of debug switches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SwitchKind {
    /// Every SQL statement is logged.
    SqlEcho,
    /// The framework's debug mode.
    Debug,
    /// Restart on file changes.
    Reload,
}

/// Interactive API documentation of a framework.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiDocs {
    /// Which framework.
    pub framework: Framework,
    /// The path it is served under.
    pub path: String,
    /// Whether a condition or a setting decides about it.
    pub conditional: bool,
    /// The argument, or the call that leaves the default on.
    pub place: Place,
}
