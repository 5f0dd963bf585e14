//! A report that has something of everything.

use camino::Utf8PathBuf;
use plimsoll_report::{Problem, Report};
use plimsoll_rules::{
    Acceptance, Assessment, BrokenRule, Confidence, Finding, Findings, Fingerprint, FixKind, Judged, Profile,
    Reference, Rule, Severity, Theme,
};
use plimsoll_text::{Applicability, Edit, Files, Fix, Place, Span};

pub(crate) static REUSED: Rule = Rule {
    code: "SEC-900",
    name: "reused-password",
    title: "One password for two services",
    theme: Theme::Secrets,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference { title: "A book on passwords", url: "https://example.org/passwords" }],
    doc: "# reused-password (SEC-900)\n\nA password is a word that only you know. It opens a door for whoever says it, so two doors should not have the same one.\n\n## What it checks\n\nPasswords.\n\n## Bad\n\n### Twice\n\n```env title=\".env\"\nA=x # error: [SEC-900]\n```\n",
    check: |_, _| {},
};

static UNTIDY: Rule = Rule {
    code: "DOC-900",
    name: "untidy-note",
    title: "A note that nobody tidied",
    theme: Theme::DocsDrift,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    references: &[],
    doc: "# untidy-note (DOC-900)\n\nLead.\n",
    ..REUSED
};

pub(crate) struct Sample {
    files: Files,
    assessment: Assessment,
    problems: Vec<Problem>,
    root: Utf8PathBuf,
}

impl Sample {
    pub(crate) fn new() -> Self {
        let files = Files::new([
            (".env".into(), "# secrets\nA=hunter2\nB=hunter2\n".to_owned()),
            (
                "docs/my notes.md".into(),
                "# 🚢 notes\n\n🚢 TODO tidy\nTODO\nTODO\nTODO\nTODO\nTODO\n".to_owned(),
            ),
        ]);
        let secret = finding(&files, &REUSED, ".env", "hunter2", 1, |files, finding| {
            finding
                .label("used a second time here")
                .related(place(files, ".env", "hunter2", 0), "first used here")
                .related(place(files, "docs/my notes.md", "tidy", 0), "and \u{1b}[31mspoken of here")
                .note("whoever reads one opens both")
                .help("give each its own")
                .fix(Fix {
                    title: "give it one of its own".to_owned(),
                    applicability: Applicability::Safe,
                    edits: vec![Edit {
                        place: place(files, ".env", "hunter2", 1),
                        replacement: "$(openssl rand -hex 16)".to_owned(),
                    }],
                })
                .mask(place(files, ".env", "hunter2", 0))
                .mask(place(files, ".env", "hunter2", 1));
        });
        let note = |nth| finding(&files, &UNTIDY, "docs/my notes.md", "TODO", nth, |_, _| {});
        let critical = finding(&files, &UNTIDY, "docs/my notes.md", "notes", 0, |_, finding| {
            finding.severity(Severity::Critical).confidence(Confidence::High);
        });
        let comment = place(&files, ".env", "# secrets", 0);
        let assessment = Assessment {
            findings: [critical, secret].into_iter().chain((0..5).map(note)).collect(),
            accepted: vec![(note(5), Acceptance { place: comment, reason: "it is a test".into() })],
            known: vec![note(5)],
            unsure: vec![note(4), note(5)],
            broken: vec![BrokenRule { code: "NET-900", message: "index out of range".into() }],
        };
        let problems = vec![
            Problem {
                path: "a b.sql".into(),
                reason: "not read: it has 50.0 MB, the limit is 5.0 MB".into(),
            },
            Problem { path: "key".into(), reason: "cannot be read: permission denied".into() },
        ];
        Self { files, assessment, problems, root: "deploy".into() }
    }

    pub(crate) fn clean() -> Self {
        Self { assessment: Assessment::default(), problems: Vec::new(), ..Self::new() }
    }

    pub(crate) fn report(&self) -> Report<'_> {
        Report {
            root: &self.root,
            files: &self.files,
            assessment: &self.assessment,
            problems: &self.problems,
            profile: Profile::Internet,
            fail_on: Some(Severity::High),
            min_confidence: Confidence::Medium,
        }
    }
}

fn finding(
    files: &Files,
    rule: &'static Rule,
    path: &str,
    needle: &str,
    nth: usize,
    refine: impl FnOnce(&Files, &mut Finding),
) -> Judged {
    let mut out = Vec::new();
    let place = place(files, path, needle, nth);
    refine(files, Findings::new(rule, &mut out).add(place, format!("found something at `{needle}`")));
    Judged {
        finding: out.remove(0),
        fingerprint: Fingerprint::from_text(&format!("{:016x}", place.span.start)),
    }
}

fn place(files: &Files, path: &str, needle: &str, nth: usize) -> Place {
    let id = files.find(path.into()).unwrap();
    let (at, found) = files.get(id).text().match_indices(needle).nth(nth).unwrap();
    let start = u32::try_from(at).unwrap();
    Place::new(id, Span::new(start, start + u32::try_from(found.len()).unwrap()))
}
