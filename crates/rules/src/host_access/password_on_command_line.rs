//! A password stands on a command line.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, HopKind};
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
    let mut habits: BTreeMap<&'static str, Vec<Place>> = BTreeMap::new();
    let mut seen = std::collections::BTreeSet::new();
    for command in facts.commands.iter() {
        if facts.commands.is_only_read(command.unit) {
            continue;
        }
        let found = password(command)
            .or_else(|| piped_to_sudo(facts, command))
            .or_else(|| assigned_over_ssh(facts, command));
        let Some((place, option)) = found else { continue };
        if !seen.insert((command.place.file, option)) {
            continue;
        }
        habits.entry(option).or_default().push(place);
    }
    for (option, places) in habits {
        // A habit of many files is one thing to mend.
        let groups: Vec<&[Place]> =
            if places.len() > MANY { vec![&places] } else { places.chunks(1).collect() };
        for group in groups {
            let Some((first, rest)) = group.split_first() else { continue };
            let finding = findings.add(*first, format!("`{option}` puts the password on the command line"));
            finding.label("every process list shows it while the command runs").mask(*first);
            for place in rest {
                finding.related(*place, "here too").mask(*place);
            }
            finding.help("use a key or an API token, or hand the password over by a file or standard input");
        }
    }
}

/// Files with the same habit beyond which one finding speaks for all.
const MANY: usize = 6;

/// `echo PASSWORD | sudo -S`: each shell on the way has the password among its arguments.
fn piped_to_sudo(facts: &Facts, command: &Command) -> Option<(Place, &'static str)> {
    let own = command.pipeline.filter(|place| place.index == 0)?;
    let value = command.args.first().filter(|_| command.program == "echo" && command.args.len() == 1)?;
    let reads = |other: &Command| {
        other.program == "sudo"
            && other.flag(&["-S", "--stdin"]).is_some()
            && other.pipeline.is_some_and(|place| place.span == own.span && place.index == 1)
    };
    let sudo = facts.commands.of_unit(command.unit).iter().any(reads);
    (sudo && !value.value.text.is_empty() && command.hops.iter().any(|hop| hop.kind.reads_shell_text()))
        .then_some((value.place, "echo … | sudo -S"))
}

/// `ssh host "APP_PASSWORD=… script"`: the far shell and the local `ssh` both show it.
fn assigned_over_ssh(facts: &Facts, command: &Command) -> Option<(Place, &'static str)> {
    let by_ssh = matches!(command.hops.last().map(|hop| &hop.kind), Some(HopKind::Ssh { .. }));
    if !by_ssh || command.program.is_empty() {
        return None;
    }
    let carrier = facts.commands.get(command.carrier?)?;
    let holds = |name: &str| {
        let name = name.to_ascii_uppercase();
        ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "_PW", "_PASS"].iter().any(|word| name.contains(word))
    };
    let (_, _, place) =
        command.assignments.iter().find(|(name, value, _)| holds(name) && !value.text.is_empty())?;
    (carrier.program == "ssh").then_some((*place, "ssh … NAME=password"))
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
