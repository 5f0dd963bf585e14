//! Layers as differences from layers that the guest has: what was sent is kept here and there.
//!
//! The difference is a zstd frame with the former layer as its prefix, which `zstd -d --patch-from` on the guest undoes.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::task::JoinHandle;

use crate::digest;

/// Layers above this size go whole: both sides hold both layers in memory.
pub(crate) const LIMIT: u64 = 128 << 20;

/// Bytes of layers that are kept here, all apps together.
const KEPT: u64 = 512 << 20;

/// Layers that were sent, by digest, in a folder of this machine.
#[derive(Clone, Debug)]
pub(crate) struct Library(pub(crate) PathBuf);

impl Library {
    /// What has a digest that begins with this, unless it is not there or not what its name says.
    pub(crate) fn get(&self, beginning: &str) -> Option<Vec<u8>> {
        let names =
            std::fs::read_dir(&self.0).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let name = names.into_iter().find(|name| name.len() == 64 && name.starts_with(beginning))?;
        let bytes = zstd::decode_all(std::fs::File::open(self.0.join(&name)).ok()?).ok()?;
        (digest::of(&bytes) == name).then_some(bytes)
    }

    /// A layer that cannot be kept is sent whole the next time.
    #[expect(clippy::disallowed_methods, reason = "this is the library's own file")]
    pub(crate) fn put(&self, name: &str, layer: &[u8]) {
        let _ = std::fs::create_dir_all(&self.0);
        let fresh = self.0.join(format!("{name}.new"));
        let Ok(bytes) = zstd::encode_all(layer, 1) else { return };
        if std::fs::write(&fresh, bytes).is_ok() {
            let _ = std::fs::rename(&fresh, self.0.join(name));
        }
        self.shrink();
    }

    /// Forgets the oldest layers.
    fn shrink(&self) {
        let Ok(entries) = std::fs::read_dir(&self.0) else { return };
        let mut files: Vec<_> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let metadata = entry.metadata().ok()?;
                Some((metadata.modified().ok()?, entry.path(), metadata.len()))
            })
            .collect();
        files.sort();
        let mut total = 0;
        for (_, path, length) in files.into_iter().rev() {
            total += length;
            if total > KEPT {
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

/// How something goes to the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Its name there.
    pub(crate) name: String,
    /// The beginning of the digest of something that the guest can make it of.
    pub(crate) former: Option<String>,
}

/// What goes to the guest of an image.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    library: Library,
    /// By digest.
    pub(crate) wanted: BTreeMap<String, Wanted>,
    tasks: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Parts {
    pub(crate) fn new(library: Library, wanted: BTreeMap<String, Wanted>) -> Self {
        Self { library, wanted, tasks: Arc::default() }
    }

    /// Keeps something that was sent, which nothing waits for but the end of all.
    pub(crate) fn keep(&self, digest: &str, bytes: Vec<u8>) {
        let (library, digest) = (self.library.clone(), digest.to_owned());
        let keep = move || library.put(&digest, &bytes);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                let task = runtime.spawn_blocking(keep);
                if let Ok(mut tasks) = self.tasks.lock() {
                    tasks.push(task);
                }
            }
            Err(_) => keep(),
        }
    }

    /// Waits until all is kept.
    pub(crate) async fn kept(&self) {
        let tasks = self.tasks.lock().map(|mut tasks| std::mem::take(&mut *tasks)).unwrap_or_default();
        for task in tasks {
            drop(task.await);
        }
    }

    /// The difference from the former, where that is worth it: a name and bytes.
    pub(crate) fn difference(&self, wanted: &Wanted, bytes: &[u8]) -> Option<(String, Vec<u8>)> {
        let former = wanted.former.as_ref()?;
        let patch = patch(&self.library.get(former)?, bytes).ok()?;
        (patch.len() < bytes.len() / 4).then(|| (format!("{}.{former}", wanted.name), patch))
    }
}

/// The difference between two layers.
fn patch(former: &[u8], layer: &[u8]) -> io::Result<Vec<u8>> {
    let longest = former.len().max(layer.len()).max(1);
    let mut encoder = zstd::stream::write::Encoder::with_ref_prefix(Vec::new(), 6, former)?;
    // The window reaches back over the whole former layer, and never further than the guest's zstd takes unasked.
    encoder.window_log((longest.ilog2() + 1).clamp(17, 27))?;
    encoder.long_distance_matching(true)?;
    encoder.include_checksum(true)?;
    encoder.set_pledged_src_size(Some(layer.len() as u64))?;
    encoder.write_all(layer)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that do not compress.
    fn noise(length: usize, seed: u64) -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn one_changed_line_in_a_megabyte_is_a_few_hundred_bytes() {
        let former = noise(1 << 20, 1);
        let mut layer = former.clone();
        layer.splice(500_000..500_010, *b"another line of code");
        let patch = patch(&former, &layer).unwrap();
        assert!(patch.len() < 1000, "{}", patch.len());
    }

    #[test]
    fn a_rebuilt_layer_of_many_files_costs_its_headers_only() {
        let build = |time: u64| {
            let mut archive = tar::Builder::new(Vec::new());
            for file in 0..1200 {
                let bytes = noise(20_000, file);
                let mut header = tar::Header::new_gnu();
                header.set_size(bytes.len() as u64);
                header.set_mtime(time + file / 100);
                archive.append_data(&mut header, format!("usr/lib/package/{file}.py"), &*bytes).unwrap();
            }
            archive.into_inner().unwrap()
        };
        let (former, layer) = (build(1_700_000_000), build(1_700_009_999));
        assert!(layer.len() > 24_000_000);
        let patch = patch(&former, &layer).unwrap();
        assert!(patch.len() < 200_000, "{}", patch.len());
    }

    #[test]
    fn a_layer_without_former_or_with_a_foreign_one_goes_whole() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library(folder.path().join("layers"));
        let (old, new, other) = (noise(9000, 1), [noise(9000, 1), vec![1]].concat(), noise(9000, 2));
        let [of_old, of_other] = [&old, &other].map(|bytes| digest::of(bytes));
        let parts = Parts::new(library.clone(), BTreeMap::new());
        let difference = |former: Option<&String>| {
            let former = former.map(|digest| digest[..16].to_owned());
            parts.difference(&Wanted { name: "3".to_owned(), former }, &new)
        };
        assert_eq!(difference(Some(&of_old)), None, "nothing is kept yet");
        library.put(&of_old, &old);
        library.put(&of_other, &other);
        let (name, patch) = difference(Some(&of_old)).unwrap();
        assert_eq!(name, format!("3.{}", &of_old[..16]));
        assert!(patch.len() < 200);
        assert_eq!(difference(Some(&of_other)), None, "not worth it");
        assert_eq!(difference(None), None);
        #[expect(clippy::disallowed_methods, reason = "breaks a file on purpose")]
        std::fs::write(folder.path().join("layers").join(&of_old), "else").unwrap();
        assert_eq!(library.get(&of_old), None);
    }
}
