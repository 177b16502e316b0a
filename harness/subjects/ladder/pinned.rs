//! A TLS configuration as the levels make it: the pinned roots, and the cryptography that the program names.

use std::sync::Arc;

use plimsoll_worker::{Env, Failure};
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// Trusts the bundle of the run, and no other roots.
///
/// # Errors
/// When the bundle cannot be read.
pub(crate) fn roots(env: &Env, provider: CryptoProvider) -> Result<ClientConfig, Failure> {
    let mut store = RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(&env.ca)? {
        store.add(root?)?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(store).with_no_client_auth())
}
