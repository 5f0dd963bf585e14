//! Compose projects, resolved: every value knows its place and the variables it came from.

mod service;
mod types;
mod value;

pub use service::*;
pub use types::*;
pub use value::*;
/// shim
pub(crate) fn read(_f: &plimsoll_text::Files, _p: &[camino::Utf8PathBuf]) -> Option<Compose> {
    None
}
