//! `plimsoll doctor`

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use clap::Args;
use plimsoll_config::{Address, Guest, Proxmox, Target};
use plimsoll_deploy::Depth;
use plimsoll_doctor::checks::{self, Access, Echo, GuestSeen, Inside, NotAsked};
use plimsoll_doctor::{Check, Names, Outcome as Found, Report, Seen, certificate, look};
use plimsoll_pve::api::{GetGuests, GuestKind, GuestStatus, Power};
use plimsoll_pve::{Fingerprint, Trust, Vmid};
use tokio::io::AsyncReadExt as _;

use super::node::{AUTHORITY, FINGERPRINT, Node, TOKEN};
use super::provision::Site;
use super::schedule::Jobs;
use super::settings::Settings;
use super::target::{Format, TargetArgs, runtime};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::process::about;
use crate::ui::Ui;

/// Check what a deploy needs: the node, the token's privileges, the guest, this machine
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is changed, on the node, in the guest or here. What is missing is printed with the commands that mend it.

Examples:
  plimsoll doctor
  plimsoll doctor --target lab --format json

Exit code 1 when a check failed.")]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Directory of the checkout
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    directory: Utf8PathBuf,
    /// Major release of the node, where it cannot be asked yet: commands for users and roles differ
    #[arg(long, value_name = "8|9", default_value_t = 9, value_parser = clap::value_parser!(u16).range(8..=9))]
    pve: u16,
}

pub(crate) fn run(ui: &Ui, args: &DoctorArgs) -> Result<Outcome, Failure> {
    let settings = Settings::read(&args.directory, args.target.target.as_deref())?;
    let Some(settings) = settings else {
        return Err(Failure::from(FailureKind::Target(format!(
            "there is no `{}` in `{}`",
            plimsoll_config::FILE_NAME,
            args.directory
        )))
        .hint("`plimsoll init` writes one"));
    };
    let patience = ui.patience("asking the node and the guest");
    let report = examine(args, &settings)?;
    drop(patience);
    match args.target.format {
        Format::Json => ui.print(&format!("{}\n", report.json()))?,
        Format::Text => ui.print(&report.text(&paint))?,
    }
    Ok(if report.has_failed() { Outcome::Findings } else { Outcome::Clean })
}

fn paint(outcome: Found, word: &str) -> String {
    let style = match outcome {
        Found::Fine => anstyle::AnsiColor::Green.on_default(),
        Found::Warning => anstyle::AnsiColor::Yellow.on_default(),
        Found::Failed => anstyle::AnsiColor::BrightRed.on_default().bold(),
        Found::Unknown => anstyle::AnsiColor::Cyan.on_default(),
    };
    format!("{style}{word}{style:#}")
}

fn examine(args: &DoctorArgs, settings: &Settings) -> Result<Report, Failure> {
    let target = settings.target();
    let mut checks = Vec::new();
    let mut seen = None;
    let mut guest = None;
    if let Some(proxmox) = &target.proxmox {
        let access = access(proxmox, settings, args.pve);
        let node = Node::of(settings);
        let runtime = runtime()?;
        match &node {
            Ok(node) => match runtime.block_on(look(&node.client, target)) {
                Ok(answers) => {
                    checks.extend(checks::node(&access, target, &answers));
                    guest = Some(match Site::look(settings, args.target.identity.as_deref()) {
                        Ok(Some(site)) => of_site(&site),
                        Ok(None) => runtime.block_on(find(node, settings)),
                        Err(failure) => Err(words(&failure)),
                    });
                    seen = Some(answers);
                }
                Err(error) => {
                    let shown = runtime.block_on(certificate(&access.host, &trust(&access)?)).ok();
                    checks.extend(checks::not_asked(&access, target, NotAsked::Error(&error, shown)));
                }
            },
            Err(failure) => {
                let shown = runtime.block_on(certificate(&access.host, &trust(&access)?));
                let token = match &access.token {
                    Some(_) => complaint("token", failure),
                    None => Check::failed("token", format!("`{TOKEN}` is not set")).fix(format!(
                        "set it to `{}!{}=` and the secret that the commands below print",
                        access.names.user, access.names.token
                    )),
                };
                let why = NotAsked::Token(token, shown.as_ref().copied());
                checks.extend(checks::not_asked(&access, target, why));
            }
        }
    }
    let there = matches!(&guest, Some(Ok(Some(_))));
    checks.extend(checks::address(target, seen.as_ref(), there, echo(target, seen.as_ref(), there)?));
    let lacks = checks.iter().any(|check| check.name == "privileges" && check.outcome == Found::Failed);
    checks.extend(guest.as_ref().map(|guest| match guest {
        // What a token may not see looks as if it were not there.
        Err(_) if lacks => Check::unknown("guest", "the token may not see enough to tell"),
        guest => checks::guest(guest),
    }));
    let vmid = guest.as_ref().and_then(|guest| guest.as_ref().ok()?.as_ref()).map(|guest| Vmid(guest.vmid));
    checks.extend(schedule(args, settings, seen.as_ref(), vmid));
    checks.extend(inside(args, settings, guest.and_then(Result::ok).flatten())?);
    let ssh = about("ssh", &["-V"]);
    let ssh = ssh.as_deref().map(|line| line.split([',', ' ']).next().unwrap_or(line));
    let docker = about("docker", &["version", "--format", "{{.Server.Version}}"]);
    let engine = docker.map(|version| format!("Docker Engine {version}")).or_else(|| {
        let podman = about("podman", &["version", "--format", "{{.Client.Version}}"]);
        podman.map(|version| format!("Podman {version}"))
    });
    checks.push(checks::tools(ssh, engine.as_deref(), !settings.builds_in_guest()));
    Ok(Report { app: settings.app().to_owned(), target: target.name.clone(), checks })
}

/// The backup job of the node, where one is asked for.
fn schedule(
    args: &DoctorArgs,
    settings: &Settings,
    seen: Option<&Seen>,
    vmid: Option<Vmid>,
) -> Option<Check> {
    settings.target().backup.as_ref()?.schedule.as_ref()?;
    let proxmox = settings.target().proxmox.as_ref()?;
    let Some(seen) = seen else { return Some(Check::unknown("schedule", "the node was not asked")) };
    let jobs = Node::of(settings).and_then(|node| Jobs::of(settings, node.client));
    match jobs {
        Ok(jobs) => {
            let (job, by_hand) = jobs.seen(vmid);
            checks::schedule(&access(proxmox, settings, args.pve), seen, &job, by_hand)
        }
        Err(failure) => Some(Check::unknown("schedule", failure.chain())),
    }
}

/// A failure as a check: what went wrong, and the first thing to do.
fn complaint(name: &'static str, failure: &Failure) -> Check {
    let check = Check::failed(name, failure.chain());
    match failure.hints.first() {
        Some(hint) => check.fix(hint.clone()),
        None => check,
    }
}

fn access(proxmox: &Proxmox, settings: &Settings, major: u16) -> Access {
    let pinned = variable(FINGERPRINT).or_else(|| proxmox.fingerprint.clone());
    // The part before the last `=` is no secret.
    let token = variable(TOKEN).and_then(|text| text.rsplit_once('=').map(|(id, _)| id.to_owned()));
    let names = Names::new(settings.app(), &settings.target().name);
    Access {
        host: proxmox.url.trim_start_matches("https://").trim_end_matches('/').to_owned(),
        pinned: pinned.and_then(|text| text.parse::<Fingerprint>().ok()),
        authority: variable(AUTHORITY).is_some(),
        names: token.iter().fold(names, |names, token| names.with_token(token)),
        token,
        major,
        now: now(),
    }
}

/// Whom the node's certificate must convince.
fn trust(access: &Access) -> Result<Trust, Failure> {
    Ok(match (access.pinned, variable(AUTHORITY)) {
        (Some(pinned), _) => Trust::Pinned(pinned),
        (None, Some(path)) => Trust::Authority(super::node::read(path)?),
        (None, None) => Trust::System,
    })
}

/// Whether somebody is at a fixed address where no guest of ours is.
fn echo(target: &Target, seen: Option<&Seen>, there: bool) -> Result<Echo, Failure> {
    let (Guest::Vm(new) | Guest::Lxc(new) | Guest::Oci(new)) = &target.guest else {
        return Ok(Echo::NotTried);
    };
    match new.network.address {
        Address::Fixed { ip, .. } if seen.is_some() && !there => Ok(runtime()?.block_on(knock(ip))),
        _ => Ok(Echo::NotTried),
    }
}

async fn knock(ip: IpAddr) -> Echo {
    let greeting = async {
        let mut stream = tokio::net::TcpStream::connect(SocketAddr::new(ip, 22)).await?;
        let mut start = [0; 4];
        stream.read_exact(&mut start).await.map(|_| start)
    };
    let connect = tokio::net::TcpStream::connect(SocketAddr::new(ip, 22));
    match tokio::time::timeout(Duration::from_millis(1500), greeting).await {
        Ok(Ok(start)) if &start == b"SSH-" => return Echo::Somebody,
        // A firewall on the way answers like a host that has no SSH.
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => return Echo::Something,
        Ok(Err(_)) => return Echo::Nobody,
        _ => {}
    }
    match tokio::time::timeout(Duration::from_millis(500), connect).await {
        Ok(Ok(_)) => Echo::Something,
        _ => Echo::Nobody,
    }
}

/// What the guest says over SSH, where there is one that runs.
fn inside(args: &DoctorArgs, settings: &Settings, guest: Option<GuestSeen>) -> Result<Vec<Check>, Failure> {
    let adopted = matches!(settings.target().guest, Guest::Adopt(_));
    if !adopted && args.target.guest.is_none() && !guest.as_ref().is_some_and(|guest| guest.running) {
        return Ok(Vec::new());
    }
    let mut target = args.target.clone();
    if target.guest.is_none() {
        let login = guest.and_then(|guest| guest.login).map(|(guest, key)| (guest, Some(key)));
        match login.map_or_else(|| settings.guest(), Ok) {
            Ok((guest, key)) => {
                target.guest = Some(guest);
                target.host_key = target.host_key.or(key);
            }
            Err(failure) => return Ok(vec![complaint("ssh", &failure)]),
        }
    }
    let shown = target.guest.clone().unwrap_or_default();
    if target.host_key.is_none() {
        return Ok(vec![runtime()?.block_on(unpinned(&shown))]);
    }
    let app = target.app.clone().unwrap_or_else(|| settings.app().to_owned());
    let session = match target.open(&app, Arc::new(|_| ())) {
        Ok(session) => session,
        Err(failure) => return Ok(vec![complaint("ssh", &failure)]),
    };
    let mut checks = vec![checks::ssh(&shown, &Ok(()))];
    match session.runtime.block_on(session.runner.guest.observe(Depth::Now)) {
        Ok(state) => {
            let inside = Inside { engine: state.engine, compose: state.compose, free: state.free };
            checks.extend(checks::engine(&inside, adopted));
        }
        Err(error) => checks.push(Check::failed("engine", error.to_string())),
    }
    Ok(checks)
}

fn words(failure: &Failure) -> (String, Option<String>) {
    (failure.chain(), failure.hints.first().cloned())
}

/// The guest that a deploy found, or why it would not go on.
fn of_site(site: &Site) -> Result<Option<GuestSeen>, (String, Option<String>)> {
    site.outline().map_err(|failure| words(&failure))?;
    Ok(site.found.as_ref().map(|found| GuestSeen {
        vmid: found.vmid.0,
        kind: if found.kind == GuestKind::Lxc { "container" } else { "virtual machine" },
        running: found.power == Power::Running,
        lock: found.config.lock().map(ToOwned::to_owned),
        login: site.login(),
    }))
}

/// The guest of the target as the node lists it: by its number, else by its name.
async fn find(node: &Node, settings: &Settings) -> Result<Option<GuestSeen>, (String, Option<String>)> {
    let target = settings.target();
    let (id, name) = match &target.guest {
        Guest::Vm(new) | Guest::Lxc(new) | Guest::Oci(new) => (new.id, new.name.clone()),
        Guest::Adopt(adopted) => (adopted.id, None),
    };
    let name = name.unwrap_or_else(|| format!("{}-{}", settings.app(), target.name).replace('_', "-"));
    for (kind, noun) in [(GuestKind::Lxc, "container"), (GuestKind::Qemu, "virtual machine")] {
        let request = GetGuests { node: node.name.clone(), kind };
        let guests = node.client.read(&request, 3).await.map_err(|error| (error.to_string(), None))?;
        let ours = |one: &&GuestStatus| match id {
            Some(id) => one.vmid.0 == id,
            None => one.name.as_deref() == Some(name.as_str()),
        };
        if let Some(one) = guests.iter().find(ours) {
            return Ok(Some(GuestSeen {
                vmid: one.vmid.0,
                kind: noun,
                running: one.status == Power::Running,
                lock: one.lock.clone(),
                login: None,
            }));
        }
    }
    Ok(None)
}

/// A guest whose host key nobody wrote down: what it shows, to be compared.
async fn unpinned(guest: &str) -> Check {
    let rest = guest.rsplit_once('@').map_or(guest, |(_, rest)| rest);
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (host, port.parse().ok()),
        _ => (rest, None),
    };
    let host = host.trim_matches(['[', ']']);
    match plimsoll_remote::scan(host, port).await {
        Ok(keys) => {
            let best = keys.iter().max_by_key(|key| key.to_string().starts_with("ssh-ed25519"));
            let lines =
                best.map(|key| vec![format!("host_key: \"{key}\""), format!("# {}", key.fingerprint())]);
            Check::failed("ssh", format!("nothing says which host key {host} must show"))
                .fix("compare on the guest, `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`, then write this below `guest`:")
                .commands(lines.unwrap_or_default())
        }
        Err(error) => Check::failed("ssh", error.to_string())
            .fix("check the address, and that SSH runs there and is let in"),
    }
}

#[expect(clippy::disallowed_methods, reason = "the command line is the place that reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[expect(clippy::disallowed_methods, reason = "the node's clock is held against this machine's")]
fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
