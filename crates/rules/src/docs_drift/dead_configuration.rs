//! Setting that nothing reads, or example that leaves out what is read.

use std::collections::BTreeSet;

use camino::Utf8Path;
use plimsoll_model::application::{Phase, Presence};
use plimsoll_model::{Facts, Kind};
use plimsoll_text::FileId;

use crate::edits;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "DOC-005",
    name: "dead-configuration",
    title: "Setting that nothing reads, or example that leaves out what is read",
    theme: Theme::DocsDrift,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[],
    doc: include_str!("dead_configuration.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let reads: BTreeSet<String> =
        facts.application.env_reads.iter().map(|read| read.name.to_ascii_uppercase()).collect();
    if reads.is_empty() {
        return;
    }
    unread_settings(facts, &reads, findings);
    examples(facts, &reads, findings);
}

/// Settings of services that are built from source here, when no source reads them.
fn unread_settings(facts: &Facts, reads: &BTreeSet<String>, findings: &mut Findings<'_>) {
    let readers: BTreeSet<FileId> = facts.application.env_reads.iter().map(|read| read.place.file).collect();
    for (_, service) in facts.stacks.deployed_services().filter(|(_, service)| service.build.is_some()) {
        let context =
            service.build.as_ref().map(|build| build.context.value.resolved.clone()).unwrap_or_default();
        let folder = if context.as_str() == "." { Utf8Path::new("") } else { &context };
        let has_source = facts.files.below(folder).any(|(id, _)| readers.contains(&id));
        if !has_source {
            continue;
        }
        let mut dead: Vec<_> = service
            .environment
            .values()
            .filter(|entry| {
                !reads.contains(&entry.key.to_ascii_uppercase()) && !is_for_the_runtime(&entry.key)
            })
            .filter(|entry| !mentioned(facts, &entry.key, service))
            .collect();
        dead.sort_by_key(|entry| entry.place);
        let Some((first, rest)) = dead.split_first() else { continue };
        let finding =
            findings.add(first.place, format!("nothing in `{}` reads `{}`", service.name, first.key));
        finding.label("set for nobody");
        for entry in rest {
            finding.related(entry.place, format!("nor `{}`", entry.key));
        }
        finding
            .note("settings without effect hide the ones that matter")
            .help("remove them, or read them")
            .fix(edits::review(
                "remove settings that nothing reads",
                dead.iter().map(|entry| alone(facts, entry.place)).collect(),
            ));
    }
}

/// Variables that runtimes and servers read by themselves.
fn is_for_the_runtime(key: &str) -> bool {
    const KNOWN: &[&str] = &[
        "PATH",
        "TZ",
        "LANG",
        "HOME",
        "PORT",
        "HOST",
        "NODE_ENV",
        "PUID",
        "PGID",
        "UID",
        "GID",
        "UMASK",
        "HOSTNAME",
        "WEB_CONCURRENCY",
        "LOG_LEVEL",
        "MPLCONFIGDIR",
        "C_FORCE_ROOT",
        "TRANSFORMERS_CACHE",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "LD_LIBRARY_PATH",
        "LD_PRELOAD",
        "DEBIAN_FRONTEND",
    ];
    KNOWN.contains(&key)
        || [
            "PYTHON",
            "NVIDIA_",
            "CUDA_",
            "HF_",
            "OMP_",
            "NUMBA_",
            "TORCH_",
            "PIP_",
            "NODE_",
            "NGINX_",
            "UVICORN_",
            "GUNICORN_",
            "LC_",
            "JAVA_",
            "OTEL_",
            "NPM_",
            "NEXT_",
            "DJANGO_",
            "FLASK_",
            "AWS_",
            "RUST_",
            "GO",
            "TRAEFIK",
            "VIRTUAL_",
            "LETSENCRYPT_",
        ]
        .iter()
        .any(|prefix| key.starts_with(prefix))
}

/// Whether a script, Dockerfile or configuration of the service's folder names the variable.
fn mentioned(facts: &Facts, key: &str, service: &plimsoll_model::compose::Service) -> bool {
    let context =
        service.build.as_ref().map(|build| build.context.value.resolved.clone()).unwrap_or_default();
    let folder = if context.as_str() == "." { Utf8Path::new("") } else { &context };
    facts.files.below(folder).any(|(id, file)| {
        let counts = match facts.trees.kind(id) {
            Kind::Compose | Kind::Markdown | Kind::Dotenv | Kind::Workflow | Kind::Taskfile => false,
            // Deployment scripts write settings down, what an image starts reads them.
            Kind::Shell => file.holds(key) && is_started_by_an_image(facts, file.name()),
            _ => true,
        };
        counts && !facts.is_development(id) && file.holds(key)
    })
}

/// Whether a Dockerfile names the script.
fn is_started_by_an_image(facts: &Facts, script: &str) -> bool {
    facts.trees.of_kind(Kind::Dockerfile).any(|id| facts.files.get(id).holds(script))
}

/// Example files for production that leave out what the app needs.
fn examples(facts: &Facts, reads: &BTreeSet<String>, findings: &mut Findings<'_>) {
    let given = Given::of(facts);
    for file in facts.trees.of_kind(Kind::Dotenv) {
        let name = facts.files.get(file).name().to_lowercase();
        let Some(tree) = facts.trees.dotenv.get(&file) else { continue };
        let is_example = ["example", "template", "sample"].iter().any(|word| name.contains(word));
        let is_production = ["prod", "deploy", "live"].iter().any(|word| name.contains(word));
        let Some(first) = tree.entries.first().filter(|_| is_example && is_production) else { continue };
        let known: BTreeSet<String> = tree
            .entries
            .iter()
            .map(|entry| entry.key.as_str())
            .chain(commented_out(facts, file))
            .map(str::to_ascii_uppercase)
            .collect();
        let mut missing: Vec<_> = facts
            .application
            .env_reads
            .iter()
            .filter(|read| {
                matches!(read.presence, Presence::Required)
                    || is_address_or_secret(&read.name)
                    || read.phase == Phase::Build
            })
            .filter(|read| {
                !known.contains(&read.name.to_ascii_uppercase()) && !facts.is_development(read.place.file)
            })
            .filter(|read| !given.set.contains(read.name.as_str()) && !for_no_build(&given, read))
            .collect();
        missing.sort_by(|a, b| (&a.name, a.place).cmp(&(&b.name, b.place)));
        missing.dedup_by(|b, a| a.name == b.name);
        if let Some((read, rest)) = missing.split_first() {
            let place = plimsoll_text::Place::new(file, first.span);
            let finding =
                findings.add(place, format!("this example leaves out `{}`, which the app reads", read.name));
            finding
                .label("the list starts here")
                .related(read.place, format!("`{}` is read here", read.name));
            for read in rest {
                finding.related(read.place, format!("`{}` too", read.name));
            }
            let names: Vec<String> = missing.iter().map(|read| example_line(read)).collect();
            if let Some(last) = tree.entries.last() {
                let lines = format!("\n# Read by the application\n{}", names.join("\n"));
                let edit = edits::lines_after(facts, plimsoll_text::Place::new(file, last.span), &lines);
                finding.fix(edits::safe("list the variables that the app reads", Some(vec![edit])));
            }
            finding.help("list every variable that the app reads, with a placeholder");
        }
        let unused = tree.entries.iter().find(|entry| {
            let public = ["VITE_", "NEXT_PUBLIC_", "REACT_APP_", "NUXT_PUBLIC_"]
                .iter()
                .any(|p| entry.key.starts_with(p));
            // What the code cannot do without is missing in the build, not superfluous here.
            let optional = !facts
                .application
                .env_reads
                .iter()
                .any(|read| read.name == entry.key && matches!(read.presence, Presence::Required));
            public
                && optional
                && reads.contains(&entry.key.to_ascii_uppercase())
                && !given.build.contains(entry.key.as_str())
        });
        if let Some(entry) = unused {
            findings
                .add(
                    plimsoll_text::Place::new(file, entry.span),
                    format!("`{}` never reaches the build that needs it", entry.key),
                )
                .label("set for nobody")
                .help("pass it as a build argument, or take it out")
                .fix(edits::safe(
                    "turn the setting without effect into a comment",
                    Some(vec![edits::before(plimsoll_text::Place::new(file, entry.span), "# ")]),
                ));
        }
    }
}

fn is_address_or_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["_URL", "_KEY", "SECRET", "_TOKEN", "PASSWORD", "CORS", "ORIGINS", "_DSN"]
        .iter()
        .any(|part| name.contains(part))
}

/// What deployed Compose files give by themselves.
struct Given<'a> {
    /// Variables that they set.
    set: BTreeSet<&'a str>,
    /// Arguments that they pass to builds.
    build: BTreeSet<&'a str>,
}

impl<'a> Given<'a> {
    fn of(facts: &'a Facts) -> Self {
        let services = || facts.stacks.deployed_services().map(|(_, service)| service);
        let set = services().flat_map(|service| &service.environment);
        let build = services().filter_map(|service| service.build.as_ref()).flat_map(|build| &build.args);
        Self {
            set: set.filter(|(_, entry)| entry.value.is_some()).map(|(name, _)| name.as_str()).collect(),
            build: build.map(|(name, _)| name.as_str()).collect(),
        }
    }
}

/// Removes an entry that has its lines for itself.
fn alone(facts: &Facts, place: plimsoll_text::Place) -> Option<plimsoll_text::Edit> {
    let head = edits::line_head(facts, place).trim();
    let tail = edits::line_tail(facts, place).trim();
    let whole = matches!(head, "" | "-" | "- \"" | "- '")
        && (tail.is_empty() || tail.starts_with('#') || matches!(tail, "\"" | "'"));
    whole.then(|| edits::remove_lines(facts, place))
}

/// Names of settings that an example shows as a comment.
fn commented_out(facts: &Facts, file: FileId) -> impl Iterator<Item = &str> {
    facts.files.get(file).text().lines().filter_map(|line| {
        let (name, _) = line.trim_start().strip_prefix('#')?.trim_start().split_once('=')?;
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        is_name.then_some(name)
    })
}

/// A line for an example file: the code's own default, else a word that says what belongs there, else a comment.
fn example_line(read: &plimsoll_model::application::EnvRead) -> String {
    match &read.presence {
        Presence::Default(text) if !text.value.is_empty() && !text.value.contains([' ', '"', '#']) => {
            format!("{}={}", read.name, text.value)
        }
        Presence::Required => format!("{0}=your_{1}_here", read.name, read.name.to_ascii_lowercase()),
        // A value that nobody chose would be taken for one when the example is copied.
        _ => format!("# {}=", read.name),
    }
}

/// Whether it is an optional value of a build that no build is given.
fn for_no_build(given: &Given<'_>, read: &plimsoll_model::application::EnvRead) -> bool {
    read.phase == Phase::Build
        && !matches!(read.presence, Presence::Required)
        && !given.build.contains(read.name.as_str())
}
