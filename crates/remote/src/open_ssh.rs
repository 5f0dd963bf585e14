//! OpenSSH as a process, with one connection for all commands.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use crate::error::{reason, refused};
use crate::{Destination, HostKey, Job, Output, Pin, RemoteError, session};

/// The name under which the pinned key stands in our known-hosts file.
const ALIAS: &str = "plimsoll-guest";

/// Time to make a connection.
const CONNECT: Duration = Duration::from_secs(20);

/// A connection to a guest.
#[derive(Debug)]
pub struct OpenSsh {
    destination: Destination,
    options: Vec<String>,
    pinned: String,
    socket: PathBuf,
}

impl OpenSsh {
    /// Opens the connection, or takes up the one that an earlier run left open. Sockets and the known-hosts file
    /// stand in `directory`, which is made for its owner only.
    pub async fn connect(destination: Destination, directory: &Path) -> Result<Self, RemoteError> {
        private(directory)?;
        let key = match &destination.pin {
            Pin::Key(key) => key.clone(),
            Pin::Fingerprint(wanted) => find(&destination, wanted, directory).await?,
        };
        let ssh = Self::with(destination, &key, directory)?;
        if !ssh.is_open().await? {
            ssh.open().await?;
        }
        Ok(ssh)
    }

    /// Closes what an earlier run left open to a guest that has started anew since. A guest whose power was cut ends no connection, and
    /// the one that was left open would be waited for in vain.
    pub async fn forget(destination: Destination, directory: &Path) -> Result<(), RemoteError> {
        let key = match &destination.pin {
            Pin::Key(key) => Some(key.clone()),
            Pin::Fingerprint(wanted) => kept(&destination, wanted, directory).1,
        };
        let Some(key) = key.filter(|_| directory.is_dir()) else { return Ok(()) };
        let ssh = Self::with(destination, &key, directory)?;
        if ssh.socket.exists() {
            ssh.close().await;
        }
        Ok(())
    }

    fn with(destination: Destination, key: &HostKey, directory: &Path) -> Result<Self, RemoteError> {
        let known = key.known_as(ALIAS);
        let id = digest(&format!("{destination}\n{:?}\n{known}", destination.identity));
        let hosts = directory.join(format!("{id}.hosts"));
        write(&hosts, &known)?;
        let socket = directory.join(format!("{id}.sock"));
        let options = options(&destination, key, &hosts, &socket);
        Ok(Self { destination, options, pinned: key.fingerprint(), socket })
    }

    /// Runs a job to its end and gives whatever status it ends with.
    pub async fn run(&self, job: Job) -> Result<Output, RemoteError> {
        let output = session::run(self.command_for(&job), job).await?;
        if output.status == 255 {
            let destination = self.destination.to_string();
            return Err(RemoteError::ConnectionLost { destination, reason: reason(&output.stderr) });
        }
        Ok(output)
    }

    /// Runs a job with the streams of this process, and with a terminal if asked; gives its exit status.
    pub async fn attach(&self, job: &Job, terminal: bool) -> Result<i32, RemoteError> {
        let mut command = self.command();
        command.args(["-o", "ControlMaster=no", if terminal { "-tt" } else { "-T" }, "--"]);
        command.arg(&self.destination.host).arg(job.line());
        let status = command.status().await.map_err(RemoteError::Start)?;
        Ok(status.code().unwrap_or(255))
    }

    /// Closes the connection for everybody who shares it.
    pub async fn close(&self) {
        let mut command = self.command();
        command.args(["-O", "exit", "--", &self.destination.host]);
        drop(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().await);
    }

    /// The guest.
    #[must_use]
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    pub(crate) fn command_for(&self, job: &Job) -> Command {
        let mut command = self.command();
        command.args(["-o", "ControlMaster=no", "-T", "--", &self.destination.host]).arg(job.line());
        command
    }

    fn command(&self) -> Command {
        let mut command = program("ssh");
        command.args(&self.options);
        command
    }

    async fn is_open(&self) -> Result<bool, RemoteError> {
        if !self.socket.exists() {
            return Ok(false);
        }
        let mut command = self.command();
        command.args(["-O", "check", "--", &self.destination.host]);
        let output = command.stdin(Stdio::null()).output().await.map_err(RemoteError::Start)?;
        Ok(output.status.success())
    }

    /// The connection's process goes into the background once the login has succeeded.
    async fn open(&self) -> Result<(), RemoteError> {
        let mut command = self.command();
        command.args(["-o", "ControlMaster=yes", "-o", "ControlPersist=60", "-N", "-f", "--"]);
        command.arg(&self.destination.host);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(RemoteError::Start)?;
        let mut stderr = child.stderr.take();
        let Ok(status) = tokio::time::timeout(CONNECT, child.wait()).await else {
            let reason = format!("no answer within {} s", CONNECT.as_secs());
            return Err(RemoteError::Unreachable { destination: self.destination.to_string(), reason });
        };
        if status.map_err(RemoteError::Start)?.success() {
            return Ok(());
        }
        let mut said = String::new();
        if let Some(stderr) = &mut stderr {
            drop(tokio::time::timeout(Duration::from_secs(1), stderr.read_to_string(&mut said)).await);
        }
        Err(refused(&self.destination.to_string(), &self.pinned, &said))
    }
}

/// The host keys that a guest shows, none of them trusted yet.
pub async fn scan(host: &str, port: Option<u16>) -> Result<Vec<HostKey>, RemoteError> {
    let mut command = program("ssh-keyscan");
    command.args(["-T", "10", "-p", &port.unwrap_or(22).to_string(), "--", host]);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(RemoteError::Start)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let keys = text.lines().filter_map(|line| HostKey::parse(line.split_once(' ')?.1).ok());
    let mut keys: Vec<HostKey> = keys.collect();
    keys.sort();
    if keys.is_empty() {
        // It says nothing about an address where nobody answers.
        let said = String::from_utf8_lossy(&output.stderr);
        let reason = if said.trim().is_empty() { "no answer within 10 s".to_owned() } else { reason(&said) };
        return Err(RemoteError::Unreachable { destination: host.to_owned(), reason });
    }
    Ok(keys)
}

/// Where the key behind a pinned fingerprint is kept, and the key where it was found before.
fn kept(destination: &Destination, wanted: &str, directory: &Path) -> (PathBuf, Option<HostKey>) {
    let known = directory.join(format!("{}.key", digest(&format!("{destination}\n{wanted}"))));
    let key = read(&known).and_then(|text| HostKey::parse(&text).ok());
    (known, key.filter(|key| key.fingerprint() == wanted))
}

/// The key behind a pinned fingerprint: the one found before, or one that the guest shows now.
async fn find(destination: &Destination, wanted: &str, directory: &Path) -> Result<HostKey, RemoteError> {
    let (known, key) = kept(destination, wanted, directory);
    if let Some(key) = key {
        return Ok(key);
    }
    let shown = scan(&destination.host, destination.port).await?;
    match shown.iter().find(|key| key.fingerprint() == wanted) {
        Some(key) => {
            write(&known, &key.to_string())?;
            Ok(key.clone())
        }
        None => Err(RemoteError::HostKeyChanged {
            destination: destination.to_string(),
            pinned: wanted.to_owned(),
            shown: shown.iter().map(HostKey::fingerprint).collect(),
        }),
    }
}

fn options(destination: &Destination, key: &HostKey, hosts: &Path, socket: &Path) -> Vec<String> {
    let mut options = Vec::new();
    for option in [
        "BatchMode=yes".to_owned(),
        "StrictHostKeyChecking=yes".to_owned(),
        format!("UserKnownHostsFile={}", hosts.display()),
        "GlobalKnownHostsFile=/dev/null".to_owned(),
        format!("HostKeyAlias={ALIAS}"),
        format!("HostKeyAlgorithms={}", key.algorithms()),
        "CheckHostIP=no".to_owned(),
        "UpdateHostKeys=no".to_owned(),
        "ForwardAgent=no".to_owned(),
        "ForwardX11=no".to_owned(),
        "ClearAllForwardings=yes".to_owned(),
        "PermitLocalCommand=no".to_owned(),
        "RemoteCommand=none".to_owned(),
        "LogLevel=ERROR".to_owned(),
        "ConnectTimeout=10".to_owned(),
        "ServerAliveInterval=5".to_owned(),
        "ServerAliveCountMax=3".to_owned(),
        format!("ControlPath={}", socket.display()),
    ] {
        options.extend(["-o".to_owned(), option]);
    }
    if let Some(port) = destination.port {
        options.extend(["-p".to_owned(), port.to_string()]);
    }
    if let Some(user) = &destination.user {
        options.extend(["-l".to_owned(), user.clone()]);
    }
    if let Some(identity) = &destination.identity {
        options.extend(["-i".to_owned(), identity.display().to_string()]);
        options.extend(["-o".to_owned(), "IdentitiesOnly=yes".to_owned()]);
    }
    options
}

/// A name that is short enough for a socket.
fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(8).fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    // The words of OpenSSH are read, so they must be these.
    command.env("LC_ALL", "C");
    command
}

/// A directory that nobody else can enter; one that somebody else owns is refused.
pub(crate) fn private(directory: &Path) -> Result<(), RemoteError> {
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
    let refused = |source| RemoteError::Prepare { path: directory.display().to_string(), source };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(refused)?;
    let data = std::fs::symlink_metadata(directory).map_err(refused)?;
    // A file made in it shows who we are.
    let own = tempfile_owner(directory).map_err(refused)?;
    if !data.is_dir() || data.uid() != own {
        return Err(refused(io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to somebody else")));
    }
    if data.mode() & 0o077 != 0 {
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700)).map_err(refused)?;
    }
    Ok(())
}

/// The user as whom this process makes files.
fn tempfile_owner(directory: &Path) -> io::Result<u32> {
    use std::os::unix::fs::MetadataExt as _;
    let path = directory.join(format!(".owner-{}", std::process::id()));
    let file = std::fs::File::create(&path)?;
    let owner = file.metadata()?.uid();
    std::fs::remove_file(&path)?;
    Ok(owner)
}

fn write(path: &Path, text: &str) -> Result<(), RemoteError> {
    let refused = |source| RemoteError::Prepare { path: path.display().to_string(), source };
    if read(path).as_deref() == Some(text) {
        return Ok(());
    }
    let fresh = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = std::fs::File::create(&fresh).map_err(refused)?;
    io::Write::write_all(&mut file, text.as_bytes()).map_err(refused)?;
    std::fs::rename(&fresh, path).map_err(refused)
}

#[expect(clippy::disallowed_methods, reason = "these are the connection's own files")]
pub(crate) fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}
