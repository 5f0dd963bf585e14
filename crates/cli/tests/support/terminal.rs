//! A terminal of its own for a program under test.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a program left.
pub(crate) struct Seen {
    pub(crate) code: i32,
    /// Standard output, which is a pipe.
    pub(crate) stdout: String,
    /// What went to the screen, standard error among it.
    pub(crate) screen: String,
}

/// Runs a program where a person types these lines and looks at a screen of 100 columns.
pub(crate) fn at_terminal(command: &mut Command, lines: &str, limit: Duration) -> Seen {
    let size = nix::pty::Winsize { ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
    let terminal = nix::pty::openpty(&size, None).unwrap();
    let [input, output] = [0; 2].map(|_| Stdio::from(terminal.slave.try_clone().unwrap()));
    let mut child = command.stdin(input).stdout(Stdio::piped()).stderr(output).spawn().unwrap();
    // The command keeps its end of the terminal open until it is told of another.
    command.stdin(Stdio::null()).stderr(Stdio::null());
    drop(terminal.slave);
    let mut keyboard = File::from(terminal.master.try_clone().unwrap());
    keyboard.write_all(lines.as_bytes()).unwrap();
    // When the other side is gone that is an error here and no end.
    let mut seen = File::from(terminal.master);
    let screen = std::thread::spawn(move || {
        let (mut screen, mut part) = (Vec::new(), [0; 4096]);
        while let Ok(count @ 1..) = seen.read(&mut part) {
            screen.extend_from_slice(&part[..count]);
        }
        String::from_utf8_lossy(&screen).into_owned()
    });
    let begun = Instant::now();
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code().unwrap_or(-1);
        }
        if begun.elapsed() > limit {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    Seen { code, stdout, screen: screen.join().unwrap() }
}
