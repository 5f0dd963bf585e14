//! Document states another default or behaviour than the scripts have.

use std::sync::LazyLock;

use plimsoll_model::{Facts, Kind};

use plimsoll_text::{Phrases, Place, Span};

use crate::secrets::regenerated;

use crate::edits;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "DOC-004",
    name: "documented-default-differs",
    title: "Document states another default or behaviour than the scripts have",
    theme: Theme::DocsDrift,
    severity: Severity::Low,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[],
    doc: include_str!("documented_default_differs.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    guest_ids(facts, findings);
    promises(facts, findings);
}

fn guest_ids(facts: &Facts, findings: &mut Findings<'_>) {
    let made: Vec<_> = facts
        .guests
        .real()
        .filter(|guest| guest.created)
        .filter_map(|guest| Some((guest, guest.id.as_ref()?)))
        .filter(|(_, id)| id.text.bytes().all(|b| b.is_ascii_digit()))
        .collect();
    let [(guest, id)] = made.as_slice() else { return };
    for documented in facts.guests.documented().filter(|documented| documented.created) {
        let Some(other) = documented.id.as_ref().filter(|other| other.text != id.text) else { continue };
        if other.text.bytes().all(|b| b.is_ascii_digit()) && !other.text.is_empty() {
            findings
                .add(
                    documented.place,
                    format!("this document makes guest `{}`, the scripts work on `{}`", other.text, id.text),
                )
                .label("copied from here, it is another guest")
                .related(guest.place, "made here")
                .help("use the scripts' number, or a placeholder that nobody can copy")
                .fix(edits::safe(
                    format!("name guest `{}`", id.text),
                    same_guest(facts, documented.place.file, &other.text, &id.text),
                ));
        }
    }
}

/// Ways to promise that a second run changes nothing.
static PROMISES: LazyLock<Phrases> = LazyLock::new(|| {
    Phrases::new(&[
        "idempotent",
        "safe to run multiple times",
        "safe to re-run",
        "safe to rerun",
        "if .env doesn't exist",
        "if `.env` doesn't exist",
        "if .env does not exist",
        "if `.env` does not exist",
        "keeps the existing .env",
        "existing .env is kept",
        "existing `.env` is kept",
        "preserves existing",
    ])
});

fn promises(facts: &Facts, findings: &mut Findings<'_>) {
    let Some(secret) = regenerated(facts).into_iter().next() else { return };
    for file in facts.trees.of_kind(Kind::Markdown) {
        let Some(tree) = facts.trees.markdown.get(&file) else { continue };
        let source = facts.files.get(file);
        let hits: Vec<usize> = PROMISES.lines(source).collect();
        if hits.is_empty() {
            continue;
        }
        let line = tree.lines.iter().find(|line| {
            hits.binary_search(&source.line_of(tree.place(line).span.start)).is_ok()
                && !tree.text(line).to_lowercase().contains("not idempotent")
        });
        // Only a document that speaks of this deployment makes promises about it.
        let speaks_of_it = || {
            let text = source.lowercase();
            ["proxmox", "pct ", "deploy"].iter().any(|word| text.contains(word)) && text.contains(".env")
        };
        if let Some(line) = line.filter(|_| speaks_of_it()) {
            findings
                .add(
                    tree.place(line),
                    format!("a second run is not the same: `{}` is made anew each time", secret.key),
                )
                .label("promises otherwise")
                .related(secret.place, "replaced at every run")
                .help("keep the first value in the script, then the promise holds");
        }
    }
}

/// The scripts' number in every command of the document.
fn same_guest(
    facts: &Facts,
    file: plimsoll_text::FileId,
    old: &str,
    new: &str,
) -> Option<Vec<plimsoll_text::Edit>> {
    let commands = facts.commands.iter().filter(|command| {
        facts.commands.unit(command.unit).file == file
            && matches!(command.program.as_str(), "pct" | "qm" | "vzdump" | "lxc-attach")
    });
    let numbers = commands
        .flat_map(|command| &command.args)
        .filter(|arg| arg.value.text == old && facts.text(arg.place) == old);
    let units = facts.commands.iter().filter(|command| facts.commands.unit(command.unit).file == file);
    let units = units.flat_map(|command| &command.args).filter_map(|arg| {
        let unit = edits::part(facts, arg.place, &format!("pvecontainer@{old}"))?;
        Some(edits::replace(unit, format!("pvecontainer@{new}")))
    });
    let mut edits: Vec<_> = numbers.map(|arg| edits::replace(arg.place, new)).chain(units).collect();
    let known: Vec<_> = edits.iter().map(|edit| edit.place.span).collect();
    let said = said_numbers(facts.files.get(file).text(), old)
        .map(|span| Place::new(file, span))
        .filter(|place| !known.iter().any(|span| span.start < place.span.end && place.span.start < span.end));
    edits.extend(said.map(|place| edits::replace(place, new)));
    Some(edits)
}

/// Where prose and comments say a guest's number: `container 106`, `**Container ID**: 106`, `LXC 106`.
fn said_numbers<'a>(text: &'a str, number: &'a str) -> impl Iterator<Item = Span> + 'a {
    const NAMES: &[&str] = &["container", "lxc", "ct", "guest", "vm", "vmid", "ctid", "id"];
    text.match_indices(number).filter_map(|(at, _)| {
        let end = at + number.len();
        let line = text.get(..at)?.rsplit('\n').next()?;
        let word = line.trim_end_matches([' ', '*', '`', ':', '#', '=']);
        let last = word.rsplit(|c: char| !c.is_ascii_alphanumeric()).next()?.to_ascii_lowercase();
        let rest = text.get(end..)?;
        let rest = rest.strip_prefix(['.', ':', '-', '/', '_']).unwrap_or(rest);
        let whole = !rest.starts_with(|c: char| c.is_ascii_alphanumeric());
        (whole && word.len() < line.len() && NAMES.contains(&last.as_str()))
            .then(|| Some(Span::new(u32::try_from(at).ok()?, u32::try_from(end).ok()?)))?
    })
}

#[cfg(test)]
mod tests {
    use super::said_numbers;

    #[test]
    fn a_number_is_the_guests_only_where_the_text_says_so() {
        let text = "**Container ID**: 106\n# Created container 106 with\ninside LXC 106:\n106 files, port 106, CT 1061, vm 106.5, id 106-a";
        let lines: Vec<usize> =
            said_numbers(text, "106").map(|span| text[..span.start as usize].matches('\n').count()).collect();
        assert_eq!(lines, [0, 1, 2]);
        assert_eq!(said_numbers("inside LXC 106.\n", "106").count(), 1);
    }
}
