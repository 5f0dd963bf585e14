//! Under which digests layers were pushed: an engine that still knows that of a layer asks before it sends the layer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Lines that the file keeps.
const KEPT: usize = 4000;

/// A file of this machine: a line for each layer, its own digest and that of what was pushed.
#[derive(Clone, Debug)]
pub(crate) struct Known(pub(crate) PathBuf);

impl Known {
    fn lines(&self) -> Vec<String> {
        #[expect(clippy::disallowed_methods, reason = "this is the cache's own file")]
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        text.lines().map(ToOwned::to_owned).collect()
    }

    /// Digests of what was pushed, by layer.
    pub(crate) fn read(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in self.lines() {
            if let Some((layer, pushed)) = line.split_once(' ') {
                known.entry(layer.to_owned()).or_default().insert(pushed.to_owned());
            }
        }
        known
    }

    /// Remembers layers with what was pushed of them.
    pub(crate) fn add(&self, layers: &[(String, String)]) {
        let mut lines = self.lines();
        for (layer, pushed) in layers {
            let line = format!("{layer} {pushed}");
            lines.retain(|known| *known != line);
            lines.push(line);
        }
        self.write(lines.get(lines.len().saturating_sub(KEPT)..).unwrap_or_default());
    }

    /// Forgets layers that the engine sent though they were known.
    pub(crate) fn forget(&self, layers: &[String]) {
        let mut lines = self.lines();
        lines.retain(|line| !layers.iter().any(|layer| line.starts_with(&format!("{layer} "))));
        self.write(&lines);
    }

    /// What cannot be kept is learnt again.
    #[expect(clippy::disallowed_methods, reason = "this is the cache's own file")]
    fn write(&self, lines: &[String]) {
        if let Some(folder) = self.0.parent() {
            let _ = std::fs::create_dir_all(folder);
        }
        let fresh = self.0.with_extension("new");
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        if std::fs::write(&fresh, text).is_ok() {
            let _ = std::fs::rename(&fresh, &self.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_known_by_every_digest_it_was_pushed_under_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let known = Known(folder.path().join("cache/pushed"));
        assert!(known.read().is_empty());
        let pair = |layer: &str, pushed: &str| (layer.to_owned(), pushed.to_owned());
        known.add(&[pair("a", "1"), pair("b", "2")]);
        known.add(&[pair("a", "3"), pair("b", "2")]);
        let read = known.read();
        assert_eq!(read["a"], BTreeSet::from(["1".to_owned(), "3".to_owned()]));
        assert_eq!(read["b"], BTreeSet::from(["2".to_owned()]));
        known.forget(&["a".to_owned()]);
        assert_eq!(known.read().into_keys().collect::<Vec<_>>(), ["b"]);
        let many: Vec<_> = (0..KEPT + 10).map(|number| pair("c", &number.to_string())).collect();
        known.add(&many);
        assert_eq!(known.lines().len(), KEPT);
    }
}
