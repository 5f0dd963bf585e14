//! Template variables (`{{ name }}`) followed to the files that set them.

use plimsoll_model::Facts;
use plimsoll_text::Place;

/// A text with its variables replaced, and where the last of them is set.
pub(super) fn resolve(facts: &Facts, text: &str) -> (String, Option<Place>) {
    let mut out = text.to_owned();
    let mut place = None;
    for _ in 0..8 {
        let Some(start) = out.find("{{") else { break };
        let Some(length) = out.get(start..).and_then(|rest| rest.find("}}")) else { break };
        let name = out.get(start + 2..start + length).unwrap_or_default().trim();
        let name = name.split('|').next().unwrap_or_default().trim().to_owned();
        let Some((value, at)) = setting(facts, &name) else { break };
        out.replace_range(start..start + length + 2, &value);
        place = Some(at);
    }
    (out, place)
}

fn setting(facts: &Facts, name: &str) -> Option<(String, Place)> {
    let is_variables =
        |path: &str| ["group_vars", "host_vars", "defaults/", "vars/"].iter().any(|part| path.contains(part));
    facts.trees.yaml.iter().filter(|(file, _)| is_variables(facts.path(**file).as_str())).find_map(
        |(file, stream)| {
            let entry = stream.documents.iter().find_map(|document| document.entry(name))?;
            let value = entry.value.as_str()?.to_owned();
            Some((value, Place::new(*file, entry.key.span.cover(entry.value.span))))
        },
    )
}
