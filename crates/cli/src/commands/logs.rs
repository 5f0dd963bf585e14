//! `plimsoll logs`

use camino::Utf8Path;
use clap::Args;
use serde_json::{Value, json};

use super::target::{Format, TargetArgs, listener};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ui::Ui;

/// Show what services print
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll logs
  plimsoll logs -f backend
  plimsoll logs --format json")]
pub(crate) struct LogsArgs {
    /// Services [default: all]
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Go on showing what is printed from now on
    #[arg(short, long)]
    follow: bool,
    /// Lines of each container to begin with
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 100)]
    lines: u32,
    #[command(flatten)]
    target: TargetArgs,
}

pub(crate) fn run(ui: &Ui, args: &LogsArgs) -> Result<Outcome, Failure> {
    let target = args.target.filled(Utf8Path::new("."))?;
    let app = target.app(Utf8Path::new("."))?;
    let session = target.open(&app, listener(args.target.format, false))?;
    let mut words = vec!["logs".to_owned(), "--tail".to_owned(), args.lines.to_string()];
    if args.follow {
        words.push("--follow".to_owned());
    }
    if args.target.format == Format::Json {
        words.extend(["--no-color", "--timestamps"].map(ToOwned::to_owned));
        words.extend(args.services.iter().cloned());
        let (ui, guest) = (*ui, &session.runner.guest);
        // Whoever reads may stop at any line.
        let told = guest.compose_lines(&words, move |line| drop(ui.print(&format!("{}\n", entry(line)))));
        session.runtime.block_on(told).map_err(FailureKind::from)?;
        return Ok(Outcome::Clean);
    }
    words.extend(args.services.iter().cloned());
    let status =
        session.runtime.block_on(session.runner.guest.compose(&words, false)).map_err(FailureKind::from)?;
    Ok(if status == 0 { Outcome::Clean } else { Outcome::Findings })
}

/// A line of Compose with a time: `web-1  | 2026-01-02T03:04:05.678Z what it said`.
fn entry(line: &str) -> Value {
    let Some((container, rest)) = line.split_once(" | ") else { return json!({"line": line}) };
    // Some versions clear the line first, whether somebody looks or not.
    let container = anstream::adapter::strip_str(container).to_string();
    let container = container.trim();
    let service = container.rsplit_once('-').map_or(container, |(service, _)| service);
    let (at, line) = rest.split_once(' ').unwrap_or((rest, ""));
    json!({"container": container, "service": service, "at": at, "line": line})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_told_by_container_and_time() {
        let said = entry("web-front-1   | 2026-01-02T03:04:05.678Z GET /a | b");
        let wanted = json!({
            "container": "web-front-1", "service": "web-front", "at": "2026-01-02T03:04:05.678Z", "line": "GET /a | b",
        });
        assert_eq!(said, wanted);
        assert_eq!(entry("\u{1b}[2Kdb-1  | 2026-01-02T03:04:05.678Z up")["service"], "db");
        assert_eq!(entry("db-1  | 2026-01-02T03:04:05.678Z")["line"], "");
        assert_eq!(entry("no container"), json!({"line": "no container"}));
    }
}
