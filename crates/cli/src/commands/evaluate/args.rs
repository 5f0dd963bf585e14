//! What can be asked of an evaluation.

use camino::Utf8PathBuf;
use clap::{ArgAction, Args};

use crate::commands::choices::{ConfidenceChoice, FailOn, ProfileChoice, ReportFormat};

/// Judge a deployment by its files
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll evaluate
  plimsoll evaluate deploy/ docker-compose.yml --fail-on medium
  plimsoll evaluate --rules ISO,SEC,port-on-all-interfaces
  plimsoll evaluate --format sarif --output plimsoll.sarif
  plimsoll evaluate --format dot | dot -Tsvg > attack-paths.svg
  plimsoll evaluate --document
  plimsoll evaluate --document evaluation.html deploy/
  plimsoll evaluate --write-baseline plimsoll-baseline.json
  plimsoll evaluate --baseline plimsoll-baseline.json

Accept a finding by a comment on its line or the line above:
  # plimsoll: ignore[ISO-001] needs the GPU driver of the node

Accept a rule's findings for a time, or set profile and weights, in plimsoll.yaml:
  evaluate:
    profile: internet
    accept:
      - {rule: ISO-001, reason: needs the GPU driver of the node, until: 2027-01-31}

Exit codes:
  0  no finding at or above the threshold of --fail-on
  1  such findings
  2  wrong usage, nothing to evaluate, or no such findings but files that could not be read")]
pub(crate) struct EvaluateArgs {
    /// Directories or files to evaluate
    #[arg(value_name = "PATH", default_value = ".")]
    pub(super) paths: Vec<String>,
    /// Form of the report
    #[arg(long, value_enum, default_value_t = ReportFormat::Terminal)]
    pub(super) format: ReportFormat,
    /// Write the report to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<Utf8PathBuf>,
    /// Write the whole evaluation as a document: Markdown, or HTML where FILE ends in `.html` [default:
    /// docs/deployment/proxmox-deployment-evaluation.md]
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub(super) document: Option<Option<Utf8PathBuf>>,
    /// What the deployment is for; network findings weigh more outside a homelab [default: that of
    /// `plimsoll.yaml`, else homelab]
    #[arg(long, value_enum)]
    pub(super) profile: Option<ProfileChoice>,
    /// Exit with 1 for findings at or above this severity
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = FailOn::High)]
    pub(super) fail_on: FailOn,
    /// Run only these rules: codes, names, or themes such as ISO or secrets
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub(super) rules: Vec<String>,
    /// Show only findings that are at least this sure
    #[arg(long, value_enum, value_name = "CONFIDENCE", default_value_t = ConfidenceChoice::Medium)]
    pub(super) min_confidence: ConfidenceChoice,
    /// Leave out the findings that this file knows
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<Utf8PathBuf>,
    /// Make all present findings known in this file
    #[arg(long, value_name = "FILE")]
    pub(super) write_baseline: Option<Utf8PathBuf>,
    /// One line for each finding
    #[arg(short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// All findings in full, hidden ones as a list
    #[arg(short, long, action = ArgAction::SetTrue)]
    pub(super) verbose: bool,
}
