//! The guest of a target on its node: found, planned, made.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use camino::Utf8PathBuf;
use plimsoll_config::{Guest, NewGuest, Target};
use plimsoll_deploy::{Event, Listener, Spec};
use plimsoll_doctor::{Download, Templates, Work};
use plimsoll_provision::{
    Access, Found, NodeState, Opening, Plan, ProvisionError, Ready, Runner, Step, Wanted, find, observe,
    observe_anew, plan, template_digest, templates,
};
use plimsoll_pve::api::{GuestKind, Power};
use serde_json::json;

use super::node::{self, Node};
use super::settings::Settings;
use super::target::{Format, runtime, sockets};
use crate::failure::{Failure, FailureKind};
use crate::ui::Ui;

/// A target whose guest Plimsoll makes, and what was found of it.
pub(crate) struct Site {
    pub(crate) node: Node,
    /// The guest, where it is there.
    pub(crate) found: Option<Found>,
    wanted: Wanted,
    target: Target,
    identity: Option<PathBuf>,
    runtime: tokio::runtime::Runtime,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").field("node", &self.node).field("found", &self.found).finish_non_exhaustive()
    }
}

impl Site {
    /// Looks for the guest of a target; nothing where the target's guest is not ours to make.
    pub(crate) fn look(settings: &Settings, identity: Option<&Path>) -> Result<Option<Self>, Failure> {
        let target = settings.target();
        let (kind, guest) = match &target.guest {
            Guest::Lxc(guest) => (GuestKind::Lxc, guest),
            Guest::Vm(guest) => (GuestKind::Qemu, guest),
            Guest::Oci(_) | Guest::Adopt(_) => return Ok(None),
        };
        let node = Node::of(settings)?;
        let runtime = runtime()?;
        let found = runtime
            .block_on(find(&node.client, &node.name, settings.app(), &target.name))
            .map_err(failure)?;
        let wanted = Wanted {
            app: settings.app().to_owned(),
            target: target.name.clone(),
            kind,
            guest: guest.clone(),
            node: node.name.clone(),
            pool: node.pool.clone(),
            keys: keys(settings, guest, identity)?,
            openings: Vec::new(),
        };
        Ok(Some(Self {
            node,
            found,
            wanted,
            target: target.clone(),
            identity: identity.map(Path::to_owned),
            runtime,
        }))
    }

    /// `user@address:22` and the host key, where both are known and the guest runs.
    pub(crate) fn login(&self) -> Option<(String, String)> {
        let found = self.found.as_ref().filter(|found| found.power == Power::Running)?;
        self.login_to(found.address.as_deref()?, found.mark.host_key.as_deref()?)
    }

    fn login_to(&self, address: &str, host_key: &str) -> Option<(String, String)> {
        let address = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
        Some((format!("{}@{address}:22", self.wanted.guest.user), host_key.to_owned()))
    }

    /// The address that it has or will have, where that is known.
    pub(crate) fn address(&self) -> Option<String> {
        let fixed = || self.wanted.cidr().and_then(|cidr| Some(cidr.split('/').next()?.to_owned()));
        self.found.as_ref().and_then(|found| found.address.clone()).or_else(fixed)
    }

    /// The node, the number and the address of the guest that was found.
    pub(crate) fn place(&self) -> Option<(String, u32, Option<String>)> {
        let found = self.found.as_ref()?;
        Some((found.node.clone(), found.vmid.0, found.address.clone()))
    }

    /// Why nobody can be reached there now.
    pub(crate) fn absent(&self) -> Option<Failure> {
        let Wanted { app, target, node, .. } = &self.wanted;
        let text = match &self.found {
            None => format!("the guest of {app} for the target {target} is not on {node} yet"),
            Some(found) if found.power == Power::Stopped => format!("guest {} is stopped", found.vmid),
            Some(found) if self.login().is_none() => format!("guest {} is not finished", found.vmid),
            Some(_) => return None,
        };
        Some(
            Failure::from(FailureKind::Target(text))
                .hint("`plimsoll deploy` makes it, starts it and finishes it"),
        )
    }

    /// What must be done for an app to have its guest.
    pub(crate) fn plan(&self, spec: &Spec) -> Result<Plan, Failure> {
        let wanted = self.wanted_for(spec);
        let state = self.observe(&wanted)?;
        plan(&wanted, &state).map_err(|refusal| failure(refusal.into()))
    }

    /// What must be done for the guest, whatever the app publishes.
    pub(crate) fn outline(&self) -> Result<Plan, Failure> {
        plan(&self.wanted, &self.observe(&self.wanted)?).map_err(|refusal| failure(refusal.into()))
    }

    /// Whether a new guest could be made in the place of the one that is there: what it would be made from is there, and the token
    /// may. Changes nothing.
    pub(crate) fn can_anew(&self, spec: &Spec) -> Result<(), Failure> {
        let wanted = self.wanted_for(spec);
        let state = self.runtime.block_on(observe_anew(&self.node.client, &wanted)).map_err(failure)?;
        let todo = plan(&wanted, &state).map_err(|refusal| failure(refusal.into()))?;
        self.verify(&state, &todo.steps)?;
        let is_brought =
            todo.steps.iter().any(|step| matches!(step, Step::Fetch { .. } | Step::Download { .. }));
        let image = todo.steps.iter().find_map(|step| match step {
            Step::Create(make) => Some(make.image().to_owned()),
            Step::Template(template) => template.guest.image.clone(),
            _ => None,
        });
        match image.filter(|image| !is_brought && !state.images.contains(image)) {
            Some(image) => Err(Failure::from(FailureKind::Target(format!(
                "the node has no `{image}` to make the new guest from; nothing was done"
            )))
            .hint("correct `image`, or upload it")),
            None => Ok(()),
        }
    }

    /// The templates of the node, and the digest of the one that a new guest would be a clone of.
    pub(crate) fn templates(&self) -> Result<(Vec<Found>, Option<String>), Failure> {
        let all = self.runtime.block_on(templates(&self.node.client, &self.node.name)).map_err(failure)?;
        let state = self.runtime.block_on(observe_anew(&self.node.client, &self.wanted)).map_err(failure)?;
        Ok((all, template_digest(&self.wanted, &state)))
    }

    /// Takes a template away.
    pub(crate) fn discard(&self, found: &Found) -> Result<(), ProvisionError> {
        let access = Access { sockets: sockets(), identity: self.identity.clone() };
        let listener: plimsoll_provision::Listener = Arc::new(|_| ());
        let runner = Runner { client: &self.node.client, wanted: &self.wanted, access, listener };
        self.runtime.block_on(runner.discard_guest("discard template", found))
    }

    /// Refuses before the first change where the token lacks a privilege for what comes later.
    fn verify(&self, state: &NodeState, steps: &[Step]) -> Result<(), Failure> {
        let client = &self.node.client;
        let version = self.runtime.block_on(client.version()).map_err(node::failure)?;
        let Some(mut work) = Work::of(&self.target, version.major) else { return Ok(()) };
        work.creates = state.ours.is_empty();
        if let (true, Some(shelf)) = (work.seeds.is_some(), state.seed_shelves.first()) {
            work.seeds = Some(shelf.clone());
        }
        for step in steps {
            let (storage, download) = match step {
                Step::Fetch { storage, .. } => (storage.as_str(), Download::Url),
                Step::Download { storage, .. } => (storage.as_str(), Download::Index),
                Step::Template(wanted) => {
                    let image = wanted.guest.image.as_deref().unwrap_or_default();
                    (image.split(':').next().unwrap_or_default(), Download::Nothing)
                }
                Step::Create(make) => (make.image().split(':').next().unwrap_or_default(), Download::Nothing),
                _ => continue,
            };
            work.templates = Some(Templates { storage: storage.to_owned(), download });
            if download != Download::Nothing {
                break;
            }
        }
        self.runtime.block_on(node::verify(client, &work))
    }

    fn observe(&self, wanted: &Wanted) -> Result<NodeState, Failure> {
        self.runtime.block_on(observe(&self.node.client, wanted)).map_err(failure)
    }

    fn wanted_for(&self, spec: &Spec) -> Wanted {
        Wanted { openings: openings(spec), ..self.wanted.clone() }
    }

    /// Makes the guest, or what it lacks. A guest that is not there is made only when somebody agrees.
    pub(crate) fn ensure(
        &self,
        ui: &Ui,
        spec: &Spec,
        is_agreed: bool,
        format: Format,
        listener: Listener,
    ) -> Result<((String, String), Ready), Failure> {
        let wanted = self.wanted_for(spec);
        let state = self.observe(&wanted)?;
        let todo = match plan(&wanted, &state) {
            Ok(todo) => todo,
            Err(refusal) => {
                // What a token may not see looks as if it were not there.
                self.verify(&state, &[])?;
                return Err(failure(refusal.into()));
            }
        };
        if !todo.steps.is_empty() {
            self.verify(&state, &todo.steps)?;
        }
        if todo.creates() && !is_agreed {
            agree(ui, &wanted, &todo)?;
        }
        let access = Access { sockets: sockets(), identity: self.identity.clone() };
        let runner =
            Runner { client: &self.node.client, wanted: &wanted, access, listener: told(format, listener) };
        let ready = self.runtime.block_on(runner.run_from(state)).map_err(failure)?;
        let login = self.login_to(&ready.address, &ready.host_key);
        let login = login.ok_or_else(|| failure(ProvisionError::NoHostKey(ready.vmid)))?;
        Ok((login, ready))
    }
}

/// Steps of the node are told like steps of a release.
fn told(format: Format, listener: Listener) -> plimsoll_provision::Listener {
    use plimsoll_provision::News;
    Arc::new(move |news| match news {
        News::Begin(step) => listener(Event::Begin { step: step.to_owned() }),
        News::Line(step, line) => listener(Event::Line { step: step.to_owned(), line }),
        News::End(step, took) => {
            let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            listener(Event::End { step: step.to_owned(), took, sent: 0 });
        }
        News::Note(text) if format == Format::Json => {
            drop(Ui::new().print(&format!("{}\n", json!({"event": "note", "text": text}))));
        }
        News::Note(text) => Ui::new().status(&format!("note: {text}")),
    })
}

/// Asks a person; without one, somebody must have said `--yes`.
fn agree(ui: &Ui, wanted: &Wanted, todo: &Plan) -> Result<(), Failure> {
    let refused = |text: &str| {
        Failure::from(FailureKind::Target(text.to_owned()))
            .hint("`plimsoll deploy --yes` makes it, `plimsoll plan` shows how")
    };
    let text =
        format!("the guest of {} for the target {} is not on {} yet", wanted.app, wanted.target, wanted.node);
    if !std::io::stdin().is_terminal() {
        return Err(refused(&text));
    }
    ui.status(&text);
    todo.lines().iter().for_each(|line| ui.status(&format!("  {line}")));
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "make it? [y/N] ").and_then(|()| stderr.flush());
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    if matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(refused("nothing was done")) }
}

/// What an app publishes beyond the guest itself.
fn openings(spec: &Spec) -> Vec<Opening> {
    let services = spec.compose.get("services").and_then(|services| services.as_object());
    let ports = services
        .into_iter()
        .flat_map(|services| services.values())
        .filter_map(|service| service.get("ports"));
    let text = |port: &serde_json::Value, key: &str| {
        port.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
    };
    let mut out: Vec<Opening> = ports
        .filter_map(|ports| ports.as_array())
        .flatten()
        .filter(|port| !text(port, "host_ip").is_some_and(|ip| ip.starts_with("127.") || ip == "::1"))
        .filter_map(|port| {
            let published = text(port, "published").filter(|published| !published.is_empty())?;
            Some(Opening::new(text(port, "protocol").as_deref().unwrap_or("tcp"), &published))
        })
        .collect();
    out.sort();
    out.dedup();
    out
}

/// Public keys that may log in: those of the file, else the client's own.
fn keys(settings: &Settings, guest: &NewGuest, identity: Option<&Path>) -> Result<Vec<String>, Failure> {
    let home = home();
    if guest.ssh_keys.is_empty() {
        let beside = |path: &Path| PathBuf::from(format!("{}.pub", path.display()));
        let usual = |home: &PathBuf| {
            ["ed25519", "ecdsa", "rsa"].map(|kind| home.join(format!(".ssh/id_{kind}.pub"))).to_vec()
        };
        let paths = match identity {
            Some(identity) => vec![beside(identity)],
            None => home.as_ref().map(usual).unwrap_or_default(),
        };
        // A client without a key of its own can still look.
        return Ok(paths.iter().filter_map(|path| read(path).ok()).flat_map(|text| lines(&text)).collect());
    }
    let mut out = Vec::new();
    for text in &guest.ssh_keys {
        if text.split_whitespace().count() >= 2 && !text.starts_with(['/', '~', '.']) {
            out.push(text.trim().to_owned());
            continue;
        }
        let path = match (text.strip_prefix("~/"), &home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => settings.directory().join(text).into_std_path_buf(),
        };
        let found = read(&path).map_err(|source| FailureKind::Read {
            path: Utf8PathBuf::from_path_buf(path.clone()).unwrap_or_else(|_| text.into()),
            source,
        })?;
        out.extend(lines(&found));
    }
    Ok(out)
}

fn lines(text: &str) -> Vec<String> {
    let own = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    own.map(ToOwned::to_owned).collect()
}

#[expect(clippy::disallowed_methods, reason = "the command line is the place that reads files")]
fn read(path: &Path) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
}

/// What went wrong, with what to do about it.
pub(crate) fn failure(error: ProvisionError) -> Failure {
    match error {
        ProvisionError::Refused(refusal) => {
            let hint = refusal.hint();
            Failure::from(FailureKind::Target(refusal.to_string())).hint(hint)
        }
        ProvisionError::Node(error) => node::failure(error),
        ProvisionError::Task(error) => node::task(*error),
        ProvisionError::Guest(error) => FailureKind::from(plimsoll_deploy::DeployError::from(error)).into(),
        error => {
            let hint = match &error {
                ProvisionError::NoHostKey(_) => {
                    "the token that made the guest can read it; else give the key with `--host-key`, and look at \
                     `/etc/ssh/ssh_host_ed25519_key.pub` on the guest's console"
                }
                ProvisionError::NoAddress { .. } => {
                    "look at bridge, VLAN and the network's DHCP server, or give the guest a fixed `address`"
                }
                _ => "somebody else may be changing the guest at the same time",
            };
            Failure::from(FailureKind::Guest(Box::new(error))).hint(hint)
        }
    }
}
