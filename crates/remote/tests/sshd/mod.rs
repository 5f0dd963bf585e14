//! A server of the test on the loopback interface, with keys of its own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use plimsoll_remote::{Destination, HostKey, OpenSsh, Pin};
use tempfile::TempDir;

pub(crate) struct Sshd {
    process: Child,
    folder: TempDir,
    pub(crate) port: u16,
}

#[expect(clippy::disallowed_methods, reason = "starts the server of the test")]
pub(crate) fn program(name: &str) -> Command {
    Command::new(name)
}

#[expect(clippy::disallowed_methods, reason = "prepares and reads files of the test")]
pub(crate) fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

pub(crate) fn keygen(path: &Path) {
    let status = program("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"])
        .arg(path)
        .status()
        .unwrap();
    assert!(status.success());
}

impl Sshd {
    /// A server, or nothing with the reason in words.
    pub(crate) fn start() -> Option<Self> {
        let binary =
            ["/usr/sbin/sshd", "/usr/local/sbin/sshd"].into_iter().find(|path| Path::new(path).exists());
        let Some(binary) = binary else {
            println!("skipped: no sshd here; on Debian: apt-get install openssh-server");
            return None;
        };
        let folder = TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        keygen(&at("host"));
        keygen(&at("user"));
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nStrictModes no\nPermitRootLogin yes\n\
             LogLevel VERBOSE\n",
            at("host").display(),
            at("user.pub").display(),
        );
        #[expect(clippy::disallowed_methods, reason = "prepares files of the test")]
        std::fs::write(at("config"), config).unwrap();
        // Where the server runs as root it wants its own empty directory.
        drop(std::fs::create_dir_all("/run/sshd"));
        let log = std::fs::File::create(at("log")).unwrap();
        let process = program(binary).args(["-D", "-e", "-f"]).arg(at("config")).stderr(log).spawn().unwrap();
        let started = Instant::now();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        while TcpStream::connect(address).is_err() {
            assert!(started.elapsed() < Duration::from_secs(10), "sshd: {}", text(&at("log")));
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self { process, folder, port })
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn key(&self) -> HostKey {
        HostKey::parse(&text(&self.at("host.pub"))).unwrap()
    }

    pub(crate) fn destination(&self) -> Destination {
        Destination {
            host: "127.0.0.1".to_owned(),
            port: Some(self.port),
            user: None,
            identity: Some(self.at("user")),
            pin: Pin::Key(self.key()),
        }
    }

    pub(crate) async fn connect(&self) -> OpenSsh {
        OpenSsh::connect(self.destination(), &self.at("ssh")).await.unwrap()
    }

    pub(crate) fn logins(&self) -> usize {
        text(&self.at("log")).matches("Accepted publickey").count()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
