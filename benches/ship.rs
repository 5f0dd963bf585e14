//! A change on its way into a guest that serves it: `plimsoll deploy` beside the ways that people use without it, all in one
//! run against one real guest of the lab, whose engine and sshd are real. A second guest has the engine that builds here.
//!
//! `cargo bench -p plimsoll --bench ship` prints the table; with `-- --write` it replaces the one in `docs/performance.md`.
//! `--runs N`, `--only NAME,…` and `--open` (without the slow network) make it shorter.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark starts processes, prints a table and may end early"
)]

#[path = "ship/app.rs"]
mod app;
#[path = "../crates/cli/tests/guest/lab.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod lab;
#[path = "ship/machines.rs"]
mod machines;
#[path = "ship/table.rs"]
mod table;
#[path = "ship/ways.rs"]
mod ways;

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::machines::World;
use crate::table::{Link, Profile, Run, Table};
use crate::ways::{WAYS, Way};

/// One way with its checkout.
struct Entry {
    way: &'static Way,
    folder: PathBuf,
    port: u16,
    version: u32,
}

impl Entry {
    fn run(&self, world: &World, line: &str) -> Result<String, String> {
        let variables = [
            ("N", self.way.name.to_owned()),
            ("IMAGE", self.way.image.to_owned()),
            ("PORT", self.port.to_string()),
        ];
        world.run(line, &self.folder, &variables)
    }

    fn change(&mut self, profile: Profile) {
        if profile != Profile::Nothing {
            self.version += 1;
            let version = self.version;
            std::fs::write(self.folder.join("version.txt"), format!("{version}\n")).unwrap();
            if profile == Profile::Packages {
                let text = format!("# as of {} {version}\npackages\n", self.way.name);
                std::fs::write(self.folder.join("requirements.txt"), text).unwrap();
            }
        }
    }

    fn serves(&self, world: &World, begun: Instant) -> Result<(), String> {
        while app::served(&world.target.address, self.port) != Some(self.version.to_string()) {
            if begun.elapsed() > Duration::from_secs(120) {
                return Err(format!("it does not serve {}", self.version));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The first time, which brings everything.
    fn first(&mut self, world: &World) -> Result<Run, String> {
        self.change(Profile::Packages);
        self.take(world, self.way.first.unwrap_or(self.way.line))
    }

    fn measure(&mut self, world: &World, profile: Profile, phase: Duration) -> Result<Run, String> {
        self.change(profile);
        self.run(world, self.way.before)?;
        until(phase);
        self.take(world, self.way.line)
    }

    fn take(&mut self, world: &World, line: &str) -> Result<Run, String> {
        let connections = world.connections();
        let (bytes, used, begun) = (world.bytes(), world.target.used(), Instant::now());
        self.run(world, line)?;
        let (took, bytes) = (begun.elapsed(), world.bytes() - bytes);
        let used = world.target.used() - used;
        self.serves(world, begun)?;
        // The way says that it is done before it serves only where it does not look.
        let connections = (world.connections() - connections).saturating_sub(1);
        Ok(Run { bytes, took, connections, used })
    }
}

/// Registries on both sides, and a place for each way.
fn prepare(world: &World, entries: &[Entry]) -> Result<Option<Child>, String> {
    let folder = world.folder.path();
    std::fs::write(folder.join("base.sh"), include_str!("../crates/cli/tests/guest/base.sh")).unwrap();
    world.run(
        "for i in $(seq 100); do docker info >/dev/null 2>&1 && $ON docker info >/dev/null 2>&1 && break; sleep 0.3; done
             $ON sh <base.sh
             $ON docker save plimsoll-test/base:1 | docker load -q",
        folder,
        &[],
    )?;
    for entry in entries {
        entry.run(world, "$ON \"mkdir -p /srv/$N && cat >/srv/$N/compose.yaml\" <compose.yaml")?;
    }
    if !entries.iter().any(|entry| entry.way.needs.contains(&"docker-registry")) {
        return Ok(None);
    }
    let config = |port: u16, store: &str| {
        format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {store}}}}}\nhttp: {{addr: \"127.0.0.1:{port}\"}}\n"
        )
    };
    let here = folder.join("registry").display().to_string();
    std::fs::write(folder.join("here.yaml"), config(5055, &here)).unwrap();
    std::fs::write(folder.join("there.yaml"), config(5056, "/srv/registry")).unwrap();
    world.run(
        "$ON 'cat >/usr/local/bin/docker-registry && chmod 755 /usr/local/bin/docker-registry' <$(command -v docker-registry)
         $ON 'cat >/srv/there.yaml && systemd-run -q --unit registry docker-registry serve /srv/there.yaml' <there.yaml",
        folder,
        &[],
    )?;
    let child = world
        .command("exec docker-registry serve here.yaml")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    child.map(Some).map_err(|error| error.to_string())
}

/// Waits until the clock is so far in its second.
///
/// In a user namespace Docker compares the files of two layers to make an image, and before that waits for the next full
/// second (moby's `NaiveDiffDriver.Diff`), so what a build takes depends on when it begins. Rounds begin at different times of
/// the second, and in each round all ways at the same one.
fn until(phase: Duration) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = Duration::from_nanos(now.subsec_nanos().into());
    let next = if now < phase { phase } else { phase + Duration::from_secs(1) };
    std::thread::sleep(next - now);
}

/// The word after a flag.
fn given(words: &[String], flag: &str) -> Option<String> {
    words.iter().skip_while(|word| *word != flag).nth(1).cloned()
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if !words.iter().any(|word| word == "--bench") {
        println!("skipped: it measures only where `cargo bench` asks for it");
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let Some(world) = runtime.block_on(World::new()) else { return };
    let table = compare(&world, &words);
    runtime.block_on(world.close());
    match table {
        Ok(table) => {
            println!("\n{table}");
            if words.iter().any(|word| word == "--write") {
                table::write(&table);
            }
        }
        Err(error) => println!("{error}"),
    }
}

fn compare(world: &World, words: &[String]) -> Result<String, String> {
    let folder = world.folder.path();
    world.buildx();
    app::packages(folder);
    world.run("tar -czf packages.tar.gz packages && rm -r packages", folder, &[])?;
    let port = app::mirror(std::fs::read(folder.join("packages.tar.gz")).unwrap());
    let mirror = format!("{}:{port}", world.machine);
    let (only, mut entries) = (given(words, "--only"), Vec::new());
    for (way, port) in WAYS.iter().zip(18300..) {
        if only.as_ref().is_some_and(|only| !only.split(',').any(|name| name == way.name)) {
            continue;
        }
        let missing =
            way.needs.iter().find(|need| world.run(&format!("command -v {need}"), folder, &[]).is_err());
        if let Some(missing) = missing {
            println!("skipped: {}: no {missing} here", way.what);
            continue;
        }
        let entry = Entry { way, folder: folder.join(way.name), port, version: 0 };
        app::checkout(&entry.folder, way.image, port, &mirror);
        entries.push(entry);
    }
    let mut registry = prepare(world, &entries)?;
    let runs = given(words, "--runs").and_then(|runs| runs.parse().ok()).unwrap_or(5);
    let (mut table, begun) = (Table::default(), Instant::now());
    // Not part of the table.
    entries.retain_mut(|entry| match entry.first(world) {
        Ok(run) => {
            println!("first time {:40} {run:?}", entry.way.what);
            true
        }
        Err(error) => {
            println!("skipped: {}: {error}", entry.way.what);
            false
        }
    });
    for link in Link::ALL {
        if link == Link::Slow {
            if words.iter().any(|word| word == "--open") {
                break;
            }
            // What sends tens of megabytes each time would take most of the time.
            entries.retain(|entry| entry.way.is_measured_slow);
        }
        world.shape(link)?;
        for round in 0..runs {
            for profile in Profile::ALL {
                for turn in 0..entries.len() {
                    let count = entries.len();
                    let Some(entry) = entries.get_mut((turn + round) % count) else { continue };
                    let phase = Duration::from_secs_f64(round as f64 / runs as f64);
                    let run = entry.measure(world, profile, phase);
                    println!(
                        "{:4} s {link:?} {profile:?} {:40} {run:?}",
                        begun.elapsed().as_secs(),
                        entry.way.what
                    );
                    if let Ok(run) = run {
                        table.add((link, profile), entry.way.what, run);
                    }
                }
            }
            // What earlier rounds left behind is in nobody's way.
            world.run(
                "docker image prune -f >/dev/null; $ON docker image prune -f >/dev/null",
                folder,
                &[],
            )?;
        }
    }
    world.shape(Link::Open)?;
    if let Some(registry) = &mut registry {
        let _ = registry.kill();
        let _ = registry.wait();
    }
    Ok(table.text())
}
