//! GitHub Actions workflows (and Gitea, Forgejo): each `run:` step is a program of its job.

use plimsoll_syntax::yaml::{Node, Stream};
use plimsoll_text::FileId;

use super::{environment, unit};
use crate::commands::{Machine, Origin, Strict, Unit};

/// The `run:` steps of a workflow.
pub(crate) fn workflow(file: FileId, stream: &Stream) -> Vec<Unit> {
    let mut units = Vec::new();
    for document in &stream.documents {
        let global = environment(file, document.get("env").map(AsRef::as_ref));
        for job in document.get("jobs").map(|jobs| jobs.entries()).unwrap_or_default() {
            let Some(name) = job.key.as_str() else { continue };
            let of_job = environment(file, job.value.get("env").map(AsRef::as_ref));
            for step in job.value.get("steps").map(|steps| steps.items()).unwrap_or_default() {
                let text = step.get("run").or_else(|| remote_script(step)).and_then(|run| run.scalar());
                let Some(text) = text else { continue };
                let is_remote = step.get("run").is_none();
                let machine = match (is_remote, step.get("with")) {
                    (true, Some(with)) if names_node(with) => Machine::Node,
                    (true, _) => Machine::Guest,
                    (false, _) => Machine::Workstation,
                };
                let mut unit =
                    unit(file, Origin::WorkflowStep { job: name.to_owned() }, &text.layer, machine);
                // GitHub runs `bash -e {0}`, and `bash --noprofile --norc -eo pipefail {0}` where the shell is named.
                let named = step.get("shell").and_then(|shell| shell.as_str()) == Some("bash");
                unit.strict = Strict { errexit: !is_remote, nounset: false, pipefail: named };
                unit.environment = environment(file, step.get("env").map(AsRef::as_ref));
                unit.environment.extend(of_job.iter().cloned());
                unit.environment.extend(global.iter().cloned());
                unit.directory =
                    step.get("working-directory").and_then(|dir| dir.as_str()).map(str::to_owned);
                units.push(unit);
            }
        }
    }
    units
}

/// The script that a step runs over SSH (`appleboy/ssh-action` and those that follow its inputs).
fn remote_script(step: &Node) -> Option<&std::sync::Arc<Node>> {
    step.get("uses")?.as_str().filter(|uses| uses.contains("ssh"))?;
    step.get("with")?.get("script")
}

/// Whether the host of an SSH action is called after Proxmox VE.
fn names_node(with: &Node) -> bool {
    let host = with.get("host").and_then(|host| host.as_str()).unwrap_or_default().to_ascii_lowercase();
    ["proxmox", "pve", "hypervisor"].iter().any(|word| host.contains(word))
        && !["lxc", "_vm", "_ct", "guest", "container"].iter().any(|word| host.contains(word))
}
