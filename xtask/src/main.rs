//! Checks and generators for the workspace: `cargo run -p xtask -- codegen [--check]`.

mod codegen;
#[cfg(test)]
mod edges;
mod pages;

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
    /// Write the documents that are made from code: docs/rules and docs/reference
    Codegen {
        /// Change nothing; fail when a document is not what the code says
        #[arg(long)]
        check: bool,
    },
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer's tool with a few lines of output"
)]
fn main() -> ExitCode {
    let Task::Codegen { check } = Cli::parse().task;
    let result = if check { codegen::check() } else { codegen::write() };
    match result {
        Ok(message) => {
            println!("{message}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
