//! Handing a service the variables that its code reads.

use std::collections::BTreeSet;

use plimsoll_model::application::{EnvRead, Presence};
use plimsoll_model::compose::Service;
use plimsoll_model::images::Image;
use plimsoll_model::{Facts, Stack};
use plimsoll_text::{Edit, Fix};

use crate::edits;

/// Gives a service what its code reads: the service of the project that answers where the code would ask itself, and
/// for the rest a value that must be set, which needs somebody to set it.
pub(super) fn give(facts: &Facts, stack: &Stack, service: &Service, reads: &[&EnvRead]) -> Option<Fix> {
    let addresses: Option<Vec<String>> = reads.iter().map(|read| address(stack, read)).collect();
    if let Some(addresses) = addresses {
        let edits = reads
            .iter()
            .zip(&addresses)
            .map(|(read, value)| edits::add_variable(facts, service, &read.name, value));
        return edits::safe("name the service that answers", edits.collect());
    }
    let edits = reads.iter().map(|read| {
        let value = format!("${{{0}:?set {0}}}", read.name);
        edits::add_variable(facts, service, &read.name, &value)
    });
    let mut edits = edits.collect::<Option<Vec<_>>>()?;
    edits.extend(write_too(facts, stack, &reads.iter().map(|read| read.name.as_str()).collect::<Vec<_>>()));
    edits::review("hand over the variables and refuse to start without them", Some(edits))
}

/// The default of a read with the name of the one service whose image speaks its protocol in place of `localhost`.
fn address(stack: &Stack, read: &EnvRead) -> Option<String> {
    let Presence::Default(text) = &read.presence else { return None };
    let (scheme, _) = text.value.split_once("://")?;
    let speaks: &[&str] = match scheme.split('+').next()? {
        "redis" => &["redis", "valkey"],
        "amqp" => &["rabbitmq"],
        "mongodb" => &["mongo"],
        "memcached" => &["memcached"],
        "nats" => &["nats"],
        _ => return None,
    };
    let mut found = stack.services().filter(|service| {
        plimsoll_model::services::reference(service)
            .is_some_and(|image| image.name.rsplit('/').next().is_some_and(|name| speaks.contains(&name)))
    });
    let (service, None) = (found.next()?, found.next()) else { return None };
    let asks_password = stack.services().any(|other| {
        other
            .command
            .as_ref()
            .is_some_and(|command| command.value.words.iter().any(|word| word.contains("requirepass")))
    });
    let value = text.value.replacen("localhost", &service.name, 1).replacen("127.0.0.1", &service.name, 1);
    (!asks_password && value != text.value).then_some(value)
}

/// `ARG` in the stage that builds, and the values under `build.args`.
pub(super) fn hand_over(
    facts: &Facts,
    stack: &Stack,
    service: &Service,
    image: &Image,
    names: &[&str],
) -> Option<Vec<Edit>> {
    let stage = image.stages.iter().find(|stage| {
        stage.runs.iter().any(|run| run.place > stage.place && facts.text(run.place).contains("build"))
    })?;
    let run =
        stage.runs.iter().find(|run| run.place > stage.place && facts.text(run.place).contains("build"))?;
    let key = edits::child_key(facts, service.place, "build")?;
    let lines: Vec<String> = names.iter().map(|name| format!("{name}: ${{{name}:?set {name}}}")).collect();
    let compose = match edits::child_key(facts, key, "args") {
        Some(args) => edits::add_entries(facts, args, &lines.join("\n"))?,
        None => edits::add_entries(facts, key, &format!("args:\n  {}", lines.join("\n  ")))?,
    };
    let arguments: Vec<String> = names.iter().map(|name| format!("ARG {name}")).collect();
    let mut edits = vec![compose, edits::above_comments(facts, run.place, &arguments.join("\n"))];
    edits.extend(write_too(facts, stack, names));
    Some(edits)
}

/// A script that writes the `.env` of the deployment anew must write these, too, out of its own environment.
fn write_too(facts: &Facts, stack: &Stack, names: &[&str]) -> Option<Edit> {
    let used: BTreeSet<&str> = stack
        .services()
        .flat_map(|service| service.environment.values())
        .flat_map(|entry| &entry.variables)
        .map(|variable| variable.name.as_str())
        .collect();
    facts
        .commands
        .iter()
        .filter(|command| !facts.commands.unit(command.unit).origin.is_documentation())
        .find_map(|command| {
            let heredoc = command.heredoc.as_ref().filter(|heredoc| !heredoc.quoted)?;
            let writes = matches!(command.program.as_str(), "cat" | "tee") && command.carrier.is_none();
            let mut start = 0;
            let mut last = None;
            for line in heredoc.body.text().split_inclusive('\n') {
                if line.split_once('=').is_some_and(|(key, _)| used.contains(key.trim())) {
                    last = Some(start..start + line.trim_end().len());
                }
                start += line.len();
            }
            let lines: Vec<String> =
                names.iter().map(|name| format!("{name}=${{{name}:?set {name}}}")).collect();
            let place = heredoc.body.place(last.filter(|_| writes)?);
            Some(edits::lines_after(facts, place, &lines.join("\n")))
        })
}
