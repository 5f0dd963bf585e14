//! Why keep or change, and how to see that it is done.

use plimsoll_judge::alternatives::{Alternative, Criterion, Outcome};
use plimsoll_rules::Severity;

use super::show::{Show, capital, number, part, points, table};
use crate::document::{Block, Section, Text};

pub(super) fn justification(show: &Show<'_>) -> Section {
    let judgement = show.input.judgement;
    let Some(verdict) = judgement.verdict.as_ref().filter(|_| !show.is_empty()) else {
        return part("justification", "Keep or change", Vec::new());
    };
    let mut blocks = vec![Block::Paragraph(
        Text::default()
            .strong(format!("{}: {}.", capital(verdict.outcome.name()), verdict.winner.title()))
            .and(match verdict.outcome {
                Outcome::Validation => " Today's way stays: nothing else is better by more than three points, and no open path leads through the guest itself.",
                Outcome::Evolution => " Compose and Docker stay, what hosts them changes.",
                Outcome::Pivot => " Compose or Docker give way.",
            }),
    )];
    blocks.push(Block::List(verdict.justification.iter().map(|text| Text::of(&capital(text))).collect()));
    let way = |kind| judgement.alternatives.iter().find(|way| way.kind == kind);
    if let (Some(today), Some(winner)) = (way(verdict.today), way(verdict.winner))
        && today.kind != winner.kind
    {
        let mut rows: Vec<Vec<Text>> = Criterion::ALL
            .into_iter()
            .map(|criterion| (criterion, today.score(criterion), winner.score(criterion)))
            .filter(|(_, now, then)| now != then)
            .map(|(criterion, now, then)| {
                let weight = judgement.matrix.weights.get(criterion);
                vec![
                    criterion.name().into(),
                    number(now),
                    number(then),
                    Text::of(&format!("{:+}", i64::from(then) - i64::from(now))),
                    number(weight),
                ]
            })
            .collect();
        rows.push(vec![
            Text::default().strong("total"),
            Text::of(&points(verdict.today_total)),
            Text::of(&points(verdict.winner_total)),
            Text::default(),
            Text::default(),
        ]);
        blocks.push(Block::Paragraph(keeping(today)));
        blocks.push(table(
            "What is gained and lost",
            &["criterion", "#today", "#then", "#change", "#weight"],
            rows,
        ));
    }
    part("justification", "Keep or change", blocks)
}

/// What keeping today's way comes to, for an owner who cannot move now.
fn keeping(today: &Alternative) -> Text {
    let open = today.paths_after_cut.to_node().filter(|path| !path.residual).count();
    let easiest = today.paths_after_cut.to_node().map(|path| path.points).min();
    let left = match (open, easiest) {
        (_, None) => "no path to the node is left".to_owned(),
        (0, Some(points)) => format!(
            "each path to the node needs an unknown flaw of the platform, the easiest costs {points} points"
        ),
        (open, Some(points)) => {
            format!("{open} open paths to the node are left, the easiest costs {points} points")
        }
    };
    Text::of(&format!("Who makes the proposed changes and keeps the guest as it is: {left}."))
}

/// What shows that a proposal is done.
const CRITERIA: &[(&str, &str)] = &[
    ("unprivileged-guest", "`pct config ID` shows `unprivileged: 1` and no `lxc.apparmor` line"),
    ("vm-guest", "`qm list` on the node names the guest, `pct list` no longer does"),
    ("commands-in-place", "after a deployment, the node's `/var/log/apt/history.log` has no new entry"),
    ("stable-secrets", "after two deployments in a row the app still logs in to its database"),
    (
        "secrets-in-transit",
        "after a deployment that was broken off, `ls /tmp` on each machine shows no file with a secret",
    ),
    ("rotate-credentials", "the values that were committed no longer work"),
    ("required-variables", "`docker compose config` without the variables fails and names the missing one"),
    (
        "images-that-start",
        "every image builds from a clean clone, and its container is still running after a minute",
    ),
    (
        "honest-health-checks",
        "`docker compose ps` shows every service `healthy`; with the database stopped the app is `unhealthy`",
    ),
    ("needless-ports", "`ss -lnt` in the guest shows only the front door on all addresses"),
    ("guest-firewall", "from another guest, `nc -zv GUEST PORT` fails for all ports but the front door"),
    ("tls-and-login", "`curl -I http://HOST` answers with a redirect to `https`"),
    ("routes-that-lead-somewhere", "from a browser on another machine the app's own calls answer"),
    ("hardened-services", "`docker compose exec SERVICE id -u` is not 0 for each service"),
    (
        "resource-limits",
        "`docker stats` shows a memory limit for each service, together less than the guest's memory",
    ),
    ("safe-migrations", "a migration that fails ends the deployment, with the release before still serving"),
    ("tested-backups", "the newest backup was restored into another guest, within the last month"),
    (
        "releases-with-a-way-back",
        "one command puts the release before back, and a failed deployment does so by itself",
    ),
    (
        "build-off-the-guest",
        "`docker history` of the running images names the commit; the guest holds no source",
    ),
    ("waits-not-sleeps", "no script sleeps for a fixed time"),
    ("true-documents", "a person who follows the document on a new node gets what the scripts make"),
    ("least-privilege-deploy", "the deployment works with a token that has no right on `/`"),
    ("operated-guest", "a stopped service sends a message to a person within five minutes"),
    ("pinned-images", "two builds of one commit a week apart have the same base digests"),
];

pub(super) fn criteria(show: &Show<'_>) -> Section {
    let judgement = show.input.judgement;
    let findings = show.count(Severity::Critical) + show.count(Severity::High);
    let mut rows = vec![vec![
        "no finding at or above `high`".into(),
        Text::of(&findings.to_string()),
        "`plimsoll evaluate --fail-on high` ends with 0".into(),
    ]];
    if !show.is_empty() {
        rows.push(vec![
            "no open attack path to the node or the data".into(),
            Text::of(&judgement.paths.open().count().to_string()),
            "`plimsoll evaluate --document`: this table".into(),
        ]);
    }
    let title = |id: &str| judgement.proposals.iter().find(|proposal| proposal.id == id);
    for proposal in &judgement.proposals {
        let Some((_, check)) = CRITERIA.iter().find(|(id, _)| *id == proposal.id) else { continue };
        let Some(proposal) = title(proposal.id) else { continue };
        rows.push(vec![
            Text::default().anchor(super::show::proposal_anchor(proposal.id), proposal.title),
            number(proposal.resolves.len()),
            (*check).into(),
        ]);
    }
    part(
        "criteria",
        "Success criteria",
        vec![table("Success criteria", &["done when", "#findings or paths today", "how to see it"], rows)],
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn criteria_name_proposals_that_exist() {
        let ids: Vec<&str> = plimsoll_judge::proposals::templates().map(|template| template.id).collect();
        for (id, _) in super::CRITERIA {
            assert!(ids.contains(id), "{id}");
        }
    }
}
