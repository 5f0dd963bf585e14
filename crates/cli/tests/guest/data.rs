//! Data goes back with a release that fails.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::app::App;

/// A row that the app said it has, with the times before the question and after the answer.
struct Row {
    number: u64,
    asked: u64,
    answered: u64,
}

#[expect(clippy::disallowed_methods, reason = "rows are told apart by the time of their answer")]
fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Asks the app to keep a row.
fn keep(host: &str, port: u16, number: u64) -> Option<()> {
    let address = format!("{host}:{port}").parse().ok()?;
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    write!(stream, "GET /cgi-bin/keep?{number} HTTP/1.0\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    text.contains("kept").then_some(())
}

/// Writes all the time until it is told to stop; gives what was acknowledged.
fn writer(host: String, port: u16, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<Vec<Row>> {
    std::thread::spawn(move || {
        let mut rows = Vec::new();
        for number in 1.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let asked = now();
            if keep(&host, port, number).is_some() {
                rows.push(Row { number, asked, answered: now() });
            }
            std::thread::sleep(Duration::from_millis(40));
        }
        rows
    })
}

/// An app that keeps rows in a volume, on a guest whose node can take it back.
fn shop(name: &str, port: u16) -> Option<App> {
    let mut app = App::new(name, port)?;
    if !app.on_node("adopt", "    on_failure: restore_data\n    deadline: 30s\n") {
        return None;
    }
    app.write(
        "compose.yaml",
        &format!(
            "services:\n  web:\n    build: web\n    ports: [\"{port}:8080\"]\n    stop_grace_period: 1s\n    restart: \
             unless-stopped\n    volumes: [\"data:/data\"]\nvolumes:\n  data: {{}}\n"
        ),
    );
    app.write(
        "web/cgi-bin/keep",
        "#!/bin/sh\necho \"$QUERY_STRING\" >>/data/rows\necho 'Content-Type: text/plain'\necho\necho kept\n",
    );
    app.write(
        "web/Dockerfile",
        "FROM plimsoll-test/base:1\nCOPY . /app\nRUN [\"/bin/busybox\", \"chmod\", \"755\", \"/app/cgi-bin/keep\"]\nHEALTHCHECK \
         --interval=1s --timeout=2s --retries=3 CMD sh /app/health.sh\nCMD [\"sh\", \"/app/start.sh\"]\n",
    );
    Some(app)
}

fn rows(app: &App) -> Vec<u64> {
    let text = app.guest("docker exec $1-web-1 cat /data/rows");
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

#[test]
fn a_release_that_fails_loses_exactly_the_writes_that_it_names() {
    let Some(mut app) = shop("plimsoll-test-data", 18111) else { return };
    app.ok(&["deploy"]);
    assert_eq!(app.snapshots(), [""; 0], "a first release has nothing to go back to");
    app.version("2");
    let plan = app.ok(&["plan"]);
    assert!(plan.contains("take a snapshot of the guest; a failure takes its data back"), "{plan}");
    app.ok(&["deploy"]);
    assert_eq!(app.snapshots(), [""; 0], "a release that serves needs none any more");

    let stop = Arc::new(AtomicBool::new(false));
    let writing = writer(app.host(), app.port, Arc::clone(&stop));
    std::thread::sleep(Duration::from_secs(2));
    // A migration that spoils the data, and a version that never becomes healthy.
    app.version("3");
    app.write("web/health.sh", "exit 1\n");
    let bad = ["deploy", "--before-release", "web=sh -c 'echo spoilt >/data/rows'", "--format", "json"];
    let output = app.run(&bad);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{err}");
    assert_eq!(output.status.code(), Some(3), "{out}{err}");
    assert!(err.contains("release 2 serves again with its data; lost: what was written from"), "{err}");
    let lost = out.lines().find(|line| line.contains("\"event\":\"lost\"")).unwrap();
    let lost: serde_json::Value = serde_json::from_str(lost).unwrap();
    let (from, until) = (lost["from"].as_u64().unwrap(), lost["until"].as_u64().unwrap());
    std::thread::sleep(Duration::from_secs(1));
    stop.store(true, Ordering::Relaxed);
    let written = writing.join().unwrap();
    app.reconnect();
    assert_eq!(app.served().as_deref(), Some("2"));
    let kept = rows(&app);
    assert!(!app.guest("docker exec $1-web-1 cat /data/rows").contains("spoilt"));
    let gone: Vec<&Row> = written.iter().filter(|row| !kept.contains(&row.number)).collect();
    println!("{} rows were acknowledged, {} are lost", written.len(), gone.len());
    for row in &gone {
        assert!(row.answered >= from && row.asked <= until, "row {} is lost and not named", row.number);
    }
    assert!(written.iter().any(|row| row.answered < from), "rows from before");
    assert!(written.iter().any(|row| row.asked > until), "rows from after");
    assert_eq!(app.snapshots(), [""; 0]);
    app.ok(&["status"]);

    // The next one goes on from there.
    app.write("web/health.sh", "wget -q -O- http://127.0.0.1:8080/version.txt\n");
    assert!(app.ok(&["deploy"]).contains("release 4"), "a number is not used twice");
    assert_eq!(app.served().as_deref(), Some("3"));
    assert!(rows(&app).starts_with(&kept), "what was there is still there");

    // Whatever else lives on the guest would go back as well.
    app.guest("mkdir -p /var/lib/plimsoll/other && echo 1 >/var/lib/plimsoll/other/good");
    app.version("5");
    let output = app.run(&["deploy"]);
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        err.contains("the guest runs other as well") && err.contains("release 4 serves as before"),
        "{err}"
    );
    assert_eq!((app.served().as_deref(), app.snapshots()), (Some("3"), vec![]));
}

#[test]
fn a_client_killed_between_snapshot_and_end_leaves_what_the_next_one_finishes() {
    let Some(mut app) = shop("plimsoll-test-kept", 18112) else { return };
    app.ok(&["deploy"]);
    assert_eq!(keep(&app.host(), app.port, 1), Some(()));
    // Once the snapshot is there.
    app.version("2");
    kill_at(&app, &["deploy", "--format", "json"], "\"event\":\"begin\",\"step\":\"switch web\"", 0);
    assert_eq!(app.snapshots(), ["plimsoll-2"]);
    // The next one fails: it goes back to before both.
    app.write("web/health.sh", "exit 1\n");
    let output = app.run(&["deploy"]);
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(err.contains("release 1 serves again with its data"), "{err}");
    app.reconnect();
    assert_eq!((app.served().as_deref(), rows(&app)), (Some("1"), vec![1]));
    assert_eq!(app.snapshots(), [""; 0]);
    // While data goes back, at several moments.
    for pause in [0, 700, 2000] {
        kill_at(&app, &["deploy", "--format", "json"], "\"event\":\"reverting\"", pause);
    }
    app.write("web/health.sh", "wget -q -O- http://127.0.0.1:8080/version.txt\n");
    app.ok(&["deploy"]);
    app.reconnect();
    assert_eq!((app.served().as_deref(), rows(&app)), (Some("2"), vec![1]));
    assert_eq!(app.snapshots(), [""; 0]);
}

/// Kills a client so long after it printed this.
fn kill_at(app: &App, args: &[&str], text: &str, pause: u64) {
    let mut child = app.spawn(args);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut seen = lines.skip_while(|line| !line.contains(text));
    assert!(seen.next().is_some(), "it never said {text}");
    std::thread::sleep(Duration::from_millis(pause));
    drop(child.kill());
    drop(child.wait());
}
