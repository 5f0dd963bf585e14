//! Id maps that undo the shift of users.

use plimsoll_model::Facts;
use plimsoll_syntax::yaml::{Node, NodeKind};
use plimsoll_text::{FileId, Place};

use super::raw;
use crate::{Findings, Severity};

/// Where the range of subordinate ids begins (`subuid(5)`); below are the users of the node.
const FIRST_SUBORDINATE: u64 = 65_536;

/// Reports maps to real users of the node, one finding for each file.
pub(super) fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut maps: Vec<(Place, String)> = raw::lines(facts)
        .into_iter()
        .filter(|line| line.key == "lxc.idmap" && !line.documented)
        .map(|line| (line.place, line.value))
        .collect();
    // Lists of maps in variables, which a loop writes.
    for (file, stream) in &facts.trees.yaml {
        for document in &stream.documents {
            collect(*file, document, &mut maps);
        }
    }
    let mut reported: Vec<FileId> = Vec::new();
    for (place, map) in &maps {
        let Some(host) = real_user(map).filter(|_| !reported.contains(&place.file)) else { continue };
        reported.push(place.file);
        let allowed =
            facts.files.iter().any(|(_, file)| file.holds("/etc/subuid") && file.holds(&format!(":{host}:")));
        let finding =
            findings.add(*place, format!("`{map}` makes a user of the guest user {host} of the node"));
        finding.label("not shifted").severity(match (host, allowed) {
            (0, _) => Severity::Critical,
            (_, true) => Severity::Medium,
            (_, false) => Severity::High,
        });
        for (other, text) in maps
            .iter()
            .filter(|(other, text)| other.file == place.file && other != place && real_user(text).is_some())
        {
            finding.related(*other, format!("so does `{text}`"));
        }
        if !allowed {
            finding.note(format!("the guest does not start unless `/etc/subuid` and `/etc/subgid` of the node hold `root:{host}:1`, and no file here adds it"));
        }
        finding
            .note("a process that breaks out of the guest has that user's files on the node")
            .help("keep the shifted ids, and give the shared directory to the shifted user with `chown`");
    }
}

fn collect(file: FileId, node: &Node, out: &mut Vec<(Place, String)>) {
    if let NodeKind::Scalar(scalar) = &node.kind {
        let words: Vec<&str> = scalar.value.split_whitespace().collect();
        if let [kind @ ("u" | "g"), numbers @ ..] = words.as_slice()
            && numbers.len() == 3
            && numbers.iter().all(|word| word.bytes().all(|b| b.is_ascii_digit()))
        {
            out.push((Place::new(file, node.span), format!("{kind} {}", numbers.join(" "))));
        }
    }
    for entry in node.entries() {
        collect(file, &entry.value, out);
    }
    for item in node.items() {
        collect(file, item, out);
    }
}

/// The user of the node that a map such as `u 1000 1000 1` names.
fn real_user(map: &str) -> Option<u64> {
    let words: Vec<&str> = map.split_whitespace().collect();
    let [_, _, host, _] = words.as_slice() else { return None };
    host.parse().ok().filter(|host| *host < FIRST_SUBORDINATE)
}
