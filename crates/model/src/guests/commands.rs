//! Guests made and changed by `pct`, `qm`, `pvesh` and by text written to `/etc/pve`.

use plimsoll_text::Place;

use super::{Guest, GuestKind, Guests, Maker, Setting};
use crate::commands::{Arg, Bound, Command, Commands, Value};

/// Reads all commands for what they say about guests.
pub(crate) fn from_commands(commands: &Commands, guests: &mut Guests) {
    for command in commands.iter() {
        let maker = if commands.unit(command.unit).origin.is_documentation() {
            Maker::Documentation(command.id)
        } else {
            Maker::Command(command.id)
        };
        match command.program.as_str() {
            "pct" => tool(command, GuestKind::Lxc, maker, guests),
            "qm" => tool(command, GuestKind::Vm, maker, guests),
            "pvesh" => api(command, maker, guests),
            "build_container" => community(commands, command, maker, guests),
            _ => {}
        }
        written(command, maker, guests);
    }
}

fn tool(command: &Command, kind: GuestKind, maker: Maker, guests: &mut Guests) {
    let mut operands = command.args.iter().filter(|arg| !arg.value.text.starts_with('-'));
    let Some(verb) = operands.next().map(|arg| arg.value.text.as_str()) else { return };
    let created = matches!(verb, "create" | "restore" | "importovf");
    if !(created || matches!(verb, "set" | "clone")) {
        return;
    }
    let id = operands.next().map(|arg| arg.value.clone());
    let (id, clone_of) =
        if verb == "clone" { (operands.next().map(|arg| arg.value.clone()), id) } else { (id, None) };
    let mut settings = options(command, maker);
    if verb == "create"
        && kind == GuestKind::Lxc
        && let Some(template) = operands.next()
    {
        settings.push(setting("ostemplate", template.value.clone(), template.place, maker));
    }
    if verb == "clone"
        && let Some(original) = clone_of
    {
        settings.push(setting("clone", original, command.place, maker));
    }
    guests.add(Guest {
        kind,
        id,
        place: command.place,
        maker,
        created: created || verb == "clone",
        settings,
    });
}

/// What the community scripts' `build_container` makes of `var_cpu`, `var_ram` and the like (`misc/build.func`).
fn community(commands: &Commands, command: &Command, maker: Maker, guests: &mut Guests) {
    let bindings = commands.bindings(command.unit);
    let mut settings = Vec::new();
    for (name, key) in [
        ("var_ram", "memory"),
        ("var_cpu", "cores"),
        ("var_disk", "rootfs"),
        ("var_unprivileged", "unprivileged"),
        ("var_os", "ostype"),
    ] {
        let Some(binding) = bindings.of(name).last() else { continue };
        let Bound::Word(word) = &binding.bound else { continue };
        // `${var_ram:-2048}` is the usual form since the scripts read their defaults from the environment.
        let written = word.text().rsplit(":-").next().unwrap_or_default().trim_matches(['"', '}']);
        if written.is_empty() || written.contains('$') {
            continue;
        }
        let text = if key == "rootfs" { format!("size={written}G") } else { written.to_owned() };
        settings.push(setting(key, Value::literal(text), binding.place, maker));
    }
    if settings.is_empty() {
        return;
    }
    guests.add(Guest {
        kind: GuestKind::Lxc,
        id: None,
        place: command.place,
        maker,
        created: true,
        settings,
    });
}

/// `pvesh create /nodes/NODE/lxc --vmid …`.
fn api(command: &Command, maker: Maker, guests: &mut Guests) {
    let (Some(verb), Some(path)) = (command.arg(0), command.arg(1)) else { return };
    let mut parts = path.trim_matches('/').split('/').skip_while(|part| *part != "lxc" && *part != "qemu");
    let kind = match parts.next() {
        Some("lxc") => GuestKind::Lxc,
        Some("qemu") => GuestKind::Vm,
        _ => return,
    };
    let in_path = parts.next();
    let created = verb == "create" && in_path.is_none();
    if !(created || (matches!(verb, "set" | "create") && parts.next() == Some("config"))) {
        return;
    }
    let settings = options(command, maker);
    let id = in_path.map(Value::literal).or_else(|| {
        settings.iter().find(|setting| setting.key == "vmid").map(|setting| setting.value.clone())
    });
    guests.add(Guest { kind, id, place: command.place, maker, created, settings });
}

/// Options of `pct` and `qm` as settings. Single dashes work as well (`Getopt::Long` of `PVE::CLIHandler`).
fn options(command: &Command, maker: Maker) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut index = 0;
    while let Some(arg) = command.args.get(index) {
        index += 1;
        let text = arg.value.text.as_str();
        let Some(name) =
            text.strip_prefix("--").or_else(|| text.strip_prefix('-')).filter(|name| !name.is_empty())
        else {
            continue;
        };
        if let Some((name, value)) = name.split_once('=') {
            let value = Value { text: value.to_owned(), sources: arg.value.sources.clone() };
            settings.push(setting(name, value, arg.place, maker));
            continue;
        }
        match command.args.get(index).filter(|next| is_value(next)) {
            Some(next) => {
                let place = Place::new(arg.place.file, arg.place.span.cover(next.place.span));
                settings.push(setting(name, next.value.clone(), place, maker));
                index += 1;
            }
            None => settings.push(setting(name, Value::literal("1"), arg.place, maker)),
        }
    }
    settings
}

fn is_value(arg: &Arg) -> bool {
    let text = arg.value.text.as_str();
    !text.starts_with('-') || text == "-" || text.parse::<i64>().is_ok()
}

/// Lines that `echo`, `printf`, `tee` or a heredoc put into a guest's configuration.
fn written(command: &Command, maker: Maker, guests: &mut Guests) {
    let target = command
        .outputs
        .iter()
        .map(|output| &output.target)
        .chain(
            command
                .args
                .iter()
                .map(|arg| &arg.value)
                .filter(|_| matches!(command.program.as_str(), "tee" | "sed")),
        )
        .find_map(|target| config_path(&target.text));
    let Some((kind, id)) = target else { return };
    let mut settings = Vec::new();
    match (&command.heredoc, command.program.as_str()) {
        (Some(heredoc), _) => {
            let text = heredoc.body.text();
            let mut start = 0;
            for line in text.split_inclusive('\n') {
                let trimmed = line.trim_end();
                if let Some((key, value)) = key_value(trimmed) {
                    let place = heredoc.body.place(start..start + trimmed.len());
                    settings.push(setting(key, Value::literal(value), place, maker));
                }
                start += line.len();
            }
        }
        (None, "echo" | "printf") => {
            for arg in &command.args {
                for line in arg.value.text.split("\\n").flat_map(str::lines) {
                    if let Some((key, value)) = key_value(line) {
                        settings.push(setting(key, Value::literal(value), arg.place, maker));
                    }
                }
            }
        }
        _ => {}
    }
    if !settings.is_empty() {
        let id = (!id.is_empty()).then(|| Value::literal(id));
        guests.add(Guest { kind, id, place: command.place, maker, created: false, settings });
    }
}

/// The guest that a path under `/etc/pve` configures.
fn config_path(path: &str) -> Option<(GuestKind, String)> {
    let (_, rest) = path.split_once("/etc/pve/")?;
    let name = rest.rsplit('/').next().unwrap_or_default().trim_end_matches(".conf").to_owned();
    if rest.contains("lxc/") {
        Some((GuestKind::Lxc, name))
    } else if rest.contains("qemu-server/") {
        Some((GuestKind::Vm, name))
    } else {
        None
    }
}

/// `key: value`, and `key = value` for raw LXC keys.
fn key_value(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let at = line.find([':', '='])?;
    let key = line.get(..at)?.trim();
    let is_key =
        !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    is_key.then(|| (key, line.get(at + 1..).unwrap_or_default().trim()))
}

fn setting(key: &str, value: Value, place: Place, maker: Maker) -> Setting {
    Setting { key: key.to_owned(), value, place, maker }
}

#[cfg(test)]
mod tests {
    use plimsoll_text::Files;

    use crate::{Facts, Inventory};

    #[test]
    fn community_scripts_make_a_guest_from_their_variables() {
        let script = "source <(curl -fsSL https://example.org/build.func)\nvar_ram=\"${var_ram:-4096}\"\nvar_unprivileged=\"0\"\nstart\nbuild_container\n";
        let files = Files::new([("ct/app.sh".into(), script.to_owned())]);
        let facts = Facts::new(files, Inventory::default());
        let guest = facts.guests.real().next().unwrap();
        assert_eq!(guest.memory_mib(), Some(4096));
        assert!(guest.created && guest.privileged().is_some());
    }
}
