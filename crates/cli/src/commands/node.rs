//! The node of a target: who asks it, whom to believe, and what to do when it says no.

use std::sync::Arc;

use plimsoll_config::Proxmox;
use plimsoll_doctor::{VerifyError, Work};
use plimsoll_pve::{
    Client, Config, Credentials, Denied, Error, Fingerprint, Kind, Request, TaskError, TaskResult, Token,
    Trust, Upid, WaitOptions,
};

use super::settings::Settings;
use crate::failure::{Failure, FailureKind};

/// The variable that holds the token, `user@realm!name=secret`.
pub(crate) const TOKEN: &str = "PLIMSOLL_PVE_TOKEN";
/// The variable that holds the SHA-256 of the node's certificate; it goes before `fingerprint` of the file.
pub(crate) const FINGERPRINT: &str = "PLIMSOLL_PVE_FINGERPRINT";
/// The variable that names a file with the authority that signed the node's certificate.
pub(crate) const AUTHORITY: &str = "PLIMSOLL_PVE_CA";

/// A node that can be asked. Nothing was sent to it yet.
pub(crate) struct Node {
    pub(crate) client: Arc<Client>,
    /// Its name in the cluster.
    pub(crate) name: String,
    /// The pool that holds what is made there.
    pub(crate) pool: Option<String>,
    /// Who asks, `user@realm!name`.
    pub(crate) token: String,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node")
            .field("name", &self.name)
            .field("host", &self.client.host())
            .finish_non_exhaustive()
    }
}

/// What the environment says about nodes.
#[derive(Default)]
struct Environment {
    token: Option<String>,
    fingerprint: Option<String>,
    /// The authority's file and what it holds.
    authority: Option<Vec<u8>>,
}

impl Node {
    /// The node of a target.
    pub(crate) fn of(settings: &Settings) -> Result<Self, Failure> {
        let target = settings.target();
        match &target.proxmox {
            Some(proxmox) => Self::open(proxmox),
            None => Err(refused(format!("the target `{}` names no node", target.name)).hint(
                "say where it is in `plimsoll.yaml`: `proxmox: {url: https://pve.lan:8006, node: pve1}`",
            )),
        }
    }

    /// Prepares a client with the token of the environment.
    pub(crate) fn open(proxmox: &Proxmox) -> Result<Self, Failure> {
        let authority = variable(AUTHORITY).map(read).transpose()?;
        Self::with(
            proxmox,
            Environment { token: variable(TOKEN), fingerprint: variable(FINGERPRINT), authority },
        )
    }

    fn with(proxmox: &Proxmox, environment: Environment) -> Result<Self, Failure> {
        let Proxmox { url, node, pool, fingerprint } = proxmox;
        let Some(token) = environment.token else {
            return Err(refused(format!("there is no token for the node `{node}`")).hint(format!(
                "set `{TOKEN}` to `user@realm!name=secret`; on the node: \
                 `pveum user token add deploy@pve plimsoll` makes one"
            )));
        };
        let token: Token =
            token.parse().map_err(|error| refused(format!("`{TOKEN}` holds no token: {error}")))?;
        if token.user() == "root@pam" {
            return Err(refused(format!(
                "`{}` is a token of root@pam, which may do everything on the node",
                token.id
            ))
            .hint("make a user of its own, such as deploy@pve, and give its token what a deploy needs"));
        }
        let (from, text) = match (environment.fingerprint, fingerprint) {
            (Some(text), _) => (FINGERPRINT, Some(text)),
            (None, text) => ("fingerprint", text.clone()),
        };
        let pin = text.map(|text| text.parse::<Fingerprint>()).transpose();
        let pin = pin.map_err(|error| refused(format!("`{from}` is wrong: {error}")))?;
        let trust = match (pin, environment.authority) {
            (Some(pin), _) => Trust::Pinned(pin),
            (None, Some(pem)) => Trust::Authority(pem),
            (None, None) => Trust::System,
        };
        let host = url.trim_start_matches("https://").trim_end_matches('/').to_owned();
        let id = token.id.clone();
        let client = Client::new(Config::new(host, Credentials::Token(token), trust)).map_err(failure)?;
        Ok(Self { client: Arc::new(client), name: node.clone(), pool: pool.clone(), token: id })
    }

    /// Asks, and turns a refusal into words for a person.
    pub(crate) async fn ask<R: Request>(&self, request: &R) -> Result<R::Answer, Failure> {
        self.client.read(request, 3).await.map_err(failure)
    }

    /// Starts a task and waits for its end.
    pub(crate) async fn finish<R: Request<Answer = Upid>>(&self, request: &R) -> Result<TaskResult, Failure> {
        let upid = self.ask(request).await?;
        self.client.wait(&upid, WaitOptions::default(), |_| ()).await.map_err(|error| task(*error))
    }
}

/// A call that failed, with what to do about it.
pub(crate) fn failure(error: Error) -> Failure {
    let hint = match &error {
        Error::Connect { .. } => Some(format!(
            "check `proxmox.url`; if no authority signed the node's certificate, pin it with `proxmox.fingerprint` or \
             `{FINGERPRINT}`: on the node, `pvenode cert info` shows it"
        )),
        Error::Pin { .. } => Some(
            "if the node renewed its certificate, compare with `pvenode cert info` on the node and pin the new one; \
             else somebody stands between"
                .to_owned(),
        ),
        Error::Refused(refusal) => advice(&refusal.kind),
        _ => None,
    };
    hint.into_iter().fold(FailureKind::Node(Box::new(error)).into(), Failure::hint)
}

/// A task that failed, with the end of what it said.
pub(crate) fn task(error: TaskError) -> Failure {
    let hint = match &error {
        TaskError::Failed { tail, kind, .. } => advice(kind).or_else(|| {
            let lines: Vec<&str> = tail.iter().map(|line| line.text.as_str()).collect();
            (!lines.is_empty()).then(|| format!("the node says:\n  {}", lines.join("\n  ")))
        }),
        TaskError::Timeout { .. } | TaskError::Vanished { .. } => {
            Some("run the same command again: it looks at what is there and goes on".to_owned())
        }
        TaskError::Unreachable { .. } => None,
    };
    hint.into_iter().fold(FailureKind::NodeTask(Box::new(error)).into(), Failure::hint)
}

/// Refuses before the first change where the token lacks a privilege for what comes later.
pub(crate) async fn verify(client: &Client, work: &Work) -> Result<(), Failure> {
    plimsoll_doctor::verify(client, work).await.map_err(|error| match error {
        VerifyError::Node(error) => failure(error),
        missing @ VerifyError::Missing(_) => Failure::from(FailureKind::Privileges(missing))
            .hint("`plimsoll doctor` prints the commands that grant it"),
    })
}

fn advice(kind: &Kind) -> Option<String> {
    match kind {
        Kind::Unauthenticated => Some(format!(
            "`{TOKEN}` is unknown there, wrong or has run out; `pveum user token list` shows tokens"
        )),
        Kind::Denied(Denied { path, any_of }) if !any_of.is_empty() => {
            let path = path.as_ref().map_or(String::new(), |path| format!(" on `{path}`"));
            Some(format!("the token lacks {}{path}", any_of.join(" or ")))
        }
        Kind::Denied(_) => Some("the token lacks a privilege; the node does not say which".to_owned()),
        Kind::Locked(why) => Some(format!(
            "something else works on the guest (`{why}`): wait for it and run the command again"
        )),
        _ => None,
    }
}

fn refused(message: String) -> Failure {
    FailureKind::Target(message).into()
}

#[expect(clippy::disallowed_methods, reason = "the command line is the place that reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[expect(clippy::disallowed_methods, reason = "the command line is the place that reads files")]
pub(crate) fn read(path: String) -> Result<Vec<u8>, Failure> {
    std::fs::read(&path).map_err(|source| FailureKind::Read { path: path.into(), source }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIN: &str =
        "E3:B0:C4:42:98:FC:1C:14:9A:FB:F4:C8:99:6F:B9:24:27:AE:41:E4:64:9B:93:4C:A4:95:99:1B:78:52:B8:55";

    fn proxmox() -> Proxmox {
        Proxmox {
            url: "https://pve.lan:8006/".to_owned(),
            node: "pve1".to_owned(),
            pool: Some("apps".to_owned()),
            fingerprint: None,
        }
    }

    fn token(text: &str) -> Environment {
        Environment { token: Some(text.to_owned()), ..Environment::default() }
    }

    #[test]
    fn a_node_is_opened_with_the_token_of_the_environment() {
        let node = Node::with(&proxmox(), token("deploy@pve!ci=s3cret")).unwrap();
        assert_eq!((node.client.host(), node.name.as_str()), ("pve.lan:8006", "pve1"));
        assert_eq!((node.pool.as_deref(), node.token.as_str()), (Some("apps"), "deploy@pve!ci"));
        assert!(!format!("{node:?}").contains("s3cret"));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named_and_the_secret_is_not() {
        let said = |environment| Node::with(&proxmox(), environment).unwrap_err();
        let none = said(Environment::default());
        assert_eq!(none.chain(), "there is no token for the node `pve1`");
        assert!(none.hints[0].contains(TOKEN));
        let wrong = said(token("deploy@pve=s3cret"));
        assert!(
            wrong.chain().starts_with("`PLIMSOLL_PVE_TOKEN` holds no token")
                && !wrong.chain().contains("s3cret")
        );
        let root = said(token("root@pam!ci=s3cret"));
        assert!(root.chain().contains("root@pam") && !root.chain().contains("s3cret"));
        let pin = said(Environment { fingerprint: Some("AB".to_owned()), ..token("deploy@pve!ci=s") });
        assert!(pin.chain().contains("`PLIMSOLL_PVE_FINGERPRINT` is wrong"), "{}", pin.chain());
    }

    #[test]
    fn the_environment_s_fingerprint_goes_before_that_of_the_file() {
        let file = Proxmox { fingerprint: Some("no fingerprint".to_owned()), ..proxmox() };
        let environment = Environment { fingerprint: Some(PIN.to_owned()), ..token("deploy@pve!ci=s") };
        assert!(Node::with(&file, environment).is_ok());
        assert!(Node::with(&file, token("deploy@pve!ci=s")).is_err());
    }

    #[test]
    fn a_refusal_names_the_privilege_that_helps() {
        let denied = Denied { path: Some("/vms/100".to_owned()), any_of: vec!["VM.Audit".to_owned()] };
        assert_eq!(advice(&Kind::Denied(denied)).as_deref(), Some("the token lacks VM.Audit on `/vms/100`"));
        assert!(advice(&Kind::Unauthenticated).is_some_and(|text| text.contains(TOKEN)));
        assert_eq!(advice(&Kind::Other), None);
    }
}
