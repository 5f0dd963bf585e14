//! Images of registries: how they are named, this machine's logins for them, and how guests pull them.

mod logins;
mod pull;
mod reference;

pub use logins::{LoginError, Logins};
pub(crate) use pull::Pulled;
pub(crate) use reference::Reference;
