//! A registry on the loopback interface for one push: it takes what it is given and gives nothing out.
//!
//! What it answers is what a push asks of it by the OCI distribution specification 1.1, "Pushing Blobs" and "Pushing
//! Manifests".

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, HeaderName, HeaderValue, LOCATION, RANGE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

use crate::digest::Hasher;

/// Of several pushes at a time each has one of these: an engine remembers names, so there are not to be many.
const PORTS: RangeInclusive<u16> = 47_116..=47_119;

/// Blobs of this size and less are kept whatever they are: manifests' configurations are among them.
const SMALL: u64 = 1 << 20;

const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// What came of a push.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Bytes of blobs by digest.
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
    /// Texts of manifests and of indexes over them.
    pub(crate) manifests: Vec<Vec<u8>>,
}

/// What a push may bring.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    /// Digests of blobs that need not come.
    pub(crate) known: BTreeSet<String>,
    /// Bytes of blobs that are kept, all together; nothing where all may come and only what is small is kept.
    pub(crate) room: Option<u64>,
}

#[derive(Default)]
struct Inner {
    terms: Terms,
    uploads: BTreeMap<u64, Upload>,
    next: u64,
    kept: u64,
    /// Lengths of blobs that came, kept or not.
    came: BTreeMap<String, u64>,
    taken: Taken,
}

#[derive(Default)]
struct Upload {
    bytes: Vec<u8>,
    length: u64,
    hasher: Hasher,
}

/// A registry that listens until it is dropped.
pub(crate) struct Registry {
    /// Where an engine of this machine finds it.
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    inner: Mutex<Inner>,
    full: Notify,
}

impl Shared {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    /// Begins to listen; refused while too many pushes are under way.
    pub(crate) async fn open(terms: Terms) -> io::Result<Self> {
        let mut taken = io::ErrorKind::AddrInUse.into();
        for port in PORTS {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
                Ok(listener) => return Self::open_at(listener, terms),
                Err(error) => taken = error,
            }
        }
        Err(taken)
    }

    fn open_at(listener: TcpListener, terms: Terms) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let shared =
            Arc::new(Shared { inner: Mutex::new(Inner { terms, ..Inner::default() }), ..Shared::default() });
        let task = tokio::spawn(listen(listener, shared.clone()));
        Ok(Self { address, shared, task })
    }

    /// Waits until more came than there is room for.
    pub(crate) async fn full(&self) {
        self.shared.full.notified().await;
    }

    /// What came.
    pub(crate) fn taken(&self) -> Taken {
        std::mem::take(&mut self.shared.inner().taken)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(serve(stream, shared.clone()));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// An engine tries TLS first, which ends the connection.
async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(|request| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(answer(request, &shared).await) }
    });
    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}

type Answer = Response<Empty<Bytes>>;

fn status(status: StatusCode) -> Answer {
    let mut answer = Response::new(Empty::new());
    *answer.status_mut() = status;
    answer
}

fn with(mut answer: Answer, headers: &[(HeaderName, &str)]) -> Answer {
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// What a path below `/v2/` speaks of.
enum Target<'a> {
    Base,
    Blob(&'a str),
    Uploads,
    Upload(u64),
    Manifest,
}

impl<'a> Target<'a> {
    fn of(path: &'a str) -> Option<Self> {
        let rest = path.strip_prefix("/v2/")?;
        if rest.is_empty() {
            return Some(Self::Base);
        }
        if let Some((_, upload)) = rest.split_once("/blobs/uploads/") {
            return if upload.is_empty() {
                Some(Self::Uploads)
            } else {
                Some(Self::Upload(upload.parse().ok()?))
            };
        }
        if let Some((_, digest)) = rest.split_once("/blobs/") {
            return Some(Self::Blob(digest));
        }
        rest.contains("/manifests/").then_some(Self::Manifest)
    }
}

async fn answer(request: Request<Incoming>, shared: &Shared) -> Answer {
    let (head, mut body) = request.into_parts();
    let path = head.uri.path();
    let Some(target) = Target::of(path) else { return status(StatusCode::NOT_FOUND) };
    match (head.method, target) {
        (Method::GET, Target::Base) => status(StatusCode::OK),
        (Method::HEAD, Target::Blob(digest)) => {
            let inner = shared.inner();
            // An engine wants to be told a length, and does nothing with that of what was there before.
            let length =
                inner.came.get(digest).copied().or_else(|| inner.terms.known.contains(digest).then_some(0));
            match length {
                Some(length) => {
                    with(status(StatusCode::OK), &[(DIGEST, digest), (CONTENT_LENGTH, &length.to_string())])
                }
                None => status(StatusCode::NOT_FOUND),
            }
        }
        (Method::POST, Target::Uploads) => {
            let mut inner = shared.inner();
            let asked = parameter(head.uri.query(), "mount");
            if let Some(digest) = asked.filter(|digest| inner.terms.known.contains(digest)) {
                let place = path.replace("uploads/", &digest);
                return with(status(StatusCode::CREATED), &[(LOCATION, &place), (DIGEST, &digest)]);
            }
            inner.next += 1;
            let number = inner.next;
            inner.uploads.insert(number, Upload::default());
            with(status(StatusCode::ACCEPTED), &[(LOCATION, &format!("{path}{number}")), (RANGE, "0-0")])
        }
        (Method::PATCH, Target::Upload(number)) => {
            let length = match shared.receive(number, &mut body).await {
                Ok(length) => length,
                Err(refusal) => return status(refusal),
            };
            let range = format!("0-{}", length.saturating_sub(1));
            with(status(StatusCode::ACCEPTED), &[(LOCATION, path), (RANGE, &range)])
        }
        (Method::PUT, Target::Upload(number)) => {
            if let Err(refusal) = shared.receive(number, &mut body).await {
                return status(refusal);
            }
            let Some(digest) = parameter(head.uri.query(), "digest") else {
                return status(StatusCode::BAD_REQUEST);
            };
            match shared.end(number, &digest) {
                true => with(status(StatusCode::CREATED), &[(LOCATION, path), (DIGEST, &digest)]),
                false => status(StatusCode::BAD_REQUEST),
            }
        }
        (Method::DELETE, Target::Upload(number)) => {
            shared.inner().uploads.remove(&number);
            status(StatusCode::NO_CONTENT)
        }
        (Method::PUT, Target::Manifest) => {
            let Ok(bytes) = http_body_util::Limited::new(body, 4 << 20).collect().await else {
                return status(StatusCode::PAYLOAD_TOO_LARGE);
            };
            let bytes = bytes.to_bytes().to_vec();
            let digest = format!("sha256:{}", crate::digest::of(&bytes));
            shared.inner().taken.manifests.push(bytes);
            with(status(StatusCode::CREATED), &[(LOCATION, path), (DIGEST, &digest)])
        }
        _ => status(StatusCode::NOT_FOUND),
    }
}

impl Shared {
    /// Takes in what comes of an upload; how long it is by now.
    async fn receive(&self, number: u64, body: &mut Incoming) -> Result<u64, StatusCode> {
        let upload = self.inner().uploads.remove(&number);
        let Some(mut upload) = upload else { return Err(StatusCode::NOT_FOUND) };
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return Err(StatusCode::BAD_REQUEST) };
            let Some(data) = frame.data_ref() else { continue };
            let length = data.len() as u64;
            upload.length += length;
            upload.hasher.add(data);
            let mut inner = self.inner();
            match inner.terms.room {
                Some(room) => {
                    inner.kept += length;
                    if inner.kept > room {
                        self.full.notify_one();
                        return Err(StatusCode::PAYLOAD_TOO_LARGE);
                    }
                    upload.bytes.extend_from_slice(data);
                }
                None if upload.length <= SMALL => upload.bytes.extend_from_slice(data),
                None => upload.bytes = Vec::new(),
            }
        }
        let length = upload.length;
        self.inner().uploads.insert(number, upload);
        Ok(length)
    }

    /// Ends an upload; whether it is what its digest says.
    fn end(&self, number: u64, digest: &str) -> bool {
        let mut inner = self.inner();
        let Some(upload) = inner.uploads.remove(&number) else { return false };
        if digest.strip_prefix("sha256:") != Some(&upload.hasher.finish()) {
            return false;
        }
        inner.came.insert(digest.to_owned(), upload.length);
        if upload.bytes.len() as u64 == upload.length {
            inner.taken.blobs.insert(digest.to_owned(), upload.bytes);
        }
        true
    }
}

/// A parameter of a query; those that matter hold nothing but a digest.
fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    Some(value.replace("%3A", ":").replace("%3a", ":"))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::digest;

    async fn registry(known: &[&str], room: Option<u64>) -> (Registry, SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let known = known.iter().map(|digest| (*digest).to_owned()).collect();
        let registry = Registry::open_at(listener, Terms { known, room }).unwrap();
        let address = registry.address;
        (registry, address)
    }

    /// Status and headers of an answer.
    async fn ask(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text.to_lowercase()
    }

    #[tokio::test]
    async fn a_blob_comes_in_pieces_and_only_as_what_it_is() {
        let (registry, address) = registry(&["sha256:aa"], Some(1000)).await;
        assert!(ask(address, "GET", "/v2/", b"").await.starts_with("http/1.1 200"));
        assert!(ask(address, "HEAD", "/v2/x/blobs/sha256:aa", b"").await.starts_with("http/1.1 200"));
        assert!(ask(address, "HEAD", "/v2/x/blobs/sha256:bb", b"").await.starts_with("http/1.1 404"));
        assert!(ask(address, "GET", "/v2/x/blobs/sha256:aa", b"").await.starts_with("http/1.1 404"));
        let begun = ask(address, "POST", "/v2/x/blobs/uploads/", b"").await;
        assert!(begun.contains("location: /v2/x/blobs/uploads/1\r\n"), "{begun}");
        let part = ask(address, "PATCH", "/v2/x/blobs/uploads/1", b"one ").await;
        assert!(part.contains("range: 0-3\r\n"), "{part}");
        let digest = format!("sha256:{}", digest::of(b"one two"));
        let end = format!("/v2/x/blobs/uploads/1?digest={}", digest.replace(':', "%3A"));
        assert!(ask(address, "PUT", &end, b"two").await.starts_with("http/1.1 201"));
        ask(address, "POST", "/v2/x/blobs/uploads/", b"").await;
        let other = "/v2/x/blobs/uploads/2?digest=sha256:00";
        assert!(ask(address, "PUT", other, b"two").await.starts_with("http/1.1 400"));
        assert!(ask(address, "PUT", "/v2/x/manifests/1", b"{}").await.starts_with("http/1.1 201"));
        let taken = registry.taken();
        assert_eq!(taken.blobs, BTreeMap::from([(digest, b"one two".to_vec())]));
        assert_eq!(taken.manifests, [b"{}"]);
    }

    #[tokio::test]
    async fn what_is_known_is_mounted() {
        let (_registry, address) = registry(&["sha256:aa"], None).await;
        let mounted = ask(address, "POST", "/v2/x/blobs/uploads/?mount=sha256%3Aaa&from=y", b"").await;
        assert!(mounted.starts_with("http/1.1 201"), "{mounted}");
        let unknown = ask(address, "POST", "/v2/x/blobs/uploads/?from=y&mount=sha256:bb", b"").await;
        assert!(unknown.starts_with("http/1.1 202"), "{unknown}");
    }

    #[tokio::test]
    async fn more_than_there_is_room_for_ends_the_push() {
        let (registry, address) = registry(&[], Some(10)).await;
        ask(address, "POST", "/v2/x/blobs/uploads/", b"").await;
        let said = ask(address, "PATCH", "/v2/x/blobs/uploads/1", b"more than ten bytes").await;
        assert!(said.starts_with("http/1.1 413"), "{said}");
        registry.full().await;
    }

    #[tokio::test]
    async fn where_all_may_come_only_what_is_small_is_kept() {
        let (registry, address) = registry(&[], None).await;
        for (number, bytes) in [(1, vec![7; 3 << 20]), (2, b"small".to_vec())] {
            ask(address, "POST", "/v2/x/blobs/uploads/", b"").await;
            let end = format!("/v2/x/blobs/uploads/{number}?digest=sha256:{}", digest::of(&bytes));
            let said = ask(address, "PUT", &end, &bytes).await;
            assert!(said.starts_with("http/1.1 201"), "{said}");
            let there =
                ask(address, "HEAD", &format!("/v2/x/blobs/sha256:{}", digest::of(&bytes)), b"").await;
            assert!(there.contains(&format!("content-length: {}\r\n", bytes.len())), "{there}");
        }
        let blobs: Vec<Vec<u8>> = registry.taken().blobs.into_values().collect();
        assert_eq!(blobs, [b"small".to_vec()]);
    }

    #[tokio::test]
    async fn what_is_no_push_is_refused_and_breaks_nothing() {
        let (_registry, address) = registry(&[], Some(10)).await;
        for (method, path) in [
            ("GET", "/"),
            ("PUT", "/v2/x/blobs/uploads/9"),
            ("PATCH", "/v2/x/blobs/uploads/y"),
            ("DELETE", "/v2/x/manifests/1"),
            ("POST", "/v2//"),
        ] {
            let said = ask(address, method, path, b"").await;
            assert!(said.starts_with("http/1.1 404"), "{method} {path}: {said}");
        }
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]).await.unwrap();
        let mut bytes = Vec::new();
        drop(stream.read_to_end(&mut bytes).await);
        assert!(ask(address, "GET", "/v2/", b"").await.starts_with("http/1.1 200"));
    }
}
