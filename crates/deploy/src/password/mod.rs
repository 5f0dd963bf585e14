//! A password that changes in a server and in a release as one.
//!
//! The server is told right before the first container with the new value starts, and told back before the release
//! before is put back. Which value holds is never remembered: the server is asked, by logging in.

mod answer;
mod change;
mod find;
mod steps;
mod verifier;

pub use answer::Answer;
pub use change::Change;
pub use find::{Server, server};
pub(crate) use steps::Verb;
