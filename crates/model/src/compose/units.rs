//! Durations, sizes and command lines as Compose reads them.

use std::time::Duration;

use super::Bytes;

/// A duration in Go's notation: `1h30m`, `1.5s`, `500ms`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let length = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(length);
        let nanos: u64 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let mut part = whole.checked_mul(nanos)?;
        let mut scale = nanos;
        for digit in fraction.bytes() {
            scale /= 10;
            part = part.checked_add(u64::from(digit.checked_sub(b'0')?).checked_mul(scale)?)?;
        }
        total = total.checked_add(Duration::from_nanos(part))?;
        rest = after;
    }
    Some(total)
}

/// A size: a number and one of `b k m g t p`, with `b` or `ib` after it, whatever the case; a kilobyte has 1024 bytes.
pub(super) fn bytes(text: &str) -> Option<Bytes> {
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.rfind(|c: char| c.is_ascii_digit() || c == '.').map_or(0, |at| at + 1);
    let (number, unit) = lower.split_at(digits);
    let number: f64 = number.trim().parse().ok().filter(|number: &f64| *number >= 0.0)?;
    let unit = unit.trim();
    let letter = unit.strip_suffix("ib").or(unit.strip_suffix('b')).unwrap_or(unit);
    let factor: u64 = match letter {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        "t" => 1 << 40,
        "p" => 1 << 50,
        _ => return None,
    };
    let size = number * factor as f64;
    if size < u64::MAX as f64 { Some(Bytes(size as u64)) } else { None }
}

/// The words of a command line: quotes and backslashes as in a shell, nothing else of it.
pub(super) fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some('"') | None, '\\') => {
                let next = chars.next()?;
                word.get_or_insert_default().push(next);
            }
            (Some(open), c) if c == open => {
                quote = None;
                if matches!(c, ')' | '`') {
                    word.get_or_insert_default().push(c);
                }
            }
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t' | '\r' | '\n') => words.extend(word.take()),
            // A control operator ends what Compose reads.
            (None, ';' | '&' | '|' | '<' | '>') => break,
            (None, '(') if !word.as_ref().is_some_and(|word| word.ends_with('$')) => return None,
            (None, '(' | '`') => {
                word.get_or_insert_default().push(c);
                quote = Some(if c == '(' { ')' } else { '`' });
            }
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return None;
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, nanos) in [
            ("1m30s", Some(90_000_000_000)),
            ("1.5h", Some(5_400_000_000_000)),
            ("500ms", Some(500_000_000)),
            ("10us", Some(10_000)),
            ("0", Some(0)),
            ("10", None),
            ("s", None),
            ("", None),
            ("1x", None),
        ] {
            assert_eq!(duration(text), nanos.map(Duration::from_nanos), "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, size) in [
            ("512m", Some(536_870_912)),
            ("1.5GB", Some(1_610_612_736)),
            ("64kib", Some(65_536)),
            ("10", Some(10)),
            ("10 b", Some(10)),
            ("x", None),
            ("-1", None),
        ] {
            assert_eq!(bytes(text), size.map(Bytes), "{text}");
        }
    }

    #[test]
    fn command_lines() {
        assert_eq!(
            words("sh -c 'a b' \"c \\\" d\" e\\ f ''").unwrap(),
            ["sh", "-c", "a b", "c \" d", "e f", ""]
        );
        assert_eq!(words("echo $(a b)c `d e`; f").unwrap(), ["echo", "$(a b)c", "`d e`"]);
        assert_eq!(words("a 'b"), None);
        assert_eq!(words("(a)"), None);
        assert_eq!(words("").unwrap(), Vec::<String>::new());
    }
}
