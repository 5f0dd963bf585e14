//! What the lab and its client cost, by the clock: the three promises of speed. It prints the table of `docs/performance.md`.
//!
//! `cargo bench -p plimsoll-lab --bench lab`

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark stops where it cannot measure")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::Criterion;
use plimsoll_lab::{Certificate, Lab, Options, Server};
use plimsoll_pve::api::{GetConfig, GetGuests, GetNodes, GetStatus, GuestKind, LxcCreate};
use plimsoll_pve::property::Mount;
use plimsoll_pve::{Client, Config, Credentials, Secret, Token, Trust, Vmid};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const GUESTS: u32 = 1000;
const TOKEN: &str = "PVEAPIToken=lab@pve!bench=secret";

struct Rig {
    server: Server,
    client: Client,
}

/// A lab that answers, and a client that has got its first answer.
async fn started() -> Rig {
    let lab = Arc::new(Lab::new(Options { pace: 0, ..Options::default() }));
    lab.issue_token("bench", "secret");
    let certificate = Certificate::make().expect("a certificate can be made");
    let any = "127.0.0.1:0".parse().expect("an address");
    let server = Server::start(lab, any, certificate).await.expect("a port is free");
    let credentials = Credentials::Token(Token { id: "lab@pve!bench".into(), secret: Secret::new("secret") });
    let trust = Trust::Pinned(server.certificate.fingerprint);
    let client = Client::new(Config::new(server.address.to_string(), credentials, trust)).expect("a client");
    client.call(&GetNodes {}).await.expect("an answer");
    Rig { server, client }
}

fn config(vmid: Vmid) -> GetConfig {
    GetConfig { node: "pve1".into(), kind: GuestKind::Lxc, vmid, current: None, snapshot: None }
}

async fn furnish(client: &Client) {
    for vmid in (100..100 + GUESTS).map(Vmid) {
        let create = LxcCreate {
            node: "pve1".into(),
            vmid,
            ostemplate: "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst".into(),
            unprivileged: Some(true),
            rootfs: Some(Mount::allocate("local-lvm", 8)),
            ..LxcCreate::default()
        };
        client.call(&create).await.expect("a guest");
    }
}

/// The list, then each guest's configuration and status.
async fn read_all(client: &Client) {
    let (node, kind) = ("pve1".to_owned(), GuestKind::Lxc);
    let all = client.call(&GetGuests { node: node.clone(), kind }).await.expect("a list");
    assert_eq!(all.len(), GUESTS as usize);
    for guest in &all {
        client.call(&config(guest.vmid)).await.expect("a configuration");
        client.call(&GetStatus { node: node.clone(), kind, vmid: guest.vmid }).await.expect("a state");
    }
}

async fn connect(server: &Server) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let own = CertificateDer::from_pem_slice(server.certificate.pem.as_bytes()).expect("a certificate");
    roots.add(own).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.address).await.expect("a connection");
    stream.set_nodelay(true).expect("a connection");
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(tls)).connect(name, stream).await.expect("a connection")
}

/// The same question as the client's, written by hand on an open connection, read to the end and no further.
async fn ask_by_hand(wire: &mut TlsStream<TcpStream>) {
    let path = "/api2/json/nodes/pve1/lxc/100/config";
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {TOKEN}\r\n\r\n");
    wire.write_all(request.as_bytes()).await.expect("a connection");
    wire.flush().await.expect("a connection");
    let (mut answer, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let read = wire.read(&mut part).await.expect("an answer");
        answer.extend_from_slice(part.get(..read).unwrap_or_default());
        let text = String::from_utf8_lossy(&answer).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        if length.and_then(|length| length.parse().ok()) == Some(body.len()) {
            return;
        }
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    // What the harness keeps for later comparisons is not read here: the table shows the medians of these.
    let mut rows: Vec<(&str, &str, Vec<Duration>)> = Vec::new();
    let mut measured = |criterion: &mut Criterion, name: &'static str, promise, act: &mut dyn FnMut()| {
        let mut times = Vec::new();
        criterion.bench_function(name, |bench| {
            bench.iter_custom(|rounds| {
                let begin = Instant::now();
                for _ in 0..rounds {
                    let one = Instant::now();
                    act();
                    times.push(one.elapsed());
                }
                begin.elapsed()
            });
        });
        times.sort_unstable();
        rows.push((name, promise, times));
    };

    measured(&mut criterion, "start of a lab until its first answer", "300 ms", &mut || {
        runtime.block_on(async {
            let rig = started().await;
            rig.server.stop().await;
        });
    });
    let rig = runtime.block_on(started());
    runtime.block_on(furnish(&rig.client));
    measured(&mut criterion, "1,000 guests: list, configuration and status of each", "2 s", &mut || {
        runtime.block_on(read_all(&rig.client));
    });
    measured(&mut criterion, "a call of the client", "", &mut || {
        runtime.block_on(async { rig.client.call(&config(Vmid(100))).await.expect("an answer") });
    });
    let mut wire = runtime.block_on(connect(&rig.server));
    measured(&mut criterion, "the same by hand on an open connection", "", &mut || {
        runtime.block_on(ask_by_hand(&mut wire));
    });
    drop(wire);
    runtime.block_on(rig.server.stop());
    criterion.final_summary();

    println!("\n| what | promise | best | median |\n|---|---|---|---|");
    let middle = |times: &[Duration]| times.get(times.len() / 2).copied().unwrap_or_default();
    for (name, promise, times) in &rows {
        let best = times.first().copied().unwrap_or_default();
        println!("| {name} | {promise} | {best:.2?} | {:.2?} |", middle(times));
    }
    if let [.., (_, _, client), (_, _, hand)] = rows.as_slice() {
        let more = middle(client).saturating_sub(middle(hand));
        println!("| a call of the client beyond the wire | 1 ms | | {more:.2?} |");
    }
}
