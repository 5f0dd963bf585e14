//! Keys of settings files that their reader ignores.

use camino::Utf8Path;
use plimsoll_model::{Facts, Kind};
use plimsoll_syntax::ini::{self, Ini};
use plimsoll_text::{FileId, Place, Span};

use crate::{Findings, Severity};

/// `ansible.cfg` with keys in a section that is not theirs.
pub(super) fn ansible_settings(facts: &Facts, findings: &mut Findings<'_>) {
    for (file, tree) in &facts.trees.ini {
        if facts.files.get(*file).name() != "ansible.cfg" {
            continue;
        }
        let mut become_keys = Vec::new();
        for section in &tree.sections {
            let Some(name) = section.name.as_ref().map(|name| name.value.as_str()) else { continue };
            for entry in &section.entries {
                match (name, entry.key.value.as_str()) {
                    ("defaults", "connection") => {
                        findings
                            .add(entry.place, "Ansible reads no `connection` in `[defaults]`")
                            .severity(Severity::Critical)
                            .label("tasks go to the hosts by SSH as before")
                            .help("set `transport` here, or `ansible_connection` for the hosts in the inventory");
                    }
                    ("defaults", "become" | "become_user" | "become_method" | "become_ask_pass") => {
                        become_keys.push(entry.place);
                    }
                    ("defaults", key @ ("ssh_args" | "control_path" | "scp_if_ssh" | "sftp_batch_mode")) => {
                        findings
                            .add(entry.place, format!("Ansible reads `{key}` in `[ssh_connection]` only"))
                            .severity(Severity::Medium)
                            .help("move it to that section");
                    }
                    _ => {}
                }
            }
        }
        let mut rest = become_keys.into_iter();
        let Some(first) = rest.next() else { continue };
        let finding =
            findings.add(first, "Ansible reads the keys of `become` in `[privilege_escalation]` only");
        finding.severity(Severity::Low).label("ignored in `[defaults]`");
        for place in rest {
            finding.related(place, "ignored, too");
        }
        finding.help("move them to that section");
    }
}

/// systemd units, those that scripts write included.
pub(super) fn units(facts: &Facts, findings: &mut Findings<'_>) {
    for file in facts.trees.of_kind(Kind::Systemd) {
        if let Some(tree) = facts.trees.ini.get(&file) {
            unit(tree, findings);
        }
    }
    for command in facts.commands.iter() {
        let Some(heredoc) = &command.heredoc else { continue };
        let targets = command.outputs.iter().map(|output| &output.target);
        let to_unit = targets.chain(command.args.iter().map(|arg| &arg.value)).any(|target| {
            let path = Utf8Path::new(&target.text);
            target.text.contains("systemd/system") && matches!(path.extension(), Some("service" | "timer"))
        });
        if to_unit {
            unit(&ini::parse(&heredoc.body), findings);
        }
    }
}

/// Sections of keys that people put elsewhere. Source: systemd.unit(5), systemd.service(5), systemd.exec(5).
fn section_of(key: &str) -> Option<&'static str> {
    match key {
        "After"
        | "Before"
        | "Requires"
        | "Wants"
        | "BindsTo"
        | "PartOf"
        | "Description"
        | "Documentation"
        | "Conflicts"
        | "OnFailure"
        | "ConditionPathExists"
        | "RequiresMountsFor"
        | "StartLimitIntervalSec" => Some("Unit"),
        "ExecStart" | "ExecStartPre" | "ExecStartPost" | "ExecStop" | "ExecReload" | "Restart"
        | "RestartSec" | "User" | "Group" | "WorkingDirectory" | "Environment" | "EnvironmentFile"
        | "Type" | "TimeoutStartSec" | "RemainAfterExit" | "StandardOutput" | "StandardError"
        | "NoNewPrivileges" | "ProtectSystem" => Some("Service"),
        "WantedBy" | "RequiredBy" | "Alias" | "Also" => Some("Install"),
        "OnCalendar" | "OnBootSec" | "OnUnitActiveSec" | "Persistent" | "RandomizedDelaySec" => Some("Timer"),
        _ => None,
    }
}

fn unit(tree: &Ini, findings: &mut Findings<'_>) {
    for section in &tree.sections {
        let Some(name) = section.name.as_ref().map(|name| name.value.as_str()) else { continue };
        for entry in &section.entries {
            let key = entry.key.value.as_str();
            if let Some(own) = section_of(key).filter(|own| *own != name)
                && matches!(name, "Unit" | "Service" | "Install" | "Timer")
            {
                findings
                    .add(entry.place, format!("systemd ignores `{key}` in `[{name}]`"))
                    .severity(Severity::Medium)
                    .help(format!("move it to `[{own}]`"));
            }
            let line = entry.value.text();
            let operator =
                [" && ", " || ", " | ", " > ", " >> ", "; "].into_iter().find(|op| line.contains(op));
            if let Some(operator) = operator.filter(|_| key.starts_with("Exec") && !has_shell(line)) {
                findings
                    .add(
                        entry.place,
                        format!(
                            "`{}` is no operator here: systemd starts one program without a shell",
                            operator.trim()
                        ),
                    )
                    .help("call `/bin/sh -c '…'`, or write one `ExecStartPre=` for each step");
            }
        }
    }
}

fn has_shell(line: &str) -> bool {
    line.contains(" -c ") || line.contains(" -lc ") || line.contains(" -ec ")
}

/// `env_file` of pm2's ecosystem file.
pub(super) fn process_manager(facts: &Facts, findings: &mut Findings<'_>) {
    for (id, file) in facts.files.iter() {
        if !file.name().starts_with("ecosystem.config.") {
            continue;
        }
        let key = file.text().match_indices("env_file").map(|(at, _)| at).find(|at| {
            let line = file.line_text(file.line_of(to_u32(*at)));
            !line.trim_start().starts_with("//") && line.contains(':')
        });
        if let Some(at) = key {
            findings
                .add(place(id, at, "env_file".len()), "pm2 reads no file that `env_file` names")
                .label("taken for the environment of a mode called `file`")
                .note("the program starts without the variables of that file")
                .help("start it with `node --env-file=.env`, or load the file in the program by its absolute path");
        }
    }
}

/// cloud-init user-data without its first line.
pub(super) fn user_data(facts: &Facts, findings: &mut Findings<'_>) {
    for id in facts.trees.of_kind(Kind::CloudInit) {
        let file = facts.files.get(id);
        let text = file.text();
        let is_config = text.lines().any(|line| {
            ["runcmd:", "packages:", "users:", "write_files:", "bootcmd:"]
                .iter()
                .any(|key| line.starts_with(key))
        });
        let has_header = text.lines().next().is_some_and(|line| {
            line.starts_with("#cloud-config")
                || line.starts_with("## template:")
                || line.starts_with("#include")
        });
        if is_config && !has_header && file.path().extension() != Some("j2") {
            findings
                .add(
                    place(id, 0, text.lines().next().map_or(0, str::len)),
                    "the first line is not `#cloud-config`",
                )
                .label("cloud-init does not know what this is and ignores all of it")
                .help("begin the file with `#cloud-config`, with nothing in front");
        }
    }
}

/// Files of environment variables that are written like YAML, which only Compose reads.
pub(super) fn environment_files(facts: &Facts, findings: &mut Findings<'_>) {
    let mut found: Vec<Place> = Vec::new();
    for id in facts.trees.of_kind(Kind::Dotenv) {
        let text = facts.files.get(id).text();
        let mut at = 0;
        let mut first = None;
        let mut assigned = false;
        for line in text.split_inclusive('\n') {
            let name = line.split([':', '=']).next().unwrap_or_default();
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let rest = line.get(name.len()..).unwrap_or_default();
            if is_name && rest.starts_with(": ") {
                first = first.or(Some(place(id, at, line.trim_end().len())));
            } else if is_name && rest.starts_with('=') {
                assigned = true;
            }
            at += line.len();
        }
        found.extend(first.filter(|_| !assigned));
    }
    let mut rest = found.into_iter();
    let Some(first) = rest.next() else { return };
    let finding = findings.add(first, "this file of environment variables is written like YAML");
    for place in rest {
        finding.related(place, "this one, too");
    }
    finding
        .severity(Severity::Medium)
        .label("`KEY: value`, where every reader but Compose wants `KEY=value`")
        .note("shells, systemd and `docker run --env-file` refuse or misread it")
        .help("write `KEY=value`, one a line");
}

fn place(file: FileId, at: usize, length: usize) -> Place {
    Place::new(file, Span::new(to_u32(at), to_u32(at + length)))
}

fn to_u32(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
