//! The draft as a commented file.

use super::draft::{Choice, Draft, NewKind, Secret, quoted};

pub(super) fn text(draft: &Draft) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text.trim_end());
        out.push('\n');
    };
    line("# How this app is deployed. Every key is explained in docs/configuration.md of Plimsoll.");
    line(&format!("app: {}", draft.app));
    let files: Vec<String> = draft.compose.iter().map(|file| quoted(file)).collect();
    line(&format!("compose: [{}]", files.join(", ")));
    line("");
    line("targets:");
    line(&format!("  {}:", draft.given.target));
    match &draft.given.adopt {
        Some(machine) => adopted(machine, &mut line),
        None => created(draft, &mut line),
    }
    if !draft.checks.is_empty() {
        line("    # Asked from here after every switch: a release is good when all of them pass.");
        line("    checks:");
        for check in &draft.checks {
            line(&format!("      - {}  # {}", check.value, clean(&check.why)));
        }
    }
    if !draft.hooks.is_empty() {
        line("    # Run with the new image before the switch; a failure stops the release.");
        line("    before_release:");
        for (service, hook) in &draft.hooks {
            let Choice { value, why } = hook;
            line(&format!(
                "      - {{service: {}, run: {}}}  # {}",
                quoted(service),
                quoted(value),
                clean(why)
            ));
        }
    }
    if !draft.secrets.is_empty() {
        line("");
        // A machine that is taken over has a database with its password already.
        let taken = draft.given.adopt.is_some();
        line(if taken {
            "# Values never stand here. What a database was made with must stay its password."
        } else {
            "# Values never stand here: those that are made are kept in secrets.age, encrypted."
        });
        if !taken && draft.today.is_some() {
            line("# To bring today's along with its data: plimsoll secret import .env");
        }
        line("secrets:");
        for Secret { name, foreign, why } in &draft.secrets {
            let made = !foreign && !taken;
            let from = if made { "{generate: {length: 32, alphabet: url-safe}}" } else { "{from: env}" };
            line(&format!("  {name}: {from}  # {}", clean(why)));
        }
    }
    out
}

fn adopted(machine: &str, line: &mut impl FnMut(&str)) {
    let (user, host) = match machine.split_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, machine),
    };
    let (host, port) = match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') => (name, Some(port)),
        _ => (host, None),
    };
    line("    # A machine that exists already, with Docker Engine and Compose.");
    line("    guest:");
    line("      kind: adopt");
    line(&format!("      address: {}", quoted(host)));
    if let Some(user) = user {
        line(&format!("      user: {}", quoted(user)));
    }
    if let Some(port) = port {
        line(&format!("      port: {}", port.trim()));
    }
}

fn created(draft: &Draft, line: &mut impl FnMut(&str)) {
    let given = &draft.given;
    let open = "not said by the files: put yours here";
    let known = |value: &Option<String>, default: &str, why: &str| match value {
        Some(value) => (quoted(value), String::new()),
        None => (quoted(default), format!("  # {}", clean(why))),
    };
    line("    # The node. Its API token never stands here.");
    line("    proxmox:");
    let (url, remark) = known(&given.url, &draft.url.value, &draft.url.why);
    line(&format!("      url: {url}{remark}"));
    let (node, remark) = known(&given.node, "pve", open);
    line(&format!("      node: {node}{remark}"));
    if let Some(today) = &draft.today {
        line(&format!(
            "    # Today's guest is {}. It stays as it is; this one stands beside it.",
            clean(today)
        ));
    }
    let kind = given.kind.unwrap_or_default();
    match kind {
        NewKind::Vm => {
            line(
                "    # A VM has a kernel of its own: nothing that breaks out of a container reaches the node.",
            );
        }
        NewKind::Lxc => {
            line("    # An unprivileged container: lighter than a VM, and it shares the node's kernel.");
        }
    }
    line("    guest:");
    line(match kind {
        NewKind::Vm => "      kind: vm",
        NewKind::Lxc => "      kind: lxc",
    });
    let mut choice = |key: &str, choice: &Choice| {
        line(&format!("      {key}: {}  # {}", choice.value, clean(&choice.why)));
    };
    choice("cores", &draft.cores);
    choice("memory", &draft.memory);
    choice("disk", &draft.disk);
    choice("storage", &Choice { value: quoted(&draft.storage.value), why: draft.storage.why.clone() });
    line("      network:");
    line(&format!("        bridge: {}  # {}", quoted(&draft.bridge.value), clean(&draft.bridge.why)));
    match (&given.address, &given.gateway) {
        (Some(address), gateway) => {
            line(&format!("        address: {}", quoted(address)));
            if let Some(gateway) = gateway {
                line(&format!("        gateway: {}", quoted(gateway)));
            }
        }
        (None, _) => line("        address: dhcp  # or a fixed one, 192.168.1.50/24, with a gateway"),
    }
    let keep = "keep: {daily: 7, weekly: 4}";
    match given.shelf() {
        Some(storage) => {
            line(
                "    # `plimsoll backup create` makes one; `plimsoll backup drill` proves that it comes back.",
            );
            line(&format!("    backup: {{storage: {}, {keep}}}", quoted(storage)));
        }
        None => line(&format!(
            "    # backup: {{storage: NAME, {keep}}}  # nothing is backed up until this says where"
        )),
    }
}

/// Text that stays on its comment's line.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use camino::{Utf8Path, Utf8PathBuf};
    use plimsoll_model::{Facts, Inventory};
    use plimsoll_text::Files;

    use super::super::draft::{Draft, Given, NewKind};

    const COMPOSE: &str = "services:\n  api:\n    image: shop\n    environment: {DB_PASSWORD: \"${DB_PASSWORD}\"}\n    ports: [\"8000:8000\"]\n    healthcheck: {test: [CMD, curl, -f, \"http://localhost:8000/health?full=1\"]}\n  db:\n    image: postgres:16\n    ports: [\"5432:5432\"]\n    healthcheck: {test: [CMD, pg_isready]}\n";
    const SCRIPT: &str = "#!/bin/bash\nMEMORY=3072\npct create 107 local:vztmpl/debian.tar.zst --cores 3 --memory $MEMORY --rootfs fast:12 --net0 name=eth0,bridge=vmbr7\npct exec 107 -- docker compose exec -T api alembic upgrade head\n";

    fn written(files: &[(&str, &str)], given: Given) -> Option<(String, Vec<&'static str>)> {
        let texts = files.iter().map(|(path, text)| (Utf8PathBuf::from(*path), (*text).to_owned()));
        let inventory = Inventory::new(files.iter().map(|(path, _)| Utf8PathBuf::from(*path)));
        let facts = Facts::new(Files::new(texts), inventory);
        let draft = Draft::new(&facts, given, "Web Shop")?;
        Some((super::text(&draft), draft.assumed))
    }

    fn given() -> Given {
        Given { target: "production".to_owned(), ..Given::default() }
    }

    #[test]
    fn what_scripts_say_is_taken_over_with_its_line() {
        let (text, assumed) =
            written(&[("docker-compose.yml", COMPOSE), ("deploy.sh", SCRIPT)], given()).unwrap();
        for expected in [
            "cores: 3  # deploy.sh:3",
            "memory: 3072MiB  # deploy.sh:3",
            "disk: 12GiB  # deploy.sh:3",
            "storage: \"fast\"  # deploy.sh:3",
            "bridge: \"vmbr7\"  # deploy.sh:3",
            "Today's guest is LXC container 107 (deploy.sh:3)",
            "- {http: \"http://{guest}:8000/health?full=1\"}  # service api, docker-compose.yml:5",
            "- {service: \"api\", run: \"alembic upgrade head\"}  # deploy.sh:4",
            "DB_PASSWORD: {generate: {length: 32, alphabet: url-safe}}  # docker-compose.yml:4",
            "plimsoll secret import .env",
        ] {
            assert!(text.contains(expected), "expected: {expected}\n{text}");
        }
        assert!(!text.contains("5432"), "a database's port is no entrance of the app\n{text}");
        assert_eq!(assumed, ["proxmox.url", "proxmox.node", "backup"]);
        plimsoll_config::parse(Utf8Path::new("plimsoll.yaml"), &text).unwrap();
    }

    #[test]
    fn without_scripts_and_with_a_machine_the_file_is_accepted_too() {
        let files = [("docker-compose.yml", COMPOSE)];
        let (text, assumed) = written(&files, given()).unwrap();
        assert_eq!(assumed, ["proxmox.url", "proxmox.node", "backup", "guest.storage"]);
        plimsoll_config::parse(Utf8Path::new("plimsoll.yaml"), &text).unwrap();
        let with = |backup: &str| Given { backup: Some(backup.to_owned()), ..given() };
        let (text, _) = written(&files, with("dumps")).unwrap();
        assert!(text.contains("\n    backup: {storage: \"dumps\", keep: {daily: 7, weekly: 4}}\n"), "{text}");
        plimsoll_config::parse(Utf8Path::new("plimsoll.yaml"), &text).unwrap();
        assert!(written(&files, with("none")).unwrap().0.contains("\n    # backup: "));
        let (text, _) = written(&files, Given { kind: Some(NewKind::Lxc), ..given() }).unwrap();
        assert!(text.contains("      kind: lxc\n"), "{text}");
        plimsoll_config::parse(Utf8Path::new("plimsoll.yaml"), &text).unwrap();
        let adopt = Given { adopt: Some("deploy@10.0.0.5:2222".to_owned()), ..given() };
        let (text, assumed) = written(&files, adopt).unwrap();
        assert!(assumed.is_empty());
        assert!(text.contains("DB_PASSWORD: {from: env}"), "{text}");
        plimsoll_config::parse(Utf8Path::new("plimsoll.yaml"), &text).unwrap();
        assert!(written(&[("deploy.sh", SCRIPT)], given()).is_none());
    }
}
