//! Python expressions as shell text: what is known becomes `${NAME}`, which the program's own assignments define.

use std::collections::BTreeMap;

use plimsoll_syntax::python::{Expr, ExprKind, StrPart};
use plimsoll_syntax::shell::{self, StmtKind, Word};
use plimsoll_text::{Layer, LayerBuilder};

/// Names followed through names beyond which nothing is followed.
const DEPTH: u8 = 6;

/// What names stand for in one module.
pub(super) struct Names<'a, 'b> {
    pub(super) layer: &'b Layer,
    /// Values by the name they are assigned to, in source order; attributes (`self.host`) by their last part.
    pub(super) assigned: BTreeMap<&'a str, Vec<&'b Expr<'a>>>,
}

impl<'a, 'b> Names<'a, 'b> {
    /// What a name stands for where it is used: the last assignment before, else the first one.
    pub(super) fn follow(&self, value: &'b Expr<'a>) -> &'b Expr<'a> {
        let mut value = value;
        for _ in 0..DEPTH {
            let Some(next) = self.next(value) else { break };
            value = next;
        }
        value
    }

    fn next(&self, value: &'b Expr<'a>) -> Option<&'b Expr<'a>> {
        let (ExprKind::Name(name) | ExprKind::Attribute(_, name)) = &value.kind else {
            return None;
        };
        let all = self.assigned.get(name)?;
        let start = value.place.span.start;
        all.iter().rev().find(|one| one.place.span.end <= start).or_else(|| all.first()).copied()
    }

    /// The text of an expression as a shell would read it.
    pub(super) fn text(&self, value: &'b Expr<'a>) -> Layer {
        let at = value.place.span.range();
        let mut builder = LayerBuilder::new(self.layer, at.start);
        self.write(value, &mut builder, 0);
        builder.finish()
    }

    fn write(&self, value: &'b Expr<'a>, out: &mut LayerBuilder<'_>, depth: u8) {
        let range = value.place.span.range();
        if depth > DEPTH {
            out.verbatim(range);
            return;
        }
        match &value.kind {
            ExprKind::String(string) => {
                let plain = string.layer(self.layer);
                if !string.parts.iter().any(|part| matches!(part, StrPart::Expr(..))) {
                    out.layer(&plain);
                    return;
                }
                // Decoded pieces and interpolations in turn.
                let mut done = 0;
                for part in &string.parts {
                    match part {
                        StrPart::Literal(text, _) => {
                            out.layer(&plain.slice(done..done + text.len()));
                            done += text.len();
                        }
                        StrPart::Expr(inner, written) => {
                            self.hole(inner, written.clone(), out, depth);
                            done += written.len();
                        }
                    }
                }
            }
            ExprKind::Operation("+", parts) => {
                for part in parts {
                    self.write(part, out, depth + 1);
                }
            }
            ExprKind::Name(_) | ExprKind::Attribute(..) => self.hole(value, range, out, depth),
            ExprKind::Call(..) | ExprKind::Subscript(..) => match (unwrapped(value), environment(value)) {
                (Some(inner), _) => self.write(inner, out, depth + 1),
                (None, Some(parameter)) => out.decoded(&parameter, range),
                (None, None) => out.verbatim(range),
            },
            _ => out.verbatim(range),
        }
    }

    /// A name becomes `${NAME}` when the module says what it is.
    fn hole(
        &self,
        value: &'b Expr<'a>,
        written: std::ops::Range<usize>,
        out: &mut LayerBuilder<'_>,
        depth: u8,
    ) {
        let inner = unwrapped(value).unwrap_or(value);
        let (ExprKind::Name(name) | ExprKind::Attribute(_, name)) = &inner.kind else {
            match environment(inner) {
                Some(parameter) => out.decoded(&parameter, written),
                None if matches!(inner.kind, ExprKind::String(_)) => self.write(inner, out, depth + 1),
                None => out.verbatim(written),
            }
            return;
        };
        let known = self.next(inner).is_some_and(|value| is_text(unwrapped(value).unwrap_or(value)));
        if known {
            out.decoded(&format!("${{{name}}}"), written);
        } else {
            out.verbatim(written);
        }
    }

    /// An expression as one word of a command.
    pub(super) fn word(&self, value: &'b Expr<'a>) -> Word {
        quoted(&self.text(value))
    }

    /// The text that `base64.b64encode` hides, when that is what a name or call stands for.
    pub(super) fn encoded(&self, value: &'b Expr<'a>) -> Option<Layer> {
        let mut value = self.follow(value);
        for _ in 0..DEPTH {
            let (function, arguments) = value.as_call()?;
            let first = arguments.first().map(|argument| &argument.value);
            match function.last_name()? {
                "b64encode" | "standard_b64encode" => {
                    let inner = self.follow(first?);
                    let inner = self.follow(unwrapped(inner).unwrap_or(inner));
                    return is_text(inner).then(|| self.text(inner));
                }
                "decode" | "strip" | "str" => {
                    value = match &function.kind {
                        ExprKind::Attribute(inner, _) => self.follow(inner),
                        _ => self.follow(first?),
                    };
                }
                _ => return None,
            }
        }
        None
    }
}

/// Whether an expression is text that can be read.
pub(super) fn is_text(value: &Expr<'_>) -> bool {
    match &value.kind {
        ExprKind::String(_) | ExprKind::Number(_) => true,
        ExprKind::Operation("+", parts) => parts.iter().any(is_text),
        ExprKind::Call(..) => unwrapped(value).is_some_and(is_text) || environment(value).is_some(),
        ExprKind::Subscript(..) => environment(value).is_some(),
        _ => false,
    }
}

/// The expression inside calls that keep the text (`.encode()`, `textwrap.dedent(…)`, `str(…)`).
fn unwrapped<'a, 'b>(value: &'b Expr<'a>) -> Option<&'b Expr<'a>> {
    let (function, arguments) = value.as_call()?;
    match (&function.kind, function.last_name()?) {
        (ExprKind::Attribute(inner, _), "encode" | "decode" | "strip" | "format" | "rstrip" | "lstrip") => {
            Some(inner)
        }
        (_, "dedent" | "str" | "quote" | "Path" | "int") => arguments.first().map(|argument| &argument.value),
        _ => None,
    }
}

/// `os.environ["X"]`, `os.getenv("X", "default")` as a shell parameter.
fn environment(value: &Expr<'_>) -> Option<String> {
    match &value.kind {
        ExprKind::Subscript(function, index) if function.last_name() == Some("environ") => {
            Some(format!("${{{}}}", index.as_str()?))
        }
        ExprKind::Call(function, _) => {
            let is_read = function.last_name() == Some("getenv")
                || function.dotted().is_some_and(|path| path.ends_with("environ.get"));
            let name = value.positional(0).filter(|_| is_read)?.as_str()?;
            match value.positional(1).and_then(Expr::as_str).filter(|text| !text.contains(['"', '}'])) {
                Some(default) => Some(format!("${{{name}:-{default}}}")),
                None => Some(format!("${{{name}}}")),
            }
        }
        _ => None,
    }
}

/// A word whose parameters a shell would expand and whose other text it would leave alone.
pub(super) fn quoted(text: &Layer) -> Word {
    let plain = || shell::literal_word(text);
    if !text.text().contains("${") || text.text().contains(['"', '`', '\\']) {
        return plain();
    }
    let mut builder = LayerBuilder::new(text, 0);
    builder.decoded("\"", 0..0);
    builder.layer(text);
    builder.decoded("\"", text.text().len()..text.text().len());
    let script = shell::parse(&builder.finish());
    match script.body.as_slice() {
        [stmt] => match &stmt.kind {
            StmtKind::Simple(simple) if simple.words.len() == 1 && simple.assignments.is_empty() => {
                simple.words.first().map_or_else(plain, |word| Word::clone(word))
            }
            _ => plain(),
        },
        _ => plain(),
    }
}
