//! Actions of others in workflows.

use plimsoll_model::{Facts, Kind};
use plimsoll_syntax::yaml::Node;
use plimsoll_text::Place;

use crate::{Findings, Severity};

/// Owners whose actions belong to the platform or to the tools that they install.
const TRUSTED: &[&str] = &[
    "actions",
    "github",
    "docker",
    "aws-actions",
    "azure",
    "google-github-actions",
    "hashicorp",
    "astral-sh",
    "pnpm",
];

/// Steps that give a key to an action whose code a tag decides: one finding for each workflow.
pub(super) fn judge(facts: &Facts, findings: &mut Findings<'_>) {
    for (file, stream) in facts.trees.yaml_of(Kind::Workflow) {
        let mut found = Vec::new();
        for document in &stream.documents {
            collect(document, 0, &mut |uses, secret| {
                found.push((Place::new(file, uses.span), uses, Place::new(file, secret.span)));
            });
        }
        let mut rest = found.into_iter();
        let Some((first, uses, secret)) = rest.next() else { continue };
        let name = uses.as_str().unwrap_or_default();
        let finding =
            findings.add(first, format!("`{name}` gets a secret and can be another program tomorrow"));
        finding.related(secret, "the secret");
        for (place, ..) in rest {
            finding.related(place, "the same here");
        }
        finding
            .severity(Severity::Medium)
            .note("a tag can be moved: whoever takes over the action's repository reads the secret at the next run")
            .help("name the action by the commit that was read, with the tag in a comment");
    }
}

fn collect<'a>(node: &'a Node, depth: usize, visit: &mut dyn FnMut(&'a Node, &'a Node)) {
    if depth > 20 {
        return;
    }
    if let Some(uses) = node.get("uses")
        && uses.as_str().is_some_and(is_movable)
        && let Some(secret) = ["with", "env"].iter().find_map(|key| secret(node.get(key)?))
    {
        visit(uses, secret);
    }
    for entry in node.entries() {
        collect(&entry.value, depth + 1, visit);
    }
    for item in node.items() {
        collect(item, depth + 1, visit);
    }
}

/// The first value that holds a key to a machine of one's own.
fn secret(values: &Node) -> Option<&Node> {
    values.entries().iter().find_map(|entry| {
        let text = entry.value.as_str()?.to_ascii_uppercase();
        let name = entry.key.as_str().unwrap_or_default().to_ascii_uppercase();
        let words = ["SSH", "KEY", "PASSWORD", "PASSPHRASE", "PROXMOX", "PVE", "KUBECONFIG", "VAULT", "SUDO"];
        let is_key = |text: &str| words.iter().any(|word| text.contains(word));
        (text.contains("SECRETS.") && (is_key(&text) || is_key(&name))).then(|| entry.value.as_ref())
    })
}

/// Whether an action is somebody else's and named by something that moves.
fn is_movable(uses: &str) -> bool {
    let Some((name, version)) = uses.split_once('@') else { return false };
    let owner = name.split('/').next().unwrap_or_default().to_ascii_lowercase();
    let is_commit = version.len() == 40 && version.bytes().all(|byte| byte.is_ascii_hexdigit());
    name.contains('/') && !name.starts_with('.') && !is_commit && !TRUSTED.contains(&owner.as_str())
}
