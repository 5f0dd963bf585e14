//! A life of an app: first deploy, changes, failures, ways back.

use crate::app::App;

fn words(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

#[test]
fn an_app_is_deployed_changed_broken_and_put_back() {
    let Some(app) = App::new("plimsoll-test-story", 18080) else { return };
    let deploy = app.deploy();
    let deploy = words(&deploy);

    let plan = app.ok(&["plan"]);
    assert!(plan.contains("start web") && plan.contains("nothing serves now"), "{plan}");
    assert_eq!(app.guest("ls /var/lib/plimsoll/$1 2>/dev/null; exit 0"), "", "a plan changes nothing");

    assert!(app.ok(&deploy).contains("release 1 of plimsoll-test-story serves"));
    assert_eq!(app.served().as_deref(), Some("1"));
    assert!(app.ok(&deploy).contains("is as it should be: release 1 serves"));

    app.version("2");
    let plan = app.ok(&["plan"]);
    assert!(plan.contains("compose.yaml:4: only one container can have the port 18080"), "{plan}");
    assert!(plan.contains("switch api: new containers are healthy before old ones stop"), "{plan}");
    assert!(!plan.contains("switch db"), "{plan}");
    assert!(app.ok(&deploy).contains("release 2"));
    assert_eq!(app.served().as_deref(), Some("2"));

    // A health check that never passes.
    app.version("3");
    app.write("web/health.sh", "exit 1\n");
    let output = app.run(&deploy);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("release 3 failed at `switch api`: its health check fails"), "{said}");
    assert!(said.contains("release 2 serves again"), "{said}");
    assert_eq!(app.served().as_deref(), Some("2"));
    assert_eq!(app.running(), ["api", "db", "web"]);
    app.write("web/health.sh", "wget -q -O- http://127.0.0.1:8080/version.txt\n");

    // A migration that fails: nothing was switched.
    let hook =
        [deploy.as_slice(), &["--before-release", "web=sh -c 'echo no such table >&2; exit 4'"]].concat();
    let output = app.run(&hook);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("no such table") && said.contains("release 2 serves as before"), "{said}");
    assert_eq!(app.served().as_deref(), Some("2"));

    // One that succeeds, before the eyes of somebody who sees what takes its time for as long as it does.
    let migration = "web=sh -c 'for i in 1 2 3; do echo table $i; sleep 0.5; done'";
    let hook = [deploy.as_slice(), &["--before-release", migration]].concat();
    let seen = app.at_terminal(&hook);
    assert!(seen.code == 0 && seen.stdout.contains("of plimsoll-test-story serves"), "{}", seen.screen);
    println!("{}", seen.screen);
    let moves: Vec<&str> = seen.screen.split(['\r', '\n']).collect();
    assert!(moves.iter().any(|line| line.contains("hook 0 web (1s)")), "{:?}", seen.screen);
    assert!(
        moves.iter().any(|line| line.contains("hook 0 web (") && line.contains("table 2")),
        "{:?}",
        seen.screen
    );
    assert!(
        moves.iter().any(|line| line.trim_end().ends_with("s") && line.contains("  switch web: ")),
        "{:?}",
        seen.screen
    );
    // Nothing of it stays: what comes next on the screen begins on a line of its own.
    assert!(seen.screen.ends_with("\u{1b}[2K"), "{:?}", seen.screen);
    assert_eq!(app.served().as_deref(), Some("3"));

    assert!(app.ok(&["rollback"]).contains("release 2 of plimsoll-test-story serves"));
    assert_eq!(app.served().as_deref(), Some("2"));
    assert!(app.ok(&["status"]).contains("release 2"));
    assert!(app.ok(&["releases"]).contains("serves"));
    assert_eq!(app.ok(&["exec", "web", "--", "cat", "/app/version.txt"]), "2");

    // What a command ends with is what its user gets.
    assert_eq!(app.run(&["exec", "web", "--", "sh", "-c", "exit 7"]).status.code(), Some(7));
    app.guest("docker exec $1-web-1 sh -c 'echo a line of the log >/proc/1/fd/1'");
    let logs = app.ok(&["logs", "web", "--format", "json"]);
    let logs: Vec<serde_json::Value> = logs.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(
        logs.iter().any(|entry| entry["service"] == "web" && entry["line"] == "a line of the log"),
        "{logs:?}"
    );

    let stopped = app.ok(&["stop", "api", "--format", "json"]);
    assert!(stopped.lines().next_back().unwrap().contains(r#""verb":"stop""#), "{stopped}");
    assert_eq!(app.run(&["status"]).status.code(), Some(1), "something does not run");
    app.ok(&["start", "api"]);
    app.ok(&["status"]);
    assert_eq!(
        app.guest("docker exec $1-db-1 cat /data/starts | grep -c .").trim(),
        "1",
        "the database was left alone"
    );
}

#[test]
fn a_secret_stands_in_no_record_and_no_argument() {
    let Some(app) = App::new("plimsoll-test-secret", 18081) else { return };
    let deploy = app.deploy();
    let output = app.run(&words(&[deploy, vec!["--verbose".to_owned()]].concat()));
    assert!(output.status.success());
    let said = [output.stdout, output.stderr].concat();
    assert!(!String::from_utf8_lossy(&said).contains("correct-horse"));
    let found = app.guest("cd /var/lib/plimsoll/$1; grep -rl correct-horse . ; exit 0");
    assert_eq!(found.trim(), "./releases/1/env");
    assert_eq!(app.guest("stat -c %a /var/lib/plimsoll/$1/releases/1/env").trim(), "600");
    assert!(app.ok(&["exec", "web", "--", "sh", "-c", "echo $DB_PASSWORD"]).contains("correct-horse"));
}

#[test]
fn a_service_that_starts_first_answers_every_request() {
    let Some(app) = App::new("plimsoll-test-first", 18086) else { return };
    if app.guest("command -v python3 || true").trim().is_empty() {
        println!("skipped: no python3 on the guest to ask all the time");
        return;
    }
    // Like any server that is told to end, it takes no more requests and answers those that it has.
    app.write("web/start.sh", "httpd -f -p 8080 -h /app &\ntrap \"kill $!; sleep 0.3; exit 0\" TERM\nwait\n");
    let deploy = app.deploy();
    app.ok(&words(&deploy));
    // Asks from a container of the same network, with a name looked up for each request.
    let client = app.guest_later(include_str!("client.sh"));
    std::thread::sleep(std::time::Duration::from_secs(2));
    for version in ["2", "3", "4"] {
        app.version(version);
        app.ok(&words(&deploy));
    }
    let said = app.wait(client);
    let numbers: Vec<u32> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert!(numbers.len() == 2 && numbers[0] > 300, "{said}");
    assert_eq!(numbers[1], 0, "requests and failures: {said}");
}

#[test]
fn an_image_built_elsewhere_sends_only_what_differs_from_layers_that_are_there() {
    let Some(mut app) = App::new("plimsoll-test-ship", 18087) else { return };
    if !app.build_elsewhere() {
        return;
    }
    app.write(
        "web/Dockerfile",
        "FROM plimsoll-test/base:1\nCOPY packages /packages\nCOPY app /app\nHEALTHCHECK --interval=1s CMD sh \
         /app/health.sh\nCMD [\"sh\", \"/app/start.sh\"]\n",
    );
    app.write("web/app/start.sh", "httpd -f -p 8080 -h /app &\nwait\n");
    app.write("web/app/health.sh", "wget -q -O- http://127.0.0.1:8080/version.txt\n");
    let packages = |time: &str| {
        for file in 0..1200 {
            app.write(&format!("web/packages/{file}.py"), &crate::whole::noise(20_000, file));
        }
        app.write("web/packages/version", time);
    };
    packages("1");
    app.write("web/app/code.txt", &crate::whole::noise(1 << 20, 77));
    app.write("web/app/version.txt", "1");
    let deploy = [app.deploy(), vec!["--format".to_owned(), "json".to_owned()]].concat();
    let sent = || {
        let said = app.ok(&words(&deploy));
        let sent =
            said.split("\"sent\":").last().and_then(|rest| rest.split(',').next()?.parse::<u64>().ok());
        sent.unwrap_or_else(|| panic!("{said}"))
    };
    let first = sent();
    assert_eq!(app.served().as_deref(), Some("1"));
    // One line of code.
    app.write("web/app/version.txt", "2");
    let line = sent();
    assert_eq!(app.served().as_deref(), Some("2"));
    // Packages that were installed anew: the same files with new times, and one that differs.
    packages("2");
    let rebuilt = sent();
    // What the guest kept is spoilt: the layer goes whole.
    app.guest("for l in /var/lib/plimsoll/$1/layers/*; do echo spoilt >$l; done");
    app.write("web/app/version.txt", "3");
    let whole = sent();
    assert_eq!(app.served().as_deref(), Some("3"));
    println!("bytes of steps: first {first}, one line {line}, packages {rebuilt}, spoilt {whole}");
    assert!(first > 15_000_000 && line <= 16_000 && rebuilt <= 200_000, "{first} {line} {rebuilt}");
    assert!(whole > 500_000, "{whole}");
    assert_eq!(app.guest("ls /var/lib/plimsoll/$1/load 2>/dev/null; exit 0"), "", "nothing is left");
}

/// An app upon 8 MB of packages, whose images a second engine builds.
struct Pushing {
    app: App,
    version: u32,
}

impl Pushing {
    fn new(name: &str, port: u16, engine: &str) -> Option<Self> {
        let mut app = App::new(name, port)?;
        app.guest(&format!("echo '{engine}' >/run/plimsoll-builder.json"));
        if !app.build_elsewhere() {
            return None;
        }
        app.share_loopback(47_116..=47_119);
        app.write(
            "web/Dockerfile",
            "FROM plimsoll-test/base:1\nCOPY packages /packages\nCOPY app /app\nCMD [\"sh\", \"/app/start.sh\"]\n",
        );
        app.write("web/packages/noise", &crate::whole::noise(8_000_000, 7));
        app.write("web/app/start.sh", "httpd -f -p 8080 -h /app &\nwait\n");
        Some(Self { app, version: 0 })
    }

    /// Changes a line and deploys: archives and pushes that the engine made, and bytes that were sent.
    fn deploy(&mut self) -> (usize, usize, u64) {
        let app = &self.app;
        self.version += 1;
        app.write("web/app/version.txt", &self.version.to_string());
        let begun = app.guest("date +%s.%N");
        let json = ["--format".to_owned(), "json".to_owned()];
        let said = app.ok(&words(&[app.deploy(), json.to_vec()].concat()));
        assert_eq!(app.served(), Some(self.version.to_string()));
        let events = app.guest(&format!(
            "docker -H unix:///run/plimsoll-builder.sock events --since {} --until $(date +%s.%N) --filter type=image \
             --format '{{{{.Action}}}}'",
            begun.trim()
        ));
        let count = |action: &str| events.lines().filter(|line| *line == action).count();
        (count("save"), count("push"), told(&said, "ship"))
    }

    /// What a push leaves: nothing.
    fn is_clean(&self) -> bool {
        let tags = "docker -H unix:///run/plimsoll-builder.sock images --format '{{.Repository}}'";
        !self.app.guest(tags).contains("127.0.0.1")
    }
}

#[test]
fn an_engine_that_knows_the_layers_of_before_pushes_only_what_is_new() {
    let Some(mut pushing) = Pushing::new("plimsoll-test-push", 18095, "{}") else { return };
    // The engine is taught while releases are watched; how many that takes is a matter of speed.
    let book = pushing.app.folder.path().join(".cache/plimsoll/pushed");
    assert_eq!(pushing.deploy().0, 1, "the guest has nothing: all goes as an archive");
    while !book.exists() {
        assert!(pushing.version < 20, "the engine is never taught");
        pushing.deploy();
    }
    let (saves, pushes, sent) = pushing.deploy();
    assert!(saves == 0 && pushes > 0 && sent < 4000, "{saves} archives, {pushes} pushes, {sent} bytes");
    assert!(pushing.is_clean());

    // Where the engine does not reach this machine, the archive goes as before.
    pushing.app.guest("systemctl stop 'plimsoll-loopback-*'");
    assert_eq!(pushing.deploy().0, 1);
}

#[test]
fn images_of_an_engine_with_containerds_store_go_over_by_what_is_new() {
    let store = r#"{"features": {"containerd-snapshotter": true}}"#;
    let Some(mut pushing) = Pushing::new("plimsoll-test-store", 18096, store) else { return };
    let kind =
        pushing.app.guest("docker -H unix:///run/plimsoll-builder.sock info --format '{{.DriverStatus}}'");
    assert!(kind.contains("containerd.snapshotter"), "{kind}");
    let (saves, _, first) = pushing.deploy();
    assert!(saves == 0 && first > 5_000_000, "{saves} archives, {first} bytes");
    let (saves, _, line) = pushing.deploy();
    assert!(saves == 0 && line < 4000, "{saves} archives, {line} bytes");
    assert!(pushing.is_clean());

    // Where the engine does not reach this machine, all goes as its archive, which is packed in another way.
    pushing.app.guest("systemctl stop 'plimsoll-loopback-*'");
    let (_, _, whole) = pushing.deploy();
    assert!(whole > 5_000_000, "{whole}");
}

/// Bytes of all steps, or of one kind, as a deploy tells them.
fn told(said: &str, step: &str) -> u64 {
    let lines = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let of = lines.filter(|line| {
        line["event"] == "end" && line["step"].as_str().is_some_and(|name| name.starts_with(step))
    });
    of.filter_map(|line| line["sent"].as_u64()).sum()
}

#[test]
fn a_transfer_that_is_cut_goes_on_where_it_was() {
    let Some(mut app) = App::new("plimsoll-test-cut", 18091) else { return };
    if !app.build_elsewhere() {
        return;
    }
    app.write(
        "web/Dockerfile",
        "FROM plimsoll-test/base:1\nCOPY app /app\nCMD [\"sh\", \"/app/start.sh\"]\n",
    );
    app.write("web/app/start.sh", "httpd -f -p 8080 -h /app &\nwait\n");
    let set = |version: u32| {
        app.write("web/app/version.txt", &version.to_string());
        for file in 0..40 {
            app.write(&format!("web/app/{file}"), &crate::whole::noise(1_000_000, version * 100 + file));
        }
    };
    let deploy = [app.deploy(), vec!["--format".to_owned(), "json".to_owned()]].concat();
    set(1);
    let said = app.ok(&words(&deploy));
    let whole = told(&said, "ship");
    let halfway = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let halfway = halfway
        .filter(|event| event["event"] == "progress" && event["step"].as_str().unwrap().starts_with("ship"));
    let halfway: Vec<[u64; 3]> =
        halfway.map(|event| ["done", "total", "sent"].map(|name| event[name].as_u64().unwrap())).collect();
    println!("{halfway:?}");
    assert!(
        halfway.is_sorted()
            && halfway.iter().all(|[done, total, sent]| sent <= done && *done <= total * 11 / 10),
        "{halfway:?}"
    );
    assert!(halfway.iter().any(|[done, total, _]| *done > 0 && *total > 40_000_000), "{halfway:?}");
    assert!(whole > 20_000_000, "{whole}");
    // Nothing of the second version can be made of the first.
    set(2);
    let mut child = app.spawn(&words(&deploy));
    let arrived = "cat /var/lib/plimsoll/$1/parts/* 2>/dev/null | wc -c";
    app.guest(&format!(
        "for i in $(seq 3000); do [ $({arrived}) -gt 3000000 ] && exit 0; sleep 0.01; done; exit 1"
    ));
    app.cut();
    assert!(!child.wait().unwrap().success());
    // The step of the deploy that was cut ends by itself.
    app.guest("exec 9>>/var/lib/plimsoll/$1/step; flock -w 60 9");
    let arrived: u64 = app.guest(arrived).trim().parse().unwrap();
    assert!(arrived > 3_000_000 && arrived < whole, "{arrived} of {whole}");
    assert_eq!(app.served().as_deref(), Some("1"));
    let rest = told(&app.ok(&words(&deploy)), "ship");
    println!("bytes: whole {whole}, arrived before the cut {arrived}, sent after it {rest}");
    assert!((arrived + rest).abs_diff(whole) < whole / 50, "{arrived} and {rest} of {whole}");
    assert_eq!(app.served().as_deref(), Some("2"));

    // What arrived is spoilt: it is sent again.
    set(3);
    let mut child = app.spawn(&words(&deploy));
    app.guest(
        "for i in $(seq 3000); do [ $(cat /var/lib/plimsoll/$1/parts/* 2>/dev/null | wc -c) -gt 3000000 ] && exit 0
         sleep 0.01; done; exit 1",
    );
    app.cut();
    assert!(!child.wait().unwrap().success());
    app.guest("exec 9>>/var/lib/plimsoll/$1/step; flock -w 60 9
         for p in /var/lib/plimsoll/$1/parts/*; do printf 'spoilt, every byte of it' | dd of=$p bs=1 seek=1000 conv=notrunc 2>/dev/null; done");
    let again = told(&app.ok(&words(&deploy)), "ship");
    assert!(again.abs_diff(whole) < whole / 50, "{again} of {whole}");
    assert_eq!(app.served().as_deref(), Some("3"));
    assert_eq!(app.guest("ls /var/lib/plimsoll/$1/parts; exit 0"), "", "nothing is left");
}

#[test]
fn a_named_commit_is_deployed_instead_of_the_files() {
    let Some(app) = App::new("plimsoll-test-commit", 18089) else { return };
    app.write(".gitignore", ".env\n");
    app.git(&["init", "-q"]);
    app.git(&["add", "-A"]);
    app.git(&["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "one"]);
    app.version("uncommitted");
    let deploy = [app.deploy(), ["--version", "HEAD"].map(ToOwned::to_owned).to_vec()].concat();
    app.ok(&words(&deploy));
    assert_eq!(app.served().as_deref(), Some("1"));
    assert!(app.ok(&["exec", "web", "--", "sh", "-c", "echo $DB_PASSWORD"]).contains("correct-horse"));
    assert_eq!(app.git(&["worktree", "list"]).lines().count(), 1, "nothing is left behind");
    let output = app.run(&["deploy", "--version", "no-such-thing"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("git knows no such commit"));
}

#[test]
fn a_configuration_file_says_it_all() {
    let Some(mut app) = App::new("plimsoll-test-file", 18090) else { return };
    app.write("secret.txt", "battery staple\n");
    app.configure(
        "    build: guest\n    watch: 1s\n    checks: [{http: \"http://{guest}:18090/version.txt\", contains: \"1\"}]\n    \
         before_release: [{service: web, run: cat /app/version.txt}]\nsecrets:\n  DB_PASSWORD: {from: file, path: secret.txt}\n",
    );
    let plan = app.ok(&["plan"]);
    assert!(plan.contains("run `cat /app/version.txt` with the new image of web"), "{plan}");
    assert!(plan.contains(":18090/version.txt answers 200 with `1`"), "{plan}");
    app.ok(&["deploy"]);
    assert_eq!(app.served().as_deref(), Some("1"));
    assert!(app.ok(&["exec", "web", "--", "sh", "-c", "echo $DB_PASSWORD"]).contains("battery staple"));
    assert!(app.ok(&["status"]).contains("plimsoll-test-file: release 1"));
    let output = app.run(&["status", "--target", "elsewhere"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no target `elsewhere`"));
    // What the file demands of the answer is held against it.
    app.version("2");
    assert_eq!(app.run(&["deploy"]).status.code(), Some(3));
    assert_eq!(app.served().as_deref(), Some("1"));
}
