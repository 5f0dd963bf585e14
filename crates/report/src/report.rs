//! What all formats show.

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_rules::{Assessment, Confidence, Profile, Severity};
use plimsoll_text::Files;

/// An assessment with its circumstances.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The evaluated directory as the user named it, relative to where the command runs, with `/` between
    /// parts; empty for the current directory.
    pub root: &'a Utf8Path,
    /// The files that findings point into.
    pub files: &'a Files,
    /// What the rules say.
    pub assessment: &'a Assessment,
    /// Files that could not be read as they are, in path order.
    pub problems: &'a [Problem],
    /// What the deployment is for.
    pub profile: Profile,
    /// Findings at or above this count as failure; nothing when no finding does.
    pub fail_on: Option<Severity>,
    /// What was asked to be shown at least.
    pub min_confidence: Confidence,
}

/// A file that could not be read as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Path relative to the evaluated root.
    pub path: Utf8PathBuf,
    /// Why, as a lowercase fragment without a full stop.
    pub reason: String,
}

impl Report<'_> {
    /// How many findings there are of a severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.assessment.findings.iter().filter(|judged| judged.finding.severity == severity).count()
    }

    /// How many findings make the evaluation fail.
    #[must_use]
    pub fn failures(&self) -> usize {
        let Some(threshold) = self.fail_on else { return 0 };
        self.assessment.findings.iter().filter(|judged| judged.finding.severity >= threshold).count()
    }

    /// A path as a person who stands in the current directory would write it.
    #[must_use]
    pub(crate) fn shown(&self, path: &Utf8Path) -> Utf8PathBuf {
        if self.root.as_str().is_empty() { path.to_owned() } else { self.root.join(path) }
    }
}

/// The outcome in one sentence without a full stop.
#[must_use]
pub fn verdict(report: &Report<'_>) -> String {
    let failures = report.failures();
    let total = report.assessment.findings.len();
    match (report.fail_on, failures) {
        _ if total == 0 => "no findings".to_owned(),
        (Some(threshold), 0) => {
            format!("{}, none at or above {}", counted(total, "finding"), threshold.name())
        }
        (Some(Severity::Low) | None, _) => counted(total, "finding"),
        (Some(threshold), _) if failures == total => {
            format!("{} at or above {}", counted(total, "finding"), threshold.name())
        }
        (Some(threshold), _) => {
            format!("{failures} of {} at or above {}", counted(total, "finding"), threshold.name())
        }
    }
}

/// A number with its noun.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
