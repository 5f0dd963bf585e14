//! The table of known images.
//!
//! Facts come from the images' own Dockerfiles and documentation; a field that they leave open holds the cautious
//! value.

mod bases;
mod others;
mod services;
mod stores;

use super::system::Os;
use super::table::{KnownImage, Role};

const NONE: KnownImage = KnownImage {
    names: &[],
    role: Role::Application,
    default_os: Os::Unknown,
    ports: &[],
    user: None,
    drops_root: false,
    open: false,
    first_start: &[],
    data: &[],
    programs: &[],
};

/// All known images.
pub(super) fn all() -> impl Iterator<Item = &'static KnownImage> {
    [bases::IMAGES, stores::IMAGES, services::IMAGES, others::IMAGES].into_iter().flatten()
}
