//! The app that changes: a checkout, its packages, and whoever gives the packages out.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

/// Text of no pattern.
fn noise(length: usize, seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        match (state >> 33) % 64 {
            63 => '\n',
            number => char::from(33 + u8::try_from(number).unwrap_or_default()),
        }
    };
    (0..length).map(|_| next()).collect()
}

/// Packages as an index gives them out: about 25 MB of which nothing can be left out.
pub(crate) fn packages(folder: &Path) {
    for package in 0..100 {
        let inner = folder.join(format!("packages/package{package}"));
        std::fs::create_dir_all(&inner).unwrap();
        for file in 0..17 {
            std::fs::write(inner.join(format!("{file}.py")), noise(20_000, package * 100 + file)).unwrap();
        }
    }
}

/// Gives a file out to whoever asks; the address without its host.
pub(crate) fn mirror(file: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut stream), file) = (stream, file.clone()) else { continue };
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let head = format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n", file.len());
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&file));
            });
        }
    });
    port
}

/// A checkout of its own for one way: about a megabyte of code upon packages that are installed before.
pub(crate) fn checkout(folder: &Path, image: &str, port: u16, mirror: &str) {
    let write = |path: &str, text: &str| std::fs::write(folder.join(path), text).unwrap();
    std::fs::create_dir_all(folder.join("src")).unwrap();
    for file in 0..50 {
        write(&format!("src/{file}.py"), &noise(20_000, 1_000_000 + file));
    }
    write(
        "Dockerfile",
        &format!(
            "FROM plimsoll-test/base:1\nCOPY requirements.txt /app/requirements.txt\n\
             RUN busybox wget -q -O- http://{mirror}/packages.tar.gz | busybox tar -xzm -C /\nCOPY . /app\n\
             CMD [\"sh\", \"/app/start.sh\"]\n"
        ),
    );
    write(".dockerignore", "Dockerfile\ncompose.yaml\n");
    write("start.sh", "trap 'exit 0' TERM\nhttpd -f -p 8080 -h /app &\nwait\n");
    write(
        "compose.yaml",
        &format!(
            "services:\n  web:\n    build: .\n    image: {image}\n    ports: [\"{port}:8080\"]\n    stop_grace_period: 1s\n    \
             healthcheck:\n      test: [CMD, wget, -q, -O-, \"http://127.0.0.1:8080/version.txt\"]\n      interval: 30s\n      \
             start_period: 20s\n      start_interval: 250ms\n"
        ),
    );
}

/// What an app says of itself.
pub(crate) fn served(host: &str, port: u16) -> Option<String> {
    let mut stream = TcpStream::connect((host, port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(b"GET /version.txt HTTP/1.0\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text.split_once("\r\n\r\n")?.1.trim().to_owned())
}
