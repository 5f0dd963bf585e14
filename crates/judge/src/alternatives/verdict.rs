//! The verdict.

use super::{Alternative, Criterion, Kind, Matrix};
use crate::proposals::Cut;

/// What to do with today's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Keep it.
    Validation,
    /// Keep Compose and Docker, change how they are hosted.
    Evolution,
    /// Leave Compose or Docker.
    Pivot,
}

impl Outcome {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Evolution => "evolution",
            Self::Pivot => "pivot",
        }
    }
}

/// The verdict with its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What to do.
    pub outcome: Outcome,
    /// The best alternative.
    pub winner: Kind,
    /// Its points, in hundredths.
    pub winner_total: u32,
    /// How it is hosted today.
    pub today: Kind,
    /// Today's points, in hundredths.
    pub today_total: u32,
    /// Why, sentence by sentence, each from a number above.
    pub justification: Vec<String>,
}

/// Today's way stands when nothing is better by more than this, in hundredths of a point.
const MARGIN: u32 = 300;

/// The verdict over the matrix: today's way is kept if it leads or is within three points of the best and no path
/// that a proposal closes goes through the guest itself; else the best way is taken.
#[must_use]
pub fn verdict(alternatives: &[Alternative], matrix: &Matrix, cut: &Cut) -> Option<Verdict> {
    let today = alternatives.iter().find(|alternative| alternative.is_today)?;
    let best = matrix.rows.first()?;
    let own = matrix.rows.iter().find(|row| row.kind == today.kind)?;
    let through_guest = cut.proposals.iter().any(|id| matches!(*id, "unprivileged-guest" | "vm-guest"));
    let keeps = !through_guest && own.total + MARGIN >= best.total && !today.is_forbidden();
    let row = if keeps {
        own
    } else {
        matrix.rows.iter().find(|row| row.kind != today.kind || !through_guest).unwrap_or(best)
    };
    let outcome = match row.kind {
        kind if kind == today.kind => Outcome::Validation,
        kind if kind.keeps_compose() => Outcome::Evolution,
        _ => Outcome::Pivot,
    };
    let winner = alternatives.iter().find(|alternative| alternative.kind == row.kind)?;
    Some(Verdict {
        outcome,
        winner: row.kind,
        winner_total: row.total,
        today: today.kind,
        today_total: own.total,
        justification: justification(today, winner, matrix, cut, (own.total, row.total)),
    })
}

fn justification(
    today: &Alternative,
    winner: &Alternative,
    matrix: &Matrix,
    cut: &Cut,
    totals: (u32, u32),
) -> Vec<String> {
    let points = |total: u32| format!("{}.{:02}", total / 100, total % 100);
    let nearest = |alternative: &Alternative| {
        let best = alternative.paths_after_cut.to_node().map(|path| path.points).min();
        best.map_or("no path".to_owned(), |points| format!("{points} points"))
    };
    let open = |alternative: &Alternative| alternative.paths.to_node().filter(|path| !path.residual).count();
    let mut said = vec![
        format!(
            "Today ({}) has {} of 100 points, {} has {}.",
            today.kind.title(),
            points(totals.0),
            winner.kind.title(),
            points(totals.1)
        ),
        format!(
            "{} paths reach the node today without an unknown flaw of the platform, {} would with {}.",
            open(today),
            open(winner),
            winner.kind.title()
        ),
        format!(
            "After the proposed changes the easiest path to the node costs {} today and {} with {}.",
            nearest(today),
            nearest(winner),
            winner.kind.title()
        ),
    ];
    if !cut.proposals.is_empty() {
        said.push(format!(
            "{} changes, {} hours together, cut all {} open paths.",
            cut.proposals.len(),
            f64::from(cut.effort_quarters) / 4.0,
            cut.paths
        ));
    }
    if winner.kind != today.kind {
        said.push(format!(
            "Getting there takes about {} hours.",
            f64::from(winner.migration.effort_quarters()) / 4.0
        ));
    }
    if let Some(flip) = matrix.sensitivity.first() {
        said.push(format!(
            "{} would lead if {} weighed {} in place of {}.",
            flip.winner.title(),
            flip.criterion.name(),
            flip.flips_at,
            flip.weight
        ));
    } else {
        said.push("No weight of a single criterion changes which way leads.".to_owned());
    }
    let isolation = (today.score(Criterion::Isolation), winner.score(Criterion::Isolation));
    said.push(format!("Isolation scores {} today and {} then.", isolation.0, isolation.1));
    said
}
