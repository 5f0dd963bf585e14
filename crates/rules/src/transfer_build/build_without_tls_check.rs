//! Downloads that nobody checks.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::commands::Command;
use plimsoll_text::{Edit, FileId, Place};

use super::development::is_for_development;
use crate::edits;
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
    let mut edits: BTreeMap<FileId, Vec<Edit>> = BTreeMap::new();
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        if unit.origin.is_documentation() || is_for_development(facts.path(unit.file)) {
            continue;
        }
        if let Some((place, word)) = switched_off(command) {
            edits.entry(place.file).or_default().extend(switch_on(facts, command));
            found.entry(place.file).or_default().push((place, word));
        }
    }
    for (file, places) in found {
        let edits = edits.remove(&file).filter(|edits| edits.len() >= places.len());
        let mut rest = places.into_iter();
        let Some((first, word)) = rest.next() else { continue };
        let finding = findings.add(first, format!("`{word}` switches off the check of what is downloaded"));
        for (place, _) in rest.filter(|(place, _)| *place != first) {
            finding.related(place, "here, too");
        }
        finding
            .note("whoever is between this machine and the server decides what is installed")
            .help("remove it; if a proxy has a certificate of its own, install that certificate")
            .fix(edits::safe("check what is downloaded again", edits));
    }
}

/// Removes what switches the check off, with its value where it has one.
fn switch_on(facts: &Facts, command: &Command) -> Vec<Edit> {
    let mut out = Vec::new();
    let mut previous_takes_value = false;
    for arg in &command.args {
        let text = arg.value.text.as_str();
        let takes_value = matches!(text, "--trusted-host" | "--allow-insecure-host");
        let flag = takes_value
            || text.starts_with("--trusted-host=")
            || text.starts_with("--allow-insecure-host=")
            || matches!(
                text,
                "--insecure"
                    | "--no-check-certificate"
                    | "--allow-unauthenticated"
                    | "--force-yes"
                    | "--allow-insecure-repositories"
                    | "--allow-untrusted"
                    | "--nogpgcheck"
                    | "--strict-ssl=false"
                    | "--no-strict-ssl"
            )
            || text == "-k" && command.program == "curl";
        if flag || std::mem::take(&mut previous_takes_value) {
            out.push(edits::remove_word(facts, arg.place));
        } else if command.program == "curl" && is_bundle_with_k(text) {
            out.push(edits::replace(arg.place, text.replacen('k', "", 1)));
        }
        previous_takes_value = takes_value;
    }
    out
}

/// `-fsSkL`: short options of curl in one word, none of them with a value.
fn is_bundle_with_k(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|letters| {
        letters.len() > 1 && letters.contains('k') && letters.bytes().all(|b| b"fsSkLOjvi".contains(&b))
    })
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
