//! Edits of a service's environment.

use plimsoll_model::Facts;
use plimsoll_model::compose::{EnvOrigin, Service};
use plimsoll_text::Edit;

use super::{add_entries, line_head, lines_after};

/// Gives a service a variable, in the form that its environment has.
pub(crate) fn add_variable(facts: &Facts, service: &Service, name: &str, value: &str) -> Option<Edit> {
    if !super::is_in_compose_file(facts, service.place) {
        return None;
    }
    let own = service.environment.values().filter(|entry| entry.origin == EnvOrigin::Compose);
    let last = own.filter(|entry| entry.place.file == service.place.file).max_by_key(|entry| entry.place);
    let Some(last) = last else {
        let entry = format!("environment:\n  {name}: {}", scalar(value));
        return add_entries(facts, service.place, &entry);
    };
    let head = line_head(facts, last.place).trim();
    if head.is_empty() {
        return Some(lines_after(facts, last.place, &format!("{name}: {}", scalar(value))));
    }
    let text = facts.text(last.place);
    let quote = head.chars().chain(text.chars().take(1)).find(|c| matches!(c, '"' | '\''));
    let quote = quote.map(String::from).unwrap_or_default();
    let item = format!("- {quote}{name}={value}{quote}");
    head.starts_with('-').then(|| lines_after(facts, last.place, &item))
}

/// A text as a YAML scalar, quoted where it must be.
pub(crate) fn scalar(text: &str) -> String {
    let plain = !text.is_empty()
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.starts_with(|c: char| "[]{},&*#?|-<>=!%@`'\"".contains(c))
        && text.parse::<f64>().is_err()
        && !matches!(text, "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "~");
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")) }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{apply, facts};
    use super::*;

    fn added(environment: &str) -> String {
        let text = format!("services:\n  a:\n    image: x\n{environment}");
        let facts = facts(&[("compose.yml", &text)]);
        let stack = facts.stacks.iter().next().unwrap();
        let service = stack.services().next().unwrap();
        apply(&facts, &[add_variable(&facts, service, "B", "${B:?}").unwrap()])
            [text.len() - environment.len()..]
            .to_owned()
    }

    #[test]
    fn variables_are_added_in_the_form_of_the_environment() {
        assert_eq!(
            added("    environment:\n      A: 1 # one\n"),
            "    environment:\n      A: 1 # one\n      B: ${B:?}\n"
        );
        assert_eq!(added("    environment:\n    - A=1\n"), "    environment:\n    - A=1\n    - B=${B:?}\n");
        assert_eq!(
            added("    environment:\n      - \"A=1\"\n"),
            "    environment:\n      - \"A=1\"\n      - \"B=${B:?}\"\n"
        );
        assert_eq!(added(""), "    environment:\n      B: ${B:?}\n");
    }
}
