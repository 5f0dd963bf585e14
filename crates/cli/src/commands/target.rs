//! The guest that a command works on, and what should run there.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};
use plimsoll_backup::exactly;
use plimsoll_config::{self as config, OnFailure};
use plimsoll_deploy::{
    Cache, Check, Engine, Event, Guest, Hook, Listener, Logins, Options, Place, Runner, Spec, Wanted, prepare,
};
use plimsoll_model::compose::default_files;
use plimsoll_pve::Vmid;
use plimsoll_remote::{Destination, OpenSsh, Pin};
use plimsoll_secrets::SecretString;

use super::checkout::{Checkout, with_values};
use super::provision::Site;
use super::settings::{Settings, words};
use crate::discovery::discover;
use crate::failure::{Failure, FailureKind};
use crate::figures::{bytes, seconds};
use crate::progress;
use crate::ui::Ui;

/// How results are printed
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: JSON, one object a line
    Json,
}

/// Where images are built
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum BuildPlace {
    /// By Docker or Podman on this machine; layers that the guest lacks are sent
    #[default]
    Local,
    /// By the guest's own Docker Engine; files that changed are sent
    Guest,
}

/// What builds images on this machine
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BuildEngine {
    /// Docker Engine
    Docker,
    /// Podman, without a daemon
    Podman,
}

/// Which app on which guest.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Target")]
pub(crate) struct TargetArgs {
    /// Name of the target [default: the only one of `plimsoll.yaml`, or `production`]
    #[arg(long, value_name = "NAME", env = "PLIMSOLL_TARGET")]
    pub(crate) target: Option<String>,
    /// App: the name of the Compose project [default: that of `plimsoll.yaml`, or the name of the directory]
    #[arg(long, value_name = "NAME", env = "PLIMSOLL_APP")]
    pub(crate) app: Option<String>,
    /// Guest to work on: any machine with Docker Engine and Compose that SSH reaches
    #[arg(long, value_name = "[USER@]HOST[:PORT]", env = "PLIMSOLL_GUEST")]
    pub(crate) guest: Option<String>,
    /// Host key that the guest must show: a public key, or its SHA256 fingerprint
    #[arg(long, value_name = "KEY", env = "PLIMSOLL_HOST_KEY")]
    pub(crate) host_key: Option<String>,
    /// Private key to log in with [default: what OpenSSH would use]
    #[arg(long, value_name = "FILE", env = "PLIMSOLL_IDENTITY")]
    pub(crate) identity: Option<PathBuf>,
    /// How results are printed
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// What `plimsoll.yaml` says.
    #[arg(skip)]
    settings: Option<Settings>,
    /// The node that holds the guest, where Plimsoll makes the guest.
    #[arg(skip)]
    site: Option<Arc<Site>>,
    /// Whether somebody gave the host key, so that no other one counts.
    #[arg(skip)]
    is_key_given: bool,
}

/// What should run there.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Release")]
pub(crate) struct ReleaseArgs {
    /// Directory of the checkout
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    pub(crate) directory: Utf8PathBuf,
    /// Deploy this commit, tag or branch instead of the files as they are; `.env` stays that of the directory
    #[arg(long = "version", value_name = "REF")]
    pub(crate) reference: Option<String>,
    /// Compose file, relative to the directory; may be given several times [default: those that Compose would read]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Vec<Utf8PathBuf>,
    /// Profile to start; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Vec<String>,
    /// Where images are built
    #[arg(long, value_enum, env = "PLIMSOLL_BUILD")]
    pub(crate) build: Option<BuildPlace>,
    /// What builds images on this machine [default: Docker where it answers, else Podman]
    #[arg(long, value_enum, env = "PLIMSOLL_ENGINE")]
    pub(crate) engine: Option<BuildEngine>,
    /// Command to run with the new image before anything is switched, as SERVICE=COMMAND
    #[arg(long, value_name = "SERVICE=COMMAND")]
    pub(crate) before_release: Vec<String>,
    /// Address that must answer 200 from here; `{guest}` is the guest's address
    #[arg(long, value_name = "URL")]
    pub(crate) check_http: Vec<String>,
    /// Port that must accept from here, as HOST:PORT
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) check_tcp: Vec<String>,
    /// Command that must succeed here, read by a shell
    #[arg(long, value_name = "COMMAND")]
    pub(crate) check_command: Vec<String>,
    /// Seconds that everything must stay healthy [default: that of `plimsoll.yaml`, or 3]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) watch: Option<u64>,
    /// Releases that are kept [default: that of `plimsoll.yaml`, or 5]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) keep: Option<usize>,
}

/// What becomes of secrets that are made because they are not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Making {
    /// They are stored first, then used.
    Keep,
    /// They stand in for those that a deploy will make; nothing is written.
    Pretend,
}

/// A connection with the runtime that drives it.
pub(crate) struct Session {
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) runner: Runner,
}

impl TargetArgs {
    /// The same with what `plimsoll.yaml` says where no flag says otherwise.
    pub(crate) fn filled(&self, directory: &Utf8Path) -> Result<Self, Failure> {
        let mut filled = Self { is_key_given: self.host_key.is_some(), ..self.clone() };
        let Some(settings) = Settings::read(directory, self.target.as_deref())? else { return Ok(filled) };
        filled.target.get_or_insert_with(|| settings.target().name.clone());
        filled.app.get_or_insert_with(|| settings.app().to_owned());
        if filled.guest.is_none() {
            // Whoever brings the host key of a fixed address along needs no node.
            let is_known = filled.host_key.is_some() && settings.target().guest.known_address().is_some();
            let site = if is_known { None } else { Site::look(&settings, filled.identity.as_deref())? };
            match site {
                Some(site) => {
                    if let Some((guest, key)) = site.login() {
                        filled.reach(guest, key);
                    }
                    filled.site = Some(Arc::new(site));
                }
                None => {
                    let (guest, key) = settings.guest()?;
                    filled.guest = Some(guest);
                    filled.host_key = filled.host_key.or(key);
                }
            }
        }
        filled.settings = Some(settings);
        Ok(filled)
    }

    /// What `plimsoll.yaml` says.
    pub(crate) fn settings(&self) -> Option<&Settings> {
        self.settings.as_ref()
    }

    /// Takes a secret's value in place of the one that is stored.
    pub(crate) fn change(&mut self, value: &(String, SecretString)) {
        self.settings.iter_mut().for_each(|settings| settings.change(value.clone()));
    }

    /// Takes the values that are stored.
    pub(crate) fn unchange(&mut self) {
        self.settings.iter_mut().for_each(Settings::unchange);
    }

    /// The node that holds the guest, where Plimsoll makes the guest.
    pub(crate) fn site(&self) -> Option<Arc<Site>> {
        self.site.clone()
    }

    /// The guest's number on its node, where it is there or said.
    pub(crate) fn vmid(&self) -> Option<Vmid> {
        let place = self.site.as_ref().and_then(|site| site.place());
        let adopted = || match &self.settings.as_ref()?.target().guest {
            config::Guest::Adopt(adopted) => adopted.id,
            _ => None,
        };
        place.map(|(_, number, _)| number).or_else(adopted).map(Vmid)
    }

    /// Takes a guest that was found or made; a host key that was given goes before that of the node.
    pub(crate) fn reach(&mut self, guest: String, host_key: String) {
        self.guest = Some(guest);
        if !self.is_key_given {
            self.host_key = Some(host_key);
        }
    }

    /// Opens the connection.
    pub(crate) fn open(&self, app: &str, listener: Listener) -> Result<Session, Failure> {
        let destination = self.destination()?;
        let runtime = runtime()?;
        let ssh = runtime
            .block_on(OpenSsh::connect(destination, &sockets()))
            .map_err(|error| Failure::from(FailureKind::from(plimsoll_deploy::DeployError::from(error))))?;
        let guest = Guest::new(Arc::new(ssh), app, listener);
        let cache = Cache(cache().join("trees"));
        let runner = Runner { guest, cache, who: who(), keeper: None, logins: logins(), change: None };
        Ok(Session { runtime, runner })
    }

    fn destination(&self) -> Result<Destination, Failure> {
        let missing = |what: &str, flag: &str| {
            Failure::from(FailureKind::Target(format!("{what} is not said")))
                .hint(format!("give it with `{flag}`"))
        };
        if let (None, Some(absent)) = (&self.guest, self.site.as_ref().and_then(|site| site.absent())) {
            return Err(absent);
        }
        let guest =
            self.guest.as_deref().ok_or_else(|| missing("the guest", "--guest [USER@]HOST[:PORT]"))?;
        let (user, rest) =
            guest.rsplit_once('@').map_or((None, guest), |(user, rest)| (Some(user.to_owned()), rest));
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') => match port.parse() {
                Ok(port) => (host, Some(port)),
                Err(_) => return Err(FailureKind::Target(format!("`{port}` in `{guest}` is no port")).into()),
            },
            _ => (rest, None),
        };
        if host.is_empty() || host.starts_with('-') {
            return Err(FailureKind::Target(format!("`{guest}` is no guest")).into());
        }
        let key = self.host_key.as_deref().ok_or_else(|| {
            missing("the guest's host key", "--host-key").hint(
                "on the guest: `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints its fingerprint",
            )
        })?;
        let pin = Pin::parse(key).map_err(|error| Failure::from(FailureKind::Target(error.to_string())))?;
        Ok(Destination { host: host.to_owned(), port, user, identity: self.identity.clone(), pin })
    }

    /// The app that is named, or that of a directory.
    pub(crate) fn app(&self, directory: &Utf8Path) -> Result<String, Failure> {
        let own = || {
            let name =
                directory.canonicalize_utf8().ok().and_then(|path| path.file_name().map(str::to_lowercase));
            name.unwrap_or_default()
        };
        let app = self.app.clone().unwrap_or_else(own);
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        let starts = app.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if starts && app.chars().all(fits) {
            return Ok(app);
        }
        Err(Failure::from(FailureKind::Target(format!("`{app}` is no name of an app")))
            .hint("small letters, digits, `-` and `_` make one: give it with `--app`"))
    }

    pub(crate) fn address(&self) -> String {
        if let (None, Some(address)) = (&self.guest, self.site.as_ref().and_then(|site| site.address())) {
            return address;
        }
        let guest = self.guest.as_deref().unwrap_or_default();
        let rest = guest.rsplit_once('@').map_or(guest, |(_, rest)| rest);
        rest.rsplit_once(':').map_or(rest, |(host, _)| host).to_owned()
    }
}

impl ReleaseArgs {
    /// The files that are meant: those of the directory, or another version of them.
    pub(crate) fn checkout(&self) -> Result<Checkout, Failure> {
        let directory =
            if self.directory.as_str().is_empty() { Utf8Path::new(".") } else { self.directory.as_path() };
        match &self.reference {
            None => Ok(Checkout::as_it_is(directory)),
            Some(reference) => Checkout::of(directory, reference),
        }
    }

    /// Reads a checkout.
    pub(crate) fn spec(
        &self,
        target: &TargetArgs,
        app: &str,
        root: &Utf8Path,
        making: Making,
    ) -> Result<Spec, Failure> {
        let found = discover(&[root.to_string()], &[])?;
        let settings = target.settings.as_ref();
        let compose_files = match (self.file.as_slice(), settings) {
            ([], Some(settings)) => settings.compose().to_vec(),
            ([], None) => default_files(&found.files, Utf8Path::new("")),
            (files, _) => files.to_vec(),
        };
        if compose_files.is_empty() {
            let shown = &self.directory;
            return Err(Failure::from(FailureKind::Target(format!("there is no Compose file in `{shown}`")))
                .hint("name it with `--file`"));
        }
        let files = with_values(&found.files, [root, &self.directory], &compose_files);
        let address = target.address();
        // A guest that is still to be made, with an address that only it will know.
        let address = if address.is_empty() { "{guest}".to_owned() } else { address };
        let timeout = Duration::from_secs(5);
        let here = |text: &String| text.replace("{guest}", &address);
        let http = self.check_http.iter().map(|url| Check::Http {
            url: here(url),
            expect: 200,
            contains: None,
            timeout,
        });
        let tcp = self.check_tcp.iter().map(|at| Check::Tcp { address: here(at), timeout });
        let command = self.check_command.iter().map(|run| Check::Command { run: here(run), timeout });
        let said = settings.into_iter().flat_map(|settings| settings.checks(&address));
        let checks: Vec<Check> = http.chain(tcp).chain(command).chain(said).collect();
        let hooks = self.before_release.iter().map(|text| hook(text)).collect::<Result<Vec<_>, _>>()?;
        let hooks = hooks.into_iter().chain(settings.into_iter().flat_map(Settings::hooks)).collect();
        let in_guest = match self.build {
            Some(place) => place == BuildPlace::Guest,
            None => settings.is_some_and(Settings::builds_in_guest),
        };
        let usual = Options::default();
        let keep = settings.and_then(|settings| usize::try_from(settings.target().keep).ok());
        let options = Options {
            build: if in_guest { Place::Guest } else { Place::Local },
            engine: self.engine.map(|engine| match engine {
                BuildEngine::Docker => Engine::Docker,
                BuildEngine::Podman => Engine::Podman,
            }),
            keep: self.keep.or(keep).unwrap_or(usual.keep),
            watch: self
                .watch
                .map(Duration::from_secs)
                .or(settings.map(|settings| settings.target().watch))
                .unwrap_or(usual.watch),
            restore_data: settings
                .is_some_and(|settings| settings.target().on_failure == OnFailure::RestoreData),
            keep_failed: settings.is_some_and(|settings| settings.target().on_failure == OnFailure::Keep),
            health_deadline: settings.map(|settings| settings.target().deadline),
            ..usual
        };
        let environment = environment();
        let keep = making == Making::Keep;
        let secrets = settings.map(|settings| settings.values(&environment, keep)).transpose()?;
        let secrets = secrets.unwrap_or_default();
        let spec = prepare(&Wanted {
            app: app.to_owned(),
            target: target.target.clone().unwrap_or_else(|| "production".to_owned()),
            version: version(root),
            root: root.as_std_path(),
            files: &files,
            compose_files,
            profiles: self.profile.clone(),
            environment,
            secrets,
            hooks,
            checks,
            options,
        });
        Ok(spec.map_err(FailureKind::from)?)
    }
}

/// What drives connections. It is built where one is needed and nowhere else: an evaluation needs none.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    built.map_err(|source| FailureKind::Read { path: "runtime".into(), source }.into())
}

/// `SERVICE=COMMAND`
fn hook(text: &str) -> Result<Hook, Failure> {
    let Some((service, run)) = text.split_once('=') else {
        return Err(FailureKind::Target(format!("`{text}` is not SERVICE=COMMAND")).into());
    };
    Ok(Hook { service: service.to_owned(), run: words(run), deadline: Duration::from_secs(600) })
}

/// Tells a person at a terminal, or a program, what happens.
pub(crate) fn listener(format: Format, verbose: bool) -> Listener {
    let begun = Mutex::new(Instant::now());
    let since = move |begins: bool| {
        let mut begun = begun.lock().unwrap_or_else(PoisonError::into_inner);
        if begins {
            *begun = Instant::now();
        }
        begun.elapsed()
    };
    Arc::new(move |event| {
        let ui = Ui::new();
        if format == Format::Json {
            let line = serde_json::to_string(&event).unwrap_or_default();
            drop(ui.print(&format!("{line}\n")));
            return;
        }
        match event {
            Event::Waiting { owner } => {
                ui.status(&format!("waiting for {owner}"));
                progress::begin("waiting");
            }
            Event::Begin { step } => {
                since(true);
                progress::begin(&step);
            }
            Event::Line { line, .. } if verbose => ui.status(&format!("    {line}")),
            Event::Line { line, .. } => progress::tell(&line),
            Event::End { step, took, sent } => {
                progress::end();
                let sent = if sent > 0 { format!(", {} sent", bytes(sent)) } else { String::new() };
                ui.status(&format!("  {step}: {}{sent}", seconds(took)));
            }
            Event::Failed { step, reason } => {
                progress::end();
                ui.status(&format!("  {step}: failed: {reason}"));
            }
            Event::Lost { from, until } => ui.status(&format!(
                "  data is back: what was written from {} to {} is lost",
                exactly(from),
                exactly(until)
            )),
            Event::Reverting { to: Some(to) } => ui.status(&format!("putting release {to} back")),
            Event::Reverting { to: None } => ui.status("taking away what was started"),
            Event::Progress { step, done, total, sent } => {
                let share = progress::share(done, total, sent, since(false));
                if verbose && !progress::is_shown() {
                    ui.status(&format!("  {step}: {share}"));
                } else {
                    progress::tell(&share);
                }
            }
        }
    })
}

#[expect(clippy::disallowed_methods, reason = "the command line is the place that reads the environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn environment() -> BTreeMap<String, String> {
    // A variable that is not text is none that a Compose file could name.
    std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Where Docker and Podman keep logins at registries.
fn logins() -> Logins {
    let folder = |name: &str| variable(name).map(PathBuf::from);
    let docker = folder("DOCKER_CONFIG").or_else(|| Some(folder("HOME")?.join(".docker")));
    let podman = folder("REGISTRY_AUTH_FILE")
        .or_else(|| Some(folder("XDG_RUNTIME_DIR")?.join("containers/auth.json")));
    let kept = folder("HOME").map(|home| home.join(".config/containers/auth.json"));
    let files = [docker.map(|docker| docker.join("config.json")), podman, kept];
    Logins { files: files.into_iter().flatten().collect() }
}

/// Sockets have short names and go with the session.
pub(crate) fn sockets() -> PathBuf {
    let base = variable("XDG_RUNTIME_DIR").map(PathBuf::from).unwrap_or_else(cache);
    base.join("plimsoll-ssh")
}

pub(crate) fn cache() -> PathBuf {
    let given = variable("XDG_CACHE_HOME").map(PathBuf::from);
    let base = given.or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".cache")));
    base.unwrap_or_else(std::env::temp_dir).join("plimsoll")
}

#[expect(clippy::disallowed_methods, reason = "the machine says its name in a file")]
pub(crate) fn who() -> String {
    let user = variable("USER").or_else(|| variable("LOGNAME")).unwrap_or_else(|| "somebody".to_owned());
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let machine = machine.map(|name| name.trim().to_owned()).or_else(|| variable("HOSTNAME"));
    format!("{user}@{}", machine.unwrap_or_else(|| "unknown".to_owned()))
}

/// The commit, with a mark when something is not committed.
fn version(root: &Utf8Path) -> Option<String> {
    crate::process::git(root, &["describe", "--always", "--dirty", "--tags"])
}
