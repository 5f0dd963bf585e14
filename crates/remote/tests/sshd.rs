//! Against a real `sshd` on the loopback interface, started for the test with keys of its own.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test says why it stops")]

#[path = "sshd/mod.rs"]
mod server;

use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use plimsoll_remote::{Destination, HostKey, Input, Job, OpenSsh, Pin, RemoteError, scan};

use server::{Sshd, keygen, program, text};

#[tokio::test]
async fn many_commands_share_one_connection_that_outlives_them() {
    let Some(sshd) = Sshd::start() else { return };
    let ssh = sshd.connect().await;
    let arguments = ["it's", "$HOME", "a b", "", "new\nline", "*", "\\", "\""];
    let output = ssh.run(Job::new("the test", "printf '%s|' \"$@\"").args(arguments)).await.unwrap();
    assert_eq!(output.text(), "it's|$HOME|a b||new\nline|*|\\|\"|");
    let status = ssh.run(Job::new("the test", "exit 7")).await.unwrap().status;
    assert_eq!(status, 7);
    let again = sshd.connect().await;
    assert_eq!(again.run(Job::new("the test", "exit 255")).await.unwrap().status, 254);
    assert_eq!(sshd.logins(), 1);
    ssh.close().await;
}

#[tokio::test]
async fn what_is_sent_arrives_and_is_counted() {
    let Some(sshd) = Sshd::start() else { return };
    let ssh = sshd.connect().await;
    let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let job = Job::new("the test", "cksum; echo done >&2");
    let sent = Arc::default();
    let output = ssh.run(job.input(Input::Bytes(bytes.clone())).counting(Arc::clone(&sent))).await.unwrap();
    assert_eq!(output.text().split_whitespace().nth(1), Some("3000000"));
    assert_eq!((output.stderr.as_str(), sent.load(Ordering::Relaxed)), ("done\n", 3_000_000));
    let reader = Input::Reader(Box::pin(std::io::Cursor::new(bytes)));
    let output = ssh.run(Job::new("the test", "wc -c").input(reader)).await.unwrap();
    assert_eq!((output.text().trim(), output.sent), ("3000000", 3_000_000));
    ssh.close().await;
}

#[tokio::test]
async fn lines_are_told_while_the_command_runs() {
    let Some(sshd) = Sshd::start() else { return };
    let ssh = sshd.connect().await;
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&lines);
    let job = Job::new("the test", "echo one; echo two; printf three")
        .on_line(move |_, line| kept.lock().unwrap().push(line.to_owned()));
    ssh.run(job).await.unwrap();
    assert_eq!(*lines.lock().unwrap(), ["one", "two", "three"]);
    ssh.close().await;
}

#[tokio::test]
async fn a_failed_command_says_what_it_said() {
    let Some(sshd) = Sshd::start() else { return };
    let ssh = sshd.connect().await;
    let output = ssh.run(Job::new("the migration", "echo no such table >&2; exit 3")).await.unwrap();
    let error = output.success().unwrap_err();
    assert_eq!(error.to_string(), "the migration failed with status 3: no such table");
    ssh.close().await;
}

#[tokio::test]
async fn a_command_has_a_deadline() {
    let Some(sshd) = Sshd::start() else { return };
    let ssh = sshd.connect().await;
    let job = Job::new("the test", "sleep 20").limit(Duration::from_millis(300));
    let error = ssh.run(job).await.unwrap_err();
    assert!(matches!(error, RemoteError::Deadline { .. }), "{error}");
    ssh.close().await;
}

#[tokio::test]
async fn another_host_key_is_refused_before_anything_is_sent() {
    let Some(sshd) = Sshd::start() else { return };
    keygen(&sshd.at("other"));
    let other = HostKey::parse(&text(&sshd.at("other.pub"))).unwrap();
    for pin in [Pin::Key(other.clone()), Pin::Fingerprint(other.fingerprint())] {
        let destination = Destination { pin, ..sshd.destination() };
        let error = OpenSsh::connect(destination, &sshd.at("ssh")).await.unwrap_err();
        assert!(matches!(error, RemoteError::HostKeyChanged { .. }), "{error}");
        assert!(error.to_string().contains(&other.fingerprint()), "{error}");
    }
    assert_eq!(sshd.logins(), 0);
}

#[tokio::test]
async fn a_fingerprint_finds_its_key() {
    let Some(sshd) = Sshd::start() else { return };
    assert_eq!(scan("127.0.0.1", Some(sshd.port)).await.unwrap(), [sshd.key()]);
    let pin = Pin::Fingerprint(sshd.key().fingerprint());
    let ssh = OpenSsh::connect(Destination { pin, ..sshd.destination() }, &sshd.at("ssh")).await.unwrap();
    assert_eq!(ssh.run(Job::new("the test", "echo hello")).await.unwrap().text(), "hello\n");
    ssh.close().await;
}

#[tokio::test]
async fn a_refused_login_and_a_silent_port_are_told_apart() {
    let Some(sshd) = Sshd::start() else { return };
    keygen(&sshd.at("stranger"));
    let stranger = Destination { identity: Some(sshd.at("stranger")), ..sshd.destination() };
    let error = OpenSsh::connect(stranger, &sshd.at("ssh")).await.unwrap_err();
    assert!(matches!(error, RemoteError::AuthRefused { .. }), "{error}");
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let nobody = Destination { port: Some(free), ..sshd.destination() };
    let error = OpenSsh::connect(nobody, &sshd.at("ssh")).await.unwrap_err();
    assert!(matches!(error, RemoteError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_connection_that_breaks_is_no_failed_command() {
    let Some(sshd) = Sshd::start() else { return };
    let ssh = sshd.connect().await;
    // The first ancestor that is a server serves this connection alone.
    let script = r#"p=$$
        while ! grep -q '^Name:.sshd' /proc/$p/status; do p=$(awk '/^PPid/ {print $2}' /proc/$p/status); done
        kill -9 $p; sleep 5"#;
    let job = Job::new("the test", script);
    let error = ssh.run(job).await.unwrap_err();
    assert!(matches!(error, RemoteError::ConnectionLost { .. }), "{error}");
    let again = sshd.connect().await;
    assert_eq!(again.run(Job::new("the test", "echo back")).await.unwrap().text(), "back\n");
    again.close().await;
}

#[tokio::test]
async fn a_guest_that_started_anew_is_not_waited_for_at_its_old_connection() {
    let Some(sshd) = Sshd::start() else { return };
    let ssh = sshd.connect().await;
    let script = r#"p=$$
        while ! grep -q '^Name:.sshd' /proc/$p/status; do p=$(awk '/^PPid/ {print $2}' /proc/$p/status); done
        echo $p"#;
    let serves = ssh.run(Job::new("the test", script)).await.unwrap().text().trim().to_owned();
    // Nobody answers there any more, and nobody said so.
    assert!(program("kill").args(["-STOP", &serves]).status().unwrap().success());
    OpenSsh::forget(sshd.destination(), &sshd.at("ssh")).await.unwrap();
    let again = sshd.connect().await;
    let job = Job::new("the test", "echo back").limit(Duration::from_secs(10));
    assert_eq!(again.run(job).await.unwrap().text(), "back\n");
    assert_eq!(sshd.logins(), 2);
    again.close().await;
    assert!(program("kill").args(["-KILL", &serves]).status().unwrap().success());
    // Where nothing was left open there is nothing to do.
    OpenSsh::forget(sshd.destination(), &sshd.at("none")).await.unwrap();
}

#[tokio::test]
async fn no_secret_stands_in_the_arguments_of_a_process() {
    let Some(sshd) = Sshd::start() else { return };
    let ssh = sshd.connect().await;
    let job = Job::new("the test", "cat >/dev/null; cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '")
        .input(Input::Bytes(b"correct horse".to_vec()));
    let output = ssh.run(job).await.unwrap();
    assert!(output.text().contains("ControlPath"), "the commands are seen");
    assert!(!output.text().contains("correct horse"));
    ssh.close().await;
}

#[test]
fn quiet_streams_are_not_inherited_by_the_background_connection() {
    let Some(sshd) = Sshd::start() else { return };
    // A caller that waits for the end of our standard error must not wait for the connection.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let started = Instant::now();
    let ssh = runtime.block_on(sshd.connect());
    assert!(started.elapsed() < Duration::from_secs(10));
    let output = program("sh").args(["-c", "exit 0"]).stdout(Stdio::piped()).output().unwrap();
    assert!(output.status.success());
    runtime.block_on(ssh.close());
}
