//! Findings as terminal text, JSON, SARIF and Markdown.
//!
//! Every format is a pure function from a [`Report`] to text; nothing here prints. Formats that machines read
//! have their own types, so that a change inside Plimsoll cannot change them by accident.

mod baseline_file;
pub mod document;
pub mod html;
mod json;
mod markdown;
mod page;
mod report;
mod rule_list;
mod sarif;
mod source;
mod terminal;

pub use baseline_file::{BaselineError, read_baseline, write_baseline};
pub use json::to_json;
pub use markdown::to_markdown;
pub use page::page_for_terminal;
pub use report::{Problem, Report, verdict};
pub use rule_list::{rules_for_terminal, rules_to_json};
pub use sarif::to_sarif;
pub use terminal::{Detail, TerminalOptions, to_terminal};
