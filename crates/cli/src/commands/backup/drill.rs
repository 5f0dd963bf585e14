//! `plimsoll backup drill`

use std::time::{Duration, Instant};

use clap::Args;
use plimsoll_backup::{
    BackupError, Drill, Machine, Overwrite, Stored, age, leftovers, of_archive, rehearse, shown,
};
use plimsoll_pve::api::{AgentExec, AgentExecStatus, GuestKind};
use serde_json::json;

use super::super::held::{Held, failure, now};
use super::super::target::{Format, who};
use super::{Common, choose};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::figures::{bytes, seconds};
use crate::ui::Ui;

/// Prove that a backup brings the app back, on a guest of its own that is taken away afterwards
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll backup drill --address 192.168.1.99/24
  plimsoll backup drill 2026_11_23

With `--address` the restored guest is reached over SSH with the pinned host key, and every service and check is asked as
after a deploy. It has no gateway unless one is given, so it reaches nothing outside of its own network. Without an
address its cable is unplugged, and only the node is asked: whether it boots, and what its agent says.")]
pub(crate) struct DrillArgs {
    /// Which one: a part of its name [default: the newest]
    #[arg(value_name = "BACKUP")]
    backup: Option<String>,
    #[command(flatten)]
    common: Common,
    /// A free address for the restored guest, with its length
    #[arg(long, value_name = "ADDRESS/LENGTH")]
    address: Option<String>,
    /// The restored guest's way out, where this machine is in another network
    #[arg(long, value_name = "ADDRESS", requires = "address")]
    gateway: Option<String>,
    /// Storage of the disks [default: the one in the backup]
    #[arg(long, value_name = "NAME")]
    storage: Option<String>,
}

/// What a drill found.
pub(crate) struct Findings {
    /// From nothing to a guest that runs.
    pub(crate) boot: Duration,
    /// From nothing to an app that is healthy, where it could be asked.
    pub(crate) serves: Option<(u64, Duration)>,
    /// What was asked and what was not.
    pub(crate) said: String,
}

pub(crate) fn run(ui: &Ui, args: &DrillArgs) -> Result<Outcome, Failure> {
    let held = args.common.open()?;
    let shelf = held.shelf()?;
    let vmid = held.look()?.map(|machine| machine.vmid);
    let all = shelf.list(vmid, held.app(), held.target_name());
    let all = held.runtime.block_on(all).map_err(failure)?;
    let stored = choose(&held, all, args.backup.as_deref())?;
    let address = (args.address.as_deref(), args.gateway.as_deref());
    let findings = try_it(ui, &held, &stored, address, args.storage.clone())?;
    let old = now().saturating_sub(stored.at);
    let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    if args.common.target.format == Format::Json {
        let found = json!({
            "backup": stored.volume, "age_seconds": old, "bytes": stored.bytes, "boot_ms": ms(findings.boot),
            "release": findings.serves.map(|(release, _)| release),
            "recovery_ms": findings.serves.map(|(_, time)| ms(time)), "said": findings.said,
        });
        ui.print(&format!("{found}\n"))?;
        return Ok(Outcome::Clean);
    }
    let recovery = findings.serves.map_or_else(String::new, |(release, time)| {
        format!("recovery    {}: release {release} serves, healthy\n", seconds(ms(time)))
    });
    ui.print(&format!(
        "backup      {} ({})\nage         {}: made {}\nboot        {} from nothing\n{recovery}seen        {}\n",
        stored.volume,
        bytes(stored.bytes),
        age(old),
        shown(stored.at),
        seconds(ms(findings.boot)),
        findings.said
    ))?;
    Ok(Outcome::Clean)
}

/// Tries a backup. Guests that drills of a killed client left are taken away first.
pub(crate) fn try_it(
    ui: &Ui,
    held: &Held,
    stored: &Stored,
    (address, gateway): (Option<&str>, Option<&str>),
    storage: Option<String>,
) -> Result<Findings, Failure> {
    let Some((kind, _)) = of_archive(&stored.volume) else {
        return Err(FailureKind::Target(format!("`{}` is no backup of a guest", stored.volume)).into());
    };
    let (cidr, host) = match address {
        None => (None, None),
        Some(cidr) => match cidr.split_once('/') {
            Some((host, length))
                if host.parse::<std::net::IpAddr>().is_ok() && length.parse::<u8>().is_ok() =>
            {
                (Some(cidr.to_owned()), Some(host.to_owned()))
            }
            _ => {
                let text = format!("`{cidr}` is no address with its length, such as 192.168.1.99/24");
                return Err(FailureKind::Target(text).into());
            }
        },
    };
    if kind == GuestKind::Qemu && cidr.is_some() {
        let text = "a virtual machine gets no other address for a drill so far";
        return Err(Failure::from(FailureKind::Target(text.to_owned()))
            .hint("leave `--address` out: its agent is asked instead"));
    }
    let format = held.target.format;
    let say = |text: &str| {
        if format == Format::Text {
            ui.status(text);
        }
    };
    sweep(ui, held, &say)?;
    let drill = Drill {
        stored: stored.clone(),
        kind,
        over: Overwrite { storage, pool: held.pool.clone() },
        address: cidr,
        gateway: gateway.map(ToOwned::to_owned),
        who: who(),
    };
    say(&format!("restoring {} beside the guest", stored.volume));
    let begun = Instant::now();
    let shelf = held.shelf()?;
    let work = rehearse(&shelf, &drill, &held.line, |machine| {
        let host = host.clone();
        async move { Ok(look(held, &machine, host.as_deref(), begun).await) }
    });
    let patience = ui.patience("restoring and booting");
    let result = held.runtime.block_on(async {
        tokio::select! {
            done = work => Some(done),
            _ = tokio::signal::ctrl_c() => None,
        }
    });
    drop(patience);
    match result {
        Some(done) => {
            let (boot, found) = done.map_err(failure)?;
            let (serves, said) = found?;
            Ok(Findings { boot, serves, said })
        }
        None => {
            say("taking away what was restored");
            let left = leftovers(&held.client, &held.node, &drill.who, &held.line, |process| {
                process != std::process::id()
            });
            for machine in held.runtime.block_on(left).map_err(failure)? {
                held.runtime.block_on(machine.destroy()).map_err(failure)?;
            }
            Err(FailureKind::Kept("the drill was stopped".to_owned()).into())
        }
    }
}

type Looked = Result<(Option<(u64, Duration)>, String), Failure>;

/// What can be told of a restored guest that runs.
async fn look(held: &Held, machine: &Machine, host: Option<&str>, begun: Instant) -> Looked {
    let limit = held.settings.target().deadline + Duration::from_secs(120);
    let Some(host) = host else {
        return match machine.kind {
            GuestKind::Qemu => agent(held, machine).await.map(|said| (None, said)),
            GuestKind::Lxc => {
                Ok((None, "it boots; nothing inside could be asked without `--address`".to_owned()))
            }
        };
    };
    // Connections have a runtime of their own, which must not be driven from inside of this one.
    tokio::task::block_in_place(|| {
        let (session, _) = held.session(Some(host), limit)?;
        let release = held.healthy(&session, host, limit);
        let result = release.map(|release| match release {
            Some(release) => {
                let services = release.services.len();
                let said = format!("{services} services are healthy, and checks that ask the guest hold");
                (Some((release.number, begun.elapsed())), said)
            }
            None => (None, "it boots and SSH answers; no release had been deployed then".to_owned()),
        });
        session.runtime.shutdown_background();
        result
    })
}

/// Asks the agent of a machine for the containers of the app.
async fn agent(held: &Held, machine: &Machine) -> Result<String, Failure> {
    let filter = format!("label=com.docker.compose.project={}", held.app());
    let format = "{{.Label \"com.docker.compose.service\"}} {{.State}} {{.Status}}";
    let words = ["docker", "ps", "--all", "--filter", &filter, "--format", format];
    let exec = AgentExec {
        node: machine.node.clone(),
        vmid: machine.vmid,
        command: words.map(ToOwned::to_owned).to_vec(),
        input_data: None,
    };
    let begun = Instant::now();
    loop {
        let process = match held.client.call(&exec).await {
            Ok(process) => process,
            Err(error) => {
                return Ok(format!("its agent answers; it may not be asked for containers: {error}"));
            }
        };
        let (node, vmid) = (machine.node.clone(), machine.vmid);
        let status = AgentExecStatus { node, vmid, pid: process.pid };
        let out = loop {
            match held.client.read(&status, 3).await {
                Ok(status) if status.exited => break status.stdout.unwrap_or_default(),
                Ok(_) if begun.elapsed() < Duration::from_secs(60) => {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
                Ok(_) => break String::new(),
                Err(error) => return Err(failure(BackupError::Api(error))),
            }
        };
        let lines: Vec<&str> = out.lines().filter(|line| !line.trim().is_empty()).collect();
        let is_well = |line: &&&str| {
            line.contains(" running ") && !line.contains("starting)") && !line.contains("(unhealthy)")
        };
        let well = lines.iter().filter(is_well).count();
        if !lines.is_empty() && well == lines.len() {
            return Ok(format!("its agent says that {well} containers run"));
        }
        if begun.elapsed() > held.settings.target().deadline {
            return Err(FailureKind::Kept(format!(
                "of {} containers of the restored guest {well} run",
                lines.len()
            ))
            .into());
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// Takes away what drills left whose client was killed.
fn sweep(ui: &Ui, held: &Held, say: &dyn Fn(&str)) -> Result<(), Failure> {
    let lives = |process: u32| std::path::Path::new(&format!("/proc/{process}")).exists();
    let own = who();
    let left = leftovers(&held.client, &held.node, &own, &held.line, lives);
    for machine in held.runtime.block_on(left).map_err(failure)? {
        say(&format!("taking guest {} away, which a drill left that was cut off", machine.vmid));
        held.work(ui, "taking it away", machine.destroy())?;
    }
    Ok(())
}
