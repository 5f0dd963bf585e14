//! Variables of a shell program.

use std::collections::HashMap;
use std::sync::Arc;

use plimsoll_syntax::shell::Word;
use plimsoll_text::Place;

use super::Value;

/// One assignment of a variable.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The variable.
    pub name: String,
    /// Its place in reading order among all bindings and commands of the program.
    pub order: u32,
    /// The function that holds the assignment.
    pub function: Option<String>,
    /// What is assigned.
    pub bound: Bound,
    /// Where it stands.
    pub place: Place,
    /// Whether it stands under a condition or in a loop.
    pub guarded: bool,
    /// Whether it is `+=`.
    pub append: bool,
}

/// What is assigned to a variable.
#[derive(Clone, Debug)]
pub enum Bound {
    /// A word.
    Word(Arc<Word>),
    /// An array.
    Array(Vec<Arc<Word>>),
    /// The words of a `for` loop, one after the other.
    Each(Vec<Arc<Word>>),
    /// Something read from a person or a file.
    Input,
    /// A value from outside the program (`env:` of a task, a dotenv file that is sourced).
    Value(Value),
}

/// All bindings of one program, in reading order.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    list: Vec<Binding>,
    /// The places in `list` of each variable, by their order in the program.
    by_name: HashMap<String, Vec<usize>>,
}

impl Bindings {
    /// Adds a binding.
    pub fn push(&mut self, binding: Binding) {
        let own = match self.by_name.get_mut(&binding.name) {
            Some(own) => own,
            None => self.by_name.entry(binding.name.clone()).or_default(),
        };
        let at = own.partition_point(|index| self.list.get(*index).is_some_and(|b| b.order <= binding.order));
        own.insert(at, self.list.len());
        self.list.push(binding);
    }

    /// All bindings in order.
    pub fn iter(&self) -> impl Iterator<Item = &Binding> {
        self.list.iter()
    }

    /// All bindings of a variable in order.
    pub fn of<'a>(&'a self, name: &str) -> impl DoubleEndedIterator<Item = &'a Binding> + use<'a> {
        let own = self.by_name.get(name).map(Vec::as_slice).unwrap_or_default();
        own.iter().filter_map(|index| self.list.get(*index))
    }

    /// The binding that a use sees: the last before it in the same function, else the last at top level (before
    /// it, when the use is at top level too), else the last in any other function.
    #[must_use]
    pub fn visible<'a>(&'a self, name: &str, order: u32, function: Option<&str>) -> Option<&'a Binding> {
        let own = self.by_name.get(name)?;
        let get = |index: &usize| self.list.get(*index);
        let before = own.partition_point(|index| get(index).is_some_and(|b| b.order < order));
        let before = own.get(..before).unwrap_or_default();
        let same = |b: &&Binding| b.function.as_deref() == function;
        if let Some(found) = before.iter().rev().filter_map(get).find(same) {
            return Some(found);
        }
        let all = || own.iter().rev().filter_map(get);
        all()
            .find(|b| b.function.is_none() && function.is_some() && !b.append)
            .or_else(|| all().find(|b| b.function.is_some() && !same(b)))
    }

    /// The elements of an array that a use sees, later `+=` included.
    #[must_use]
    pub fn elements(&self, name: &str, order: u32, function: Option<&str>) -> Option<Vec<Arc<Word>>> {
        let mut elements: Option<Vec<Arc<Word>>> = None;
        for binding in self.of(name).filter(|b| b.order < order || b.function.as_deref() != function) {
            if let Bound::Array(words) = &binding.bound {
                match &mut elements {
                    Some(list) if binding.append => list.extend(words.iter().cloned()),
                    _ => elements = Some(words.clone()),
                }
            }
        }
        elements
    }
}
