//! A service behind nginx that is switched while people ask for it, seldom enough that a worker of nginx may not have noticed
//! yet that an address answers no more.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::app::App;

const COMPOSE: &str = r#"services:
  front:
    build: front
    ports: ["18089:80"]
    depends_on: [api]
  api:
    build: web
    init: true
    stop_grace_period: 2s
"#;
const FRONT: &str = "FROM nginx:alpine\nCOPY front.conf /etc/nginx/conf.d/default.conf\nHEALTHCHECK NONE\n";
const CONFIG: &str = "server { listen 80; location / { proxy_pass http://api:8080; } }\n";

fn ask(host: &str) -> std::io::Result<String> {
    let address = format!("{host}:18089").parse().map_err(std::io::Error::other)?;
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"GET /version.txt HTTP/1.0\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// Asks eight times a second until it is told to stop; gives the count of answers, and what came instead of others.
fn asking(host: &str, stop: &AtomicBool) -> (u32, Vec<String>) {
    let (mut answered, mut failed, mut next) = (0, Vec::new(), Instant::now());
    while !stop.load(Ordering::Relaxed) {
        match ask(host) {
            Ok(answer) if answer.contains(" 200 ") => answered += 1,
            Ok(answer) => failed.push(answer),
            Err(error) => failed.push(error.to_string()),
        }
        next += Duration::from_millis(125);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    (answered, failed)
}

#[test]
fn no_request_to_nginx_fails_while_what_is_behind_it_is_switched() {
    let Some(app) = App::new("plimsoll-test-front", 18089) else { return };
    if !app.load(&["nginx"]) {
        return;
    }
    app.write("compose.yaml", COMPOSE);
    app.write("front/Dockerfile", FRONT);
    app.write("front/front.conf", CONFIG);
    let deploy = app.deploy();
    let deploy: Vec<&str> = deploy.iter().map(String::as_str).collect();
    app.ok(&deploy);
    assert_eq!(app.served().as_deref(), Some("1"));
    let (stop, host) = (Arc::new(AtomicBool::new(false)), app.host());
    let people: Vec<_> = (0..2)
        .map(|_| {
            let (stop, host) = (Arc::clone(&stop), host.clone());
            std::thread::spawn(move || asking(&host, &stop))
        })
        .collect();
    // An engine that takes its time when a container goes: nginx knows the address of one that is gone for seconds.
    app.guest(
        "printf '#!/bin/sh\\n/usr/bin/docker \"$@\"; s=$?; [ \"$1\" != rm ] || sleep 3; exit $s\\n' >/usr/local/bin/docker; \
         chmod 755 /usr/local/bin/docker",
    );
    for version in ["2", "3", "4"] {
        if version == "4" {
            // From here on nginx has a twentieth of a core, and is slow to look names up again.
            app.guest(
                "docker update --cpus 0.05 $(docker ps -q --filter label=com.docker.compose.service=front)",
            );
        }
        app.version(version);
        app.ok(&deploy);
        assert_eq!(app.served().as_deref(), Some(version));
    }
    stop.store(true, Ordering::Relaxed);
    let (mut answered, mut failed) = (0, Vec::new());
    for one in people {
        let (answers, failures) = one.join().unwrap();
        answered += answers;
        failed.extend(failures);
    }
    println!("{answered} answers, {} failures", failed.len());
    assert!(answered > 150 && failed.is_empty(), "{answered} answers, failed: {failed:?}");
    // Nothing is left of what kept nginx from old containers.
    let rules = app.guest(
        "for p in $(ps -eo pid=,args= | awk '$2 == \"nginx:\" && $3 == \"master\" {print $1}'); do nsenter -t $p -n \
         iptables -S OUTPUT; done",
    );
    assert_eq!(rules, "-P OUTPUT ACCEPT\n");
}
