//! Roots and cryptography, as reqwest's own client takes them and as a rustls configuration.

use std::fs;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use rustls_platform_verifier::BuilderVerifierExt;

use super::session::OneSession;
use super::trust::LeanVerifier;
use crate::error::Error;
use crate::options::{Crypto, Protocol, Trust};

/// For how many servers TLS sessions are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sessions {
    /// As many as rustls does by itself: 32, allocated at once.
    Many,
    /// One: a provider speaks to one server.
    One,
}

/// The roots in the form that reqwest's own builder takes; `None`: the platform's.
pub(crate) fn reqwest_roots(trust: &Trust) -> Result<Option<Vec<reqwest::Certificate>>, Error> {
    let Some(roots) = roots(trust)? else { return Ok(None) };
    let roots = roots.iter().map(|root| reqwest::Certificate::from_der(root));
    roots
        .collect::<Result<_, _>>()
        .map(Some)
        .map_err(|error| Error::config(format!("a root certificate cannot be read: {error}")))
}

/// A rustls configuration of its own: no process-wide provider is installed or asked for.
pub(crate) fn tls_config(
    trust: &Trust,
    crypto: Crypto,
    protocol: Protocol,
    sessions: Sessions,
) -> Result<ClientConfig, Error> {
    let provider: CryptoProvider = match crypto {
        Crypto::Default | Crypto::AwsLc => rustls::crypto::aws_lc_rs::default_provider(),
        Crypto::Ring => rustls::crypto::ring::default_provider(),
    };
    let tls = |error: rustls::Error| Error::config(format!("TLS cannot be set up: {error}"));
    let builder =
        ClientConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions().map_err(tls)?;
    let builder = match roots(trust)? {
        None => builder.with_platform_verifier().map_err(tls)?,
        Some(roots) => builder.with_root_certificates(store(roots)?),
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = names(protocol);
    if sessions == Sessions::One {
        config.resumption = Resumption::in_memory_sessions(1);
    }
    Ok(config)
}

/// A rustls configuration that keeps next to nothing: no roots where they can be read again ([`LeanVerifier`]), one session
/// ([`OneSession`]). Its cryptography is ring's unless another is asked for: AWS-LC takes 150 KiB more for its first handshake.
pub(crate) fn lean_tls_config(trust: &Trust, crypto: Crypto, protocol: Protocol) -> Result<ClientConfig, Error> {
    let provider = Arc::new(match crypto {
        Crypto::Default | Crypto::Ring => rustls::crypto::ring::default_provider(),
        Crypto::AwsLc => rustls::crypto::aws_lc_rs::default_provider(),
    });
    let tls = |error: rustls::Error| Error::config(format!("TLS cannot be set up: {error}"));
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(tls)?;
    // What rustls calls dangerous is a verifier of one's own; this one asks rustls's.
    let builder = match trust {
        Trust::Platform => builder.with_platform_verifier().map_err(tls)?,
        Trust::WebPkiRoots => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(LeanVerifier::compiled(provider)))
        }
        Trust::PemFile(path) => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(LeanVerifier::file(path.clone(), provider)?))
        }
        Trust::Pem(pem) => builder.with_root_certificates(store(read_pem(pem, "the trust bundle")?)?),
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = names(protocol);
    config.resumption = Resumption::store(Arc::new(OneSession::default()));
    Ok(config)
}

/// The names of what is offered, best first.
fn names(protocol: Protocol) -> Vec<Vec<u8>> {
    match protocol {
        Protocol::Auto => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        Protocol::Http1 => vec![b"http/1.1".to_vec()],
        Protocol::Http2 => vec![b"h2".to_vec()],
    }
}

fn store(roots: Vec<CertificateDer<'_>>) -> Result<RootCertStore, Error> {
    let mut store = RootCertStore::empty();
    match store.add_parsable_certificates(roots) {
        (0, _) => Err(Error::config("none of the root certificates can be read")),
        _ => Ok(store),
    }
}

fn read_pem(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match roots {
        Ok(roots) if roots.is_empty() => Err(Error::config(format!("{what} holds no certificate in PEM form"))),
        Ok(roots) => Ok(roots),
        Err(error) => Err(Error::config(format!("{what} is not PEM: {error}"))),
    }
}

/// The roots to trust and no others; `None`: the platform's.
fn roots(trust: &Trust) -> Result<Option<Vec<CertificateDer<'static>>>, Error> {
    match trust {
        Trust::Platform => Ok(None),
        Trust::WebPkiRoots => Ok(Some(webpki_root_certs::TLS_SERVER_ROOT_CERTS.to_vec())),
        Trust::Pem(pem) => read_pem(pem, "the trust bundle").map(Some),
        Trust::PemFile(path) => {
            let pem = fs::read(path)
                .map_err(|error| Error::config(format!("cannot read the trust bundle {}: {error}", path.display())))?;
            read_pem(&pem, &format!("the trust bundle {}", path.display())).map(Some)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_of_cryptography_and_roots_can_be_set_up() {
        for crypto in [Crypto::Default, Crypto::Ring, Crypto::AwsLc] {
            let config = tls_config(&Trust::WebPkiRoots, crypto, Protocol::Auto, Sessions::Many).unwrap();
            assert_eq!(config.alpn_protocols, [&b"h2"[..], b"http/1.1"]);
        }
        assert!(CryptoProvider::get_default().is_none(), "nothing may be installed for the whole process");
        assert!(reqwest_roots(&Trust::WebPkiRoots).unwrap().unwrap().len() > 100);
        assert!(reqwest_roots(&Trust::Platform).unwrap().is_none());
    }

    #[test]
    fn a_bundle_that_cannot_be_read_says_which() {
        let error = tls_config(&Trust::PemFile("/nowhere/ca.pem".into()), Crypto::Ring, Protocol::Auto, Sessions::One)
            .unwrap_err();
        assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
        for pem in ["", "hello", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"] {
            assert!(
                tls_config(&Trust::Pem(pem.into()), Crypto::Ring, Protocol::Auto, Sessions::One).is_err(),
                "{pem:?}"
            );
        }
    }
}
