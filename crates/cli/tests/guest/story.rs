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

    // One that succeeds.
    let hook = [deploy.as_slice(), &["--before-release", "web=cat /app/version.txt"]].concat();
    assert!(app.ok(&hook).contains("serves"));
    assert_eq!(app.served().as_deref(), Some("3"));

    assert!(app.ok(&["rollback"]).contains("release 2 of plimsoll-test-story serves"));
    assert_eq!(app.served().as_deref(), Some("2"));
    assert!(app.ok(&["status"]).contains("release 2"));
    assert!(app.ok(&["releases"]).contains("serves"));
    assert_eq!(app.ok(&["exec", "web", "--", "cat", "/app/version.txt"]), "2");

    app.ok(&["stop", "api"]);
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
