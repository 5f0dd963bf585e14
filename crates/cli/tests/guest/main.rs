//! Deploys onto a real guest: a container of the lab where this machine boots one, or any machine with Docker and
//! Compose that SSH reaches, named by the tester:
//!
//! `PLIMSOLL_TEST_GUEST=user@host[:port]`, `PLIMSOLL_TEST_HOST_KEY`, `PLIMSOLL_TEST_IDENTITY`

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that cannot go on should stop and say why"
)]

mod app;
mod chaos;
mod clone;
mod data;
mod example;
mod front;
mod keep;
mod keep_failed;
mod lab;
mod life;
mod made;
mod podman;
mod registry;
mod replace;
mod rotate;
mod sharing;
mod story;
#[path = "../support/terminal.rs"]
mod terminal;
mod vm;
mod whole;
