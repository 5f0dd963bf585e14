//! Every command of every file, typed with the machine it runs on.

mod bindings;
mod carry;
mod command;
mod declare;
mod evaluate;
mod flow;
mod hop;
mod login;
mod purpose;
mod reading;
mod runbook;
mod set;
mod shared;
mod state;
mod status;
mod unit;
mod value;
mod walk;

pub use bindings::{Binding, Bindings, Bound};
pub use command::{Arg, Command, CommandId, Guard, OptionValue, Output, PipelinePlace};
pub use flow::Procedure;
pub use hop::{Hop, HopKind, Machine};
pub use reading::{Function, Wrapper};
pub use set::{Commands, is_node_tool};
pub(crate) use shared::Shared;
pub use status::{Fate, Strict};
pub use unit::{Origin, Unit, UnitId};
pub use value::{Source, Value};

#[cfg(test)]
mod tests;
