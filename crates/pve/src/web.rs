//! Any HTTPS address, asked once: for checks of what was deployed, with the same TLS as the node.

use std::time::Duration;

use crate::client::chain;
use crate::{Error, Trust};

/// What an address answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status. A redirect is an answer like any other and is not followed.
    pub status: u16,
    /// The beginning of the body.
    pub body: String,
}

/// Asks HTTPS addresses.
#[derive(Clone, Debug)]
pub struct Web {
    http: reqwest::Client,
}

impl Web {
    /// Prepares a client that believes whom `trust` says.
    pub fn new(trust: &Trust) -> Result<Self, Error> {
        let (tls, _) = trust.client_config()?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .https_only(true)
            .user_agent("plimsoll")
            .redirect(reqwest::redirect::Policy::none())
            // A check is about a connection that is made now.
            .pool_max_idle_per_host(0)
            .connect_timeout(Duration::from_secs(10))
            .build()
            .map_err(|source| Error::Setup { what: "HTTPS", source: source.into() })?;
        Ok(Self { http })
    }

    /// Sends a GET and reads at most `limit` bytes of what comes back; the reason in words when nothing does.
    pub async fn get(&self, url: &str, limit: usize) -> Result<Answer, String> {
        let said = |error: reqwest::Error| match std::error::Error::source(&error) {
            None => format!("`{url}` is no https address"),
            Some(_) => chain(&error),
        };
        let mut response = self.http.get(url).send().await.map_err(said)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while body.len() < limit {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                // What came before the connection broke is looked at all the same.
                Ok(None) | Err(_) => break,
            }
        }
        body.truncate(limit);
        Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned() })
    }
}
