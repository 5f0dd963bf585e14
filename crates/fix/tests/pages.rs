//! The bad examples of the pages are mended: each fix that a rule offers for one holds, leaves nothing to do the second
//! time, and keeps the comments, in several layouts of the same text (indentation, quoting, position
//! and more), of which at least three must be another text of a file that the fix changes. What the fix makes of the
//! first example stands on the page.
//!
//! `PAGE=LIF-001 cargo test -p plimsoll-fix --test pages` looks at one rule only, `UPDATE_PAGES=1` writes the pages.

#![expect(clippy::unwrap_used, reason = "a test that cannot write its page should stop")]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use camino::Utf8PathBuf;
use plimsoll_fix::{Mended, Request, mend, unified_diff};
use plimsoll_model::{Facts, Inventory};
use plimsoll_rules::page::{Case, FIXED, Page};
use plimsoll_rules::{Confidence, FixKind, Rule, RuleSet, Selection, evaluate, registry};
use plimsoll_text::{Applicability, Files};

type Project = Vec<(Utf8PathBuf, String)>;

/// Fixes that remove the comments of what they remove.
const TAKES_COMMENTS_ALONG: &[&str] = &["BLD-003"];

/// Rules whose fix no example of their page can show.
const WITHOUT_EXAMPLE: &[&str] = &[];

fn selection() -> Selection {
    Selection { min_confidence: Confidence::Low, ..Selection::default() }
}

fn run(rule: &'static Rule, project: &Project) -> Mended {
    let inventory = Inventory::new(project.iter().map(|(path, _)| path.clone()));
    mend(Request {
        files: Files::new(project.clone()),
        inventory: &inventory,
        selection: &selection(),
        accept: &|_, _| {},
        rules: &RuleSet::Only(BTreeSet::from([rule.code])),
        least: Applicability::Review,
        keep: &|_| false,
        check: &|_, _, _| None,
    })
}

/// The findings of a rule, with and without a fix.
fn offers(rule: &'static Rule, project: &Project) -> Vec<Option<Applicability>> {
    let inventory = Inventory::new(project.iter().map(|(path, _)| path.clone()));
    let facts = Facts::new(Files::new(project.clone()), inventory);
    let only = Selection { rules: RuleSet::Only(BTreeSet::from([rule.code])), ..selection() };
    let assessment = evaluate(&facts, &only);
    assessment
        .findings
        .iter()
        .map(|judged| judged.finding.fix.as_ref().map(|fix| fix.applicability))
        .collect()
}

fn project(case: &Case<'_>) -> Project {
    case.files.iter().map(|(path, text)| ((*path).into(), text.clone())).collect()
}

/// The same text as another hand would lay it out.
fn layouts(project: &Project) -> [(&'static str, Project); 6] {
    let map = |change: fn(&str, &str) -> String| -> Project {
        project.iter().map(|(path, text)| (path.clone(), change(path.as_str(), text))).collect()
    };
    [
        ("other indentation", map(indented)),
        (
            "comments around",
            map(|path, text| if takes_comments(path) { commented(text) } else { text.to_owned() }),
        ),
        (
            "Windows line ends",
            map(
                |path, text| if is_script(path, text) { text.to_owned() } else { text.replace('\n', "\r\n") },
            ),
        ),
        ("the other quotes", map(requoted)),
        (
            "tabs, and no end of the last line",
            map(|path, text| {
                let text = if path.ends_with(".sh") { tabbed(text) } else { text.to_owned() };
                text.trim_end_matches('\n').to_owned()
            }),
        ),
        ("further down", map(lowered)),
    ]
}

fn is_yaml(path: &str) -> bool {
    path.ends_with(".yml") || path.ends_with(".yaml")
}

fn is_script(path: &str, text: &str) -> bool {
    path.ends_with(".sh") || text.starts_with("#!")
}

fn is_dotenv(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.starts_with(".env") || name.ends_with(".env"))
}

fn takes_comments(path: &str) -> bool {
    is_yaml(path) || path.ends_with(".sh") || path.ends_with(".env") || path.ends_with("Dockerfile")
}

/// Blanks where their number is free: twice as many in YAML, two more in scripts and Dockerfiles.
fn indented(path: &str, text: &str) -> String {
    let blanks = |line: &str| line.len() - line.trim_start_matches(' ').len();
    if is_yaml(path) {
        return text.lines().map(|line| format!("{}{line}\n", &line[..blanks(line)])).collect();
    }
    // What is quoted over several lines, or stands in a heredoc, is not free.
    let odd = |line: &str, quote: char| !line.matches(quote).count().is_multiple_of(2);
    let fixed = text.contains("<<") || text.lines().any(|line| odd(line, '"') || odd(line, '\''));
    if fixed || !(path.ends_with(".sh") || path.ends_with("Dockerfile")) {
        return text.to_owned();
    }
    let deeper = |line: &str| {
        if line.is_empty() || line.starts_with("#!") { line.to_owned() } else { format!("  {line}") }
    };
    text.lines().map(|line| deeper(line) + "\n").collect()
}

/// List items of YAML and words of scripts in single quotes instead of double ones, values of dotenv files in quotes,
/// where that says the same.
fn requoted(path: &str, text: &str) -> String {
    let between = |line: &str| {
        let (head, rest) = line.split_once('"')?;
        let (value, tail) = rest.split_once('"')?;
        let plain = |text: &str| !text.contains(['"', '\'', '\\', '$', '`']);
        let fits = if is_yaml(path) {
            head.trim_start() == "- " && tail.is_empty() && !value.contains(['\'', '\\'])
        } else {
            is_script(path, text) && !text.contains("<<") && plain(head) && plain(value) && plain(tail)
        };
        fits.then(|| format!("{head}'{value}'{tail}"))
    };
    let value = |line: &str| {
        let (key, value) = line.split_once('=')?;
        let plain = is_dotenv(path) && !value.is_empty() && !value.contains(['"', '\'', '#', ' ', '\\', '$']);
        (plain && !key.contains('#')).then(|| format!("{key}=\"{value}\""))
    };
    text.lines()
        .map(|own| between(own).or_else(|| value(own)).unwrap_or_else(|| own.to_owned()) + "\n")
        .collect()
}

/// Blank lines below the first line, as a shebang and a `# syntax=` must stay where they are; other words before a
/// document.
fn lowered(path: &str, text: &str) -> String {
    if path.ends_with(".md") {
        return format!("Before all of it stands this.\n\n{text}");
    }
    match text.split_once('\n') {
        Some((first, rest)) if first.starts_with('#') => format!("{first}\n\n\n{rest}"),
        _ => format!("\n\n{text}"),
    }
}

/// A tab for each two blanks in front of a line; a heredoc's text keeps them all the same.
fn tabbed(text: &str) -> String {
    if text.contains("<<") {
        return text.to_owned();
    }
    let line = |line: &str| {
        let rest = line.trim_start_matches(' ');
        let blanks = line.len() - rest.len();
        format!("{}{}{rest}\n", "\t".repeat(blanks / 2), " ".repeat(blanks % 2))
    };
    text.lines().map(line).collect()
}

/// A comment below the first line, as a shebang must stay where it is, and one at the end.
fn commented(text: &str) -> String {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    if first.starts_with("#!") {
        format!("{first}\n# Before.\n\n{rest}\n# Behind.")
    } else {
        format!("# Before.\n\n{text}\n# Behind.")
    }
}

fn comments(text: &str) -> BTreeSet<String> {
    text.lines().map(str::trim).filter(|line| line.starts_with('#')).map(str::to_owned).collect()
}

/// What is wrong with what the fixes of a rule do to a project; nothing when it has no fix there.
fn complaint(rule: &'static Rule, name: &str, project: &Project, failures: &mut String) -> Option<Mended> {
    let offered = offers(rule, project).into_iter().flatten().count();
    if offered == 0 {
        return None;
    }
    let mended = run(rule, project);
    let mut fail = |what: String| {
        let _ = writeln!(failures, "{} {name}: {what}", rule.code);
    };
    for withdrawn in &mended.withdrawn {
        fail(format!(
            "line {}: `{}` is withdrawn because {}",
            withdrawn.fixed.line, withdrawn.fixed.title, withdrawn.reason
        ));
    }
    if mended.fixed.is_empty() {
        fail("nothing is mended".to_owned());
    }
    let after: Project =
        mended.files.iter().map(|(_, file)| (file.path().to_owned(), file.text().to_owned())).collect();
    let again = run(rule, &after);
    if !again.changed.is_empty() {
        fail(format!(
            "a second run changes {:?}",
            again.changed.iter().map(|c| c.path.as_str()).collect::<Vec<_>>()
        ));
    }
    for changed in &mended.changed {
        let lost: Vec<_> = comments(&changed.before).difference(&comments(&changed.after)).cloned().collect();
        if !lost.is_empty() && !TAKES_COMMENTS_ALONG.contains(&rule.code) {
            fail(format!("comments are lost: {lost:?}"));
        }
    }
    Some(mended)
}

#[expect(
    clippy::disallowed_methods,
    reason = "chooses what to test and to write, for the person at the keyboard"
)]
fn option(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[test]
fn fixes_hold_for_the_bad_examples_in_every_layout() {
    let only = option("PAGE");
    let mut failures = String::new();
    let mut with_fix = 0;
    for rule in registry::all().filter(|rule| only.as_ref().is_none_or(|only| only == rule.code)) {
        let page = Page::parse(rule.doc);
        let cases = page.section("Bad").map(|section| section.cases.as_slice()).unwrap_or_default();
        let mut shown = None;
        let mut tried = BTreeSet::new();
        for case in cases {
            let project = project(case);
            if let Some(mended) = complaint(rule, case.name, &project, &mut failures) {
                shown = shown.or(Some((case.name, mended)));
                for (layout, other) in layouts(&project) {
                    let found = complaint(rule, &format!("{} ({layout})", case.name), &other, &mut failures);
                    let Some(found) = found else {
                        let _ = writeln!(failures, "{} {} ({layout}): there is no fix", rule.code, case.name);
                        continue;
                    };
                    // A layout counts where it is another text of a file that the fix changes.
                    let was = |path: &Utf8PathBuf| {
                        project.iter().find(|(own, _)| own == path).map(|(_, text)| text)
                    };
                    if found.changed.iter().any(|changed| was(&changed.path) != Some(&changed.before)) {
                        tried.insert(layout);
                    }
                }
            }
        }
        with_fix += usize::from(shown.is_some());
        if shown.is_some() && tried.len() < 3 {
            let _ = writeln!(failures, "{}: its fix is tried in few layouts: {tried:?}", rule.code);
        }
        if rule.fix != FixKind::None && shown.is_none() && !WITHOUT_EXAMPLE.contains(&rule.code) {
            let _ = writeln!(
                failures,
                "{}: says that it has a fix, no bad example of its page shows it",
                rule.code
            );
        }
        if shown.is_some() && rule.fix == FixKind::None {
            let _ = writeln!(failures, "{}: has a fix and says that it has none", rule.code);
        }
        check_section(rule, &page, shown.as_ref(), &mut failures);
    }
    assert!(failures.is_empty(), "\n{failures}");
    assert!(only.is_some() || with_fix >= 45, "{with_fix} rules have a fix for an example of their page");
}

fn check_section(
    rule: &'static Rule,
    page: &Page<'_>,
    shown: Option<&(&str, Mended)>,
    failures: &mut String,
) {
    let expected = shown.map(|(name, mended)| section(name, mended)).unwrap_or_default();
    let present = page.section(FIXED).map(|section| section.text).unwrap_or_default();
    if present == expected.trim() {
        return;
    }
    if option("UPDATE_PAGES").is_some() {
        write_section(rule, &expected);
    } else {
        let _ = writeln!(
            failures,
            "{}: the section `{FIXED}` is not what the fix makes; UPDATE_PAGES=1 writes it",
            rule.code
        );
    }
}

/// The section for the page.
fn section(name: &str, mended: &Mended) -> String {
    let risky = mended.fixed.iter().any(|fixed| fixed.applicability == Applicability::Review);
    let command = if risky { "`plimsoll fix --unsafe`" } else { "`plimsoll fix`" };
    let example = if name.is_empty() { "the bad example".to_owned() } else { format!("*{name}*") };
    let mut out = format!("{command} makes this of {example}:\n\n````diff\n");
    for changed in &mended.changed {
        let diff = unified_diff(&changed.path, &changed.before, &changed.after);
        out.push_str(diff.split_once('\n').map(|(_, hunks)| hunks).unwrap_or_default());
    }
    out.push_str("````\n");
    out
}

/// Puts the section into the page in the source.
#[expect(clippy::disallowed_methods, reason = "writes pages, for the person at the keyboard")]
fn write_section(rule: &'static Rule, section: &str) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../rules/src");
    for theme in std::fs::read_dir(root).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
        for page in std::fs::read_dir(theme.path()).unwrap().flatten() {
            if page.path().extension().is_none_or(|extension| extension != "md") {
                continue;
            }
            let text = std::fs::read_to_string(page.path()).unwrap();
            if text != rule.doc {
                continue;
            }
            let (before, rest) = text.split_once(&format!("## {FIXED}\n")).map_or_else(
                || text.split_once("## Known problems").unwrap(),
                |(before, rest)| (before, rest.split_once("## Known problems").unwrap().1),
            );
            let own = if section.is_empty() { String::new() } else { format!("## {FIXED}\n\n{section}\n") };
            std::fs::write(page.path(), format!("{before}{own}## Known problems{rest}")).unwrap();
        }
    }
}
