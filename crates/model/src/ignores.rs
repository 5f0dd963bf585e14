//! What `.gitignore` and `.dockerignore` leave out.

use camino::Utf8Path;
use plimsoll_text::{Layer, Place};

use crate::Facts;
use crate::images::Image;

/// Whose rules of matching apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// gitignore(5): a pattern without a slash in it matches in every folder.
    Git,
    /// Docker: every pattern starts at the context's root.
    Docker,
}

/// An ignore file.
#[derive(Clone, Debug)]
pub struct Ignore {
    dialect: Dialect,
    patterns: Vec<Pattern>,
}

/// A line of an ignore file.
#[derive(Clone, Debug)]
struct Pattern {
    parts: Vec<String>,
    negated: bool,
    folders_only: bool,
    place: Place,
}

impl Ignore {
    /// Reads an ignore file. Any text gives one.
    #[must_use]
    pub fn parse(layer: &Layer, dialect: Dialect) -> Self {
        let mut patterns = Vec::new();
        let mut at = 0;
        for line in layer.text().split('\n') {
            let start = at;
            at += line.len() + 1;
            let line = line.trim_end();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (negated, pattern) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
            let pattern = pattern.trim();
            let folders_only = dialect == Dialect::Git && pattern.ends_with('/');
            let inner = pattern.trim_end_matches('/');
            let anchored = dialect == Dialect::Docker || inner.contains('/');
            let mut parts: Vec<String> = inner
                .split('/')
                .filter(|part| !part.is_empty() && *part != ".")
                .map(|part| part.replace('\\', ""))
                .collect();
            if !anchored {
                parts.insert(0, "**".to_owned());
            }
            if !parts.is_empty() {
                let place = layer.place(start..start + line.len());
                patterns.push(Pattern { parts, negated, folders_only, place });
            }
        }
        Self { dialect, patterns }
    }

    /// The line that decides about a path relative to the file's folder, and whether it leaves the path out.
    fn decides(&self, path: &[&str], is_folder: bool) -> Option<(bool, Place)> {
        let fits = |pattern: &&Pattern| {
            (is_folder || !pattern.folders_only)
                && (matches(&pattern.parts, path)
                    || self.dialect == Dialect::Docker
                        && (1..path.len()).any(|to| matches(&pattern.parts, path.get(..to).unwrap_or(path))))
        };
        let last = self.patterns.iter().rev().find(fits)?;
        Some((!last.negated, last.place))
    }

    /// Whether a path relative to the file's folder is left out.
    #[must_use]
    pub fn leaves_out(&self, path: &Utf8Path, is_folder: bool) -> bool {
        self.decides(&parts(path), is_folder).is_some_and(|(out, _)| out)
    }

    /// Whether a folder is left out with all that is in it.
    #[must_use]
    pub fn leaves_out_whole(&self, folder: &Utf8Path) -> bool {
        self.leaves_out(folder, true) && !self.keeps_below(&parts(folder))
    }

    /// Whether a later line may bring back something inside a folder.
    fn keeps_below(&self, folder: &[&str]) -> bool {
        self.patterns.iter().any(|pattern| {
            pattern.negated
                && pattern.parts.len() > folder.len()
                && matches(pattern.parts.get(..folder.len()).unwrap_or_default(), folder)
        })
    }
}

/// Whether the parts of a pattern match those of a path.
fn matches(pattern: &[String], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "**" => {
            (0..=path.len()).any(|from| matches(rest, path.get(from..).unwrap_or_default()))
        }
        (Some((first, rest)), Some((name, more))) => fits(first, name) && matches(rest, more),
        _ => false,
    }
}

/// Whether a name fits a pattern with `*` and `?`; a set in brackets stands for any one character.
fn fits(pattern: &str, name: &str) -> bool {
    let mut pattern = pattern.chars();
    match pattern.next() {
        None => name.is_empty(),
        Some('*') => {
            let rest = pattern.as_str();
            let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.into_iter().any(|at| fits(rest, name.get(at..).unwrap_or_default()))
        }
        Some(one) => {
            let mut name = name.chars();
            let Some(c) = name.next() else { return false };
            let rest = match one {
                '[' => pattern.as_str().split_once(']').map_or("", |(_, rest)| rest),
                _ => pattern.as_str(),
            };
            (matches!(one, '?' | '[') || one == c) && fits(rest, name.as_str())
        }
    }
}

fn parts(path: &Utf8Path) -> Vec<&str> {
    path.components().map(|part| part.as_str()).collect()
}

impl Facts {
    /// The line of a `.gitignore` that keeps a path out of the repository. A path that does not exist counts as a
    /// folder.
    #[must_use]
    pub fn git_ignored(&self, path: &Utf8Path) -> Option<Place> {
        let all = parts(path);
        for length in 1..=all.len() {
            let whole = all.get(..length)?;
            let is_folder = length < all.len() || !self.inventory.has(path);
            let mut decision = None;
            for depth in 0..length {
                let (folder, rest) = whole.split_at_checked(depth)?;
                let file = Utf8Path::new(&folder.join("/")).join(".gitignore");
                let Some(id) = self.files.find(&file) else { continue };
                let ignore = Ignore::parse(&Layer::whole(id, self.files.get(id)), Dialect::Git);
                decision = ignore.decides(rest, is_folder).or(decision);
            }
            if let Some((true, place)) = decision {
                return Some(place);
            }
        }
        None
    }

    /// The ignore file of a build: the one named after the Dockerfile, else that of the context.
    #[must_use]
    pub fn build_ignore_file(&self, image: &Image) -> Option<plimsoll_text::FileId> {
        let context = image.context.as_ref()?;
        let own = Utf8Path::new(image.path.as_str())
            .with_file_name(format!("{}.dockerignore", image.path.file_name().unwrap_or_default()));
        self.files.find(&own).or_else(|| self.files.find(&context.join(".dockerignore")))
    }

    /// The line of the build's ignore file that keeps a path of the context from it, with all below.
    #[must_use]
    pub fn build_ignored(&self, image: &Image, path: &Utf8Path) -> Option<Place> {
        let id = self.build_ignore_file(image)?;
        let ignore = Ignore::parse(&Layer::whole(id, self.files.get(id)), Dialect::Docker);
        let all = parts(path);
        let (out, place) = ignore.decides(&all, true)?;
        (out && !ignore.keeps_below(&all)).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Inventory;
    use plimsoll_text::Files;

    fn out(dialect: Dialect, text: &str, path: &str) -> bool {
        let files = Files::new([(".x".into(), text.to_owned())]);
        let (id, file) = files.iter().next().unwrap();
        let ignore = Ignore::parse(&Layer::whole(id, file), dialect);
        ignore.decides(&parts(Utf8Path::new(path)), true).is_some_and(|(out, _)| out)
    }

    #[test]
    fn docker_starts_at_the_root_and_git_in_any_folder() {
        assert!(out(Dialect::Git, "dist/\n", "web/dist"));
        assert!(!out(Dialect::Docker, "dist\n", "web/dist"));
        assert!(out(Dialect::Docker, "**/dist\n", "web/dist"));
        assert!(out(Dialect::Docker, "*\n!src\n", "README.md"));
        assert!(!out(Dialect::Docker, "*\n!src\n", "src/a.py"));
        assert!(out(Dialect::Git, "/a*/[bc]?.txt", "ax/bz.txt"));
        assert!(!out(Dialect::Git, "a/b", "x/a/b"));
    }

    #[test]
    fn an_ignored_folder_takes_what_is_below_with_it() {
        let files = Files::new([
            (".gitignore".into(), "dist/\n".to_owned()),
            ("keep/.gitignore".into(), "!dist/\n".to_owned()),
        ]);
        let facts = Facts::new(files, Inventory::default());
        let place = facts.git_ignored("web/dist/app.js".into()).unwrap();
        assert_eq!(facts.text(place), "dist/");
        assert!(facts.git_ignored("keep/dist".into()).is_none());
        assert!(facts.git_ignored("web/src".into()).is_none());
    }
}
