//! Host keys that are made before their guest is.

use std::io;
use std::path::Path;
use std::process::Stdio;

use crate::open_ssh::{private, program, read};
use crate::{HostKey, RemoteError};

/// A new host key for a guest that does not exist yet.
pub struct KeyPair {
    /// The private half, as OpenSSH writes it.
    pub private: String,
    /// What the guest will show.
    pub public: HostKey,
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyPair").field("public", &self.public).finish_non_exhaustive()
    }
}

impl KeyPair {
    /// Makes one. Its files stand for a moment in `directory`, which is its owner's only, and are gone afterwards.
    pub async fn generate(directory: &Path) -> Result<Self, RemoteError> {
        private(directory)?;
        let path = directory.join(format!("new-host-key-{}", std::process::id()));
        let public = path.with_extension("pub");
        let remove = || {
            for file in [&path, &public] {
                let _ = std::fs::remove_file(file);
            }
        };
        remove();
        let mut command = program("ssh-keygen");
        command.args(["-q", "-t", "ed25519", "-N", "", "-C", "plimsoll", "-f"]).arg(&path);
        let output = command.stdin(Stdio::null()).output().await.map_err(RemoteError::Start)?;
        let pair = read(&path).zip(read(&public));
        remove();
        let broken = || {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            RemoteError::Prepare { path: path.display().to_string(), source: io::Error::other(text) }
        };
        let (private, public) = pair.filter(|_| output.status.success()).ok_or_else(broken)?;
        let public = HostKey::parse(&public).map_err(|_| broken())?;
        Ok(Self { private, public })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn two_keys_are_two_and_their_files_are_gone() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("own");
        let (one, two) = (KeyPair::generate(&place).await.unwrap(), KeyPair::generate(&place).await.unwrap());
        assert_ne!(one.public, two.public);
        assert!(one.private.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----"));
        assert!(!format!("{one:?}").contains("PRIVATE"));
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0);
    }
}
