//! Whose a backup is, in its notes.

use std::fmt;

/// What stands before it.
const START: &str = "plimsoll ";

/// The app, its target, and why the backup was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The app.
    pub app: String,
    /// The target.
    pub target: String,
    /// Why: `by hand`, `before destroy`.
    pub why: String,
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{START}{}/{}: {}", self.app, self.target, self.why)
    }
}

impl Label {
    /// That of the backups of a target's job, and of the job itself.
    #[must_use]
    pub fn scheduled(app: &str, target: &str) -> Self {
        Self { app: app.to_owned(), target: target.to_owned(), why: "by schedule".to_owned() }
    }

    /// The label in the notes of a backup.
    #[must_use]
    pub fn find(notes: &str) -> Option<Self> {
        let line = notes.lines().find_map(|line| line.trim().strip_prefix(START))?;
        let (whose, why) = line.split_once(": ")?;
        let (app, target) = whose.split_once('/')?;
        Some(Self { app: app.to_owned(), target: target.to_owned(), why: why.to_owned() })
    }

    /// Whether it is that of an app's target.
    #[must_use]
    pub fn is_of(&self, app: &str, target: &str) -> bool {
        self.app == app && self.target == target
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_found_again_in_notes_that_people_wrote_into() {
        let label = Label { app: "shop".to_owned(), target: "lab".to_owned(), why: "by hand".to_owned() };
        let notes = format!("before the fair\n{label}\n");
        assert_eq!(Label::find(&notes), Some(label));
        for foreign in ["", "plimsoll", "web", "plimsoll shop", "plimsoll shop: x"] {
            assert_eq!(Label::find(foreign), None, "{foreign}");
        }
    }
}
