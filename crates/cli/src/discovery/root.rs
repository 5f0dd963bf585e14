//! The directory that holds everything that is evaluated.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

/// The deepest directory that holds all given ones; empty for the current directory.
///
/// Paths that mix relative and absolute forms, or that climb with `..`, are compared as absolute paths.
pub(super) fn common_root(folders: &[Utf8PathBuf]) -> Utf8PathBuf {
    let Some((first, rest)) = folders.split_first() else { return Utf8PathBuf::new() };
    rest.iter().fold(first.clone(), |root, folder| {
        root.components().zip(folder.components()).take_while(|(a, b)| a == b).map(|(part, _)| part).collect()
    })
}

/// The paths in comparable form: without `.`, and all absolute where one is absolute or climbs.
pub(super) fn comparable(paths: &[Utf8PathBuf]) -> Vec<Utf8PathBuf> {
    let plain = |path: &Utf8Path| {
        path.components().all(|part| matches!(part, Utf8Component::Normal(_) | Utf8Component::CurDir))
    };
    let absolute = paths.len() > 1 && !paths.iter().all(|path| plain(path));
    paths
        .iter()
        .map(|path| {
            let path = if absolute {
                camino::absolute_utf8(path).unwrap_or_else(|_| path.clone())
            } else {
                path.clone()
            };
            tidy(&path)
        })
        .collect()
}

/// Without `.`, and without `..` behind an ordinary part.
fn tidy(path: &Utf8Path) -> Utf8PathBuf {
    let mut out = Utf8PathBuf::new();
    for part in path.components() {
        match part {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir
                if matches!(out.components().next_back(), Some(Utf8Component::Normal(_))) =>
            {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(paths: &[&str]) -> String {
        let paths: Vec<_> = paths.iter().map(|path| Utf8PathBuf::from(*path)).collect();
        common_root(&comparable(&paths)).into_string()
    }

    #[test]
    fn one_directory_is_its_own_root_and_several_share_one() {
        assert_eq!(root(&["."]), "");
        assert_eq!(root(&["./a/"]), "a");
        assert_eq!(root(&["a/b", "a/c/d"]), "a");
        assert_eq!(root(&["a", "b"]), "");
        assert_eq!(root(&["/x/a", "/x/b/../c"]), "/x");
        assert_eq!(root(&["../a"]), "../a");
    }
}
