//! How well it runs, how fast, how it is deployed, and how others do it.

use plimsoll_rules::registry;

use super::answers::{Question, answers, ask};
use super::findings::{self, Chapter};
use super::show::{Show, part, proposal_anchor, table};
use crate::document::{Block, Section, Text};

const RELIABILITY: &[Question] = &[
    ask(
        "Does a second deployment work like the first?",
        &["SEC-003", "SEC-004", "DAT-011", "SEC-005", "DAT-001", "SCR-011"],
    ),
    ask(
        "Does every image build, and does its program start?",
        &["BLD-001", "BLD-002", "BLD-021", "BLD-011", "HLT-003", "BLD-004", "SCR-008", "BLD-003", "BLD-020"],
    ),
    ask("Does every service become healthy, and only when it is?", &["HLT-001", "HLT-002", "HLT-007"]),
    ask("Do requests arrive where they should?", &["NET-010", "NET-013", "NET-009", "NET-014", "HLT-011"]),
    ask(
        "Do migrations run once, against the right database, before the new code?",
        &["DAT-002", "DAT-003", "DAT-012", "DAT-013"],
    ),
    ask("Is a failed deployment noticed?", &["HLT-005", "SCR-001", "SCR-002", "DAT-003"]),
    ask("Can a deployment be taken back?", &["HLT-006", "HLT-010", "BLD-013"]),
    ask("Does it come back after a reboot?", &["HLT-008", "NET-007"]),
    ask(
        "Can the data be restored?",
        &["DAT-004", "DAT-005", "DAT-006", "DAT-007", "DAT-009", "DAT-010", "DAT-008"],
    ),
    ask(
        "Do the documents say what the scripts do?",
        &["DOC-001", "DOC-002", "DOC-003", "DOC-004", "DOC-005", "DOC-007", "DOC-008"],
    ),
];

const AUTOMATION: &[Question] = &[
    ask("Does a script stop when a step fails?", &["SCR-001", "SCR-002", "DAT-003"]),
    ask("Does it tell a failed connection from an answer?", &["SCR-003", "HST-008"]),
    ask("Can it be started again after a failure in the middle?", &["SCR-004", "SCR-011", "BLD-013"]),
    ask("Does it wait for what it needs, and no longer?", &["HLT-004"]),
    ask("Are two runs at once kept apart?", &["SCR-010", "SEC-008"]),
    ask("Does it work on another node, storage or network?", &["SCR-005", "SCR-012", "SCR-006"]),
    ask(
        "Does the same commit give the same release?",
        &["BLD-012", "BLD-009", "BLD-005", "LIF-002", "BLD-003"],
    ),
    ask("Is there a command for stop, backup and rollback?", &["LIF-004"]),
    ask("Does CI build and check what is deployed?", &["LIF-005", "LIF-007"]),
    ask("Is the deployment free of root on the node?", &["HST-001", "HST-005", "HST-010"]),
];

/// What the industry does, with the rules that tell when it is not done here.
const PRACTICES: &[Question] = &[
    ask("Docker workloads run in a VM, or at least unprivileged", &["ISO-001", "ISO-014"]),
    ask("Automation uses a token of the least role, not root", &["HST-001", "HST-005"]),
    ask("Images are built once, outside production, from a commit", &["BLD-010", "BLD-012"]),
    ask(
        "Images and packages are pinned, downloads verified",
        &["BLD-009", "BLD-007", "BLD-008", "BLD-006", "LIF-002"],
    ),
    ask("Secrets are made once and handed over as files", &["SEC-003", "SEC-011", "SEC-001", "SEC-016"]),
    ask("Containers run as their own user, without spare rights", &["CMP-006", "CMP-005"]),
    ask("Only the front door is published, behind TLS", &["NET-001", "NET-003", "NET-004"]),
    ask("A release counts when its health says so", &["HLT-005", "HLT-001", "HLT-007"]),
    ask("The release before is kept, and comes back by a command", &["HLT-006", "LIF-004"]),
    ask("Backups are automatic, elsewhere, and restored to try them", &["DAT-004", "DAT-007", "DAT-006"]),
    ask("Memory, processes and logs have limits", &["CMP-007", "LIF-001", "PRF-002"]),
    ask("Somebody is told when it fails", &["LIF-006"]),
    ask("Security updates come by themselves", &["LIF-003", "BLD-022"]),
];

pub(super) fn sections(show: &Show<'_>) -> Vec<Section> {
    let chapter = |chapter: Chapter, first: Vec<Block>| {
        let mut blocks = first;
        blocks.extend(findings::of(show, chapter));
        part(chapter.id(), chapter.title(), blocks)
    };
    if show.is_empty() {
        return [Chapter::Reliability, Chapter::Performance, Chapter::Automation]
            .into_iter()
            .map(|of| chapter(of, Vec::new()))
            .collect();
    }
    let reliability = answers(show, "Questions about reliability", RELIABILITY);
    let automation = answers(show, "Questions about automation", AUTOMATION);
    vec![
        chapter(Chapter::Reliability, vec![reliability]),
        chapter(Chapter::Performance, performance(show)),
        chapter(Chapter::Automation, vec![automation]),
        part("practice", "Comparison with industry practice", practice(show)),
    ]
}

fn performance(show: &Show<'_>) -> Vec<Block> {
    let judgement = show.input.judgement;
    let mut blocks = Vec::new();
    if let Some(today) = judgement.alternatives.iter().find(|way| way.is_today)
        && let Some(costs) = today.costs
    {
        blocks.push(Block::Paragraph(Text::of(&format!(
            "Besides the services, a {} takes {} to {} MiB of memory and {} to {} GiB of disk, and is reachable {} to {} seconds after its start.",
            today.kind.title(),
            costs.memory_mib.0,
            costs.memory_mib.1,
            costs.disk_gib.0,
            costs.disk_gib.1,
            costs.boot_seconds.0,
            costs.boot_seconds.1
        ))));
    }
    let unsaid = |text: &str| text.starts_with("None") || text.is_empty();
    let rows: Vec<Vec<Text>> = judgement
        .proposals
        .iter()
        .filter(|proposal| !unsaid(proposal.performance))
        .map(|proposal| {
            vec![
                Text::default().anchor(proposal_anchor(proposal.id), proposal.title),
                proposal.performance.into(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        blocks.push(table("What the proposals do to performance", &["change", "effect"], rows));
    }
    let unmeasured = "Files do not tell how the app performs under load: `docker stats` in the guest while it serves shows memory and processor time, and the log of the proxy shows the answer times.";
    blocks.push(Block::Paragraph(unmeasured.into()));
    blocks
}

fn practice(show: &Show<'_>) -> Vec<Block> {
    let row = |practice: &Question| {
        let found = show.of(practice.rules);
        let (state, why) = match found.first() {
            Some(worst) => (Text::default().strong("not so here"), show.mention(worst)),
            None => ("nothing found against it".into(), Text::default()),
        };
        let rules = practice.rules.iter().filter_map(|code| registry::find(code));
        let source = rules.flat_map(|rule| rule.references).next();
        let source =
            source.map_or_else(Text::default, |source| Text::default().link(source.title, source.url));
        vec![practice.text.into(), state, why, source]
    };
    let rows = PRACTICES.iter().map(row).collect();
    vec![table("Industry practice", &["practice", "here", "why", "source"], rows)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_name_rules_that_exist() {
        for question in [RELIABILITY, AUTOMATION, PRACTICES].into_iter().flatten() {
            super::super::answers::assert_rules_exist(question.rules);
        }
    }
}
