//! Edits of shell commands.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Origin};
use plimsoll_syntax::shell::Quote;
use plimsoll_text::{Edit, Place, Span};

use super::{after, line_head, line_tail, lines_after, remove};

/// Adds an argument behind the last one. The text must mean the same inside any quotes.
pub(crate) fn add_argument(command: &Command, text: &str) -> Edit {
    after(last_word(command), format!(" {text}"))
}

/// The place of the last word of a command.
pub(crate) fn last_word(command: &Command) -> Place {
    command.args.last().map_or(command.place, |arg| arg.place)
}

/// Removes a word with the blanks and line breaks in front of it.
pub(crate) fn remove_word(facts: &Facts, word: Place) -> Edit {
    let text = facts.files.get(word.file).text();
    let mut head = text.get(..word.span.start as usize).unwrap_or_default();
    loop {
        let trimmed = head.trim_end_matches([' ', '\t', '\r', '\n']);
        let broken =
            trimmed.len() < head.len() && head.get(trimmed.len()..).is_some_and(|gap| gap.contains('\n'));
        head = match trimmed.strip_suffix('\\') {
            Some(rest) if broken => rest,
            _ => {
                head = trimmed;
                break;
            }
        };
    }
    let start = u32::try_from(head.len()).unwrap_or(word.span.start);
    remove(Place::new(word.file, Span::new(start, word.span.end)))
}

/// Whether a command stands in a script file, where lines can be put beside it.
pub(crate) fn in_script(facts: &Facts, command: &Command) -> bool {
    facts.commands.unit(command.unit).origin == Origin::Script
}

/// Removes ` || handler`, so that the failure in front of it counts.
pub(crate) fn without_alternative(facts: &Facts, handler: Place) -> Option<Edit> {
    let head = line_head(facts, handler);
    let operator = head.trim_end().strip_suffix("||")?;
    let length = u32::try_from(head.len() - operator.trim_end().len()).ok()?;
    Some(remove(Place::new(handler.file, Span::new(handler.span.start - length, handler.span.end))))
}

/// Another command for the place where this one runs, as one line: the commands that carry it, with other words at
/// the end. Nothing where it is carried in another way than by `ssh` and `pct exec`.
pub(crate) fn beside(facts: &Facts, command: &Command, words: &str) -> Option<String> {
    let outer = facts.commands.outermost(command);
    if outer.id == command.id {
        return Some(words.to_owned());
    }
    let mut carriers = Vec::new();
    let mut current = command;
    while let Some(carrier) =
        current.carrier.and_then(|id| facts.commands.get(id)).filter(|c| c.id < current.id)
    {
        carriers.push(carrier);
        current = carrier;
    }
    let entry = carriers.iter().find(|carrier| carrier.is("pct", &["exec"]));
    let text =
        |from: Place, to: Place| facts.text(Place::new(from.file, Span::new(from.span.start, to.span.end)));
    let line = match entry {
        Some(entry) => {
            let end = entry.args.iter().find(|arg| arg.value.text == "--")?;
            let head = text(outer.place, end.place);
            match (entry.id == outer.id, open_quote(head)) {
                (true, _) => format!("{head} {words}"),
                (false, Some(quote)) if outer.program == "ssh" && !words.contains(quote) => {
                    format!("{head} {words}{quote}")
                }
                _ => return None,
            }
        }
        None if outer.program == "ssh" => {
            format!("{} \"{words}\"", text(outer.place, outer.operands().next()?.place))
        }
        None => return None,
    };
    (!line.contains('\n')).then_some(line)
}

/// The quote that begins in a text and does not end there.
fn open_quote(text: &str) -> Option<char> {
    text.chars().filter(|c| matches!(c, '"' | '\'')).fold(None, |open, c| match open {
        None => Some(c),
        Some(quote) if quote == c => None,
        open => open,
    })
}

/// Lines behind the statement that a command belongs to, when that has its lines for itself.
pub(crate) fn statement_after(facts: &Facts, command: &Command, lines: &str) -> Option<Edit> {
    let place = facts.commands.outermost(command).place;
    let alone = line_head(facts, place).trim().is_empty() && line_tail(facts, place).trim().is_empty();
    (alone && in_script(facts, command)).then(|| lines_after(facts, place, lines))
}

/// Whether the words of a command stand inside the quotes of a command that carries it.
pub(crate) fn is_quoted(facts: &Facts, command: &Command) -> bool {
    let Some(carrier) = command.carrier.and_then(|id| facts.commands.get(id)) else { return false };
    let start = Span::new(command.place.span.start, command.place.span.start);
    let mut parts = carrier.args.iter().flat_map(|arg| &arg.word.parts);
    parts.any(|part| part.quote != Quote::None && part.span.contains(start))
}

/// A text as it must be written to stand where a command's words stand: escaped for the quotes of each command that
/// carries it. Nothing where a carrier has no quotes around it.
pub(crate) fn escaped(facts: &Facts, command: &Command, text: &str) -> Option<String> {
    let mut out = text.to_owned();
    let mut current = command;
    while let Some(carrier) = current.carrier.and_then(|id| facts.commands.get(id)) {
        if carrier.id >= current.id {
            break;
        }
        let part =
            carrier.args.iter().flat_map(|arg| &arg.word.parts).find(|part| {
                part.span.contains(Span::new(current.place.span.start, current.place.span.start))
            });
        match part.map(|part| part.quote) {
            Some(Quote::Double) => {
                let mut escaped = String::with_capacity(out.len());
                for c in out.chars() {
                    if matches!(c, '"' | '\\' | '$' | '`') {
                        escaped.push('\\');
                    }
                    escaped.push(c);
                }
                out = escaped;
            }
            Some(Quote::Single) => out = out.replace('\'', "'\\''"),
            // The words of `pct exec` and its like are read by one shell only, those of `ssh` by two.
            _ if carrier.program != "ssh" => {}
            _ if out.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:=, ".contains(&b)) => {}
            _ => return None,
        }
        current = carrier;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{apply, facts, place};
    use super::*;

    #[test]
    fn words_go_with_the_line_that_they_stand_on() {
        let facts = facts(&[("x.sh", "pip install \\\n    --a b \\\n    -e .\ncp -r x y\n")]);
        let word = |text: &str| place(&facts, text);
        assert_eq!(
            apply(&facts, &[remove_word(&facts, word("--a b"))]),
            "pip install \\\n    -e .\ncp -r x y\n"
        );
        assert!(apply(&facts, &[remove_word(&facts, word("-r"))]).ends_with("cp x y\n"));
    }

    #[test]
    fn text_is_escaped_for_each_pair_of_quotes_around_it() {
        let facts = facts(&[("x.sh", "ssh h \"pct exec 1 -- bash -c 'apt-get update'\"\nssh h 'reboot'\n")]);
        let of = |program: &str| {
            let command = facts.commands.iter().find(|command| command.program == program).unwrap();
            escaped(&facts, command, "echo \"$A\" 'b'")
        };
        assert_eq!(of("apt-get").unwrap(), "echo \\\"\\$A\\\" '\\\\''b'\\\\''");
        assert_eq!(of("reboot").unwrap(), "echo \"$A\" '\\''b'\\''");
        assert_eq!(of("ssh").unwrap(), "echo \"$A\" 'b'");
    }

    #[test]
    fn a_command_beside_another_goes_the_same_way() {
        let facts = facts(&[(
            "x.sh",
            "f() {\n  ssh \"$H\" \"pct exec $ID -- bash -c 'cd /a && docker compose up -d'\"\n}\nssh h 'docker compose pull'\ndocker build .\n",
        )]);
        let of = |words: &[&str]| {
            let command = facts.commands.iter().find(|command| command.is("docker", words)).unwrap();
            let line = beside(&facts, command, "docker image ls").unwrap();
            assert!(statement_after(&facts, command, &line).is_some());
            line
        };
        assert_eq!(of(&["compose", "up"]), "ssh \"$H\" \"pct exec $ID -- docker image ls\"");
        assert_eq!(of(&["compose", "pull"]), "ssh h \"docker image ls\"");
        assert_eq!(of(&["build"]), "docker image ls");
    }
}
