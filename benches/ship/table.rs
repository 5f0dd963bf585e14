//! What was measured, as the table of `docs/performance.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Profile {
    Line,
    Packages,
    Nothing,
}

impl Profile {
    pub(crate) const ALL: [Self; 3] = [Self::Line, Self::Packages, Self::Nothing];

    fn title(self) -> &'static str {
        match self {
            Self::Line => "one line, in a layer of 1 MB of code",
            Self::Packages => "the same, upon a layer of 25 MB of packages that is built anew",
            Self::Nothing => "nothing",
        }
    }
}

/// What is between client and guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Link {
    Open,
    Slow,
}

impl Link {
    pub(crate) const ALL: [Self; 2] = [Self::Open, Self::Slow];

    fn title(self) -> &'static str {
        match self {
            Self::Open => "",
            Self::Slow => " Between client and guest: 20 Mbit/s.",
        }
    }
}

/// Bytes of the guest's network card.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes {
    /// From and to the client.
    pub(crate) client: u64,
    /// From and to everybody else: what a build in the guest fetches.
    pub(crate) others: u64,
}

impl std::ops::Sub for Bytes {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            client: self.client.saturating_sub(before.client),
            others: self.others.saturating_sub(before.others),
        }
    }
}

/// One run of a way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) bytes: Bytes,
    pub(crate) took: Duration,
    pub(crate) connections: u64,
    pub(crate) used: Duration,
}

/// Runs by way.
type Ways = Vec<(&'static str, Vec<Run>)>;

/// All runs, in the order of ways.
#[derive(Default)]
pub(crate) struct Table {
    runs: BTreeMap<(Link, Profile), Ways>,
}

fn median<T: Ord + Copy>(runs: &[Run], of: impl Fn(&Run) -> T) -> Option<T> {
    let mut all: Vec<T> = runs.iter().map(of).collect();
    all.sort_unstable();
    all.get(all.len() / 2).copied()
}

impl Table {
    pub(crate) fn add(&mut self, of: (Link, Profile), what: &'static str, run: Run) {
        let ways = self.runs.entry(of).or_default();
        match ways.iter_mut().find(|(name, _)| *name == what) {
            Some((_, runs)) => runs.push(run),
            None => ways.push((what, vec![run])),
        }
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for ((link, profile), ways) in &self.runs {
            let _ = write!(
                text,
                "\nWhat changed: {}.{}\n\n| way | bytes from and to the client | from elsewhere | seconds, median (best) | SSH \
                 connections | processor seconds of the guest |\n|---|---:|---:|---:|---:|---:|\n",
                profile.title(),
                link.title()
            );
            let mut ways: Vec<_> = ways.iter().collect();
            ways.sort_by_key(|(_, runs)| median(runs, |run| run.took));
            for (what, runs) in ways {
                let client = median(runs, |run| run.bytes.client).unwrap_or_default();
                let others = median(runs, |run| run.bytes.others).unwrap_or_default();
                let took = median(runs, |run| run.took);
                let best = runs.iter().map(|run| run.took).min();
                let (used, count) = (median(runs, |run| run.used), median(runs, |run| run.connections));
                let seconds = |time: Option<Duration>| time.unwrap_or_default().as_secs_f64();
                let _ = writeln!(
                    text,
                    "| {what} | {} | {} | {:.2} ({:.2}) | {} | {:.2} |",
                    grouped(client),
                    grouped(others),
                    seconds(took),
                    seconds(best),
                    count.unwrap_or_default(),
                    seconds(used),
                );
            }
        }
        text
    }
}

/// Digits in threes.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Replaces the table of the documentation.
pub(crate) fn write(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/performance.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let marks = text
        .split_once("<!-- ship -->\n")
        .and_then(|(head, rest)| Some((head, rest.split_once("<!-- /ship -->")?.1)));
    let (head, tail) = marks.unwrap();
    std::fs::write(path, format!("{head}<!-- ship -->\n{}\n<!-- /ship -->{tail}", table.trim())).unwrap();
}
