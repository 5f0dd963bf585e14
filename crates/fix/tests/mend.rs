//! Mending small projects: what is kept, what is withdrawn, and that nothing is left to do afterwards.

use plimsoll_fix::{Mended, Request, mend};
use plimsoll_model::Inventory;
use plimsoll_rules::{RuleSet, Selection};
use plimsoll_text::{Applicability, Files};

fn run(files: &[(&str, &str)], check: &dyn Fn(&str) -> bool) -> Mended {
    run_to(Applicability::Safe, files, check)
}

fn run_to(least: Applicability, files: &[(&str, &str)], check: &dyn Fn(&str) -> bool) -> Mended {
    let inventory = Inventory::new(files.iter().map(|(path, _)| (*path).into()));
    mend(Request {
        files: Files::new(files.iter().map(|(path, text)| ((*path).into(), (*text).to_owned()))),
        inventory: &inventory,
        selection: &Selection::default(),
        accept: &|_, _| {},
        rules: &RuleSet::All,
        least,
        keep: &|path| path.as_str().starts_with("keep/"),
        check: &|_, _, after| check(after).then(|| "the check objects".to_owned()),
    })
}

const COMPOSE: &str = "services:\n  db:\n    image: postgres:16.4 # the store\n    environment:\n      POSTGRES_PASSWORD: ${DB_PASSWORD}\n    ports:\n      - \"5432:5432\"\n    restart: unless-stopped\n";

#[test]
fn fixes_that_touch_one_place_are_all_applied_and_nothing_is_left_to_do() {
    let mended = run(&[("docker-compose.prod.yml", COMPOSE)], &|_| false);
    let codes: Vec<&str> = mended.fixed.iter().map(|fixed| fixed.rule.code).collect();
    for code in ["NET-001", "SEC-010", "CMP-005", "LIF-001"] {
        assert!(codes.contains(&code), "{codes:?}");
    }
    let after = &mended.changed[0].after;
    assert!(
        after.contains("image: postgres:16.4 # the store\n") && after.contains("\"127.0.0.1:5432:5432\"")
    );
    let again = run(&[("docker-compose.prod.yml", after)], &|_| false);
    assert!(again.fixed.is_empty() && again.changed.is_empty(), "{:?}", again.fixed);
}

#[test]
fn one_bad_fix_is_withdrawn_with_its_reason_and_the_others_are_kept() {
    let mended = run(&[("docker-compose.prod.yml", COMPOSE)], &|text| text.contains("127.0.0.1"));
    let withdrawn: Vec<(&str, &str)> =
        mended.withdrawn.iter().map(|w| (w.fixed.rule.code, w.reason.as_str())).collect();
    assert_eq!(withdrawn, [("NET-001", "`docker-compose.prod.yml`: the check objects")]);
    assert!(mended.fixed.iter().any(|fixed| fixed.rule.code == "LIF-001"));
    assert!(!mended.changed[0].after.contains("127.0.0.1"));
}

#[test]
fn files_that_must_stay_are_left_alone() {
    let mended = run(&[("keep/docker-compose.prod.yml", COMPOSE)], &|_| false);
    assert!(mended.changed.is_empty() && mended.fixed.is_empty() && !mended.remaining.findings.is_empty());
}

#[test]
fn files_with_windows_line_ends_keep_them() {
    let text = COMPOSE.replace('\n', "\r\n");
    let mended = run(&[("docker-compose.prod.yml", &text)], &|_| false);
    let after = &mended.changed[0].after;
    assert_eq!(after.matches("\r\n").count(), after.matches('\n').count());
}

#[test]
fn jobs_are_not_evicted_and_a_server_gets_no_empty_password() {
    let compose = "services:\n  worker:\n    build: .\n    command: celery -A app worker\n  redis:\n    image: redis:7.4-alpine\n  store:\n    image: minio/minio:RELEASE.2025-01-20T14-49-07Z\n    environment:\n      MINIO_ROOT_PASSWORD: ${MINIO_PASSWORD}\n";
    let code = "import os\nPASSWORD = os.getenv(\"MINIO_PASSWORD\", \"none\")\n";
    let files =
        [("docker-compose.prod.yml", compose), ("app.py", code), ("Dockerfile", "FROM python:3.13-slim\n")];
    let mended = run_to(Applicability::Review, &files, &|_| false);
    let after = mended
        .files
        .iter()
        .find(|(_, file)| file.path() == "docker-compose.prod.yml")
        .map(|(_, file)| file.text());
    let after = after.unwrap_or_default();
    assert!(after.contains("\"noeviction\""), "{after}");
    assert!(after.contains("${MINIO_PASSWORD:?set MINIO_PASSWORD}"), "{after}");
}

#[test]
fn a_document_names_one_guest_in_its_commands_and_in_its_words() {
    let script = "#!/usr/bin/env bash\nset -euo pipefail\nssh root@pve pct create 107 local:vztmpl/debian.tar.zst --unprivileged 1\n";
    let guide = "# Guide\n\n**Container ID**: 106, 106 MB\n\n```bash\n# Make container 106\npct create 106 local:vztmpl/debian.tar.zst --unprivileged 1\npct start 106\n```\n";
    let mended = run(&[("deploy.sh", script), ("docs/guide.md", guide)], &|_| false);
    let after =
        mended.changed.iter().find(|changed| changed.path == "docs/guide.md").map(|changed| &changed.after);
    let want = guide.replace("106", "107").replace("107 MB", "106 MB");
    assert_eq!(after, Some(&want));
}

#[test]
fn one_check_takes_all_values_that_reach_the_node() {
    let script = "#!/usr/bin/env bash\nset -euo pipefail\nNAME=\"${GUEST_NAME:-shop}\"\nCORES=\"${GUEST_CORES:-2}\"\nssh root@pve \"pct create 107 local:vztmpl/debian.tar.zst --hostname ${NAME} --cores ${CORES} --unprivileged 1\"\n";
    let mended = run(&[("create.sh", script)], &|_| false);
    let after = mended.files.iter().next().map(|(_, file)| file.text()).unwrap_or_default();
    assert_eq!(after.matches("exit 2").count(), 1, "{after}");
    assert!(after.contains("if [[ \"${NAME}${CORES}\" == *[!"), "{after}");
}
