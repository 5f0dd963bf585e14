//! Checks from outside.

use std::process::Stdio;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use plimsoll_pve::{Trust, Web};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::spec::Check;

/// Bytes of an answer that are looked at.
const LOOKED_AT: usize = 1 << 20;

/// Tries until a check holds; the last reason when the time is over.
pub async fn until(check: &Check, limit: Duration) -> Result<(), String> {
    let begun = Instant::now();
    loop {
        match once(check).await {
            Ok(()) => return Ok(()),
            Err(reason) if begun.elapsed() >= limit => return Err(reason),
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

/// One try.
pub(crate) async fn once(check: &Check) -> Result<(), String> {
    let (Check::Http { timeout, .. } | Check::Tcp { timeout, .. } | Check::Command { timeout, .. }) = check;
    let one = async {
        match check {
            Check::Http { url, expect, contains, .. } => {
                let answer = match url.starts_with("https://") {
                    true => https(url, trusting_system()?, contains.is_some()).await?,
                    false => http(url, contains.is_some()).await?,
                };
                judged(answer, *expect, contains.as_deref())
            }
            Check::Tcp { address, .. } => connect(address).await.map(drop),
            Check::Command { run, .. } => command(run).await,
        }
    };
    let late = || Err(format!("no answer within {} s", timeout.as_secs()));
    tokio::time::timeout(*timeout, one).await.unwrap_or_else(|_| late())
}

async fn connect(address: &str) -> Result<TcpStream, String> {
    TcpStream::connect(address).await.map_err(|error| format!("{address}: {}", error.kind()))
}

/// The status, and the beginning of the body where it is wanted. Redirects are answers and not followed.
async fn http(url: &str, wants_body: bool) -> Result<(u16, String), String> {
    let rest = url.strip_prefix("http://").ok_or_else(|| format!("`{url}` is no http address"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let address = if has_port { host.to_owned() } else { format!("{host}:80") };
    let mut stream = connect(&address).await?;
    let request =
        format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nUser-Agent: plimsoll\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| error.kind().to_string())?;
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    let enough = if wants_body { LOOKED_AT } else { 64 };
    while head.len() < enough {
        match stream.read(&mut buffer).await {
            Ok(count @ 1..) => head.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            _ => break,
        }
    }
    let text = String::from_utf8_lossy(&head);
    let status = text.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
    let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    Ok((status.ok_or_else(|| "it does not speak HTTP".to_owned())?, body))
}

/// The same over TLS, with a certificate that holds for the address.
async fn https(url: &str, web: &Web, wants_body: bool) -> Result<(u16, String), String> {
    let answer = web.get(url, if wants_body { LOOKED_AT } else { 0 }).await?;
    Ok((answer.status, answer.body))
}

/// The store of certificates is read once: a check is asked several times a second.
fn trusting_system() -> Result<&'static Web, String> {
    static WEB: OnceLock<Result<Web, String>> = OnceLock::new();
    let made = WEB.get_or_init(|| Web::new(&Trust::System).map_err(|error| error.to_string()));
    made.as_ref().map_err(Clone::clone)
}

fn judged((status, body): (u16, String), expect: u16, contains: Option<&str>) -> Result<(), String> {
    match contains {
        _ if status != expect => Err(format!("it answers {status}")),
        Some(wanted) if !body.contains(wanted) => Err(format!("its answer does not hold `{wanted}`")),
        _ => Ok(()),
    }
}

async fn command(run: &str) -> Result<(), String> {
    let output = Command::new("sh").args(["-c", run]).stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = output.map_err(|error| format!("no shell can be started: {}", error.kind()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().next_back().unwrap_or("it says nothing").to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use tokio::net::TcpListener;

    async fn server(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut buffer = [0; 512];
                drop(stream.read(&mut buffer).await);
                drop(stream.write_all(answer.as_bytes()).await);
            }
        });
        address
    }

    const TRY: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn the_status_and_the_text_decide() {
        let address = server("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nlate").await;
        let check = |expect, contains: Option<&str>| Check::Http {
            url: format!("http://{address}/health"),
            expect,
            contains: contains.map(ToOwned::to_owned),
            timeout: TRY,
        };
        assert_eq!(once(&check(503, None)).await, Ok(()));
        assert_eq!(once(&check(503, Some("late"))).await, Ok(()));
        let header = once(&check(503, Some("Unavailable"))).await;
        assert_eq!(header, Err("its answer does not hold `Unavailable`".to_owned()));
        assert_eq!(once(&check(503, Some("soon"))).await, Err("its answer does not hold `soon`".to_owned()));
        assert_eq!(once(&check(200, None)).await, Err("it answers 503".to_owned()));
        assert_eq!(once(&Check::Tcp { address, timeout: TRY }).await, Ok(()));
    }

    /// A server with a certificate of its own for `localhost`.
    async fn tls_server(answer: &'static str) -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned()];
        let certificate = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let tls =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(
                    vec![certificate.der().clone()],
                    rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
                )
                .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut buffer = [0; 512];
                drop(stream.read(&mut buffer).await);
                drop(stream.write_all(answer.as_bytes()).await);
                drop(stream.shutdown().await);
            }
        });
        (format!("localhost:{port}"), certificate.pem())
    }

    #[tokio::test]
    async fn an_answer_over_tls_counts_when_its_certificate_holds() {
        let (address, pem) = tls_server(
            "HTTP/1.1 301 Moved\r\nlocation: https://other.invalid/\r\ncontent-length: 4\r\n\r\ngone",
        )
        .await;
        let known = Web::new(&Trust::Authority(pem.into_bytes())).unwrap();
        let answer = https(&format!("https://{address}/health"), &known, true).await;
        assert_eq!(answer, Ok((301, "gone".to_owned())), "a redirect is an answer");
        assert_eq!(judged(answer.unwrap(), 301, Some("gone")), Ok(()));
        let (_, other) = tls_server("").await;
        let unknown = Web::new(&Trust::Authority(other.into_bytes())).unwrap();
        let refused = https(&format!("https://{address}/"), &unknown, false).await.unwrap_err();
        assert!(refused.contains("certificate"), "{refused}");
        let port = address.strip_prefix("localhost:").unwrap();
        let elsewhere = https(&format!("https://127.0.0.1:{port}/"), &known, false).await.unwrap_err();
        assert!(elsewhere.contains("certificate"), "the name decides too: {elsewhere}");
    }

    #[tokio::test]
    async fn the_system_s_own_store_vouches_for_no_stranger() {
        let (address, _) = tls_server("HTTP/1.1 200 OK\r\n\r\n").await;
        let url = format!("https://{address}/");
        let check = Check::Http { url, expect: 200, contains: None, timeout: TRY };
        let reason = once(&check).await.unwrap_err();
        assert!(reason.contains("certificate"), "{reason}");
    }

    #[tokio::test]
    async fn a_command_must_succeed_in_time() {
        let check = |run: &str, timeout| Check::Command { run: run.to_owned(), timeout };
        assert_eq!(once(&check("true", TRY)).await, Ok(()));
        assert_eq!(once(&check("echo no >&2; exit 1", TRY)).await, Err("no".to_owned()));
        let late = once(&check("sleep 9", Duration::from_millis(50))).await;
        assert_eq!(late, Err("no answer within 0 s".to_owned()));
    }
}
