//! Value is cut out of a dotenv file in a way that loses part of it.

use plimsoll_model::Facts;
use plimsoll_model::commands::Command;

use crate::edits;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SEC-014",
    name: "fragile-dotenv-parsing",
    title: "Value is cut out of a dotenv file in a way that loses part of it",
    theme: Theme::Secrets,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[],
    doc: include_str!("fragile_dotenv_parsing.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for grep in facts.commands.iter().filter(|command| matches!(command.program.as_str(), "grep" | "egrep")) {
        let words: Vec<&str> = grep.operands().map(|arg| arg.value.text.as_str()).collect();
        let (Some(pattern), Some(file)) = (words.first(), words.get(1)) else { continue };
        if !file.ends_with(".env") && !file.contains(".env.") && !file.contains(".env") {
            continue;
        }
        let Some(cut) = next_in_pipe(facts, grep).filter(|next| cuts_at_equals(next)) else { continue };
        let anchored = pattern.starts_with('^');
        let keeps_rest = cut.option(&["-f"]).is_some_and(|fields| fields.text.ends_with('-'));
        if anchored && keeps_rest {
            continue;
        }
        let finding =
            findings.add(grep.place, format!("`{pattern}` is read in a way that can lose part of its value"));
        if !anchored {
            finding.label("matches comments and longer names too");
        }
        if !keeps_rest {
            finding.related(cut.place, "drops everything behind a second `=`");
        }
        finding
            .help("use `grep '^NAME=' file | cut -d= -f2-`, or let the shell read the file")
            .fix(edits::safe("read the whole value of this one name", exact(facts, grep, cut)));
    }
}

fn next_in_pipe<'a>(facts: &'a Facts, command: &Command) -> Option<&'a Command> {
    let pipe = command.pipeline?;
    facts.commands.of_unit(command.unit).iter().find(|other| {
        other.pipeline.is_some_and(|place| place.span == pipe.span && place.index == pipe.index + 1)
    })
}

fn cuts_at_equals(command: &Command) -> bool {
    match command.program.as_str() {
        "cut" => command
            .option(&["-d", "--delimiter"])
            .is_some_and(|delimiter| delimiter.text.trim_matches(['"', '\'']) == "="),
        "awk" => command.option(&["-F"]).is_some_and(|separator| separator.text.contains('=')),
        _ => false,
    }
}

/// `grep '^NAME='` and `cut -f2-`.
fn exact(facts: &Facts, grep: &Command, cut: &Command) -> Option<Vec<plimsoll_text::Edit>> {
    let pattern = grep.operands().next()?;
    let written = facts.text(pattern.place);
    let quote =
        written.chars().next().filter(|c| matches!(c, '"' | '\'')).map(String::from).unwrap_or_default();
    let name = written.trim_matches(['"', '\'']).trim_start_matches('^').trim_end_matches('=');
    let plain = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b"${}".contains(&b));
    let fields = cut.option(&["-f"]).filter(|fields| fields.text == "2" && cut.program == "cut");
    let open = cut.option(&["-f"]).is_some_and(|fields| fields.text.ends_with('-'));
    if !plain || fields.is_none() && !open {
        return None;
    }
    let mut edits = vec![edits::replace(pattern.place, format!("{quote}^{name}={quote}"))];
    edits.extend(fields.map(|fields| edits::after(fields.value.place, "-")));
    Some(edits)
}
