//! The example's own list of mistakes is what the evaluation of it must find.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Lines between a finding and the snippet that the list names.
const SLACK: u64 = 3;

/// Rows of the list that evaluation does not find yet, by rule and file. A row that is found must be taken out.
const NOT_FOUND: &[(&str, &str)] = &[
    ("BLD-015", "backend/Dockerfile"),
    ("CMP-006", "scripts/proxmox/deploy.sh"),
    ("DAT-006", "docs/deployment/tasks.md"),
    ("DAT-009", "Taskfile.yml"),
    ("DOC-004", "docs/deployment/tasks.md"),
    ("DOC-005", ".env.production.example"),
    ("DOC-005", "backend/Dockerfile"),
    ("DOC-005", "docs/deployment/tasks.md"),
    ("DOC-005", "scripts/proxmox/logs.sh"),
    ("DOC-008", ".env.production.example"),
    ("HLT-003", "docker-compose.prod.yml"),
    ("HLT-004", "Taskfile.yml"),
    ("HLT-006", "docs/deployment/guide.md"),
    ("HST-007", "Taskfile.yml"),
    ("SCR-003", "scripts/proxmox/deploy.sh"),
    ("SCR-010", "scripts/proxmox/deploy.sh"),
    ("SEC-007", "docs/deployment/guide.md"),
    ("SEC-011", "docker-compose.prod.yml"),
    ("SEC-015", "scripts/proxmox/deploy.sh"),
];

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/papertrade")
}

#[expect(clippy::disallowed_methods, reason = "the list of mistakes is a file of the example")]
fn read(file: &str) -> String {
    std::fs::read_to_string(example().join(file)).unwrap()
}

struct Row {
    code: String,
    file: String,
    line: u64,
}

/// Rows of the tables under the headings that `wanted` accepts.
fn rows(list: &str, wanted: impl Fn(&str) -> bool) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut takes = false;
    for text in list.lines() {
        if let Some(heading) = text.strip_prefix("## ") {
            takes = wanted(heading);
        }
        let cells: Vec<&str> = text.trim_matches('|').split('|').map(str::trim).collect();
        let [code, file, snippet, _] = cells.as_slice() else { continue };
        if !takes || code.as_bytes().get(3).is_none_or(|b| *b != b'-') || code.len() != 7 {
            continue;
        }
        let file = file.trim_matches('`').to_owned();
        let snippet = snippet.trim_matches('`').trim();
        let source = read(&file);
        let at: Vec<usize> = source.match_indices(snippet).map(|(at, _)| at).collect();
        assert_eq!(at.len(), 1, "`{snippet}` must occur once in {file}");
        let line = source[..at[0]].lines().count().max(1) as u64 + u64::from(source[..at[0]].ends_with('\n'));
        rows.push(Row { code: (*code).to_owned(), file, line });
    }
    rows
}

fn findings() -> Vec<Value> {
    let output = assert_cmd::Command::cargo_bin("plimsoll")
        .unwrap()
        .args(["evaluate", "--format", "json", "--fail-on", "never"])
        .arg(example())
        .assert()
        .success();
    let report: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    report["findings"].as_array().unwrap().clone()
}

fn touches(location: &Value, row: &Row, slack: u64) -> bool {
    location["path"] == row.file.as_str()
        && location["start"]["line"].as_u64().is_some_and(|line| line <= row.line + slack)
        && location["end"]["line"].as_u64().is_some_and(|line| line + slack >= row.line)
}

#[test]
fn listed_mistakes_are_found() {
    let list = read("MISTAKES.md");
    let findings = findings();
    let mut wrong = Vec::new();
    let mut open: BTreeSet<(&str, &str)> = NOT_FOUND.iter().copied().collect();
    for row in rows(&list, |heading| !heading.starts_with("Looks wrong")) {
        let found = findings.iter().filter(|finding| finding["code"] == row.code.as_str()).any(|finding| {
            let related = finding["related"].as_array().into_iter().flatten();
            std::iter::once(&finding["location"])
                .chain(related)
                .any(|location| touches(location, &row, SLACK))
        });
        let known = NOT_FOUND.contains(&(row.code.as_str(), row.file.as_str()));
        if !found && !known {
            wrong.push(format!("{} {}:{} is not found", row.code, row.file, row.line));
        }
        if !found {
            open.retain(|(code, file)| *code != row.code || *file != row.file);
        }
    }
    wrong.extend(
        open.iter().map(|(code, file)| format!("{code} {file} is found now: take it out of NOT_FOUND")),
    );
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_only_looks_wrong_is_left_alone() {
    let list = read("MISTAKES.md");
    let findings = findings();
    let alarms: Vec<String> = rows(&list, |heading| heading.starts_with("Looks wrong"))
        .iter()
        .filter(|row| {
            findings.iter().any(|f| f["code"] == row.code.as_str() && touches(&f["location"], row, 0))
        })
        .map(|row| format!("{} {}:{}", row.code, row.file, row.line))
        .collect();
    assert!(alarms.is_empty(), "false alarms:\n{}", alarms.join("\n"));
}
