//! How a command ends.

use std::error::Error;
use std::io;

use camino::Utf8PathBuf;

/// How a command that ran to its end ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing to object to. Exit code 0.
    Clean,
    /// Findings at or above the threshold. Exit code 1.
    Findings,
    /// Nothing to object to in what could be read, but something could not. Exit code 2.
    Incomplete,
    /// What a command that was run for the user ended with, which is the exit code.
    Status(u8),
}

/// Why a command could not run. Exit code 2.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    /// What to do next, sentences without a full stop.
    pub(crate) hints: Vec<String>,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FailureKind {
    /// A path on the command line cannot be read.
    #[error("cannot read `{path}`")]
    Read { path: Utf8PathBuf, source: io::Error },
    /// A file that was asked for cannot be written.
    #[error("cannot write `{path}`")]
    Write { path: Utf8PathBuf, source: io::Error },
    /// Standard output is gone or full.
    #[error("cannot write to standard output")]
    Print(#[source] io::Error),
    /// There is nothing to judge.
    #[error("there is nothing to evaluate in {0}")]
    Nothing(String),
    /// An id names no rule.
    #[error("there is no rule `{0}`")]
    UnknownRule(String),
    /// Files have changes that nobody committed.
    #[error("{0} has changes that are not committed")]
    Dirty(String),
    /// A file changed while it was judged.
    #[error("`{0}` changed in the meantime; nothing was written to it")]
    Moved(Utf8PathBuf),
    /// The lab cannot do what it is asked.
    #[error("{what}")]
    Lab { what: String, source: Box<dyn Error + Send + Sync> },
    /// What is asked for cannot be deployed as it is.
    #[error(transparent)]
    Prepare(#[from] plimsoll_deploy::PrepareError),
    /// A deploy did not succeed, or the guest could not be asked.
    #[error(transparent)]
    Deploy(Box<plimsoll_deploy::DeployError>),
    /// The node did not do what it was asked.
    #[error(transparent)]
    Node(Box<plimsoll_pve::Error>),
    /// A task of the node did not succeed.
    #[error(transparent)]
    NodeTask(Box<plimsoll_pve::TaskError>),
    /// The guest of a target could not be made.
    #[error(transparent)]
    Guest(Box<plimsoll_provision::ProvisionError>),
    /// The token may not do what the guest takes. Nothing was changed.
    #[error("{0}; nothing was changed")]
    Privileges(plimsoll_doctor::VerifyError),
    /// A backup, a restore or a drill did not come to its end.
    #[error("{0}")]
    Kept(String),
    /// The target is not said, or not well.
    #[error("{0}")]
    Target(String),
    /// The project's own settings cannot be used.
    #[error("cannot use the section `evaluate` of `{0}`")]
    Settings(&'static str),
    /// A file that Plimsoll did not write stands where the document should go.
    #[error("`{0}` is not a document of Plimsoll, so it is not replaced")]
    Foreign(Utf8PathBuf),
    /// The document cannot be written to a directory.
    #[error("cannot write the document to `{0}`, which is a directory")]
    DocumentIsFolder(Utf8PathBuf),
    /// Notes in a document cannot be told from its text.
    #[error("cannot keep the notes of `{path}`")]
    Notes { path: Utf8PathBuf, source: plimsoll_report::document::notes::UnclosedSlot },
    /// A baseline file cannot be used.
    #[error("cannot use the baseline `{path}`")]
    Baseline { path: Utf8PathBuf, source: plimsoll_report::BaselineError },
}

impl From<plimsoll_deploy::DeployError> for FailureKind {
    fn from(error: plimsoll_deploy::DeployError) -> Self {
        Self::Deploy(Box::new(error))
    }
}

impl From<FailureKind> for Failure {
    fn from(kind: FailureKind) -> Self {
        Self { kind, hints: Vec::new() }
    }
}

impl Failure {
    /// The exit code: 3 when a guest or a node is the reason, 2 for everything else.
    pub(crate) fn code(&self) -> u8 {
        let remote = matches!(
            self.kind,
            FailureKind::Deploy(_)
                | FailureKind::Node(_)
                | FailureKind::NodeTask(_)
                | FailureKind::Guest(_)
                | FailureKind::Privileges(_)
                | FailureKind::Kept(_)
        );
        if remote { 3 } else { 2 }
    }

    /// Adds what to do next.
    pub(crate) fn hint(mut self, text: impl Into<String>) -> Self {
        self.hints.push(text.into());
        self
    }

    /// Whether the reader of the output went away, which is the reader's right.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(&self.kind, FailureKind::Print(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The message with its causes, each behind a colon.
    pub(crate) fn chain(&self) -> String {
        let mut out = self.kind.to_string();
        let mut next = self.kind.source();
        while let Some(error) = next {
            out.push_str(": ");
            out.push_str(&reason(error));
            next = error.source();
        }
        out
    }
}

fn reason(error: &(dyn Error + 'static)) -> String {
    error.downcast_ref::<io::Error>().map_or_else(|| error.to_string(), io_reason)
}

/// What the operating system says, in lowercase and without its number.
pub(crate) fn io_reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
