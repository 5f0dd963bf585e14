//! Everything that may interrupt a deploy, case by case, and the table of what became of it.
//!
//! `docs/reliability.md` is that table. `PLIMSOLL_BLESS=1` writes it anew; an ordinary run fails when its cases are not the
//! table's.

use std::io::{BufRead as _, BufReader, Lines};
use std::iter::MapWhile;
use std::path::Path;
use std::process::{Child, ChildStdout};
use std::time::Duration;

use crate::app::App;

/// What happens to a deploy.
enum Blow {
    /// The client dies by SIGKILL so many milliseconds after the event.
    Kill { event: &'static str, later: u64 },
    /// The connection is cut.
    Cut,
    /// Nothing can be written on the guest any more once so many kilobytes are used up.
    Full { left: u64 },
    /// A second client deploys something newer.
    Second,
    /// A second client takes the lock and deploys something newer.
    Takeover,
}

struct Case {
    what: String,
    step: String,
    blow: Blow,
    /// Whether the next run deploys what served before.
    back: bool,
}

/// The steps of a deploy that changes an image and a mounted file, in their order.
const STEPS: [&str; 11] = [
    "send files",
    "send context",
    "build",
    "render",
    "hook",
    "switch api",
    "switch web",
    "check",
    "watch",
    "good",
    "collect",
];

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for step in STEPS {
        let mut add = |what: &str, event, later, back| {
            let blow = Blow::Kill { event, later };
            cases.push(Case { what: what.to_owned(), step: step.to_owned(), blow, back });
        };
        add("kill -9 of the client before it", "begin", 0, false);
        add("kill -9 of the client in its middle", "begin", 100, true);
        if ["build", "switch api", "switch web"].contains(&step) {
            add("kill -9 of the client in its middle", "begin", 100, false);
        }
        // The last one has nothing after it.
        if step != "collect" {
            add("kill -9 of the client after it", "end", 0, false);
        }
    }
    let mut add = |what: &str, step: &str, blow, back| {
        cases.push(Case { what: what.to_owned(), step: step.to_owned(), blow, back });
    };
    for step in ["send context", "build", "hook", "switch api", "switch web"] {
        add("the SSH connection is cut", step, Blow::Cut, false);
    }
    add("the SSH connection is cut", "send context", Blow::Cut, true);
    add("the disk is full", "send context", Blow::Full { left: 64 }, false);
    add("the disk is full", "send context", Blow::Full { left: 64 }, true);
    add("the disk is full to the last byte", "send files", Blow::Full { left: 0 }, false);
    add("a second client deploys something newer", "build", Blow::Second, false);
    add("a second client deploys something newer", "switch web", Blow::Second, false);
    add("a second client takes the lock and deploys something newer", "switch web", Blow::Takeover, false);
    cases
}

type Said = MapWhile<Lines<BufReader<ChildStdout>>, fn(std::io::Result<String>) -> Option<String>>;

/// Whether a line tells of this event of this step.
fn tells(line: &str, event: &str, step: &str) -> bool {
    let value: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
    let name = value["step"].as_str().unwrap_or_default();
    let named = match step {
        // Contexts have names of their own.
        "send context" => name.starts_with("send ") && !name.starts_with("send files"),
        _ => name == step || name.starts_with(&format!("{step} ")),
    };
    value["event"] == event && named
}

struct Trial {
    app: App,
    deploy: Vec<String>,
    /// What stood where before anything went wrong.
    base: String,
    version: u32,
    /// The highest version so far.
    newest: u32,
    rows: u32,
}

impl Trial {
    fn set(&self, version: u32) {
        self.app.version(&version.to_string());
        self.app.write("motd.txt", &format!("welcome to {version}\n"));
    }

    fn spawn(&self) -> (Child, Said) {
        let words: Vec<&str> = self.deploy.iter().map(String::as_str).chain(["--format", "json"]).collect();
        let mut child = self.app.spawn(&words);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        (child, lines.map_while(Result::ok as fn(_) -> _))
    }

    fn deploy(&self) -> Result<(), String> {
        let output = self.app.run(&self.deploy.iter().map(String::as_str).collect::<Vec<_>>());
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Lets it happen. Gives the versions that may serve afterwards.
    fn happen(&mut self, case: &Case) -> Result<(), String> {
        let before = self.version;
        self.newest += 1;
        self.version = self.newest;
        self.set(self.version);
        let weighs = matches!(case.blow, Blow::Cut | Blow::Full { .. }) && case.step == "send context";
        self.app.write("web/noise.txt", &noise(if weighs { 4_000_000 } else { 10 }, self.version));
        if let Blow::Full { left } = case.blow {
            self.app.guest(&format!(
                "cd /var/lib/plimsoll; dd if=/dev/zero of=filler bs=1k 2>/dev/null; truncate -s -{left}K filler; exit 0"
            ));
        }
        let (mut child, mut said) = self.spawn();
        let mut reach = |event: &str| said.any(|line| tells(&line, event, &case.step));
        let mut second = None;
        match case.blow {
            Blow::Kill { event, later } => {
                if !reach(event) {
                    return Err(format!("the deploy had no {event} of {}", case.step));
                }
                std::thread::sleep(Duration::from_millis(later));
                drop(child.kill());
            }
            Blow::Cut => {
                if !reach("begin") {
                    return Err(format!("the deploy had no {}", case.step));
                }
                self.app.cut();
            }
            Blow::Full { .. } => {}
            Blow::Second | Blow::Takeover => {
                if !reach("begin") {
                    return Err(format!("the deploy had no {}", case.step));
                }
                self.newest += 1;
                self.version = self.newest;
                self.set(self.version);
                if matches!(case.blow, Blow::Takeover) {
                    self.app.ok(&["unlock"]);
                }
                second = Some(self.spawn());
            }
        }
        let rest: Vec<String> = said.collect();
        let ended = child.wait().unwrap();
        let mut newest = None;
        if let Some((mut other, said)) = second {
            let last: Vec<String> = said.collect();
            if !other.wait().unwrap().success() {
                return Err(format!("the second client failed: {last:?} after {rest:?}"));
            }
            newest = Some(self.version);
        }
        match case.blow {
            Blow::Full { .. } => {
                self.app.guest("rm -f /var/lib/plimsoll/filler");
                if ended.success() {
                    return Err("it succeeded on a full disk".to_owned());
                }
                newest = Some(before);
            }
            Blow::Cut if case.step == "send context" => newest = Some(before),
            _ => {}
        }
        // Between the blow and the next run: the old release, the new one, or the pause of a service that stops first.
        let served = self.app.served();
        let may = match newest {
            Some(one) => vec![Some(one.to_string())],
            None => vec![None, Some(before.to_string()), Some(self.version.to_string())],
        };
        if !may.contains(&served) {
            return Err(format!("{served:?} serves where {may:?} may: {rest:?}"));
        }
        if case.back {
            self.version = before;
            self.set(before);
            self.app.write("web/noise.txt", &noise(10, before));
        }
        Ok(())
    }

    /// What is not as it should be after the next run.
    fn whole(&self) -> Result<(), String> {
        let served = self.app.served();
        if served != Some(self.version.to_string()) {
            return Err(format!("{served:?} serves instead of {}", self.version));
        }
        let motd = self.app.ok(&["exec", "web", "--", "cat", "/motd.txt"]);
        if motd.trim() != format!("welcome to {}", self.version) {
            return Err(format!("half a release: {motd}"));
        }
        if self.app.running() != ["api", "db", "web"] {
            return Err(format!("{:?} run", self.app.running()));
        }
        let data = self.app.guest(&in_database("grep -c . /data/starts; grep -c . /data/rows"));
        if data != format!("1\n{}\n", self.rows) {
            return Err(format!("the data is not what it was: {data:?} instead of {} rows", self.rows));
        }
        let now = self.app.guest(LEFT);
        if now != self.base {
            return Err(format!("left over: {now:?}, before: {:?}", self.base));
        }
        Ok(())
    }

    fn try_case(&mut self, case: &Case) -> Result<(), String> {
        self.app.guest(&in_database("date >> /data/rows"));
        self.rows += 1;
        self.happen(case)?;
        self.deploy()?;
        self.whole()
    }
}

/// What a client does in the database's container. It comes again where the engine could not start it (126), which says nothing of the
/// database.
fn in_database(script: &str) -> String {
    format!(
        "for i in 1 2 3 4 5; do
            s=0
            said=$(docker exec $1-db-1 sh -c '{script}' 2>&1) || s=$?
            [ $s = 126 ] || break
            echo \"$said\" >&2
            sleep 0.2
        done
        echo \"$said\"
        exit $s"
    )
}

/// Everything that a deploy may leave behind, without what changes with each release.
///
/// What containers of a release are told by is written once a switch asks for it.
const LEFT: &str = r#"
D=/var/lib/plimsoll/$1
docker ps -a --format '{{.Names}} {{.Label "com.docker.compose.oneoff"}}' | sed 's/-[0-9]* /- /' | sort
docker network ls --format '{{.Name}}' | sort
docker volume ls -q | sort
echo "dangling $(docker image ls -q --filter dangling=true --filter label=plimsoll.app=$1 | wc -l)"
cd "$D" && find . -maxdepth 3 | grep -vE '^\./(releases|files)/|^\./contexts/[^/]*/(tree/|root$)' | sort
for r in releases/*; do echo "release $(ls -A "$r" | grep -vx hashes | tr '\n' ' ')"; done | sort -u
for f in files/*; do echo "files $(ls -A "$f" | tr '\n' ' ')"; done | sort -u
[ "$(ls -A releases | wc -l)" -le 7 ] && [ "$(ls -A files | wc -l)" -le 7 ] && echo bounded
[ "$(docker image ls -q plimsoll/$1 | wc -l)" -le 7 ] && echo 'bounded images'
ls -A /tmp /var/tmp /root | grep -vE '^(systemd-private|runc-process)'
true
"#;

/// Text that does not compress, so that what happens does so in its middle.
pub(crate) fn noise(length: usize, seed: u32) -> String {
    let mut state = u64::from(seed) + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(33 + u8::try_from((state >> 33) % 90).unwrap())
    };
    (0..length).map(|_| next()).collect()
}

const HEAD: &str = "<!-- generated by `PLIMSOLL_TEST_LAB=1 PLIMSOLL_BLESS=1 cargo test -p plimsoll --test guest every_interruption` -->
# What becomes of a deploy that is interrupted

Each row is a case that `crates/cli/tests/guest/whole.rs` runs against a real guest with a real Docker Engine: a release is
deployed, a client writes into the database's volume, the next deploy is interrupted as said, and then `plimsoll deploy` runs
once more, with the same files or with those of the release before. After that run

- the app serves exactly one whole release, the one that was deployed last: image and mounted file of the same version;
- every service runs once, and the database was neither started again nor did it lose a row;
- nothing is left over: no container, network, volume or dangling image, no temporary file, no half release, no half build
  context, no lock, and no more releases and images than are kept, but for one that the next deploy takes away.

Between the interruption and the next run the app serves the old release or the new one; a service that stops first may be in
the pause that `plimsoll plan` names. Where the disk is full or the build context never arrives, it is the old one.

| what happens | at the step | the next run deploys | afterwards |
|---|---|---|---|
";

#[test]
#[expect(clippy::disallowed_methods, reason = "the table is a file of the repository")]
fn every_interruption_leaves_what_the_next_run_makes_whole() {
    let Some(app) = App::new("plimsoll-test-whole", 18101) else { return };
    let port = app.port;
    app.write(
        "compose.yaml",
        &format!(
            "services:\n  web:\n    build: web\n    ports: [\"{port}:8080\"]\n    stop_grace_period: 1s\n    \
             volumes: [\"./motd.txt:/motd.txt:ro\"]\n    depends_on: [api]\n  api:\n    build: web\n    init: true\n    \
             stop_grace_period: 1s\n  db:\n    image: plimsoll-test/base:1\n    init: true\n    stop_grace_period: 1s\n    \
             command: [\"sh\", \"-c\", \"date >> /data/starts; exec sleep 100000\"]\n    volumes: \
             [\"data:/data\"]\nvolumes:\n  data: {{}}\n"
        ),
    );
    app.guest("mkdir -p /var/lib/plimsoll; mount -t tmpfs -o size=16m none /var/lib/plimsoll");
    let deploy = [app.deploy(), vec!["--before-release".to_owned(), "web=sleep 0.3".to_owned()]].concat();
    let mut trial = Trial { app, deploy, base: String::new(), version: 1, newest: 2, rows: 0 };
    for version in [1, 2] {
        trial.version = version;
        trial.set(version);
        trial.app.write("web/noise.txt", "some\n");
        trial.deploy().unwrap();
    }
    trial.base = trial.app.guest(LEFT);
    let only = std::env::var("PLIMSOLL_CASE").unwrap_or_default();
    let mut table = HEAD.to_owned();
    let mut wrong = Vec::new();
    for case in cases() {
        let next = if case.back { "the release before" } else { "the same" };
        let row = format!("| {} | `{}` | {next} |", case.what, case.step);
        if !row.contains(&only) {
            continue;
        }
        let result = trial.try_case(&case);
        println!("{row} {result:?}");
        table.push_str(&format!("{row} {} |\n", if result.is_ok() { "whole" } else { "NOT whole" }));
        if let Err(error) = result {
            wrong.push(format!("{row} {error}"));
            // The next case starts from something whole.
            drop(trial.app.run(&["unlock"]));
            trial.deploy().unwrap();
            trial.base = trial.app.guest(LEFT);
        }
    }
    trial.app.guest("umount -l /var/lib/plimsoll");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    if !only.is_empty() {
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reliability.md");
    if std::env::var_os("PLIMSOLL_BLESS").is_some() {
        std::fs::write(path, table).unwrap();
    } else {
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            table,
            "PLIMSOLL_BLESS=1 writes docs/reliability.md anew"
        );
    }
}
