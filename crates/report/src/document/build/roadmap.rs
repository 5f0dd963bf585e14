//! The recommendations in plain words, and by week.

use plimsoll_judge::alternatives::{Kind, Outcome};
use plimsoll_judge::proposals as judged;
use plimsoll_judge::roadmap::{Week, Work};
use plimsoll_rules::{Profile, Severity};
use plimsoll_text::Applicability;

use super::show::{Show, listed, noun, number, part, points, proposal_anchor, table};
use crate::document::{Block, Hours, Proposal, Section, Text};
use crate::report::counted;

/// Without these a deployment breaks what runs, or what it starts does not work.
const FIRST: [&str; 7] = [
    "stable-secrets",
    "safe-migrations",
    "images-that-start",
    "honest-health-checks",
    "required-variables",
    "guarded-data",
    "commands-in-place",
];

/// What a tired person needs to know.
pub(super) fn plain(show: &Show<'_>, proposals: &[Proposal]) -> Section {
    let said = [
        before_deploying(show, proposals),
        patches(proposals),
        pace(show, proposals),
        hosting(show),
        left_alone(show),
    ];
    part("plain", "In plain words", vec![Block::List(said.into_iter().flatten().collect())])
}

fn before_deploying(show: &Show<'_>, proposals: &[Proposal]) -> Option<Text> {
    let judged = &show.input.judgement.proposals;
    let first: Vec<&judged::Proposal> = FIRST
        .iter()
        .filter_map(|id| judged.iter().find(|proposal| proposal.id == *id))
        .filter(|proposal| proposal.severity() == Some(Severity::Critical))
        .collect();
    let worst = first.first()?;
    let effort = Hours(first.iter().map(|proposal| proposal.effort_quarters).sum());
    let mut text = Text::default().strong("Before the next deployment:").and(" ");
    for (index, proposal) in first.iter().enumerate() {
        let before = match index {
            0 => "",
            _ if index + 1 == first.len() => " and ",
            _ => ", ",
        };
        text = link(text.and(before), proposals, proposal.id);
    }
    let why = worst.problem.first().map(|problem| format!(": {}", problem.trim_end_matches('.')));
    Some(text.and(&format!(
        " ({effort} together). Until then it breaks what runs, or starts what does not work{}.",
        why.unwrap_or_default()
    )))
}

/// A link to a proposal by its number.
fn link(text: Text, proposals: &[Proposal], id: &str) -> Text {
    let anchor = proposal_anchor(id);
    match proposals.iter().find(|proposal| proposal.id == anchor) {
        Some(proposal) => text.anchor(&anchor, format!("{}. {}", proposal.number, proposal.title)),
        None => text,
    }
}

fn patches(proposals: &[Proposal]) -> Option<Text> {
    let count = |wanted| {
        let all = proposals.iter().flat_map(|proposal| &proposal.patches);
        all.filter(|patch| patch.applicability == wanted).count()
    };
    let (safe, review) = (count(Applicability::Safe), count(Applicability::Review));
    if safe + review == 0 {
        return None;
    }
    let mut said = Vec::new();
    if safe > 0 {
        said.push(format!("`plimsoll fix` writes {}", patch(safe, " that need no decision")));
    }
    if review > 0 {
        said.push(format!("`plimsoll fix --unsafe --diff` shows {}", patch(review, " to decide about")));
    }
    Some(Text::default().strong("This evening:").and(&format!(
        " commit what you have; then {}. Look through `git diff`, and try the app once before you deploy.",
        said.join(", and ")
    )))
}

fn patch(count: usize, which: &str) -> String {
    if count == 1 { format!("1 patch{which}") } else { format!("{count} patches{which}") }
}

fn pace(show: &Show<'_>, proposals: &[Proposal]) -> Option<Text> {
    let road = &show.input.judgement.roadmap;
    let last = road.weeks.last()?;
    let quick = proposals.iter().filter(|proposal| proposal.horizon == judged::Horizon::QuickWin);
    let quick = quick
        .filter_map(|proposal| {
            let done = road.weeks.iter().find(|week| {
                week.done
                    .iter()
                    .any(|work| matches!(work, Work::Proposal(id) if proposal_anchor(id) == proposal.id))
            });
            done.map(|week| week.number)
        })
        .max();
    let mut said: Vec<String> = Vec::new();
    if let Some(week) = quick.filter(|week| *week < last.number) {
        said.push(format!("the quick wins are done by the end of week {week}"));
    }
    if let Some(week) = road.week_of(Work::Move).filter(|week| *week < last.number) {
        said.push(format!("the move by the end of week {week}"));
    }
    if let Some(week) = closed_in(show).filter(|week| *week < last.number) {
        said.push(format!("no open attack path is left after week {week}"));
    }
    said.push(format!("all of it is done by the end of week {}", last.number));
    let hours = counted(usize::try_from(road.hours_per_week).unwrap_or(usize::MAX), "hour");
    Some(
        Text::default()
            .strong(format!("At {hours} a week"))
            .and(" (`hours_per_week` in ")
            .code("plimsoll.yaml")
            .and(&format!("), {}.", listed(&said))),
    )
}

/// The week at whose end the last open path is closed; nothing where none is open now.
fn closed_in(show: &Show<'_>) -> Option<u32> {
    let judgement = show.input.judgement;
    let is_open = judgement.paths.open().next().is_some();
    judgement.roadmap.closed_in().filter(|_| is_open)
}

/// Whether the guest can stay, and until when.
fn hosting(show: &Show<'_>) -> Option<Text> {
    let judgement = show.input.judgement;
    let verdict = judgement.verdict.as_ref().filter(|_| !show.is_empty())?;
    let after = match closed_in(show) {
        Some(week) => format!("after the end of week {week} (no open path is left then)"),
        None => "when the list below is done".to_owned(),
    };
    if verdict.outcome == Outcome::Validation || verdict.winner == verdict.today {
        return Some(
            Text::default()
                .strong("The guest can stay.")
                .and(&format!(" Another way of hosting is not worth its work here; the list below is. Let strangers in, and people who depend on it, {after}.")),
        );
    }
    let winner = noun(verdict.winner);
    let (lead, mut rest) = match judgement.profile {
        Profile::Homelab => (
            "The guest can stay for now,",
            format!(
                " as long as everybody in the network is somebody whom you trust. Let strangers in, and people who depend on it, {after}, and into {winner}."
            ),
        ),
        Profile::Internet => (
            "The guest cannot stay.",
            format!(
                " Strangers reach it: take it off the internet, or behind a VPN. Open it again {after}, and as {winner}."
            ),
        ),
        Profile::Production => (
            "The guest cannot stay.",
            format!(
                " Others depend on it: the move to {winner} is the next thing to plan, before anything new. It is what others can depend on {after}."
            ),
        ),
    };
    if verdict.today == Kind::Today {
        rest.push_str(&format!(
            " The files do not say what hosts it today: where that is {winner} already, nothing has to move."
        ));
    }
    Some(Text::default().strong(lead).and(&rest))
}

/// Ways that cost more and are worth less than today's.
fn left_alone(show: &Show<'_>) -> Option<Text> {
    let judgement = show.input.judgement;
    let verdict = judgement.verdict.as_ref().filter(|_| !show.is_empty())?;
    let worse: Vec<String> = judgement
        .matrix
        .rows
        .iter()
        .filter(|row| row.total < verdict.today_total)
        .filter_map(|row| {
            let way = judgement.alternatives.iter().find(|way| way.kind == row.kind && !way.is_today)?;
            let hours = Hours(way.migration.effort_quarters());
            Some(format!("{} ({} points, {hours})", noun(row.kind), points(row.total)))
        })
        .collect();
    (!worse.is_empty()).then(|| {
        Text::default().strong("Leave alone:").and(&format!(
            " {}. Today's way has {} points.",
            listed(&worse),
            points(verdict.today_total)
        ))
    })
}

/// Which week brings what.
pub(super) fn by_week(show: &Show<'_>, proposals: &[Proposal]) -> Option<Section> {
    let road = &show.input.judgement.roadmap;
    let mut before = 0;
    let rows: Vec<Vec<Text>> = road
        .weeks
        .iter()
        .map(|week| {
            let first = before + 1;
            before = week.number;
            row(first, week, proposals)
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let mut intro = format!(
        "Quick wins come first, the worst of them first; then the move, if there is one, and the rest. It goes by {} hours a week and by the efforts below, which are for work by hand: where a patch is ready, what is left is to read it. The last three columns are computed: the attack graph and the findings with everything up to then done.",
        road.hours_per_week
    );
    let spared: Vec<&Proposal> = road
        .spared
        .iter()
        .filter_map(|id| proposals.iter().find(|one| one.id == proposal_anchor(id)))
        .collect();
    if !spared.is_empty() {
        let numbers: Vec<String> = spared.iter().map(|one| format!("change {}", one.number)).collect();
        intro.push_str(&format!(" The move takes the place of {}.", listed(&numbers)));
    }
    let titles =
        ["#week", "done by its end", "#open paths left", "#critical and high left", "#findings left"];
    Some(part(
        "by-week",
        "By week",
        vec![Block::Paragraph(Text::of(&intro)), table("By week", &titles, rows)],
    ))
}

fn row(first: u32, week: &Week, proposals: &[Proposal]) -> Vec<Text> {
    let mut done = Text::default();
    for (index, work) in week.done.iter().enumerate() {
        let anchor = proposal_anchor(match work {
            Work::Proposal(id) => id,
            Work::Move => "move",
        });
        if let Some(proposal) = proposals.iter().find(|proposal| proposal.id == anchor) {
            let before = if index == 0 { "" } else { "; " };
            done = done.and(before).anchor(&anchor, format!("{}. {}", proposal.number, proposal.title));
        }
    }
    let weeks =
        if first < week.number { format!("{first} to {}", week.number) } else { week.number.to_string() };
    vec![Text::of(&weeks), done, number(week.open_paths), number(week.grave), number(week.findings)]
}
