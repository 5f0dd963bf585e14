//! A release is a transaction: plan, steps, journal, rollback.
//!
//! A [`Spec`] says what should run, a [`State`] what is there; [`plan`] makes steps of the two without touching
//! anything. A [`Runner`] takes the steps, each journaled on the guest before and after. When one fails, the last
//! good release is put back by the same code. All state stands on the guest, so that anybody with access can go on
//! from there, and so that a run that was killed leaves something that the next one finishes or takes back.

mod checks;
mod data;
mod delta;
mod digest;
mod error;
mod event;
mod guest;
mod image;
mod local;
mod order;
mod pack;
mod password;
mod plan;
mod prepare;
mod program;
mod push;
mod registry;
mod render;
mod run;
mod ship;
mod spec;
mod state;
mod steps;
mod tree;
mod watch;

pub use checks::until as holds_within;
pub use data::Keeper;
pub use error::DeployError;
pub use event::{Event, Listener};
pub use guest::{Depth, Guest};
pub use local::Engine;
pub use password::{Answer, Change, Server, server};
pub use plan::{Plan, Step, plan};
pub use prepare::{PrepareError, Wanted, prepare};
pub use registry::{LoginError, Logins};
pub use run::{Done, Runner};
pub use ship::Cache;
pub use spec::{Build, Check, Hook, Options, Order, Place, Service, Source, Spec, Values, reference};
pub use state::{Container, Entry, Owner, Release, Released, State};
pub use tree::{Content, Listing, Tree, TreeError};
