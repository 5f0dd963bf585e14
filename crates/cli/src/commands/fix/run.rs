//! What `plimsoll fix` does.

use std::collections::BTreeSet;

use anstyle::{AnsiColor, Style};
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use plimsoll_fix::{Changed, Mended, Request, mend, unified_diff};
use plimsoll_judge::settings::{Date, Settings};
use plimsoll_model::Inventory;
use plimsoll_rules::{RuleSet, Selection};
use plimsoll_text::{Applicability, Files};

use super::FixArgs;
use super::summary::{Done, Left, summary};
use crate::commands::evaluate::{accept_risks, quietly, read_settings, rule_set, today};
use crate::discovery::{Discovery, discover};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::output::{rewrite_file, write_file};
use crate::process::{WorkTree, bash_objection, work_tree};
use crate::ui::Ui;

pub(crate) fn run(ui: &Ui, args: &FixArgs) -> Result<Outcome, Failure> {
    let rules = rule_set(&args.rules)?;
    let writes = !args.diff && args.patch_dir.is_none();
    let patience = ui.patience("reading, mending and proving");
    let Discovery { root, files, inventory, repaired, unreadable, .. } = discover(&args.paths, &[])?;
    if writes && !args.allow_dirty && work_tree(&root) == WorkTree::Dirty {
        let place = if root.as_str().is_empty() { "this directory".to_owned() } else { format!("`{root}`") };
        return Err(Failure::from(FailureKind::Dirty(place))
            .hint("commit or stash them, so that the fixes can be told apart and taken back")
            .hint("`--diff` shows the changes without writing, `--allow-dirty` writes them all the same"));
    }
    let settings = read_settings(&files)?;
    let profile = settings.profile.unwrap_or_default();
    let selection = Selection { profile, ..Selection::default() };
    let work = Work { args, inventory, repaired, selection, settings, today: today() };
    if let Some(folder) = &args.patch_dir {
        work.patches(ui, &root, &files, &rules, folder)?;
        return Ok(Outcome::Clean);
    }
    let mended = work.mend(files.clone(), &rules, args.risky);
    let left = Left {
        risky: if args.risky { 0 } else { work.more(&mended, &rules) },
        accepted: accepted(&mended, &rules),
    };
    drop(patience);
    if args.diff {
        let text: String = mended.changed.iter().map(|changed| diff(&root, changed)).collect();
        ui.print_lines(&text, line_style)?;
        ui.status(&summary(&mended, &root, Done::Shown, left));
        return Ok(if mended.changed.is_empty() { Outcome::Clean } else { Outcome::Findings });
    }
    for changed in &mended.changed {
        rewrite_file(&root.join(&changed.path), &changed.before, &changed.after)?;
    }
    ui.print(&format!("{}\n", summary(&mended, &root, Done::Written, left)))?;
    Ok(if unreadable { Outcome::Incomplete } else { Outcome::Clean })
}

struct Work<'a> {
    args: &'a FixArgs,
    inventory: Inventory,
    repaired: BTreeSet<Utf8PathBuf>,
    selection: Selection,
    settings: Settings,
    today: Date,
}

impl Work<'_> {
    fn mend(&self, files: Files, rules: &RuleSet, risky: bool) -> Mended {
        let request = Request {
            files,
            inventory: &self.inventory,
            selection: &self.selection,
            accept: &|files, assessment| {
                accept_risks(&self.settings, self.today, files, assessment);
            },
            rules,
            least: if risky { Applicability::Review } else { Applicability::Safe },
            keep: &|path| self.repaired.contains(path),
            check: &bash_objection,
        };
        quietly(|| mend(request))
    }

    /// How many fixes are left that need a decision.
    fn more(&self, mended: &Mended, rules: &RuleSet) -> usize {
        let findings = mended.remaining.findings.iter().map(|judged| &judged.finding);
        findings
            .filter(|finding| rules.has(finding.rule))
            .filter(|finding| {
                finding.fix.as_ref().is_some_and(|fix| fix.applicability == Applicability::Review)
            })
            .count()
    }

    /// One patch for each rule, each of them for the files as they are.
    fn patches(
        &self,
        ui: &Ui,
        root: &Utf8Path,
        files: &Files,
        rules: &RuleSet,
        folder: &Utf8Path,
    ) -> Result<(), Failure> {
        std::fs::create_dir_all(folder)
            .map_err(|source| FailureKind::Write { path: folder.to_owned(), source })?;
        let first = self.mend(files.clone(), &RuleSet::Only(BTreeSet::new()), false);
        let wanted: BTreeSet<&'static str> = first
            .remaining
            .findings
            .iter()
            .filter(|judged| judged.finding.fix.is_some() && rules.has(judged.finding.rule))
            .map(|judged| judged.finding.rule.code)
            .collect();
        let mut written = 0;
        for code in wanted {
            let only = RuleSet::Only(BTreeSet::from([code]));
            let mended = self.mend(files.clone(), &only, self.args.risky);
            let Some(fixed) = mended.fixed.first() else { continue };
            let text: String = mended.changed.iter().map(|changed| diff(root, changed)).collect();
            let path = folder.join(format!("{code}-{}.patch", fixed.rule.name));
            write_file(&path, &format!("{}\n\n{text}", fixed.title))?;
            written += 1;
        }
        ui.status(&format!("{written} patches are in `{folder}`; `git apply` takes each of them by itself"));
        Ok(())
    }
}

/// How many findings stay because their owner accepts them.
fn accepted(mended: &Mended, rules: &RuleSet) -> usize {
    mended.remaining.accepted.iter().filter(|(judged, _)| rules.has(judged.finding.rule)).count()
}

/// Paths as a person who stands in the current directory would write them, where the root lies below it.
fn diff(root: &Utf8Path, changed: &Changed) -> String {
    let below = root.components().all(|part| matches!(part, Utf8Component::Normal(_)));
    let path = if below { root.join(&changed.path) } else { changed.path.clone() };
    unified_diff(&path, &changed.before, &changed.after)
}

fn line_style(line: &str) -> Style {
    match line.as_bytes().first() {
        Some(b'+') => AnsiColor::Green.on_default(),
        Some(b'-') => AnsiColor::Red.on_default(),
        Some(b'@') => AnsiColor::Cyan.on_default(),
        Some(b'd') => Style::new().bold(),
        _ => Style::new(),
    }
}
