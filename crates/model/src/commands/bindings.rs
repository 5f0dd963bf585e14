//! Variables of a shell program.

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
}

impl Bindings {
    pub(crate) const fn none() -> Self {
        Self { list: Vec::new() }
    }

    /// Adds a binding.
    pub fn push(&mut self, binding: Binding) {
        self.list.push(binding);
    }

    /// All bindings in order.
    pub fn iter(&self) -> impl Iterator<Item = &Binding> {
        self.list.iter()
    }

    /// All bindings of a variable in order.
    pub fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Binding> {
        self.list.iter().filter(move |binding| binding.name == name)
    }

    /// The binding that a use sees: the last before it in the same function, else the last at top level (before
    /// it, when the use is at top level too), else the last in any other function.
    #[must_use]
    pub fn visible<'a>(&'a self, name: &'a str, order: u32, function: Option<&str>) -> Option<&'a Binding> {
        let mut own = None;
        let mut top = None;
        let mut other = None;
        for binding in self.of(name) {
            let same = binding.function.as_deref() == function;
            if same && binding.order < order {
                own = Some(binding);
            } else if binding.function.is_none() && function.is_some() && !binding.append {
                top = Some(binding);
            } else if binding.function.is_some() && !same {
                other = Some(binding);
            }
        }
        own.or(top).or(other)
    }

    /// The elements of an array that a use sees, later `+=` included.
    #[must_use]
    pub fn elements<'a>(
        &'a self,
        name: &'a str,
        order: u32,
        function: Option<&str>,
    ) -> Option<Vec<Arc<Word>>> {
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
