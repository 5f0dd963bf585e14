//! Private key is copied into an image or archive.

use plimsoll_model::Facts;

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SEC-017",
    name: "key-leaves-its-host",
    title: "Private key is copied into an image or archive",
    theme: Theme::Secrets,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("key_leaves_its_host.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for image in facts.images.iter() {
        for stage in &image.stages {
            for copy in stage
                .copies
                .iter()
                .filter(|copy| matches!(copy.from, plimsoll_model::images::CopyFrom::Context))
            {
                if let Some(source) = copy.sources.iter().find(|source| is_private_key(&source.value)) {
                    findings
                        .add(source.place, format!("`{}` becomes part of the image", source.value))
                        .label("a private key")
                        .note("whoever pulls the image has the key, even when a later layer removes it")
                        .help("mount it at run time, or with `RUN --mount=type=secret` at build time");
                }
            }
        }
    }
}

fn is_private_key(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_key = name.ends_with(".key")
        || name.ends_with("-key.pem")
        || name == "privkey.pem"
        || name.ends_with(".p12")
        || name.ends_with(".pfx");
    let is_ssh =
        (name.starts_with("id_rsa") || name.starts_with("id_ed25519") || name.starts_with("id_ecdsa"))
            && !name.ends_with(".pub");
    is_key || is_ssh
}
