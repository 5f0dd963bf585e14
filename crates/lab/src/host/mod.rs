//! The machine that the lab runs on: its programs, what it lacks, and the image that guests are made of.

mod doctor;
mod image;
mod run;

pub use doctor::{Check, Diagnosis, diagnose};
pub use image::{Image, TEMPLATE_NAME};
pub use run::HostError;
pub(crate) use run::{Tool, file};
