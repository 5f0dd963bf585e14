//! The texts of the generated documents.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use camino::Utf8PathBuf;
use plimsoll_rules::{Theme, page, registry};

/// All generated documents by their path below the workspace.
pub(crate) fn all() -> BTreeMap<Utf8PathBuf, String> {
    let mut out = BTreeMap::from([
        (Utf8PathBuf::from("docs/rules/README.md"), rules_index()),
        (Utf8PathBuf::from("docs/reference/cli.md"), command_line()),
    ]);
    for rule in registry::all() {
        out.insert(format!("docs/rules/{}.md", rule.code).into(), page::for_readers(rule));
    }
    out
}

fn rules_index() -> String {
    let count = registry::all().count();
    let mut out = format!(
        "# Rules\n\n{count} rules. `plimsoll explain CODE` prints a page in the terminal. Severity is the default: it \
         falls by one step in files that are for development only, and rises by one step for some rules where \
         something opens a way to the node, and by the chosen profile.\n"
    );
    for theme in Theme::ALL {
        let mut heading = Some(format!(
            "\n## {}\n\n| code | name | severity | confidence |\n|---|---|---|---|\n",
            theme.title()
        ));
        for rule in registry::all().filter(|rule| rule.theme == theme) {
            out.push_str(&heading.take().unwrap_or_default());
            let (code, severity, confidence) = (rule.code, rule.severity.name(), rule.confidence.name());
            let _ = writeln!(out, "| [{code}]({code}.md) | {} | {severity} | {confidence} |", rule.name);
        }
    }
    out
}

fn command_line() -> String {
    let mut command = plimsoll_cli::command().term_width(100);
    command.build();
    let mut out =
        "# Command line\n\nAs `plimsoll --help` and `plimsoll COMMAND --help` print it.\n".to_owned();
    section(&mut command, &mut out);
    let names: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    for name in names {
        if let Some(command) = command.find_subcommand_mut(&name) {
            section(command, &mut out);
        }
    }
    out
}

fn section(command: &mut clap::Command, out: &mut String) {
    let help = command.render_long_help().to_string();
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = writeln!(out, "\n## {name}\n\n```text\n{}\n```", lines.join("\n").trim());
}
