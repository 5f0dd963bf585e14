//! What becomes of a command's exit status.

use plimsoll_text::Place;

/// The shell options that decide what happens after a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strict {
    /// `set -e`.
    pub errexit: bool,
    /// `set -u`.
    pub nounset: bool,
    /// `set -o pipefail`.
    pub pipefail: bool,
}

/// What becomes of a command's exit status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A failure ends the script (`set -e`, a Makefile line, `|| exit`).
    Fatal,
    /// It is the condition of `if`, `while`, `&&` or `!`.
    Tested,
    /// A failure is replaced by what follows `||`, and the script goes on.
    Masked {
        /// What follows `||`.
        handler: Place,
    },
    /// Nobody can see it: not the last of a pipeline without `pipefail`, in `local x=$(…)`, in an argument.
    Lost,
    /// A failure is seen by nobody and the next command runs.
    Unchecked,
}
