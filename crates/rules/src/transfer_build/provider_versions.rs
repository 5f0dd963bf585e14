//! Versions of Terraform providers.

use camino::Utf8Path;
use plimsoll_model::Facts;
use plimsoll_text::{FileId, Layer, Place, Spanned};

use crate::{Findings, Severity};

/// Providers of Terraform that are chosen anew each time.
pub(super) fn judge(facts: &Facts, findings: &mut Findings<'_>) {
    let upgrades: Vec<Place> = facts
        .commands
        .iter()
        .filter(|command| {
            (command.is("terraform", &["init"]) || command.is("tofu", &["init"]))
                && command.flag(&["-upgrade", "--upgrade"]).is_some()
                && !facts.commands.is_only_read(command.unit)
        })
        .map(|command| command.place)
        .collect();
    let mut files: Vec<FileId> = facts.trees.terraform.keys().copied().collect();
    files.sort_by_key(|id| facts.path(*id).components().count());
    for id in files {
        let file = facts.files.get(id);
        if !file.holds("required_providers") {
            continue;
        }
        let folder = file.path().parent().unwrap_or(Utf8Path::new(""));
        let ignored = facts.git_ignored(&folder.join(".terraform.lock.hcl"));
        let Some(range) = open_provider(id, file) else { continue };
        if ignored.is_none() && upgrades.is_empty() {
            continue;
        }
        let finding = findings.add(
            range.place,
            format!("the provider's version is the range `{}`, and nothing locks it", range.value),
        );
        if let Some(line) = ignored {
            finding.related(line, "keeps the lock file out of the repository");
        }
        for place in &upgrades {
            finding.related(*place, "takes the newest version each time");
        }
        finding
            .severity(if upgrades.is_empty() { Severity::Low } else { Severity::Medium })
            .note("new code of the provider runs with the rights to change every guest, unseen")
            .help("commit `.terraform.lock.hcl` and leave out `-upgrade`");
        // The lock file of the root is that of all modules.
        return;
    }
}

/// The first version constraint that is a range.
fn open_provider(id: FileId, file: &plimsoll_text::SourceFile) -> Option<Spanned<String>> {
    let layer = Layer::whole(id, file);
    let start = file.text().find("required_providers")?;
    let mut at = 0;
    for line in file.text().split('\n') {
        let here = at;
        at += line.len() + 1;
        if here < start {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let value = value.trim().trim_matches('"');
        if key.trim() == "version" && value.starts_with(['>', '~', '<', '!']) {
            let from = here + line.len() - line.trim_start().len();
            return Some(Spanned::new(value.to_owned(), layer.place(from..here + line.trim_end().len())));
        }
    }
    None
}
