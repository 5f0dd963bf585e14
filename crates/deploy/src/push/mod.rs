//! Layers out of the engine here without its archive of the whole image: it pushes to a registry that is there for that moment.
//!
//! An engine with a store of its own packs what it pushes, remembers the digest of the result, and asks for that the next
//! time. The first push of a layer is therefore made when nobody waits for it, by a [`Lesson`], and [`push`] is for images of
//! which only the layers to be sent are new. An engine with containerd's store has layers packed, and its archive is of no
//! use for sending some of them.

mod known;
mod registry;
mod socket;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) use self::known::Known;
use self::registry::{Registry, Taken, Terms};
use self::socket::Socket;
use crate::digest;
use crate::local::{Engine, Inspected, find};

/// Bytes of layers, as they are pushed, that are held in memory.
const ROOM: u64 = 256 << 20;

/// The tag of what is pushed; what a push that was killed left of it, the next one takes away.
const TAG: &str = "push";

/// Compressing and pushing layers is as fast as an archive of this many times their size.
const ARCHIVED_MEANWHILE: u64 = 4;

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
}

/// An image manifest, by the OCI image specification 1.1 and Docker's schema 2 alike.
#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Config {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<String>,
}

/// What was pushed of an image.
#[derive(Debug)]
pub(crate) struct Pushed {
    /// The digest of its configuration.
    pub(crate) id: String,
    /// The configuration and the layers that came, compressed or not, by the digits of the digest that each has when it is not.
    blobs: BTreeMap<String, Vec<u8>>,
}

impl Pushed {
    /// Takes an image with these layers out of what came.
    fn of(mut taken: Taken, layers: &[String]) -> Option<(Self, Vec<(String, String)>)> {
        let manifests =
            taken.manifests.iter().filter_map(|text| serde_json::from_slice::<Manifest>(text).ok());
        // One image of an index, or the only one; what attests to it has other layers.
        let manifest = manifests.into_iter().find(|manifest| {
            let config = taken.blobs.get(&manifest.config.digest);
            let config = config.and_then(|text| serde_json::from_slice::<Config>(text).ok());
            config.is_some_and(|config| config.rootfs.diff_ids == layers)
                && manifest.layers.len() == layers.len()
        })?;
        let pushed = manifest.layers.into_iter().map(|layer| layer.digest);
        let pairs: Vec<(String, String)> = layers.iter().cloned().zip(pushed).collect();
        let id = manifest.config.digest;
        let mut blobs: BTreeMap<String, Vec<u8>> = pairs
            .iter()
            .filter_map(|(layer, pushed)| Some((digits(layer).to_owned(), taken.blobs.remove(pushed)?)))
            .collect();
        blobs.insert(digits(&id).to_owned(), taken.blobs.remove(&id)?);
        Some((Self { id, blobs }, pairs))
    }

    /// Bytes of what has a digest of these digits; of what is compressed by something else than gzip, those that came. gzip says it at
    /// its end, without what is above 4 GiB (RFC 1952, 2.3.1).
    pub(crate) fn size(&self, digest: &str) -> u64 {
        match self.blobs.get(digest).map(Vec::as_slice).unwrap_or_default() {
            [0x1f, 0x8b, .., a, b, c, d] => u32::from_le_bytes([*a, *b, *c, *d]).into(),
            blob => blob.len() as u64,
        }
    }

    fn has(&self, digest: &str) -> bool {
        self.blobs.contains_key(digits(digest))
    }

    /// The bytes that have a digest of these digits, checked against it.
    pub(crate) fn get(&self, digest: &str) -> io::Result<Vec<u8>> {
        let blob = self.blobs.get(digest).map(Vec::as_slice).unwrap_or_default();
        let bytes = match blob {
            [0x1f, 0x8b, ..] => {
                let mut bytes = Vec::new();
                io::Read::read_to_end(&mut MultiGzDecoder::new(blob), &mut bytes)?;
                bytes
            }
            [0x28, 0xb5, 0x2f, 0xfd, ..] => zstd::decode_all(blob)?,
            _ => blob.to_vec(),
        };
        if digest == digest::of(&bytes) {
            Ok(bytes)
        } else {
            let reason = format!("what was pushed as {digest} is something else");
            Err(io::Error::new(io::ErrorKind::InvalidData, reason))
        }
    }
}

fn digits(digest: &str) -> &str {
    digest.strip_prefix("sha256:").unwrap_or(digest)
}

/// Lets the engine push an image; what came of it, unless that is given up.
async fn pushed(
    socket: &Socket,
    image: &str,
    terms: Terms,
    given_up: impl Future<Output = ()>,
) -> Option<Taken> {
    let registry = Registry::open(terms).await.ok()?;
    let repository = format!("{}/plimsoll", registry.address);
    let name = (repository.as_str(), TAG);
    socket.tag(image, name).await?;
    let done = tokio::select! {
        done = socket.push(name) => done,
        () = registry.full() => None,
        () = given_up => None,
    };
    socket.untag(name).await;
    done.map(|()| registry.taken())
}

/// What the guest lacks of an image, the configuration among it, where a push is faster than an archive.
///
/// `known` layers from the bottom are there.
pub(crate) async fn push(book: &Known, name: &str, image: &Inspected, known: usize) -> Option<Pushed> {
    if image.engine != Engine::Docker {
        return None;
    }
    let layers = &image.root_fs.layers;
    let (there, lacking) = layers.split_at_checked(known)?;
    let read = book.read();
    let packs = !image.is_packed();
    if packs && (known == 0 || !there.iter().all(|layer| read.contains_key(layer))) {
        return None;
    }
    let socket = Socket::here().await?;
    let added =
        socket.history(name).await?.into_iter().filter(|size| *size > 0).take(lacking.len()).sum::<u64>();
    if packs && added.saturating_mul(ARCHIVED_MEANWHILE) > image.size {
        return None;
    }
    // What does not compress becomes a little longer.
    let room = if packs { added + added / 8 + (2 << 20) } else { ROOM };
    let terms = Terms { known: not_needed((there, lacking), &read), room: Some(room.min(ROOM)) };
    // Ten times as long as it should take.
    let limit = Duration::from_secs(5) + Duration::from_millis(added / 2000);
    let taken = pushed(&socket, name, terms, tokio::time::sleep(limit)).await;
    match taken.and_then(|taken| Pushed::of(taken, layers)) {
        Some((pushed, pairs)) if lacking.iter().all(|layer| pushed.has(layer)) => {
            book.add(&pairs);
            Some(pushed)
        }
        _ => {
            book.forget(layers);
            None
        }
    }
}

/// Digests of what was pushed of layers that are there. One that is lacking further up, as empty layers are, has to come.
fn not_needed(
    (there, lacking): (&[String], &[String]),
    read: &BTreeMap<String, BTreeSet<String>>,
) -> BTreeSet<String> {
    let there = there.iter().filter(|layer| !lacking.contains(layer));
    there.filter_map(|layer| read.get(layer)).flatten().cloned().collect()
}

/// Pushes that nobody waits for, of layers that the engine has not pushed yet: what comes is thrown away, and the next release
/// is pushed by what is new in it.
pub(crate) struct Lesson {
    over: CancellationToken,
    task: JoinHandle<()>,
}

impl Lesson {
    /// Begins with these images, one after the other.
    pub(crate) fn begin(book: Known, engine: Option<Engine>, images: Vec<String>) -> Self {
        let over = CancellationToken::new();
        let given_up = over.clone();
        let task = tokio::spawn(async move {
            for image in images {
                teach(&book, (&image, engine), &given_up).await;
            }
        });
        Self { over, task }
    }

    /// Ends them, done or not.
    pub(crate) async fn end(self) {
        self.over.cancel();
        drop(self.task.await);
    }
}

async fn teach(book: &Known, (name, engine): (&str, Option<Engine>), given_up: &CancellationToken) {
    let Ok((Engine::Docker, Some(image))) = find(engine, name).await else { return };
    let (layers, read) = (&image.root_fs.layers, book.read());
    if layers.iter().all(|layer| read.contains_key(layer)) || given_up.is_cancelled() {
        return;
    }
    let Some(socket) = Socket::here().await else { return };
    let known = layers.iter().filter_map(|layer| read.get(layer)).flatten().cloned().collect();
    let taken = pushed(&socket, name, Terms { known, room: None }, given_up.cancelled()).await;
    if let Some((_, pairs)) = taken.and_then(|taken| Pushed::of(taken, layers)) {
        book.add(&pairs);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write as _;

    use super::*;

    fn named(bytes: &[u8]) -> String {
        format!("sha256:{}", digest::of(bytes))
    }

    /// What an engine pushes of an image with these layers, the first of which it need not send; compressed as it would be.
    fn taken(layers: [&[u8]; 2]) -> (Taken, Vec<String>) {
        let layers = layers.map(|bytes| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(bytes).unwrap();
            (named(bytes), encoder.finish().unwrap())
        });
        let names: Vec<String> = layers.iter().map(|(name, _)| name.clone()).collect();
        let config = serde_json::json!({"rootfs": {"diff_ids": names}}).to_string();
        let manifest = |config: &[u8], layers: &[&[u8]]| {
            let layers: Vec<_> =
                layers.iter().map(|blob| serde_json::json!({"digest": named(blob)})).collect();
            let config = serde_json::json!({"digest": named(config)});
            serde_json::json!({"config": config, "layers": layers}).to_string().into_bytes()
        };
        let [(_, first), (_, second)] = &layers;
        let mut taken = Taken::default();
        for blob in [second.as_slice(), config.as_bytes(), b"{}"] {
            taken.blobs.insert(named(blob), blob.to_vec());
        }
        taken.manifests = vec![
            manifest(b"{}", &[b"attestation"]),
            manifest(config.as_bytes(), &[first, second]),
            br#"{"manifests": []}"#.to_vec(),
        ];
        (taken, names)
    }

    /// An image of two layers of which the second was pushed.
    pub(crate) fn image(layers: [&[u8]; 2]) -> (Pushed, Vec<String>) {
        let (taken, names) = taken(layers);
        (Pushed::of(taken, &names).unwrap().0, names)
    }

    #[test]
    fn the_image_is_found_among_what_was_pushed_and_its_layers_are_unpacked() {
        let (pushed, names) = image([b"one", b"two"]);
        assert!(!pushed.has(&names[0]) && pushed.has(&names[1]));
        assert_eq!(pushed.get(digits(&names[1])).unwrap(), b"two");
        let config = pushed.get(digits(&pushed.id)).unwrap();
        assert!(String::from_utf8(config).unwrap().contains(&names[0]));
        assert!(pushed.get(digits(&names[0])).is_err(), "it did not come");
    }

    #[test]
    fn a_layer_that_is_there_and_lacking_further_up_comes() {
        let [base, empty, new] = ["base", "empty", "new"].map(str::to_owned);
        let layer = |name: &String| (name.clone(), BTreeSet::from([format!("packed {name}")]));
        let read = BTreeMap::from([layer(&base), layer(&empty)]);
        let there = [base, empty.clone()];
        let of = |lacking: &[String]| Vec::from_iter(not_needed((&there, lacking), &read));
        assert_eq!(of(std::slice::from_ref(&new)), ["packed base", "packed empty"]);
        assert_eq!(of(&[empty, new]), ["packed base"]);
    }

    #[test]
    fn another_image_or_a_spoilt_layer_is_not_taken_for_it() {
        let (came, names) = taken([b"one", b"two"]);
        let (first, _) = names.split_at(1);
        assert!(Pushed::of(came, first).is_none());
        let (mut came, names) = taken([b"one", b"two"]);
        came.manifests.clear();
        assert!(Pushed::of(came, &names).is_none());
        let (mut came, names) = taken([b"one", b"two"]);
        for blob in came.blobs.values_mut().filter(|blob| blob.starts_with(&[0x1f])) {
            *blob = b"else".to_vec();
        }
        let (pushed, _) = Pushed::of(came, &names).unwrap();
        assert!(pushed.get(digits(&names[1])).is_err());
    }
}
