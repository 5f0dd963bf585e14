//! Clients that die, and clients that meet.

use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use crate::app::App;

/// Kills a deploy with SIGKILL after so many events; whether it lived that long.
fn killed_after(app: &App, events: usize) -> bool {
    let deploy = [app.deploy(), vec!["--format".to_owned(), "json".to_owned()]].concat();
    let mut child = app.spawn(&deploy.iter().map(String::as_str).collect::<Vec<_>>());
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let borders =
        lines.filter(|line| line.contains("\"event\":\"begin\"") || line.contains("\"event\":\"end\""));
    let reached = borders.take(events).count() == events;
    // A moment later a step is in its middle, not at its border.
    std::thread::sleep(Duration::from_millis(if events % 2 == 1 { 60 } else { 0 }));
    drop(child.kill());
    drop(child.wait());
    reached
}

#[test]
fn a_client_killed_at_any_step_leaves_what_the_next_deploy_finishes() {
    let Some(app) = App::new("plimsoll-test-chaos", 18082) else { return };
    let deploy = app.deploy();
    let deploy: Vec<&str> = deploy.iter().map(String::as_str).collect();
    app.ok(&deploy);
    let mut events = 1;
    loop {
        let (before, after) = (format!("{events}"), format!("{}", events + 1));
        app.version(&after);
        let reached = killed_after(&app, events);
        let between = app.served();
        assert!(
            [None, Some(before.clone()), Some(after.clone())].contains(&between),
            "after {events} events it serves {between:?}"
        );
        let said = app.ok(&deploy);
        assert_eq!(app.served(), Some(after), "after {events} events: {said}");
        assert_eq!(app.running(), ["api", "db", "web"], "after {events} events");
        app.ok(&["status"]);
        if !reached {
            break;
        }
        events += 1;
    }
    assert!(events > 12, "{events} events");
    assert_eq!(
        app.guest("docker exec $1-db-1 cat /data/starts | grep -c .").trim(),
        "1",
        "the data is there"
    );
}

#[test]
fn what_follows_a_killed_deploy_may_fail_and_the_old_release_serves() {
    let Some(app) = App::new("plimsoll-test-worse", 18083) else { return };
    let deploy = app.deploy();
    let deploy: Vec<&str> = deploy.iter().map(String::as_str).collect();
    app.ok(&deploy);
    // Killed in the middle of the first switch, then something that never becomes healthy.
    app.version("2");
    killed_after(&app, 7);
    app.version("3");
    app.write("web/health.sh", "exit 1\n");
    assert_eq!(app.run(&deploy).status.code(), Some(3));
    assert_eq!(app.served().as_deref(), Some("1"));
    assert_eq!(app.running(), ["api", "db", "web"]);
    // Killed once everything was switched, then something that cannot even be built.
    app.write("web/health.sh", "wget -q -O- http://127.0.0.1:8080/version.txt\n");
    app.version("4");
    killed_after(&app, 10);
    assert_eq!(app.served().as_deref(), Some("4"), "the test kills too early");
    app.write("web/Dockerfile", "FROM plimsoll-test/base:1\nCOPY nothing /app\n");
    let output = app.run(&deploy);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("failed at `build") && said.contains("release 1 serves again"), "{said}");
    assert_eq!(app.served().as_deref(), Some("1"));
    assert_eq!(app.running(), ["api", "db", "web"]);
}

#[test]
fn what_a_killed_client_began_comes_to_its_end_before_the_next_one_looks() {
    let Some(app) = App::new("plimsoll-test-orphan", 18097) else { return };
    let deploy = app.deploy();
    let deploy: Vec<&str> = deploy.iter().map(String::as_str).collect();
    // It does not stop when it is asked to: its grace is waited for.
    app.write("web/start.sh", "trap '' TERM\nhttpd -f -p 8080 -h /app &\nwait\n");
    app.ok(&deploy);
    let mut child = app.spawn(&["stop"]);
    app.guest("until grep -q '\"stop\",\"phase\":\"begin' /var/lib/plimsoll/$1/journal; do sleep 0.01; done");
    drop(child.kill());
    child.wait().unwrap();
    let output = app.run(&deploy);
    let said = String::from_utf8_lossy(&[output.stderr, output.stdout].concat()).into_owned();
    assert!(output.status.success() && said.contains("its last step comes to its end"), "{said}");
    let journal = app.ok(&["events"]);
    assert!(journal.contains("end     stop"), "{journal}");
    assert_eq!(app.served().as_deref(), Some("1"), "{said}{journal}");
    assert_eq!(app.running(), ["api", "db", "web"], "{said}{journal}");

    // Somebody who does not come to an end is named.
    app.guest(
        "cd /var/lib/plimsoll/$1/lock
        printf held >token
        printf '{\"who\":\"ada@laptop\",\"reason\":\"a look at it\",\"since\":\"12:00\"}' >owner
        setsid flock held sleep 100 >/dev/null 2>&1 </dev/null &",
    );
    let output = app.run(&["stop"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("waiting for ada@laptop: a look at it, since 12:00"), "{said}");
    assert!(said.contains("somebody else is at work: ada@laptop: a look at it, since 12:00"), "{said}");
    assert!(said.contains("take the lock away with `plimsoll unlock`"), "{said}");
}

#[test]
fn two_clients_at_once_come_one_after_the_other() {
    let Some(app) = App::new("plimsoll-test-pair", 18084) else { return };
    let deploy = app.deploy();
    let deploy: Vec<&str> = deploy.iter().map(String::as_str).collect();
    let mut one = app.spawn(&deploy);
    let mut two = app.spawn(&deploy);
    assert!(one.wait().unwrap().success() && two.wait().unwrap().success());
    assert_eq!(app.served().as_deref(), Some("1"));
    assert_eq!(app.running(), ["api", "db", "web"]);
    let journal = app.ok(&["events"]);
    assert_eq!(journal.matches("end     good").count(), 1, "the second one had nothing to do: {journal}");
}

#[test]
fn a_deploy_whose_lock_was_taken_away_stops() {
    let Some(app) = App::new("plimsoll-test-lock", 18085) else { return };
    let deploy = app.deploy();
    let deploy: Vec<&str> = deploy.iter().map(String::as_str).collect();
    app.ok(&deploy);
    app.version("2");
    app.write("web/health.sh", "sleep 1; exit 1\n");
    let mut child = app.spawn(&[deploy.as_slice(), &["--format", "json"]].concat());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("\"begin\"") && line.contains("switch")));
    let unlocked = app.ok(&["unlock", "--format", "json"]);
    assert!(unlocked.contains(r#""reason":"deploy""#), "{unlocked}");
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(3), "{rest:?}");
    app.write("web/health.sh", "wget -q -O- http://127.0.0.1:8080/version.txt\n");
    app.ok(&deploy);
    assert_eq!(app.served().as_deref(), Some("2"));
}

#[test]
fn a_connection_cut_in_the_middle_of_a_transfer_harms_nothing() {
    let Some(app) = App::new("plimsoll-test-cut", 18088) else { return };
    let deploy = app.deploy();
    let deploy: Vec<&str> = deploy.iter().map(String::as_str).collect();
    app.ok(&deploy);
    app.version("2");
    // Something that does not compress, so that the cut comes in its middle.
    let mut state = 1u64;
    let noise: String = (0..6_000_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(33 + u8::try_from((state >> 33) % 90).unwrap())
        })
        .collect();
    app.write("web/noise.txt", &noise);
    let mut child = app.spawn(&[deploy.as_slice(), &["--format", "json"]].concat());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("\"begin\"") && line.contains("send")));
    app.cut();
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(3), "{rest:?}");
    assert_eq!(app.served().as_deref(), Some("1"), "nothing was switched");
    app.ok(&deploy);
    assert_eq!(app.served().as_deref(), Some("2"));
    assert_eq!(app.running(), ["api", "db", "web"]);
}
