//! Images that are here go into the guest's own store: only layers that it does not have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use plimsoll_remote::{Input, Output};

use crate::delta::{Parts, Wanted};
use crate::error::DeployError;
use crate::event::Event;
use crate::guest::{Action, Guest, Lock};
use crate::local::{Building, Built, Engine, Inspected, failed, find};
use crate::pack::{CONFIGURATION, Codec, Form, Pack, Part, Source, blob};
use crate::push::push;
use crate::ship::Cache;

/// What the guest says of its store.
#[derive(Debug, Default, PartialEq, Eq)]
struct Store {
    architecture: String,
    /// Whether a layer that is known may be left out of what is loaded.
    takes_parts: bool,
    /// Images, each with its layers; digests are cut short.
    images: Vec<(String, Vec<String>)>,
    /// Short digests of layers and configurations that it can make others of.
    kept: BTreeSet<String>,
    has_zstd: bool,
    /// What arrived of transfers that were cut off, by name.
    parts: BTreeMap<String, Part>,
}

impl Store {
    fn parse(text: &str) -> Self {
        let mut store = Self::default();
        for line in text.lines() {
            match line.strip_prefix('@').and_then(|line| line.split_once(' ')) {
                Some(("machine", machine)) => {
                    store.architecture = match machine {
                        "x86_64" => "amd64".to_owned(),
                        "aarch64" => "arm64".to_owned(),
                        other => other.to_owned(),
                    }
                }
                Some(("store", kind)) => store.takes_parts = !kind.contains("containerd"),
                Some(("layers", words)) => {
                    let mut words = words.split_whitespace().map(ToOwned::to_owned);
                    store.images.extend(words.next().map(|id| (id, words.collect())));
                }
                Some(("zstd", _)) => store.has_zstd = true,
                Some(("part", part)) => {
                    let mut words = part.split(' ');
                    if let (Some(name), Some(Ok(length)), Some(sha256)) =
                        (words.next(), words.next().map(str::parse), words.next())
                    {
                        store.parts.insert(name.to_owned(), Part { length, sha256: sha256.to_owned() });
                    }
                }
                Some(("kept", layer)) => {
                    store.kept.insert(layer.to_owned());
                }
                _ => {}
            }
        }
        store
    }

    /// Images, those that share most layers from the bottom first. A layer is the same only upon the same ones.
    fn similar(&self, layers: &[String]) -> Vec<(usize, &(String, Vec<String>))> {
        let shared = |image: &(String, Vec<String>)| {
            image.1.iter().zip(layers).take_while(|(there, here)| **there == short(here)).count()
        };
        let mut similar: Vec<_> = self.images.iter().map(|image| (shared(image), image)).collect();
        similar.sort_by_key(|(shared, _)| std::cmp::Reverse(*shared));
        similar
    }

    /// How many of these layers it has, from the bottom.
    fn known(&self, layers: &[String]) -> usize {
        if !self.takes_parts {
            return 0;
        }
        self.similar(layers).first().map_or(0, |(shared, _)| *shared)
    }

    /// What it lacks of an image, by the digest in the engine's archive: the configuration and layers, each with what stands
    /// in its place in the most similar image where the guest can make it of that.
    ///
    /// The first layer is the base image's, which another base replaces as a whole.
    fn lacking(&self, id: &str, layers: &[String]) -> BTreeMap<String, Wanted> {
        let (known, similar) = (self.known(layers), self.similar(layers));
        let kept = |digest: &String| self.kept.contains(digest).then(|| digest.clone());
        let digest = |digest: &str| Some(digest.strip_prefix("sha256:")?.to_owned());
        let config = Wanted {
            name: CONFIGURATION.to_owned(),
            former: similar.iter().find_map(|(_, (id, _))| kept(id)),
        };
        let layers = layers.iter().enumerate().skip(known).filter_map(|(at, layer)| {
            let mut there = similar.iter().filter_map(|(_, (_, layers))| layers.get(at).and_then(kept));
            let former = there.next().filter(|_| at > 0);
            Some((digest(layer)?, Wanted { name: at.to_string(), former }))
        });
        digest(id).map(|id| (id, config)).into_iter().chain(layers).collect()
    }
}

/// A digest as guests tell it.
fn short(digest: &str) -> String {
    digest.strip_prefix("sha256:").unwrap_or(digest).chars().take(16).collect()
}

impl Guest {
    /// Sends what the guest lacks of an image that is built here.
    pub(crate) async fn ship(
        &self,
        lock: &Lock,
        release: u64,
        (name, building): (&str, Building),
        cache: &Cache,
    ) -> Result<Output, DeployError> {
        let image = self.built(name, building).await?;
        // What serves was told with the lock.
        let store = Store::parse(&lock.store);
        self.send_image(lock, release, (name, &image), store, cache).await
    }

    /// Waits for an image that is built here, and tells of it where somebody could notice.
    async fn built(&self, name: &str, building: Building) -> Result<Inspected, DeployError> {
        let step = format!("build {name}");
        let begin = || (self.listener)(Event::Begin { step: step.clone() });
        let mut is_told = false;
        let built = building.built();
        tokio::pin!(built);
        let Built { image, took } = tokio::select! {
            built = &mut built => built?,
            () = tokio::time::sleep(Duration::from_millis(300)) => {
                begin();
                is_told = true;
                built.await?
            }
        };
        if took.is_some() && !is_told {
            begin();
        }
        if took.is_some() || is_told {
            let took = u64::try_from(took.unwrap_or_default().as_millis()).unwrap_or(u64::MAX);
            (self.listener)(Event::End { step, took, sent: 0 });
        }
        Ok(image)
    }

    /// Sends an image of a registry that the guest cannot pull; `None` where the engine here has none of this name.
    pub(crate) async fn ship_pulled(
        &self,
        lock: &Lock,
        release: u64,
        (name, engine): (&str, Option<Engine>),
        cache: &Cache,
    ) -> Result<Option<Output>, DeployError> {
        let Ok((_, Some(image))) = find(engine, name).await else { return Ok(None) };
        self.send_image(lock, release, (name, &image), Store::default(), cache).await.map(Some)
    }

    /// Sends what the guest lacks of an image that is here.
    async fn send_image(
        &self,
        lock: &Lock,
        release: u64,
        (name, image): (&str, &Inspected),
        mut store: Store,
        cache: &Cache,
    ) -> Result<Output, DeployError> {
        let names = &image.root_fs.layers;
        if store.known(names) == 0 {
            store = self.store(lock, "all").await?;
        }
        if store.architecture != image.architecture {
            let reason = format!("{name} is for {}, the guest is {}", image.architecture, store.architecture);
            return Err(failed("build", &reason));
        }
        let codec = if store.has_zstd { Codec::Zstd } else { Codec::Gzip };
        let known = store.known(names);
        let left_out: BTreeSet<String> = names.iter().take(known).filter_map(|layer| blob(layer)).collect();
        let archive = Form::Archive { left_out };
        let pushed = if store.takes_parts { push(&cache.pushed(), name, image, known).await } else { None };
        let id = pushed.as_ref().map_or_else(|| image.id.clone(), |pushed| pushed.id.clone());
        // What is unpacked on the guest before it is loaded takes its size twice for a while.
        let is_archived_as_parts = store.takes_parts && !image.is_packed() && image.size < STREAMED;
        let form = if pushed.is_some() || is_archived_as_parts {
            Form::Parts(Parts::new(cache.layers(), store.lacking(&id, names)))
        } else {
            archive.clone()
        };
        let source = pushed.map_or(Source::Archive(image.engine), |pushed| Source::Pushed(Arc::new(pushed)));
        let (name, size, done) = (name.to_owned(), image.size, Arc::default());
        let mut pack = Pack { name, id, form, codec, source, size, done };
        let mut output = self.load(lock, release, &pack, &store).await?;
        if let (94, Form::Parts(parts)) = (output.status, &mut pack.form) {
            // What the guest kept was spoilt.
            parts.wanted.values_mut().for_each(|wanted| wanted.former = None);
            output = self.load(lock, release, &pack, &store).await?;
        }
        if let (96, Source::Pushed(_)) = (output.status, &pack.source) {
            // It did not arrive whole: what was pushed was not what it was called.
            pack.source = Source::Archive(image.engine);
            output = self.load(lock, release, &pack, &store).await?;
        }
        if output.status == 94 {
            // The engine here keeps images in another way.
            (pack.form, pack.id, pack.source) = (archive, image.id.clone(), Source::Archive(image.engine));
            output = self.load(lock, release, &pack, &store).await?;
        }
        if let Form::Parts(parts) = &pack.form {
            parts.kept().await;
            if output.status == 0 {
                output.stdout = format!("@image {}\n", pack.id).into_bytes();
            }
        }
        Ok(output)
    }

    /// What the store has: of the images that serve, or of all.
    async fn store(&self, lock: &Lock, of: &str) -> Result<Store, DeployError> {
        let what = "looking at the guest's images";
        Ok(Store::parse(&self.ask_in(&lock.shell, what, &["do_store", of]).await?.text()))
    }

    async fn load(
        &self,
        lock: &Lock,
        release: u64,
        pack: &Pack,
        store: &Store,
    ) -> Result<Output, DeployError> {
        let step = format!("ship {}", pack.name);
        let key = pack.key();
        let (stream, there) = pack.after(store.parts.get(&key)).await?;
        let id = pack.id.strip_prefix("sha256:").unwrap_or(&pack.id);
        let words = [pack.form.word(), pack.codec.word(), &key, &there.to_string(), id];
        let action = Action::new(&step, release, "load")
            .args(words)
            .meter(pack.meter())
            .input(Input::Reader(Box::pin(stream)))
            .limit(Duration::from_secs(3600));
        self.step(lock, action).await
    }
}

/// Images above this size are loaded as they arrive.
const STREAMED: u64 = 2 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| format!("sha256:{name}")).collect()
    }

    #[test]
    fn a_layer_is_known_only_upon_the_same_ones() {
        let text = "@machine x86_64\n@store overlay2 \n@layers 1 a b\n@layers 2 c\n";
        let store = Store::parse(text);
        assert_eq!(store.architecture, "amd64");
        assert_eq!(store.known(&layers(&["a", "b", "x"])), 2);
        assert_eq!(store.known(&layers(&["b", "a"])), 0);
        let lacking = |store: &Store, names: &[&str]| {
            let wanted = store.lacking("sha256:i", &layers(names)).into_iter();
            wanted
                .map(|(digest, wanted)| {
                    format!("{digest} {} {}", wanted.name, wanted.former.unwrap_or_default())
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(lacking(&store, &["a", "x"]), ["i c ", "x 1 "]);
        let keeps = Store::parse(&format!("{text}@kept b\n@kept c\n@kept 1\n"));
        assert_eq!(lacking(&keeps, &["a", "x", "y"]), ["i c 1", "x 1 b", "y 2 "]);
        assert_eq!(lacking(&keeps, &["x"]), ["i c 1", "x 0 "], "a base goes as a whole");
        let whole = Store::parse(&text.replace("overlay2", "containerd overlayfs"));
        assert_eq!(whole.known(&layers(&["a", "b", "x"])), 0);
    }
}
