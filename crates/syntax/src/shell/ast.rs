//! The shell tree. Spans are bytes of the outermost file.

use std::ops::Range;
use std::sync::Arc;

use plimsoll_text::{Layer, Span, SyntaxError};

/// A parsed script or fragment.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The commands in order.
    pub body: Vec<Stmt>,
    /// All comments, at any depth, in order; those of nested scripts as well.
    pub comments: Vec<Comment>,
    /// What could not be read, nested scripts included.
    pub errors: Vec<SyntaxError>,
}

/// A comment with its `#`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// From `#` to the end of the line.
    pub span: Span,
    /// The text after `#`.
    pub text: String,
}

/// A command of any shape.
#[derive(Clone, Debug)]
pub struct Stmt {
    /// What it is.
    pub kind: StmtKind,
    /// From its first word to its last word or redirect.
    pub span: Span,
    /// Whether `!` inverts its status.
    pub negated: bool,
    /// Whether `&` sends it to the background.
    pub background: bool,
    /// Redirects of this command (of a simple command as well as of a compound one).
    pub redirects: Vec<Redirect>,
}

/// The shapes of commands.
#[derive(Clone, Debug)]
pub enum StmtKind {
    /// Assignments and words; also `export`, `local`, `declare`, `return`, `exit`, `[` and other builtins.
    Simple(SimpleCommand),
    /// `a | b | c`, two or more.
    Pipeline(Vec<Stmt>),
    /// `a && b`.
    And(Box<Stmt>, Box<Stmt>),
    /// `a || b`.
    Or(Box<Stmt>, Box<Stmt>),
    /// `if`/`elif` arms in order and the `else` part.
    If {
        /// Condition and body of each arm.
        arms: Vec<(Vec<Stmt>, Vec<Stmt>)>,
        /// The `else` part.
        otherwise: Option<Vec<Stmt>>,
    },
    /// `while` or `until`.
    Loop {
        /// Whether it is `until`.
        until: bool,
        /// The condition.
        condition: Vec<Stmt>,
        /// The body.
        body: Vec<Stmt>,
    },
    /// `for name in words` (also `select`); a C-style `for ((…))` has no name and no words.
    For {
        /// The loop variable.
        variable: Option<String>,
        /// The words; nothing means `"$@"` or a C-style loop.
        words: Option<Vec<Arc<Word>>>,
        /// The body.
        body: Vec<Stmt>,
    },
    /// `case word in pattern) …`.
    Case {
        /// What is compared.
        subject: Box<Word>,
        /// The arms in order.
        arms: Vec<CaseArm>,
    },
    /// `( … )`.
    Subshell(Vec<Stmt>),
    /// `{ …; }`, also the command of `time` and of `coproc`.
    Group(Vec<Stmt>),
    /// `[[ … ]]`: operands, operators and parentheses flattened in source order.
    Test(Vec<Word>),
    /// `(( … ))`.
    Arithmetic,
    /// A function definition.
    Function {
        /// Its name.
        name: String,
        /// Where the name stands.
        name_span: Span,
        /// Its body.
        body: Vec<Stmt>,
    },
}

/// One arm of `case`.
#[derive(Clone, Debug)]
pub struct CaseArm {
    /// The patterns as written.
    pub patterns: Vec<String>,
    /// The body.
    pub body: Vec<Stmt>,
}

/// Assignments and words.
#[derive(Clone, Debug, Default)]
pub struct SimpleCommand {
    /// Assignments before the first word, and for `export`, `local`, `declare`, `readonly`, `typeset` the
    /// assignments among the operands.
    pub assignments: Vec<Assignment>,
    /// The command name and its arguments, declaration builtins included (their assignments are not words).
    pub words: Vec<Arc<Word>>,
}

/// `name=value`, `name+=value` or `name=(…)`.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The variable.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// Whether it is `+=`.
    pub append: bool,
    /// The value; an empty word for `name=`. For an array it is the text as written and has no parts.
    pub value: Arc<Word>,
    /// Elements when the value is an array `( … )`, keyed elements by their value.
    pub elements: Option<Vec<Arc<Word>>>,
    /// From the name to the end of the value.
    pub span: Span,
}

/// One word (a field before expansion).
#[derive(Clone, Debug)]
pub struct Word {
    /// All of it, quotes included.
    pub span: Span,
    /// Its parts in order, quotes resolved.
    pub parts: Vec<Part>,
    /// The text after quotes and escapes are removed; expansions stand as they were written (`${X:-1}`). Parsing
    /// this layer again is how `bash -c "…"` and `ssh host "…"` are read.
    pub decoded: Layer,
    /// The expansions in `decoded` that are gone before whoever is given this word reads it, in order.
    pub outer: Vec<OuterExpansion>,
}

/// An expansion in decoded text that was carried out before the text was read.
///
/// Text that merely looks like one (`\$x`, or anything in single quotes) is not listed: the reader of the text
/// expands that itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OuterExpansion {
    /// The bytes of the decoded text, from `$` or the backtick to the end of the expansion.
    pub range: Range<usize>,
    /// How many shells further out than the reader of the text: 1 for the shell whose word it is.
    pub shells: u8,
}

/// A part of a word.
#[derive(Clone, Debug)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// Its bytes (without surrounding quotes for quoted literals).
    pub span: Span,
    /// How it is quoted.
    pub quote: Quote,
    /// How many shells further out an expansion is carried out; see [`Parameter::expanded_outside`], which says
    /// the same for parameters. Nothing inside such a `$(…)` runs where this command runs.
    pub expanded_outside: u8,
}

/// How a part is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quote {
    /// Not at all: subject to splitting and globbing.
    None,
    /// `'…'` or `$'…'` or a backslash.
    Single,
    /// `"…"`.
    Double,
}

/// The kinds of parts.
#[derive(Clone, Debug)]
pub enum PartKind {
    /// Fixed text, decoded.
    Literal(String),
    /// `$name`, `${name…}`.
    Parameter(Parameter),
    /// `$(…)` or backticks.
    Command(Box<Script>),
    /// `$((…))`.
    Arithmetic(String),
    /// `<(…)` or `>(…)`.
    Process(Box<Script>),
}

/// A parameter expansion.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The name: a variable, a digit, or one of `@ * # ? $ ! -`.
    pub name: String,
    /// The operation on it.
    pub operation: ParameterOp,
    /// How many shells further out it is expanded: 0 by the shell that runs this command, 1 by the shell that
    /// wrote this command into an argument of `ssh` or `bash -c`, and so on.
    pub expanded_outside: u8,
}

/// The operation of a parameter expansion.
#[derive(Clone, Debug)]
pub enum ParameterOp {
    /// Plain `$x`.
    None,
    /// `${x:-word}` and `${x-word}`.
    Default(Box<Word>),
    /// `${x:=word}` and `${x=word}`.
    Assign(Box<Word>),
    /// `${x:?word}` and `${x?word}`.
    Error(Box<Word>),
    /// `${x:+word}` and `${x+word}`.
    Alternate(Box<Word>),
    /// `${x@Q}` and `printf`-like quoting transformations that make the value safe for a shell.
    Quoted,
    /// Anything else (`${#x}`, `${x%…}`, `${x/…}`, `${x:1}`, arrays): the text between the braces.
    Other(String),
}

/// A redirect.
#[derive(Clone, Debug)]
pub struct Redirect {
    /// The file descriptor when written.
    pub fd: Option<u32>,
    /// What it does.
    pub kind: RedirectKind,
    /// All of it, a heredoc's operator and delimiter but not its body.
    pub span: Span,
}

/// The kinds of redirects.
#[derive(Clone, Debug)]
pub enum RedirectKind {
    /// `<`.
    Read(Word),
    /// `>` and `>|`.
    Write(Word),
    /// `>>`.
    Append(Word),
    /// `&>` (`append` for `&>>`).
    WriteBoth {
        /// The target.
        target: Word,
        /// Whether it appends.
        append: bool,
    },
    /// `>&2`, `2>&1`, `<&-` and the like.
    Duplicate(Word),
    /// `<<` and `<<-`.
    Heredoc(Arc<Heredoc>),
    /// `<<<`.
    HereString(Word),
    /// `<>` and others.
    Other(Word),
}

/// A here document.
#[derive(Clone, Debug)]
pub struct Heredoc {
    /// The delimiter.
    pub delimiter: String,
    /// Whether the delimiter is quoted, so that nothing in the body is expanded.
    pub quoted: bool,
    /// The body as the command reads it (tabs stripped for `<<-`), expansions as written.
    pub body: Layer,
    /// The body's parts: literals and expansions (only literals when `quoted`, save for what was expanded
    /// outside).
    pub parts: Vec<Part>,
    /// The expansions in `body` that are gone before the command reads it, in order.
    pub outer: Vec<OuterExpansion>,
}

impl Word {
    /// The fixed text, when the word has no expansion.
    #[must_use]
    pub fn literal(&self) -> Option<String> {
        let mut text = String::new();
        for part in &self.parts {
            match &part.kind {
                PartKind::Literal(literal) => text.push_str(literal),
                _ => return None,
            }
        }
        Some(text)
    }

    /// The decoded text, expansions as written.
    #[must_use]
    pub fn text(&self) -> &str {
        self.decoded.text()
    }

    /// Whether every part is quoted (an empty word is not).
    #[must_use]
    pub fn is_quoted(&self) -> bool {
        !self.parts.is_empty() && self.parts.iter().all(|part| part.quote != Quote::None)
    }
}
