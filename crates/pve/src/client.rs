//! The connection to one node.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::ext::ReasonPhrase;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, DATE, HeaderValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::api::{GetVersion, Login};
use crate::tls::Seen;
use crate::{ApiError, Credentials, Error, Method, Params, Request, Secret, Trust, Version, percent_encode};

/// Where the node is and how to talk to it.
#[derive(Clone, Debug)]
pub struct Config {
    /// `host:port` or `host`; the port is 8006 unless it is given.
    pub host: String,
    /// Who asks.
    pub credentials: Credentials,
    /// Whom to believe.
    pub trust: Trust,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long to wait for an answer. A node gives up on another node after 30 seconds.
    pub timeout: Duration,
}

impl Config {
    /// A node with the usual timeouts.
    pub fn new(host: impl Into<String>, credentials: Credentials, trust: Trust) -> Self {
        let (connect_timeout, timeout) = (Duration::from_secs(10), Duration::from_secs(60));
        Self { host: host.into(), credentials, trust, connect_timeout, timeout }
    }
}

/// A client of one node. Cheap to share by reference; connections are kept and used again.
pub struct Client {
    http: reqwest::Client,
    host: String,
    config: Config,
    seen: Seen,
    ticket: Mutex<Option<Ticket>>,
    version: OnceCell<Version>,
    clock: AtomicU64,
}

#[derive(Clone)]
struct Ticket {
    cookie: Secret,
    csrf: Secret,
    at: Instant,
}

/// Tickets live for two hours.
const TICKET_LIFE: Duration = Duration::from_secs(90 * 60);

impl Client {
    /// Prepares a client. Nothing is sent yet.
    pub fn new(config: Config) -> Result<Self, Error> {
        let (tls, seen) = config.trust.client_config()?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(config.connect_timeout)
            .build()
            .map_err(|source| Error::Setup { what: "HTTP", source: source.into() })?;
        let host = if has_port(&config.host) { config.host.clone() } else { format!("{}:8006", config.host) };
        let (ticket, version, clock) = (Mutex::new(None), OnceCell::new(), AtomicU64::new(0));
        Ok(Self { http, host, config, seen, ticket, version, clock })
    }

    /// The address in use, port included.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The node's release, asked for once.
    pub async fn version(&self) -> Result<Version, Error> {
        self.version
            .get_or_try_init(async || {
                let answer = self.send(&GetVersion {}).await?;
                answer.version.parse().map_err(|error: crate::VersionError| Error::Unreadable {
                    method: Method::Get,
                    path: "/version".to_owned(),
                    cause: error.to_string(),
                })
            })
            .await
            .copied()
    }

    /// What the node's clock showed when it answered last, in seconds since 1970. Every answer says it, refusals too, and
    /// no privilege is needed.
    pub fn clock(&self) -> Option<u64> {
        Some(self.clock.load(Ordering::Relaxed)).filter(|seconds| *seconds > 0)
    }

    /// Sends a request. What the node's release does not know is refused before anything is sent.
    pub async fn call<R: Request>(&self, request: &R) -> Result<R::Answer, Error> {
        if let Some((what, needs)) = request.newest_need() {
            let has = self.version().await?;
            if has < needs {
                return Err(Error::Version { what, needs, has });
            }
        }
        self.send(request).await
    }

    /// Sends a read again, up to `attempts` times, when it may succeed a moment later. Writes are never repeated here.
    pub async fn read<R: Request>(&self, request: &R, attempts: u32) -> Result<R::Answer, Error> {
        let mut pause = Duration::from_millis(200);
        for _ in 1..attempts {
            match self.call(request).await {
                Err(error) if R::METHOD == Method::Get && error.is_transient() => {
                    tokio::time::sleep(pause).await;
                }
                done => return done,
            }
            pause = (pause * 2).min(Duration::from_secs(5));
        }
        self.call(request).await
    }

    async fn send<R: Request>(&self, request: &R) -> Result<R::Answer, Error> {
        let (path, params) = (request.path(), request.params());
        let data = match self.exchange(R::METHOD, &path, &params).await {
            // A refused ticket means that nothing was done: log in anew, once.
            Err(Error::Refused(error)) if error.status == 401 && self.forget_ticket() => {
                self.exchange(R::METHOD, &path, &params).await?
            }
            other => other?,
        };
        decode(R::METHOD, &path, data)
    }

    async fn exchange(&self, method: Method, path: &str, params: &Params) -> Result<Value, Error> {
        let form = params.to_form();
        let in_address = matches!(method, Method::Get | Method::Delete);
        let query = if in_address && !form.is_empty() { format!("?{form}") } else { String::new() };
        let mut builder =
            self.http.request(verb(method), self.address(path, &query)).timeout(self.config.timeout);
        if !in_address && !form.is_empty() {
            builder = builder.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        }
        let builder = self.authorize(method, builder).await?;
        self.finish(method, path, builder).await
    }

    pub(crate) fn address(&self, path: &str, query: &str) -> String {
        format!("https://{}/api2/json{path}{query}", self.host)
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(crate) async fn authorize(
        &self,
        method: Method,
        builder: reqwest::RequestBuilder,
    ) -> Result<reqwest::RequestBuilder, Error> {
        match &self.config.credentials {
            Credentials::Token(token) => {
                let value = format!("PVEAPIToken={}={}", token.id, token.secret.expose());
                Ok(builder.header(AUTHORIZATION, sensitive(&value)?))
            }
            Credentials::Password { user, password } => {
                let ticket = self.ticket(user, password).await?;
                let cookie = format!("PVEAuthCookie={}", percent_encode(ticket.cookie.expose()));
                let builder = builder.header(COOKIE, sensitive(&cookie)?);
                Ok(match method {
                    Method::Get => builder,
                    _ => builder.header("CSRFPreventionToken", sensitive(ticket.csrf.expose())?),
                })
            }
        }
    }

    async fn ticket(&self, user: &str, password: &Secret) -> Result<Ticket, Error> {
        let kept = self.ticket.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(ticket) = kept.filter(|ticket| ticket.at.elapsed() < TICKET_LIFE) {
            return Ok(ticket);
        }
        let login = Login { username: user.to_owned(), password: password.clone() };
        let path = login.path();
        let builder = self
            .http
            .post(self.address(&path, ""))
            .timeout(self.config.timeout)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(login.params().to_form());
        let data = self.finish(Method::Post, &path, builder).await?;
        let session: crate::api::Session = decode(Method::Post, &path, data)?;
        let ticket = Ticket { cookie: session.ticket, csrf: session.csrf, at: Instant::now() };
        *self.ticket.lock().unwrap_or_else(PoisonError::into_inner) = Some(ticket.clone());
        Ok(ticket)
    }

    fn forget_ticket(&self) -> bool {
        self.ticket.lock().unwrap_or_else(PoisonError::into_inner).take().is_some()
    }

    pub(crate) async fn finish(
        &self,
        method: Method,
        path: &str,
        builder: reqwest::RequestBuilder,
    ) -> Result<Value, Error> {
        let lost =
            |error: &reqwest::Error| Error::Lost { method, path: path.to_owned(), cause: chain(error) };
        let response = match builder.send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() || error.is_builder() => return Err(self.unconnected(&error)),
            Err(error) => return Err(lost(&error)),
        };
        let status = response.status();
        let date = response.headers().get(DATE).and_then(|value| seconds(value.to_str().ok()?));
        self.clock.store(date.unwrap_or_default(), Ordering::Relaxed);
        let reason = response.extensions().get::<ReasonPhrase>().map(|phrase| phrase.as_bytes().to_vec());
        let reason =
            reason.unwrap_or_else(|| status.canonical_reason().unwrap_or_default().as_bytes().to_vec());
        let body = response.bytes().await;
        if !status.is_success() {
            // The status is the answer, even where the node hangs up before the end of the body.
            let (reason, body) = (String::from_utf8_lossy(&reason), body.unwrap_or_default());
            let error = ApiError::read(method, path, status.as_u16(), &reason, &body);
            return Err(Error::Refused(Box::new(error)));
        }
        let body = body.map_err(|error| lost(&error))?;
        serde_json::from_slice(&body).map_err(|error| Error::Unreadable {
            method,
            path: path.to_owned(),
            cause: format!("no JSON at line {} column {}", error.line(), error.column()),
        })
    }

    fn unconnected(&self, error: &reqwest::Error) -> Error {
        let host = self.host.clone();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (&self.config.trust, seen) {
            (Trust::Pinned(pinned), Some(seen)) => Error::Pin { host, pinned: *pinned, seen },
            _ => Error::Connect { host, source: chain(error).into() },
        }
    }
}

/// `Mon, 23 Nov 2026 22:15:00 GMT` in seconds since 1970 (RFC 9110, 5.6.7).
fn seconds(date: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = date.split_once(", ")?.1.split([' ', ':']);
    let mut next = || words.next();
    let (day, month, year) = (next()?, next()?, next()?);
    let mut number = || next()?.parse::<u64>().ok();
    let (hour, minute, second) = (number()?, number()?, number()?);
    let day: u64 = day.parse().ok()?;
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    let year: u64 = year.parse().ok().filter(|year| (1970..10_000).contains(year))?;
    // Years begin in March, so that a leap day is the last day of one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    Some(days.checked_sub(719_469)? * 86_400 + hour * 3600 + minute * 60 + second)
}

fn has_port(host: &str) -> bool {
    let after = host.rsplit_once(']').map_or(host, |(_, after)| after);
    after.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}

fn verb(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Delete => reqwest::Method::DELETE,
    }
}

fn sensitive(text: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Error::Setup {
        what: "the credentials",
        source: "they hold a character that no header takes".into(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Causes from the outside in, without addresses, which may hold parameters.
pub(crate) fn chain(error: &reqwest::Error) -> String {
    let mut texts = Vec::new();
    if error.is_timeout() {
        texts.push("timeout".to_owned());
    }
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        next = cause.source();
    }
    if texts.is_empty() { "the connection broke".to_owned() } else { texts.join(": ") }
}

/// The part of an answer that the request asked for. Most of it stands under `data`; logs have `total` beside it.
pub(crate) fn decode<T: DeserializeOwned>(method: Method, path: &str, body: Value) -> Result<T, Error> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        data: Value,
    }
    let unreadable = |error: &serde_json::Error| {
        let cause = error.to_string();
        // serde quotes the offending text, which may be secret, between backquotes or quotes.
        let cause = cause.split(['`', '"']).next().unwrap_or_default().trim_end().to_owned();
        Error::Unreadable { method, path: path.to_owned(), cause }
    };
    let body: Body = serde_json::from_value(body).map_err(|error| unreadable(&error))?;
    serde_json::from_value(body.data).map_err(|error| unreadable(&error))
}

#[cfg(test)]
mod tests {
    use super::{has_port, seconds};

    #[test]
    fn dates_of_answers_are_read() {
        assert_eq!(seconds("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(seconds("Thu, 29 Feb 2024 23:59:59 GMT"), Some(1_709_251_199));
        assert_eq!(seconds("Mon, 23 Nov 2026 00:00:00 GMT"), Some(1_795_392_000));
        for text in
            ["", "Mon", "Mon, 1 Foo 2026 00:00:00 GMT", "Mon, 01 Jan 1960 00:00:00 GMT", "Mon, 01 Jan 2026"]
        {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn a_port_is_told_from_an_address() {
        assert!(has_port("pve:8006") && has_port("[::1]:8006") && has_port("10.0.0.1:443"));
        assert!(!has_port("pve") && !has_port("[::1]") && !has_port("10.0.0.1"));
    }
}
