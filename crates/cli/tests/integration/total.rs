//! Files that are broken in every way go through the whole pipeline: facts, rules and every format.
//!
//! The files are those of the example, cut, joined, doubled and spoilt at random for `PLIMSOLL_FUZZ_SECONDS`
//! (1 when unset). The seed is fixed, so a failure can be seen again.

use std::path::Path;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_model::{Facts, Inventory};
use plimsoll_report::{Detail, Report, TerminalOptions, to_json, to_markdown, to_sarif, to_terminal};
use plimsoll_rules::{Confidence, Selection, Severity, evaluate};
use plimsoll_text::Files;

/// Far more than any of these inputs needs, on a slow machine and without optimisation.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes files through everything that `plimsoll evaluate` does with them; gives all bytes it would print.
pub(crate) fn pipeline(files: &[(Utf8PathBuf, String)]) -> [String; 4] {
    let inventory = Inventory::new(files.iter().map(|(path, _)| path.clone()));
    let facts = Facts::new(Files::new(files.iter().cloned()), inventory);
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
    let options = TerminalOptions { detail: Detail::Full, width: 80 };
    [to_terminal(&report, options), to_json(&report), to_sarif(&report), to_markdown(&report)]
}

/// The text files of the example, in path order.
#[expect(clippy::disallowed_methods, reason = "the example is the input of the test")]
pub(crate) fn example() -> Vec<(Utf8PathBuf, String)> {
    fn collect(folder: &Path, root: &Path, out: &mut Vec<(Utf8PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, root, out);
            } else if let Ok(text) = std::fs::read_to_string(&path)
                && !path.ends_with("package-lock.json")
            {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                out.push((name.into(), text));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/papertrade");
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    files.sort();
    assert!(files.len() > 30, "the example is not where it was");
    files
}

/// A small generator of numbers; the same ones in each run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % sides.max(1)
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.throw(all.len())]
    }

    /// A place between two characters.
    fn cut(&mut self, text: &str) -> usize {
        let mut at = self.throw(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    fn range(&mut self, text: &str) -> std::ops::Range<usize> {
        let (a, b) = (self.cut(text), self.cut(text));
        a.min(b)..a.max(b)
    }

    /// Some whole lines of a text.
    fn lines<'a>(&mut self, text: &'a str) -> &'a str {
        let start = text[..self.cut(text)].rfind('\n').map_or(0, |at| at + 1);
        let rest = &text[start..];
        let count = 1 + self.throw(12);
        let end = rest.match_indices('\n').nth(count).map_or(rest.len(), |(at, _)| at + 1);
        &rest[..end]
    }
}

/// What opens or closes something somewhere, or is no ordinary text at all.
const TOKENS: &[&str] = &[
    "\"",
    "'",
    "`",
    "$(",
    ")",
    "${",
    "}",
    "${x:-",
    "$((",
    "))",
    "<<EOF\n",
    "EOF\n",
    "<<'E'\n",
    "{{",
    "}}",
    "{%",
    "%}",
    "[",
    "]",
    "{",
    "&a ",
    "*a ",
    "<<: *a\n",
    "!reset ",
    "- ",
    ": ",
    "|\n",
    ">-\n",
    "\\\n",
    "\\",
    "#",
    "\r\n",
    "\n",
    "\t",
    "\u{0}",
    "\u{feff}",
    "é漢🦀",
    "\u{2028}",
    "--",
    "---\n",
    "```bash\n",
    "```\n",
    "FROM x AS y\n",
    "ONBUILD RUN ",
    "extends: ",
    "include: ",
    "source ./x.sh\n",
    "if ",
    "fi\n",
    "f() {\n",
    "ssh root@h \"",
    "pct exec 1 -- bash -c '",
    "docker compose ",
    "18446744073709551616",
    "-1",
    "0",
    "999999999999999999999999",
    "..",
    "/",
    "../../..",
    "% ",
    "%%",
    "${A:?${B:+$C}}",
    "# plimsoll: ignore[",
    "] x\n",
    "x: &x [*x]\n",
    "!override [",
    "|| true",
    "&& ",
    "; ",
    "set -e\n",
];

/// One change, as a careless editor, a broken transfer or an attacker makes it.
fn spoil(dice: &mut Dice, text: &mut String, others: &[(Utf8PathBuf, String)]) {
    match dice.throw(10) {
        0 => {
            let range = dice.range(text);
            text.replace_range(range, "");
        }
        1 => {
            let at = dice.cut(text);
            text.truncate(at);
        }
        2 => {
            let lines = dice.lines(text).to_owned();
            let at = dice.cut(text);
            text.insert_str(at, &lines);
        }
        3 => {
            let from = &dice.pick(others).1;
            let lines = dice.lines(from);
            let start = text[..dice.cut(text)].rfind('\n').map_or(0, |at| at + 1);
            text.insert_str(start, lines);
        }
        4 => {
            let token = dice.pick(TOKENS).repeat(1 + dice.throw(400));
            let at = dice.cut(text);
            text.insert_str(at, &token);
        }
        5 => {
            let lines = dice.lines(text).to_owned();
            *text = text.replacen(&lines, "", 1);
        }
        6 => {
            let spaces = " ".repeat(1 + dice.throw(9));
            let start = text[..dice.cut(text)].rfind('\n').map_or(0, |at| at + 1);
            text.insert_str(start, &spaces);
        }
        _ => {
            let at = dice.cut(text);
            let token = dice.pick(TOKENS);
            text.insert_str(at, token);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "says how long to try")]
fn budget() -> Duration {
    let seconds = std::env::var("PLIMSOLL_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1))
}

#[test]
fn spoilt_deployments_are_judged_without_a_panic() {
    let example = example();
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let end = Instant::now() + budget();
    let mut runs = 0;
    while Instant::now() < end || runs < 20 {
        let mut files = Vec::new();
        for _ in 0..1 + dice.throw(6) {
            let (path, text) = dice.pick(&example);
            let mut text = text.clone();
            for _ in 0..dice.throw(12) {
                spoil(&mut dice, &mut text, &example);
            }
            // A name decides how a text is read.
            let path = if dice.throw(8) == 0 { &dice.pick(&example).0 } else { path };
            files.push((path.clone(), text));
        }
        let start = Instant::now();
        let outcome = std::panic::catch_unwind(|| pipeline(&files));
        assert!(outcome.is_ok(), "run {runs}: {files:#?}");
        assert!(start.elapsed() < PATIENCE, "run {runs} took {:?}: {files:#?}", start.elapsed());
        runs += 1;
    }
}
