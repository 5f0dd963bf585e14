//! From words to values.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_syntax::shell::{Parameter, ParameterOp, Part, PartKind, Quote, Script, StmtKind, Visit, Word};
use plimsoll_text::{FileId, Place, Span};

use super::bindings::{Bindings, Bound};
use super::{Arg, Source, Value};

/// Nesting of variables in variables beyond which a value counts as unknown.
const DEPTH: u8 = 10;
/// Longer values are not followed further; nothing we look for is longer.
const LONGEST: usize = 16 * 1024;

/// Values that come from more places are not followed further: variables that double at each step would take for ever.
const MOST_SOURCES: usize = 64;

/// What words are evaluated against.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) file: FileId,
    /// Path of the script, for `$0` and `${BASH_SOURCE[0]}`.
    pub(super) script: &'a Utf8Path,
    pub(super) own: &'a Bindings,
    /// Bindings of sourced files, nearest first.
    pub(super) sourced: &'a [&'a Bindings],
    pub(super) environment: &'a [(String, Value, Place)],
    pub(super) order: u32,
    pub(super) function: Option<&'a str>,
    depth: u8,
}

impl<'a> Scope<'a> {
    pub(super) fn new(
        file: FileId,
        script: &'a Utf8Path,
        own: &'a Bindings,
        sourced: &'a [&'a Bindings],
        environment: &'a [(String, Value, Place)],
    ) -> Self {
        Self { file, script, own, sourced, environment, order: u32::MAX, function: None, depth: 0 }
    }

    pub(super) fn at(mut self, order: u32, function: Option<&'a str>) -> Self {
        self.order = order;
        self.function = function;
        self
    }

    fn deeper(mut self) -> Option<Self> {
        self.depth += 1;
        (self.depth < DEPTH).then_some(self)
    }

    fn place(&self, span: Span) -> Place {
        Place::new(self.file, span)
    }

    /// What a word stands for.
    pub(super) fn value(&self, word: &Word) -> Value {
        self.parts(&word.parts)
    }

    /// What the parts of a word or heredoc stand for.
    pub(super) fn parts(&self, parts: &[Part]) -> Value {
        let mut value = Value::default();
        for part in parts {
            if value.text.len() > LONGEST || value.sources.len() > MOST_SOURCES {
                break;
            }
            match &part.kind {
                PartKind::Literal(text) => value.text.push_str(text),
                PartKind::Parameter(parameter) => value.push(self.parameter(parameter, part.span)),
                PartKind::Command(script) | PartKind::Process(script) => {
                    value.push(self.output(script, part.span));
                }
                PartKind::Arithmetic(text) => {
                    value.push(Value {
                        text: format!("$(({text}))"),
                        sources: vec![Source::Output { text: text.clone(), place: self.place(part.span) }],
                    });
                }
            }
        }
        value
    }

    fn parameter(&self, parameter: &Parameter, span: Span) -> Value {
        let name = parameter.name.as_str();
        match &parameter.operation {
            ParameterOp::Default(word) | ParameterOp::Assign(word) => {
                if let Some(value) = self.variable(name).filter(|value| !value.text.is_empty()) {
                    return value;
                }
                let default = self.deeper().map(|scope| scope.value(word)).unwrap_or_default();
                let mut sources = vec![if is_positional(name) {
                    Source::Argument { name: name.to_owned() }
                } else {
                    Source::Default { name: name.to_owned(), place: self.place(word.span) }
                }];
                if default.text.is_empty() {
                    let source = if is_positional(name) {
                        None
                    } else {
                        Some(Source::Environment { name: name.to_owned() })
                    };
                    return Value {
                        text: format!("${{{name}}}"),
                        sources: source.map_or(sources, |source| vec![source]),
                    };
                }
                sources.extend(default.sources);
                Value { text: default.text, sources }
            }
            ParameterOp::Alternate(word) => self.deeper().map(|scope| scope.value(word)).unwrap_or_default(),
            ParameterOp::Other(written) => {
                let known = self.variable(name);
                match known {
                    // An operation that we do not compute: the origin is known, the text is not.
                    Some(value) if !written.ends_with("[0]") => {
                        Value { text: format!("${{{written}}}"), sources: value.sources }
                    }
                    Some(value) => value,
                    None if name == "BASH_SOURCE" => Value::literal(self.script.as_str()),
                    None => unknown(name),
                }
            }
            ParameterOp::None | ParameterOp::Error(_) | ParameterOp::Quoted => {
                let _ = span;
                self.variable(name).unwrap_or_else(|| unknown(name))
            }
        }
    }

    /// The value of a variable, when the files assign it.
    pub(super) fn variable(&self, name: &str) -> Option<Value> {
        if name == "0" || name == "BASH_SOURCE" {
            return Some(Value::literal(self.script.as_str()));
        }
        if is_positional(name) {
            return None;
        }
        let scope = self.deeper()?;
        if let Some(binding) = self.own.visible(name, self.order, self.function) {
            let scope = scope.at(binding.order, binding.function.as_deref());
            let mut value = scope.bound(&binding.bound, name);
            if binding.append {
                let earlier = scope.variable(name).unwrap_or_default();
                value = Value { text: format!("{}{}", earlier.text, value.text), sources: value.sources };
            }
            value.sources.insert(0, Source::Assigned { name: name.to_owned(), place: binding.place });
            return Some(value);
        }
        for bindings in self.sourced {
            if let Some(binding) = bindings.visible(name, u32::MAX, None) {
                let scope = Scope { own: bindings, file: binding.place.file, ..scope }
                    .at(binding.order, binding.function.as_deref());
                let mut value = scope.bound(&binding.bound, name);
                value.sources.insert(0, Source::Assigned { name: name.to_owned(), place: binding.place });
                return Some(value);
            }
        }
        let (_, value, place) = self.environment.iter().find(|(key, ..)| key == name)?;
        let mut value = value.clone();
        value.sources.insert(0, Source::Assigned { name: name.to_owned(), place: *place });
        Some(value)
    }

    fn bound(&self, bound: &Bound, name: &str) -> Value {
        match bound {
            Bound::Word(word) => self.value(word),
            Bound::Array(words) | Bound::Each(words) => {
                words.first().map_or_else(|| unknown(name), |word| self.value(word))
            }
            Bound::Input => {
                Value { text: format!("${{{name}}}"), sources: vec![Source::Input { name: name.to_owned() }] }
            }
            Bound::Value(value) => value.clone(),
        }
    }

    /// The output of a command substitution, where files tell it.
    fn output(&self, script: &Script, span: Span) -> Value {
        if let Some(value) = self.deeper().and_then(|scope| scope.known_output(script)) {
            return value;
        }
        let place = self.place(span);
        let text = "$(…)".to_owned();
        let mut sources = vec![Source::Output { text: first_program(script), place }];
        // What goes into the command decides what comes out.
        plimsoll_syntax::shell::walk_words(script, &mut |visit| {
            let Visit::Word(word) = visit else { return };
            for part in &word.parts {
                if let PartKind::Parameter(parameter) = &part.kind
                    && let Some(value) = self.deeper().and_then(|scope| scope.variable(&parameter.name))
                {
                    sources
                        .extend(value.sources.into_iter().filter(|s| !matches!(s, Source::Assigned { .. })));
                }
            }
        });
        Value { text, sources }
    }

    fn known_output(&self, script: &Script) -> Option<Value> {
        let [stmt] = script.body.as_slice() else { return None };
        match &stmt.kind {
            StmtKind::And(left, right) => {
                let (StmtKind::Simple(left), StmtKind::Simple(right)) = (&left.kind, &right.kind) else {
                    return None;
                };
                let is_cd = left.words.first()?.text() == "cd";
                let is_pwd = right.words.first()?.text() == "pwd";
                let folder = left.words.get(1..)?.iter().find(|word| !word.text().starts_with('-'))?;
                (is_cd && is_pwd).then(|| tidy(self.value(folder)))
            }
            StmtKind::Simple(simple) => {
                let program = simple.words.first()?.text();
                let operand = simple.words.get(1..)?.iter().rfind(|word| !word.text().starts_with('-'));
                match program {
                    "dirname" => {
                        let value = self.value(operand?);
                        let parent = Utf8Path::new(&value.text).parent().map(Utf8Path::as_str).unwrap_or(".");
                        let parent = if parent.is_empty() { "." } else { parent };
                        Some(Value { text: parent.to_owned(), sources: value.sources })
                    }
                    "realpath" | "readlink" => Some(tidy(self.value(operand?))),
                    "basename" => {
                        let value = self.value(operand?);
                        let name = Utf8Path::new(&value.text).file_name().unwrap_or(&value.text).to_owned();
                        Some(Value { text: name, sources: value.sources })
                    }
                    "git" if simple.words.iter().any(|word| word.text() == "--show-toplevel") => {
                        Some(Value::literal("."))
                    }
                    "echo" | "printf" if simple.words.len() == 2 => Some(self.value(operand?)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The fields that words give: arrays are spread, and an unquoted variable is split at blanks.
    pub(super) fn fields(&self, words: &[Arc<Word>]) -> Vec<Arg> {
        let mut args = Vec::with_capacity(words.len());
        for word in words {
            self.field(word, &mut args, 0);
        }
        args
    }

    fn field(&self, word: &Arc<Word>, args: &mut Vec<Arg>, depth: u8) {
        let place = self.place(word.span);
        if let [Part { kind: PartKind::Parameter(parameter), quote, .. }] = word.parts.as_slice() {
            let is_list = match &parameter.operation {
                ParameterOp::Other(written) => written.contains("[@]") || written.contains("[*]"),
                ParameterOp::None => *quote == Quote::None,
                _ => false,
            };
            if is_list && depth < DEPTH {
                let elements = self.own.elements(&parameter.name, self.order, self.function).or_else(|| {
                    self.sourced
                        .iter()
                        .find_map(|bindings| bindings.elements(&parameter.name, u32::MAX, None))
                });
                if let Some(elements) = elements {
                    for element in elements.iter().take(200) {
                        self.field(element, args, depth + 1);
                    }
                    return;
                }
            }
            if *quote == Quote::None {
                let value = self.value(word);
                if value.text.contains(char::is_whitespace) && !value.text.contains("$(…)") {
                    for piece in split_fields(&value.text) {
                        let value = Value { text: piece, sources: value.sources.clone() };
                        args.push(Arg { value, place, quoted: false, word: word.clone() });
                    }
                    return;
                }
            }
        }
        let quoted = word.is_quoted() || word.literal().is_some();
        args.push(Arg { value: self.value(word), place, quoted, word: word.clone() });
    }
}

fn is_positional(name: &str) -> bool {
    matches!(name, "@" | "*") || (!name.is_empty() && name != "0" && name.bytes().all(|b| b.is_ascii_digit()))
}

fn unknown(name: &str) -> Value {
    let source = if is_positional(name) {
        Source::Argument { name: name.to_owned() }
    } else {
        Source::Environment { name: name.to_owned() }
    };
    Value { text: format!("${{{name}}}"), sources: vec![source] }
}

/// Splits at blanks; quotes in the value are plain characters to a shell, but the people who write
/// `SSH="ssh -o 'x y'"` mean them, so they are honoured.
fn split_fields(text: &str) -> Vec<String> {
    text.split_whitespace().map(|piece| piece.trim_matches(['"', '\'']).to_owned()).collect()
}

fn tidy(value: Value) -> Value {
    let absolute = value.text.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in value.text.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != ".." && !last.starts_with('$')) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    let text = if absolute {
        format!("/{joined}")
    } else if joined.is_empty() {
        ".".to_owned()
    } else {
        Utf8PathBuf::from(joined).into_string()
    };
    Value { text, sources: value.sources }
}

/// The first program of a script, as a name for its output.
fn first_program(script: &Script) -> String {
    let mut name = String::new();
    plimsoll_syntax::shell::walk(&script.body, &mut |stmt| {
        if name.is_empty()
            && let StmtKind::Simple(simple) = &stmt.kind
            && let Some(word) = simple.words.first()
        {
            name = word.text().to_owned();
        }
    });
    name
}
