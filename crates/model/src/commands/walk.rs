//! From shell programs to commands.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8Path;
use plimsoll_syntax::shell::{
    self, Heredoc, OuterExpansion, Part, PartKind, RedirectKind, SimpleCommand, Stmt, StmtKind, Word,
};
use plimsoll_text::{Layer, Place, Span};

use super::bindings::Bindings;
use super::carry::{Cargo, Carried, carried};
use super::declare::{collect_bindings, is_nothing};
use super::evaluate::Scope;
use super::reading::{Function, Reading, Surroundings, Wrapper};
use super::state::{State, update_strict};
use super::{
    Arg, Command, CommandId, Fate, Guard, Hop, HopKind, Machine, Output, PipelinePlace, Strict, Unit, UnitId,
    Value,
};

/// Text inside text beyond which nothing is read.
const NESTING: usize = 12;
/// Commands of one program beyond which the rest is not read; no real script comes near.
const MOST_COMMANDS: usize = 50_000;

/// Bytes of text inside text of one program beyond which nothing more is read: broken text can nest in itself at
/// several places on each level.
const MOST_NESTED: usize = 2 << 20;

/// Reads one program.
pub(crate) fn read(
    unit: &Unit,
    id: UnitId,
    path: &Utf8Path,
    first_id: u32,
    around: &Surroundings<'_>,
) -> Reading {
    let mut out = Reading::default();
    let mut order = 0;
    collect_bindings(&unit.script, unit.place.file, None, false, &mut order, &mut out, 0);
    for _ in 0..2 {
        let bindings = std::mem::take(&mut out.bindings);
        let functions = std::mem::take(&mut out.functions);
        let mut walker = Walker {
            unit,
            id,
            path,
            around,
            bindings: &bindings,
            functions: &functions,
            commands: Vec::new(),
            written: Vec::new(),
            found: Vec::new(),
            first_id,
            order: 0,
            nested: 0,
        };
        let state = State::new(unit);
        walker.body(&unit.script.body, &state);
        let Walker { commands, written, found, .. } = walker;
        out.commands = commands;
        out.written = written;
        out.bindings = bindings;
        out.functions = functions;
        let mut news = false;
        for (name, wrapper) in found {
            if let Some(function) = out.functions.get_mut(&name)
                && function.wrapper.is_none()
            {
                function.wrapper = Some(wrapper);
                news = true;
            }
        }
        if !news {
            break;
        }
    }
    out
}

struct Walker<'a> {
    unit: &'a Unit,
    id: UnitId,
    path: &'a Utf8Path,
    around: &'a Surroundings<'a>,
    bindings: &'a Bindings,
    functions: &'a BTreeMap<String, Function>,
    commands: Vec<Command>,
    written: Vec<(Value, Arc<Heredoc>, Place)>,
    found: Vec<(String, Wrapper)>,
    first_id: u32,
    order: u32,
    /// Bytes of text inside text read so far.
    nested: usize,
}

impl Walker<'_> {
    fn place(&self, span: Span) -> Place {
        Place::new(self.unit.place.file, span)
    }

    fn function(&self, name: &str) -> Option<&Function> {
        self.functions
            .get(name)
            .or_else(|| self.around.functions.iter().find_map(|functions| functions.get(name)))
    }

    fn scope<'s>(&'s self, function: Option<&'s str>) -> Scope<'s> {
        Scope::new(
            self.unit.place.file,
            self.path,
            self.bindings,
            &self.around.sourced,
            &self.unit.environment,
        )
        .at(self.order.saturating_add(1), function)
    }

    fn next_id(&self) -> CommandId {
        CommandId(self.first_id + u32::try_from(self.commands.len()).unwrap_or(u32::MAX))
    }

    fn body(&mut self, list: &[Stmt], state: &State) {
        if self.commands.len() > MOST_COMMANDS || state.depth > 200 {
            return;
        }
        let mut strict = state.strict;
        let inherited = state.fate.clone();
        for (index, stmt) in list.iter().enumerate() {
            update_strict(stmt, &mut strict);
            let is_last = index + 1 == list.len();
            // The last status of a list is the list's own; of the others a failure stops the script or nobody sees it.
            let fate =
                if strict.errexit && !matches!(inherited, Fate::Tested | Fate::Masked { .. } | Fate::Lost) {
                    Fate::Fatal
                } else if is_last {
                    inherited.clone()
                } else {
                    Fate::Unchecked
                };
            let state = State { strict, fate, depth: state.depth + 1, ..state.clone() };
            self.stmt(stmt, state);
        }
    }

    fn stmt(&mut self, stmt: &Stmt, mut state: State) {
        if state.depth > 200 {
            return;
        }
        if stmt.negated {
            state.fate = Fate::Tested;
        }
        state.background |= stmt.background;
        if stmt.background {
            state.fate = Fate::Lost;
        }
        let is_simple = matches!(stmt.kind, StmtKind::Simple(_));
        if !is_simple {
            self.redirects(stmt, &mut state);
        }
        match &stmt.kind {
            StmtKind::Simple(_) if is_nothing(stmt) => {}
            StmtKind::Simple(simple) => {
                if state.counts {
                    self.order += 1;
                }
                self.redirects(stmt, &mut state);
                self.simple(simple, stmt.span, state);
            }
            StmtKind::Pipeline(list) => self.pipeline(list, stmt.span, &state),
            StmtKind::And(left, right) => {
                let before = self.next_id();
                // A failure on the left side is decided by the list, and `set -e` does not see it.
                let left_fate = match &state.fate {
                    Fate::Fatal | Fate::Unchecked => Fate::Tested,
                    other => other.clone(),
                };
                self.stmt(left, state.with_fate(left_fate));
                self.chained(right, state, before, Some(left));
            }
            StmtKind::Or(left, right) => {
                let before = self.next_id();
                let fate = if self.leaves(right) {
                    Fate::Fatal
                } else if matches!(right.kind, StmtKind::Simple(_)) || !tests_only(right) {
                    Fate::Masked { handler: self.place(right.span) }
                } else {
                    Fate::Tested
                };
                self.stmt(left, state.with_fate(fate));
                self.chained(right, state, before, Some(left));
            }
            StmtKind::If { arms, otherwise } => {
                let mut guards = Vec::clone(&state.guards);
                for (condition, body) in arms {
                    let place = self.list_place(condition, stmt.span);
                    self.body(
                        condition,
                        &State { guards: Arc::new(guards.clone()), ..state.with_fate(Fate::Tested) },
                    );
                    let mut inner = guards.clone();
                    inner.push(Guard { condition: place, negated: false });
                    self.body(body, &State { guards: Arc::new(inner), ..state.clone() });
                    guards.push(Guard { condition: place, negated: true });
                }
                if let Some(body) = otherwise {
                    self.body(body, &State { guards: Arc::new(guards), ..state });
                }
            }
            StmtKind::Loop { condition, body, until } => {
                let place = self.list_place(condition, stmt.span);
                self.body(condition, &State { in_loop: true, ..state.with_fate(Fate::Tested) });
                Arc::make_mut(&mut state.guards).push(Guard { condition: place, negated: *until });
                self.body(body, &State { in_loop: true, ..state });
            }
            StmtKind::For { words, body, .. } => {
                if state.counts {
                    self.order += 1;
                }
                for word in words.iter().flatten() {
                    self.substitutions(&word.parts, &state, None);
                }
                self.body(body, &State { in_loop: true, ..state });
            }
            StmtKind::Case { subject, arms } => {
                self.substitutions(&subject.parts, &state, None);
                let place = self.place(subject.span);
                for arm in arms {
                    let mut inner = state.clone();
                    Arc::make_mut(&mut inner.guards).push(Guard { condition: place, negated: false });
                    self.body(&arm.body, &inner);
                }
            }
            StmtKind::Subshell(list) | StmtKind::Group(list) => self.body(list, &state),
            StmtKind::Test(words) => {
                for word in words {
                    self.substitutions(&word.parts, &state, None);
                }
            }
            StmtKind::Arithmetic => {}
            StmtKind::Function { name, body, .. } => {
                let function = Some(Arc::from(name.as_str()));
                // Where a function is called decides what a failure in it does; inside, `set -e` holds.
                let fate = if state.strict.errexit { Fate::Fatal } else { Fate::Unchecked };
                // The community scripts run this one function in the guest when its `update` command is typed there.
                let machine = if name == "update_script" { Machine::Guest } else { state.machine };
                let inner =
                    State { function, guards: Arc::default(), in_loop: false, fate, machine, ..state };
                self.body(body, &inner);
            }
        }
    }

    fn chained(&mut self, right: &Stmt, mut state: State, before: CommandId, left: Option<&Stmt>) {
        if let Some(left) = left {
            Arc::make_mut(&mut state.guards).push(Guard { condition: self.place(left.span), negated: false });
        }
        let first_right = self.commands.len();
        self.stmt(right, state);
        let has_left = before.0 < self.first_id + u32::try_from(first_right).unwrap_or(u32::MAX);
        if let (true, Some(command)) = (has_left, self.commands.get_mut(first_right)) {
            command.after = Some(before);
        }
    }

    fn list_place(&self, list: &[Stmt], fallback: Span) -> Place {
        let span = list.iter().map(|stmt| stmt.span).reduce(Span::cover).unwrap_or(fallback);
        self.place(span)
    }

    /// Whether a statement ends the script or function.
    fn leaves(&self, stmt: &Stmt) -> bool {
        match &stmt.kind {
            StmtKind::Simple(_) if is_nothing(stmt) => true,
            StmtKind::Simple(simple) => simple.words.first().is_some_and(|word| {
                let name = word.text();
                let fails = simple.words.get(1).is_none_or(|status| status.text() != "0");
                (matches!(name, "exit" | "return") && fails)
                    || matches!(name, "false" | "die" | "fatal" | "abort" | "continue" | "break")
                    || self.function(name).is_some_and(|function| function.exits)
            }),
            StmtKind::Group(list) | StmtKind::Subshell(list) => list.iter().any(|stmt| self.leaves(stmt)),
            StmtKind::And(left, right) | StmtKind::Or(left, right) => self.leaves(left) || self.leaves(right),
            _ => false,
        }
    }

    fn pipeline(&mut self, list: &[Stmt], span: Span, state: &State) {
        let length = list.len();
        let mut stdin: Option<Arc<Heredoc>> = None;
        for (index, stmt) in list.iter().enumerate() {
            let is_last = index + 1 == length;
            let fate = if is_last || state.strict.pipefail { state.fate.clone() } else { Fate::Lost };
            let inner = State {
                fate,
                pipeline: Some(PipelinePlace { span, index, length }),
                stdin: stdin.take().or_else(|| if index == 0 { state.stdin.clone() } else { None }),
                outputs: if is_last { state.outputs.clone() } else { Vec::new() },
                ..state.clone()
            };
            self.stmt(stmt, inner);
            stdin = passed_on(stmt);
        }
    }

    fn redirects(&mut self, stmt: &Stmt, state: &mut State) {
        for redirect in &stmt.redirects {
            let function = state.function.clone();
            let scope = self.scope(function.as_deref());
            let place = self.place(redirect.span);
            match &redirect.kind {
                RedirectKind::Write(word) | RedirectKind::Append(word) => {
                    let append = matches!(redirect.kind, RedirectKind::Append(_));
                    let target = scope.value(word);
                    state.outputs.push(Output { target, place, append, fd: redirect.fd.unwrap_or(1) });
                    self.substitutions(&word.parts, state, None);
                }
                RedirectKind::WriteBoth { target, append } => {
                    let value = scope.value(target);
                    for fd in [1, 2] {
                        state.outputs.push(Output { target: value.clone(), place, append: *append, fd });
                    }
                }
                RedirectKind::Duplicate(word) => {
                    // `2>&1` sends errors where output goes.
                    if redirect.fd == Some(2)
                        && word.text() == "1"
                        && let Some(output) =
                            state.outputs.iter().rev().find(|output| output.fd == 1).cloned()
                    {
                        state.outputs.push(Output { fd: 2, ..output });
                    }
                }
                RedirectKind::Heredoc(heredoc) => {
                    state.stdin = Some(heredoc.clone());
                    if !heredoc.quoted {
                        self.substitutions(&heredoc.parts, state, None);
                    }
                }
                RedirectKind::HereString(word) => {
                    state.here_string = Some(scope.value(word));
                    self.substitutions(&word.parts, state, None);
                }
                RedirectKind::Read(word) | RedirectKind::Other(word) => {
                    self.substitutions(&word.parts, state, None);
                }
            }
        }
    }

    /// Commands inside `$(…)` of words: they run on the same machine, and their status is mostly lost.
    fn substitutions(&mut self, parts: &[Part], state: &State, assigned_to: Option<(&str, bool)>) {
        for part in parts {
            match &part.kind {
                PartKind::Command(script) | PartKind::Process(script) => {
                    let fate = match assigned_to {
                        Some((_, true)) => state.fate.clone(),
                        _ => Fate::Lost,
                    };
                    let inner = State {
                        fate,
                        assigned_to: assigned_to.map(|(name, _)| Arc::from(name)),
                        pipeline: None,
                        outputs: Vec::new(),
                        stdin: None,
                        here_string: None,
                        counts: false,
                        carrier: Some(self.next_id()),
                        strict: Strict { errexit: false, ..state.strict },
                        depth: state.depth + 1,
                        ..state.clone()
                    };
                    self.body(&script.body, &inner);
                }
                PartKind::Parameter(parameter) => {
                    use shell::ParameterOp::{Alternate, Assign, Default, Error};
                    if let Default(word) | Assign(word) | Error(word) | Alternate(word) = &parameter.operation
                        && state.depth < 100
                    {
                        let inner = State { depth: state.depth + 1, ..state.clone() };
                        self.substitutions(&word.parts, &inner, assigned_to);
                    }
                }
                PartKind::Literal(_) | PartKind::Arithmetic(_) => {}
            }
        }
    }

    fn simple(&mut self, simple: &SimpleCommand, span: Span, state: State) {
        let function = state.function.clone();
        let program_word = simple.words.first().map(|word| word.text());
        let declares = matches!(program_word, Some("local" | "export" | "declare" | "readonly" | "typeset"));
        for assignment in &simple.assignments {
            let keeps_status = program_word.is_none();
            self.substitutions(
                &assignment.value.parts,
                &state,
                Some((&assignment.name, keeps_status && !declares)),
            );
            for element in assignment.elements.iter().flatten() {
                self.substitutions(&element.parts, &state, None);
            }
        }
        for word in &simple.words {
            self.substitutions(&word.parts, &state, None);
        }
        let (fields, assignments) = {
            let scope = self.scope(function.as_deref());
            let assignments = simple
                .assignments
                .iter()
                .map(|a| (a.name.clone(), scope.value(&a.value), self.place(a.span)))
                .collect::<Vec<_>>();
            (scope.fields(&simple.words), assignments)
        };
        self.command(fields, assignments, span, state);
    }

    /// Records a command and reads what it carries.
    fn command(
        &mut self,
        mut fields: Vec<Arg>,
        assignments: Vec<(String, Value, Place)>,
        span: Span,
        state: State,
    ) {
        if self.commands.len() > MOST_COMMANDS {
            return;
        }
        let program = if fields.is_empty() { None } else { Some(fields.remove(0)) };
        let program_text = program.as_ref().map(|arg| arg.value.text.clone()).unwrap_or_default();
        let name = Utf8Path::new(&program_text).file_name().unwrap_or(&program_text).to_owned();
        let place = match (&program, fields.last()) {
            (Some(first), Some(last)) => self.place(first.place.span.cover(last.place.span)),
            (Some(first), None) => first.place,
            (None, _) => self.place(span),
        };
        self.note_wrapper(&program_text, program.as_ref(), &state);
        let id = self.next_id();
        let what = carried(&name, &fields);
        let wrapper = match what {
            Some(_) => None,
            None => self.function(&name).and_then(|function| function.wrapper.clone()),
        };
        // Few commands are looked at again after they are recorded.
        let again = what.is_some() || wrapper.is_some() || state.stdin.is_some();
        let kept = if again { fields.clone() } else { Vec::new() };
        self.commands.push(Command {
            id,
            unit: self.id,
            place,
            program: name.clone(),
            args: fields,
            assignments,
            machine: state.machine,
            hops: state.hops.clone(),
            carrier: state.carrier,
            function: state.function.clone(),
            fate: state.fate.clone(),
            strict: state.strict,
            guards: state.guards.clone(),
            in_loop: state.in_loop,
            pipeline: state.pipeline,
            after: None,
            assigned_to: state.assigned_to.clone(),
            outputs: state.outputs.clone(),
            heredoc: state.stdin.clone(),
            here_string: state.here_string.clone(),
            background: state.background,
        });
        if state.hops.len() >= NESTING {
            return;
        }
        let hop_place = program.as_ref().map_or(place, |arg| arg.place);
        if let Some(what) = what {
            self.carry(what, &name, &kept, hop_place, id, state);
        } else if let Some(wrapper) = wrapper {
            self.through(&wrapper, &kept, hop_place, id, state);
        } else {
            self.note_written(&name, &kept, &state, place);
        }
    }

    fn carry(
        &mut self,
        what: Carried,
        name: &str,
        fields: &[Arg],
        place: Place,
        id: CommandId,
        state: State,
    ) {
        let mut hop = what.hop;
        if let HopKind::Ssh { password, .. } = &mut hop {
            *password = state.hops.last().is_some_and(|_| {
                self.commands.iter().rev().nth(1).is_some_and(|carrier| carrier.program == "sshpass")
            });
        }
        let machine = match &hop {
            HopKind::Ssh { target, .. } => self.around.target.map_or(Machine::Guest, |decide| decide(target)),
            HopKind::Lxc { .. } | HopKind::GuestAgent { .. } => Machine::Guest,
            HopKind::Container { .. } => Machine::Container,
            HopKind::Root | HopKind::Shell | HopKind::Wrapper => state.machine,
        };
        let same_machine = matches!(hop, HopKind::Root | HopKind::Shell | HopKind::Wrapper);
        let is_trap = name == "trap";
        let mut hops = state.hops.clone();
        Arc::make_mut(&mut hops).push(Hop { kind: hop, place });
        let mut inner = State {
            machine,
            hops,
            carrier: Some(id),
            counts: false,
            outputs: if same_machine { state.outputs.clone() } else { Vec::new() },
            depth: state.depth + 1,
            ..state
        };
        if is_trap {
            inner.fate = Fate::Unchecked;
        }
        match what.cargo {
            Cargo::Words(first) => {
                let rest = fields.get(first..).unwrap_or_default().to_vec();
                let span = rest.iter().map(|arg| arg.place.span).reduce(Span::cover).unwrap_or(place.span);
                self.command(rest, Vec::new(), span, inner);
            }
            Cargo::Joined(first) => {
                let words: Vec<&Word> =
                    fields.get(first..).unwrap_or_default().iter().map(|arg| arg.word.as_ref()).collect();
                if let Some((layer, outer)) = shell::join(&words) {
                    self.nested(&layer, &outer, inner);
                }
            }
            Cargo::Text(index) => {
                if let Some(arg) = fields.get(index) {
                    self.nested(&arg.word.decoded.clone(), &arg.word.outer.clone(), inner);
                }
            }
            Cargo::Stdin => {
                if let Some(heredoc) = inner.stdin.take() {
                    let outer = heredoc.outer.clone();
                    self.nested(&heredoc.body.clone(), &outer, inner);
                }
            }
        }
    }

    fn nested(&mut self, layer: &Layer, outer: &[OuterExpansion], state: State) {
        self.nested = self.nested.saturating_add(layer.text().len());
        if self.nested > MOST_NESTED {
            return;
        }
        let script = shell::parse_nested(layer, outer);
        let strict = Strict::default();
        // What the far shell does with a failure inside is its own affair; the last status is the carrier's.
        let single = script.body.len() == 1;
        let state =
            State { strict, stdin: if single { state.stdin.clone() } else { None }, pipeline: None, ..state };
        self.body(&script.body, &state);
    }

    /// A call of a function that hands its arguments on.
    fn through(&mut self, wrapper: &Wrapper, fields: &[Arg], place: Place, id: CommandId, state: State) {
        let mut hops = state.hops.clone();
        Arc::make_mut(&mut hops).extend(wrapper.hops.iter().cloned());
        let inner = State {
            machine: wrapper.machine,
            hops,
            carrier: Some(id),
            counts: false,
            outputs: Vec::new(),
            depth: state.depth + 1,
            ..state
        };
        let rest = fields.get(wrapper.first..).unwrap_or_default();
        if rest.is_empty() {
            return;
        }
        if wrapper.text {
            let words: Vec<&Word> = rest.iter().map(|arg| arg.word.as_ref()).collect();
            if let Some((layer, outer)) = shell::join(&words) {
                self.nested(&layer, &outer, inner);
            }
        } else {
            let span = rest.iter().map(|arg| arg.place.span).reduce(Span::cover).unwrap_or(place.span);
            self.command(rest.to_vec(), Vec::new(), span, inner);
        }
    }

    /// Notes that the current function is a wrapper when the program of a carried command is its argument.
    fn note_wrapper(&mut self, program: &str, word: Option<&Arg>, state: &State) {
        let Some(function) = state.function.as_deref() else { return };
        if state.hops.is_empty() {
            return;
        }
        let argument = program.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).filter(|name| {
            matches!(*name, "@" | "*") || name.bytes().all(|b| b.is_ascii_digit()) || name.ends_with("[@]")
        });
        let Some(argument) = argument else { return };
        let shifted = self.shifts(function);
        let first = argument.parse::<usize>().map_or(shifted, |n| n.saturating_sub(1) + shifted);
        let is_quoted_list = word.is_some_and(|arg| arg.quoted) && argument == "@";
        let text =
            state.hops.iter().rev().find(|hop| hop.kind != HopKind::Wrapper).is_some_and(|hop| {
                hop.kind.reads_shell_text() || (!is_quoted_list && hop.kind == HopKind::Root)
            });
        self.found.push((
            function.to_owned(),
            Wrapper { hops: Vec::clone(&state.hops), machine: state.machine, first, text },
        ));
    }

    /// How many arguments a function shifts away or names before it passes the rest on.
    fn shifts(&self, function: &str) -> usize {
        self.commands
            .iter()
            .filter(|command| command.function.as_deref() == Some(function) && command.program == "shift")
            .map(|command| command.arg(0).and_then(|count| count.parse().ok()).unwrap_or(1))
            .sum()
    }

    fn note_written(&mut self, name: &str, fields: &[Arg], state: &State, place: Place) {
        let Some(heredoc) = &state.stdin else { return };
        if !heredoc.body.text().starts_with("#!") {
            return;
        }
        let target = match name {
            "cat" => state.outputs.iter().find(|output| output.fd == 1).map(|output| output.target.clone()),
            "tee" => fields.iter().find(|arg| !arg.value.text.starts_with('-')).map(|arg| arg.value.clone()),
            _ => None,
        };
        if let Some(target) = target {
            self.written.push((target, heredoc.clone(), place));
        }
    }
}

/// Whether a statement only tests something (`[ … ]`, `grep -q`).
fn tests_only(stmt: &Stmt) -> bool {
    matches!(stmt.kind, StmtKind::Test(_))
}

/// What a statement of a pipeline hands to the next one, where it is fixed text.
fn passed_on(stmt: &Stmt) -> Option<Arc<Heredoc>> {
    let StmtKind::Simple(simple) = &stmt.kind else { return None };
    if simple.words.first()?.text() != "cat" || simple.words.len() > 1 {
        return None;
    }
    stmt.redirects.iter().find_map(|redirect| match &redirect.kind {
        RedirectKind::Heredoc(heredoc) => Some(heredoc.clone()),
        _ => None,
    })
}
