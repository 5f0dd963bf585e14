//! Sizes and times.

use std::fmt;
use std::time::Duration;

/// A size in bytes, written with a binary unit: `512MiB`, `4GiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

const UNITS: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

impl Bytes {
    /// Reads `4GiB`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (digits, unit) = split(text)?;
        let factor = UNITS.iter().find(|(name, _)| *name == unit)?.1;
        digits.checked_mul(factor).map(Self)
    }

    /// Whole mebibytes, as `memory` of a guest counts.
    #[must_use]
    pub fn mebibytes(self) -> u64 {
        self.0 >> 20
    }

    /// Whole gibibytes, as disks of a guest count, rounded up.
    #[must_use]
    pub fn gibibytes(self) -> u64 {
        self.0.div_ceil(1 << 30)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, factor)| self.0 > 0 && self.0.is_multiple_of(*factor)) {
            Some((name, factor)) => write!(f, "{}{name}", self.0 / factor),
            None => write!(f, "{}B", self.0),
        }
    }
}

const TIMES: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Longest time that means anything here: a year.
const LONGEST: u64 = 366 * 86_400_000;

/// Reads `90s`, `1h30m`, `500ms`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total: u64 = 0;
    let mut smallest = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(digits)?;
        let unit = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(unit)?;
        let factor = TIMES.iter().find(|(name, _)| *name == unit)?.1;
        if factor >= smallest {
            return None;
        }
        smallest = factor;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(factor)?)?;
        rest = after;
    }
    (smallest < u64::MAX && total <= LONGEST).then(|| Duration::from_millis(total))
}

/// The shortest way to write a time: `1h30m`.
#[must_use]
pub fn show_duration(time: Duration) -> String {
    let mut left = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let mut out = String::new();
    for (name, factor) in TIMES {
        if left >= factor {
            out.push_str(&format!("{}{name}", left / factor));
            left %= factor;
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

fn split(text: &str) -> Option<(u64, &str)> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = text.split_at_checked(at)?;
    Some((digits.parse().ok()?, unit.trim_start_matches(' ')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units_and_fit() {
        assert_eq!(Bytes::parse("4GiB").map(Bytes::mebibytes), Some(4096));
        assert_eq!(Bytes::parse("1536MiB").map(|size| size.to_string()).as_deref(), Some("1536MiB"));
        for wrong in ["4", "4GB", "GiB", "-4GiB", "4.5GiB", "99999999999999TiB", ""] {
            assert_eq!(Bytes::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Bytes(1).gibibytes(), 1);
    }

    #[test]
    fn times_go_from_large_to_small_and_come_back_the_same() {
        for text in ["90m", "1h30m", "500ms", "1d", "0s", "2m5s"] {
            let time = parse_duration(text).unwrap();
            assert_eq!(parse_duration(&show_duration(time)), Some(time), "{text}");
        }
        assert_eq!(show_duration(Duration::from_secs(5400)), "1h30m");
        for wrong in ["", "5", "s", "5s1m", "5s5s", "1.5h", "99999999999999999999s", "800d", "5 s"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }
}
