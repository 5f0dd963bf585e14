//! What a handler answers.

use std::collections::BTreeMap;

use serde_json::Value;

/// An answer.
pub(crate) struct Reply {
    pub(crate) data: Value,
    /// Lines of a list in all, where the list is a part.
    pub(crate) total: Option<usize>,
    /// What gives the data, where somebody outside the lab is asked: the lab answers others meanwhile.
    pub(crate) later: Option<Later>,
}

/// A question that takes its time.
pub(crate) type Later = Box<dyn FnOnce() -> Result<Value, Refusal> + Send>;

impl Reply {
    pub(crate) fn later(ask: impl FnOnce() -> Result<Value, Refusal> + Send + 'static) -> Self {
        Self { data: Value::Null, total: None, later: Some(Box::new(ask)) }
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("data", &self.data).field("total", &self.total).finish_non_exhaustive()
    }
}

impl From<Value> for Reply {
    fn from(data: Value) -> Self {
        Self { data, total: None, later: None }
    }
}

/// A refusal in the node's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) message: String,
    pub(crate) errors: BTreeMap<String, String>,
    /// Whether the body is empty: so are most refusals for want of credentials.
    pub(crate) bare: bool,
    /// Whether the body is the text itself and no JSON.
    pub(crate) plain: bool,
}

pub(crate) type Answer = Result<Reply, Refusal>;

impl Refusal {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), errors: BTreeMap::new(), bare: false, plain: false }
    }

    /// `die` in the node's code.
    pub(crate) fn died(message: impl Into<String>) -> Self {
        Self::new(500, message)
    }

    pub(crate) fn bare(status: u16, message: impl Into<String>) -> Self {
        Self { bare: true, ..Self::new(status, message) }
    }

    pub(crate) fn plain(status: u16, message: impl Into<String>) -> Self {
        Self { plain: true, ..Self::new(status, message) }
    }

    /// Wrong parameters.
    pub(crate) fn parameters(errors: BTreeMap<String, String>) -> Self {
        Self { errors, ..Self::new(400, "Parameter verification failed.") }
    }

    pub(crate) fn parameter(name: &str, text: impl Into<String>) -> Self {
        Self::parameters(BTreeMap::from([(name.to_owned(), text.into())]))
    }

    pub(crate) fn denied(inside: &str) -> Self {
        let inside = if inside.is_empty() { String::new() } else { format!(" ({inside})") };
        Self::new(403, format!("Permission check failed{inside}"))
    }
}
