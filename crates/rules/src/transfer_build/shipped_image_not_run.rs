//! CI ships an image, and something else runs.

use plimsoll_model::commands::{Command, Machine};
use plimsoll_model::compose::Service;
use plimsoll_model::{Facts, Kind};
use plimsoll_syntax::dockerfile::ImageReference;
use plimsoll_syntax::yaml::Node;
use plimsoll_text::{FileId, Place};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "BLD-011",
    name: "shipped-image-not-run",
    title: "Image that is shipped is not the one that runs",
    theme: Theme::TransferBuild,
    severity: Severity::Critical,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Docker, Compose file reference, build and image",
        url: "https://docs.docker.com/reference/compose-file/build/",
    }],
    doc: include_str!("shipped_image_not_run.md"),
    check,
};

/// An image that goes to the server.
struct Shipped {
    reference: ImageReference,
    text: String,
    place: Place,
    file: FileId,
}

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let shipped = shipped(facts);
    for stack in facts.stacks.deployed() {
        let Some(started) = stack.deployed_by else { continue };
        let of_this: Vec<&Shipped> = shipped.iter().filter(|image| image.file == started.file).collect();
        let Some(first) = of_this.first() else { continue };
        let services: Vec<&Service> = stack.services().collect();
        let open = services
            .iter()
            .any(|service| service.image.as_ref().is_some_and(|image| facts.text(image.place).contains('$')));
        if open || of_this.iter().any(|image| runs(&services, image, &of_this)) {
            continue;
        }
        let same_name = services
            .iter()
            .find(|service| image_of(service).is_some_and(|image| image.name == first.reference.name));
        if let Some((service, image)) = same_name.and_then(|s| Some((s, s.image.as_ref()?))) {
            let finding = findings.add(
                first.place,
                format!("`{}` is shipped, and `{}` runs `{}`", first.text, service.name, image.value),
            );
            finding
                .label("shipped")
                .related(image.place, "runs this one")
                .related(started, "started here")
                .note("the deployment succeeds and changes nothing: the old image goes on running")
                .help("ship the tag that the service names, or take the tag from a variable in both places");
        } else if let Some((service, build)) =
            services.iter().find_map(|service| Some((service, service.build.as_ref()?)))
        {
            let finding =
                findings.add(first.place, format!("`{}` is shipped, and no service runs it", first.text));
            finding
                .label("shipped")
                .related(build.place, format!("`{}` builds an image of its own", service.name))
                .related(started, "started here")
                .note("what CI has built and tested never runs; the server builds again from whatever source it has")
                .help(format!("give `{}` the key `image: {}`", service.name, first.text));
        }
    }
}

/// Whether a service runs an image that is shipped, also under the name that Compose gives to what it builds.
fn runs(services: &[&Service], image: &Shipped, all: &[&Shipped]) -> bool {
    services.iter().any(|service| {
        if let Some(own) = image_of(service) {
            let tag =
                |reference: &ImageReference| reference.tag.clone().unwrap_or_else(|| "latest".to_owned());
            return own.name == image.reference.name
                && all.iter().any(|other| {
                    other.reference.name == own.name
                        && (tag(&other.reference) == tag(&own) || other.text.contains(&tag(&own)))
                });
        }
        let short = image.reference.short_name();
        service.build.is_some()
            && (short.ends_with(&format!("-{}", service.name))
                || short.ends_with(&format!("_{}", service.name)))
    })
}

fn image_of(service: &Service) -> Option<ImageReference> {
    ImageReference::parse(&service.image.as_ref()?.value)
}

/// Images that commands save or push, and those that workflows build and push.
fn shipped(facts: &Facts) -> Vec<Shipped> {
    let mut out = Vec::new();
    let mut add = |text: &str, place: Place, file: FileId| {
        // An expression of the workflow may be any tag; the name in front of it counts.
        let end = text.find(['$', '{']).unwrap_or(text.len());
        let name = text.get(..end).unwrap_or_default().trim_end_matches([':', '-', '/']);
        let tagged = if end < text.len() { format!("{name}:expression") } else { name.to_owned() };
        if let Some(reference) = ImageReference::parse(&tagged).filter(|_| !name.is_empty()) {
            out.push(Shipped { reference, text: text.to_owned(), place, file });
        }
    };
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        if facts.commands.is_only_read(command.unit) || command.machine != Machine::Workstation {
            continue;
        }
        let behind = if command.is("docker", &["save"]) || command.is("docker", &["push"]) {
            1
        } else if command.is("docker", &["image", "save"]) || command.is("docker", &["image", "push"]) {
            2
        } else {
            continue;
        };
        for arg in images(command, behind) {
            add(&arg.value.text, arg.place, unit.file);
        }
    }
    for (file, stream) in facts.trees.yaml_of(Kind::Workflow) {
        for document in &stream.documents {
            pushed(document, 0, &mut |node| {
                for line in node.as_str().unwrap_or_default().lines().flat_map(|line| line.split(',')) {
                    if !line.trim().is_empty() {
                        add(line.trim(), Place::new(file, node.span), file);
                    }
                }
            });
        }
    }
    out
}

fn images(command: &Command, behind: usize) -> impl Iterator<Item = &plimsoll_model::commands::Arg> {
    command.operands().skip(behind)
}

/// `tags` of steps that build and push.
fn pushed<'a>(node: &'a Node, depth: usize, visit: &mut dyn FnMut(&'a Node)) {
    if depth > 20 {
        return;
    }
    let builds = node
        .get("uses")
        .and_then(|uses| uses.as_str())
        .is_some_and(|uses| uses.contains("build-push-action"));
    if let (true, Some(with)) = (builds, node.get("with"))
        && with.get("push").and_then(|push| push.as_bool()) != Some(false)
        && let Some(tags) = with.get("tags")
    {
        visit(tags);
    }
    for entry in node.entries() {
        pushed(&entry.value, depth + 1, visit);
    }
    for item in node.items() {
        pushed(item, depth + 1, visit);
    }
}
