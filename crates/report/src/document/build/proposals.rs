//! What to change, in which order.

use std::collections::BTreeSet;

use plimsoll_judge::alternatives::Alternative;
use plimsoll_judge::proposals::{self as judged, Complexity, Horizon};
use plimsoll_text::Applicability;

use super::alternatives::anchor as way_anchor;
use super::roadmap;
use super::show::{Show, noun, number, part, proposal_anchor, table};
use crate::document::{Block, Hours, Notes, Proposal, Resolved, Section, Text};
use crate::report::counted;

/// Recommendations, proposals and patches.
pub(super) fn sections(show: &Show<'_>) -> Vec<Section> {
    let mut proposals: Vec<Proposal> = show
        .input
        .judgement
        .proposals
        .iter()
        .enumerate()
        .map(|(index, judged)| proposal(show, judged, index + 1))
        .collect();
    proposals.extend(relocation(show, proposals.len() + 1));
    if proposals.is_empty() {
        return vec![part(
            "recommendations",
            "Recommendations",
            vec![Block::Paragraph("Nothing to change.".into())],
        )];
    }
    let mut parts = vec![roadmap::plain(show, &proposals)];
    parts.extend(roadmap::by_week(show, &proposals));
    for (horizon, id, title) in [
        (Horizon::QuickWin, "quick-wins", "Quick wins (now)"),
        (Horizon::MediumTerm, "medium-term", "Medium-term (the next weeks)"),
        (Horizon::LongTerm, "long-term", "Long-term (another way of working)"),
    ] {
        let rows: Vec<Vec<Text>> =
            proposals.iter().filter(|proposal| proposal.horizon == horizon).map(row).collect();
        if rows.is_empty() {
            continue;
        }
        let all = proposals.iter().filter(|proposal| proposal.horizon == horizon);
        let effort = Hours(all.map(|proposal| proposal.effort.0).sum());
        let titles = ["change", "#effort", "complexity", "worst", "#findings", "#paths cut", "#patches"];
        parts.push(part(
            id,
            title,
            vec![
                Block::Paragraph(format!("{}, {effort} together.", counted(rows.len(), "change")).into()),
                table(title, &titles, rows),
            ],
        ));
    }
    let cut = &show.input.judgement.cut;
    let mut intro = "The order: first the cheapest set of changes that closes every open attack path, then by the worst finding and the effort.".to_owned();
    if !cut.proposals.is_empty() {
        intro.push_str(&format!(
            " That set is marked with an asterisk: {}, {}, {} paths.",
            counted(cut.proposals.len(), "change"),
            Hours(cut.effort_quarters),
            cut.paths
        ));
    }
    if let Some(moving) = proposals.iter().find(|proposal| proposal.id == proposal_anchor("move")) {
        intro.push_str(&format!(
            " The verdict itself is change {}. It takes the place of making today's guest safer, which is worth its effort only until then.",
            moving.number
        ));
    }
    let recommendations = Section {
        id: "recommendations".to_owned(),
        title: "Recommendations".to_owned(),
        blocks: vec![Block::Paragraph(intro.into())],
        sections: parts,
    };
    let ready = ready(&proposals);
    let blocks = proposals
        .into_iter()
        .flat_map(|proposal| {
            let slot = proposal.id.clone();
            [Block::Proposal(Box::new(proposal)), Block::Notes(Notes { slot, text: String::new() })]
        })
        .collect();
    let mut sections = vec![recommendations, part("proposals", "Proposals", blocks)];
    sections.extend(ready);
    sections
}

/// The proposal that the verdict is, where it is not to stay.
fn relocation(show: &Show<'_>, number: usize) -> Option<Proposal> {
    let judgement = show.input.judgement;
    let verdict =
        judgement.verdict.as_ref().filter(|verdict| verdict.winner != verdict.today && !show.is_empty())?;
    let way = judgement.alternatives.iter().find(|way| way.kind == verdict.winner)?;
    let today = judgement.alternatives.iter().find(|way| way.is_today)?;
    let open = |way: &Alternative| way.paths.to_node().filter(|path| !path.residual).count();
    let (now, then) = (open(today), open(way));
    let guest = judgement
        .proposals
        .iter()
        .filter(|proposal| matches!(proposal.id, "unprivileged-guest" | "vm-guest"));
    let resolves =
        guest.flat_map(|proposal| &proposal.resolves).map(|found| resolved(show, found)).collect::<Vec<_>>();
    let hours = way.migration.effort_quarters();
    let steps: Vec<String> = way.migration.steps.iter().map(|step| step.text.clone()).collect();
    let performance = match (today.costs, way.costs) {
        (Some(now), Some(then)) => format!(
            "{} to {} MiB of memory besides the services in place of {} to {}, {} to {} seconds to start in place of {} to {}",
            then.memory_mib.0,
            then.memory_mib.1,
            now.memory_mib.0,
            now.memory_mib.1,
            then.boot_seconds.0,
            then.boot_seconds.1,
            now.boot_seconds.0,
            now.boot_seconds.1
        ),
        (_, Some(then)) => {
            format!("{} to {} MiB of memory besides the services", then.memory_mib.0, then.memory_mib.1)
        }
        _ => "cannot be told from the files".to_owned(),
    };
    Some(Proposal {
        id: proposal_anchor("move"),
        number,
        title: format!("Move to {}", noun(way.kind)),
        problem: vec![Text::of(&format!(
            "{} hosts the app today: {now} open paths lead to root on the node",
            noun(today.kind)
        ))],
        solution: Text::of(&steps.join("; "))
            .and(": ")
            .anchor(way_anchor(way.kind), "the steps with their files"),
        complexity: match hours {
            0..=16 => Complexity::Low,
            17..=32 => Complexity::Medium,
            _ => Complexity::High,
        },
        effort: Hours(hours),
        effort_model: "the sum of the steps".into(),
        security: Text::of(&format!(
            "{then} open paths to the node are left in place of {now}, before any other change"
        )),
        performance: Text::of(&performance),
        breaking: Text::of(&way.migration.breaking.join("; ")),
        horizon: Horizon::LongTerm,
        cuts: now.saturating_sub(then),
        in_cut: false,
        severity: resolves.iter().map(|one| one.severity).max(),
        resolves,
        patches: Vec::new(),
        withdrawn: Vec::new(),
    })
}

fn row(proposal: &Proposal) -> Vec<Text> {
    let mark = if proposal.in_cut { " *" } else { "" };
    vec![
        Text::of(&format!("{}. ", proposal.number)).anchor(&proposal.id, &proposal.title).and(mark),
        Text::of(&proposal.effort.to_string()),
        proposal.complexity.name().into(),
        proposal.severity.map_or_else(Text::default, |severity| severity.name().into()),
        number(proposal.resolves.len()),
        if proposal.cuts > 0 { number(proposal.cuts) } else { Text::default() },
        if proposal.patches.is_empty() { Text::default() } else { number(proposal.patches.len()) },
    ]
}

fn proposal(show: &Show<'_>, judged: &judged::Proposal, number: usize) -> Proposal {
    let rules: BTreeSet<&str> = judged.resolves.iter().map(|resolved| resolved.rule).collect();
    let findings = || show.all().filter(|finding| rules.contains(finding.rule.code));
    let mut problem: Vec<Text> = judged.problem.iter().map(|text| Text::of(text)).collect();
    let more = judged.resolves.len().saturating_sub(problem.len());
    if more > 0 {
        problem.push(Text::of(&format!("{more} more of the kind")));
    }
    if problem.is_empty() {
        problem.push(Text::of(&format!(
            "{} lead through what it removes",
            counted(judged.cuts, "open attack path")
        )));
    }
    Proposal {
        id: proposal_anchor(judged.id),
        number,
        title: judged.title.to_owned(),
        problem,
        solution: judged.solution.into(),
        complexity: judged.complexity,
        effort: Hours(judged.effort_quarters),
        effort_model: Text::of(&judged.effort_model),
        security: judged.security.into(),
        performance: judged.performance.into(),
        breaking: judged.breaking.into(),
        horizon: judged.horizon,
        cuts: judged.cuts,
        in_cut: judged.in_cut,
        severity: judged.severity(),
        resolves: judged.resolves.iter().map(|found| resolved(show, found)).collect(),
        patches: findings().filter_map(|finding| show.patch(finding)).collect(),
        withdrawn: findings().filter_map(|finding| show.withdrawn(finding)).collect(),
    }
}

fn resolved(show: &Show<'_>, found: &judged::Resolved) -> Resolved {
    Resolved {
        finding: show.anchor(found.rule, found.place, &found.message),
        rule: found.rule,
        severity: found.severity,
        position: show.position(found.place),
    }
}

/// What a machine can do now.
fn ready(proposals: &[Proposal]) -> Option<Section> {
    let rows: Vec<Vec<Text>> = proposals
        .iter()
        .filter(|proposal| !proposal.patches.is_empty())
        .map(|proposal| {
            let count =
                |wanted| proposal.patches.iter().filter(|patch| patch.applicability == wanted).count();
            let rules: BTreeSet<&str> = proposal.patches.iter().map(|patch| patch.rule).collect();
            let rules: Vec<&str> = rules.into_iter().collect();
            let review = count(Applicability::Review);
            let option = if review > 0 { " --unsafe" } else { "" };
            vec![
                Text::default().anchor(&proposal.id, &proposal.title),
                number(count(Applicability::Safe)),
                number(review),
                Text::default().code(&format!("plimsoll fix{option} --rules {}", rules.join(","))),
            ]
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let total: usize = proposals.iter().map(|proposal| proposal.patches.len()).sum();
    let intro = format!(
        "{} are ready. `plimsoll fix --diff` shows the safe ones, `plimsoll fix` writes them; `--unsafe` takes those too that need a decision. Each is proved: the patched files were judged again in memory, and a patch that does not remove its finding or brings another is named as withdrawn, with the reason. What bash says about a patched script is asked when the patch is written.",
        counted(total, "patch").replace("patchs", "patches")
    );
    Some(part(
        "patches",
        "Ready as patches",
        vec![
            Block::Paragraph(intro.into()),
            table("Patches", &["change", "#safe", "#to review", "command"], rows),
        ],
    ))
}
