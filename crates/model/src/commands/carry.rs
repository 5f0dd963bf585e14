//! Commands that carry other commands: to another machine, into another shell, or just along.

use super::{Arg, HopKind, Value};

/// What a command carries.
#[derive(Debug)]
pub(super) struct Carried {
    pub(super) hop: HopKind,
    pub(super) cargo: Cargo,
}

/// How the carried command is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cargo {
    /// Arguments from here on are a command of their own (`pct exec 100 -- ls -l`).
    Words(usize),
    /// Arguments from here on are joined and read by a shell (`ssh host ls -l`).
    Joined(usize),
    /// One argument is shell text (`bash -c '…'`).
    Text(usize),
    /// Shell text comes on standard input.
    Stdin,
}

/// What a program with these arguments carries, if anything.
pub(super) fn carried(program: &str, args: &[Arg]) -> Option<Carried> {
    let text = |index: usize| args.get(index).map(|arg| arg.value.text.as_str());
    let value = |index: usize| args.get(index).map(|arg| arg.value.clone()).unwrap_or_default();
    let some = |hop, cargo| Some(Carried { hop, cargo });
    match program {
        "ssh" | "autossh" | "mosh" => {
            let host = operand(args, 0, SSH_VALUES)?;
            let mut target = value(host);
            if let Some(user) = login_option(args, host)
                && !target.text.contains('@')
            {
                target.text = format!("{user}@{}", target.text);
            }
            let hop = HopKind::Ssh { target, password: false };
            let mut first = host + 1;
            while text(first).is_some_and(|t| t.starts_with('-') && t != "--" && args.len() > first + 1) {
                first += 1 + usize::from(text(first).is_some_and(|t| SSH_VALUES.contains(&t)));
            }
            if text(first) == Some("--") {
                first += 1;
            }
            some(hop, if first < args.len() { Cargo::Joined(first) } else { Cargo::Stdin })
        }
        // What `programs::python` writes for a command sent over a connection.
        "paramiko" if text(0) == Some("exec") => {
            some(HopKind::Ssh { target: value(1), password: false }, Cargo::Joined(2))
        }
        "plink" | "plink.exe" => {
            let host = operand(args, 0, PLINK_VALUES)?;
            let hop = HopKind::Ssh { target: value(host), password: false };
            (host + 1 < args.len()).then_some(Carried { hop, cargo: Cargo::Joined(host + 1) })
        }
        // A variable that nothing sets vanishes, or stands for `sudo` or a silencing wrapper.
        variable
            if is_unset(variable) && args.first().is_some_and(|arg| is_system_program(&arg.value.text)) =>
        {
            some(HopKind::Wrapper, Cargo::Words(0))
        }
        "pct" => match text(operand(args, 0, &[])?)? {
            "exec" => {
                let id = operand(args, 1, &[])?;
                let first = after_dashes(args, id + 1);
                let hop = HopKind::Lxc { guest: value(id) };
                (first < args.len()).then_some(Carried { hop, cargo: Cargo::Words(first) })
            }
            "enter" | "console" => {
                let id = operand(args, 1, &[])?;
                some(HopKind::Lxc { guest: value(id) }, Cargo::Stdin)
            }
            _ => None,
        },
        "lxc-attach" => {
            let named = args.iter().position(|arg| matches!(arg.value.text.as_str(), "-n" | "--name"));
            let id = named.map_or_else(|| operand(args, 0, &[]), |at| Some(at + 1))?;
            let hop = HopKind::Lxc { guest: value(id) };
            let first = after_dashes(args, id + 1);
            some(hop, if first < args.len() { Cargo::Words(first) } else { Cargo::Stdin })
        }
        "lxc" | "incus" if text(0) == Some("exec") => {
            let first = after_dashes(args, 2);
            (first < args.len())
                .then_some(Carried { hop: HopKind::Lxc { guest: value(1) }, cargo: Cargo::Words(first) })
        }
        "qm" if text(0) == Some("guest") && text(1) == Some("exec") => {
            let id = operand(args, 2, &["--timeout"])?;
            let first = after_dashes(args, id + 1);
            let hop = HopKind::GuestAgent { guest: value(id) };
            (first < args.len()).then_some(Carried { hop, cargo: Cargo::Words(first) })
        }
        "docker" | "podman" | "nerdctl" | "docker-compose" | "podman-compose" => container(program, args),
        "kubectl" if text(0) == Some("exec") => {
            let first = args.iter().position(|arg| arg.value.text == "--")? + 1;
            some(HopKind::Container { name: value(1) }, Cargo::Words(first))
        }
        "bash" | "sh" | "dash" | "ash" | "zsh" | "ksh" => {
            for (index, arg) in args.iter().enumerate() {
                let t = arg.value.text.as_str();
                if !t.starts_with('-') && !t.starts_with('+') {
                    return None;
                }
                if t.starts_with('-') && !t.starts_with("--") && t.contains('c') {
                    return (index + 1 < args.len())
                        .then_some(Carried { hop: HopKind::Shell, cargo: Cargo::Text(index + 1) });
                }
                if t == "-s" || t == "-" || t == "--" {
                    return some(HopKind::Shell, Cargo::Stdin);
                }
            }
            some(HopKind::Shell, Cargo::Stdin)
        }
        "eval" => (!args.is_empty()).then_some(Carried { hop: HopKind::Shell, cargo: Cargo::Joined(0) }),
        "trap" => (args.len() > 1 && text(0).is_some_and(|t| !t.is_empty() && !t.starts_with('-')))
            .then_some(Carried { hop: HopKind::Shell, cargo: Cargo::Text(0) }),
        "su" => {
            let at =
                args.iter().position(|arg| matches!(arg.value.text.as_str(), "-c" | "--command" | "-lc"))?;
            (at + 1 < args.len()).then_some(Carried { hop: HopKind::Root, cargo: Cargo::Text(at + 1) })
        }
        "sudo" | "doas" => {
            let first = wrapped(args, &["-u", "-g", "-h", "-p", "-C", "-T", "-r", "-t", "-D", "-R", "-U"])?;
            some(HopKind::Root, Cargo::Words(first))
        }
        "sshpass" => some(HopKind::Wrapper, Cargo::Words(wrapped(args, &["-p", "-f", "-d", "-P"])?)),
        "env" => some(HopKind::Wrapper, Cargo::Words(wrapped(args, &["-u", "-C", "-S"])?)),
        "timeout" => {
            let limit = operand(args, 0, &["-k", "--kill-after", "-s", "--signal"])?;
            (limit + 1 < args.len())
                .then_some(Carried { hop: HopKind::Wrapper, cargo: Cargo::Words(limit + 1) })
        }
        "nice" | "ionice" | "chrt" => {
            some(HopKind::Wrapper, Cargo::Words(wrapped(args, &["-n", "-c", "-p"])?))
        }
        // `command -v` only asks where a program is.
        "command" if args.iter().any(|arg| matches!(arg.value.text.as_str(), "-v" | "-V")) => None,
        "nohup" | "setsid" | "time" | "exec" | "command" | "builtin" | "stdbuf" | "unbuffer" | "retry"
        | "if" | "then" | "do" => {
            some(HopKind::Wrapper, Cargo::Words(wrapped(args, &["-o", "-e", "-i", "-a"])?))
        }
        "xargs" => {
            let first = wrapped(args, &["-I", "-n", "-P", "-L", "-d", "-a", "-s", "-E"])?;
            some(HopKind::Wrapper, Cargo::Words(first))
        }
        "watch" => some(HopKind::Shell, Cargo::Joined(wrapped(args, &["-n", "--interval"])?)),
        "flock" => {
            if let Some(at) =
                args.iter().position(|arg| matches!(arg.value.text.as_str(), "-c" | "--command"))
            {
                return (at + 1 < args.len())
                    .then_some(Carried { hop: HopKind::Shell, cargo: Cargo::Text(at + 1) });
            }
            let file = operand(args, 0, &["-w", "--timeout", "-E"])?;
            (file + 1 < args.len())
                .then_some(Carried { hop: HopKind::Wrapper, cargo: Cargo::Words(file + 1) })
        }
        "chroot" | "arch-chroot" => {
            let root = operand(args, 0, &[])?;
            (root + 1 < args.len())
                .then_some(Carried { hop: HopKind::Wrapper, cargo: Cargo::Words(root + 1) })
        }
        _ => None,
    }
}

/// Options of PuTTY's plink and pscp that take a value.
const PLINK_VALUES: &[&str] = &[
    "-pw",
    "-pwfile",
    "-i",
    "-P",
    "-l",
    "-hostkey",
    "-load",
    "-m",
    "-D",
    "-L",
    "-R",
    "-sshlog",
    "-proxycmd",
];

fn is_unset(program: &str) -> bool {
    program
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(|name| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') && !name.is_empty())
}

fn is_system_program(text: &str) -> bool {
    matches!(
        text,
        "apt"
            | "apt-get"
            | "apk"
            | "dnf"
            | "yum"
            | "dpkg"
            | "docker"
            | "docker-compose"
            | "systemctl"
            | "service"
            | "bash"
            | "sh"
            | "curl"
            | "wget"
            | "git"
            | "rm"
            | "cp"
            | "mv"
            | "mkdir"
            | "chmod"
            | "chown"
            | "tee"
            | "sed"
            | "passwd"
            | "useradd"
            | "usermod"
            | "adduser"
            | "npm"
            | "node"
            | "pip"
            | "pip3"
            | "python3"
            | "tar"
            | "pct"
            | "qm"
            | "hostname"
            | "ssh"
            | "scp"
            | "rsync"
            | "install"
            | "ufw"
            | "reboot"
            | "shutdown"
    )
}

const SSH_VALUES: &[&str] = &[
    "-B", "-b", "-c", "-D", "-E", "-e", "-F", "-I", "-i", "-J", "-L", "-l", "-m", "-O", "-o", "-p", "-Q",
    "-R", "-S", "-W", "-w",
];

fn login_option(args: &[Arg], before: usize) -> Option<&str> {
    let at = args.get(..before)?.iter().position(|arg| arg.value.text == "-l")?;
    args.get(at + 1).map(|arg| arg.value.text.as_str())
}

/// Index of the n-th argument that is neither an option nor an option's value.
fn operand(args: &[Arg], wanted: usize, with_value: &[&str]) -> Option<usize> {
    let mut seen = 0;
    let mut index = 0;
    while let Some(arg) = args.get(index) {
        let text = arg.value.text.as_str();
        if text.len() > 1 && text.starts_with('-') {
            index += 1 + usize::from(with_value.contains(&text));
            continue;
        }
        if seen == wanted {
            return Some(index);
        }
        seen += 1;
        index += 1;
    }
    None
}

fn after_dashes(args: &[Arg], mut index: usize) -> usize {
    while let Some(arg) = args.get(index) {
        match arg.value.text.as_str() {
            "--" => return index + 1,
            text if text.starts_with("--") => index += 1,
            _ => break,
        }
    }
    index
}

/// Index of the program behind a wrapper's own options and assignments.
fn wrapped(args: &[Arg], with_value: &[&str]) -> Option<usize> {
    let mut index = 0;
    while let Some(arg) = args.get(index) {
        let text = arg.value.text.as_str();
        if text == "--" {
            index += 1;
            break;
        }
        if text.starts_with('-') && text.len() > 1 {
            index += 1 + usize::from(with_value.contains(&text));
        } else if is_assignment(text) {
            index += 1;
        } else {
            break;
        }
    }
    (index < args.len()).then_some(index)
}

fn is_assignment(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

const COMPOSE_VALUES: &[&str] = &[
    "-f",
    "--file",
    "-p",
    "--project-name",
    "--project-directory",
    "--env-file",
    "--profile",
    "--ansi",
    "--progress",
    "--parallel",
];
const RUN_VALUES: &[&str] = &[
    "-e",
    "--env",
    "--env-file",
    "-u",
    "--user",
    "-w",
    "--workdir",
    "--name",
    "-v",
    "--volume",
    "--network",
    "--net",
    "--mount",
    "-p",
    "--publish",
    "--entrypoint",
    "--platform",
    "-l",
    "--label",
    "--index",
    "-m",
    "--memory",
    "--cpus",
    "-h",
    "--hostname",
    "--add-host",
    "--cap-add",
    "--cap-drop",
    "--device",
    "--security-opt",
    "--restart",
    "--log-driver",
    "--log-opt",
    "--tmpfs",
    "--ulimit",
    "--pids-limit",
    "--ip",
    "--dns",
    "--volumes-from",
    "--gpus",
    "--shm-size",
    "--pid",
    "--ipc",
    "--userns",
    "--cidfile",
    "--health-cmd",
    "--detach-keys",
    "--pull",
];

fn container(program: &str, args: &[Arg]) -> Option<Carried> {
    let text = |index: usize| args.get(index).map(|arg| arg.value.text.as_str());
    let is_compose = program.ends_with("-compose");
    let mut index = 0;
    let skip_options = |with_value: &[&str], index: &mut usize| {
        while text(*index).is_some_and(|t| t.starts_with('-') && t.len() > 1) {
            *index += 1 + usize::from(text(*index).is_some_and(|t| with_value.contains(&t)));
        }
    };
    let global = ["-H", "--host", "-c", "--context", "--config", "-l", "--log-level"];
    skip_options(if is_compose { COMPOSE_VALUES } else { &global }, &mut index);
    if !is_compose && text(index) == Some("compose") {
        index += 1;
        skip_options(COMPOSE_VALUES, &mut index);
    } else if !is_compose && text(index) == Some("container") {
        index += 1;
    }
    if !matches!(text(index), Some("exec" | "run")) {
        return None;
    }
    index += 1;
    skip_options(RUN_VALUES, &mut index);
    let name = args.get(index).map(|arg| arg.value.clone()).unwrap_or_else(|| Value::literal(""));
    let hop = HopKind::Container { name };
    (index + 1 < args.len()).then_some(Carried { hop, cargo: Cargo::Words(index + 1) })
}
