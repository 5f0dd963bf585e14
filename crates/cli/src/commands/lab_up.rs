//! `plimsoll lab up` and `plimsoll lab env`

use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use clap::Args;
use plimsoll_lab::control::{self, Ask};
use plimsoll_lab::{Certificate, Lab, Options, Server};
use serde_json::{Value, json};

use super::lab::{Pve, failure, rule};
use super::lab_detach;
use super::lab_guests::{GuestArgs, backend};
use crate::failure::Failure;
use crate::ui::Ui;

#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// Release whose contract the node keeps
    #[arg(long, value_enum, default_value = "9.2", value_name = "RELEASE")]
    pve: Pve,
    #[command(flatten)]
    guests: GuestArgs,
    /// Port on the loopback interface; 0 takes a free one
    #[arg(long, default_value_t = 8006, env = "PLIMSOLL_LAB_PORT")]
    port: u16,
    /// Nodes of the cluster
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    nodes: u8,
    /// Start of everything that looks random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Password of root@pam; `plimsoll` with simulated guests, else a new one each time
    #[arg(long)]
    password: Option<String>,
    /// File with faults to begin with, one JSON object a line
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Return as soon as the node answers, and leave it running until `lab down`
    #[arg(long)]
    detach: bool,
}

/// What a client needs, for `plimsoll lab env`.
pub(super) const DESCRIPTION: &str = "lab.json";

#[expect(clippy::disallowed_methods, reason = "the command line is the place that reads and writes files")]
pub(crate) fn run(ui: &Ui, args: &UpArgs, directory: &Path, socket: &Path) -> Result<(), Failure> {
    if args.detach {
        return lab_detach::run(ui, directory, socket);
    }
    let shown = directory.display().to_string();
    std::fs::create_dir_all(directory).map_err(|error| failure(format!("cannot make `{shown}`"), error))?;
    if control::ask(socket, &Ask::Status).is_ok() {
        let error = std::io::Error::new(std::io::ErrorKind::AddrInUse, "a lab runs there already");
        return Err(
            failure("cannot start the lab", error).hint("stop the one that runs with `plimsoll lab down`")
        );
    }
    let backend = backend(ui, &args.guests, directory)?;
    let real = backend.network().is_some();
    let secret = || random().map_err(|error| failure("cannot make a secret", error));
    let password = match &args.password {
        Some(password) => password.clone(),
        // Whoever can log in to a node with real guests is root of this machine.
        None if real => secret()?,
        None => "plimsoll".to_owned(),
    };
    let options = Options {
        release: args.pve.into(),
        nodes: usize::from(args.nodes),
        seed: args.seed,
        epoch: now(),
        password: password.clone(),
        ..Options::default()
    };
    let lab = Arc::new(Lab::with_backend(options, backend));
    let token = lab.issue_token("lab", &secret()?);
    if let Some(path) = &args.faults {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| failure(format!("cannot read `{shown}`"), error))?;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            lab.add_fault(rule(line)?);
        }
    }
    let (down, stopped) = channel();
    control::listen(socket, lab.clone(), down.clone()).map_err(|error| {
        failure("cannot start the lab", error).hint("stop the one that runs with `plimsoll lab down`")
    })?;
    let certificate = Certificate::make().map_err(|error| failure("cannot start the lab", error))?;
    let authority = directory.join("ca.pem");
    std::fs::write(&authority, &certificate.pem)
        .map_err(|error| failure("cannot write the certificate", error))?;
    // The runtime is built here and nowhere else: an evaluation needs none.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| failure("cannot start the lab", error))?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let server = runtime
        .block_on(Server::start(lab.clone(), address, certificate))
        .map_err(|error| failure("cannot start the lab", error).hint("take a free port with `--port 0`"))?;
    let summary = lab.summary();
    let network = lab.network();
    let mut text = format!(
        "Proxmox VE {} (lab), {}\n\
         address      https://{}\n\
         fingerprint  {}\n\
         ca file      {}\n\
         user         root@pam, password {password}\n",
        summary.release,
        summary.made_of(),
        server.address,
        server.certificate.fingerprint,
        authority.display(),
    );
    let template = lab.templates().into_iter().next().unwrap_or_default();
    let mut described = json!({
        "schema": "plimsoll-lab/v1", "release": summary.release, "guests": summary.backend, "vms": summary.vms, "limits": summary.limits,
        "url": format!("https://{}", server.address), "fingerprint": server.certificate.fingerprint.to_string(),
        "ca_file": std::path::absolute(&authority).unwrap_or_else(|_| authority.clone()), "user": "root@pam", "password": password, "token": token.expose(), "node": "pve1",
        "template": template, "storage": "local-lvm",
    });
    if let (Some(network), Some(map)) = (&network, described.as_object_mut()) {
        text.push_str(&format!(
            "template     {template}\n\
             network      {} on {}, gateway {}, this machine {}\n",
            network.subnet, network.bridge, network.gateway, network.machine
        ));
        if let Some(image) = lab.images().into_iter().next() {
            text.push_str(&format!("disk image   {image}\n"));
            map.insert("image".to_owned(), json!(image));
        }
        map.insert("bridge".to_owned(), json!(network.bridge));
        map.insert("subnet".to_owned(), json!(network.subnet));
        map.insert("gateway".to_owned(), json!(network.gateway));
        map.insert("machine".to_owned(), json!(network.machine));
        if let Some(nameserver) = &network.nameserver {
            text.push_str(&format!("outside      by {}, name server {nameserver}\n", network.gateway));
            map.insert("nameserver".to_owned(), json!(nameserver));
        }
    }
    let description = directory.join(DESCRIPTION);
    write_private(&description, &format!("{described:#}\n"))
        .map_err(|error| failure("cannot describe the lab", error))?;
    ui.print(&text)?;
    runtime.spawn(signals(down));
    wait(&stopped);
    runtime.block_on(server.stop());
    lab.close();
    for file in [authority.as_path(), &description, &directory.join(lab_detach::LOG), socket] {
        let _ = std::fs::remove_file(file);
    }
    ui.status("the lab has stopped");
    Ok(())
}

/// Prints what the running lab noted for its clients.
#[expect(clippy::disallowed_methods, reason = "the command line is the place that reads files")]
pub(crate) fn environment(ui: &Ui, directory: &Path, as_json: bool) -> Result<(), Failure> {
    let hint = "start one with `plimsoll lab up`";
    control::ask(&directory.join("lab.sock"), &Ask::Status)
        .map_err(|error| failure("cannot ask the lab", error).hint(hint))?;
    let text = std::fs::read_to_string(directory.join(DESCRIPTION))
        .map_err(|error| failure("the lab is not ready yet", error))?;
    if as_json {
        return ui.print(&text);
    }
    let value: Value =
        serde_json::from_str(&text).map_err(|error| failure("cannot read the lab's notes", error))?;
    let names = [
        ("PLIMSOLL_PVE_URL", "url"),
        ("PLIMSOLL_PVE_FINGERPRINT", "fingerprint"),
        ("PLIMSOLL_PVE_CA", "ca_file"),
        ("PLIMSOLL_PVE_TOKEN", "token"),
        ("PLIMSOLL_PVE_NODE", "node"),
        ("PLIMSOLL_PVE_STORAGE", "storage"),
        ("PLIMSOLL_PVE_TEMPLATE", "template"),
        ("PLIMSOLL_PVE_IMAGE", "image"),
        ("PLIMSOLL_PVE_BRIDGE", "bridge"),
        ("PLIMSOLL_PVE_SUBNET", "subnet"),
        ("PLIMSOLL_PVE_GATEWAY", "gateway"),
        ("PLIMSOLL_PVE_NAMESERVER", "nameserver"),
        ("PLIMSOLL_LAB_MACHINE", "machine"),
        ("PLIMSOLL_LAB_GUESTS", "guests"),
        ("PLIMSOLL_LAB_VMS", "vms"),
    ];
    let lines =
        names.iter().filter_map(|(name, key)| Some(format!("{name}='{}'\n", value.get(key)?.as_str()?)));
    ui.print(&lines.collect::<String>())
}

/// Ctrl-C and the usual way of services end the lab in order.
async fn signals(down: Sender<()>) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut end) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = end.recv() => {}
    }
    let _ = down.send(());
}

fn wait(stopped: &Receiver<()>) {
    let _ = stopped.recv();
    // The answer to `lab down` is still on its way.
    std::thread::sleep(Duration::from_millis(20));
}

fn random() -> std::io::Result<String> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    Ok([part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-"))
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let _ = std::fs::remove_file(path);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    std::io::Write::write_all(&mut file, text.as_bytes())
}

#[expect(clippy::disallowed_methods, reason = "a node's clock shows the time of day")]
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or_default())
}
