//! Compose files of other people, kept outside the repository, against the Docker Compose of this machine.

use std::path::Path;
use std::process::Command;

use plimsoll_model::compose::{Environment, Request, Resolution, resolve};
use plimsoll_text::Files;

use crate::case::{HOME, PARENT, ROOT};
use crate::compare::differences;
use plimsoll_model::compose::{Paths, render};

#[test]
#[ignore = "needs a folder of Compose files in PLIMSOLL_COMPOSE_CORPUS and Docker Compose in PLIMSOLL_COMPOSE"]
#[expect(clippy::disallowed_methods, reason = "the tester names the corpus and the oracle")]
fn the_corpus_is_taken_and_refused_as_compose_does() {
    let folder = std::env::var("PLIMSOLL_COMPOSE_CORPUS").unwrap();
    let oracle = std::env::var("PLIMSOLL_COMPOSE").unwrap();
    let outer = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus/1/2/3/4/5/6");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let (mut taken, mut refused, mut report) = (0, 0, Vec::new());
    let show = std::env::var("PLIMSOLL_SHOW").is_ok();
    for path in paths {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let _ = std::fs::remove_dir_all(&outer);
        std::fs::create_dir_all(&outer).unwrap();
        let folder = outer.canonicalize().unwrap();
        std::fs::write(outer.join("compose.yaml"), &text).unwrap();
        let mut stubs = Vec::new();
        let first = read(&text, &stubs);
        for service in first.compose.services.values() {
            let missing = service.env_files.iter().map(|file| file.path.value.resolved.clone());
            stubs.extend(missing.filter(|path| !path.starts_with("..") && path.is_relative()));
        }
        for stub in &stubs {
            std::fs::create_dir_all(outer.join(stub).parent().unwrap()).unwrap();
            std::fs::write(outer.join(stub), "STUB=1\n").unwrap();
        }
        let resolution = read(&text, &stubs);
        let mut command = Command::new(&oracle);
        command.current_dir(&outer).env_clear().env("HOME", "/home/user");
        let output = command.args(["-f", "compose.yaml", "config", "--format", "json"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let said = said.lines().filter(|line| !line.starts_with("time=")).collect::<Vec<_>>().join(" ");
        let errors: Vec<_> = resolution.problems.iter().filter(|p| p.is_error).map(|p| &p.message).collect();
        if output.status.success() && errors.is_empty() {
            taken += 1;
            let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
            // Files far above the project: nothing but the root of the file system is above `/parent`.
            let stand_ins = [ROOT, PARENT].into_iter().chain(std::iter::repeat(""));
            for (above, stand_in) in folder.ancestors().zip(stand_ins).take(7) {
                said = said.replace(&*above.to_string_lossy(), stand_in);
            }
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let found = differences(
                &serde_json::from_str(&said).unwrap(),
                &render(&resolution.compose, Paths { root: ROOT, home: HOME }),
            );
            report.extend(found.iter().map(|line| format!("{name}: {line}")));
        } else if !output.status.success() && !errors.is_empty() {
            refused += 1;
            if show {
                println!("compose: {said}\n     we: {errors:?}");
            }
        } else {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            report.push(format!("{name}\n    compose: {said}\n    we: {errors:?}"));
        }
    }
    println!("{taken} taken by both, {refused} refused by both, {} differences", report.len());
    println!("{}", report.join("\n"));
}

/// Resolves a file whose env files are stand-ins.
fn read(text: &str, stubs: &[camino::Utf8PathBuf]) -> Resolution {
    let stubs = stubs.iter().map(|path| (path.clone(), "STUB=1\n".to_owned()));
    let files = Files::new([("compose.yaml".into(), text.to_owned())].into_iter().chain(stubs));
    let mut request = Request::new(&files, vec!["compose.yaml".into()]);
    request.root_name = "6".to_owned();
    request.environment = Environment::from_shell([("HOME".to_owned(), "/home/user".to_owned())]);
    resolve(&request)
}
