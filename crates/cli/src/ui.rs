//! All that is printed goes through here.

use std::io::{self, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anstream::AutoStream;

use crate::failure::{Failure, FailureKind};
use crate::progress;

/// Data goes to standard output, everything else to standard error; styles only where they are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ui {
    width: usize,
}

/// Columns where no terminal says how many there are.
const WIDTH: usize = 120;

impl Ui {
    pub(crate) fn new() -> Self {
        let columns = variable("COLUMNS").and_then(|columns| columns.parse().ok());
        Self { width: columns.filter(|columns| *columns >= 40).unwrap_or(WIDTH) }
    }

    /// Columns of the terminal.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Prints data.
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        progress::aside(|| self.put(text))
    }

    fn put(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        let choice = AutoStream::choice(&stdout);
        let written = if choice == anstream::ColorChoice::Never {
            // A stream that takes styles out as it goes makes a write of each piece.
            stdout.write_all(anstream::adapter::strip_str(text).to_string().as_bytes())
        } else {
            AutoStream::new(&mut stdout, choice).write_all(text.as_bytes())
        };
        written.and_then(|()| stdout.flush()).map_err(|error| FailureKind::Print(error).into())
    }

    /// Prints data byte for byte, its lines styled for a person at a terminal only.
    pub(crate) fn print_lines(&self, text: &str, style: fn(&str) -> anstyle::Style) -> Result<(), Failure> {
        let mut stream = AutoStream::auto(io::stdout().lock());
        let plain = matches!(stream.current_choice(), anstream::ColorChoice::Never);
        let result = if plain {
            let mut stdout = stream.into_inner();
            stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
        } else {
            let lines = text.lines().try_for_each(|line| {
                let style = style(line);
                writeln!(stream, "{style}{line}{style:#}")
            });
            lines.and_then(|()| stream.flush())
        };
        result.map_err(|error| FailureKind::Print(error).into())
    }

    /// Says something about the run itself.
    pub(crate) fn status(&self, text: &str) {
        progress::aside(|| {
            let mut stream = AutoStream::auto(io::stderr().lock());
            drop(writeln!(stream, "{text}"));
        });
    }

    /// Says why a command could not run.
    pub(crate) fn failure(&self, failure: &Failure) {
        let red = anstyle::AnsiColor::BrightRed.on_default().bold();
        self.status(&format!("{red}error{red:#}: {}", failure.chain()));
        let cyan = anstyle::AnsiColor::BrightCyan.on_default().bold();
        for hint in &failure.hints {
            self.status(&format!("\n{cyan}hint{cyan:#}: {hint}"));
        }
    }

    /// Owns up to a bug.
    pub(crate) fn bug(&self) {
        self.status("this is a bug in Plimsoll; the lines above say where");
    }

    /// Says what takes so long, once it takes longer than a second, and only to a person.
    pub(crate) fn patience(&self, what: impl Into<String>) -> Patience {
        let (what, (done, waiter)) = (what.into(), channel::<()>());
        let watch = || {
            std::thread::spawn(move || {
                if waiter.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
                    progress::begin(&what);
                    // Waits for the end.
                    let _ = waiter.recv();
                    progress::end();
                }
            })
        };
        Patience { done: Some(done), thread: progress::is_shown().then(watch) }
    }
}

/// Something that may take long; it is over when this is dropped.
#[derive(Debug)]
pub(crate) struct Patience {
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Patience {
    fn drop(&mut self) {
        self.done = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the place that reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
