//! Helpers for the tests of this crate.

use plimsoll_text::{Files, Layer};

/// A text as a file of its own.
pub(crate) fn whole(text: &str) -> Layer {
    let files = Files::new([("file".into(), text.to_owned())]);
    let (id, file) = files.iter().next().unwrap();
    Layer::whole(id, file)
}
