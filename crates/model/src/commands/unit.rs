//! Shell programs and where they come from.

use std::sync::Arc;

use plimsoll_syntax::shell::Script;
use plimsoll_text::{FileId, Place};

use super::{Machine, Strict, Value};

/// A shell program of a [`super::Commands`] set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitId(pub(crate) u32);

/// One shell program: a script file, the commands of a task, a `run:` step, a code block …
#[derive(Clone, Debug)]
pub struct Unit {
    /// The file that holds it.
    pub file: FileId,
    /// What kind of text it is.
    pub origin: Origin,
    /// Where it stands.
    pub place: Place,
    /// The program.
    pub script: Arc<Script>,
    /// The machine that starts it, as far as known before its text is read.
    pub machine: Machine,
    /// The options in force at its start.
    pub strict: Strict,
    /// Variables that its surroundings give it (`env:` of a task or step), with their values.
    pub environment: Vec<(String, Value, Place)>,
    /// Folder that it starts in, relative to the root, when its surroundings say so.
    pub directory: Option<String>,
}

/// What kind of text a program stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A script file.
    Script,
    /// A script that another script writes to a file (heredoc).
    WrittenScript {
        /// The file it is written to.
        path: Value,
    },
    /// A task of a Taskfile.
    Task {
        /// Its name, namespace included.
        name: String,
    },
    /// A recipe of a Makefile or justfile.
    Recipe {
        /// Its target.
        name: String,
    },
    /// A script of package.json.
    PackageScript {
        /// Its name.
        name: String,
    },
    /// A code block of a Markdown document.
    CodeBlock {
        /// The nearest heading above it.
        heading: String,
    },
    /// A `run:` step of a CI workflow.
    WorkflowStep {
        /// The job.
        job: String,
    },
    /// A `shell`/`command` task of an Ansible play.
    AnsibleTask {
        /// The task's name.
        name: String,
    },
    /// `runcmd`/`bootcmd` of cloud-init user-data.
    CloudInit,
    /// A provisioner of Terraform.
    Provisioner {
        /// Whether it runs where Terraform runs.
        local: bool,
    },
    /// A command that a Python program starts.
    Program,
    /// `RUN` of a Dockerfile.
    ImageBuild,
    /// A command, entrypoint or health check of a Compose service.
    ServiceCommand {
        /// The service.
        service: String,
    },
}

impl Origin {
    /// Whether a person reads it and types it; nothing runs it by itself.
    #[must_use]
    pub fn is_documentation(&self) -> bool {
        matches!(self, Self::CodeBlock { .. })
    }
}
