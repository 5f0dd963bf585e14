use proptest::prelude::*;

use super::*;
use crate::testing::whole as layer;

fn clean(text: &str) -> Dockerfile {
    let tree = parse(&layer(text));
    assert_eq!(tree.errors, [], "{text}");
    tree
}

fn kinds(text: &str) -> Vec<InstructionKind> {
    let tree = clean(text);
    tree.stages.into_iter().flat_map(|stage| stage.instructions).map(|one| one.kind).collect()
}

fn shell(command: &Command) -> &str {
    match command {
        Command::Shell(layer) => layer.text(),
        Command::Exec(_) => panic!("exec form"),
    }
}

fn exec(command: &Command) -> Vec<&str> {
    match command {
        Command::Shell(layer) => panic!("shell form: {}", layer.text()),
        Command::Exec(words) => words.iter().map(|word| word.value.as_str()).collect(),
    }
}

#[test]
fn stages_resolve_their_base_through_argument_defaults() {
    let tree = clean(
        "ARG V=3.12\nARG IMAGE=python:${V}-slim\nFROM --platform=linux/amd64 $IMAGE AS Base\nFROM base\n",
    );
    let [first, second] = tree.stages.as_slice() else { panic!() };
    let reference = first.base.reference.clone().unwrap();
    assert_eq!((reference.name.as_str(), reference.tag.as_deref()), ("python", Some("3.12-slim")));
    assert_eq!(first.name.as_ref().unwrap().value, "base");
    assert_eq!(first.platform.as_ref().unwrap().value, "linux/amd64");
    assert_eq!(second.base.written.value, "base");
}

#[test]
fn continuations_join_and_their_comments_go() {
    let text =
        "FROM a\nRUN apt-get update && \\\n    # why\n\n    apt-get install -y \\  \n      curl\nUSER x\n";
    let source = layer(text);
    let tree = parse(&source);
    let [run, user] = tree.stages[0].instructions.as_slice() else { panic!("{tree:?}") };
    let InstructionKind::Run(run_kind) = &run.kind else { panic!() };
    let Command::Shell(shell) = &run_kind.command else { panic!() };
    assert_eq!(shell.text(), "apt-get update &&     apt-get install -y       curl");
    let at = shell.text().find("curl").unwrap();
    assert_eq!(&text[shell.span(at..at + 4).range()], "curl");
    assert_eq!(tree.comments[0].text, " why");
    assert!(matches!(&user.kind, InstructionKind::User(name) if name.value == "x"));
    assert!(text[run.place.span.range()].ends_with("curl"));
}

#[test]
fn exec_forms_keep_the_place_of_each_word() {
    let text = "FROM a\nCMD [\"uvicorn\", \"a:b\", \"--port\", \"80\\u0030\"]\nENTRYPOINT []\n";
    let all = kinds(text);
    let InstructionKind::Cmd(command) = &all[0] else { panic!() };
    assert_eq!(exec(command), ["uvicorn", "a:b", "--port", "800"]);
    let Command::Exec(words) = command else { panic!() };
    assert_eq!(&text[words[1].place.span.range()], "a:b");
    let InstructionKind::Entrypoint(command) = &all[1] else { panic!() };
    assert!(exec(command).is_empty());
}

#[test]
fn copied_heredocs_are_files_with_builder_escapes_resolved() {
    let text =
        "FROM nginx\nCOPY --chown=1:1 <<EOF <<\"B\" /etc/\n  a \\$uri $X\nEOF\nb \\$uri\nB\nEXPOSE 80\n";
    let all = kinds(text);
    let InstructionKind::Copy(copy) = &all[0] else { panic!() };
    assert_eq!(copy.destination.value, "/etc/");
    assert_eq!(copy.flag("chown").unwrap().value, "1:1");
    let bodies: Vec<(&str, bool)> = copy
        .sources
        .iter()
        .map(|source| match source {
            Source::Heredoc(heredoc) => (heredoc.body.text(), heredoc.expand),
            Source::Path(_) => panic!(),
        })
        .collect();
    assert_eq!(bodies, [("  a $uri $X\n", true), ("b \\$uri\n", false)]);
    let Source::Heredoc(heredoc) = &copy.sources[0] else { panic!() };
    let at = heredoc.body.text().find("uri").unwrap();
    assert_eq!(&text[heredoc.body.span(at..at + 3).range()], "uri");
    assert!(matches!(&all[1], InstructionKind::Expose(ports) if ports[0].value == "80"));
}

#[test]
fn run_heredocs_are_the_script_or_stay_in_the_command() {
    let all = kinds("FROM a\nRUN <<-EOT\n\tset -e\n\tx\n\tEOT\nRUN cat <<'E' > /f && y\nbody\nE\nUSER z\n");
    let InstructionKind::Run(run) = &all[0] else { panic!() };
    assert_eq!(shell(&run.command), "set -e\nx\n");
    let InstructionKind::Run(run) = &all[1] else { panic!() };
    assert_eq!(shell(&run.command), "cat <<'E' > /f && y\nbody\nE\n");
    assert!(!run.heredocs[0].expand);
    assert!(matches!(all[2], InstructionKind::User(_)));
}

#[test]
fn names_and_values_lose_quotes_and_keep_dollars() {
    let all = kinds(
        "FROM a\nENV A=1 B=\"x y\" C=a\\ b PATH=\"/v:$PATH\"\nENV OLD some value\nARG X\nLABEL \"k\"='v'\n",
    );
    let pairs = |kind: &InstructionKind| match kind {
        InstructionKind::Env(pairs) | InstructionKind::Arg(pairs) | InstructionKind::Label(pairs) => pairs
            .iter()
            .map(|pair| (pair.name.value.clone(), pair.value.clone().map(|value| value.value)))
            .collect::<Vec<_>>(),
        _ => panic!(),
    };
    let pair = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
    let expected = [pair("A", "1"), pair("B", "x y"), pair("C", "a b"), pair("PATH", "/v:$PATH")];
    assert_eq!(pairs(&all[0]), expected);
    assert_eq!(pairs(&all[1]), [pair("OLD", "some value")]);
    assert_eq!(pairs(&all[2]), [("X".to_owned(), None)]);
    assert_eq!(pairs(&all[3]), [pair("k", "v")]);
}

#[test]
fn health_checks_know_their_options_and_none() {
    let all = kinds(
        "FROM a\nHEALTHCHECK --interval=5s \\\n  CMD curl -f http://localhost/ || exit 1\nHEALTHCHECK NONE\n",
    );
    let InstructionKind::Healthcheck(check) = &all[0] else { panic!() };
    assert_eq!(check.flags[0].value.as_ref().unwrap().value, "5s");
    assert_eq!(shell(check.command.as_ref().unwrap()), "curl -f http://localhost/ || exit 1");
    let InstructionKind::Healthcheck(check) = &all[1] else { panic!() };
    assert!(check.command.is_none());
}

#[test]
fn reading_goes_on_after_a_mistake() {
    let tree = parse(&layer("RUN x\nFROM a AS\nFRO b\nRUN\nUSER u\nONBUILD RUN y\n"));
    assert_eq!(tree.errors.len(), 4, "{:?}", tree.errors);
    assert_eq!(tree.stages[0].instructions.len(), 4);
}

#[test]
fn the_escape_directive_is_honoured() {
    let tree = clean("# syntax=docker/dockerfile:1\n# escape=`\nFROM a\nRUN b `\n c:\\\nUSER u\n");
    assert_eq!(tree.directives.len(), 2);
    assert_eq!(tree.stages[0].instructions.len(), 2);
}

proptest! {
    #[test]
    fn any_text_gives_a_tree_with_places_inside_it(text in "(FROM a\n)?([ -~é\t\n]|\\\\\n|<<E|RUN |COPY |ENV |\n|\"|\\[|#){0,60}") {
        let tree = parse(&layer(&text));
        for stage in &tree.stages {
            for instruction in &stage.instructions {
                prop_assert!(text.get(instruction.place.span.range()).is_some());
            }
        }
        for error in &tree.errors {
            prop_assert!(text.get(error.place.span.range()).is_some());
        }
    }
}
