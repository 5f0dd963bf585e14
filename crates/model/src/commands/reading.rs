//! What one program holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use plimsoll_syntax::shell::Heredoc;
use plimsoll_text::Place;

use super::bindings::Bindings;
use super::{Command, CommandId, Hop, HopKind, Machine, UnitId, Value};

/// A function of a program.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Where its name stands.
    pub place: Place,
    /// Whether it ends the script (`exit` at its top level).
    pub exits: bool,
    /// Set when it hands its arguments to another machine or shell (`on_node() { ssh root@pve "$@"; }`).
    pub wrapper: Option<Wrapper>,
}

/// How a function passes its arguments on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapper {
    pub(super) hops: Vec<Hop>,
    pub(super) machine: Machine,
    /// The first argument that belongs to the carried command, from 0.
    pub(super) first: usize,
    /// Whether a shell reads the arguments as text.
    pub(super) text: bool,
}

/// What one program holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// The commands in reading order.
    pub(crate) commands: Vec<Command>,
    /// The variables.
    pub(crate) bindings: Bindings,
    /// The functions.
    pub(crate) functions: BTreeMap<String, Function>,
    /// Scripts that the program itself writes and that have a shebang: text and the path they go to.
    pub(crate) written: Vec<(Value, Arc<Heredoc>, Place)>,
}

impl Reading {
    /// Whether what it holds depends on what machine an SSH target is.
    pub(crate) fn uses_ssh(&self) -> bool {
        let mut hops = self.commands.iter().flat_map(|command| command.hops.iter());
        hops.any(|hop| matches!(hop.kind, HopKind::Ssh { .. }))
    }

    /// Numbers the commands from another start, as those of a unit.
    pub(crate) fn renumber(&mut self, unit: UnitId, first: u32) {
        let Some(old) = self.commands.first().map(|command| command.id.0) else { return };
        let moved = |id: &mut CommandId| id.0 = id.0 - old + first;
        for command in &mut self.commands {
            command.unit = unit;
            moved(&mut command.id);
            command.carrier.iter_mut().for_each(moved);
            command.after.iter_mut().for_each(moved);
        }
    }
}

/// What a program can see of others.
#[derive(Clone, Default)]
pub(crate) struct Surroundings<'a> {
    pub(crate) sourced: Vec<&'a Bindings>,
    pub(crate) functions: Vec<&'a BTreeMap<String, Function>>,
    /// Decides what machine an SSH target is.
    pub(crate) target: Option<&'a dyn Fn(&Value) -> Machine>,
}
