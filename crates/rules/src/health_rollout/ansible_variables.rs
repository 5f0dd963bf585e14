//! Variables of Ansible, as far as defaults and group variables tell.

use plimsoll_model::{Facts, Kind};
use plimsoll_text::Place;

/// A text with `{{ name }}` replaced by what the variable files say, and the last place that said something.
pub(crate) fn resolve(facts: &Facts, text: &str) -> (String, Option<Place>) {
    let mut out = String::new();
    let mut source = None;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        out.push_str(before);
        match variable(facts, name.trim()) {
            Some((value, place)) => {
                out.push_str(&value);
                source = Some(place);
            }
            None => {
                out.push_str("{{");
                out.push_str(name);
                out.push_str("}}");
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    (out, source)
}

fn variable(facts: &Facts, name: &str) -> Option<(String, Place)> {
    facts.trees.yaml.iter().find_map(|(file, stream)| {
        let path = facts.path(*file).as_str();
        let holds = ["group_vars", "defaults/", "vars/"].iter().any(|part| path.contains(part));
        if !holds || facts.trees.kind(*file) == Kind::Compose {
            return None;
        }
        let entry = stream.documents.first()?.entry(name)?;
        let value = entry.value.as_str().filter(|value| !value.contains("{{"))?;
        Some((value.to_owned(), Place::new(*file, entry.key.span.cover(entry.value.span))))
    })
}
