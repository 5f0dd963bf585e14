//! What the targets share.

use plimsoll_text::{Files, Layer, SyntaxError};

/// Reads bytes as a reader would meet them, and checks that its errors point into the text.
pub fn read(bytes: &[u8], reader: impl FnOnce(&Layer) -> Vec<SyntaxError>) {
    let text = String::from_utf8_lossy(bytes);
    let files = Files::new([("file".into(), text.as_ref().to_owned())]);
    let Some((id, file)) = files.iter().next() else { return };
    for error in reader(&Layer::whole(id, file)) {
        let span = error.place.span;
        assert!(file.text().get(span.start as usize..span.end as usize).is_some(), "{error:?} is outside");
    }
}
