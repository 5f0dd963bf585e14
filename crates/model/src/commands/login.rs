//! Logins that give a password.

use super::Command;
use super::command::OptionValue;

impl Command {
    /// The password that a login gives: `sshpass -p`, PuTTY's `plink -pw` and `pscp -pw`, Paramiko's `connect`.
    #[must_use]
    pub fn login_password(&self) -> Option<OptionValue<'_>> {
        match self.program.as_str() {
            "sshpass" => self.option(&["-p"]),
            "plink" | "pscp" | "psftp" | "plink.exe" | "pscp.exe" => self.option(&["-pw"]),
            "paramiko" if self.arg(0) == Some("connect") => self.option(&["--password"]),
            _ => None,
        }
    }
}
