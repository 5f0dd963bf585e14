//! Downloads that nobody checks.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::commands::Command;
use plimsoll_text::{FileId, Place};

use super::development::is_for_development;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "BLD-006",
    name: "build-without-tls-check",
    title: "Checks of downloads are switched off",
    theme: Theme::TransferBuild,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "OWASP, Docker Security Cheat Sheet",
        url: "https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html",
    }],
    doc: include_str!("build_without_tls_check.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut found: BTreeMap<FileId, Vec<(Place, String)>> = BTreeMap::new();
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        if unit.origin.is_documentation() || is_for_development(facts.path(unit.file)) {
            continue;
        }
        if let Some((place, word)) = switched_off(command) {
            found.entry(place.file).or_default().push((place, word));
        }
    }
    for places in found.into_values() {
        let mut rest = places.into_iter();
        let Some((first, word)) = rest.next() else { continue };
        let finding = findings.add(first, format!("`{word}` switches off the check of what is downloaded"));
        for (place, _) in rest.filter(|(place, _)| *place != first) {
            finding.related(place, "here, too");
        }
        finding
            .note("whoever is between this machine and the server decides what is installed")
            .help("remove it; if a proxy has a certificate of its own, install that certificate");
    }
}

fn switched_off(command: &Command) -> Option<(Place, String)> {
    let flags: &[&str] = match command.program.as_str() {
        "pip" | "pip3" | "uv" => &["--trusted-host", "--allow-insecure-host"],
        "python" | "python3" if command.is(&command.program, &["-m", "pip"]) => &["--trusted-host"],
        "curl" if downloads(command) => &["-k", "--insecure"],
        "wget" => &["--no-check-certificate"],
        "apt" | "apt-get" => &["--allow-unauthenticated", "--force-yes", "--allow-insecure-repositories"],
        "apk" => &["--allow-untrusted"],
        "dnf" | "yum" => &["--nogpgcheck"],
        _ => &[],
    };
    if let Some(arg) = command.flag(flags) {
        return Some((arg.place, arg.value.text.split('=').next().unwrap_or_default().to_owned()));
    }
    let exact = |text: &str| match command.program.as_str() {
        "npm" | "yarn" | "pnpm" => text == "--strict-ssl=false" || text == "--no-strict-ssl",
        "git" => text.starts_with("http.sslVerify=false"),
        _ => false,
    };
    if let Some(arg) = command.args.iter().find(|arg| exact(&arg.value.text)) {
        return Some((arg.place, arg.value.text.clone()));
    }
    let variable = command.assignments.iter().find(|(name, value, _)| {
        matches!(
            (name.as_str(), value.text.as_str()),
            ("NODE_TLS_REJECT_UNAUTHORIZED" | "PYTHONHTTPSVERIFY", "0") | ("GIT_SSL_NO_VERIFY", "1" | "true")
        )
    });
    variable.map(|(name, value, place)| (*place, format!("{name}={}", value.text)))
}

/// Whether it fetches from elsewhere and keeps or runs what it gets.
fn downloads(command: &Command) -> bool {
    let local = |text: &str| text.contains("localhost") || text.contains("127.0.0.1");
    let keeps = command.flag(&["-o", "-O", "--output", "--remote-name"]).is_some()
        || command.pipeline.as_ref().is_some_and(|pipeline| pipeline.index + 1 < pipeline.length);
    keeps
        && !command.arg_texts().any(|text| local(text) || text.contains("api2/json"))
        && !command.arg_texts().any(|text| text == "/dev/null")
}
