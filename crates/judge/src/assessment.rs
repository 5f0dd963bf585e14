//! Everything that is judged.

use plimsoll_model::Facts;
use plimsoll_rules::Profile;

use crate::alternatives::{self, Alternative, Matrix, Verdict};
use crate::controls::{self, Compared, Mechanism};
use crate::graph::{self, BlastRadius, Graph, Paths};
use crate::proposals::{self, Cut, Proposal};
use crate::roadmap::{self, Roadmap};
use crate::settings::{self, Date, Settings, Status};
use crate::situation::{self, Situation};
use crate::surface::{self, Reachable};

/// What is asked, besides the facts.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What the deployment is for, when the settings do not say it.
    pub profile: Profile,
    /// What the owner says.
    pub settings: &'a Settings,
    /// The day, for risks that are accepted for a time.
    pub today: Date,
}

/// The judgement of a deployment. Lists are in the order of the document.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// What the deployment is for.
    pub profile: Profile,
    /// What of the facts was judged.
    pub situation: Situation,
    /// Who can get where, by which steps.
    pub graph: Graph,
    /// Every distinct path to the node and to the data, the easiest first.
    pub paths: Paths,
    /// What falls with each service, the worst first.
    pub blast_radii: Vec<BlastRadius>,
    /// Everything that can be reached, by whom.
    pub surface: Vec<Reachable>,
    /// The comparison with named controls.
    pub controls: Vec<Compared>,
    /// What user namespaces, AppArmor, SELinux and seccomp give or cost here.
    pub mechanisms: Vec<Mechanism>,
    /// What to change, in order.
    pub proposals: Vec<Proposal>,
    /// The cheapest proposals that cut every open path.
    pub cut: Cut,
    /// The ways to host the app, today's first.
    pub alternatives: Vec<Alternative>,
    /// The alternatives weighed for the profile.
    pub matrix: Matrix,
    /// The verdict.
    pub verdict: Option<Verdict>,
    /// The proposals week by week.
    pub roadmap: Roadmap,
    /// Accepted risks and what they cover today.
    pub accepted: Vec<Status>,
}

/// Who can get where in a situation, and what could be done about it; no profile's weights are in it.
#[derive(Clone, Debug)]
pub struct Ways {
    /// Who can get where, by which steps.
    pub graph: Graph,
    /// Every distinct path to the node and to the data, the easiest first.
    pub paths: Paths,
    /// What to change, in order.
    pub proposals: Vec<Proposal>,
    /// The cheapest proposals that cut every open path.
    pub cut: Cut,
    /// The ways to host the app, today's first.
    pub alternatives: Vec<Alternative>,
}

/// Goes through a situation.
#[must_use]
pub fn ways(facts: &Facts, findings: &plimsoll_rules::Assessment, situation: &Situation) -> Ways {
    let graph = graph::graph(situation);
    let paths = graph::paths(&graph);
    let (proposals, cut) = proposals::propose(findings, &paths);
    let chosen = cut.proposals.iter().copied().collect();
    let alternatives = alternatives::alternatives(facts, situation, &chosen);
    Ways { graph, paths, proposals, cut, alternatives }
}

/// Judges a deployment.
#[must_use]
pub fn assess(facts: &Facts, findings: &plimsoll_rules::Assessment, question: &Question<'_>) -> Assessment {
    let profile = question.settings.profile.unwrap_or(question.profile);
    let situation = situation::situation(facts, findings, profile);
    let Ways { graph, paths, proposals, cut, alternatives } = ways(facts, findings, &situation);
    let matrix = alternatives::matrix(&alternatives, question.settings.weights(profile));
    let verdict = alternatives::verdict(&alternatives, &matrix, &cut);
    let roadmap = roadmap::roadmap(
        &proposals,
        &paths,
        &alternatives,
        verdict.as_ref(),
        question.settings.hours_per_week.unwrap_or(roadmap::HOURS_PER_WEEK),
    );
    Assessment {
        profile,
        blast_radii: graph::blast_radii(&graph),
        surface: surface::surface(&situation),
        controls: controls::compare(facts, findings, &situation),
        mechanisms: controls::mechanisms(&situation),
        accepted: settings::statuses(&question.settings.accept, findings, &facts.files, question.today),
        situation,
        graph,
        paths,
        proposals,
        cut,
        alternatives,
        matrix,
        verdict,
        roadmap,
    }
}
