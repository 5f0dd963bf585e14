#![no_main]

use arbitrary::Arbitrary;
use camino::{Utf8Path, Utf8PathBuf};
use libfuzzer_sys::fuzz_target;
use plimsoll_model::{Facts, Inventory};
use plimsoll_report::{Detail, Report, TerminalOptions, to_json, to_markdown, to_sarif, to_terminal};
use plimsoll_rules::{Confidence, Selection, Severity, evaluate};
use plimsoll_text::Files;

/// Names that decide on how a file is read.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Name {
    Script,
    Library,
    Compose,
    Override,
    Dockerfile,
    Dotenv,
    Guest,
    Taskfile,
    Makefile,
    Justfile,
    Workflow,
    Playbook,
    UserData,
    Terraform,
    Readme,
    Python,
    JavaScript,
    Nginx,
    Unit,
    Manifest,
}

impl Name {
    fn path(self) -> Utf8PathBuf {
        Utf8PathBuf::from(match self {
            Self::Script => "scripts/deploy.sh",
            Self::Library => "scripts/lib.sh",
            Self::Compose => "docker-compose.yml",
            Self::Override => "docker-compose.prod.yml",
            Self::Dockerfile => "Dockerfile",
            Self::Dotenv => ".env",
            Self::Guest => "lxc/101.conf",
            Self::Taskfile => "Taskfile.yml",
            Self::Makefile => "Makefile",
            Self::Justfile => "justfile",
            Self::Workflow => ".github/workflows/deploy.yml",
            Self::Playbook => "roles/app/tasks/main.yml",
            Self::UserData => "user-data",
            Self::Terraform => "main.tf",
            Self::Readme => "README.md",
            Self::Python => "app.py",
            Self::JavaScript => "server.js",
            Self::Nginx => "nginx.conf",
            Self::Unit => "app.service",
            Self::Manifest => "package.json",
        })
    }
}

fuzz_target!(|files: Vec<(Name, String)>| {
    let mut names: Vec<Utf8PathBuf> = files.iter().map(|(name, _)| name.path()).collect();
    names.sort();
    names.dedup();
    let texts = names.iter().filter_map(|path| {
        files.iter().find(|(name, _)| name.path() == *path).map(|(_, text)| (path.clone(), text.clone()))
    });
    let facts = Facts::new(Files::new(texts), Inventory::new(names.iter().cloned()));
    let selection = Selection { min_confidence: Confidence::Low, ..Selection::default() };
    let assessment = evaluate(&facts, &selection);
    assert!(assessment.broken.is_empty(), "{:?}", assessment.broken);
    let report = Report {
        root: Utf8Path::new(""),
        files: &facts.files,
        assessment: &assessment,
        problems: &[],
        profile: selection.profile,
        fail_on: Some(Severity::High),
        min_confidence: selection.min_confidence,
    };
    let _ = to_terminal(&report, TerminalOptions { detail: Detail::Full, width: 80 });
    let _ = (to_json(&report), to_sarif(&report), to_markdown(&report));
});
