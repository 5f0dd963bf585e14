//! The machine that the lab runs on: its programs, what it lacks, and the image that guests are made of.

mod doctor;
mod emulator;
mod engine;
mod image;
mod run;
mod stand_in;
mod trial;
mod vm_image;

pub use doctor::{Check, Diagnosis, INSTALL, diagnose};
pub use image::{Image, TEMPLATE_NAME};
pub use run::HostError;
pub(crate) use run::{Tool, file};
pub use stand_in::{STAND_INS, StandIn};
pub use trial::examine;
pub use vm_image::{VM_IMAGE_NAME, VmImage};
