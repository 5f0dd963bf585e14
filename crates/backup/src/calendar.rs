//! Days, weeks and months of moments, in UTC.

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day {
    pub(crate) year: i64,
    pub(crate) month: u8,
    pub(crate) day: u8,
}

const SECONDS: u64 = 86_400;

/// The day of a moment in seconds since 1970 (days to a date by Howard Hinnant's algorithm).
pub(crate) fn day(seconds: u64) -> Day {
    let z = i64::try_from(seconds / SECONDS).unwrap_or_default() + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let small = |number: i64| u8::try_from(number).unwrap_or_default();
    Day {
        year: yoe + era * 400 + i64::from(month <= 2),
        month: small(month),
        day: small(doy - (153 * mp + 2) / 5 + 1),
    }
}

/// A number that differs for each week from Monday to Sunday.
pub(crate) fn week(seconds: u64) -> u64 {
    // The first day of 1970 was a Thursday.
    (seconds / SECONDS + 3) / 7
}

/// A moment for people: `2026-11-23 22:30 UTC`.
#[must_use]
pub fn shown(seconds: u64) -> String {
    let Day { year, month, day } = day(seconds);
    let rest = seconds % SECONDS;
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", rest / 3600, rest / 60 % 60)
}

/// A moment in milliseconds since 1970: `2026-11-23 22:30:05.250 UTC`.
#[must_use]
pub fn exactly(milliseconds: u64) -> String {
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    let text = shown(seconds);
    let minute = text.trim_end_matches(" UTC");
    format!("{minute}:{:02}.{rest:03} UTC", seconds % 60)
}

/// How long something is past: `3 days`.
#[must_use]
pub fn age(seconds: u64) -> String {
    let (count, what) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / SECONDS, "day"),
    };
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_days_and_weeks() {
        assert_eq!(shown(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(exactly(1_795_391_367_042), "2026-11-22 23:49:27.042 UTC");
        assert_eq!(shown(1_795_391_367), "2026-11-22 23:49 UTC");
        // 2026-11-22 is a Sunday.
        assert_ne!(week(1_795_391_367), week(1_795_391_367 + 3600));
        assert_eq!(week(1_795_391_367), week(1_795_391_367 - 6 * 86_400));
    }

    #[test]
    fn ages_are_told_in_the_unit_that_fits() {
        let told: Vec<String> = [1, 119, 120, 7_199, 7_200, 172_800].into_iter().map(age).collect();
        assert_eq!(told, ["1 second", "119 seconds", "2 minutes", "119 minutes", "2 hours", "2 days"]);
    }
}
