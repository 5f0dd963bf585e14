//! Finds closing brackets without a parser, for text that no parser made sense of.

/// The position of the `)` that closes a `(` opened just before `from`.
pub(super) fn closing_paren(text: &str, from: usize, end: usize) -> Option<usize> {
    let bytes = text.as_bytes().get(..end)?;
    let mut open = vec![b'('];
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        let double = open.last() == Some(&b'"');
        match byte {
            b'\\' => at += 1,
            b'\'' if !double => at = closing(bytes, at + 1, b'\'')?,
            b'`' => at = closing(bytes, at + 1, b'`')?,
            b'"' if double => {
                open.pop();
            }
            b'"' => open.push(b'"'),
            b'(' if !double || bytes.get(at.wrapping_sub(1)) == Some(&b'$') => open.push(b'('),
            b')' if !double => {
                open.pop();
                if open.is_empty() {
                    return Some(at);
                }
            }
            b'#' if !double && starts_comment(bytes, at) => {
                at = closing(bytes, at, b'\n')?;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The position of the backtick that closes one opened just before `from`.
pub(super) fn closing_backtick(text: &str, from: usize, end: usize) -> Option<usize> {
    closing(text.as_bytes().get(..end)?, from, b'`')
}

/// From `at` past blanks, separators and comments: the first byte of something else.
pub(super) fn skip_separators(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\n' | b';' | b'&' => at += 1,
            b'\\' if bytes.get(at + 1) == Some(&b'\n') => at += 2,
            b'#' if starts_comment(bytes, at) => at = closing(bytes, at, b'\n').unwrap_or(bytes.len()),
            _ => break,
        }
    }
    at
}

/// Back from `from` over blanks, newlines and comments to an `open` bracket: its position.
pub(super) fn opening(text: &str, from: usize, open: u8) -> Option<usize> {
    let mut before = text.get(..from)?;
    loop {
        before = before.trim_end_matches([' ', '\t', '\n', '\\']);
        let line = before.rfind('\n').map_or(0, |newline| newline + 1);
        if let Some(comment) = comment_in(before, line, open) {
            before = before.get(..comment)?;
        } else if before.as_bytes().last() == Some(&open) {
            return Some(before.len() - 1);
        } else {
            return None;
        }
    }
}

/// The first `#` of the last line that can start a comment: not within quotes that the line opens.
fn comment_in(text: &str, line: usize, open: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut quotes = [false; 2];
    (line..text.len()).find(|&at| {
        match bytes.get(at) {
            Some(b'\'') => quotes[0] ^= !quotes[1],
            Some(b'"') => quotes[1] ^= !quotes[0],
            _ => {}
        }
        let preceded = starts_comment(bytes, at) || bytes.get(at.wrapping_sub(1)) == Some(&open);
        bytes.get(at) == Some(&b'#') && preceded && quotes == [false; 2]
    })
}

fn starts_comment(bytes: &[u8], at: usize) -> bool {
    at == 0
        || bytes.get(at - 1).is_some_and(|b| matches!(b, b' ' | b'\t' | b'\n' | b';' | b'&' | b'(' | b'|'))
}

/// The next unescaped `wanted`; nothing is escaped on the way to a newline or in single quotes.
fn closing(bytes: &[u8], from: usize, wanted: u8) -> Option<usize> {
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        if byte == wanted {
            return Some(at);
        }
        at += if byte == b'\\' && wanted == b'`' { 2 } else { 1 };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parentheses_in_quotes_and_comments_do_not_count() {
        let close = |text: &str| closing_paren(text, 0, text.len());
        assert_eq!(close("a ')' \")\" \\) `)` (b) # )\n) c"), Some(25));
        assert_eq!(close("\"$(a ')' \")\")\" ) x"), Some(15));
        assert_eq!(close("a # )"), None);
        assert_eq!(closing_paren("a)", 0, 9), None);
    }

    #[test]
    fn brackets_are_found_around_comments() {
        assert_eq!(opening("x { # {\n # c\n  y", 15, b'{'), Some(2));
        assert_eq!(opening("x y", 2, b'{'), None);
        assert_eq!(skip_separators("a ;\n# c\n }", 1), 9);
    }
}
