//! Checks from outside.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::spec::Check;

/// Bytes of an answer that are looked at.
const LOOKED_AT: usize = 1 << 20;

/// Tries until a check holds; the last reason when the time is over.
pub(crate) async fn until(check: &Check, limit: Duration) -> Result<(), String> {
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
            Check::Http { url, expect, contains, .. } => http(url, *expect, contains.as_deref()).await,
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

async fn http(url: &str, expect: u16, contains: Option<&str>) -> Result<(), String> {
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
    let enough = if contains.is_some() { LOOKED_AT } else { 64 };
    while head.len() < enough {
        match stream.read(&mut buffer).await {
            Ok(count @ 1..) => head.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            _ => break,
        }
    }
    let text = String::from_utf8_lossy(&head);
    let status = text.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
    match status {
        Some(status) if status == expect => match contains {
            Some(wanted) if !text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.contains(wanted)) => {
                Err(format!("its answer does not hold `{wanted}`"))
            }
            _ => Ok(()),
        },
        Some(status) => Err(format!("it answers {status}")),
        None => Err("it does not speak HTTP".to_owned()),
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

    #[tokio::test]
    async fn a_command_must_succeed_in_time() {
        let check = |run: &str, timeout| Check::Command { run: run.to_owned(), timeout };
        assert_eq!(once(&check("true", TRY)).await, Ok(()));
        assert_eq!(once(&check("echo no >&2; exit 1", TRY)).await, Err("no".to_owned()));
        let late = once(&check("sleep 9", Duration::from_millis(50))).await;
        assert_eq!(late, Err("no answer within 0 s".to_owned()));
    }
}
