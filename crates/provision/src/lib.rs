//! Makes the guest that a target describes, through the Proxmox VE API and nothing else on the node.
//!
//! [`observe`] reads what the node holds, [`plan`] compares it with what is [`Wanted`] and is pure, [`Runner`] does the first step
//! of the plan and looks again, until no step is left. So a run that was killed is continued by the next one, and a run on a guest
//! that is as it should be changes nothing.
//!
//! A guest is known by the [`Mark`] in its description, never by its name. The mark also carries the host key that the guest must
//! show, which the node told when it made the guest: everybody who may read the guest's configuration has the same pin.

#[cfg(test)]
mod boot_tests;
mod clone;
mod create;
mod error;
mod find;
mod firewall;
mod golden;
#[cfg(test)]
mod grow_tests;
mod inside;
mod mark;
mod observe;
mod plan;
mod prepare;
mod request;
mod run;
mod seed;
mod step;
mod template;
mod wanted;

pub use clone::{template_digest, templates};
pub use error::{ProvisionError, Refusal};
pub use find::{Found, find};
pub use firewall::{Opening, Wall};
pub use golden::CloneOf;
pub use mark::Mark;
pub use observe::{NodeState, observe, observe_anew};
pub use plan::{Plan, plan};
pub use run::{Access, Listener, News, Ready, Runner};
pub use step::Step;
pub use wanted::Wanted;
