//! Making a secret only when the deployment has none yet.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Bound, Command};
use plimsoll_text::{Edit, Fix, Place};

use super::words::is_generator;
use super::written::{Written, target, written_by};
use crate::edits;

/// Reads the file that is in use before it is written anew, and makes only the secrets that it lacks. `keep_out` are
/// the edits that keep a `.env` of this machine out of every archive.
pub(super) fn fix(facts: &Facts, places: &[Place], keep_out: Option<&[Edit]>) -> Option<Fix> {
    let all = written_by(facts, facts.commands.in_file(places.first()?.file));
    let lines: Vec<&Written<'_>> = all.iter().filter(|line| places.contains(&line.place)).collect();
    let writer = lines.first()?.command;
    let one = lines.iter().all(|line| line.command.id == writer.id) && lines.len() == places.len();
    let place = writer.place;
    let text = facts.files.get(place.file).text();
    if !one
        || !edits::in_script(facts, writer)
        || writer.carrier.is_some()
        || !edits::line_head(facts, place).trim().is_empty()
        || text.contains("existing_env")
        || !text.lines().next().is_some_and(|first| first.contains("bash"))
        || !writer.strict.errexit
    {
        return None;
    }
    let reader = reader(facts, writer)?;
    let mut edits = Vec::new();
    let mut head = format!(
        "# Secrets that are in use stay: the database knows only its first password\nexisting_env=\"$({reader})\""
    );
    for line in lines {
        let key = &line.key;
        let kept = format!(
            "{key}=\"$(sed -n 's/^{key}=//p' <<<\"${{existing_env}}\" | tail -n 1)\"\nif [[ -z \"${{{key}}}\" ]]; then\n    {key}=\"{}\"\nfi",
            without_base64(line.generator.as_deref()?)
        );
        if is_generator(&line.value) {
            if !line.value.starts_with("$(") || !line.value.ends_with(')') {
                return None;
            }
            let value = edits::part(facts, line.place, &format!("={}", line.value))?;
            edits.push(edits::replace(value, format!("=${{{key}}}")));
        } else {
            let name =
                line.value.trim_matches(['"', '\'']).trim_start_matches(['$', '{']).trim_end_matches('}');
            let mut bindings = facts.commands.bindings(writer.unit).of(name);
            let binding = bindings.find(|binding| {
                matches!(&binding.bound, Bound::Word(word) if is_generator(word.text()) && !binding.guarded)
            })?;
            if name != key
                || binding.function.as_deref() != writer.function.as_deref()
                || binding.place.span.start > place.span.start
                || !edits::line_head(facts, binding.place).trim().is_empty()
                || !edits::line_tail(facts, binding.place).trim().is_empty()
            {
                return None;
            }
            edits.push(edits::remove_lines(facts, binding.place));
        }
        head.push('\n');
        head.push_str(&kept);
    }
    edits.push(edits::lines_before(facts, place, &head));
    // A `.env` of the developer in the archive would be taken for the one in use.
    edits.extend_from_slice(keep_out?);
    edits::safe("keep the secrets that are in use and make only what is missing", Some(edits))
}

/// Base64 has characters that mean something in an address; as many random bytes in hexadecimal have none.
fn without_base64(generator: &str) -> String {
    generator.trim_matches('"').replace("openssl rand -base64", "openssl rand -hex")
}

/// The command that prints the file where it is used: fails when it cannot be asked for, prints nothing when there is
/// none.
fn reader(facts: &Facts, writer: &Command) -> Option<String> {
    let path = target(writer)?;
    let unit = facts.commands.of_unit(writer.unit);
    let plain = |place: Place| {
        let text = facts.text(place);
        (!text.contains(['\\', '`', ' ', '\''])).then(|| text.trim_matches('"').to_owned())
    };
    let push = unit.iter().find(|command| {
        let mut operands = command.operands().map(|arg| arg.value.text.as_str());
        command.id > writer.id && command.is("pct", &["push"]) && operands.nth(2) == Some(path)
    });
    if let Some(push) = push {
        let outer = facts.commands.outermost(push);
        let operands: Vec<Place> = push.operands().map(|arg| arg.place).collect();
        let (id, destination) = (plain(*operands.get(1)?)?, plain(*operands.get(3)?)?);
        let inside =
            format!("pct exec {id} -- sh -c 'cat {destination} 2>/dev/null || test ! -e {destination}'");
        if outer.id == push.id {
            return Some(inside);
        }
        if outer.program != "ssh"
            || outer.args.len() != 2
            || facts.commands.get(push.carrier?)?.id != outer.id
        {
            return None;
        }
        return Some(format!("ssh {} \"{inside}\"", facts.text(outer.args.first()?.place)));
    }
    let copy = unit.iter().find(|command| {
        let sent = command.operands().next().map(|arg| arg.value.text.as_str());
        command.id > writer.id && command.program == "scp" && command.args.len() == 2 && sent == Some(path)
    });
    if let Some(copy) = copy {
        let written = plain(copy.args.last()?.place)?;
        let (host, destination) = written.split_once(':')?;
        let whole = destination.ends_with("env") && !destination.starts_with("/tmp");
        return whole
            .then(|| format!("ssh \"{host}\" \"cat {destination} 2>/dev/null || test ! -e {destination}\""));
    }
    let output = writer.outputs.iter().find(|output| output.fd == 1)?;
    let word = facts.text(output.place).trim_start_matches(['>', '1', ' ', '|']);
    let direct = !path.starts_with("/tmp") && !word.contains(['\\', '`', '(']);
    direct.then(|| format!("cat {word} 2>/dev/null || test ! -e {word}"))
}
