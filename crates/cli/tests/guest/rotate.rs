//! Passwords that change in their server and in the release as one.

use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use crate::app::App;

const COMPOSE: &str = r#"services:
  db:
    image: postgres:16
    stop_grace_period: 2s
    environment: {POSTGRES_USER: shop, POSTGRES_PASSWORD: "${DB_PASSWORD}"}
    volumes: ["data:/var/lib/postgresql/data"]
    command: ["postgres", "-c", "log_statement=all", "-c", "fsync=off"]
    healthcheck: {test: ["CMD", "pg_isready", "-U", "shop", "-h", "127.0.0.1"], interval: 1s, retries: 60}
  cache:
    image: redis:7
    stop_grace_period: 1s
    command: ["redis-server", "--requirepass", "${CACHE_PASSWORD}", "--save", ""]
    volumes: ["cache:/data"]
    healthcheck: {test: ["CMD-SHELL", "redis-cli ping | grep -qE 'PONG|NOAUTH'"], interval: 1s, retries: 60}
  api:
    image: postgres:16
    init: true
    stop_grace_period: 1s
    entrypoint: ["sleep", "100000"]
    environment: {PGPASSWORD: "${DB_PASSWORD}"}
    depends_on: [db]
    healthcheck: {test: ["CMD-SHELL", "psql -h db -U shop -c 'select 1' && HEALTHY"], interval: 1s, retries: 3, start_period: 1s}
  worker:
    image: redis:7
    init: true
    stop_grace_period: 1s
    entrypoint: ["sleep", "100000"]
    environment: {REDISCLI_AUTH: "${CACHE_PASSWORD}"}
    depends_on: [cache]
    healthcheck: {test: ["CMD-SHELL", "redis-cli -h cache ping | grep PONG"], interval: 1s, retries: 3, start_period: 1s}
volumes:
  data: {}
  cache: {}
"#;

const SECRETS: &str = "    build: guest\n    watch: 1s\n    deadline: 20s\nsecrets:\n  DB_PASSWORD: {generate: {}, rotate: postgres}\n  \
    CACHE_PASSWORD: {generate: {length: 40}, rotate: redis}\n";

/// All places where a value must not stand: arguments and variables of processes that are none of the app's, logs of
/// containers and of the machine, temporary files, records, journal. What the engine keeps of its containers, and of a health check
/// for as long as it runs (`runc-process`), is the app's own. `-F` reads the values from the input.
const LEAKS: &str = r#"
v=$(cat); look() { grep -qF -e "$1" - && echo "$2"; }
for one in $v; do
    cat /root/arguments 2>/dev/null | look "$one" arguments
    journalctl --no-pager -o cat 2>/dev/null | look "$one" 'the journal of the machine'
    for c in $(docker ps -aq --filter label=com.docker.compose.project=$1); do docker logs $c 2>&1 | look "$one" "logs of $c"; done
    find /tmp /var/tmp /root /dev/shm /run -xdev -type f -size -2000k ! -path '/run/docker/*' ! -path '/run/containerd/*' ! -path /root/arguments ! -name 'runc-process*' -exec grep -lF -e "$one" {} + 2>/dev/null | sed 's/^/temporary file /'
    find /var/lib/plimsoll/$1 -type f ! -name env -exec cat {} + | look "$one" 'the state of the app'
    docker exec $1-db-1 sh -c 'cat ~postgres/.psql_history /root/.psql_history /tmp/* 2>/dev/null' | look "$one" 'files of the server'
done
exit 0
"#;

/// Collects the arguments of every process outside of containers for a while: what the app's own programs are started with is
/// what its Compose file says.
const WATCH: &str = r#"
own=$(stat -L -c %i /proc/self/ns/mnt)
end=$(($(date +%s) + 25))
while [ $(date +%s) -lt $end ]; do ps -eww -o mntns=,args= | awk -v own=$own '$1 == own'; sleep 0.05; done >/root/arguments 2>/dev/null
exit 0
"#;

/// The stored value of a secret.
fn value(app: &App, name: &str) -> String {
    let all = app.ok(&["secret", "export", "--yes"]);
    let start = format!("{name}='");
    let line = all.lines().find_map(|line| line.strip_prefix(&start)).unwrap();
    line.trim_end_matches('\'').to_owned()
}

/// Whether the database lets the owner in with a password.
fn opens(app: &App, password: &str) -> bool {
    let script = "IFS= read -r p; export PGPASSWORD=\"$p\"; docker exec -e PGPASSWORD $1-db-1 sh -c 'psql -w -h $(cat /etc/hostname) -U shop -c \"select 1\"' \
                  >/dev/null 2>&1 && echo yes; exit 0";
    app.guest_with(script, &format!("{password}\n")).trim() == "yes"
}

fn cached(app: &App, password: &str) -> bool {
    let script = "IFS= read -r p; export REDISCLI_AUTH=\"$p\"; docker exec -e REDISCLI_AUTH $1-cache-1 redis-cli ping 2>&1 | grep -q ^PONG && echo yes; exit 0";
    app.guest_with(script, &format!("{password}\n")).trim() == "yes"
}

/// What the app itself gets out of its servers.
fn serves(app: &App) {
    assert_eq!(
        app.ok(&["exec", "api", "--", "psql", "-h", "db", "-U", "shop", "-tAc", "select 40 + 2"]).trim(),
        "42"
    );
    assert_eq!(app.ok(&["exec", "worker", "--", "redis-cli", "-h", "cache", "ping"]).trim(), "PONG");
    app.ok(&["status"]);
}

/// Kills a change of the database's password when it says this.
fn kill_at(app: &App, event: &str, step: &str) {
    let mut child = app.spawn(&["secret", "rotate", "DB_PASSWORD", "--yes", "--format", "json"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let text = format!("\"event\":\"{event}\",\"step\":\"{step}\"");
    assert!(lines.any(|line| line.contains(&text)), "it never said {text}");
    drop(child.kill());
    child.wait().unwrap();
    // What it began on the guest ends by itself.
    std::thread::sleep(Duration::from_millis(500));
}

fn said(app: &App, args: &[&str]) -> (String, Option<i32>) {
    let output = app.run(args);
    (String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(), output.status.code())
}

#[test]
fn a_password_changes_in_its_server_and_in_the_release_or_in_neither() {
    changes(false);
}

#[test]
#[ignore = "takes two minutes: run it with --ignored"]
fn a_password_survives_kills_at_other_moments_and_a_way_back() {
    changes(true);
}

/// The life of two passwords; with everything, or with what every run of the project's checks has time for.
fn changes(everything: bool) {
    let Some(mut app) = App::new("plimsoll-test-rotate", 18095) else { return };
    if !app.load(&["postgres", "redis"]) {
        return;
    }
    app.configure(SECRETS);
    app.write("compose.yaml", &COMPOSE.replace("HEALTHY", "true"));
    app.ok(&["deploy"]);
    serves(&app);
    let first = value(&app, "DB_PASSWORD");
    assert!(opens(&app, &first) && !opens(&app, "wrong"));

    // A look changes nothing, and nobody's silence is a yes.
    let rotate = ["secret", "rotate", "DB_PASSWORD"];
    let plan = app.ok(&[rotate.as_slice(), &["--dry-run"]].concat());
    println!("{plan}");
    assert!(
        plan.contains("the password of shop in PostgreSQL: service db, by `POSTGRES_PASSWORD`"),
        "{plan}"
    );
    let (text, code) = said(&app, &rotate);
    assert!(code == Some(2) && text.contains("nothing was done"), "{text}");
    assert_eq!(value(&app, "DB_PASSWORD"), first);

    let watch = app.guest_later(WATCH);
    let (text, code) = said(&app, &[rotate.as_slice(), &["--yes", "--verbose"]].concat());
    println!("{text}");
    assert_eq!(code, Some(0), "{text}");
    let second = value(&app, "DB_PASSWORD");
    assert!(first != second && opens(&app, &second) && !opens(&app, &first));
    serves(&app);
    let cache = [value(&app, "CACHE_PASSWORD")];
    let (more, code) = said(&app, &["secret", "rotate", "CACHE_PASSWORD", "--yes", "--format", "json"]);
    assert_eq!(code, Some(0), "{more}");
    let cache = [cache[0].clone(), value(&app, "CACHE_PASSWORD")];
    assert!(cached(&app, &cache[1]) && !cached(&app, &cache[0]));
    serves(&app);
    // A release from before has the value that the server takes.
    if everything {
        app.ok(&["rollback", "1"]);
        serves(&app);
        app.ok(&["deploy"]);
    }

    // A release that fails: both go back.
    app.write("compose.yaml", &COMPOSE.replace("HEALTHY", "false"));
    let (failed, code) = said(&app, &[rotate.as_slice(), &["--yes"]].concat());
    println!("{failed}");
    assert_eq!(code, Some(3), "{failed}");
    assert!(
        failed.contains("serves again") && failed.contains("db takes the old value of DB_PASSWORD"),
        "{failed}"
    );
    assert_eq!(value(&app, "DB_PASSWORD"), second);
    assert!(opens(&app, &second));
    serves(&app);
    app.write("compose.yaml", &COMPOSE.replace("HEALTHY", "true"));

    // Killed once the server knows: the next deploy goes on.
    kill_at(&app, "end", "password tell db");
    assert!(!opens(&app, &second) && app.ok(&["secret", "list"]).contains("changing"));
    let (text, code) = said(&app, &["deploy"]);
    assert!(code == Some(0) && text.contains("it goes on with this release"), "{text}");
    let third = value(&app, "DB_PASSWORD");
    assert!(third != second && opens(&app, &third) && !opens(&app, &second));
    serves(&app);
    if everything {
        // Killed before: the value stays.
        kill_at(&app, "begin", "render");
        let (text, code) = said(&app, &["deploy"]);
        assert!(code == Some(0) && text.contains("the value stays"), "{text}");
        assert!(value(&app, "DB_PASSWORD") == third && opens(&app, &third));
        // Killed in the middle of the switch, and failing then: all is as before.
        kill_at(&app, "begin", "switch api");
        app.write("compose.yaml", &COMPOSE.replace("HEALTHY", "false"));
        let (text, code) = said(&app, &rotate.into_iter().chain(["--yes"]).collect::<Vec<_>>());
        assert_eq!(code, Some(3), "{text}");
        assert!(value(&app, "DB_PASSWORD") == third && opens(&app, &third), "{text}");
        serves(&app);
    }
    assert!(!app.ok(&["secret", "list"]).contains("changing"));

    drop(app.wait(watch));
    assert!(
        app.guest("grep -ac password /root/arguments").trim().parse::<u64>().unwrap() > 0,
        "arguments were watched"
    );
    for value in [&first, &second, &third, &cache[0], &cache[1]] {
        assert!(
            !text.contains(value.as_str())
                && !more.contains(value.as_str())
                && !failed.contains(value.as_str())
        );
        assert_eq!(app.guest_with(LEAKS, value), "");
    }
    let old = app.guest_with("v=$(cat); grep -rlF -e \"$v\" /var/lib/plimsoll/$1; exit 0", &first);
    assert_eq!(old, "", "an old value stands nowhere on the guest");
}
