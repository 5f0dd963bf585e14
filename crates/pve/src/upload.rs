//! Sending files to a storage.

use std::io::Cursor;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use crate::client::decode;
use crate::{Client, Error, Method, Upid, percent_encode};

/// A file for a storage: a template, an image or a disk to import.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The node to send it to.
    pub node: String,
    /// The storage to put it on.
    pub storage: String,
    /// `iso`, `vztmpl` or `import`.
    pub content: String,
    /// Its name on the storage. The node looks at the end of the name.
    pub filename: String,
    /// What the node should find when it reads the file.
    pub checksum: Option<Checksum>,
    /// Where it comes from.
    pub source: UploadSource,
    /// How long the transfer may take.
    pub timeout: Duration,
}

/// A checksum that the node verifies.
#[derive(Clone, Debug)]
pub struct Checksum {
    /// `sha256`, `sha512` …
    pub algorithm: String,
    /// The digest in hexadecimal digits.
    pub digest: String,
}

/// The bytes of an upload.
#[derive(Clone, Debug)]
pub enum UploadSource {
    /// A file, read as it is sent.
    File(PathBuf),
    /// Bytes at hand.
    Bytes(Vec<u8>),
}

const BOUNDARY: &str = "plimsoll-7d1f3b0c5a9e4862";

impl Upload {
    /// The parts before the file. The node reads fields until it meets the file, which must be called `filename`.
    fn head(&self) -> String {
        let mut fields = vec![("content", self.content.as_str())];
        if let Some(checksum) = &self.checksum {
            fields.push(("checksum-algorithm", &checksum.algorithm));
            fields.push(("checksum", &checksum.digest));
        }
        let mut head = String::new();
        for (name, value) in fields {
            head.push_str(&format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            ));
        }
        let name: String = self.filename.chars().filter(|c| !matches!(c, '"' | '\r' | '\n')).collect();
        head.push_str(&format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"filename\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        ));
        head
    }
}

impl Client {
    /// Sends a file. The node answers with a task that checks it and moves it into place.
    pub async fn upload(&self, upload: &Upload) -> Result<Upid, Error> {
        let (head, foot) = (upload.head(), format!("\r\n--{BOUNDARY}--\r\n"));
        let around = (head.len() + foot.len()) as u64;
        let (head, foot) = (Cursor::new(head.into_bytes()), Cursor::new(foot.into_bytes()));
        let (length, body) = match &upload.source {
            UploadSource::Bytes(bytes) => {
                let reader = head.chain(Cursor::new(bytes.clone())).chain(foot);
                (bytes.len() as u64, reqwest::Body::wrap_stream(ReaderStream::new(reader)))
            }
            UploadSource::File(path) => {
                let unreadable =
                    |source: std::io::Error| Error::Setup { what: "the upload", source: source.into() };
                let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
                let length = file.metadata().await.map_err(unreadable)?.len();
                // What the file grows by meanwhile is not sent: the length has been promised.
                let reader = head.chain(file.take(length)).chain(foot);
                (length, reqwest::Body::wrap_stream(ReaderStream::with_capacity(reader, 256 << 10)))
            }
        };
        let path = format!(
            "/nodes/{}/storage/{}/upload",
            percent_encode(&upload.node),
            percent_encode(&upload.storage)
        );
        let builder = self
            .http()
            .post(self.address(&path, ""))
            .timeout(upload.timeout)
            .header(CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"))
            .header(CONTENT_LENGTH, length + around)
            .body(body);
        let builder = self.authorize(Method::Post, builder).await?;
        let data = self.finish(Method::Post, &path, builder).await?;
        decode(Method::Post, &path, data)
    }
}
