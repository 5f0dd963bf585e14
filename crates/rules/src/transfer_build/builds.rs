//! The steps of image builds, as far as rules of this theme need them.

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_model::Facts;
use plimsoll_model::images::{CopyFact, CopyFrom, Image, Stage};
use plimsoll_text::{Place, Spanned};

/// A simple command of a `RUN`.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// The program without folder; for `python -m pip` it is `pip`.
    pub(super) program: String,
    /// The words behind it.
    pub(super) words: Vec<Spanned<String>>,
    /// The program's word.
    pub(super) place: Place,
}

impl Step {
    fn new(mut words: Vec<Spanned<String>>) -> Option<Self> {
        if words.is_empty() {
            return None;
        }
        let first = words.remove(0);
        let mut program = first.value.rsplit('/').next().unwrap_or_default().to_owned();
        let is_module = program.starts_with("python") && words.first().is_some_and(|w| w.value == "-m");
        if let (true, Some(module)) = (is_module, words.get(1)) {
            program.clone_from(&module.value);
            words.drain(..2);
        }
        Some(Self { program, words, place: first.place })
    }

    /// Whether a word is one of these.
    pub(super) fn has(&self, wanted: &[&str]) -> bool {
        self.words.iter().any(|word| wanted.contains(&word.value.as_str()))
    }
    /// The words that are no options, without the values of the options named.
    pub(super) fn operands(&self, with_value: &[&str]) -> Vec<&Spanned<String>> {
        let mut skip = false;
        let mut out = Vec::new();
        for word in &self.words {
            if std::mem::take(&mut skip) {
                continue;
            }
            if word.value.starts_with('-') {
                skip = with_value.contains(&word.value.as_str());
            } else if !word.value.starts_with(['>', '<']) {
                out.push(word);
            }
        }
        out
    }
}

/// The steps of a stage of its own.
pub(super) fn steps(stage: &Stage) -> Vec<Step> {
    stage.run_commands().into_iter().filter_map(Step::new).collect()
}

/// Images that are deployed, as far as names tell.
pub(super) fn deployed(facts: &Facts) -> impl Iterator<Item = &Image> {
    facts.images.iter().filter(|image| {
        !facts.is_development(image.file) && !super::development::is_for_development(&image.path)
    })
}

/// What a stage copies itself.
pub(super) fn own_copies(stage: &Stage) -> impl Iterator<Item = &CopyFact> {
    stage.copies.iter().filter(|copy| copy.place.span.start > stage.place.span.start)
}

/// A path of the context without `./` and slashes at its ends; empty for all of it.
pub(super) fn clean(source: &str) -> &str {
    let path = source.trim_start_matches("./").trim_matches('/');
    if path == "." { "" } else { path }
}

/// The context that a Compose file names for an image.
pub(super) fn named_context(facts: &Facts, image: &Image) -> Option<Utf8PathBuf> {
    facts.stacks.iter().flat_map(plimsoll_model::Stack::services).find_map(|service| {
        let build = service.build.as_ref()?;
        let context = normal(&build.context.value.resolved);
        let file = build.dockerfile.as_ref().map_or("Dockerfile", |file| file.value.as_str());
        (normal(&context.join(file)) == image.path).then_some(context)
    })
}

/// A path without `.` and `..` in it.
fn normal(path: &Utf8Path) -> Utf8PathBuf {
    let mut out = Utf8PathBuf::new();
    for part in path.components() {
        match part.as_str() {
            "." => {}
            ".." => {
                out.pop();
            }
            name => out.push(name),
        }
    }
    out
}

/// The last copy before a place that brings a file of the context by its name or with all of a folder.
pub(super) fn brings<'a>(
    facts: &Facts,
    image: &Image,
    stage: &'a Stage,
    file: &Utf8Path,
    before: Place,
) -> Option<&'a CopyFact> {
    let context = image.context.as_ref()?;
    if facts.build_ignored(image, file).is_some() || !facts.inventory.has(&context.join(file)) {
        return None;
    }
    stage
        .copies
        .iter()
        .filter(|copy| copy.from == CopyFrom::Context && copy.place.span.start < before.span.start)
        .rfind(|copy| copy.sources.iter().any(|source| covers(clean(&source.value), file)))
}

/// Whether a source of `COPY` brings a file.
fn covers(source: &str, file: &Utf8Path) -> bool {
    if source.is_empty() || source.contains('$') || file.starts_with(source) {
        return true;
    }
    let Some((start, end)) = source.split_once('*') else { return false };
    let name = file.as_str();
    name.len() >= start.len() + end.trim_start_matches('*').len()
        && name.starts_with(start)
        && name.ends_with(end.trim_start_matches('*'))
}

/// Whether something brings files that cannot be named: another stage or image, or a mount of the context.
pub(super) fn is_unclear(image: &Image, stage: &Stage) -> bool {
    let parsed = image.tree.stages.get(stage.index);
    let mounts = parsed.is_some_and(|parsed| {
        parsed.instructions.iter().any(|instruction| match &instruction.kind {
            plimsoll_syntax::dockerfile::InstructionKind::Run(run) => run.flags.iter().any(|flag| {
                flag.name == "mount" && flag.value.as_ref().is_some_and(|value| value.value.contains("bind"))
            }),
            _ => false,
        })
    });
    let workdir = stage.workdir.as_ref().map_or("/", |folder| folder.value.as_str());
    mounts
        || stage.copies.iter().any(|copy| {
            copy.from != CopyFrom::Context
                && (copy.destination.value.starts_with(workdir) || copy.destination.value == "/")
        })
}
