//! Files made to take long or to nest without end are judged in little time.

use std::time::{Duration, Instant};

use camino::Utf8PathBuf;

use crate::total::pipeline;

/// Work that grows with a power of these sizes, or doubles with each step, takes far longer, even without
/// optimisation and on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

const NAMES: &[&str] = &[
    "deploy.sh",
    "docker-compose.yml",
    "Taskfile.yml",
    ".github/workflows/ci.yml",
    "roles/x/tasks/main.yml",
    "user-data",
    "Dockerfile",
    ".env",
    "lxc/101.conf",
    "README.md",
    "Makefile",
    "justfile",
    "main.tf",
    "app.py",
    "server.js",
    "nginx.conf",
    "alembic.ini",
    "pyproject.toml",
];

/// Judges one text under every name that decides on a reader.
fn survives(what: &str, text: &str) {
    for name in NAMES {
        let start = Instant::now();
        let _ = pipeline(&[(Utf8PathBuf::from(*name), text.to_owned())]);
        let taken = start.elapsed();
        assert!(taken < PATIENCE, "{what} as {name} took {taken:?}");
    }
}

#[test]
fn brackets() {
    for open in ["[", "{", "(", "$(", "${x:-", "{{", "<(", "`", "\"$(", "[[ ", "(( "] {
        survives(&format!("5,000 × {open}"), &open.repeat(5_000));
        survives(&format!("x: 5,000 × {open}"), &format!("x: {}", open.repeat(5_000)));
    }
}

#[test]
fn blocks() {
    for open in [
        "if x; then ",
        "f() { ",
        "- ",
        "? ",
        "> ",
        "a:\n ",
        "server {\n",
        "x = {\n",
        "<<E ",
        "case x in a) ",
        "while x; do\n",
        "def f():\n",
        "# plimsoll: ignore[A] ",
        "```\n",
        "* ",
        "cat <<EOF\n",
        "ssh h \"",
        "bash -c '",
        "RUN <<E\n",
        "resource \"a\" \"b\" {\n",
    ] {
        survives(&format!("2,000 × {open:?}"), &open.repeat(2_000));
    }
}

#[test]
fn long_lines_and_many_lines() {
    for piece in
        ["{{", "a", "a ", "\\", "\"", "'", "é", "\t", "a=b ", "$a", "${a}", "&& a ", "| a ", "a, ", "\r", "#"]
    {
        survives(&format!("20 kB of {piece:?}"), &piece.repeat(20_000 / piece.len()));
    }
    for line in [
        "a: b\n",
        "A=$A$A\n",
        "- a\n",
        "\n",
        "a() { a; }\n",
        "RUN a\n",
        "a:\n\ta\n",
        "x=1; y=\"$x\"\n",
        "cat <<E\nE\n",
        "# a\n",
        "```sh\na\n```\n",
    ] {
        survives(&format!("1,000 lines {line:?}"), &line.repeat(1_000));
    }
}

#[test]
fn anchors_that_double() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..40 {
        let one = format!("*a{}", i - 1);
        text += &format!("a{i}: &a{i} [{}]\n", [one.as_str(); 9].join(", "));
    }
    survives("an anchor bomb", &text);
    let mut maps = "x0: &x0 {a: 1}\n".to_owned();
    for i in 1..40 {
        maps += &format!("x{i}: &x{i} {{<<: [*x{0}, *x{0}], a: *x{0}, b: *x{0}}}\n", i - 1);
    }
    maps += "services: {a: *x39, b: {image: x, environment: *x39}}\n";
    survives("a bomb of merges", &maps);
}

#[test]
fn variables_that_double() {
    let mut text = "a0=xxxxxxxx\n".to_owned();
    for i in 1..60 {
        text += &format!("a{i}=\"$a{0}$a{0}\"\n", i - 1);
    }
    text += "ssh root@h \"$a59\"\neval $a59\n";
    survives("variables that double", &text);
    let mut nested = "f0() { echo x; }\n".to_owned();
    for i in 1..40 {
        nested += &format!("f{i}() {{ f{0}; f{0}; }}\n", i - 1);
    }
    survives("functions that double", &format!("{nested}f39\n"));
}

#[test]
fn quotes_within_quotes() {
    let mut text = "id".to_owned();
    for _ in 0..14 {
        text = format!("bash -c \"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    }
    survives("shells in shells", &text);
    let steps =
        "    ssh \"$HOST\" \"pct exec $GUEST -- bash -c 'cd $APP && docker compose up -d'\"\n".repeat(6);
    survives(
        "an expansion that swallows commands",
        &format!("deploy() {{\n    ${{x:-ssh \"$HOST\" \"rm a\n{steps}}}\n"),
    );
    survives("ssh in ssh", &("ssh h ".repeat(3_000) + "id"));
    survives("sudo in sudo", &("sudo ".repeat(2_000) + "id"));
}
