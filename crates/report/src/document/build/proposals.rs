//! What to change, in which order.

use std::collections::BTreeSet;

use plimsoll_judge::proposals::{self as judged, Horizon};
use plimsoll_text::Applicability;

use super::show::{Show, number, part, proposal_anchor, table};
use crate::document::{Block, Hours, Notes, Proposal, Resolved, Section, Text};
use crate::report::counted;

/// Recommendations, proposals and patches.
pub(super) fn sections(show: &Show<'_>) -> Vec<Section> {
    let proposals: Vec<Proposal> = show
        .input
        .judgement
        .proposals
        .iter()
        .enumerate()
        .map(|(index, judged)| proposal(show, judged, index + 1))
        .collect();
    if proposals.is_empty() {
        return vec![part(
            "recommendations",
            "Recommendations",
            vec![Block::Paragraph("Nothing to change.".into())],
        )];
    }
    let mut parts = Vec::new();
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
    let patches = show.all().filter(|finding| rules.contains(finding.rule.code));
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
        resolves: judged
            .resolves
            .iter()
            .map(|resolved| Resolved {
                finding: show.anchor(resolved.rule, resolved.place, &resolved.message),
                rule: resolved.rule,
                severity: resolved.severity,
                position: show.position(resolved.place),
            })
            .collect(),
        patches: patches.filter_map(|finding| show.patch(finding)).collect(),
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
        "{} are ready. `plimsoll fix --diff` shows the safe ones, `plimsoll fix` writes them; `--unsafe` takes those too that need a decision. Each is proved before it is written: the patched files are judged again, and a patch that does not remove its finding or brings another is withdrawn.",
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
