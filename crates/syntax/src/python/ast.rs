//! The tree. It borrows from the layer that it was read from.

use std::borrow::Cow;
use std::ops::Range;

use plimsoll_text::{Layer, LayerBuilder, Place, SyntaxError};

/// A source file.
#[derive(Clone, Debug, Default)]
pub struct Module<'a> {
    /// The statements at the top level.
    pub body: Vec<Statement<'a>>,
    /// What could not be read.
    pub errors: Vec<SyntaxError>,
}

/// A statement.
#[derive(Clone, Debug)]
pub struct Statement<'a> {
    /// What it is.
    pub kind: StatementKind<'a>,
    /// Its first line for a definition or block, all of it otherwise.
    pub place: Place,
}

/// The kinds of statements.
#[derive(Clone, Debug)]
pub enum StatementKind<'a> {
    /// `import a.b` and `from a import b`.
    Import(Vec<Imported<'a>>),
    /// `def`.
    Function {
        /// Its name.
        name: &'a str,
        /// Its decorators, without `@`.
        decorators: Vec<Expr<'a>>,
        /// Its parameters.
        parameters: Vec<Parameter<'a>>,
        /// Its body.
        body: Vec<Statement<'a>>,
    },
    /// `class`.
    Class {
        /// Its name.
        name: &'a str,
        /// Its decorators, without `@`.
        decorators: Vec<Expr<'a>>,
        /// Its bases and keyword arguments.
        bases: Vec<Argument<'a>>,
        /// Its body.
        body: Vec<Statement<'a>>,
    },
    /// `a = b = value`, `a: type = value`, `a += value`.
    Assign {
        /// What is assigned to.
        targets: Vec<Expr<'a>>,
        /// The annotation.
        annotation: Option<Expr<'a>>,
        /// The value.
        value: Option<Expr<'a>>,
        /// Whether the value is combined with the old one.
        augmented: bool,
    },
    /// An expression.
    Expression(Expr<'a>),
    /// `return`.
    Return(Option<Expr<'a>>),
    /// `raise`.
    Raise(Option<Expr<'a>>),
    /// `if`, `elif`, `else`, `for`, `while`, `with`, `try`, `except`, `finally`, `match`, `case`.
    Block {
        /// The keyword.
        keyword: &'a str,
        /// The expressions between keyword and colon.
        header: Vec<Expr<'a>>,
        /// Its body.
        body: Vec<Statement<'a>>,
    },
    /// Any other statement with its expressions.
    Other(&'a str, Vec<Expr<'a>>),
}

/// A name that an import binds.
#[derive(Clone, Debug)]
pub struct Imported<'a> {
    /// The module, dots as written.
    pub module: &'a str,
    /// The name taken from it by `from`.
    pub name: Option<&'a str>,
    /// The name after `as`.
    pub alias: Option<&'a str>,
    /// The name or module as written.
    pub place: Place,
}

/// A parameter of a function.
#[derive(Clone, Debug)]
pub struct Parameter<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its annotation.
    pub annotation: Option<Expr<'a>>,
    /// Its default.
    pub default: Option<Expr<'a>>,
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr<'a> {
    /// What it is.
    pub kind: ExprKind<'a>,
    /// All of it.
    pub place: Place,
}

/// The kinds of expressions.
#[derive(Clone, Debug)]
pub enum ExprKind<'a> {
    /// A name; `True`, `False` and `None` too.
    Name(&'a str),
    /// `value.name`.
    Attribute(Box<Expr<'a>>, &'a str),
    /// `function(arguments)`.
    Call(Box<Expr<'a>>, Vec<Argument<'a>>),
    /// `value[index]`.
    Subscript(Box<Expr<'a>>, Box<Expr<'a>>),
    /// A string, also one of several pieces.
    String(Str<'a>),
    /// A number as written.
    Number(&'a str),
    /// `[…]`.
    List(Vec<Expr<'a>>),
    /// `(a, b)` or `a, b`.
    Tuple(Vec<Expr<'a>>),
    /// `{a, b}`.
    Set(Vec<Expr<'a>>),
    /// `{key: value}`; an entry without a key is `**value`.
    Dict(Vec<(Option<Expr<'a>>, Expr<'a>)>),
    /// `a + b`, `a or b`, `not a`, `a if b else c` (operator `if`, operands in source order), `await a`.
    Operation(&'a str, Vec<Expr<'a>>),
    /// Comprehensions, lambdas, slices and what is not understood, with the expressions in it.
    Other(Vec<Expr<'a>>),
}

/// An argument of a call.
#[derive(Clone, Debug)]
pub struct Argument<'a> {
    /// The keyword; `*` or `**` for an unpacked value.
    pub name: Option<&'a str>,
    /// The value.
    pub value: Expr<'a>,
}

/// A string with its pieces joined.
#[derive(Clone, Debug)]
pub struct Str<'a> {
    /// Its parts in order.
    pub parts: Vec<StrPart<'a>>,
}

/// A part of a string.
#[derive(Clone, Debug)]
pub enum StrPart<'a> {
    /// Fixed text, decoded, and the bytes of the reader's layer that it came from.
    Literal(Cow<'a, str>, Range<usize>),
    /// `{expression}` of an f-string, and its bytes in the reader's layer, braces included.
    Expr(Box<Expr<'a>>, Range<usize>),
}

impl<'a> Str<'a> {
    /// The text when nothing is interpolated.
    #[must_use]
    pub fn literal(&self) -> Option<Cow<'a, str>> {
        match self.parts.as_slice() {
            [] => Some(Cow::Borrowed("")),
            [StrPart::Literal(text, _)] => Some(text.clone()),
            parts => {
                let mut out = String::new();
                for part in parts {
                    let StrPart::Literal(text, _) = part else { return None };
                    out.push_str(text);
                }
                Some(Cow::Owned(out))
            }
        }
    }

    /// The decoded text with positions, interpolations as written. `layer` is the one that was read.
    #[must_use]
    pub fn layer(&self, layer: &Layer) -> Layer {
        let start = match self.parts.first() {
            Some(StrPart::Literal(_, range) | StrPart::Expr(_, range)) => range.start,
            None => 0,
        };
        let mut builder = LayerBuilder::new(layer, start);
        for part in &self.parts {
            match part {
                StrPart::Literal(Cow::Borrowed(_), range) | StrPart::Expr(_, range) => {
                    builder.verbatim(range.clone());
                }
                StrPart::Literal(Cow::Owned(_), range) => {
                    super::string::decode_into(&mut builder, layer.text(), range.clone());
                }
            }
        }
        builder.finish()
    }
}

impl<'a> Expr<'a> {
    /// Whether it is a dotted name such as `os.environ`.
    #[must_use]
    pub fn is(&self, path: &str) -> bool {
        match &self.kind {
            ExprKind::Name(name) => *name == path,
            ExprKind::Attribute(value, name) => {
                path.rsplit_once('.').is_some_and(|(before, last)| last == *name && value.is(before))
            }
            _ => false,
        }
    }

    /// The dotted name; calls and subscripts on the way give nothing.
    #[must_use]
    pub fn dotted(&self) -> Option<String> {
        match &self.kind {
            ExprKind::Name(name) => Some((*name).to_owned()),
            ExprKind::Attribute(value, name) => Some(format!("{}.{name}", value.dotted()?)),
            _ => None,
        }
    }

    /// The last name of a dotted name or of what is called.
    #[must_use]
    pub fn last_name(&self) -> Option<&'a str> {
        match &self.kind {
            ExprKind::Name(name) | ExprKind::Attribute(_, name) => Some(name),
            ExprKind::Call(function, _) => function.last_name(),
            _ => None,
        }
    }

    /// The text of a string without interpolations.
    #[must_use]
    pub fn as_str(&self) -> Option<Cow<'a, str>> {
        match &self.kind {
            ExprKind::String(string) => string.literal(),
            _ => None,
        }
    }

    /// `True` or `False`.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match &self.kind {
            ExprKind::Name("True") => Some(true),
            ExprKind::Name("False") => Some(false),
            _ => None,
        }
    }

    /// A whole number.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        match &self.kind {
            ExprKind::Number(text) => text.replace('_', "").parse().ok(),
            _ => None,
        }
    }

    /// The items of a list, tuple or set; none for other kinds.
    #[must_use]
    pub fn items(&self) -> &[Expr<'a>] {
        match &self.kind {
            ExprKind::List(items) | ExprKind::Tuple(items) | ExprKind::Set(items) => items,
            _ => &[],
        }
    }

    /// The function and arguments of a call.
    #[must_use]
    pub fn as_call(&self) -> Option<(&Expr<'a>, &[Argument<'a>])> {
        match &self.kind {
            ExprKind::Call(function, arguments) => Some((function, arguments)),
            _ => None,
        }
    }

    /// The keyword argument of a call.
    #[must_use]
    pub fn keyword(&self, name: &str) -> Option<&Expr<'a>> {
        let (_, arguments) = self.as_call()?;
        arguments.iter().find(|argument| argument.name == Some(name)).map(|argument| &argument.value)
    }

    /// The positional argument of a call.
    #[must_use]
    pub fn positional(&self, index: usize) -> Option<&Expr<'a>> {
        let (_, arguments) = self.as_call()?;
        arguments.iter().filter(|argument| argument.name.is_none()).nth(index).map(|argument| &argument.value)
    }

    /// The expressions directly inside.
    #[must_use]
    pub fn children(&self) -> Vec<&Expr<'a>> {
        match &self.kind {
            ExprKind::Name(_) | ExprKind::Number(_) => Vec::new(),
            ExprKind::Attribute(value, _) => vec![value],
            ExprKind::Subscript(value, index) => vec![value, index],
            ExprKind::Call(function, arguments) => {
                std::iter::once(&**function).chain(arguments.iter().map(|argument| &argument.value)).collect()
            }
            ExprKind::String(string) => string
                .parts
                .iter()
                .filter_map(|part| match part {
                    StrPart::Expr(inner, _) => Some(&**inner),
                    StrPart::Literal(..) => None,
                })
                .collect(),
            ExprKind::List(items)
            | ExprKind::Tuple(items)
            | ExprKind::Set(items)
            | ExprKind::Operation(_, items)
            | ExprKind::Other(items) => items.iter().collect(),
            ExprKind::Dict(entries) => {
                entries.iter().flat_map(|(key, value)| key.iter().chain(std::iter::once(value))).collect()
            }
        }
    }

    /// This expression and all inside, outer ones first.
    pub fn walk<'b>(&'b self, visit: &mut dyn FnMut(&'b Expr<'a>)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }
}

impl<'a> Statement<'a> {
    /// The statements directly inside.
    #[must_use]
    pub fn body(&self) -> &[Statement<'a>] {
        match &self.kind {
            StatementKind::Function { body, .. }
            | StatementKind::Class { body, .. }
            | StatementKind::Block { body, .. } => body,
            _ => &[],
        }
    }

    /// The expressions of the statement itself, those of statements inside excluded.
    #[must_use]
    pub fn expressions(&self) -> Vec<&Expr<'a>> {
        match &self.kind {
            StatementKind::Import(_) => Vec::new(),
            StatementKind::Function { decorators, parameters, .. } => decorators
                .iter()
                .chain(parameters.iter().flat_map(|one| one.annotation.iter().chain(&one.default)))
                .collect(),
            StatementKind::Class { decorators, bases, .. } => {
                decorators.iter().chain(bases.iter().map(|base| &base.value)).collect()
            }
            StatementKind::Assign { targets, annotation, value, .. } => {
                targets.iter().chain(annotation).chain(value).collect()
            }
            StatementKind::Expression(value) => vec![value],
            StatementKind::Return(value) | StatementKind::Raise(value) => value.iter().collect(),
            StatementKind::Block { header, .. } | StatementKind::Other(_, header) => header.iter().collect(),
        }
    }
}

impl<'a> Module<'a> {
    /// All statements in source order, each with the statements around it, outermost first.
    pub fn walk<'b>(&'b self, visit: &mut dyn FnMut(&[&'b Statement<'a>], &'b Statement<'a>)) {
        fn go<'a, 'b>(
            list: &'b [Statement<'a>],
            around: &mut Vec<&'b Statement<'a>>,
            visit: &mut dyn FnMut(&[&'b Statement<'a>], &'b Statement<'a>),
        ) {
            for statement in list {
                visit(around, statement);
                around.push(statement);
                go(statement.body(), around, visit);
                around.pop();
            }
        }
        go(&self.body, &mut Vec::new(), visit);
    }
}
