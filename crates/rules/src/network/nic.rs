//! Network interfaces of guests.

use plimsoll_model::Facts;
use plimsoll_model::guests::{Guest, Properties, Setting};

use crate::Findings;

/// The guests to judge: those that files make; where only documentation makes guests, readers copy that.
pub(super) fn guests(facts: &Facts) -> impl Iterator<Item = &Guest> {
    let only_documented = facts.guests.real().next().is_none();
    facts.guests.iter().filter(move |guest| {
        only_documented || !matches!(guest.maker, plimsoll_model::guests::Maker::Documentation(_))
    })
}

/// The interfaces of the judged guests whose bridge is written out: the last word on each.
pub(super) fn nics(facts: &Facts) -> impl Iterator<Item = (&Setting, Properties)> {
    guests(facts).flat_map(|guest| {
        guest.numbered("net").filter_map(move |setting| {
            let last = guest.setting(&setting.key)?;
            let properties = Properties::parse(&setting.value.text);
            (last.place == setting.place && properties.get("bridge").is_some())
                .then_some((setting, properties))
        })
    })
}

/// One finding for each file: at the first place, the others related.
pub(super) fn by_file(
    places: Vec<(&Setting, String)>,
    findings: &mut Findings<'_>,
    message: &str,
    refine: impl Fn(&mut crate::Finding),
) {
    let mut groups: std::collections::BTreeMap<_, Vec<(&Setting, String)>> =
        std::collections::BTreeMap::new();
    for (setting, label) in places {
        groups.entry(setting.place.file).or_default().push((setting, label));
    }
    for mut group in groups.into_values() {
        group.sort_by_key(|(setting, _)| setting.place);
        group.dedup_by_key(|(setting, _)| setting.place);
        let mut rest = group.into_iter();
        let Some((first, label)) = rest.next() else { continue };
        let finding = findings.add(first.place, message);
        finding.label(label);
        for (setting, label) in rest {
            finding.related(setting.place, label);
        }
        refine(finding);
    }
}
