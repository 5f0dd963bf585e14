//! One simple command in its place.

use std::sync::Arc;

use plimsoll_syntax::shell::{Heredoc, Word};
use plimsoll_text::{Place, Span};

use super::{Fate, Hop, HopKind, Machine, Strict, UnitId, Value};

/// A command of a [`super::Commands`] set, in reading order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub(crate) u32);

/// A simple command with everything around it that matters.
#[derive(Clone, Debug)]
pub struct Command {
    /// Its id.
    pub id: CommandId,
    /// The shell program that holds it.
    pub unit: UnitId,
    /// From its first word to its last.
    pub place: Place,
    /// The program without its folder, wrappers such as `sudo` and `env` removed; empty for bare assignments.
    pub program: String,
    /// Its arguments.
    pub args: Vec<Arg>,
    /// Assignments in front of it (`A=1 program …`) and those of `export`/`local`, with their values.
    pub assignments: Vec<(String, Value, Place)>,
    /// The machine it runs on.
    pub machine: Machine,
    /// How it gets there, outermost first.
    pub hops: Arc<Vec<Hop>>,
    /// The command that carries it as an argument, heredoc or substitution.
    pub carrier: Option<CommandId>,
    /// The function that holds it.
    pub function: Option<Arc<str>>,
    /// What becomes of its exit status.
    pub fate: Fate,
    /// The shell options in force.
    pub strict: Strict,
    /// The conditions under which it runs, outermost first.
    pub guards: Arc<Vec<Guard>>,
    /// Whether it stands in a loop.
    pub in_loop: bool,
    /// Its place in a pipeline.
    pub pipeline: Option<PipelinePlace>,
    /// The command before it in the same `&&`/`||`/`;` chain of one line or one string.
    pub after: Option<CommandId>,
    /// The variable that takes its output.
    pub assigned_to: Option<Arc<str>>,
    /// Where its output goes.
    pub outputs: Vec<Output>,
    /// The here document that it reads.
    pub heredoc: Option<Arc<Heredoc>>,
    /// The here string that it reads.
    pub here_string: Option<Value>,
    /// Whether `&` sends it to the background.
    pub background: bool,
}

/// An argument.
#[derive(Clone, Debug)]
pub struct Arg {
    /// What it stands for.
    pub value: Value,
    /// Where it stands.
    pub place: Place,
    /// Whether all of it is quoted for the shell that runs the command.
    pub quoted: bool,
    /// The word as written.
    pub word: Arc<Word>,
}

/// A condition around a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The condition's text.
    pub condition: Place,
    /// Whether the command runs when the condition does not hold.
    pub negated: bool,
}

/// Where output goes.
#[derive(Clone, Debug)]
pub struct Output {
    /// The file.
    pub target: Value,
    /// Where the redirect stands.
    pub place: Place,
    /// Whether it appends.
    pub append: bool,
    /// The file descriptor (1, 2; 1 for both).
    pub fd: u32,
}

/// A place in a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PipelinePlace {
    /// All of the pipeline.
    pub span: Span,
    /// Its place, from 0.
    pub index: usize,
    /// How many commands there are.
    pub length: usize,
}

impl Command {
    /// The argument's text at an index.
    #[must_use]
    pub fn arg(&self, index: usize) -> Option<&str> {
        self.args.get(index).map(|arg| arg.value.text.as_str())
    }

    /// Texts of all arguments.
    pub fn arg_texts(&self) -> impl Iterator<Item = &str> {
        self.args.iter().map(|arg| arg.value.text.as_str())
    }

    /// Whether it is this program with these first words (`is("pct", &["exec"])`). Options between the program
    /// and the words are passed over, and `docker-compose` counts as `docker compose`.
    #[must_use]
    pub fn is(&self, program: &str, words: &[&str]) -> bool {
        if self.program == "docker-compose" && program == "docker" {
            return match words {
                [] => true,
                ["compose", rest @ ..] => self.has_words(rest),
                _ => false,
            };
        }
        self.program == program && self.has_words(words)
    }

    fn has_words(&self, words: &[&str]) -> bool {
        let mut operands = self.operands().map(|arg| arg.value.text.as_str());
        words.iter().all(|word| operands.next() == Some(*word))
    }

    /// Arguments that are not options nor values of the options that are known to take one.
    pub fn operands(&self) -> impl Iterator<Item = &Arg> {
        let takes_value = options_with_value(&self.program);
        let mut skip = false;
        let mut only_operands = false;
        self.args.iter().filter(move |arg| {
            let text = arg.value.text.as_str();
            if std::mem::take(&mut skip) {
                return false;
            }
            if only_operands {
                return true;
            }
            if text == "--" {
                only_operands = true;
                return false;
            }
            if text.len() > 1 && text.starts_with('-') {
                skip = takes_value.contains(&text);
                return false;
            }
            true
        })
    }

    /// The value of an option: `--name value`, `--name=value`, `-n value`, `-nvalue` for one-letter options.
    /// The last one wins, as in most programs.
    #[must_use]
    pub fn option(&self, names: &[&str]) -> Option<OptionValue<'_>> {
        let mut found = None;
        for (index, arg) in self.args.iter().enumerate() {
            let text = arg.value.text.as_str();
            if text == "--" {
                break;
            }
            for name in names {
                if text == *name {
                    if let Some(next) = self.args.get(index + 1) {
                        found = Some(OptionValue { flag: arg, value: next, text: &next.value.text });
                    }
                } else if let Some(rest) = text.strip_prefix(name) {
                    if let Some(value) =
                        rest.strip_prefix('=').filter(|value| !value.is_empty() || name.len() > 2)
                    {
                        found = Some(OptionValue { flag: arg, value: arg, text: value });
                    } else if name.len() == 2 && !name.starts_with("--") && !rest.is_empty() {
                        found = Some(OptionValue { flag: arg, value: arg, text: rest });
                    }
                }
            }
        }
        found
    }

    /// The argument that is this flag, also inside bundled short flags (`-xzf` holds `-x`).
    #[must_use]
    pub fn flag(&self, names: &[&str]) -> Option<&Arg> {
        self.args.iter().take_while(|arg| arg.value.text != "--").find(|arg| {
            let text = arg.value.text.as_str();
            names.iter().any(|name| {
                text == *name
                    || text
                        .strip_prefix(name)
                        .is_some_and(|rest| name.starts_with("--") && rest.starts_with('='))
                    || (name.len() == 2
                        && !name.starts_with("--")
                        && text.starts_with('-')
                        && !text.starts_with("--")
                        && text.chars().skip(1).all(|c| c.is_ascii_alphanumeric())
                        && name
                            .chars()
                            .nth(1)
                            .is_some_and(|letter| text.chars().skip(1).any(|c| c == letter)))
            })
        })
    }

    /// The innermost hop that reaches another machine.
    #[must_use]
    pub fn last_machine_hop(&self) -> Option<&Hop> {
        self.hops.iter().rev().find(|hop| {
            matches!(
                hop.kind,
                HopKind::Ssh { .. }
                    | HopKind::Lxc { .. }
                    | HopKind::GuestAgent { .. }
                    | HopKind::Container { .. }
            )
        })
    }

    /// Whether errors are thrown away (`2>/dev/null`, `&>/dev/null`).
    #[must_use]
    pub fn hides_errors(&self) -> bool {
        self.outputs.iter().any(|output| output.fd == 2 && output.target.text == "/dev/null")
    }
}

/// An option found by [`Command::option`].
#[derive(Clone, Copy, Debug)]
pub struct OptionValue<'a> {
    /// The argument that names the option.
    pub flag: &'a Arg,
    /// The argument that holds the value; the same for `--name=value`.
    pub value: &'a Arg,
    /// The value's text.
    pub text: &'a str,
}

/// Options that take their value as the next argument, for the programs whose subcommands we look for.
fn options_with_value(program: &str) -> &'static [&'static str] {
    match program {
        "docker" | "docker-compose" | "podman" | "podman-compose" | "nerdctl" => &[
            "-f",
            "--file",
            "-p",
            "--project-name",
            "--project-directory",
            "--env-file",
            "--profile",
            "--ansi",
            "--progress",
            "-c",
            "--context",
            "-H",
            "--host",
            "--config",
            "-l",
            "--log-level",
            "-e",
            "--env",
            "-u",
            "--user",
            "-w",
            "--workdir",
            "--name",
            "-v",
            "--volume",
            "--network",
            "--mount",
            "-t",
            "--tag",
            "--entrypoint",
            "--platform",
            "--target",
            "--build-arg",
            "--timeout",
            "--wait-timeout",
            "--tail",
            "-n",
            "--since",
            "--until",
            "--scale",
            "--filter",
            "--format",
            "--index",
            "-o",
            "--output",
            "-i",
            "--input",
        ],
        "ssh" => &[
            "-B", "-b", "-c", "-D", "-E", "-e", "-F", "-I", "-i", "-J", "-L", "-l", "-m", "-O", "-o", "-p",
            "-P", "-Q", "-R", "-S", "-W", "-w",
        ],
        "scp" => &["-c", "-D", "-F", "-i", "-J", "-l", "-o", "-P", "-S", "-X"],
        "sftp" => &["-B", "-b", "-c", "-D", "-F", "-i", "-J", "-l", "-o", "-P", "-R", "-S", "-s"],
        "rsync" => {
            &["-e", "--rsh", "--exclude", "--include", "--exclude-from", "--filter", "--password-file", "-f"]
        }
        "tar" => {
            &["-C", "--directory", "--exclude", "-X", "--exclude-from", "-T", "--files-from", "--transform"]
        }
        "curl" => &[
            "-o",
            "--output",
            "-H",
            "--header",
            "-d",
            "--data",
            "-X",
            "--request",
            "-u",
            "--user",
            "-m",
            "--max-time",
            "-w",
            "--write-out",
            "--retry",
            "--connect-timeout",
            "--cacert",
            "-b",
            "-c",
            "-A",
            "-e",
            "-F",
            "--form",
            "--data-raw",
            "--data-binary",
            "--data-urlencode",
            "--retry-delay",
            "-x",
            "--proxy",
            "--resolve",
        ],
        "wget" => &["-O", "-P", "-T", "-t", "--tries", "--timeout", "--header", "-o", "--output-document"],
        "git" => &["-C", "-c", "--git-dir", "--work-tree"],
        "make" | "gmake" => &["-C", "-f", "-j", "-o", "-W", "-I"],
        "task" | "go-task" => &["-d", "--dir", "-t", "--taskfile", "-o", "-C"],
        "ansible-playbook" | "ansible" => {
            &["-i", "--inventory", "-e", "--extra-vars", "-l", "--limit", "-u", "-t"]
        }
        "systemctl" | "journalctl" => &["-u", "--unit", "-n", "--lines", "-p", "-t", "--since"],
        "sshpass" => &["-p", "-f", "-d"],
        "sudo" | "doas" => &["-u", "-g", "-h", "-p", "-C", "-T", "-r", "-t", "-D", "-R", "-U"],
        "psql" | "pg_dump" | "pg_restore" | "pg_dumpall" | "mysql" | "mysqldump" => &[
            "-U",
            "-h",
            "-p",
            "-d",
            "-c",
            "-f",
            "-F",
            "-u",
            "-P",
            "--host",
            "--username",
            "--dbname",
            "--port",
        ],
        "redis-cli" => &["-h", "-p", "-a", "-n", "-u", "--user", "--pass"],
        "npm" | "pnpm" | "yarn" => &["--prefix", "-w", "--workspace", "-C", "--dir"],
        "openssl" => &["-out", "-in", "-pass", "-k"],
        _ => &[],
    }
}
