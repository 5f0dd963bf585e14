//! What images hold: bases, packages, programs, user, ports and start commands, by stage.

mod build;
mod context;
mod image;
mod install;
mod known;
mod packages;
mod provides;
mod run;

pub use image::{
    Base, CommandLine, CopyFact, CopyFrom, HealthcheckFact, Image, ImageSource, Images, Package,
    PackageManager, Program, Stage, UserFact,
};
pub use known::{KnownImage, Os, Role};
pub use provides::{Evidence, Provides};

#[cfg(test)]
mod tests;
