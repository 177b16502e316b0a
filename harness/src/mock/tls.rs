//! TLS as a public front end speaks it, but with handshakes of one length.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ServerSessionMemoryCache;
use rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use rustls::{ServerConfig, SignatureAlgorithm, SignatureScheme};

use super::certs::{CHAIN_PEM, LEAF_KEY_PEM};
use super::{Identity, MockError};

/// TLS 1.3 and 1.2, ALPN `h2` and `http/1.1`, two session tickets.
pub(super) fn server_config(identity: Option<&Identity>) -> Result<Arc<ServerConfig>, MockError> {
    let unusable = |error: &dyn std::fmt::Display| MockError::Certificates(error.to_string());
    let certified = match identity {
        Some(identity) => of_files(identity)?,
        None => {
            let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(CHAIN_PEM.as_bytes())
                .collect::<Result<_, _>>()
                .map_err(|error| unusable(&error))?;
            let key = PrivateKeyDer::from_pem_slice(LEAF_KEY_PEM.as_bytes()).map_err(|error| unusable(&error))?;
            let key = ring::sign::any_ecdsa_type(&key).map_err(|error| unusable(&error))?;
            CertifiedKey::new(chain, Arc::new(SameLength(key)))
        }
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| unusable(&error))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Room for every session of a run with thousands of connections, so that whether one is resumed never depends on how
    // many others came between.
    config.session_storage = ServerSessionMemoryCache::new(65_536);
    Ok(Arc::new(config))
}

/// A certificate of the user's. Nothing is measured by it, so its signatures may vary in length.
fn of_files(Identity { chain, key }: &Identity) -> Result<CertifiedKey, MockError> {
    let wrong = |path: &Path| {
        let path = path.to_owned();
        move |why: String| MockError::Identity { path, why }
    };
    let certificates = CertificateDer::pem_file_iter(chain).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = certificates.map_err(|error| wrong(chain)(error.to_string()))?;
    if certificates.is_empty() {
        return Err(wrong(chain)("there is none in it".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key)(error.to_string()))?;
    let signing = ring::sign::any_supported_type(&private).map_err(|error| wrong(key)(error.to_string()))?;
    let certified = CertifiedKey::new(certificates, signing);
    certified.keys_match().map_err(|error| wrong(key)(error.to_string()))?;
    Ok(certified)
}

/// A signing key whose signatures all have the commonest length.
///
/// An ECDSA signature is two numbers in DER, which drops leading zeros: 70 to 72 bytes as chance will have it. A client that
/// keeps it for a moment then allocates a byte more or less, and a count that should repeat to the byte does not.
#[derive(Debug)]
struct SameLength(Arc<dyn SigningKey>);

/// Two 32-byte integers, one of them with a sign byte, and their headers. Every other signature has it.
const SIGNATURE_LENGTH: usize = 71;
/// Enough that none of this length comes up less than once in 10^19 handshakes.
const ATTEMPTS: usize = 64;

impl SigningKey for SameLength {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(SameLengthSigner(self.0.choose_scheme(offered)?)))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }
}

#[derive(Debug)]
struct SameLengthSigner(Box<dyn Signer>);

impl Signer for SameLengthSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let mut signature = self.0.sign(message)?;
        for _ in 1..ATTEMPTS {
            if signature.len() == SIGNATURE_LENGTH {
                break;
            }
            signature = self.0.sign(message)?;
        }
        Ok(signature)
    }

    fn scheme(&self) -> SignatureScheme {
        self.0.scheme()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_vary_in_length_by_nature_and_not_here() {
        let key = PrivateKeyDer::from_pem_slice(LEAF_KEY_PEM.as_bytes()).unwrap();
        let key = ring::sign::any_ecdsa_type(&key).unwrap();
        let lengths = |key: &dyn SigningKey| {
            let signer = key.choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256]).unwrap();
            (0..200_u8).map(|n| signer.sign(&[n]).unwrap().len()).collect::<std::collections::BTreeSet<_>>()
        };
        assert!(lengths(&*key).len() > 1, "the trap is gone: signatures are of one length anyway");
        assert_eq!(lengths(&SameLength(key)), [SIGNATURE_LENGTH].into());
    }
}
