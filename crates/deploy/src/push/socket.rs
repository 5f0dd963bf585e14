//! Docker Engine by its API, where it listens on a socket of this machine's file system.

use std::path::PathBuf;
use std::process::Stdio;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::UnixStream;

use crate::local::Engine;

/// A Docker engine's socket.
#[derive(Clone, Debug)]
pub(crate) struct Socket(PathBuf);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Made {
    #[serde(default)]
    size: u64,
}

/// What the stream of a push says when it fails, by the Docker Engine API, `ImagePush`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Progress {
    error: Option<String>,
}

impl Socket {
    /// The one that `docker` speaks to, by its variables and contexts; nothing where that is elsewhere.
    pub(crate) async fn here() -> Option<Self> {
        let mut command =
            Engine::Docker.command(&["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]);
        let output = command.stderr(Stdio::null()).output().await.ok()?;
        let host = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        host.strip_prefix("unix://").map(|path| Self(path.into()))
    }

    /// Asks for something; the answer's text where it is one of success.
    async fn ask(&self, method: Method, path: &str) -> Option<Vec<u8>> {
        let stream = UnixStream::connect(&self.0).await.ok()?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        let connection = tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "docker")
            // No credentials, in base64: the registry asks for none.
            .header("x-registry-auth", "e30=")
            .body(Empty::<Bytes>::new())
            .ok()?;
        let answer = sender.send_request(request).await;
        let text = match answer {
            Ok(answer) if answer.status().is_success() => answer.into_body().collect().await.ok(),
            _ => None,
        };
        connection.abort();
        Some(text?.to_bytes().to_vec())
    }

    /// Bytes that each step of an image's making added, the last one first.
    pub(crate) async fn history(&self, image: &str) -> Option<Vec<u64>> {
        let text = self.ask(Method::GET, &format!("/images/{image}/history")).await?;
        let made: Vec<Made> = serde_json::from_slice(&text).ok()?;
        Some(made.into_iter().map(|made| made.size).collect())
    }

    /// Gives an image one more name.
    pub(crate) async fn tag(&self, image: &str, (repository, tag): (&str, &str)) -> Option<()> {
        let path = format!("/images/{image}/tag?repo={repository}&tag={tag}");
        self.ask(Method::POST, &path).await.map(drop)
    }

    /// Pushes an image to the registry of its name.
    pub(crate) async fn push(&self, (repository, tag): (&str, &str)) -> Option<()> {
        let text = self.ask(Method::POST, &format!("/images/{repository}/push?tag={tag}")).await?;
        let mut said = serde_json::Deserializer::from_slice(&text).into_iter::<Progress>();
        said.all(|said| said.is_ok_and(|said| said.error.is_none())).then_some(())
    }

    /// Takes a name of an image away.
    pub(crate) async fn untag(&self, (repository, tag): (&str, &str)) {
        drop(self.ask(Method::DELETE, &format!("/images/{repository}:{tag}?noprune=true")).await);
    }
}
