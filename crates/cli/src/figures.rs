//! Sizes and times as people read them.

/// Bytes in units of a thousand: `14.5 kB`.
pub(crate) fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{}.{} kB", count / 1_000, count % 1_000 / 100),
        1_000_000..1_000_000_000 => format!("{}.{} MB", count / 1_000_000, count % 1_000_000 / 100_000),
        _ => format!("{}.{} GB", count / 1_000_000_000, count % 1_000_000_000 / 100_000_000),
    }
}

/// Milliseconds that passed: `2.6 s`.
pub(crate) fn seconds(milliseconds: u64) -> String {
    format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100)
}

/// Milliseconds that are left, as a person counts them down: `1 min 40 s`.
pub(crate) fn countdown(milliseconds: u128) -> String {
    let all = u64::try_from(milliseconds.div_ceil(1_000)).unwrap_or(u64::MAX);
    match (all / 60, all % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) if minutes < 60 => format!("{minutes} min {seconds} s"),
        (minutes, _) => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_the_unit_that_leaves_few_digits() {
        let all = [999, 1_000, 14_566, 999_999, 25_000_000, 12_345_678_901].map(bytes);
        assert_eq!(all, ["999 B", "1.0 kB", "14.5 kB", "999.9 kB", "25.0 MB", "12.3 GB"]);
    }

    #[test]
    fn time_that_is_left_is_never_said_to_be_less() {
        let all = [0, 1, 9_000, 59_001, 100_000, 9_999_000].map(countdown);
        assert_eq!(all, ["0 s", "1 s", "9 s", "1 min 0 s", "1 min 40 s", "2 h 46 min"]);
    }
}
