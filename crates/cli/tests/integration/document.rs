//! The evaluation as a document.

use std::collections::BTreeSet;
use std::path::Path;

use super::sandbox::{Run, Sandbox};

const COMPOSE: &str = "services:\n  web:\n    image: nginx:latest\n    ports: [\"80:80\"]\n";
const DEFAULT: &str = "docs/deployment/proxmox-deployment-evaluation.md";
/// 2026-11-23.
const DAY: &str = "1795392000";

fn run(sandbox: &Sandbox, args: &[&str]) -> Run {
    let output = sandbox.command(args).env("SOURCE_DATE_EPOCH", DAY).output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn written(sandbox: &Sandbox, args: &[&str]) -> String {
    let mut all = vec!["evaluate", "--fail-on", "never"];
    all.extend(args);
    all.push("--document");
    let run = run(sandbox, &all);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    sandbox.read(DEFAULT)
}

fn of_the_example() -> String {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/papertrade");
    let sandbox = Sandbox::new();
    let file = sandbox.path().join("evaluation.md");
    let (file, example) = (file.to_str().unwrap(), example.to_str().unwrap());
    let run = run(&sandbox, &["evaluate", "--fail-on", "never", "--document", file, example]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    sandbox.read("evaluation.md")
}

/// The text between two headings.
fn chapter<'a>(document: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = document.split_once(from).unwrap();
    rest.split_once(to).unwrap().0
}

#[test]
fn the_first_page_names_what_matters_in_the_example() {
    let document = of_the_example();
    insta::assert_snapshot!(chapter(&document, "## Executive summary\n", "<!-- plimsoll:notes"));
}

#[test]
fn the_advice_comes_in_plain_words_and_by_week() {
    let document = of_the_example();
    insta::assert_snapshot!(chapter(&document, "### In plain words\n", "<a id=\"quick-wins\">"));
}

#[test]
fn the_advice_fits_what_hosts_the_app_and_whom_it_serves() {
    let advice = |sandbox: &Sandbox, args: &[&str]| {
        let document = written(sandbox, args);
        chapter(&document, "### In plain words\n", "<a id=").to_owned()
    };
    let unknown = Sandbox::with(&[("docker-compose.yml", COMPOSE)]);
    let said = advice(&unknown, &[]);
    assert!(said.contains("The files do not say what hosts it today"), "{said}");
    let machine = "qm create 105 --name app --memory 2048 --net0 virtio,bridge=vmbr0,firewall=1\n";
    let machine = Sandbox::with(&[("docker-compose.yml", COMPOSE), ("make.sh", machine)]);
    let said = advice(&machine, &[]);
    assert!(said.contains("**The guest can stay.**"), "{said}");
    let container = "pct create 105 local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst --unprivileged 0\n";
    let container = Sandbox::with(&[("docker-compose.yml", COMPOSE), ("make.sh", container)]);
    let said =
        ["homelab", "internet", "production"].map(|profile| advice(&container, &["--profile", profile]));
    let expected = ["can stay for now", "take it off the internet", "is the next thing to plan"];
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn the_pace_is_the_owners() {
    let weeks = |hours: &str| {
        let settings = format!("evaluate:\n  hours_per_week: {hours}\n");
        let sandbox = Sandbox::with(&[("docker-compose.yml", COMPOSE), ("plimsoll.yaml", &settings)]);
        let document = written(&sandbox, &[]);
        chapter(&document, "### By week\n", "<a id=").lines().filter(|line| line.starts_with("| ")).count()
            - 2
    };
    assert!(weeks("1") > weeks("40"), "{} and {}", weeks("1"), weeks("40"));
}

#[test]
fn the_chapters_stand_in_their_order() {
    let document = of_the_example();
    let headings: Vec<&str> =
        document.lines().filter(|line| line.starts_with('#') && !line.starts_with("####")).collect();
    let proposals = headings.iter().position(|line| *line == "## Proposals").unwrap();
    let after = headings.iter().position(|line| *line == "## Ready as patches").unwrap();
    let chapters = headings[..=proposals].iter().chain(&headings[after..]);
    insta::assert_snapshot!(chapters.copied().collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_proposal_has_all_of_its_fields() {
    let document = of_the_example();
    let proposals = chapter(&document, "\n## Proposals\n", "\n## Ready as patches\n");
    let each: Vec<&str> = proposals.split("\n### ").skip(1).collect();
    assert!(each.len() >= 15, "{}", each.len());
    for proposal in each {
        for field in [
            "Problem",
            "Solution",
            "Complexity",
            "Effort",
            "Security impact",
            "Performance impact",
            "Breaking changes",
            "When",
            "Attack paths that it closes",
            "Resolves",
            "Patch",
        ] {
            let line = proposal.lines().find_map(|line| line.strip_prefix(&format!("- **{field}:** ")));
            assert!(line.is_some_and(|text| !text.trim().is_empty()), "{field}: {proposal}");
        }
    }
}

#[test]
fn a_patch_that_does_not_hold_is_withdrawn_with_its_reason() {
    let sandbox = Sandbox::with(&[("docker-compose.yml", COMPOSE)]);
    let holds = written(&sandbox, &[]);
    assert!(holds.contains("LIF-001`") && !holds.contains("**Withdrawn:**"), "{holds}");
    sandbox.write("docker-compose.yml", [COMPOSE.as_bytes(), b"# caf\xe9\n"].concat());
    let withdrawn = written(&sandbox, &[]);
    assert!(!withdrawn.contains("plimsoll fix --rules LIF-001"), "{withdrawn}");
    let logs = chapter(&withdrawn, "id=\"p-resource-limits\"", "<!-- plimsoll:notes");
    assert!(logs.contains("because not all of the file is UTF-8 text"), "{logs}");
    assert!(logs.contains("- **Patch:** none that holds"), "{logs}");
}

#[test]
fn every_way_leads_somewhere_and_no_name_is_used_twice() {
    let document = of_the_example();
    let mut names = BTreeSet::new();
    for part in document.split("<a id=\"").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(names.insert(name), "{name} twice");
    }
    for part in document.split("](#").skip(1) {
        let name = part.split(')').next().unwrap();
        assert!(names.contains(name), "{name} leads nowhere");
    }
}

#[test]
fn the_same_files_give_the_same_bytes_and_the_document_is_no_input() {
    let sandbox = Sandbox::with(&[("docker-compose.yml", COMPOSE)]);
    let first = written(&sandbox, &[]);
    assert_eq!(written(&sandbox, &[]), first);
    let plain = run(&sandbox, &["evaluate", "--quiet", "--fail-on", "never"]);
    assert!(!plain.stdout.contains("docs/deployment"), "{}", plain.stdout);
}

#[test]
fn notes_survive_and_those_without_a_place_go_to_the_end() {
    let sandbox = Sandbox::with(&[("docker-compose.yml", COMPOSE)]);
    let first = written(&sandbox, &[]);
    let slot = "<!-- plimsoll:notes summary -->\n";
    assert!(first.contains(slot), "{first}");
    let noted = first.replace(slot, &format!("{slot}\nWe *know*.\n\n- done on Monday\n"));
    let noted = noted + "<!-- plimsoll:notes p-gone -->\nKept for later.\n<!-- /plimsoll:notes -->\n";
    sandbox.write(DEFAULT, &noted);
    let second = written(&sandbox, &[]);
    assert!(chapter(&second, slot, "<!-- /plimsoll").contains("We *know*.\n\n- done on Monday"), "{second}");
    let last = chapter(&second, "## Notes without a place", "<!-- /plimsoll");
    assert!(last.contains("`p-gone`") && last.contains("Kept for later."), "{last}");
    assert_eq!(written(&sandbox, &[]), second);
}

#[test]
fn a_file_of_somebody_else_is_not_replaced() {
    let sandbox = Sandbox::with(&[("docker-compose.yml", COMPOSE), (DEFAULT, "# Our own words\n")]);
    let run = run(&sandbox, &["evaluate", "--document"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("is not a document of Plimsoll"), "{}", run.stderr);
    assert_eq!(sandbox.read(DEFAULT), "# Our own words\n");
}

#[test]
fn a_slot_that_is_not_closed_stops_before_anything_is_lost() {
    let open = "<!-- plimsoll:document -->\n<!-- plimsoll:notes summary -->\nmine\n";
    let sandbox = Sandbox::with(&[("docker-compose.yml", COMPOSE), (DEFAULT, open)]);
    let run = run(&sandbox, &["evaluate", "--document"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("`summary` that begin in line 2"), "{}", run.stderr);
    assert_eq!(sandbox.read(DEFAULT), open);
}

#[test]
fn a_directory_in_the_place_of_the_file_is_explained() {
    let sandbox = Sandbox::with(&[("app/docker-compose.yml", COMPOSE)]);
    let run = run(&sandbox, &["evaluate", "--document", "app"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("which is a directory"), "{}", run.stderr);
}

fn accepting(until: &str) -> Sandbox {
    let settings = format!(
        "evaluate:\n  profile: internet\n  accept:\n    - {{rule: BLD-009, reason: rebuilt each night, until: {until}}}\n"
    );
    Sandbox::with(&[("docker-compose.yml", COMPOSE), ("plimsoll.yaml", &settings)])
}

#[test]
fn an_accepted_risk_is_left_out_and_listed_with_its_reason() {
    let sandbox = accepting("2026-11-23");
    let document = written(&sandbox, &[]);
    assert!(document.contains("Profile `internet`"), "{document}");
    assert!(!document.contains("**BLD-009**") && !document.contains("| <a id=\"f-bld-009"), "{document}");
    let accepted = chapter(&document, "### Accepted risks", "\n## ");
    assert!(accepted.contains("rebuilt each night | until 2026-11-23 |"), "{accepted}");
    assert!(run(&sandbox, &["evaluate", "--quiet"]).stderr.is_empty());
}

#[test]
fn an_expired_risk_counts_again_and_is_said_to() {
    let sandbox = accepting("2026-11-22");
    let document = written(&sandbox, &[]);
    let accepted = chapter(&document, "### Accepted risks", "\n## ");
    assert!(accepted.contains("**expired on 2026-11-22**"), "{accepted}");
    assert!(document.contains("BLD-009 | "), "{document}");
    let run = run(&sandbox, &["evaluate"]);
    assert!(run.stderr.contains("BLD-009 was accepted until 2026-11-22"), "{}", run.stderr);
}

#[test]
fn the_command_line_is_stronger_than_the_settings() {
    let sandbox = accepting("2027-01-01");
    assert!(written(&sandbox, &["--profile", "production"]).contains("Profile `production`"));
}

#[test]
fn wrong_settings_are_refused_with_their_line() {
    let sandbox =
        Sandbox::with(&[("docker-compose.yml", COMPOSE), ("plimsoll.yaml", "evaluate:\n  profil: x\n")]);
    let run = run(&sandbox, &["evaluate"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("plimsoll.yaml:2:3: unknown key"), "{}", run.stderr);
}

#[test]
fn a_project_without_anything_to_host_gets_no_verdict() {
    let sandbox = Sandbox::with(&[("notes.txt", "nothing\n")]);
    let document = written(&sandbox, &[]);
    assert!(document.contains("**There is nothing to host.**"), "{document}");
    assert!(!document.contains("## Alternatives"), "{document}");
}
