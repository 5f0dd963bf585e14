//! An image on its way: what the engine's archive of it holds or what it pushed, without what the guest has, some of it as
//! differences.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt as _, DuplexStream};
use tokio_util::io::SyncIoBridge;

use crate::delta::{LIMIT, Parts, Wanted};
use crate::digest::Hasher;
use crate::error::DeployError;
use crate::local::{Engine, failed};
use crate::push::Pushed;

/// How it is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Zstd,
    Gzip,
}

impl Codec {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }
}

/// In which form it goes.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// Only what the guest lacks, which it puts together itself.
    Parts(Parts),
    /// The engine's archive, for the guest's engine to read as it arrives.
    Archive {
        /// Entries that the guest needs not.
        left_out: BTreeSet<String>,
    },
}

impl Form {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Parts(_) => "parts",
            Self::Archive { .. } => "archive",
        }
    }
}

/// Where its bytes come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// This engine's archive of the whole image.
    Archive(Engine),
    /// What the engine pushed of it.
    Pushed(Arc<Pushed>),
}

/// How far the packing has come.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    /// Bytes that are done, before they are packed.
    pub(crate) done: Arc<AtomicU64>,
    /// Bytes in all.
    pub(crate) total: u64,
}

/// Counts what goes through it.
struct Counted<T> {
    inner: T,
    count: Arc<AtomicU64>,
}

impl<T: io::Read> io::Read for Counted<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl<T: io::Write> io::Write for Counted<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// What is sent of an image: the same pack gives the same bytes every time.
#[derive(Clone, Debug)]
pub(crate) struct Pack {
    /// The image.
    pub(crate) name: String,
    /// The digest of its configuration.
    pub(crate) id: String,
    pub(crate) form: Form,
    pub(crate) codec: Codec,
    pub(crate) source: Source,
    /// Bytes of the whole image, as the engine here counts them.
    pub(crate) size: u64,
    /// Bytes of it that were read or packed.
    pub(crate) done: Arc<AtomicU64>,
}

/// What a guest has of a pack already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) length: u64,
    pub(crate) sha256: String,
}

impl Pack {
    /// A name that only the same bytes have.
    pub(crate) fn key(&self) -> String {
        let mut hasher = Hasher::default();
        hasher.text(&self.id);
        hasher.text(self.codec.word());
        match &self.form {
            Form::Archive { left_out } => left_out.iter().for_each(|entry| hasher.text(entry)),
            Form::Parts(parts) => {
                for (digest, wanted) in &parts.wanted {
                    hasher.text(digest);
                    hasher.text(wanted.former.as_deref().unwrap_or_default());
                }
            }
        }
        let mut key = hasher.finish();
        key.truncate(16);
        key
    }

    /// How far it is packed, by what is read of it.
    pub(crate) fn meter(&self) -> Meter {
        let total = match (&self.source, &self.form) {
            (Source::Pushed(pushed), Form::Parts(parts)) => {
                parts.wanted.keys().map(|digest| pushed.size(digest)).sum()
            }
            _ => self.size,
        };
        Meter { done: Arc::clone(&self.done), total }
    }

    /// Its bytes after those that the guest has; and how many those are, 0 where they are not its beginning.
    pub(crate) async fn after(&self, part: Option<&Part>) -> Result<(DuplexStream, u64), DeployError> {
        if let Some(part) = part {
            let mut stream = self.open()?;
            if begins(&mut stream, part).await {
                return Ok((stream, part.length));
            }
        }
        Ok((self.open()?, 0))
    }

    /// All its bytes.
    fn open(&self) -> Result<DuplexStream, DeployError> {
        self.done.store(0, Ordering::Relaxed);
        let (reader, writer) = tokio::io::duplex(1 << 20);
        let (writer, pack) = (SyncIoBridge::new(writer), self.clone());
        // What ends early is noticed by the guest, which knows the layers that it must have.
        let Source::Archive(engine) = self.source else {
            drop(tokio::task::spawn_blocking(move || pack.write(io::empty(), writer)));
            return Ok(reader);
        };
        let mut child = engine
            .save(&self.name)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| failed("docker", &error.to_string()))?;
        let Some(stdout) = child.stdout.take() else { return Err(failed("docker", "it gives nothing")) };
        let stdout = SyncIoBridge::new(stdout);
        drop(tokio::task::spawn_blocking(move || pack.write(stdout, writer)));
        tokio::spawn(async move { child.wait().await });
        Ok(reader)
    }

    fn write(&self, from: impl io::Read, to: impl io::Write) -> io::Result<()> {
        match self.codec {
            Codec::Zstd => {
                let mut encoder = zstd::Encoder::new(to, 3)?;
                encoder.include_checksum(true)?;
                io::Write::flush(&mut self.filter(from, encoder)?.finish()?)
            }
            Codec::Gzip => {
                let encoder = GzEncoder::new(to, Compression::default());
                io::Write::flush(&mut self.filter(from, encoder)?.finish()?)
            }
        }
    }

    /// Writes what is sent out of what the engine pushed, or out of its archive.
    fn filter<W: io::Write>(&self, from: impl io::Read, to: W) -> io::Result<W> {
        if let (Source::Pushed(pushed), Form::Parts(parts)) = (&self.source, &self.form) {
            let mut sent = tar::Builder::new(Counted { inner: to, count: Arc::clone(&self.done) });
            let mut done = 0;
            for (digest, wanted) in &parts.wanted {
                let bytes = pushed.get(digest)?;
                done += bytes.len() as u64;
                let mut header = tar::Header::new_gnu();
                header.set_mode(0o600);
                header.set_size(bytes.len() as u64);
                part(&mut sent, &mut header, (parts, digest, wanted), &mut bytes.as_slice())?;
                // A difference is shorter than what it stands for.
                self.done.fetch_max(done, Ordering::Relaxed);
            }
            return Ok(sent.into_inner()?.inner);
        }
        let mut archive = tar::Archive::new(Counted { inner: from, count: Arc::clone(&self.done) });
        let mut sent = tar::Builder::new(to);
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = entry.path()?.to_string_lossy().into_owned();
            let place = place(&path);
            let mut header = entry.header().clone();
            // Times of this machine are no part of an image.
            header.set_mtime(0);
            match &self.form {
                Form::Parts(parts) => {
                    let wanted = place.strip_prefix("blobs/sha256/").unwrap_or_default();
                    if let Some((digest, wanted)) = parts.wanted.get_key_value(wanted) {
                        part(&mut sent, &mut header, (parts, digest, wanted), &mut entry)?;
                    }
                }
                Form::Archive { left_out } if left_out.contains(place.as_ref()) => {}
                Form::Archive { .. } => match entry.link_name()? {
                    Some(link) => sent.append_link(&mut header, &path, link)?,
                    None => sent.append_data(&mut header, &path, &mut entry)?,
                },
            }
        }
        sent.into_inner()
    }
}

/// Writes one part: as a difference where that is worth it.
fn part<W: io::Write>(
    sent: &mut tar::Builder<W>,
    header: &mut tar::Header,
    (parts, digest, wanted): (&Parts, &str, &Wanted),
    entry: &mut impl io::Read,
) -> io::Result<()> {
    if header.size()? > LIMIT {
        return sent.append_data(header, &wanted.name, entry);
    }
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes)?;
    // Where an image is called by the digest of its manifest, this is no configuration, and the guest does without.
    if wanted.name == CONFIGURATION && !is_configuration(&bytes) {
        return Ok(());
    }
    match parts.difference(wanted, &bytes) {
        Some((name, patch)) => {
            header.set_size(patch.len() as u64);
            sent.append_data(header, name, patch.as_slice())?;
        }
        None => sent.append_data(header, &wanted.name, bytes.as_slice())?,
    }
    // What is made of nothing is of no use to what follows.
    if wanted.name != "0" {
        parts.keep(digest, bytes);
    }
    Ok(())
}

/// The name of an image's configuration on its way.
pub(crate) const CONFIGURATION: &str = "c";

fn is_configuration(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(bytes).is_ok_and(|text| text.get("rootfs").is_some())
}

/// Whether a stream begins with this, which is read.
async fn begins(stream: &mut DuplexStream, part: &Part) -> bool {
    let (mut hasher, mut left) = (Hasher::default(), part.length);
    let mut buffer = vec![0; 64 << 10];
    while left > 0 {
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(room) = buffer.get_mut(..room) else { return false };
        match stream.read(room).await {
            Ok(count @ 1..) => {
                hasher.add(room.get(..count).unwrap_or_default());
                left = left.saturating_sub(count as u64);
            }
            _ => return false,
        }
    }
    hasher.finish() == part.sha256
}

/// Where an archive has a layer.
pub(crate) fn blob(layer: &str) -> Option<String> {
    Some(format!("blobs/sha256/{}", layer.strip_prefix("sha256:")?))
}

/// Where Docker's archive has what Podman's has as `DIGEST.tar` and `DIGEST.json`. The list of what is what stands at the end
/// of both, too late for a stream.
fn place(path: &str) -> Cow<'_, str> {
    let stem = path.strip_suffix(".tar").or_else(|| path.strip_suffix(".json"));
    let is_digest = |stem: &&str| stem.len() == 64 && stem.bytes().all(|byte| byte.is_ascii_hexdigit());
    match stem.filter(is_digest) {
        Some(digest) => Cow::Owned(format!("blobs/sha256/{digest}")),
        None => Cow::Borrowed(path),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::delta::Library;
    use crate::digest;

    fn archive() -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, text) in [("blobs/sha256/a", "old"), ("blobs/sha256/b", "new"), ("manifest.json", "{}")] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        archive.into_inner().unwrap()
    }

    fn pack(codec: Codec) -> Pack {
        let left_out = BTreeSet::from(["blobs/sha256/a".to_owned()]);
        Pack {
            name: "x".to_owned(),
            id: "sha256:b".to_owned(),
            form: Form::Archive { left_out },
            codec,
            source: Source::Archive(Engine::Docker),
            size: 6,
            done: Arc::default(),
        }
    }

    fn names_of(plain: &[u8]) -> Vec<String> {
        let mut archive = tar::Archive::new(plain);
        let entries = archive.entries().unwrap();
        entries.map(|entry| entry.unwrap().path().unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn what_podman_calls_by_its_digest_stands_where_docker_has_it() {
        let digest = "c0ffee".repeat(10) + "beef";
        assert_eq!(place(&format!("{digest}.tar")), format!("blobs/sha256/{digest}"));
        assert_eq!(place(&format!("{digest}.json")), format!("blobs/sha256/{digest}"));
        for other in ["manifest.json", "blobs/sha256/a", "a/layer.tar", ".tar", ""] {
            assert_eq!(place(other), other);
        }
    }

    #[test]
    fn parts_go_by_their_place_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = Wanted { name: "1".to_owned(), former: None };
        let parts = Parts::new(Library(folder.path().to_owned()), [("b".to_owned(), wanted)].into());
        let pack = Pack { form: Form::Parts(parts), ..pack(Codec::Zstd) };
        let mut sent = Vec::new();
        pack.write(archive().as_slice(), &mut sent).unwrap();
        assert_eq!(names_of(&zstd::decode_all(sent.as_slice()).unwrap()), ["1"]);
        assert!(folder.path().join("b").exists(), "it is kept");
    }

    #[test]
    fn a_manifest_is_not_taken_for_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = Wanted { name: CONFIGURATION.to_owned(), former: None };
        let parts = Parts::new(Library(folder.path().to_owned()), [("b".to_owned(), wanted)].into());
        let pack = Pack { form: Form::Parts(parts), ..pack(Codec::Zstd) };
        let sent = |text: &str| {
            let mut archive = tar::Builder::new(Vec::new());
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            archive.append_data(&mut header, "blobs/sha256/b", text.as_bytes()).unwrap();
            let mut sent = Vec::new();
            pack.write(archive.into_inner().unwrap().as_slice(), &mut sent).unwrap();
            names_of(&zstd::decode_all(sent.as_slice()).unwrap())
        };
        assert_eq!(sent(r#"{"rootfs": {"diff_ids": []}}"#), ["c"]);
        assert!(sent(r#"{"config": {}, "layers": []}"#).is_empty());
    }

    #[test]
    fn what_was_pushed_goes_as_the_archive_would() {
        let folder = tempfile::tempdir().unwrap();
        let (pushed, names) = crate::push::tests::image([b"one", b"two"]);
        let digits = |digest: &str| digest.replace("sha256:", "");
        let wanted = |name: &str| Wanted { name: name.to_owned(), former: None };
        let wanted = [(digits(&pushed.id), wanted("c")), (digits(&names[1]), wanted("1"))].into();
        let parts = Parts::new(Library(folder.path().to_owned()), wanted);
        let (form, source) = (Form::Parts(parts), Source::Pushed(Arc::new(pushed)));
        let mut sent = Vec::new();
        Pack { form, source, ..pack(Codec::Zstd) }.write(io::empty(), &mut sent).unwrap();
        let mut sent = names_of(&zstd::decode_all(sent.as_slice()).unwrap());
        sent.sort();
        assert_eq!(sent, ["1", "c"]);
        assert!(folder.path().join(digits(&names[1])).exists(), "it is kept");
    }

    #[test]
    fn what_is_left_out_is_not_sent_and_the_rest_is_whole() {
        for codec in [Codec::Zstd, Codec::Gzip] {
            let (mut sent, mut plain) = (Vec::new(), Vec::new());
            pack(codec).write(archive().as_slice(), &mut sent).unwrap();
            match codec {
                Codec::Zstd => plain = zstd::decode_all(sent.as_slice()).unwrap(),
                Codec::Gzip => {
                    flate2::read::GzDecoder::new(sent.as_slice()).read_to_end(&mut plain).unwrap();
                }
            }
            assert_eq!(names_of(&plain), ["blobs/sha256/b", "manifest.json"]);
        }
    }

    #[tokio::test]
    async fn what_has_arrived_counts_only_where_it_is_the_beginning() {
        let mut sent = Vec::new();
        pack(Codec::Zstd).write(archive().as_slice(), &mut sent).unwrap();
        let head = &sent[..20];
        let begins = async |part: Part| {
            let (mut reader, mut writer) = tokio::io::duplex(1 << 16);
            tokio::io::AsyncWriteExt::write_all(&mut writer, &sent).await.unwrap();
            drop(writer);
            let begins = begins(&mut reader, &part).await;
            let mut rest = Vec::new();
            reader.read_to_end(&mut rest).await.unwrap();
            (begins, rest)
        };
        let part = Part { length: 20, sha256: digest::of(head) };
        assert_eq!(begins(part.clone()).await, (true, sent[20..].to_vec()));
        assert!(!begins(Part { length: 21, ..part.clone() }).await.0);
        assert!(!begins(Part { length: 1 << 20, ..part }).await.0);
    }

    #[test]
    fn another_way_to_send_has_another_name() {
        let one = pack(Codec::Zstd);
        let more = BTreeSet::from(["blobs/sha256/a".to_owned(), "blobs/sha256/b".to_owned()]);
        let keys = [
            pack(Codec::Gzip).key(),
            Pack { form: Form::Archive { left_out: more }, ..one.clone() }.key(),
            one.key(),
        ];
        assert_eq!(BTreeSet::from(keys).len(), 3);
        assert_eq!(one.key(), pack(Codec::Zstd).key());
    }
}
