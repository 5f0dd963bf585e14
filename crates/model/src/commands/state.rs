//! Where a statement stands: what the statements around it decide for it.

use std::sync::Arc;

use plimsoll_syntax::shell::{Heredoc, Stmt, StmtKind};

use super::{CommandId, Fate, Guard, Hop, Machine, Output, PipelinePlace, Strict, Unit, Value};

/// What the statements around a statement decide for it.
#[derive(Clone)]
pub(super) struct State {
    pub(super) machine: Machine,
    pub(super) hops: Arc<Vec<Hop>>,
    pub(super) carrier: Option<CommandId>,
    pub(super) function: Option<Arc<str>>,
    pub(super) guards: Arc<Vec<Guard>>,
    pub(super) in_loop: bool,
    pub(super) fate: Fate,
    pub(super) strict: Strict,
    pub(super) pipeline: Option<PipelinePlace>,
    pub(super) assigned_to: Option<Arc<str>>,
    pub(super) outputs: Vec<Output>,
    pub(super) stdin: Option<Arc<Heredoc>>,
    pub(super) here_string: Option<Value>,
    pub(super) background: bool,
    pub(super) depth: usize,
    /// Whether statements count for the order of bindings: nested text has none.
    pub(super) counts: bool,
}

impl State {
    pub(super) fn new(unit: &Unit) -> Self {
        Self {
            machine: unit.machine,
            hops: Arc::default(),
            carrier: None,
            function: None,
            guards: Arc::default(),
            in_loop: false,
            fate: Fate::Unchecked,
            strict: unit.strict,
            pipeline: None,
            assigned_to: None,
            outputs: Vec::new(),
            stdin: None,
            here_string: None,
            background: false,
            depth: 0,
            counts: true,
        }
    }

    pub(super) fn with_fate(&self, fate: Fate) -> Self {
        Self { fate, ..self.clone() }
    }
}

/// Follows `set -e`, `set -euo pipefail`, `set +e` and `set -o errexit`.
pub(super) fn update_strict(stmt: &Stmt, strict: &mut Strict) {
    let StmtKind::Simple(simple) = &stmt.kind else { return };
    let mut words = simple.words.iter().map(|word| word.text());
    if !matches!(words.next(), Some("set" | "shopt")) {
        return;
    }
    let mut expects_name = None;
    for word in words {
        if let Some(on) = expects_name.take() {
            set_option(strict, word, on);
            continue;
        }
        let (on, letters) = match word.split_at_checked(1) {
            Some(("-", letters)) => (true, letters),
            Some(("+", letters)) => (false, letters),
            _ => continue,
        };
        for letter in letters.chars() {
            match letter {
                'e' => strict.errexit = on,
                'u' => strict.nounset = on,
                'o' => expects_name = Some(on),
                'E' | 'x' => {}
                _ => {}
            }
        }
    }
}

fn set_option(strict: &mut Strict, name: &str, on: bool) {
    match name {
        "errexit" => strict.errexit = on,
        "nounset" => strict.nounset = on,
        "pipefail" => strict.pipefail = on,
        _ => {}
    }
}
