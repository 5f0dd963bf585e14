//! The web server configuration in an image.

use camino::Utf8PathBuf;
use plimsoll_syntax::nginx;
use plimsoll_text::Place;

use crate::Facts;
use crate::images::{CopyFrom, Image, Stage};

/// The nginx configurations that a stage copies to `/etc/nginx`, each with the copy's place.
#[must_use]
pub fn nginx_configs(facts: &Facts, image: &Image, stage: &Stage) -> Vec<(nginx::Config, Place)> {
    let mut found = Vec::new();
    let to_nginx = stage.copies.iter().filter(|copy| copy.destination.value.starts_with("/etc/nginx"));
    for copy in to_nginx {
        for (_, body) in &copy.heredocs {
            found.push((nginx::parse(body), copy.place));
        }
        let (CopyFrom::Context, Some(context)) = (&copy.from, &image.context) else { continue };
        for source in &copy.sources {
            let path: Utf8PathBuf =
                context.join(source.value.trim_start_matches("./").trim_start_matches('/'));
            if let Some(config) = facts.files.find(&path).and_then(|id| facts.trees.nginx.get(&id)) {
                found.push((nginx::Config::clone(config), copy.place));
            }
        }
    }
    found
}

/// The ports of a configuration, with the directive and whether it also listens on IPv6.
#[must_use]
pub fn nginx_listens(config: &nginx::Config) -> Vec<(u16, bool, Place)> {
    let mut found = Vec::new();
    config.walk(&mut |_, directive| {
        if directive.name.value != "listen" {
            return;
        }
        let Some(address) = directive.argument(0) else { return };
        let port = address.rsplit_once(':').map_or(address, |(_, port)| port);
        let port = port.parse().unwrap_or(80);
        found.push((port, address.starts_with('['), directive.place));
    });
    found
}
