//! A password stands on a command line.

use plimsoll_model::Facts;
use plimsoll_model::commands::Command;
use plimsoll_text::Place;

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HST-003",
    name: "password-on-command-line",
    title: "A password stands on a command line",
    theme: Theme::HostAccess,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("password_on_command_line.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen = std::collections::BTreeSet::new();
    for command in facts.commands.iter() {
        if facts.commands.is_only_read(command.unit) {
            continue;
        }
        let Some((place, option)) = password(command) else { continue };
        if !seen.insert((command.place.file, option)) {
            continue;
        }
        findings
            .add(place, format!("`{option}` puts the password on the command line"))
            .label("every process list shows it while the command runs")
            .mask(place)
            .help("use a key or an API token, or hand the password over by a file or standard input");
    }
}

fn password(command: &Command) -> Option<(Place, &'static str)> {
    match command.program.as_str() {
        "sshpass" => command.option(&["-p"]).map(|o| (o.value.place, "sshpass -p")),
        "plink" | "pscp" | "psftp" => command.login_password().map(|o| (o.value.place, "-pw")),
        "pct" if command.is("pct", &["create"]) => {
            command.option(&["--password", "-password"]).map(|o| (o.value.place, "pct create --password"))
        }
        "qm" => command.option(&["--cipassword", "-cipassword"]).map(|o| (o.value.place, "qm --cipassword")),
        "pveum" => command.option(&["--password", "-password"]).map(|o| (o.value.place, "pveum --password")),
        "curl" if command.arg_texts().any(|arg| arg.contains(":8006")) => command
            .option(&["-u", "--user"])
            .filter(|o| o.text.contains(':'))
            .map(|o| (o.value.place, "curl --user")),
        _ => None,
    }
}
