//! Judgement: attack paths, proposals, alternatives and the verdict, computed from facts and findings.
//!
//! [`assess`] is the entry, and [`ways`] what of it no profile's weights change. Everything in an [`Assessment`] is derived from facts, each with its place, or cites a
//! published source; where files cannot tell, it says so. The same facts give the same assessment.

pub mod alternatives;
mod assessment;
pub mod controls;
pub mod cut;
mod evidence;
pub mod graph;
pub mod proposals;
pub mod roadmap;
pub mod settings;
pub mod situation;
pub mod surface;

pub use assessment::{Assessment, Question, Ways, assess, ways};
pub use evidence::{Evidence, Source};
