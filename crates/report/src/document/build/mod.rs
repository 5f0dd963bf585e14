//! From facts, findings and the judgement to the document.

mod alternatives;
mod answers;
mod assemble;
mod current;
mod decision;
mod diagram;
mod excerpt;
mod findings;
mod operation;
mod patch;
mod proposals;
mod references;
mod risk;
mod roadmap;
mod security;
mod show;
mod summary;
mod works;

pub use assemble::{Input, Withdrawals, build};
