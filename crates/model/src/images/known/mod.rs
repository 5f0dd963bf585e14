//! What public images are known to hold.

mod data;
mod system;
mod table;

pub use system::Os;
pub use table::{KnownImage, Role};
