//! Which certificates are believed.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use sha2::{Digest as _, Sha256};

use crate::Error;

/// SHA-256 of a certificate, as the node shows it: upper-case pairs with colons.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a certificate in DER.
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Text that is no SHA-256 fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no SHA-256 fingerprint: 32 pairs of hexadecimal digits, with colons or without")]
pub struct FingerprintError(String);

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let wrong = || FingerprintError(text.to_owned());
        let digits: String = text.trim().chars().filter(|character| *character != ':').collect();
        if digits.len() != 64 || !digits.is_ascii() {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let pair = digits.get(2 * index..2 * index + 2).ok_or_else(wrong)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

/// Whom the client believes to be the node.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Whoever the machine's own certificate store vouches for.
    System,
    /// Whoever these certificates vouch for (PEM), usually the cluster's own authority, `/etc/pve/pve-root-ca.pem`.
    Authority(Vec<u8>),
    /// The one certificate with this fingerprint, whatever name it carries. It changes when the node renews its certificate.
    Pinned(Fingerprint),
}

/// What was seen instead of the pinned certificate.
pub(crate) type Seen = Arc<Mutex<Option<Fingerprint>>>;

impl Trust {
    pub(crate) fn client_config(&self) -> Result<(ClientConfig, Seen), Error> {
        let provider = Arc::new(ring::default_provider());
        let seen = Seen::default();
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|source| Error::Setup { what: "TLS", source: source.into() })?;
        let config = match self {
            Self::Pinned(pin) => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Pin { pin: *pin, seen: seen.clone(), provider }))
                .with_no_client_auth(),
            Self::System => builder.with_root_certificates(system_roots()).with_no_client_auth(),
            Self::Authority(pem) => builder.with_root_certificates(roots(pem)?).with_no_client_auth(),
        };
        Ok((config, seen))
    }
}

fn system_roots() -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    store
}

fn roots(pem: &[u8]) -> Result<RootCertStore, Error> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate
            .map_err(|source| Error::Setup { what: "the CA file", source: source.to_string().into() })?;
        store
            .add(certificate)
            .map_err(|source| Error::Setup { what: "the CA file", source: source.into() })?;
    }
    if store.is_empty() {
        return Err(Error::Setup { what: "the CA file", source: "it holds no certificate".into() });
    }
    Ok(store)
}

/// Believes one certificate. The signatures of the handshake are still checked: who shows the certificate must own its key.
#[derive(Debug)]
struct Pin {
    pin: Fingerprint,
    seen: Seen,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let seen = Fingerprint::of(end_entity);
        if seen == self.pin {
            return Ok(ServerCertVerified::assertion());
        }
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        Err(rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::Fingerprint;

    #[test]
    fn fingerprints_are_read_with_and_without_colons() {
        let of_nothing = Fingerprint::of(b"");
        let text = of_nothing.to_string();
        assert!(text.starts_with("E3:B0:C4:42"));
        assert_eq!(text.parse::<Fingerprint>().unwrap(), of_nothing);
        assert_eq!(text.replace(':', "").to_lowercase().parse::<Fingerprint>().unwrap(), of_nothing);
        for wrong in ["", "AA:BB", "zz"] {
            assert!(wrong.parse::<Fingerprint>().is_err());
        }
    }
}
