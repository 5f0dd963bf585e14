//! Scripts of package.json.

use plimsoll_syntax::yaml::Stream;
use plimsoll_text::FileId;

use super::unit;
use crate::commands::{Machine, Origin, Strict, Unit};

/// The scripts of a package.json.
pub(crate) fn package(file: FileId, stream: &Stream) -> Vec<Unit> {
    let scripts = stream.documents.iter().filter_map(|document| document.get("scripts"));
    scripts
        .flat_map(|scripts| scripts.entries())
        .filter_map(|entry| {
            let name = entry.key.as_str()?.to_owned();
            let text = entry.value.scalar()?;
            let mut unit = unit(file, Origin::PackageScript { name }, &text.layer, Machine::Workstation);
            unit.strict = Strict { errexit: true, ..Strict::default() };
            Some(unit)
        })
        .collect()
}
