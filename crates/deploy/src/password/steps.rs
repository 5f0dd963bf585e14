//! Asking and telling a server, in its own container.

use std::sync::Arc;
use std::time::Duration;

use plimsoll_config::Rotate;
use plimsoll_remote::{Input, Job};

use super::answer::Answer;
use super::change::Change;
use crate::error::DeployError;
use crate::guest::{Action, Guest, Lock, script};
use crate::run::{LOCK_WAIT, Runner, Stop, stopped};

/// Seconds in which a server that just started must answer.
const PATIENCE: u64 = 60;

/// What is done with a server's password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// The new value must be taken; the old one may be.
    Tell,
    /// The old value must be taken, and no other one.
    Back,
    /// The new value must be taken, and no other one, by the server and by earlier releases.
    Settle,
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Self::Tell => "tell",
            Self::Back => "back",
            Self::Settle => "settle",
        }
    }
}

fn inside(change: &Change) -> String {
    let own = match change.server.kind {
        Rotate::Postgres => script!("postgres"),
        Rotate::Mysql => script!("mysql"),
        Rotate::Redis => script!("redis"),
    };
    [script!("head"), own, script!("inside")].concat()
}

impl Guest {
    fn password(&self, change: &Change, verb: &str, patience: u64) -> Vec<String> {
        let server = &change.server;
        let words = [verb, &server.service, &patience.to_string(), &change.name, &inside(change)];
        words.into_iter().chain(server.users.iter().map(String::as_str)).map(ToOwned::to_owned).collect()
    }

    async fn which(&self, change: &Change) -> Result<Answer, DeployError> {
        let script = ["A=$1 D=/var/lib/plimsoll/$1; shift\n", script!("step")].concat();
        let job = Job::new("asking the server", script)
            .arg(&self.app)
            .args(self.password(change, "ask", 10))
            .as_root()
            .input(Input::Bytes(change.input()));
        Ok(Answer::parse(&self.ssh.run(job).await?.success()?.text()))
    }
}

impl Runner {
    /// Asks the server which of the two values it takes. Changes nothing.
    pub async fn which(&self, change: &Change) -> Result<Answer, DeployError> {
        self.guest.which(change).await
    }

    /// Takes the old value away, from the server and from earlier releases, once the new one serves.
    pub async fn settle(&self, change: &Arc<Change>) -> Result<(), DeployError> {
        let runner = Self { change: Some(Arc::clone(change)), ..self.clone() };
        let lock = self
            .guest
            .lock(self.guest.shell().await?, (&self.who, "a password changed"), LOCK_WAIT, false)
            .await?;
        let result = match self.guest.look(&lock.shell, crate::guest::Depth::Now, &[]).await {
            Ok(state) => runner.password(&lock, state.good.unwrap_or_default(), Verb::Settle).await,
            Err(error) => Err(error),
        };
        lock.release().await;
        result?.map_err(|stop| DeployError::Password {
            service: change.server.service.clone(),
            reason: stop.reason,
        })
    }

    /// Whether this service is the server whose password changes.
    pub(crate) fn is_told(&self, service: &str) -> bool {
        self.change.as_ref().is_some_and(|change| change.server.service == service)
    }

    /// Does this with the password that changes, if one does.
    pub(crate) async fn password(
        &self,
        lock: &Lock,
        release: u64,
        verb: Verb,
    ) -> Result<Result<(), Stop>, DeployError> {
        let Some(change) = &self.change else { return Ok(Ok(())) };
        let name = format!("password {} {}", verb.word(), change.server.service);
        let action = Action::new(&name, release, "password")
            .args(self.guest.password(change, verb.word(), PATIENCE))
            .input(Input::Bytes(change.input()))
            .limit(Duration::from_secs(PATIENCE * 4));
        let output = self.guest.step(lock, action).await?;
        Ok(stopped(&name, Some(&change.server.service), &output))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::path::{Path, PathBuf};
    use std::process::{Child, Command, Stdio};

    use super::*;
    use crate::password::Server;

    /// A server of the tester's own, with an account `shop` and one of `root` for each of two hosts.
    struct Maria {
        folder: tempfile::TempDir,
        programs: PathBuf,
        child: Child,
    }

    #[expect(clippy::disallowed_methods, reason = "starts the server that the tester names")]
    impl Maria {
        fn command(folder: &Path, programs: &Path, name: &str) -> Command {
            let mut command = Command::new(programs.join(name));
            let path = format!("{}:/usr/bin:/bin", programs.join("bin").display());
            command
                .env("PATH", path)
                .env("MYSQL_TCP_PORT", "13306")
                .env("MYSQL_UNIX_PORT", folder.join("socket"));
            command.env("LD_LIBRARY_PATH", programs.join("lib/x86_64-linux-gnu"));
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command
        }

        fn start() -> Option<Self> {
            let programs = PathBuf::from(std::env::var_os("PLIMSOLL_TEST_MARIADB")?);
            let folder = tempfile::tempdir().unwrap();
            let data = folder.path().join("data");
            let with = |name: &str, more: &[String]| {
                let mut command = Self::command(folder.path(), &programs, name);
                command.args(["--no-defaults", "--user=root"]).args(more);
                command
                    .arg(format!("--basedir={}", programs.display()))
                    .arg(format!("--datadir={}", data.display()));
                command
            };
            let kind = "--auth-root-authentication-method=normal".to_owned();
            assert!(with("bin/mariadb-install-db", &[kind]).status().unwrap().success());
            let messages = format!("--lc-messages-dir={}", programs.join("share/mysql").display());
            let log = format!("--general-log-file={}", folder.path().join("log").display());
            let more = [messages, log, "--general-log=1".to_owned(), "--skip-name-resolve".to_owned()];
            let child = with("sbin/mariadbd", &more).spawn().unwrap();
            let server = Self { folder, programs, child };
            for _ in 0..100 {
                if server.sql("select 1") {
                    break;
                }
                std::thread::sleep(Duration::from_millis(200));
            }
            assert!(server.sql(
                "create user shop@'%' identified by 'first'; create user root@'%' identified by 'first'; \
                 grant all on *.* to root@'%' with grant option; set password = password('first')"
            ));
            Some(server)
        }

        fn sql(&self, text: &str) -> bool {
            let mut command = Self::command(self.folder.path(), &self.programs, "bin/mariadb");
            command
                .args(["--no-defaults", "--protocol=socket", "-u", "root", "-e", text])
                .status()
                .unwrap()
                .success()
        }

        fn does(&self, change: &Change, verb: &str, user: &str) -> Answer {
            let mut command = Self::command(self.folder.path(), &self.programs, "/bin/sh");
            command.args(["-c", &inside(change), "plimsoll", verb, user, "5"]).stdin(Stdio::piped());
            let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(&change.input()).unwrap();
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{verb} of {user}");
            Answer::parse(&String::from_utf8_lossy(&output.stdout))
        }
    }

    impl Drop for Maria {
        fn drop(&mut self) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }

    #[test]
    #[ignore = "needs MariaDB's server, which the project's checks do not install: PLIMSOLL_TEST_MARIADB=/usr names where its \
                bin/ and sbin/ are"]
    #[expect(clippy::disallowed_methods, reason = "reads the log of the server under test")]
    fn mariadb_is_told_a_password_and_told_back_without_reading_it() {
        let Some(maria) = Maria::start() else { return };
        let users = vec!["root".to_owned(), "shop".to_owned()];
        let server = Server {
            kind: Rotate::Mysql,
            service: "db".to_owned(),
            users: users.clone(),
            because: String::new(),
        };
        let change = Change::new("DB_PASSWORD", server, ("first", "second's"), [[1; 16]; 2]).unwrap();
        for user in &users {
            let seen: Vec<Answer> = ["ask", "tell", "tell", "back", "back", "tell", "settle", "ask"]
                .into_iter()
                .map(|verb| maria.does(&change, verb, user))
                .collect();
            use Answer::{New, Old};
            assert_eq!(seen, [Old, Old, New, New, Old, Old, New, New], "{user}");
        }
        let log =
            String::from_utf8_lossy(&std::fs::read(maria.folder.path().join("log")).unwrap()).into_owned();
        assert!(log.contains("SET PASSWORD = '*") && !log.contains("second's"));
    }
}
