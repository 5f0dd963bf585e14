//! Files, positions and decoded text.
//!
//! Everything that Plimsoll says points into a file that a person can open. A [`Span`] is a byte range of such
//! a file, a [`Place`] names the file too. A [`Layer`] is text that was taken out of other text (a shell script
//! inside a YAML scalar inside a Markdown block) and still knows, byte by byte, where it stands in the file.

mod distance;
mod edit;
mod files;
mod layer;
mod phrases;
mod remembered;
mod span;

pub use distance::distance;
pub use edit::{Applicability, Edit, Fix};
pub use files::{FileId, Files, LineColumn, SourceFile};
pub use layer::{Layer, LayerBuilder};
pub use phrases::Phrases;
pub use remembered::Remembered;
pub use span::{Place, Span, Spanned, SyntaxError};
