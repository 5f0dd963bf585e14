//! Publishing a port on the machine itself only.

use plimsoll_model::Facts;
use plimsoll_model::compose::Port;
use plimsoll_text::Edit;

use crate::edits;

/// Writes the loopback address in front of a mapping, or replaces the address that it has. Nothing for the long form
/// in one line.
pub(super) fn on_loopback(facts: &Facts, port: &Port) -> Option<Edit> {
    if !edits::is_in_compose_file(facts, port.place) {
        return None;
    }
    let text = facts.text(port.place);
    let quote = usize::from(text.starts_with(['"', '\'']));
    let body = text.get(quote..)?;
    if body.contains([' ', '\n', '{']) && !body.starts_with("${") {
        // The long form: a mapping whose keys stand below each other.
        let indent = edits::line_head(facts, port.place).chars().map(|c| if c == '-' { ' ' } else { c });
        let indent: String = indent.collect();
        let plain = !body.contains("host_ip") && !body.starts_with('{') && indent.trim().is_empty();
        return plain.then(|| edits::before(port.place, format!("host_ip: 127.0.0.1\n{indent}")));
    }
    let address = ["0.0.0.0:", "[::]:", ":::"].into_iter().find(|address| body.starts_with(address));
    let start = port.place.span.start + u32::try_from(quote).ok()?;
    let length = u32::try_from(address.map_or(0, str::len)).ok()?;
    let place = plimsoll_text::Place::new(port.place.file, plimsoll_text::Span::new(start, start + length));
    let random = port.published.is_none() && address.is_none();
    Some(edits::replace(place, if random { "127.0.0.1::" } else { "127.0.0.1:" }))
}
