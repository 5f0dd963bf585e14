use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_text::{Files, Layer, Span, Spanned};

use super::*;
use crate::Inventory;
use crate::application::{Language, Project};

const BROKEN: &str = "FROM python:3.12-slim AS builder\nRUN apt-get update && apt-get install -y gcc curl\n\
    WORKDIR /app\nCOPY pyproject.toml uv.lock ./\nCOPY src/ ./src/\nRUN pip install --upgrade pip && pip install -e \".\"\n\
    FROM python:3.12-slim AS runtime\nWORKDIR /app\n\
    COPY --from=builder /usr/local/lib/python3.12/site-packages /usr/local/lib/python3.12/site-packages\n\
    COPY --from=builder /app /app\nEXPOSE 8000\nCMD [\"uvicorn\", \"app:main\"]\n";

fn image(text: &str, dependencies: &[&str], paths: &[&str]) -> (Image, Inventory) {
    let files = Files::new([("api/Dockerfile".into(), text.to_owned())]);
    let (id, file) = files.iter().next().unwrap();
    let layer = Layer::whole(id, file);
    let spanned = |text: &&str| Spanned::new((*text).to_owned(), layer.place(0..0));
    let project = Project {
        folder: "api".into(),
        manifest: id,
        language: Language::Python,
        name: None,
        dependencies: dependencies.iter().map(spanned).collect(),
        dev_dependencies: Vec::new(),
        programs: Vec::new(),
        scripts: Vec::new(),
        language_version: None,
        build_backend: None,
        build_files: Vec::new(),
        lock_files: Vec::new(),
    };
    let inventory = Inventory::new(paths.iter().map(Utf8PathBuf::from));
    let source = ImageSource { path: "api/Dockerfile".into(), written_by: None, context: None, layer };
    let mut images = Images::new(vec![source], &[project], &inventory);
    (images.images.remove(0), inventory)
}

fn says(text: &str, program: &str) -> Provides {
    let (image, inventory) =
        image(text, &["uvicorn[standard]>=0.3", "alembic"], &["api/src/a.py", "api/run.sh"]);
    image.provides(image.stage(None).unwrap(), program, &inventory)
}

#[test]
fn a_program_left_in_the_builder_is_missing_with_the_whole_argument() {
    let Provides::No(evidence) = says(BROKEN, "uvicorn") else { panic!() };
    assert_eq!(
        evidence.why,
        "stage `builder` has `uvicorn` in `/usr/local/bin`, which this stage does not copy"
    );
    assert_eq!(evidence.related.len(), 3);
    assert!(matches!(says(BROKEN, "curl"), Provides::No(_)));
    assert!(matches!(says(BROKEN, "python"), Provides::Yes(_)));
    assert!(matches!(says(BROKEN, "sh"), Provides::Yes(_)));
    assert!(matches!(says(BROKEN, "frobnicate"), Provides::Unknown(_)));
}

#[test]
fn copied_folders_bring_their_programs() {
    let text = BROKEN.replace("EXPOSE", "COPY --from=builder /usr/local/bin /usr/local/bin\nEXPOSE");
    assert!(matches!(says(&text, "uvicorn"), Provides::Yes(_)));
    let text = "FROM python:3.12 AS b\nRUN python -m venv /opt/venv && /opt/venv/bin/pip install gunicorn\n\
        FROM python:3.12-slim\nCOPY --from=b /opt/venv /opt/venv\nENV PATH=\"/opt/venv/bin:$PATH\"\n";
    assert!(matches!(says(text, "gunicorn"), Provides::Yes(_)));
    assert!(matches!(says(&text.replace("ENV", "LABEL"), "gunicorn"), Provides::Unknown(_)));
    assert!(matches!(says(text, "/opt/venv/bin/gunicorn"), Provides::Yes(_)));
}

#[test]
fn files_of_the_context_are_looked_up() {
    let text = "FROM alpine\nWORKDIR /app\nCOPY . .\nCOPY run.sh /usr/local/bin/start\n";
    assert!(matches!(says(text, "/app/run.sh"), Provides::Yes(_)));
    assert!(matches!(says(text, "./missing.sh"), Provides::No(_)));
    assert!(matches!(says(text, "start"), Provides::Yes(_)));
}

#[test]
fn an_entry_point_that_gives_up_root_is_seen() {
    let text = "FROM debian:12\nCOPY docker/start.sh /usr/local/bin/entry.sh\nENTRYPOINT [\"entry.sh\"]\n";
    let (image, _) = image(text, &[], &["api/docker/start.sh"]);
    let script = "#!/bin/sh\nchown -R app /data\nexec gosu app \"$@\"\n";
    let files = Files::new([("api/docker/start.sh".into(), script.to_owned())]);
    let place = image.drops_root(image.stage(None).unwrap(), &files).unwrap();
    assert_eq!(files.slice(place), "gosu");
    let files = Files::new([("api/docker/start.sh".into(), "exec \"$@\"\n".to_owned())]);
    assert_eq!(image.drops_root(image.stage(None).unwrap(), &files), None);
}

#[test]
fn unnamed_installations_make_it_unknown() {
    let text = "FROM debian:12-slim\nRUN curl -fsSL https://x | bash\n";
    assert!(matches!(says(text, "node"), Provides::Unknown(_)));
    assert!(matches!(says("FROM acme/base\n", "curl"), Provides::Unknown(_)));
    assert!(matches!(says("FROM scratch\n", "sh"), Provides::No(_)));
}

#[test]
fn stages_inherit_and_the_last_instruction_wins() {
    let text = "ARG U=app\nFROM nginx:alpine AS base\nENV A=1\nUSER root\nWORKDIR /srv\nFROM base\nARG U\n\
        USER ${U}:www\nWORKDIR html\nEXPOSE 80/tcp 443\nENTRYPOINT [\"/e.sh\"]\nCMD [\"nginx\", \"-g\", \"daemon off;\"]\n";
    let (image, _) = image(text, &[], &[]);
    let stage = image.stage(None).unwrap();
    assert_eq!(stage.base, Base::Stage(0));
    assert_eq!((stage.known.map(KnownImage::name), stage.os), (Some("nginx"), Os::Alpine));
    assert_eq!(stage.runs_as_root(), Some(false));
    assert_eq!(image.stage(Some("base")).unwrap().runs_as_root(), Some(true));
    assert_eq!(stage.workdir.as_ref().unwrap().value, "/srv/html");
    assert_eq!(stage.exposed.iter().map(|port| port.value).collect::<Vec<_>>(), [80, 443]);
    let words: Vec<&str> = stage.start_words().iter().map(|word| word.value.as_str()).collect();
    assert_eq!(words, ["/e.sh", "nginx", "-g", "daemon off;"]);
    assert_eq!(stage.env["A"].value, "1");
}

#[test]
fn the_context_is_the_folder_that_has_what_is_copied() {
    let text = "FROM a\nCOPY api/src ./src\nCOPY web ./web\n";
    let (image, _) = image(text, &[], &["api/src/a.py", "web/x"]);
    assert_eq!(image.context.as_deref(), Some(Utf8Path::new("")));
    let files = Files::new([("deploy.sh".into(), "FROM a\nCOPY pyproject.toml src ./\n".to_owned())]);
    let (id, file) = files.iter().next().unwrap();
    let layer = Layer::whole(id, file);
    let source = ImageSource {
        path: "/tmp/Dockerfile".into(),
        written_by: Some(plimsoll_text::Place::new(id, Span::default())),
        context: None,
        layer,
    };
    let project = Project { folder: "api".into(), ..project(id) };
    let inventory = Inventory::new(["api/src/a", "api/pyproject.toml"].map(Utf8PathBuf::from));
    let images = Images::new(vec![source], &[project], &inventory);
    assert_eq!(images.written().next().unwrap().context.as_deref(), Some(Utf8Path::new("api")));
}

fn project(manifest: plimsoll_text::FileId) -> Project {
    Project {
        folder: Utf8PathBuf::new(),
        manifest,
        language: Language::Python,
        name: None,
        dependencies: Vec::new(),
        dev_dependencies: Vec::new(),
        programs: Vec::new(),
        scripts: Vec::new(),
        language_version: None,
        build_backend: None,
        build_files: Vec::new(),
        lock_files: Vec::new(),
    }
}
