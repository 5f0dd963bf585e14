//! What images hold: bases, packages, programs, user, ports and start commands, by stage.

mod image;
mod known;

pub use image::{
    Base, CommandLine, CopyFact, CopyFrom, Evidence, HealthcheckFact, Image, ImageSource, Images, Package,
    PackageManager, Provides, Stage, UserFact,
};
pub use known::{KnownImage, Os, Role};
