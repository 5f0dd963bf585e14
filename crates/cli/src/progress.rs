//! What takes its time, told to a person at a terminal: one line on standard error that is gone when it is over.

use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::figures::{bytes, countdown};

/// The line that is shown now.
static CURRENT: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// How often it moves.
const TICK: Duration = Duration::from_millis(120);

/// Whether somebody sits at a terminal who would see it.
pub(crate) fn is_shown() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    std::io::stderr().is_terminal() && !is_dumb && !is_set("NO_PROGRESS") && !is_set("CI")
}

/// Shows what begins now in place of what was shown before.
pub(crate) fn begin(what: &str) {
    if !is_shown() {
        return;
    }
    let style = ProgressStyle::with_template("{spinner} {prefix} ({elapsed}) {wide_msg:.dim}");
    let bar = ProgressBar::new_spinner().with_prefix(plain(what));
    if let Ok(style) = style {
        bar.set_style(style.tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "));
    }
    bar.enable_steady_tick(TICK);
    replace(Some(bar));
}

/// Says beside it how far it has come.
pub(crate) fn tell(text: &str) {
    if let Some(bar) = current() {
        bar.set_message(plain(text));
    }
}

/// Takes it away.
pub(crate) fn end() {
    replace(None);
}

/// Prints something above it.
pub(crate) fn aside<T>(print: impl FnOnce() -> T) -> T {
    match current() {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}

/// How far something has come after some time: `12.0 MB of 48.0 MB, 4.1 MB sent, 9 s left`. `sent` are bytes on the wire, packed.
pub(crate) fn share(done: u64, total: u64, sent: u64, since: Duration) -> String {
    let mut text = format!("{} of {}", bytes(done.min(total)), bytes(total));
    if sent != done {
        text.push_str(&format!(", {} sent", bytes(sent)));
    }
    // The first moments say little of those to come.
    if done > 0 && since >= Duration::from_secs(1) {
        let left = u128::from(total.saturating_sub(done)) * since.as_millis() / u128::from(done);
        text.push_str(&format!(", {} left", countdown(left)));
    }
    text
}

/// What programs print may move the cursor.
fn plain(text: &str) -> String {
    let text = anstream::adapter::strip_str(text).to_string();
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    line.replace(char::is_control, " ")
}

fn current() -> Option<ProgressBar> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn replace(bar: Option<ProgressBar>) {
    let before = std::mem::replace(&mut *CURRENT.lock().unwrap_or_else(PoisonError::into_inner), bar);
    if let Some(before) = before {
        before.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_is_left_follows_from_the_time_that_passed() {
        let after = |seconds| Duration::from_secs(seconds);
        assert_eq!(share(12_000_000, 48_000_000, 12_000_000, after(3)), "12.0 MB of 48.0 MB, 9 s left");
        assert_eq!(
            share(24_000_000, 48_000_000, 8_000_000, after(100)),
            "24.0 MB of 48.0 MB, 8.0 MB sent, 1 min 40 s left"
        );
        assert_eq!(share(1_000_000, 5_000_000_000, 1_000_000, after(2)), "1.0 MB of 5.0 GB, 2 h 46 min left");
    }

    #[test]
    fn nothing_is_foretold_of_what_has_just_begun() {
        assert_eq!(share(0, 48_000_000, 0, Duration::from_secs(9)), "0 B of 48.0 MB");
        assert_eq!(share(5_000_000, 48_000_000, 5_000_000, Duration::from_millis(900)), "5.0 MB of 48.0 MB");
    }

    #[test]
    fn an_estimate_that_was_too_small_ends_at_itself() {
        assert_eq!(
            share(50_000_000, 48_000_000, 50_000_000, Duration::from_secs(9)),
            "48.0 MB of 48.0 MB, 0 s left"
        );
    }

    #[test]
    fn a_line_of_a_program_cannot_move_the_cursor() {
        assert_eq!(plain("\x1b[2K 50 %\r\n\x1b[1;32mStep\t3\x07\n\n"), "Step 3");
    }
}
