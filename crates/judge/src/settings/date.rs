//! A day of the calendar.

/// A day of the calendar. The clock comes in as such a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// The year.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
    /// The day, from 1.
    pub day: u8,
}

impl Date {
    /// Reads `2027-01-31`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = |part: &str, length: usize| {
            part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if parts.next().is_some() || !digits(year, 4) || !digits(month, 2) || !digits(day, 2) {
            return None;
        }
        let date = Self { year: year.parse().ok()?, month: month.parse().ok()?, day: day.parse().ok()? };
        (1..=date.days()?).contains(&date.day).then_some(date)
    }

    /// The day that lies so many days after 1970-01-01, at most the year 9999.
    #[must_use]
    pub fn of_day(days: u64) -> Self {
        let mut date = Self { year: 1970, month: 1, day: 1 };
        let mut left = days;
        while date.year < 9999 || date.month < 12 {
            let month = u64::from(date.days().unwrap_or(31));
            if left < month {
                break;
            }
            left -= month;
            date = if date.month == 12 {
                Self { year: date.year + 1, month: 1, day: 1 }
            } else {
                Self { month: date.month + 1, ..date }
            };
        }
        Self { day: u8::try_from(left.min(30)).unwrap_or(30) + 1, ..date }
    }

    /// The days of its month; nothing for a month that does not exist.
    fn days(self) -> Option<u8> {
        let leap =
            self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        match self.month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
            4 | 6 | 9 | 11 => Some(30),
            2 => Some(if leap { 29 } else { 28 }),
            _ => None,
        }
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        for (days, date) in
            [(0, "1970-01-01"), (59, "1970-03-01"), (19_782, "2024-02-29"), (20_780, "2026-11-23")]
        {
            assert_eq!(Date::of_day(days).to_string(), date);
        }
        assert_eq!(Date::of_day(u64::MAX).to_string(), "9999-12-31");
    }

    #[test]
    fn only_days_that_exist_are_read() {
        assert_eq!(Date::parse("2028-02-29").map(|date| date.to_string()).as_deref(), Some("2028-02-29"));
        for wrong in ["2027-02-29", "2027-13-01", "2027-1-01", "2027-01-00", "2027-01", "2027-01-01-01", ""] {
            assert_eq!(Date::parse(wrong), None, "{wrong}");
        }
    }
}
