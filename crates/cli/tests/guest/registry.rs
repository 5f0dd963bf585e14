//! Images of a registry that wants a login: one in the guest, whose loopback addresses engines trust without TLS.

use std::time::{Duration, Instant};

use crate::app::App;

const REGISTRY: &str = "127.0.0.1:5055";
/// `shop:horse-and-cart` in base64, and by bcrypt as the registry keeps it.
const LOGIN: &str = "c2hvcDpob3JzZS1hbmQtY2FydA==";
const PASSWORD: &str = "horse-and-cart";
const HASH: &str = "shop:$2y$05$abcdefghijklmnopqrstuujysosalzZZg46lQmRhrfPSlVz.MmW0e";

/// Takes away what no container runs.
const FORGET: &str = "docker image rm $(docker image ls -q 127.0.0.1:5055/shop/web) >/dev/null 2>&1; exit 0";

/// Starts the registry; `false`, said in words, where this machine has none to put there.
fn start(app: &App) -> bool {
    let program = "/usr/bin/docker-registry";
    if !std::path::Path::new(program).exists() {
        println!("skipped: no {program} (Debian's docker-registry)");
        return false;
    }
    app.install(program, "/usr/local/bin/docker-registry");
    app.guest_with("mkdir -p /srv/images && cat >/srv/users", HASH);
    let patterns = format!("{PASSWORD}\n{LOGIN}\n{}\n", LOGIN.trim_end_matches('='));
    app.guest_with("cat >/srv/patterns", &patterns);
    app.guest(include_str!("registry.sh"));
    true
}

/// Pushes an image that serves a text, and leaves nothing of it in the guest's engine.
fn push(app: &App, text: &str, tags: &[&str]) {
    app.guest_with(&include_str!("push.sh").replace("TEXT", text).replace("TAGS", &tags.join(" ")), PASSWORD);
}

/// Asks for a tag of the image.
fn want(app: &App, tag: &str) {
    let port = app.port;
    app.write(
        "compose.yaml",
        &format!(
            "services:\n  web:\n    image: {REGISTRY}/shop/web:{tag}\n    init: true\n    stop_grace_period: 1s\n    ports: \
             [\"{port}:8080\"]\n"
        ),
    );
}

fn log_in(app: &App, login: &str) {
    let config = format!(r#"{{"auths": {{"{REGISTRY}": {{"auth": "{login}"}}}}}}"#);
    app.at_home(".docker/config.json", Some(&config));
}

/// Runs, expects a failure and gives what was said.
fn fails(app: &App, args: &[&str]) -> String {
    let output = app.run(args);
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(3), "{said}");
    said
}

/// Where in the guest the login stands: arguments and environments of all processes, files, the journal.
fn traces(app: &App) -> String {
    app.guest(include_str!("traces.sh"))
}

fn until(app: &App, what: &str) {
    let begun = Instant::now();
    while app.guest(&format!("{what} && echo yes || true")).trim() != "yes" {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_private_image_is_pulled_by_its_digest_and_no_login_stays() {
    let Some(mut app) = App::new("plimsoll-test-registry", 18091) else { return };
    if !start(&app) {
        return;
    }
    push(&app, "1", &["1"]);
    want(&app, "1");
    let deploy = app.deploy();
    let deploy: Vec<&str> = deploy.iter().map(String::as_str).collect();

    // Nobody, and somebody else.
    let said = fails(&app, &deploy);
    assert!(said.contains("`127.0.0.1:5055` gives no `127.0.0.1:5055/shop/web:1` without a login"), "{said}");
    assert!(said.contains("no basic auth credentials"), "{said}");
    assert!(said.contains("`docker login 127.0.0.1:5055` on this machine, then the same again"), "{said}");
    assert!(said.contains("nothing was started"), "{said}");
    log_in(&app, "c2hvcDpvdGhlci1ob3JzZQ==");
    let said = fails(&app, &deploy);
    assert!(said.contains("for the login of `shop` in `") && said.contains("nothing was started"), "{said}");
    assert!(!said.contains("other-horse") && !said.contains("c2hvcDpvdGhlci1ob3JzZQ"), "{said}");
    assert!(app.running().is_empty());
    assert_eq!(app.guest("ls /var/lib/plimsoll/$1/releases"), "");
    app.guest_with("cat >/tmp/login", LOGIN);
    assert_eq!(traces(&app).trim(), "/tmp/login", "what stands somewhere is found");
    app.guest("rm /tmp/login");

    // While it pulls, and after it was killed in the middle.
    log_in(&app, LOGIN);
    app.guest(include_str!("slow_pull.sh"));
    let mut client = app.spawn(&deploy);
    until(&app, "[ -e /srv/pulling ]");
    assert_eq!(app.guest("stat -c %a /run/plimsoll-$1; ls /run/plimsoll-$1").trim(), "700\nconfig.json");
    assert_eq!(traces(&app), "");
    assert_ne!(app.guest(include_str!("kill_pull.sh")), "", "somebody was killed");
    assert!(!client.wait().unwrap().success());
    assert_eq!(traces(&app), "");
    app.guest("rm -f /usr/local/bin/docker /srv/pulling");

    let said = app.run(&[deploy.as_slice(), &["--verbose"]].concat());
    let said = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
    assert!(said.contains("serves") && !said.contains(PASSWORD) && !said.contains(LOGIN), "{said}");
    assert_eq!(app.served().as_deref(), Some("1"));
    assert_eq!(traces(&app), "");
    assert_eq!(app.guest("ls -d /run/plimsoll-* /root/.docker/config.json 2>/dev/null || true"), "");
    let record = app.guest("cat /var/lib/plimsoll/$1/releases/$(cat /var/lib/plimsoll/$1/good)/release.json");
    assert!(record.contains("\"reference\":\"127.0.0.1:5055/shop/web@sha256:"), "{record}");
    let first = app.guest("cat /var/lib/plimsoll/$1/good").trim().to_owned();

    // The tag moves. The release does not, nor does what serves after a deploy of the same.
    push(&app, "2", &["1", "2"]);
    assert!(app.ok(&deploy).contains("is as it should be"));
    want(&app, "2");
    app.ok(&deploy);
    assert_eq!(app.served().as_deref(), Some("2"));

    // The image of the first release goes: the way back pulls it by its digest.
    app.guest(FORGET);
    let config = app.at_home(".docker/config.json", None);
    let said = fails(&app, &["rollback"]);
    assert!(said.contains("shop/web@sha256:") && said.contains("none for it here"), "{said}");
    assert!(said.contains(&config.display().to_string()) && said.contains("serves again"), "{said}");
    assert_eq!(app.served().as_deref(), Some("2"));
    app.program("docker-credential-plimsoll-test", include_str!("helper.sh"));
    app.at_home(
        ".docker/config.json",
        Some(&format!(r#"{{"auths": {{"{REGISTRY}": {{}}}}, "credsStore": "plimsoll-test"}}"#)),
    );
    assert!(app.ok(&["rollback"]).contains(&format!("release {first} of plimsoll-test-registry serves")));
    assert_eq!(app.served().as_deref(), Some("1"));
    assert_eq!(traces(&app), "");

    // A deploy of the same release, from which the image is gone, too.
    app.ok(&["stop", "web"]);
    app.guest("docker rm -f $(docker ps -aq --filter label=com.docker.compose.project=$1)");
    app.guest(FORGET);
    want(&app, "1");
    assert!(app.ok(&["plan"]).contains("as the release before means it: 127.0.0.1:5055/shop/web@sha256:"));
    app.ok(&deploy);
    assert_eq!(app.served().as_deref(), Some("1"), "the tag says 2 by now");

    // A login that is refused is no hindrance where the guest has one of its own.
    log_in(&app, "c2hvcDpvdGhlci1ob3JzZQ==");
    let stop = "docker rm -f $(docker ps -aq --filter label=com.docker.compose.project=$1)";
    app.guest(stop);
    app.guest(FORGET);
    let own = format!(r#"{{"auths": {{"{REGISTRY}": {{"auth": "{LOGIN}"}}}}}}"#);
    app.guest_with("mkdir -p /root/.docker && cat >/root/.docker/config.json", &own);
    app.ok(&deploy);
    assert_eq!(app.served().as_deref(), Some("1"));

    // The registry has it no more, and another image under its tag would not be it.
    app.guest(stop);
    app.guest(FORGET);
    app.guest("rm -rf /srv/images/docker");
    push(&app, "3", &["1"]);
    let said = fails(&app, &deploy);
    assert!(said.contains("the release before was made of it: give the image another tag"), "{said}");
}
