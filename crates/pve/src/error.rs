//! What can go wrong, and what is known afterwards.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Fingerprint, Method, Version};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a call gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client cannot be set up.
    #[error("cannot set up {what}")]
    Setup {
        /// What is set up.
        what: &'static str,
        /// Why not.
        source: Source,
    },
    /// Nothing was sent.
    #[error("cannot connect to {host}")]
    Connect {
        /// Address of the node.
        host: String,
        /// Why not.
        source: Source,
    },
    /// The node shows another certificate than the pinned one. Nothing was sent.
    #[error("{host} shows a certificate with the fingerprint {seen}, and {pinned} is pinned")]
    Pin {
        /// Address of the node.
        host: String,
        /// The fingerprint that was asked for.
        pinned: Fingerprint,
        /// The fingerprint that was seen.
        seen: Fingerprint,
    },
    /// The request was sent, at least in part, and no whole answer came back. A write may have happened, or may still.
    #[error("{method} {path} was sent and not answered: {cause}")]
    Lost {
        /// What was asked.
        method: Method,
        /// Of what.
        path: String,
        /// What happened to the connection.
        cause: String,
    },
    /// The node refused.
    #[error(transparent)]
    Refused(Box<ApiError>),
    /// The node agreed with an answer that the client cannot read.
    #[error("the answer to {method} {path} cannot be read: {cause}")]
    Unreadable {
        /// What was asked.
        method: Method,
        /// Of what.
        path: String,
        /// What is wrong with it. Answers may hold secrets, so it does not quote them.
        cause: String,
    },
    /// The node's release does not know this.
    #[error("{what} needs Proxmox VE {needs}, and the node runs {has}")]
    Version {
        /// A parameter or an endpoint.
        what: String,
        /// The first release that knows it.
        needs: Version,
        /// The node's release.
        has: Version,
    },
}

impl Error {
    /// Whether it is unknown if the node did what was asked. Read the state before asking again: a second try may do it twice.
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Lost { method, path, .. } | Self::Unreadable { method, path, .. } => changes(*method, path),
            Self::Refused(error) => {
                changes(error.method, &error.path)
                    && matches!(error.kind, Kind::ProxyLost | Kind::Unavailable)
            }
            _ => false,
        }
    }

    /// Whether the same request may succeed a moment later without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Lost { .. } => true,
            Self::Refused(error) => {
                matches!(
                    error.kind,
                    Kind::ProxyLost | Kind::Unavailable | Kind::LockTimeout(_) | Kind::Locked(_)
                )
            }
            _ => false,
        }
    }

    /// What the node said, if it answered.
    pub fn refusal(&self) -> Option<&ApiError> {
        match self {
            Self::Refused(error) => Some(error),
            _ => None,
        }
    }
}

/// Whether a request changes something on the node. Logging in does not: a ticket that got lost is worth nothing, and what was
/// to be sent with it was not sent.
fn changes(method: Method, path: &str) -> bool {
    method != Method::Get && path != "/access/ticket"
}

/// What the node answered instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// What was asked.
    pub method: Method,
    /// Of what.
    pub path: String,
    /// The status, 400 to 599; the node's own 595 to 599 included.
    pub status: u16,
    /// What the node says, without the line break at its end: from the body, else from the status line.
    pub message: String,
    /// What is wrong with which parameter.
    pub parameters: BTreeMap<String, String>,
    /// What it means.
    pub kind: Kind,
}

/// What a refusal means. Texts are those of the node's own code; what fits none is [`Kind::Other`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// 401: no credentials, wrong ones, or a ticket that has run out.
    Unauthenticated,
    /// 403: a privilege is missing.
    Denied(Denied),
    /// 403 or 500: only `root@pam` with a password may do this. No privilege helps, and no token.
    RootOnly,
    /// 400: a parameter is wrong; see [`ApiError::parameters`].
    Invalid,
    /// 500: the guest is locked, by `backup`, `snapshot` …
    Locked(String),
    /// 500: a lock file could not be had in time. Something else works on the guest or the storage.
    LockTimeout(String),
    /// 500, never 404: no such guest on this node, no such storage, snapshot or task.
    NotFound,
    /// 500 or 400: the name or number is taken.
    Exists,
    /// 500: the configuration changed since its digest was read.
    Changed,
    /// 500: the cluster has no quorum and writes nothing.
    NoQuorum,
    /// 500: the guest does not run.
    NotRunning,
    /// 500: the guest runs already.
    AlreadyRunning,
    /// 500: the guest agent is not set up or does not answer.
    Agent,
    /// 501: this release has no such endpoint.
    NotImplemented,
    /// 502 or 503: the node's own service is down.
    Unavailable,
    /// 595 to 599: the node that was asked could not reach the node that should answer, or waited 30 seconds for it.
    ProxyLost,
    /// Anything else.
    Other,
}

/// A missing privilege: any of them on the path would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// Where it is missing. The node does not always say.
    pub path: Option<String>,
    /// Any one of these helps.
    pub any_of: Vec<String>,
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {} {}", self.method, self.path, self.status, self.message)?;
        for (name, text) in &self.parameters {
            write!(f, "; {name}: {}", text.trim_end())?;
        }
        Ok(())
    }
}

impl std::error::Error for ApiError {}

impl ApiError {
    /// Reads a refusal. Bodies are JSON, plain text or empty; before pve-http-server 5.2 the message stands in the status line only.
    pub fn read(method: Method, path: &str, status: u16, reason: &str, body: &[u8]) -> Self {
        #[derive(Default, serde::Deserialize)]
        struct Body {
            message: Option<String>,
            errors: Option<BTreeMap<String, serde_json::Value>>,
        }
        let text = String::from_utf8_lossy(body);
        let (said, errors) = match serde_json::from_slice::<Body>(body) {
            Ok(body) => (body.message, body.errors),
            // A gateway's page of HTML is no message.
            Err(_) if text.trim_start().starts_with('<') => (None, None),
            Err(_) => (Some(text.into_owned()), None),
        };
        let message = said.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let message = message.unwrap_or_else(|| reason.trim().to_owned());
        let parameters: BTreeMap<String, String> = errors
            .unwrap_or_default()
            .into_iter()
            .map(|(name, text)| {
                (name, text.as_str().map_or_else(|| text.to_string(), |text| text.trim_end().to_owned()))
            })
            .collect();
        let kind = classify(status, &message, &parameters);
        Self { method, path: path.to_owned(), status, message, parameters, kind }
    }
}

fn classify(status: u16, message: &str, parameters: &BTreeMap<String, String>) -> Kind {
    match status {
        401 => return Kind::Unauthenticated,
        501 => return Kind::NotImplemented,
        502..=504 => return Kind::Unavailable,
        595..=599 => return Kind::ProxyLost,
        _ => {}
    }
    if status == 400 && parameters.values().any(|text| text.contains("already exists")) {
        return Kind::Exists;
    }
    if status == 400 && parameters.values().any(|text| text == "no such task") {
        return Kind::NotFound;
    }
    from_text(status, message)
}

/// What a text means, in an answer or at the end of a task.
pub(crate) fn from_text(status: u16, message: &str) -> Kind {
    let has = |part: &str| message.contains(part);
    if let Some(kind) = denied(message) {
        return kind;
    }
    if let Some(rest) = message.split(" is locked (").nth(1) {
        return Kind::Locked(rest.split(')').next().unwrap_or_default().to_owned());
    }
    if has("got timeout") || has("got lock request timeout") || has("Failed to obtain guest migration lock") {
        // The quote of `can't` is none: a name begins after a blank.
        let name = message.split_once(" '").and_then(|(_, rest)| rest.split('\'').next());
        return Kind::LockTimeout(name.unwrap_or_default().to_owned());
    }
    if has("detected modified configuration") {
        Kind::Changed
    } else if has("no quorum") {
        Kind::NoQuorum
    } else if has("guest agent") || has("QEMU guest agent is not running") {
        Kind::Agent
    } else if has("already running") {
        Kind::AlreadyRunning
    } else if has(" not running") {
        Kind::NotRunning
    } else if has("already exists") || has("already used") {
        Kind::Exists
    } else if has("does not exist") || has("no such") {
        Kind::NotFound
    } else if has("only root can set") || has("Only root ") {
        Kind::RootOnly
    } else if status == 400 {
        Kind::Invalid
    } else {
        Kind::Other
    }
}

fn denied(message: &str) -> Option<Kind> {
    let (_, rest) = message.split_once("Permission check failed")?;
    let inside = rest.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let Some(inside) = inside else { return Some(Kind::Denied(Denied { path: None, any_of: Vec::new() })) };
    if inside.contains("root@pam") {
        return Some(Kind::RootOnly);
    }
    let named = inside.split_once(", ").filter(|(path, _)| path.starts_with('/'));
    Some(Kind::Denied(match named {
        Some((path, privileges)) => Denied {
            path: Some(path.to_owned()),
            any_of: privileges
                .split(" for ")
                .next()
                .unwrap_or_default()
                .split('|')
                .map(|name| name.trim().to_owned())
                .collect(),
        },
        None => Denied { path: None, any_of: Vec::new() },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, reason: &str, body: &str) -> Kind {
        ApiError::read(Method::Post, "/x", status, reason, body.as_bytes()).kind
    }

    #[test]
    fn the_message_comes_from_the_body_or_from_the_status_line() {
        let new =
            ApiError::read(Method::Get, "/x", 500, "first", br#"{"data":null,"message":"first\nsecond\n"}"#);
        assert_eq!(new.message, "first\nsecond");
        let old = ApiError::read(Method::Get, "/x", 500, "CT 100 already running", br#"{"data":null}"#);
        assert_eq!((old.message.as_str(), old.kind), ("CT 100 already running", Kind::AlreadyRunning));
        let plain = ApiError::read(Method::Delete, "/x", 501, "", b"Unexpected content for method 'DELETE'");
        assert_eq!(plain.message, "Unexpected content for method 'DELETE'");
        let gateway = ApiError::read(Method::Get, "/x", 502, "Bad Gateway", b"<html>no</html>");
        assert_eq!((gateway.message.as_str(), gateway.kind), ("Bad Gateway", Kind::Unavailable));
    }

    #[test]
    fn missing_privileges_are_named_with_their_path() {
        assert_eq!(
            kind(403, "Permission check failed (/storage/x, Datastore.Audit|Datastore.AllocateSpace)", ""),
            Kind::Denied(Denied {
                path: Some("/storage/x".into()),
                any_of: vec!["Datastore.Audit".into(), "Datastore.AllocateSpace".into()]
            })
        );
        assert_eq!(
            kind(403, "Permission check failed", r#"{"data":null}"#),
            Kind::Denied(Denied { path: None, any_of: vec![] })
        );
        for text in [
            "Permission check failed (user != root@pam)",
            "Permission check failed (changing feature flags (except nesting) is only allowed for root@pam)",
        ] {
            assert_eq!(kind(403, text, ""), Kind::RootOnly);
        }
    }

    #[test]
    fn texts_of_the_node_are_told_apart() {
        for (text, wanted) in [
            ("CT is locked (backup)", Kind::Locked("backup".into())),
            ("VM is locked (snapshot-delete)", Kind::Locked("snapshot-delete".into())),
            (
                "can't lock file '/run/lock/lxc/pve-config-100.lock' - got timeout",
                Kind::LockTimeout("/run/lock/lxc/pve-config-100.lock".into()),
            ),
            ("Configuration file 'nodes/pve1/lxc/999.conf' does not exist", Kind::NotFound),
            ("CT 100 already exists on node 'pve1'", Kind::Exists),
            ("detected modified configuration - file changed by other user? Try again.", Kind::Changed),
            ("CT 110 not running", Kind::NotRunning),
            ("QEMU guest agent is not running", Kind::Agent),
            ("cluster not ready - no quorum?", Kind::NoQuorum),
            ("only root can set 'args' config", Kind::RootOnly),
            ("unable to shrink disk size", Kind::Other),
        ] {
            assert_eq!(kind(500, text, ""), wanted, "{text}");
        }
    }

    #[test]
    fn parameters_keep_their_texts() {
        let body = br#"{"errors":{"vmid":"VM 100 already exists"},"data":null,"message":"Parameter verification failed.\n"}"#;
        let error = ApiError::read(Method::Get, "/cluster/nextid", 400, "", body);
        assert_eq!(error.kind, Kind::Exists);
        assert_eq!(
            error.to_string(),
            "GET /cluster/nextid: 400 Parameter verification failed.; vmid: VM 100 already exists"
        );
    }

    #[test]
    fn after_a_proxy_error_only_a_write_is_in_doubt() {
        for (method, doubt) in [(Method::Get, false), (Method::Post, true)] {
            let error =
                Error::Refused(Box::new(ApiError::read(method, "/x", 596, "Connection timed out", b"")));
            assert_eq!((error.outcome_unknown(), error.is_transient()), (doubt, true));
        }
    }
}
