//! Backup can fail without anyone noticing.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Fate};

use crate::edits;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "DAT-006",
    name: "unnoticed-backup-failure",
    title: "Backup can fail without anyone noticing",
    theme: Theme::DataSafety,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[],
    doc: include_str!("unnoticed_backup_failure.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for command in facts.commands.iter() {
        if is_dump(command) {
            piped_dump(facts, command, findings);
        }
        if command.program == "crontab" && command.arg(0) == Some("-") {
            overwritten_crontab(facts, command, findings);
        }
    }
    cron_lines(facts, findings);
}

fn is_dump(command: &Command) -> bool {
    matches!(command.program.as_str(), "pg_dump" | "pg_dumpall" | "mysqldump" | "mariadb-dump" | "mongodump")
}

fn piped_dump(facts: &Facts, dump: &Command, findings: &mut Findings<'_>) {
    let outer = facts.commands.outermost(dump);
    let compressor = facts.commands.of_unit(dump.unit).iter().find(|other| {
        let in_pipe = |a: &Command| {
            a.pipeline.is_some_and(|pipe| {
                other.pipeline.is_some_and(|o| o.span == pipe.span && o.index > pipe.index)
            })
        };
        matches!(other.program.as_str(), "gzip" | "zstd" | "xz" | "bzip2" | "pigz" | "ssh" | "tee")
            && (in_pipe(dump) || in_pipe(outer))
    });
    let lost = matches!(dump.fate, Fate::Lost) || matches!(outer.fate, Fate::Lost);
    let (Some(compressor), true, false) = (compressor, lost, dump.strict.pipefail) else { return };
    let finding = findings.add(
        dump.place,
        format!("a failed `{}` leaves an empty backup that looks like a good one", dump.program),
    );
    finding.label("its failure is lost in the pipeline").related(compressor.place, "decides the exit status");
    let removes = facts.commands.of_unit(dump.unit).iter().find(|other| {
        (other.program == "find" && other.arg_texts().any(|arg| arg == "-delete" || arg == "rm"))
            || (other.program == "rm" && other.id > dump.id)
    });
    if let Some(removes) = removes {
        finding.related(removes.place, "and the good copies age out here");
    }
    finding
        .note("the day the backup is needed it is empty")
        .help("use `set -euo pipefail`, check the size or restore the dump, and only then remove old ones")
        .fix(edits::safe("let the dump's failure count", notice(facts, dump)));
}

fn overwritten_crontab(facts: &Facts, command: &Command, findings: &mut Findings<'_>) {
    let Some(pipe) = command.pipeline else { return };
    let keeps = facts.commands.of_unit(command.unit).iter().any(|other| {
        other.program == "crontab" && other.arg(0) == Some("-l") && pipe.span.contains(other.place.span)
    });
    if !keeps {
        findings
            .add(command.place, "this replaces the whole crontab: every other job of this user is gone")
            .label("reads the new crontab from the pipe")
            .help("put the job into `/etc/cron.d` or a systemd timer, or keep what `crontab -l` prints")
            .fix(edits::safe("keep the jobs that are there", keep_jobs(facts, command)));
    }
}

/// Lines of a crontab in documents and scripts that write where nothing makes the folder.
fn cron_lines(facts: &Facts, findings: &mut Findings<'_>) {
    for (_, unit) in facts.commands.units().filter(|(_, unit)| unit.origin.is_documentation()) {
        let text = facts.text(unit.place);
        let mut start = unit.place.span.start;
        for line in text.split_inclusive('\n') {
            let from = start;
            start += u32::try_from(line.len()).unwrap_or(0);
            let Some(target) = cron_target(line.trim()) else { continue };
            let Some((folder, _)) = target.rsplit_once('/') else { continue };
            let made = facts.files.iter().any(|(_, file)| {
                file.holds("mkdir")
                    && file.holds(folder)
                    && file.text().lines().any(|line| line.contains("mkdir") && line.contains(folder))
            });
            if made
                || matches!(
                    folder,
                    "" | "/tmp" | "/root" | "/var/backups" | "/home" | "/var/tmp" | "/var/log" | "/dev"
                )
                || folder.contains('$')
            {
                continue;
            }
            let lead = u32::try_from(line.len() - line.trim_start().len()).unwrap_or(0);
            let end = from + lead + u32::try_from(line.trim().len()).unwrap_or(0);
            let place =
                plimsoll_text::Place::new(unit.place.file, plimsoll_text::Span::new(from + lead, end));
            findings
                .add(place, format!("this job writes into `{folder}`, which nothing creates"))
                .label("fails every night, and cron mails it to nobody")
                .help("create the folder where the job is installed, and let the job report its failure");
        }
    }
}

/// The file that a cron line with a dump writes to.
fn cron_target(line: &str) -> Option<&str> {
    let mut fields = line.split_whitespace().take(5);
    let is_time =
        |field: &str| field.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'/' | b',' | b'-'));
    // Most lines are none, and their first word says so.
    let is_cron = (0..5).all(|_| fields.next().is_some_and(is_time));
    if !is_cron || !(line.contains("dump") || line.contains("backup") || line.contains("tar ")) {
        return None;
    }
    let (_, target) = line.rsplit_once("> ")?;
    let target = target.split_whitespace().next()?.trim_matches(['\'', '"']);
    target.starts_with('/').then_some(target)
}

/// `set -eo pipefail` at the start of a bash script, so that nothing old is removed either; a line of a crontab gets a bash of its own, and its folder.
fn notice(facts: &Facts, dump: &Command) -> Option<Vec<plimsoll_text::Edit>> {
    let unit = facts.commands.unit(dump.unit);
    let outer = facts.commands.outermost(dump);
    let file = facts.files.get(outer.place.file);
    let line = file.line_span(file.line_of(outer.place.span.start));
    let text = file.slice(line);
    let fields: Vec<&str> = text.split_whitespace().take(5).collect();
    let is_cron = fields.len() == 5
        && fields.iter().all(|field| field.bytes().all(|b| b.is_ascii_digit() || b"*/,-".contains(&b)));
    if is_cron {
        let (head, target) = text.rsplit_once("> ")?;
        let target = target.split_whitespace().next()?;
        let folder = target.rsplit_once('/').map(|(folder, _)| folder).filter(|folder| !folder.is_empty())?;
        let command = text.find(&fields.join(" ")).map(|at| at + fields.join(" ").len() + 1)?;
        let (start, moved) = match text
            .get(command..)?
            .find("&& ")
            .filter(|_| text.get(command..).is_some_and(|t| t.starts_with("cd ")))
        {
            Some(and) => (command + and + 3, true),
            None => (command, false),
        };
        let plain = !text.contains('\'') && (moved || folder.starts_with('/')) && head.contains('|');
        let at = line.start + u32::try_from(start).ok()?;
        let place =
            |offset| plimsoll_text::Place::new(outer.place.file, plimsoll_text::Span::new(offset, offset));
        return plain.then(|| {
            vec![
                edits::before(place(at), format!("mkdir -p {folder} && bash -o pipefail -c '")),
                edits::after(place(line.end), "'"),
            ]
        });
    }
    let script = matches!(
        unit.origin,
        plimsoll_model::commands::Origin::Script | plimsoll_model::commands::Origin::WrittenScript { .. }
    );
    let body = facts.text(unit.place);
    let bash = body.lines().take(3).any(|line| line.starts_with("#!") && line.contains("bash"));
    let first = facts.commands.of_unit(dump.unit).iter().map(|command| command.place.span.start).min()?;
    let place = plimsoll_text::Place::new(outer.place.file, plimsoll_text::Span::new(first, first));
    let alone = edits::line_head(facts, place).trim().is_empty();
    (script && bash && alone).then(|| vec![edits::lines_before(facts, place, "set -eo pipefail")])
}

/// `(crontab -l; echo …) | crontab -`.
fn keep_jobs(facts: &Facts, command: &Command) -> Option<Vec<plimsoll_text::Edit>> {
    let pipe = command.pipeline.filter(|pipe| pipe.length == 2)?;
    let source = facts.commands.of_unit(command.unit).iter().find(|other| {
        other.program == "echo" && other.pipeline.is_some_and(|own| own.span == pipe.span && own.index == 0)
    })?;
    Some(vec![edits::before(source.place, "(crontab -l 2>/dev/null; "), edits::after(source.place, ")")])
}
