//! How a guest is known again.

use serde::{Deserialize, Serialize};

/// The tag that every guest of ours has, so that they are found with one question.
pub(crate) const TAG: &str = "plimsoll";

/// What stands for the app in the mark of a template; no app is called so.
pub(crate) const TEMPLATE: &str = ".template";

/// What stands before the mark on its line.
const START: &str = "plimsoll:";

/// A line of the guest's description: whose it is, and what it must show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The app.
    pub app: String,
    /// The target.
    pub target: String,
    /// The fingerprint of its host key, `SHA256:…`, as the node told it when it made the guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_key: Option<String>,
    /// The fingerprint of the key that it is about to show instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_key: Option<String>,
    /// What was last set up inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<String>,
    /// The size of the disk in GiB that its file system was grown to. Of a machine only: a container's grows with its disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<u64>,
    /// Whether it is a clone that still has the card and the sizes of its template.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_raw: bool,
    /// Whether it shows the host key of its template, and has none of its own yet.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_key_shared: bool,
    /// Whether it was sealed to become a template: it is not started any more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_sealed: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Mark {
    /// The mark of an app's target, with nothing known of the guest yet.
    #[must_use]
    pub fn of(app: &str, target: &str) -> Self {
        Self { app: app.to_owned(), target: target.to_owned(), ..Self::default() }
    }

    /// The mark in a description.
    #[must_use]
    pub fn find(description: &str) -> Option<Self> {
        description.lines().find_map(read)
    }

    /// Whether it is that of an app's target.
    #[must_use]
    pub fn is_of(&self, app: &str, target: &str) -> bool {
        self.app == app && self.target == target
    }

    /// A description with this mark. What people wrote there stays.
    #[must_use]
    pub fn put(&self, description: &str) -> String {
        let line = format!("`{START}{}`", serde_json::to_string(self).unwrap_or_default());
        if Self::find(description).is_none() {
            let what = if self.app == TEMPLATE {
                "A template for new guests, with Docker Engine and nothing else".to_owned()
            } else {
                format!("Runs the app {}, target {}", self.app, self.target)
            };
            let head =
                format!("{what}. Plimsoll knows the guest by the next line: leave it there.\n\n{line}\n");
            return if description.trim().is_empty() {
                head
            } else {
                format!("{}\n\n{head}", description.trim_end())
            };
        }
        let lines = description.lines().map(|old| if read(old).is_some() { line.as_str() } else { old });
        let mut out = lines.collect::<Vec<_>>().join("\n");
        out.push('\n');
        out
    }
}

fn read(line: &str) -> Option<Mark> {
    let json = line.trim().trim_matches('`').strip_prefix(START)?;
    serde_json::from_str(json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_again_and_changed_beside_what_people_wrote() {
        let mark = Mark::of("shop", "production");
        let first = mark.put("");
        assert_eq!(Mark::find(&first), Some(mark.clone()));
        let noted = format!("Ask Ada before a reboot.\n\n{first}\nRack 3\n");
        let known = Mark { host_key: Some("SHA256:abc".to_owned()), ..mark };
        let second = known.put(&noted);
        assert_eq!(Mark::find(&second), Some(known));
        assert!(second.starts_with("Ask Ada") && second.ends_with("Rack 3\n"), "{second}");
        assert_eq!(second.matches(START).count(), 1);
    }

    #[test]
    fn a_description_of_somebody_else_has_no_mark_and_is_kept() {
        for text in ["", "web server", "plimsoll", "`plimsoll:{}`", "`plimsoll:{\"app\":1}`"] {
            assert_eq!(Mark::find(text), None, "{text}");
        }
        let both = Mark::of("a", "b").put("web server\n");
        assert!(both.starts_with("web server\n\n"));
    }

    #[test]
    fn a_mark_of_a_newer_release_is_understood() {
        let text = "`plimsoll:{\"app\":\"a\",\"target\":\"b\",\"newer\":[1]}`";
        assert!(Mark::find(text).is_some_and(|mark| mark.is_of("a", "b")));
    }
}
