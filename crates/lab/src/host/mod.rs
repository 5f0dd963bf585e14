//! The machine that the lab runs on: its programs, what it lacks, and the image that guests are made of.

mod doctor;
mod image;
#[allow(dead_code, reason = "the backend with real guests uses all of it")]
mod run;

pub use doctor::{Check, Diagnosis, diagnose};
pub use image::{Image, TEMPLATE_NAME};
pub use run::HostError;
