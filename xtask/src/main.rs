//! Checks and generators for the workspace: `cargo xtask test`, `cargo xtask codegen [--check]`.

mod browser;
mod checks;
mod codegen;
mod contract;
mod corpus;
#[cfg(test)]
mod edges;
mod foreign;
mod guests;
mod pages;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Checks and generators for the workspace
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run every check: format, lints, tests, documents, licences; name what this machine cannot run
    Test,
    /// Write the documents that are made from code: docs/rules and docs/reference
    Codegen {
        /// Change nothing; fail when a document is not what the code says
        #[arg(long)]
        check: bool,
    },
    /// Write the lab's tables of endpoints from the vendor's contract files (PLIMSOLL_PVE_API_DIR)
    Contract {
        /// Change nothing; fail when a table is not what the contract says
        #[arg(long)]
        check: bool,
    },
    /// Run the readers over other people's files and print what they object to
    Corpus {
        /// A directory with a folder for each kind: shell, compose, dockerfile, env, …
        folder: PathBuf,
    },
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Test => checks::run(),
        Task::Codegen { check: true } => codegen::check().map_err(|error| error.to_string()),
        Task::Codegen { check: false } => codegen::write().map_err(|error| error.to_string()),
        Task::Contract { check } => contract::run(check),
        Task::Corpus { folder } => corpus::run(&folder),
    };
    match result {
        Ok(message) => {
            say(&message);
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "a developer's tool with a few lines of output")]
pub(crate) fn say(message: &str) {
    println!("{message}");
}

#[expect(clippy::print_stderr, reason = "a developer's tool with a few lines of output")]
fn complain(error: &str) {
    eprintln!("error: {error}");
}

pub(crate) fn failed(program: &str, args: &[&str]) -> String {
    format!("`{program} {}` failed, see above", args.join(" "))
}
