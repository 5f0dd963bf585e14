//! `plimsoll secret`: what is stored, for whom, and that no value leaves the file.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::sandbox::{Run, Sandbox};

const SETTINGS: &str = "\
# Our app.
app: shop
targets:
  production:
    guest: {kind: adopt, address: 10.0.0.5}  # the old one
secrets:
  DB_PASSWORD: {generate: {length: 24, alphabet: hex}}
  SMTP_PASSWORD: {from: store}
  API_KEY: {from: env}
";

/// Characters that shells, YAML and dotenv files all mean something by.
const VALUE: &str = "correct'horse\"$battery #staple\\";

struct Person<'a> {
    sandbox: &'a Sandbox,
    home: &'static str,
}

impl Person<'_> {
    fn give(&self, args: &[&str], stdin: &str, more: &[(&str, &str)]) -> Run {
        let home = self.sandbox.path().join(self.home);
        let mut command = self.sandbox.command(args);
        command.env("HOME", home).env("PATH", "/usr/bin:/bin").envs(more.iter().copied());
        let output = command.write_stdin(stdin).output().unwrap();
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn run(&self, args: &[&str]) -> Run {
        self.give(args, "", &[])
    }

    fn good(&self, args: &[&str]) -> String {
        let run = self.run(args);
        assert_eq!(run.code, 0, "{run:?}");
        run.stdout
    }
}

fn shop() -> Sandbox {
    Sandbox::with(&[("plimsoll.yaml", SETTINGS)])
}

/// The files of a directory that hold a text.
#[expect(clippy::disallowed_methods, reason = "looks at the files of a test")]
fn holding(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else if std::fs::read(&path).unwrap().windows(text.len()).any(|at| at == text.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn a_piped_value_is_stored_for_a_key_of_ones_own_and_comments_stay() {
    let sandbox = shop();
    let me = Person { sandbox: &sandbox, home: "home" };
    let run = me.give(&["secret", "set", "SMTP_PASSWORD"], &format!("{VALUE}\n"), &[]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.stdout, "stored SMTP_PASSWORD in secrets.age\n");
    assert!(run.stderr.contains("made a key of your own"), "{}", run.stderr);
    let key = sandbox.path().join("home/.config/plimsoll/identity.txt");
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let settings = sandbox.read("plimsoll.yaml");
    assert!(settings.starts_with(SETTINGS), "{settings}");
    assert!(settings.contains("\nrecipients:\n  - age1"), "{settings}");
    assert!(sandbox.read("secrets.age").starts_with("-----BEGIN AGE ENCRYPTED FILE-----"));

    // What comes out is read back as it went in.
    let line = me.good(&["secret", "export", "--yes"]);
    sandbox.write("copy.env", &line);
    me.good(&["secret", "remove", "SMTP_PASSWORD"]);
    me.good(&["secret", "import", "copy.env"]);
    assert_eq!(me.good(&["secret", "export", "--yes"]), line);
    std::fs::remove_file(sandbox.path().join("copy.env")).unwrap();
    assert_eq!(holding(sandbox.path(), "correct"), Vec::<String>::new());
}

#[test]
fn a_secret_is_made_once_and_the_list_shows_no_value() {
    let sandbox = shop();
    let me = Person { sandbox: &sandbox, home: "home" };
    assert_eq!(me.good(&["secret", "generate"]), "made DB_PASSWORD in secrets.age\n");
    let first = me.good(&["secret", "export", "--yes"]);
    let value = first.trim().strip_prefix("DB_PASSWORD='").unwrap().trim_end_matches('\'').to_owned();
    assert!(value.len() == 24 && value.bytes().all(|b| b.is_ascii_hexdigit()), "{value}");
    assert!(me.good(&["secret", "generate"]).starts_with("nothing to make"));
    assert_eq!(me.good(&["secret", "export", "--yes"]), first);
    let list = me.good(&["secret", "list"]);
    assert_eq!(
        list,
        "API_KEY        -        the variable API_KEY of whoever deploys\n\
         DB_PASSWORD    stored   made once, 24 characters (hex)\n\
         SMTP_PASSWORD  missing  set by hand\n"
    );
    let json = me.good(&["secret", "list", "--format", "json"]);
    assert!(!json.contains(&value) && json.lines().count() == 3, "{json}");
    me.good(&["secret", "rotate", "DB_PASSWORD"]);
    let second = me.good(&["secret", "export", "--yes"]);
    assert_ne!(first, second);
}

#[test]
fn import_takes_what_is_known_and_replaces_nothing_unasked() {
    let sandbox = shop();
    let me = Person { sandbox: &sandbox, home: "home" };
    sandbox.write(".env", "DB_PASSWORD=one\nOTHER=two\n");
    let run = me.run(&["secret", "import", ".env"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "stored DB_PASSWORD in secrets.age\n"));
    assert!(run.stderr.contains("left out") && run.stderr.contains("OTHER"), "{}", run.stderr);
    let before = sandbox.read("secrets.age");
    sandbox.write(".env", "SMTP_PASSWORD=new\nDB_PASSWORD=changed\n");
    let run = me.run(&["secret", "import", ".env"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("nothing was stored") && !run.stderr.contains("changed\n"), "{}", run.stderr);
    assert_eq!(sandbox.read("secrets.age"), before);
    sandbox.write("keys.env", "API_KEY=abc\n");
    let run = me.run(&["secret", "import", "keys.env"]);
    assert!(run.stderr.contains("write `API_KEY: {from: store}`"), "{}", run.stderr);
    me.good(&["secret", "remove", "API_KEY"]);
    me.good(&["secret", "import", ".env", "--replace"]);
    assert_eq!(me.good(&["secret", "export", "--yes"]), "DB_PASSWORD='changed'\nSMTP_PASSWORD='new'\n");
}

#[test]
fn an_editor_works_on_a_private_file_that_is_gone_afterwards() {
    let sandbox = shop();
    let me = Person { sandbox: &sandbox, home: "home" };
    assert_eq!(me.give(&["secret", "set", "SMTP_PASSWORD"], "visible-to-the-editor", &[]).code, 0);
    let memory = sandbox.path().join("run");
    std::fs::create_dir(&memory).unwrap();
    // The editor looks for the value where it must not be while it runs.
    sandbox.write(
        "editor.sh",
        "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' >args.txt\n\
         stat -c %a \"$1\" \"$(dirname \"$1\")\" >modes.txt\n\
         grep -c visible-to-the-editor \"$1\" >seen.txt\n\
         echo \"NEW_ONE='added'\" >>\"$1\"\n",
    );
    let memory = memory.to_str().unwrap();
    let with =
        |editor: &str| me.give(&["secret", "edit"], "", &[("EDITOR", editor), ("XDG_RUNTIME_DIR", memory)]);
    let run = with("sh editor.sh");
    assert_eq!((run.code, run.stdout.as_str()), (0, "changed NEW_ONE in secrets.age\n"), "{run:?}");
    assert_eq!(sandbox.read("seen.txt"), "1\n");
    assert_eq!(sandbox.read("modes.txt"), "600\n700\n");
    let arguments = sandbox.read("args.txt");
    assert!(arguments.contains("secret edit") && !arguments.contains("visible-to-the-editor"), "{arguments}");
    assert_eq!(std::fs::read_dir(memory).unwrap().count(), 0);
    let before = sandbox.read("secrets.age");
    let run = with("false");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("nothing was stored"), "{}", run.stderr);
    assert_eq!(sandbox.read("secrets.age"), before);
    assert_eq!(std::fs::read_dir(memory).unwrap().count(), 0);
}

#[test]
fn a_colleague_reads_them_once_the_recipients_say_so() {
    let sandbox = shop();
    let me = Person { sandbox: &sandbox, home: "home" };
    let other = Person { sandbox: &sandbox, home: "elsewhere" };
    me.good(&["secret", "generate"]);
    let run = other.run(&["secret", "list"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("no private key to read the secrets with"), "{}", run.stderr);
    // A key of the colleague's own, made for another project.
    let project = Sandbox::with(&[("plimsoll.yaml", SETTINGS)]);
    let there = Person { sandbox: &project, home: "elsewhere" };
    there.good(&["secret", "generate"]);
    let key = project.read("elsewhere/.config/plimsoll/identity.txt");
    let public = key.lines().next().unwrap().strip_prefix("# public key: ").unwrap().to_owned();
    let with_key = |args: &[&str]| other.give(args, "", &[("PLIMSOLL_AGE_IDENTITY", &key)]);
    let run = with_key(&["secret", "list"]);
    assert!(run.stderr.contains("encrypted to other keys"), "{}", run.stderr);
    assert!(!run.stderr.contains("AGE-SECRET-KEY"), "{}", run.stderr);
    sandbox.write("plimsoll.yaml", sandbox.read("plimsoll.yaml") + &format!("  - {public}\n"));
    assert_eq!(me.good(&["secret", "recipients"]), "secrets.age can be read by 2 recipients\n");
    assert_eq!(with_key(&["secret", "export", "--yes"]).stdout, me.good(&["secret", "export", "--yes"]));
}

#[test]
fn a_damaged_file_is_named_and_left_alone() {
    let sandbox = shop();
    let me = Person { sandbox: &sandbox, home: "home" };
    me.good(&["secret", "generate"]);
    let cut: String = sandbox.read("secrets.age").chars().take(120).collect();
    sandbox.write("secrets.age", &cut);
    for args in [["secret", "list"].as_slice(), &["secret", "generate"], &["secret", "export", "--yes"]] {
        let run = me.run(args);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains("secrets.age` brings the committed file back"), "{}", run.stderr);
    }
    assert_eq!(sandbox.read("secrets.age"), cut);
}
