//! The first page.

use plimsoll_judge::alternatives::{Kind, Outcome};
use plimsoll_judge::proposals::Horizon;
use plimsoll_rules::{Finding, Severity};
use plimsoll_text::Applicability;

use super::show::{Show, capital, listed, noun, part, points};
use crate::document::{Block, Hours, Section, Text};
use crate::report::counted;

/// What matters most to an owner, with the rules that tell of it.
const CONCERNS: &[(&str, &[&str])] = &[
    (
        "The guest does not protect the node",
        &["ISO-001", "ISO-002", "ISO-003", "ISO-009", "SEC-012", "ISO-011", "ISO-008"],
    ),
    ("The next deployment breaks what runs", &["SEC-003", "SEC-004", "SEC-005", "HLT-009", "HLT-013"]),
    (
        "Images that cannot be built or cannot start",
        &["BLD-001", "BLD-002", "BLD-021", "BLD-011", "SCR-008", "BLD-004", "HLT-003", "BLD-003"],
    ),
    ("Services that never become healthy", &["HLT-001", "HLT-002"]),
    (
        "Secrets leave the places where they belong",
        &["SEC-006", "SEC-001", "SEC-002", "SEC-008", "SEC-007", "SEC-016", "SEC-017", "HST-003"],
    ),
    (
        "Open to whoever is in the network",
        &["NET-001", "NET-008", "NET-002", "HST-009", "CMP-002", "CMP-001"],
    ),
    ("Commands that run on the wrong machine", &["HST-006", "HST-014", "SCR-007", "HST-007"]),
    ("Requests that lead nowhere", &["NET-010", "NET-013", "NET-009", "HLT-011"]),
    (
        "Data that an update can lose",
        &["DAT-001", "DAT-002", "DAT-009", "DAT-010", "DAT-008", "DAT-003", "DAT-004", "DAT-005", "DAT-011"],
    ),
    (
        "Failures that nobody sees or takes back",
        &["HLT-005", "HLT-006", "SCR-001", "SCR-002", "HLT-008", "HLT-010"],
    ),
    (
        "The documentation contradicts the scripts",
        &["DOC-001", "DOC-002", "DOC-004", "DOC-003", "DOC-007", "DOC-005"],
    ),
];

pub(super) fn section(show: &Show<'_>) -> Section {
    let mut blocks = Vec::new();
    if show.is_empty() {
        blocks.push(Block::Paragraph(Text::default().strong("There is nothing to host.").and(
            " The files hold no Compose project that is deployed, so alternatives cannot be compared and no verdict is given.",
        )));
    } else {
        blocks.push(Block::Paragraph(verdict(show)));
    }
    blocks.push(Block::Paragraph(numbers(show)));
    let concerns: Vec<Text> =
        CONCERNS.iter().filter_map(|(lead, rules)| concern(show, lead, rules)).collect();
    if !concerns.is_empty() {
        blocks.push(Block::List(concerns));
    }
    if let Some(first) = first(show) {
        blocks.push(Block::Paragraph(first));
    }
    part("summary", "Executive summary", blocks)
}

fn verdict(show: &Show<'_>) -> Text {
    let judgement = show.input.judgement;
    let Some(verdict) = &judgement.verdict else { return Text::default() };
    let (today, winner) = (noun(verdict.today), noun(verdict.winner));
    let outcome = capital(verdict.outcome.name());
    let lead = match verdict.outcome {
        Outcome::Validation => format!("{outcome}: keep {today}."),
        Outcome::Evolution => format!("{outcome}: keep Compose and Docker, move from {today} to {winner}."),
        Outcome::Pivot => format!("{outcome}: leave {today} for {winner}."),
    };
    let open = |kind| {
        let way = judgement.alternatives.iter().find(|way| way.kind == kind);
        way.map_or(0, |way| way.paths.to_node().filter(|path| !path.residual).count())
    };
    let mut text = Text::default().strong(lead).and(&format!(
        " Under the profile `{}` it scores {} of 100 points{}.",
        judgement.profile.name(),
        points(verdict.winner_total),
        if verdict.winner == verdict.today {
            String::new()
        } else {
            format!(", today's way {}", points(verdict.today_total))
        }
    ));
    let (now, then) = (open(verdict.today), open(verdict.winner));
    text = text
        .and(&format!(" {} to root on the node without an unknown flaw of the platform", counted_paths(now)));
    if verdict.winner != verdict.today {
        let left = match (now, then) {
            (0, _) => "the move".to_owned(),
            (_, then) if then >= now => "the move alone closes none of them and".to_owned(),
            (_, then) => format!("the move alone leaves {then} and"),
        };
        text = text.and(&format!("; {left} takes about {}", moving(show)));
    }
    text = text.and(".");
    if verdict.today == Kind::Today {
        text = text.and(&format!(
            " The files do not say what hosts the app today: where that is {winner} already, nothing has to move."
        ));
    }
    let cut = &judgement.cut;
    if !cut.proposals.is_empty() {
        text = text.and(&format!(
            " The cheapest {} ({} together) close all {} open paths to the node and the data.",
            counted(cut.proposals.len(), "change"),
            Hours(cut.effort_quarters),
            cut.paths
        ));
    }
    text
}

fn counted_paths(paths: usize) -> String {
    match paths {
        0 => "No attack path leads".to_owned(),
        1 => "1 attack path leads".to_owned(),
        _ => format!("{paths} attack paths lead"),
    }
}

fn moving(show: &Show<'_>) -> Hours {
    let judgement = show.input.judgement;
    let winner = judgement.verdict.as_ref().map(|verdict| verdict.winner);
    let way = judgement.alternatives.iter().find(|way| Some(way.kind) == winner);
    Hours(way.map_or(0, |way| way.migration.effort_quarters()))
}

fn numbers(show: &Show<'_>) -> Text {
    let counts: Vec<String> = Severity::ALL
        .into_iter()
        .map(|severity| (severity, show.count(severity)))
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{count} {}", severity.name()))
        .collect();
    let total = show.input.report.assessment.findings.len();
    let files = counted(show.input.report.files.len(), "file");
    if total == 0 {
        return Text::of(&format!("No finding in {files}."));
    }
    let mut text = format!("{} in {files}: {}.", counted(total, "finding"), listed(&counts));
    let fixes = |least| {
        let kept = show.all().filter(|finding| !show.is_withdrawn(finding));
        kept.filter_map(|finding| finding.fix.as_ref()).filter(|fix| fix.applicability >= least).count()
    };
    let (safe, all) = (fixes(Applicability::Safe), fixes(Applicability::Review));
    if all > 0 {
        let how = match safe {
            0 => "each needs a look".to_owned(),
            safe if safe == all => "each is safe to take as it is".to_owned(),
            safe => format!("{safe} are safe to take as they are, the others need a look"),
        };
        text.push_str(&format!(" `plimsoll fix` has a patch for {all} of them; {how}."));
    }
    Text::of(&text)
}

/// What a group of rules found: the two worst, by different rules where there are such, and how many more.
fn concern(show: &Show<'_>, lead: &str, rules: &[&str]) -> Option<Text> {
    let found = show.of(rules);
    let bad: Vec<&Finding> =
        found.iter().copied().filter(|finding| finding.severity >= Severity::Medium).collect();
    let first = *bad.first()?;
    let mut text = show.mention_after(Text::default().strong(format!("{lead}:")).and(" "), first);
    let mut said = 1;
    let other = bad.iter().find(|finding| finding.rule.code != first.rule.code);
    if let Some(second) = other.or_else(|| bad.iter().find(|finding| finding.message != first.message)) {
        text = show.mention_after(text.and("; "), second);
        said = 2;
    }
    Some(match bad.len() - said {
        0 => text.and("."),
        more => text.and(&format!("; {more} more.")),
    })
}

fn first(show: &Show<'_>) -> Option<Text> {
    let quick: Vec<_> = show
        .input
        .judgement
        .proposals
        .iter()
        .filter(|proposal| proposal.horizon == Horizon::QuickWin)
        .collect();
    let effort = Hours(quick.iter().map(|proposal| proposal.effort_quarters).sum());
    let resolved: usize = quick.iter().map(|proposal| proposal.resolves.len()).sum();
    (!quick.is_empty()).then(|| {
        Text::of("Where to begin: the ")
            .anchor("recommendations", counted(quick.len(), "quick win"))
            .and(&format!(", {effort} together, resolve {}.", counted(resolved, "finding")))
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn concerns_name_rules_that_exist() {
        for (_, rules) in super::CONCERNS {
            super::super::answers::assert_rules_exist(rules);
        }
    }
}
