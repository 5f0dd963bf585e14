//! The day.

use std::time::{SystemTime, UNIX_EPOCH};

use plimsoll_judge::settings::Date;

/// Today in UTC; `SOURCE_DATE_EPOCH` takes its place, so that an evaluation can be repeated
/// (<https://reproducible-builds.org/specs/source-date-epoch/>).
#[expect(clippy::disallowed_methods, reason = "the command line is what reads the clock and the environment")]
pub(in crate::commands) fn today() -> Date {
    let told = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.trim().parse().ok());
    let seconds: u64 = told
        .unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()));
    Date::of_day(seconds / 86_400)
}
