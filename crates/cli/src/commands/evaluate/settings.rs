//! The `evaluate:` section of the project's `plimsoll.yaml`.

use plimsoll_judge::settings::{self, Date, Settings, Status};
use plimsoll_rules::Assessment;
use plimsoll_text::Files;

use crate::failure::{Failure, FailureKind};

const FILE: &str = "plimsoll.yaml";

/// What the owner says; nothing where there is no such file.
pub(in crate::commands) fn read(files: &Files) -> Result<Settings, Failure> {
    let Some(id) = files.find(FILE.into()) else { return Ok(Settings::default()) };
    let file = files.get(id);
    settings::read(id, file).map_err(|errors| {
        let said = |error: &plimsoll_text::SyntaxError| {
            let at = file.line_column(error.place.span.start);
            format!("{FILE}:{}:{}: {}", at.line, at.column, error.message)
        };
        errors
            .iter()
            .fold(FailureKind::Settings(FILE).into(), |failure: Failure, error| failure.hint(said(error)))
    })
}

/// Takes what the owner accepts today out of the findings, and tells how each accepted risk stands.
pub(in crate::commands) fn accept_risks(
    settings: &Settings,
    today: Date,
    files: &Files,
    assessment: &mut Assessment,
) -> Vec<Status> {
    let statuses = settings::statuses(&settings.accept, assessment, files, today);
    settings::accept(&statuses, assessment);
    statuses
}
