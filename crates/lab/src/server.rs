//! The lab behind HTTPS on the loopback interface.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::ext::ReasonPhrase;
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, COOKIE, HeaderName};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request as HyperRequest, Response as HyperResponse, StatusCode};
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::http::{Outcome, Request, Response};
use crate::lab::{Begun, Lab};

/// The certificate that a lab shows, made for it alone.
#[derive(Clone)]
pub struct Certificate {
    /// The certificate.
    pub pem: String,
    /// SHA-256 of it, to pin.
    pub fingerprint: plimsoll_pve::Fingerprint,
    der: Vec<u8>,
    key: Vec<u8>,
}

/// Why a lab does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not allowed.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// No certificate could be made.
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// TLS does not take the certificate.
    #[error("cannot set up TLS")]
    Tls(#[from] rustls::Error),
}

impl Certificate {
    /// Makes a certificate for the loopback names.
    pub fn make() -> Result<Self, StartError> {
        let names = ["localhost", "127.0.0.1", "::1", "pve1", "pve2", "pve3"].map(str::to_owned);
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(names)?.self_signed(&key)?;
        let der = certificate.der().to_vec();
        let fingerprint = plimsoll_pve::Fingerprint::of(&der);
        Ok(Self { pem: certificate.pem(), fingerprint, der, key: key.serialize_der() })
    }
}

/// A lab that listens.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it shows.
    pub certificate: Certificate,
    stop: watch::Sender<bool>,
    done: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Starts to listen. Port 0 takes a free one.
    pub async fn start(
        lab: Arc<Lab>,
        address: SocketAddr,
        certificate: Certificate,
    ) -> Result<Self, StartError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certificate.key.clone()));
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der.clone().into()], key)?;
        let listener =
            TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })?;
        let address = listener.local_addr().map_err(|source| StartError::Listen { address, source })?;
        lab.show_certificate(certificate.fingerprint.to_string(), certificate.pem.clone());
        let (stop, stopped) = watch::channel(false);
        if lab.network().is_some() {
            tokio::spawn(keep_going(lab.clone(), stopped.clone()));
        }
        let done = tokio::spawn(accept(listener, TlsAcceptor::from(Arc::new(tls)), lab, stopped));
        Ok(Self { address, certificate, stop, done })
    }

    /// Stops listening and breaks what is open.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.done.await;
    }
}

/// Goes on with tasks whose guests really boot also when nobody asks: a start that follows a rollback waits for no client.
async fn keep_going(lab: Arc<Lab>, mut stopped: watch::Receiver<bool>) {
    let mut beat = tokio::time::interval(Duration::from_millis(50));
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            _ = beat.tick() => lab.advance(Duration::ZERO),
        }
    }
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, lab: Arc<Lab>, mut stopped: watch::Receiver<bool>) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = open.join_next(), if !open.is_empty() => {}
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    let _ = stream.set_nodelay(true);
                    open.spawn(serve(stream, tls.clone(), lab.clone()));
                }
            }
        }
    }
    open.shutdown().await;
}

/// One connection, until either side has enough.
async fn serve(stream: TcpStream, tls: TlsAcceptor, lab: Arc<Lab>) {
    let Ok(stream) = tls.accept(stream).await else { return };
    let (lost, mut is_lost) = watch::channel(false);
    let service = service_fn(move |request| {
        let (lab, lost) = (lab.clone(), lost.clone());
        async move { Ok::<_, Infallible>(answer(&lab, request, &lost).await) }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        _ = connection => {}
        _ = is_lost.changed() => {}
    }
}

async fn answer(
    lab: &Lab,
    request: HyperRequest<Incoming>,
    lost: &watch::Sender<bool>,
) -> HyperResponse<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return HyperResponse::default() };
    let header =
        |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let request = Request {
        verb: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        content_type: header(CONTENT_TYPE),
        authorization: header(AUTHORIZATION),
        cookie: header(COOKIE),
        csrf: header(HeaderName::from_static("csrfpreventiontoken")),
        body: body.to_bytes().to_vec(),
    };
    let outcome = match lab.begin(&request) {
        Begun::Done(outcome) => outcome,
        // A thread that panicked has no answer.
        Begun::Asks(ask) => tokio::task::spawn_blocking(ask).await.unwrap_or(Outcome::Lost),
    };
    match outcome {
        Outcome::Answer { response, delay } => {
            if delay > 0 {
                tokio::time::sleep(Duration::from_millis(delay)).await;
            }
            send(response, lab.clock())
        }
        Outcome::Lost => {
            let _ = lost.send(true);
            std::future::pending().await
        }
    }
}

fn send(response: Response, clock: i64) -> HyperResponse<Full<Bytes>> {
    let refused = response.status >= 400;
    let mut out = HyperResponse::new(Full::new(Bytes::from(response.body)));
    *out.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(reason) = ReasonPhrase::try_from(response.reason.as_bytes().to_vec()) {
        out.extensions_mut().insert(reason);
    }
    let headers = out.headers_mut();
    let kind = if response.json { "application/json;charset=UTF-8" } else { "text/plain" };
    headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    headers.insert(hyper::header::SERVER, hyper::header::HeaderValue::from_static("pve-api-daemon/3.0"));
    if let Ok(date) = hyper::header::HeaderValue::from_str(&date(clock)) {
        headers.insert(hyper::header::DATE, date);
    }
    if refused {
        headers.insert(CONNECTION, hyper::header::HeaderValue::from_static("close"));
    }
    out
}

/// Seconds since 1970 as an answer's `Date` says them (RFC 9110, 5.6.7).
fn date(seconds: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan", "Feb"];
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days since the first of March of the year 0; years begin in March, so that a leap day is the last day of one.
    let day = days + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let name = |names: &[&'static str], at: i64| {
        usize::try_from(at).ok().and_then(|at| names.get(at).copied()).unwrap_or_default()
    };
    format!(
        "{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
        name(&DAYS, days.rem_euclid(7)),
        of_year - (153 * month + 2) / 5 + 1,
        name(&MONTHS, month),
        year + era * 400 + i64::from(month > 9),
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn the_date_of_an_answer_is_that_of_the_node() {
        assert_eq!(date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date(1_709_251_199), "Thu, 29 Feb 2024 23:59:59 GMT");
        assert_eq!(date(1_795_392_000), "Mon, 23 Nov 2026 00:00:00 GMT");
    }
}
