//! Passwords in the form in which a server keeps them, so that the server never reads, and never logs, the password itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// Rounds of PostgreSQL's own verifiers (`scram_iterations`).
const ROUNDS: u32 = 4096;

/// What PostgreSQL keeps of a password: RFC 5803 in the form of `pg_authid.rolpassword`.
pub(super) fn scram(password: &str, salt: [u8; 16]) -> String {
    let mut salted = [0_u8; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, ROUNDS, &mut salted);
    let stored = Sha256::digest(keyed(&salted, b"Client Key"));
    let server = keyed(&salted, b"Server Key");
    let [salt, stored, server] = [STANDARD.encode(salt), STANDARD.encode(stored), STANDARD.encode(server)];
    format!("SCRAM-SHA-256${ROUNDS}:{salt}${stored}:{server}")
}

fn keyed(key: &[u8], text: &[u8]) -> Vec<u8> {
    // A key of any length is one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// What MariaDB's `mysql_native_password` keeps: the digest of the digest.
pub(super) fn native(password: &str) -> String {
    format!("*{}", hex(&Sha1::digest(Sha1::digest(password.as_bytes()))).to_ascii_uppercase())
}

/// What an ACL of Redis keeps.
pub(super) fn plain_digest(password: &str) -> String {
    hex(&Sha256::digest(password.as_bytes()))
}

/// A literal of MySQL with the modes that it has when a session sets none.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exchange of RFC 7677, chapter 3: its server signature follows from the server key of our verifier.
    #[test]
    fn verifiers_are_those_of_the_standard() {
        let salt: [u8; 16] = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap().try_into().unwrap();
        let verifier = scram("pencil", salt);
        let message = b"n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7so\
            EsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let key = STANDARD.decode(verifier.rsplit(':').next().unwrap()).unwrap();
        assert_eq!(STANDARD.encode(keyed(&key, message)), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        assert!(verifier.starts_with("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"), "{verifier}");
    }

    #[test]
    fn digests_are_those_of_the_manuals() {
        assert_eq!(native("mypass"), "*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4");
        assert_eq!(plain_digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(literal("it's \\"), "'it''s \\\\'");
    }
}
