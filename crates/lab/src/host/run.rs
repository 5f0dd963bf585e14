//! The one place of this crate that starts programs and touches files. Arguments are lists, and nothing secret is among them:
//! secrets go through standard input.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What the machine refuses.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A program cannot be started.
    #[error("cannot start `{program}`")]
    Absent {
        /// The program.
        program: String,
        /// Why not.
        source: std::io::Error,
    },
    /// A program ended with a failure.
    #[error("`{program}` failed ({status}): {said}")]
    Failed {
        /// The program with its arguments.
        program: String,
        /// How it ended.
        status: String,
        /// The end of what it said.
        said: String,
    },
    /// A file or folder cannot be used.
    #[error("cannot use `{path}`")]
    File {
        /// The file.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// Something else that is said in words.
    #[error("{0}")]
    Other(String),
}

impl HostError {
    /// What was said about the failure, without the program.
    pub(crate) fn said(&self) -> String {
        match self {
            Self::Failed { said, .. } => said.clone(),
            other => other.story(),
        }
    }

    /// The whole story in one line, for logs of tasks.
    pub(crate) fn story(&self) -> String {
        match std::error::Error::source(self) {
            Some(source) => format!("{self}: {source}"),
            None => self.to_string(),
        }
    }
}

/// Names the file in an error.
pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> HostError + '_ {
    move |source| HostError::File { path: path.display().to_string(), source }
}

/// A program to be run.
#[derive(Debug)]
pub(crate) struct Tool {
    program: String,
    args: Vec<OsString>,
    input: Option<Vec<u8>>,
    from: Option<File>,
    to: Option<File>,
    errors: Option<File>,
    env: Option<(&'static str, &'static str)>,
}

impl Tool {
    pub(crate) fn new(program: &str) -> Self {
        Self {
            program: program.to_owned(),
            args: Vec::new(),
            input: None,
            from: None,
            to: None,
            errors: None,
            env: None,
        }
    }

    pub(crate) fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(crate) fn args<T: Into<OsString>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Text for standard input.
    pub(crate) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// A file as standard input.
    pub(crate) fn from(mut self, file: File) -> Self {
        self.from = Some(file);
        self
    }

    /// A file for standard output.
    pub(crate) fn to(mut self, file: File) -> Self {
        self.to = Some(file);
        self
    }

    /// A file for what it complains about while it runs in the background.
    pub(crate) fn errors(mut self, file: File) -> Self {
        self.errors = Some(file);
        self
    }

    /// A variable of its environment: a text that is too long for an argument that people may see.
    pub(crate) fn env(mut self, name: &'static str, value: &'static str) -> Self {
        self.env = Some((name, value));
        self
    }

    fn shown(&self) -> String {
        let args = self.args.iter().map(|arg| arg.to_string_lossy().into_owned());
        std::iter::once(self.program.clone()).chain(args).collect::<Vec<_>>().join(" ")
    }

    #[expect(clippy::disallowed_methods, reason = "the one place of the lab that starts programs")]
    fn command(&mut self) -> Command {
        let mut command = Command::new(&self.program);
        // Messages are read, and Perl complains about locales that are not there.
        command.args(&self.args).env("LC_ALL", "C.UTF-8").envs(self.env);
        let input = match (&self.input, self.from.take()) {
            (Some(_), _) => Stdio::piped(),
            (None, Some(file)) => file.into(),
            (None, None) => Stdio::null(),
        };
        let output = self.to.take().map_or_else(Stdio::piped, Stdio::from);
        command.stdin(input).stdout(output).stderr(Stdio::piped());
        command
    }

    fn spawn(&mut self) -> Result<Child, HostError> {
        let program = self.program.clone();
        self.command().spawn().map_err(|source| HostError::Absent { program, source })
    }

    /// Runs it to its end and answers what it said.
    pub(crate) fn run(self) -> Result<String, HostError> {
        self.watch(|_| {})
    }

    /// Runs it to its end, showing lines of its standard error as they come.
    pub(crate) fn watch(mut self, mut line: impl FnMut(&str)) -> Result<String, HostError> {
        let shown = self.shown();
        let lost = |source| HostError::Absent { program: shown.clone(), source };
        let mut child = self.spawn()?;
        let feeder = self.input.take().zip(child.stdin.take()).map(|(bytes, mut stdin)| {
            // Whoever does not read to the end says so with its status.
            std::thread::spawn(move || drop(stdin.write_all(&bytes)))
        });
        let reader = child.stdout.take().map(|stdout| std::thread::spawn(move || read(stdout)));
        let mut said = Vec::new();
        if let Some(stderr) = child.stderr.take() {
            for text in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                let text = String::from_utf8_lossy(&text).into_owned();
                line(&text);
                said.push(text);
            }
        }
        let status = child.wait().map_err(lost)?;
        let out = reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
        drop(feeder.map(std::thread::JoinHandle::join));
        if status.success() {
            return Ok(out);
        }
        let end = said.len().saturating_sub(6);
        let mut said = said.split_off(end).join("; ");
        if said.is_empty() {
            said = out.lines().last().unwrap_or("it said nothing").to_owned();
        }
        Err(HostError::Failed { program: shown, status: status.to_string(), said })
    }

    /// Runs it with its output as the input of another, and answers what that one said.
    pub(crate) fn pipe(mut self, into: Self) -> Result<String, HostError> {
        let shown = self.shown();
        let mut child = self.spawn()?;
        let output = child.stdout.take().map(|output| File::from(std::os::fd::OwnedFd::from(output)));
        let said = child.stderr.take().map(|stderr| std::thread::spawn(move || read(stderr)));
        let answer = output.map_or_else(|| Ok(String::new()), |output| into.from(output).run());
        let status = child.wait().map_err(|source| HostError::Absent { program: shown.clone(), source })?;
        // The second one's failure is often the first one's, too: its own words come first.
        let answer = answer?;
        if status.success() {
            return Ok(answer);
        }
        let said = said.and_then(|said| said.join().ok()).unwrap_or_default().trim().replace('\n', "; ");
        Err(HostError::Failed { program: shown, status: status.to_string(), said })
    }

    /// Starts it and leaves it running, without input and output.
    pub(crate) fn background(mut self) -> Result<Child, HostError> {
        let program = self.program.clone();
        let errors = self.errors.take().map_or_else(Stdio::null, Stdio::from);
        let mut command = self.command();
        // Ctrl-C at the lab is the lab's to answer.
        command.stdout(Stdio::null()).stderr(errors).process_group(0);
        command.spawn().map_err(|source| HostError::Absent { program, source })
    }
}

fn read(mut from: impl std::io::Read) -> String {
    let mut bytes = Vec::new();
    // What was read before an error is still worth showing.
    let _ = from.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::Tool;

    #[test]
    fn one_program_feeds_another_and_the_failure_of_each_is_told() {
        let sh = |script: &str| Tool::new("sh").args(["-c", script]);
        assert_eq!(sh("echo hello").pipe(Tool::new("tr").args(["l", "L"])).unwrap(), "heLLo\n");
        let first = sh("echo half; echo broken >&2; exit 2").pipe(Tool::new("cat")).unwrap_err().story();
        assert!(first.contains("broken"), "{first}");
        assert!(sh("echo x").pipe(sh("exit 4")).unwrap_err().story().contains("exit status: 4"));
    }

    #[test]
    fn a_program_is_fed_and_heard_and_its_failure_is_told() {
        assert_eq!(Tool::new("cat").input("hello").run().unwrap(), "hello");
        let mut lines = Vec::new();
        let tool = Tool::new("sh").args(["-c", "echo one >&2; echo two >&2; exit 3"]);
        let error = tool.watch(|line| lines.push(line.to_owned())).unwrap_err().story();
        assert_eq!(lines, ["one", "two"]);
        assert!(error.contains("exit status: 3") && error.contains("one; two"), "{error}");
        assert!(Tool::new("no-such-program-here").run().unwrap_err().story().contains("No such file"));
    }
}
