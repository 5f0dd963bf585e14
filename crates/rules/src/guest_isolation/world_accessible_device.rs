//! Device of the node is opened to every user.

use plimsoll_model::Facts;
use plimsoll_model::commands::Machine;
use plimsoll_text::Place;

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "ISO-010",
    name: "world-accessible-device",
    title: "Device of the node is opened to every user",
    theme: Theme::GuestIsolation,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("world_accessible_device.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut found: Vec<(Place, String)> = Vec::new();
    for command in facts.commands.iter().filter(|command| command.machine == Machine::Node) {
        if command.program == "chmod" {
            let opens = command.arg_texts().any(opens_to_all);
            let device = command.args.iter().find(|arg| arg.value.text.starts_with("/dev/"));
            if let Some(device) = device.filter(|_| opens) {
                found.push((command.place, device.value.text.clone()));
            }
        }
        let Some(heredoc) = &command.heredoc else { continue };
        let mut start = 0;
        for line in heredoc.body.text().split_inclusive('\n') {
            if let Some(device) = opened_by_line(line) {
                found.push((heredoc.body.place(start..start + line.trim_end().len()), device));
            }
            start += line.len();
        }
    }
    let mut seen: Vec<Place> = Vec::new();
    for (place, device) in found {
        if seen.iter().any(|other| other.file == place.file && other.span.contains(place.span)) {
            continue;
        }
        seen.push(place);
        findings
            .add(place, format!("`{device}` of the node is opened to every user"))
            .label("everyone may write")
            .note("every process of the node and of every guest that sees the device may use it; the next boot sets the mode back")
            .help("pass the device with `pct set ID --dev0 PATH,gid=GROUP`, which sets owner and mode in the guest alone");
    }
}

fn opens_to_all(mode: &str) -> bool {
    let digits = mode.trim_start_matches('0');
    let octal = digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit());
    (octal && digits.ends_with(['2', '3', '6', '7']))
        || ["a+rw", "o+rw", "a+w", "o+w", "+rw", "ugo+rw", "a+rwx"].contains(&mode)
}

/// A line of a unit or of udev rules.
fn opened_by_line(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split([' ', '\t', '"', '\'', ';']).collect();
    if let Some(at) = words.iter().position(|word| word.ends_with("chmod")) {
        let rest = words.get(at + 1..)?;
        let device = rest.iter().find(|word| word.starts_with("/dev/"))?;
        return rest.iter().any(|word| opens_to_all(word)).then(|| (*device).to_owned());
    }
    let is_udev =
        line.contains("MODE=\"0666\"") || line.contains("MODE=\"666\"") || line.contains("MODE:=\"0666\"");
    is_udev.then(|| {
        let name = line.split("KERNEL==\"").nth(1).and_then(|rest| rest.split('"').next());
        format!("/dev/{}", name.unwrap_or("…"))
    })
}
