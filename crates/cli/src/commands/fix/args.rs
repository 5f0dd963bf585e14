//! The arguments of `plimsoll fix`.

use camino::Utf8PathBuf;
use clap::Args;

/// Mend what can be mended without making anything worse
#[derive(Debug, Args)]
#[command(after_help = "\
A fix is kept only if the patched files, judged again, have lost the finding and gained none that weighs as
much, can still be read (by bash too, where it is there), and would not change a second time. What fails this
proof is withdrawn, and the summary says why. Risks that plimsoll.yaml accepts are left as they are and
counted; its profile says what a finding weighs.

Examples:
  plimsoll fix --diff
  plimsoll fix
  plimsoll fix deploy/ --rules SEC,unbounded-logs --unsafe
  plimsoll fix --patch-dir patches --unsafe

Exit codes:
  0  all that can be mended is mended, or there was nothing to mend
  1  --diff shows changes
  2  wrong usage, changes that are not committed, or a file that could not be read or written")]
pub(crate) struct FixArgs {
    /// Directories or files to mend
    #[arg(value_name = "PATH", default_value = ".")]
    pub(super) paths: Vec<String>,
    /// Print the changes as unified diffs and write nothing
    #[arg(long)]
    pub(super) diff: bool,
    /// Make changes too that need a decision because somebody may rely on what they change
    #[arg(long = "unsafe")]
    pub(super) risky: bool,
    /// Mend only the findings of these rules: codes, names, or themes such as ISO or secrets
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub(super) rules: Vec<String>,
    /// Write one patch for each rule into this directory, and change nothing else
    #[arg(long, value_name = "DIR", conflicts_with = "diff")]
    pub(super) patch_dir: Option<Utf8PathBuf>,
    /// Mend files although git has changes that are not committed
    #[arg(long)]
    pub(super) allow_dirty: bool,
}
