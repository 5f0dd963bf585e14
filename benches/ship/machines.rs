//! Two guests of one lab: one that serves, and one whose engine and network are those of the client.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::lab::{LabGuest, LabNode};
use crate::table::{Bytes, Link};

/// A guest as this machine sees it: what it counts costs the guest nothing.
pub(crate) struct Machine {
    pub(crate) address: String,
    /// Its first process.
    pub(crate) pid: u32,
    /// Where its processors' time is counted.
    group: PathBuf,
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

impl Machine {
    /// The guest that has an address, found by its first process.
    fn find(address: &str) -> Option<Self> {
        let all = std::fs::read_dir("/proc").ok()?.filter_map(Result::ok);
        let pid = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).find(|pid| {
            let status = read(format!("/proc/{pid}/status"));
            let inner = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
            inner.is_some_and(|ids| ids.split_whitespace().skip(1).eq(["1"]))
                && read(format!("/proc/{pid}/net/fib_trie")).contains(&format!("-- {address}\n"))
        })?;
        let groups = read(format!("/proc/{pid}/cgroup"));
        let of = |names: &[&str]| {
            let mut lines = groups.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
            lines.find(|(kinds, _)| kinds.split(',').any(|kind| names.contains(&kind)))
        };
        let old = of(&["cpuacct"]).map(|(_, path)| ("/sys/fs/cgroup/cpuacct", path));
        let (root, path) = old.or_else(|| Some(("/sys/fs/cgroup", of(&[""])?.1)))?;
        let mut group = PathBuf::from(format!("{root}{path}"));
        // The guest's own groups are below.
        while let Some(parent) =
            group.parent().filter(|parent| parent.to_string_lossy().contains("lxc.payload"))
        {
            group = parent.to_owned();
        }
        Some(Self { address: address.to_owned(), pid, group })
    }

    /// Lets its kernel count bytes of its network card: from and to an address, and all others.
    fn count(&self, address: &str) -> bool {
        [("PREROUTING", "-i", "-s"), ("POSTROUTING", "-o", "-d")].into_iter().all(|(chain, card, whose)| {
            let rule = ["-t", "mangle", "-A", chain, card, "eth0"];
            let ours = [&rule[..], &[whose, address]].concat();
            let others = [&rule[..], &["!", whose, address]].concat();
            self.iptables(&ours).is_some() && self.iptables(&others).is_some()
        })
    }

    /// What was counted.
    fn bytes(&self) -> Bytes {
        let text = self.iptables(&["-t", "mangle", "-nvxL"]).unwrap_or_default();
        let chains: Vec<&str> = text.split("Chain ").filter(|chain| chain.contains("ROUTING")).collect();
        let sum = |rule: usize| {
            let lines = chains.iter().filter_map(|chain| chain.lines().nth(2 + rule));
            lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
        };
        Bytes { client: sum(0), others: sum(1) }
    }

    fn iptables(&self, words: &[&str]) -> Option<String> {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.pid.to_string(), "-n", "iptables", "-w"]).args(words);
        let output = command.output().ok().filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok()
    }

    /// What its processes used of the processors.
    pub(crate) fn used(&self) -> Duration {
        let old = read(self.group.join("cpuacct.usage")).trim().parse().map(Duration::from_nanos);
        old.unwrap_or_else(|_| {
            let text = read(self.group.join("cpu.stat"));
            let micros = text.lines().find_map(|line| line.strip_prefix("usage_usec ")?.parse().ok());
            Duration::from_micros(micros.unwrap_or_default())
        })
    }
}

/// The lab with both, and how commands of the client run.
pub(crate) struct World {
    pub(crate) target: Machine,
    pub(crate) builder: Machine,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) machine: String,
    environment: Vec<(String, String)>,
    lab: LabGuest,
}

impl World {
    pub(crate) async fn new() -> Option<Self> {
        let lab = LabGuest::on(LabNode::new().await?).await?;
        let (second, _) = lab.node.boot(108, 8).await?;
        let (target, builder) = (Machine::find(&lab.address)?, Machine::find(&second)?);
        if !target.count(&builder.address) {
            println!("skipped: no iptables here that counts the guest's bytes");
            return None;
        }
        let folder = tempfile::TempDir::new().ok()?;
        let known = folder.path().join("known_hosts");
        std::fs::write(&known, format!("{} {}\n", lab.address, lab.key)).ok()?;
        let ssh = format!(
            "ssh -F none -o BatchMode=yes -o LogLevel=ERROR -o UserKnownHostsFile={} -o IdentitiesOnly=yes -i {}",
            known.display(),
            lab.identity.display()
        );
        let guest = format!("root@{}", lab.address);
        let environment = [
            // Unix sockets are reached through the file system of whoever listens.
            ("DOCKER_HOST", format!("unix:///proc/{}/root/run/docker.sock", builder.pid)),
            ("HOME", folder.path().display().to_string()),
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("LC_ALL", "C".to_owned()),
            ("G", guest.clone()),
            ("SSH", ssh.clone()),
            ("ON", format!("{ssh} {guest}")),
            ("PLIMSOLL", env!("CARGO_BIN_EXE_plimsoll").to_owned()),
            ("PLIMSOLL_GUEST", guest),
            ("PLIMSOLL_HOST_KEY", lab.key.to_string()),
            ("PLIMSOLL_IDENTITY", lab.identity.display().to_string()),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let machine = lab.node.network.machine.clone();
        Some(Self { target, builder, folder, machine, environment, lab })
    }

    /// Bytes of the guest's network card so far.
    pub(crate) fn bytes(&self) -> Bytes {
        self.target.bytes()
    }

    /// A line for the shell of the client: files of this machine, network of the guest that builds.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args([
            "-t",
            &self.builder.pid.to_string(),
            "-n",
            "--",
            "bash",
            "-euo",
            "pipefail",
            "-c",
            line,
        ]);
        command.env_clear().envs(self.environment.clone()).current_dir(self.folder.path());
        command
    }

    /// Runs a line; what it printed, or its complaint.
    pub(crate) fn run(
        &self,
        line: &str,
        folder: &Path,
        variables: &[(&str, String)],
    ) -> Result<String, String> {
        let variables = variables.iter().map(|(name, value)| (*name, value.as_str()));
        let output = self.command(line).current_dir(folder).envs(variables).output();
        let output = output.map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        let lines: Vec<&str> = said.lines().collect();
        Err(lines[lines.len().saturating_sub(12)..].join("\n"))
    }

    /// Makes the network between the two as fast as this, or as fast as it is.
    pub(crate) fn shape(&self, link: Link) -> Result<(), String> {
        for machine in [&self.builder, &self.target] {
            let enter = format!("nsenter -t {} -n tc qdisc", machine.pid);
            let line = match link {
                Link::Open => format!("{enter} del dev eth0 root 2>/dev/null || true"),
                Link::Slow => {
                    format!("{enter} add dev eth0 root tbf rate 20mbit burst 16kb latency 200ms")
                }
            };
            let output = Command::new("sh").args(["-c", &line]).output();
            let output = output.map_err(|error| error.to_string())?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into_owned());
            }
        }
        Ok(())
    }

    /// Gives the client BuildKit's plugin, as it comes with Docker; all ways that build here use it.
    pub(crate) fn buildx(&self) {
        let from = format!("/proc/{}/root/usr/libexec/docker/cli-plugins/docker-buildx", self.builder.pid);
        let plugins = self.folder.path().join(".docker/cli-plugins");
        std::fs::create_dir_all(&plugins).unwrap();
        if let Err(error) = std::fs::copy(from, plugins.join("docker-buildx")) {
            println!("the client has no buildx: {error}");
        }
    }

    /// Connections that the guest's sshd has accepted, the one that asks among them.
    pub(crate) fn connections(&self) -> u64 {
        let line =
            "$ON 'journalctl --sync; journalctl -q --no-pager -t sshd -t sshd-session | grep -c Accepted'";
        let said = self.run(line, self.folder.path(), &[]).unwrap_or_default();
        said.trim().parse().unwrap_or_default()
    }

    pub(crate) async fn close(mut self) {
        self.lab.close().await;
    }
}
