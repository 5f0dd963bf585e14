//! What the commands of a `RUN` install.

use plimsoll_syntax::dockerfile::Command;
use plimsoll_text::Place;

use super::image::{Package, PackageManager};
use super::packages;
use super::run::{Word, commands};

/// What a `RUN` does to an image.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) packages: Vec<Package>,
    /// Files that it creates and that may be programs: path and place.
    pub(super) files: Vec<(String, Place)>,
    /// Virtual environments that it creates.
    pub(super) environments: Vec<String>,
    /// Steps that install something that the text does not name.
    pub(super) opaque: Vec<(String, Place)>,
}

/// Reads one `RUN`.
pub(super) fn effects(command: &Command) -> Effects {
    let mut out = Effects::default();
    match command {
        Command::Shell(layer) => {
            for words in commands(layer) {
                one(&words, &mut out);
            }
        }
        Command::Exec(list) => {
            let words: Vec<Word> =
                list.iter().map(|word| Word { text: word.value.clone(), place: word.place }).collect();
            one(&words, &mut out);
        }
    }
    out
}

fn one(words: &[Word], out: &mut Effects) {
    let Some((first, mut rest)) = words.split_first() else { return };
    let mut program = first.text.rsplit('/').next().unwrap_or(&first.text);
    if matches!(program, "env" | "nice" | "xargs") {
        return one(rest, out);
    }
    let mut place = first.place;
    let module = (rest.first().map(|word| word.text.as_str()), rest.get(1));
    if let (true, (Some("-m"), Some(module))) = (program.starts_with("python"), module) {
        program = &module.text;
        place = module.place;
        rest = rest.get(2..).unwrap_or_default();
    }
    let verb = rest.iter().find(|word| !word.text.starts_with('-')).map_or("", |word| word.text.as_str());
    match (program, verb) {
        ("apt-get" | "apt" | "aptitude", "install") => named(PackageManager::Apt, rest, verb, out),
        ("apk", "add") => named(PackageManager::Apk, rest, verb, out),
        ("dnf" | "microdnf" | "yum", "install") => named(PackageManager::Dnf, rest, verb, out),
        ("pip" | "pip3", "install") => python(PackageManager::Pip, rest, out),
        ("uv", "pip") => python(PackageManager::Uv, rest, out),
        ("uv", "sync" | "tool") | ("poetry" | "pdm" | "pipenv", "install" | "sync") => {
            let manager = if program == "uv" { PackageManager::Uv } else { PackageManager::PythonProject };
            if verb == "tool" {
                named(manager, rest, "install", out);
            } else {
                out.packages.push(Package { manager, name: ".".to_owned(), version: None, place });
            }
        }
        ("npm" | "pnpm" | "yarn" | "bun", "install" | "i" | "ci" | "add" | "global") => {
            node(rest, place, out);
        }
        ("cargo", "install") => named(PackageManager::Cargo, rest, verb, out),
        ("cargo", "build") => out.opaque.push(("`cargo build`".to_owned(), place)),
        ("go", "install") => named(PackageManager::Go, rest, verb, out),
        ("go", "build") => output_option(rest, &["-o"], out),
        ("gem", "install") => named(PackageManager::Gem, rest, verb, out),
        ("venv" | "virtualenv", _) => out.environments.push(verb.to_owned()),
        ("uv", "venv") => {
            let folder = rest.iter().skip(1).find(|word| !word.text.starts_with('-'));
            out.environments.push(folder.map_or_else(|| ".venv".to_owned(), |word| word.text.clone()));
        }
        ("curl", _) => output_option(rest, &["-o", "--output", "-Lo", "-sLo", "-fsSLo", "-sSLo"], out),
        ("wget", _) => output_option(rest, &["-O", "-qO", "--output-document"], out),
        ("cp" | "mv" | "ln" | "install", _) => moved(rest, out),
        ("sh" | "bash", _) if rest.is_empty() || verb.starts_with("-s") => {
            out.opaque.push(("a script from a pipe".to_owned(), place));
        }
        ("make" | "ninja" | "cmake", _) | ("dpkg", _) | ("bundle", "install") => {
            out.opaque.push((format!("`{program}`"), place));
        }
        ("tar" | "unzip", _)
            if rest.iter().any(|word| word.text.starts_with("/usr") || word.text.starts_with("/opt")) =>
        {
            out.opaque.push((format!("`{program}`"), place));
        }
        _ => {}
    }
}

/// Words behind the verb that are not options.
fn named(manager: PackageManager, words: &[Word], verb: &str, out: &mut Effects) {
    let behind = words.iter().skip_while(|word| word.text != verb).skip(1);
    let mut skip = false;
    for word in behind {
        if std::mem::take(&mut skip) {
            continue;
        }
        match word.text.as_str() {
            "-t" | "--virtual" | "-X" | "--repository" | "-o" | "--root" => skip = true,
            text if text.starts_with(['-', '$', '<', '>'])
                || text.starts_with('.') && manager != PackageManager::Gem => {}
            text => out.packages.push(packages::package(manager, text, word.place)),
        }
    }
}

fn python(manager: PackageManager, words: &[Word], out: &mut Effects) {
    let behind = words.iter().skip_while(|word| word.text != "install").skip(1);
    let mut expect = None;
    for word in behind {
        let text = word.text.as_str();
        if let Some(option) = expect.take() {
            if matches!(option, "-r" | "--requirement") {
                let name = format!("-r {text}");
                out.packages.push(Package { manager, name, version: None, place: word.place });
            } else if option == "-e" {
                out.packages.push(packages::package(manager, text, word.place));
            }
            continue;
        }
        match text {
            "-r" | "--requirement" => expect = Some("-r"),
            "-e" | "--editable" => expect = Some("-e"),
            "-c" | "--constraint" | "-i" | "--index-url" | "--extra-index-url" | "--trusted-host" | "-t"
            | "--target" | "--prefix" | "--root" | "--python" | "-f" | "--find-links" | "--timeout"
            | "--retries" => {
                expect = Some("other");
            }
            text if text.starts_with(['-', '<', '>', '$']) => {}
            _ => out.packages.push(packages::package(manager, text, word.place)),
        }
    }
}

fn node(words: &[Word], place: Place, out: &mut Effects) {
    let global = words.iter().any(|word| matches!(word.text.as_str(), "-g" | "--global" | "global"));
    let is_verb = |text: &str| matches!(text, "install" | "i" | "ci" | "add" | "global");
    let names =
        words.iter().filter(|word| !word.text.starts_with(['-', '<', '>', '$']) && !is_verb(&word.text));
    if global {
        out.packages.extend(names.map(|word| packages::package(PackageManager::Npm, &word.text, word.place)));
    } else {
        out.packages.push(Package {
            manager: PackageManager::Npm,
            name: ".".to_owned(),
            version: None,
            place,
        });
    }
}

fn output_option(words: &[Word], options: &[&str], out: &mut Effects) {
    for pair in words.windows(2) {
        if let [option, value] = pair
            && options.contains(&option.text.as_str())
        {
            out.files.push((value.text.clone(), value.place));
        }
    }
}

fn moved(words: &[Word], out: &mut Effects) {
    let mut names = words.iter().filter(|word| !word.text.starts_with('-'));
    let (Some(target), sources) = (names.next_back(), names) else { return };
    if !target.text.ends_with('/') && !target.text.ends_with("/bin") {
        out.files.push((target.text.clone(), target.place));
        return;
    }
    for source in sources {
        let name = source.text.rsplit('/').next().unwrap_or_default();
        out.files.push((format!("{}/{name}", target.text.trim_end_matches('/')), source.place));
    }
}
