//! What an evaluation costs: processor time of the whole process, as users pay it.
//!
//! `cargo bench -p plimsoll` measures `examples/papertrade`; `PLIMSOLL_BENCH_CASE` names another repository.
//! The table at the end sets each way beside the other that was measured in the same run.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark starts processes, prints a table and may end early"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BenchmarkId, Criterion};
use nix::sys::resource::{Usage, UsageWho, getrusage};

/// Processor time, user and system, of child processes that have ended.
struct ChildTime;

impl Measurement for ChildTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        child_time()
    }

    fn end(&self, start: Duration) -> Duration {
        child_time() - start
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_secs_f64() * 1e9
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

fn child_usage() -> Usage {
    getrusage(UsageWho::RUSAGE_CHILDREN).expect("the system counts what children use")
}

fn child_time() -> Duration {
    let usage = child_usage();
    [usage.user_time(), usage.system_time()]
        .iter()
        .map(|time| {
            Duration::from_secs(u64::try_from(time.tv_sec()).unwrap_or(0))
                + Duration::from_micros(u64::try_from(time.tv_usec()).unwrap_or(0))
        })
        .sum()
}

/// Runs a program whose findings do not matter here.
fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.is_ok(), "{command:?} does not start");
}

fn plimsoll(path: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(["evaluate", "--fail-on", "never", "--format", "json"]).arg(path);
    command
}

fn shellcheck(scripts: &[PathBuf]) -> Command {
    let mut command = Command::new("shellcheck");
    command.args(["--format", "json"]).args(scripts);
    command
}

fn scripts(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !path.is_symlink() && name != ".git" && name != "node_modules" {
            scripts(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "sh") {
            found.push(path);
        }
    }
    found.sort();
}

/// A repository with that many files: many deployments side by side, like a homelab's.
fn grown(example: &Path, files: usize, into: &Path) {
    let mut all = Vec::new();
    texts(example, &mut all);
    for index in 0..files {
        let Some(source) = all.get(index % all.len()) else { return };
        let relative = source.strip_prefix(example).unwrap_or(source);
        let target = into.join(format!("app-{}", index / all.len())).join(relative);
        fs::create_dir_all(target.parent().unwrap_or(into)).expect("a temporary directory is writable");
        fs::copy(source, target).expect("a temporary directory is writable");
    }
}

fn texts(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            texts(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn main() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/papertrade");
    let case = std::env::var_os("PLIMSOLL_BENCH_CASE").map_or_else(|| example.clone(), PathBuf::from);
    let work = tempfile::tempdir().expect("a temporary directory is writable");
    let mut criterion = Criterion::default()
        .with_measurement(ChildTime)
        .without_plots()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();

    criterion.bench_function("case", |bench| bench.iter(|| run(&mut plimsoll(&case))));
    let case_memory = child_usage().max_rss();

    let mut all = Vec::new();
    scripts(&case, &mut all);
    let only_scripts = work.path().join("scripts");
    for (index, script) in all.iter().enumerate() {
        let name = format!("{index}-{}", script.file_name().unwrap_or_default().to_string_lossy());
        fs::create_dir_all(&only_scripts).expect("a temporary directory is writable");
        fs::copy(script, only_scripts.join(name)).expect("a temporary directory is writable");
    }
    let has_shellcheck = Command::new("shellcheck").arg("--version").output().is_ok();
    if has_shellcheck && !all.is_empty() {
        let mut group = criterion.benchmark_group("scripts");
        group.bench_function("plimsoll", |bench| bench.iter(|| run(&mut plimsoll(&only_scripts))));
        group.bench_function("shellcheck", |bench| bench.iter(|| run(&mut shellcheck(&all))));
        group.finish();
    }

    let sizes = [50, 500, 5000];
    let mut group = criterion.benchmark_group("files");
    for files in sizes {
        let folder = work.path().join(files.to_string());
        grown(&example, files, &folder);
        group.bench_function(BenchmarkId::from_parameter(files), |bench| {
            bench.iter(|| run(&mut plimsoll(&folder)));
        });
    }
    group.finish();
    criterion.final_summary();

    let say = |line: String| println!("{line}");
    say("\n| what | processor time | ratio |\n|---|---|---|".to_owned());
    let row = |what: &str, time: Option<f64>, against: Option<f64>| {
        let Some(time) = time else { return };
        let ratio = against.map(|against| format!("{:.2}", time / against)).unwrap_or_default();
        say(format!("| {what} | {:.1} ms | {ratio} |", time / 1e6));
    };
    row("the case, whole process", median("case"), None);
    row("its scripts, plimsoll", median("scripts/plimsoll"), None);
    row(
        "its scripts, shellcheck (against plimsoll)",
        median("scripts/shellcheck"),
        median("scripts/plimsoll"),
    );
    let mut before = None;
    for files in sizes {
        let time = median(&format!("files/{files}"));
        row(&format!("{files} files (against a tenth of them)"), time, before);
        before = time;
    }
    say(format!("\npeak memory of the case: {} MB", case_memory / 1024));
    if !has_shellcheck {
        say("skipped: shellcheck is not installed (`apt-get install shellcheck`)".to_owned());
    }
}

/// The median that the harness has just written, in nanoseconds.
fn median(id: &str) -> Option<f64> {
    let target = PathBuf::from(env!("CARGO_BIN_EXE_plimsoll"));
    let path = target.ancestors().nth(2)?.join("criterion").join(id).join("new/estimates.json");
    let text = fs::read_to_string(path).ok()?;
    let estimates: serde_json::Value = serde_json::from_str(&text).ok()?;
    estimates.get("median")?.get("point_estimate")?.as_f64()
}
