//! What Terraform deploys besides guests.

mod containers;
mod text;

pub(crate) use containers::containers;
