//! The Dockerfile tree. Places are bytes of the outermost file.

use plimsoll_text::{Layer, Place, Spanned, SyntaxError};

use super::ImageReference;

/// A Dockerfile.
#[derive(Clone, Debug, Default)]
pub struct Dockerfile {
    /// Parser directives (`# syntax=…`, `# escape=…`, `# check=…`) at the top.
    pub directives: Vec<Pair>,
    /// `ARG` instructions before the first `FROM`.
    pub global_args: Vec<Pair>,
    /// The stages in order.
    pub stages: Vec<Stage>,
    /// Comments in order, also those inside a continued instruction.
    pub comments: Vec<Comment>,
    /// What could not be read.
    pub errors: Vec<SyntaxError>,
}

/// A comment line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// From `#` to the end of the line.
    pub place: Place,
    /// The text after `#`.
    pub text: String,
}

/// A build stage: one `FROM` and what follows it.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Position among the stages, from 0.
    pub index: usize,
    /// The `FROM` instruction.
    pub place: Place,
    /// What it starts from, as written and with the defaults of global `ARG`s filled in.
    pub base: Base,
    /// The name after `AS`.
    pub name: Option<Spanned<String>>,
    /// The value of `--platform`.
    pub platform: Option<Spanned<String>>,
    /// The instructions after `FROM`.
    pub instructions: Vec<Instruction>,
}

/// What a stage starts from.
#[derive(Clone, Debug)]
pub struct Base {
    /// As written.
    pub written: Spanned<String>,
    /// The parts after filling in `ARG` defaults; nothing when an argument has no default.
    pub reference: Option<ImageReference>,
}

/// An instruction.
#[derive(Clone, Debug)]
pub struct Instruction {
    /// What it is.
    pub kind: InstructionKind,
    /// From its keyword to its last byte, a heredoc's body and end line included.
    pub place: Place,
}

/// The kinds of instructions.
#[derive(Clone, Debug)]
pub enum InstructionKind {
    /// `ARG name[=default]…`.
    Arg(Vec<Pair>),
    /// `ENV name=value…`.
    Env(Vec<Pair>),
    /// `LABEL name=value…`.
    Label(Vec<Pair>),
    /// `RUN`.
    Run(Run),
    /// `COPY` and `ADD`.
    Copy(Copy),
    /// `CMD`.
    Cmd(Command),
    /// `ENTRYPOINT`.
    Entrypoint(Command),
    /// `HEALTHCHECK`.
    Healthcheck(Healthcheck),
    /// `USER`.
    User(Spanned<String>),
    /// `WORKDIR`.
    Workdir(Spanned<String>),
    /// `EXPOSE`, ports as written.
    Expose(Vec<Spanned<String>>),
    /// `VOLUME`.
    Volume(Vec<Spanned<String>>),
    /// `SHELL`.
    Shell(Vec<Spanned<String>>),
    /// `STOPSIGNAL`.
    Stopsignal(Spanned<String>),
    /// `ONBUILD` with the instruction it delays.
    Onbuild(Box<Instruction>),
    /// `MAINTAINER` or an unknown word (which is also a syntax error).
    Other {
        /// The keyword in upper case.
        keyword: String,
        /// The rest of the line.
        rest: Spanned<String>,
    },
}

/// A name with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The name.
    pub name: Spanned<String>,
    /// The value with quotes removed and `$…` as written; nothing for `ARG name`.
    pub value: Option<Spanned<String>>,
    /// From the name to the end of the value.
    pub place: Place,
}

/// An option such as `--from=builder`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The name without dashes.
    pub name: String,
    /// The value after `=`.
    pub value: Option<Spanned<String>>,
    /// All of it.
    pub place: Place,
}

/// What a shell or an exec form runs.
#[derive(Clone, Debug)]
pub enum Command {
    /// Shell form: the text that the image's shell gets, continuations joined as the builder joins them.
    Shell(Layer),
    /// Exec form: the words of the JSON array. An empty one resets what was inherited.
    Exec(Vec<Spanned<String>>),
}

/// `RUN`.
#[derive(Clone, Debug)]
pub struct Run {
    /// `--mount`, `--network`, `--security`.
    pub flags: Vec<Flag>,
    /// What runs. For `RUN <<EOF` without a command it is the heredoc's body; a command that reads heredocs
    /// keeps them in its text.
    pub command: Command,
    /// All heredocs of the instruction.
    pub heredocs: Vec<Heredoc>,
}

/// `COPY` or `ADD`.
#[derive(Clone, Debug)]
pub struct Copy {
    /// Whether it is `ADD`.
    pub add: bool,
    /// All options.
    pub flags: Vec<Flag>,
    /// What is copied, in order.
    pub sources: Vec<Source>,
    /// Where to.
    pub destination: Spanned<String>,
}

/// A source of `COPY` or `ADD`.
#[derive(Clone, Debug)]
pub enum Source {
    /// A path in the context or in the stage named by `--from`, or a URL for `ADD`.
    Path(Spanned<String>),
    /// A file written in place.
    Heredoc(Heredoc),
}

/// A here document of the builder.
#[derive(Clone, Debug)]
pub struct Heredoc {
    /// The delimiter, which is also the file's name when the destination is a directory.
    pub name: Spanned<String>,
    /// Whether the builder expands `$name` in the body (the delimiter is not quoted). In the body of a `COPY`
    /// heredoc the builder's escapes are resolved then, so `\$uri` reads `$uri`.
    pub expand: bool,
    /// The body, tabs stripped for `<<-`.
    pub body: Layer,
}

/// `HEALTHCHECK`.
#[derive(Clone, Debug)]
pub struct Healthcheck {
    /// `--interval`, `--timeout`, `--start-period`, `--start-interval`, `--retries`.
    pub flags: Vec<Flag>,
    /// What runs; nothing for `NONE`.
    pub command: Option<Command>,
}

impl Copy {
    /// The value of an option.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<&Spanned<String>> {
        self.flags.iter().find(|flag| flag.name == name)?.value.as_ref()
    }

    /// The stage or image that `--from` names.
    #[must_use]
    pub fn from(&self) -> Option<&Spanned<String>> {
        self.flag("from")
    }
}

impl Stage {
    /// The last instruction that a function picks, as the last `USER`, `CMD` and so on win.
    pub fn last<'a, T>(&'a self, pick: impl Fn(&'a Instruction) -> Option<T>) -> Option<T> {
        self.instructions.iter().rev().find_map(pick)
    }
}
