//! Feature flag of the guest has no effect.

use plimsoll_model::Facts;
use plimsoll_text::{Edit, Place};

use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "ISO-005",
    name: "feature-without-effect",
    title: "Feature flag of the guest has no effect",
    theme: Theme::GuestIsolation,
    severity: Severity::Low,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "Proxmox VE, pct.conf(5), option features",
        url: "https://pve.proxmox.com/pve-docs/pct.conf.5.html",
    }],
    doc: include_str!("feature_without_effect.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for guest in facts.guests.real() {
        let Some((features, setting)) = guest.features() else { continue };
        if let Some(privileged) = guest.privileged() {
            for flag in ["keyctl", "mknod"].into_iter().filter(|flag| features.is_on(flag)) {
                findings
                    .add(setting.place, format!("`{flag}=1` does nothing for a privileged guest"))
                    .label("made for unprivileged guests only")
                    .related(privileged, "the guest is privileged here")
                    .help("remove the flag, or make the guest unprivileged, for which it is meant")
                    .fix(edits::safe(
                        format!("remove `{flag}`"),
                        remove_flag(facts, setting.place, flag).map(|edit| vec![edit]),
                    ));
            }
        }
        let profile =
            guest.setting("lxc.apparmor.profile").filter(|profile| profile.value.text != "generated");
        if let Some(profile) = profile.filter(|_| features.is_on("nesting")) {
            findings
                .add(setting.place, "`nesting=1` is overridden by a profile of its own")
                .label("generates an AppArmor profile")
                .related(profile.place, "replaces the generated profile")
                .help("remove the explicit profile; the generated one lets Docker run");
        }
    }
}

/// Takes a flag out of a list of features that has others.
fn remove_flag(facts: &Facts, place: Place, flag: &str) -> Option<Edit> {
    let text = facts.text(place);
    let (word, at) = [format!(",{flag}=1"), format!("{flag}=1,")]
        .into_iter()
        .find_map(|word| text.find(&word).map(|at| (word, at)))?;
    let start = place.span.start + u32::try_from(at).ok()?;
    let span = plimsoll_text::Span::new(start, start + u32::try_from(word.len()).ok()?);
    Some(edits::remove(Place::new(place.file, span)))
}
