//! The simple commands of a `RUN`, as far as package managers need: words split at blanks and operators.

use std::ops::Range;

use plimsoll_text::{Layer, Place};

/// A word without quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) place: Place,
}

/// Splits shell text into simple commands. Assignments in front are dropped.
pub(super) fn commands(layer: &Layer) -> Vec<Vec<Word>> {
    let mut out = vec![Vec::new()];
    for token in (Tokens { text: layer.text(), at: 0 }) {
        match token {
            Token::Operator => out.push(Vec::new()),
            Token::Word(range, text) => {
                let Some(current) = out.last_mut() else { continue };
                let keyword = matches!(
                    text.as_str(),
                    "if" | "then"
                        | "else"
                        | "elif"
                        | "fi"
                        | "do"
                        | "done"
                        | "while"
                        | "for"
                        | "!"
                        | "{"
                        | "}"
                        | "sudo"
                        | "exec"
                        | "time"
                        | "command"
                );
                if current.is_empty() && (keyword || is_assignment(&text)) {
                    continue;
                }
                current.push(Word { text, place: layer.place(range) });
            }
        }
    }
    out.retain(|command| !command.is_empty());
    out
}

fn is_assignment(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

enum Token {
    Word(Range<usize>, String),
    Operator,
}

struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let bytes = self.text.as_bytes();
        loop {
            match *bytes.get(self.at)? {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\\' if bytes.get(self.at + 1) == Some(&b'\n') => self.at += 2,
                b'#' => {
                    let rest = self.text.get(self.at..).unwrap_or_default();
                    self.at += rest.find('\n').unwrap_or(rest.len());
                }
                b'\n' | b';' | b'&' | b'|' | b'(' | b')' => {
                    self.at += 1;
                    return Some(Token::Operator);
                }
                _ => return Some(self.word()),
            }
        }
    }
}

impl Tokens<'_> {
    fn word(&mut self) -> Token {
        let start = self.at;
        let mut text = String::new();
        let mut quote = None;
        let mut end = self.text.len();
        let mut chars = self.text.get(start..).unwrap_or_default().char_indices();
        while let Some((offset, c)) = chars.next() {
            match (quote, c) {
                (None, ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | ')') => {
                    end = start + offset;
                    break;
                }
                (None, '\'' | '"') => quote = Some(c),
                (Some(open), _) if open == c => quote = None,
                (None | Some('"'), '\\') => text.extend(chars.next().map(|(_, c)| c).filter(|c| *c != '\n')),
                _ => text.push(c),
            }
        }
        self.at = end;
        Token::Word(start..end, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_text::Files;

    #[test]
    fn commands_are_split_at_operators_and_words_lose_quotes() {
        let text = "set -e; A=1 apt-get update && (apt install -y 'a b' \"c\" \\\n d) || x # no\ny";
        let files = Files::new([("x".into(), text.to_owned())]);
        let (id, file) = files.iter().next().unwrap();
        let all: Vec<Vec<String>> = commands(&Layer::whole(id, file))
            .into_iter()
            .map(|command| command.into_iter().map(|word| word.text).collect())
            .collect();
        let expected: Vec<Vec<&str>> = vec![
            vec!["set", "-e"],
            vec!["apt-get", "update"],
            vec!["apt", "install", "-y", "a b", "c", "d"],
            vec!["x"],
            vec!["y"],
        ];
        assert_eq!(all, expected);
    }
}
