//! What is known about a Compose service from its image: what it is for, how it is reached, whom it lets in.

mod access;
mod reach;
mod replaced;
mod web;

pub use access::{Access, access};
pub use reach::{
    Reach, built, context, dockerfile_path, is_web_server, known, published_everywhere, purpose, reach,
    reference, start_words, terminates_tls,
};
pub use replaced::replacements;
pub use web::{nginx_configs, nginx_listens};
