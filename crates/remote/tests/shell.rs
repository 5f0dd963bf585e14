//! A shell that stays, against a real `sshd` started for the test.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test says why it stops")]

#[path = "sshd/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod server;

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use plimsoll_remote::{Call, How, Input, Job, OpenSsh, Program, RemoteError, Shell};
use tempfile::TempDir;

use server::{Sshd, program};

const FUNCTIONS: &str = "K=$2 given=$5
keep() { gzip -dc >$K/$1; }
hello() { echo \"hello $given $*\"; }
early() { head -c 10; return 7; }
slow() { sleep 1; echo done >$K/slow; }
gone() { exit 0; }
";

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut child = program("gzip")
        .arg("-9c")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text).unwrap();
    child.wait_with_output().unwrap().stdout
}

fn call(words: &[&str]) -> Call {
    Call::new(Job::new("the test", "").args(words.iter().copied()), How::Apart)
}

/// A server, a connection and where the guest keeps programs; nothing where root cannot be had.
struct Bench {
    _sshd: Sshd,
    ssh: OpenSsh,
    kept: TempDir,
    program: Program,
}

impl Bench {
    async fn new() -> Option<Self> {
        let sshd = Sshd::start()?;
        let ssh = sshd.connect().await;
        let asked = ssh.run(Job::new("the test", "[ \"$(id -u)\" = 0 ] || sudo -n true")).await.unwrap();
        if asked.status != 0 {
            println!("skipped: a shell on a guest is root's, and this user is not");
            return None;
        }
        let kept = TempDir::new().unwrap();
        Some(Self { _sshd: sshd, ssh, kept, program: Program::new(FUNCTIONS, gzip) })
    }

    async fn shell(&self) -> Shell {
        self.ssh
            .shell(&self.program, self.kept.path().to_str().unwrap(), "\u{1e}m", &["there"])
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn a_program_is_sent_once_and_sent_again_where_it_was_spoilt() {
    let Some(bench) = Bench::new().await else { return };
    let shell = bench.shell().await;
    assert!(shell.was_sent);
    let output = shell.call(call(&["hello", "it's", "new\nline"])).await.unwrap();
    assert_eq!((output.text().as_str(), output.status), ("hello there it's new\nline\n", 0));
    let input = Input::Bytes(bench.program.packed.clone());
    let job = Job::new("the test", "").args(["keep", &bench.program.digest]).input(input);
    shell.call(Call::new(job, How::Apart)).await.unwrap();
    shell.close().await;
    let shell = bench.shell().await;
    assert!(!shell.was_sent);
    assert_eq!(shell.call(call(&["hello"])).await.unwrap().text(), "hello there \n");
    shell.close().await;
    let path = bench.kept.path().join(&bench.program.digest);
    std::fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"evil\n").unwrap();
    let shell = bench.shell().await;
    assert!(shell.was_sent);
    shell.close().await;
    bench.ssh.close().await;
}

#[tokio::test]
async fn what_is_sent_arrives_to_the_byte_and_one_request_after_the_other() {
    let Some(bench) = Bench::new().await else { return };
    let shell = bench.shell().await;
    let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    for length in [0, 1, 1 << 20, 3_000_000] {
        let input = Input::Bytes(bytes[..length].to_vec());
        let job = Job::new("the test", "").args(["cksum"]).input(input);
        let output = shell.call(Call::new(job, How::Apart)).await.unwrap();
        assert_eq!(output.text().split_whitespace().nth(1), Some(length.to_string().as_str()));
        assert_eq!(output.sent, length as u64);
    }
    // Whoever stops reading says why, and the rest is in nobody's way.
    let reader = Input::Reader(Box::pin(std::io::Cursor::new(bytes)));
    let job = Job::new("the test", "").args(["early"]).input(reader);
    let output = shell.call(Call::new(job, How::Apart)).await.unwrap();
    assert_eq!((output.status, output.stdout.len()), (7, 10));
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&lines);
    let job = Job::new("the test", "")
        .args(["printf", "one\n\n  two\nthree"])
        .on_line(move |_, line| kept.lock().unwrap().push(line.to_owned()));
    let output = shell.call(Call::new(job, How::Here)).await.unwrap();
    assert_eq!(output.text(), "one\n\n  two\nthree");
    assert_eq!(*lines.lock().unwrap(), ["one", "", "  two", "three"]);
    shell.close().await;
    bench.ssh.close().await;
}

#[tokio::test]
async fn what_runs_apart_comes_to_its_end_without_its_client() {
    let Some(bench) = Bench::new().await else { return };
    let shell = bench.shell().await;
    let gone = tokio::time::timeout(Duration::from_millis(300), shell.call(call(&["slow"]))).await;
    assert!(gone.is_err(), "it takes longer");
    drop(shell);
    let begun = Instant::now();
    while !bench.kept.path().join("slow").exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it did not go on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bench.ssh.close().await;
}

#[tokio::test]
async fn a_shell_that_ends_and_one_that_takes_too_long_say_so() {
    let Some(bench) = Bench::new().await else { return };
    let shell = bench.shell().await;
    let output = shell.call(call(&["sh", "-c", "echo no such table >&2; exit 3"])).await.unwrap();
    let error = output.success().unwrap_err();
    assert_eq!(error.to_string(), "the test failed with status 3: no such table");
    let job = Job::new("the test", "").args(["eval", "echo no space left; exit 5"]);
    let error = shell.call(Call::new(job, How::Here)).await.unwrap_err();
    assert_eq!(error.to_string(), "the test failed with status 5: no space left");
    let shell = bench.shell().await;
    let job = Job::new("the test", "").args(["sleep", "20"]).limit(Duration::from_millis(300));
    let error = shell.call(Call::new(job, How::Apart)).await.unwrap_err();
    assert!(matches!(error, RemoteError::Deadline { .. }), "{error}");
    let shell = bench.shell().await;
    bench.ssh.close().await;
    let error = shell.call(call(&["hello"])).await.unwrap_err();
    assert!(matches!(error, RemoteError::ConnectionLost { .. }), "{error}");
}
