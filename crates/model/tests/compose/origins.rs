//! Every value knows where it stands and what it came from.

use plimsoll_model::compose::{
    EnvOrigin, Environment, MountSource, Operator, ProblemKind, Request, Resolution, VariableSource, resolve,
};
use plimsoll_text::{Files, Place};
use proptest::prelude::*;

struct Project {
    files: Files,
    resolution: Resolution,
}

impl Project {
    fn new(files: &[(&str, &str)], compose_files: &[&str]) -> Self {
        let files = Files::new(files.iter().map(|(path, text)| ((*path).into(), (*text).to_owned())));
        let mut request = Request::new(&files, compose_files.iter().map(|path| (*path).into()).collect());
        request.root_name = "root".to_owned();
        request.environment = Environment::from_shell([("SHELL_VAR".to_owned(), "s".to_owned())]);
        let resolution = resolve(&request);
        drop(request);
        Self { files, resolution }
    }

    /// The file, the line and the text at a place.
    fn at(&self, place: Place) -> String {
        let file = self.files.get(place.file);
        let line = file.line_column(place.span.start).line;
        format!("{}:{line} {}", file.path(), self.files.slice(place))
    }
}

#[test]
fn a_value_of_two_files_stands_where_it_won() {
    let project = Project::new(
        &[
            ("a.yaml", "services:\n  web:\n    image: old\n    user: root\n"),
            ("b.yaml", "services:\n  web:\n    image: \"new:${TAG:-1}\"\n"),
        ],
        &["a.yaml", "b.yaml"],
    );
    let web = &project.resolution.compose.services["web"];
    let image = web.image.as_ref().unwrap();
    assert_eq!(
        (image.value.as_str(), project.at(image.place).as_str()),
        ("new:1", "b.yaml:3 \"new:${TAG:-1}\"")
    );
    assert_eq!(project.at(image.variables[0].place), "b.yaml:3 ${TAG:-1}");
    assert_eq!(image.variables[0].operator, Operator::Default { text: "1".into(), even_empty: true });
    assert_eq!(image.variables[0].source, VariableSource::Operator);
    assert_eq!(project.at(web.user.as_ref().unwrap().place), "a.yaml:4 root");
}

#[test]
fn the_environment_knows_its_line_and_its_source() {
    let project = Project::new(
        &[
            (
                "compose.yaml",
                "services:\n  web:\n    image: x\n    env_file: app.env\n    environment:\n      - A=1 ${DOT}\n      - SHELL_VAR\n      - DOT\n      - GONE\n",
            ),
            (".env", "# note\nDOT=d # tail\n"),
            ("app.env", "A=0\nFILE=\"${DOT}/${NONE-n}\"\n"),
        ],
        &["compose.yaml"],
    );
    let environment = &project.resolution.compose.services["web"].environment;
    let show = |key: &str| {
        let entry = &environment[key];
        (entry.value.as_deref(), project.at(entry.place), project.at(entry.value_place), entry.origin)
    };
    let compose = |text: &str| format!("compose.yaml:{text}");
    assert_eq!(show("A"), (Some("1 d"), compose("6 A=1 ${DOT}"), compose("6 1 ${DOT}"), EnvOrigin::Compose));
    assert_eq!(
        show("FILE"),
        (
            Some("d/n"),
            "app.env:2 FILE=\"${DOT}/${NONE-n}\"".into(),
            "app.env:2 \"${DOT}/${NONE-n}\"".into(),
            EnvOrigin::EnvFile
        )
    );
    assert_eq!(show("SHELL_VAR").3, EnvOrigin::PassedThrough(VariableSource::Shell));
    assert_eq!(show("GONE").0, None);
    assert_eq!(show("GONE").3, EnvOrigin::PassedThrough(VariableSource::Unset));
    let EnvOrigin::PassedThrough(VariableSource::EnvFile(place)) = show("DOT").3 else {
        panic!("{:?}", show("DOT"))
    };
    assert_eq!(project.at(place), ".env:2 DOT=d");
    assert_eq!(environment["A"].variables[0].source, VariableSource::EnvFile(place));
    assert_eq!(environment["FILE"].variables[1].source, VariableSource::Operator);
}

#[test]
fn raw_env_files_are_taken_as_they_stand() {
    let compose = "services: {a: {image: x, env_file: [{path: a.env, format: raw}]}}\n";
    let project = Project::new(&[("c.yaml", compose), ("a.env", "A=\"$B\" # kept\n")], &["c.yaml"]);
    let entry = &project.resolution.compose.services["a"].environment["A"];
    assert_eq!(entry.value.as_deref(), Some("\"$B\" # kept"));
    assert!(!project.resolution.is_refused());
}

#[test]
fn variables_inside_folded_and_quoted_text_are_exact() {
    let project = Project::new(
        &[(
            "c.yaml",
            "services:\n  web:\n    image: 'a''${X:-b}'\n    command: >-\n      run\n      --key ${KEY:-\"k\"}\n",
        )],
        &["c.yaml"],
    );
    let places: Vec<String> =
        project.resolution.compose.variables.iter().map(|variable| project.at(variable.place)).collect();
    assert_eq!(places, ["c.yaml:3 ${X:-b}", "c.yaml:6 ${KEY:-\"k\"}"]);
}

#[test]
fn ports_mounts_and_devices_point_at_their_item() {
    let project = Project::new(
        &[(
            "app/c.yaml",
            "services:\n  web:\n    image: x\n    ports:\n      - \"${IP:-0.0.0.0}:1-2:1-2\"\n    volumes:\n      - ../data:/d\n      - type: bind\n        source: ./s\n        target: /s\n",
        )],
        &["app/c.yaml"],
    );
    let web = &project.resolution.compose.services["web"];
    assert_eq!(web.ports.len(), 2);
    assert_eq!(project.at(web.ports[1].place), "app/c.yaml:5 \"${IP:-0.0.0.0}:1-2:1-2\"");
    assert_eq!(web.ports[1].variables[0].name, "IP");
    let paths: Vec<_> = web
        .volumes
        .iter()
        .map(|mount| match &mount.source {
            Some(MountSource::Path(path)) => (path.resolved.as_str(), mount.is_short),
            _ => ("", false),
        })
        .collect();
    assert_eq!(paths, [("data", true), ("app/s", false)]);
    assert_eq!(project.at(web.volumes[0].place), "app/c.yaml:7 ../data:/d");
}

#[test]
fn merged_and_extended_values_stand_in_their_own_file() {
    let project = Project::new(
        &[
            ("c.yaml", "services:\n  web:\n    extends: {file: base/b.yaml, service: app}\n    image: x\n"),
            (
                "base/b.yaml",
                "x-e: &e\n  A: 1\nservices:\n  app:\n    environment:\n      <<: *e\n      B: 2\n    restart: always\n",
            ),
        ],
        &["c.yaml"],
    );
    let web = &project.resolution.compose.services["web"];
    assert_eq!(project.at(web.restart.as_ref().unwrap().place), "base/b.yaml:8 always");
    assert_eq!(project.at(web.environment["A"].place), "base/b.yaml:2 A: 1");
    let extends = web.extends.as_ref().unwrap();
    assert_eq!((extends.service.as_str(), extends.file.as_deref()), ("app", Some("base/b.yaml")));
}

#[test]
fn problems_have_kinds_and_places() {
    for (text, kind, place) in [
        ("services:\n  a:\n    image: ${X:?no}\n", ProblemKind::RequiredVariable, "c.yaml:3 ${X:?no}"),
        ("services:\n  a:\n    imag: x\n    image: y\n", ProblemKind::Schema, "c.yaml:3 imag"),
        ("services:\n  a:\n    image: x\n    networks: [n]\n", ProblemKind::UnknownReference, "c.yaml:4 n"),
        ("services:\n  a:\n    image: x\n    extends: a\n", ProblemKind::Cycle, "c.yaml:4 a"),
        ("include: [c.yaml]\nservices: {}\n", ProblemKind::Cycle, "c.yaml:1 c.yaml"),
        ("services:\n  a:\n    image: x\n    env_file: gone\n", ProblemKind::MissingFile, "c.yaml:4 gone"),
        ("services: {a: {image: x}}\nservices: {}\n", ProblemKind::Syntax, "c.yaml:2 services"),
    ] {
        let project = Project::new(&[("c.yaml", text)], &["c.yaml"]);
        let found = project.resolution.problems.iter().find(|problem| problem.is_error).unwrap();
        let at = found.place.map(|place| project.at(place));
        assert_eq!((found.kind, at.as_deref()), (kind, Some(place)), "{text}");
    }
    let project = Project::new(&[("c.yaml", "version: '3'\nservices: {a: {image: $X}}\n")], &["c.yaml"]);
    let kinds: Vec<_> =
        project.resolution.problems.iter().map(|problem| (problem.kind, problem.is_error)).collect();
    assert_eq!(kinds, [(ProblemKind::Obsolete, false), (ProblemKind::UnsetVariable, false)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_files_are_resolved(
        lines in prop::collection::vec(prop::sample::select(vec![
            "services:", "  a:", "  b:", "    image: x", "    extends: a", "    extends: {file: b.yaml, service: b}",
            "    extends: [1]", "    ports: [1, \"2:3\", {target: x}, [], ~]", "    ports: 5", "    volumes: [a, \"b:c:d:e\", {type: bind}, 7]",
            "    environment: {A: [1], B: {}, C: $X}", "    environment: [A, B=1, 3, {C: 1}]", "    depends_on: {a: 1, b: {condition: 5}}",
            "    depends_on: [a, 1]", "    build: [x]", "    build: {args: [1], context: ~}", "    networks: {n: 5}", "    secrets: [s, {}]",
            "    <<: [*m]", "    <<: &m {image: y}", "    healthcheck: {test: [], interval: 9}", "    deploy: {resources: 5, replicas: x}",
            "    command: !reset", "    logging: x", "    ulimits: {a: {soft: 1}}", "    profiles: 1", "    env_file: [{path: 1}, 2]",
            "include: [b.yaml]", "include: {a: 1}", "include:", "  - path: [b.yaml, 5]", "    env_file: x", "volumes: {v: {external: {name: [1]}}, w: 5}",
            "networks: [1]", "secrets: {s: 5}", "configs:", "name: ${A:-${B}}", "---", "x-a: &x", "  b: *x", "  - 1", "    gpus: all", "    extra_hosts: {a: [1, {}]}",
        ]), 0..25),
        split in 0usize..25,
    ) {
        let text = |lines: &[&str]| lines.join("\n");
        let (first, second) = lines.split_at(split.min(lines.len()));
        Project::new(&[("a.yaml", &text(first)), ("b.yaml", &text(second))], &["a.yaml", "b.yaml"]);
    }
}
