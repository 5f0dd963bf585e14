//! A typed client for the Proxmox VE API, and the types that its configuration is made of.
//!
//! [`Client`] sends requests; each request is a type in [`api`] that knows its path, its parameters and its answer. Requests that
//! start a task answer a [`Upid`]; [`Client::wait`] follows it with its log. Configuration values such as `net0` are types that keep
//! what they do not know ([`property`]).
//!
//! The crate retries nothing on its own except reads that the caller asked to retry: whether a write happened is often unknown after
//! a broken connection, and [`Error::outcome_unknown`] says so.

pub mod api;
mod auth;
mod client;
mod encode;
mod error;
pub mod iso;
pub mod property;
mod secret;
mod task;
mod tls;
mod upid;
mod upload;
mod values;
mod version;
mod web;

pub use api::{Described, Method, Param, Request};
pub use auth::{Credentials, Token, TokenError};
pub use client::{Client, Config};
pub use encode::{Params, ToParam, UrlEncoded, percent_encode};
pub use error::{ApiError, Denied, Error, Kind};
pub use secret::Secret;
pub use task::{Exit, LogLine, TaskError, TaskResult, WaitOptions};
pub use tls::{Fingerprint, FingerprintError, Trust};
pub use upid::{Upid, UpidError};
pub use upload::{Checksum, Upload, UploadSource};
pub use values::{GuestConfig, Vmid};
pub use version::{Version, VersionError};
pub use web::{Answer, Web};
