//! The image behind a service, and how far its ports reach.

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_syntax::dockerfile::ImageReference;

use crate::Facts;
use crate::compose::{Port, Service};
use crate::images::{Image, KnownImage, Role, Stage};

/// How far a published port reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// The machine itself only.
    Machine,
    /// One address of the machine.
    Address,
    /// Every address of the machine.
    Everywhere,
}

/// How far a port reaches.
#[must_use]
pub fn reach(port: &Port) -> Reach {
    match port.host_ip.as_deref() {
        None | Some("" | "0.0.0.0" | "::" | "[::]") => Reach::Everywhere,
        Some(ip) if ip.starts_with("127.") || matches!(ip, "::1" | "[::1]" | "localhost") => Reach::Machine,
        Some(_) => Reach::Address,
    }
}

/// The ports of a service that every address of the machine answers on.
pub fn published_everywhere(service: &Service) -> impl Iterator<Item = &Port> {
    service.ports.iter().filter(|port| reach(port) == Reach::Everywhere)
}

/// The image that a service names.
#[must_use]
pub fn reference(service: &Service) -> Option<ImageReference> {
    ImageReference::parse(&service.image.as_ref()?.value)
}

/// The Dockerfile that a service is built from, relative to the root.
#[must_use]
pub fn dockerfile_path(service: &Service) -> Option<Utf8PathBuf> {
    let build = service.build.as_ref()?;
    let name = build.dockerfile.as_ref().map_or("Dockerfile", |file| file.value.as_str());
    let context = &build.context.value.resolved;
    let mut path = Utf8PathBuf::new();
    for part in context.join(name).components() {
        match part.as_str() {
            "." => {}
            ".." if path.file_name().is_some() => {
                path.pop();
            }
            other => path.push(other),
        }
    }
    Some(path)
}

/// The image of the repository that a service is built from, with the stage that it runs.
#[must_use]
pub fn built<'a>(facts: &'a Facts, service: &Service) -> Option<(&'a Image, &'a Stage)> {
    let image = facts.images.of_file(Utf8Path::new(&dockerfile_path(service)?))?;
    let target = service.build.as_ref()?.target.as_ref().map(|target| target.value.as_str());
    Some((image, image.stage(target)?))
}

/// The public image that a service runs as it is.
#[must_use]
pub fn known(service: &Service) -> Option<&'static KnownImage> {
    if service.build.is_some() {
        return None;
    }
    KnownImage::find(&reference(service)?)
}

/// What a service is for, by its public image or by the one that its own is built on.
#[must_use]
pub fn purpose(facts: &Facts, service: &Service) -> Option<Role> {
    match known(service) {
        Some(known) => Some(known.role),
        None => built(facts, service).and_then(|(_, stage)| stage.known).map(|known| known.role),
    }
}

/// Whether a service is a web server or a reverse proxy.
#[must_use]
pub fn is_web_server(facts: &Facts, service: &Service) -> bool {
    purpose(facts, service) == Some(Role::WebServer)
}

/// The words that start a service: what the Compose file says, else what the image says.
#[must_use]
pub fn start_words(facts: &Facts, service: &Service) -> Vec<String> {
    let image = built(facts, service);
    let own = |command: &Option<crate::compose::Resolved<crate::compose::Command>>| {
        command.as_ref().map(|command| command.value.words.clone())
    };
    let words = |line: &crate::images::CommandLine| {
        line.words.iter().map(|word| word.value.clone()).collect::<Vec<String>>()
    };
    match (own(&service.entrypoint), own(&service.command)) {
        (Some(mut entrypoint), command) => {
            entrypoint.extend(command.unwrap_or_default());
            entrypoint
        }
        (None, Some(command)) => {
            let mut all =
                image.and_then(|(_, stage)| stage.entrypoint.as_ref()).map(words).unwrap_or_default();
            all.extend(command);
            all
        }
        (None, None) => image
            .map(|(_, stage)| stage.start_words().into_iter().map(|word| word.value.clone()).collect())
            .unwrap_or_default(),
    }
}

/// Whether a service answers with TLS or brings encrypted traffic in: it publishes 443, or it is a tunnel.
#[must_use]
pub fn terminates_tls(service: &Service) -> bool {
    let is_tunnel = reference(service).is_some_and(|image| {
        ["cloudflared", "tailscale", "ngrok", "wireguard", "wg-easy", "newt", "pangolin", "frpc"]
            .contains(&image.short_name())
    });
    is_tunnel || service.ports.iter().any(|port| matches!(port.target, 443 | 8443))
}

/// The folder that a service is built from, relative to the root; empty for the root itself. Nothing for folders
/// outside of it and for URLs.
#[must_use]
pub fn context(service: &Service) -> Option<Utf8PathBuf> {
    let path = &service.build.as_ref()?.context.value.resolved;
    let path = path.strip_prefix(".").unwrap_or(path);
    let inside = !path.starts_with("..") && !path.is_absolute() && !path.as_str().contains("://");
    inside.then(|| path.to_owned())
}
