//! A verifier that keeps no roots: it reads, at a handshake, those that the server's chain names as issuers, and lets rustls's own
//! verifier judge by them.
//!
//! webpki compares an issuer's name with every root's subject and looks no further at a root whose subject is another, so the verdict
//! is the same as over all roots. What is saved is a parsed copy of each: 62 KiB for 119 roots.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD as STANDARD;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::hash::Hash;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{DigitallySignedStruct, RootCertStore, SignatureScheme, SupportedCipherSuite};
use rustls_pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, anchor_from_trusted_cert};

use crate::error::Error;

/// How much of a bundle is read at once, bytes.
const PIECE: usize = 2 << 10;

/// Verifies by roots that are read when they are needed.
#[derive(Debug)]
pub(crate) struct LeanVerifier {
    roots: Roots,
    provider: Arc<CryptoProvider>,
    /// What the last chain that was believed needed: a server shows the same one again.
    known: Mutex<Option<Arc<Known>>>,
}

/// Where the roots are.
#[derive(Debug)]
enum Roots {
    /// Mozilla's, compiled in.
    Compiled,
    /// In a PEM file, which stays open: what is put in its place later changes nothing.
    File { file: Mutex<File>, path: PathBuf, digest: Digest },
}

/// The judge of chains with these issuers.
#[derive(Debug)]
struct Known {
    issuers: Vec<Vec<u8>>,
    judge: Arc<WebPkiServerVerifier>,
}

impl LeanVerifier {
    /// Trusts Mozilla's roots.
    pub(crate) fn compiled(provider: Arc<CryptoProvider>) -> Self {
        Self { roots: Roots::Compiled, provider, known: Mutex::default() }
    }

    /// Trusts the roots in a PEM file as it is now.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a file that cannot be read, is not PEM, or holds no root that can be read.
    pub(crate) fn file(path: PathBuf, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let what = format!("the trust bundle {}", path.display());
        let file = File::open(&path).map_err(|error| Error::config(format!("cannot read {what}: {error}")))?;
        let (mut found, mut readable) = (false, false);
        let digest = read_bundle(&file, &provider, |root| {
            found = true;
            readable = readable || anchor_from_trusted_cert(&root).is_ok();
        });
        let digest = digest.map_err(|error| Error::config(format!("{what} is not PEM: {error}")))?;
        match (found, readable) {
            (false, _) => Err(Error::config(format!("{what} holds no certificate in PEM form"))),
            (true, false) => Err(Error::config(format!("none of the root certificates in {what} can be read"))),
            (true, true) => Ok(Self {
                roots: Roots::File { file: Mutex::new(file), path, digest },
                provider,
                known: Mutex::default(),
            }),
        }
    }

    /// Who judges a chain with these issuers.
    fn judge(&self, issuers: &[&[u8]]) -> Result<Arc<Known>, rustls::Error> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| known.issuers == issuers) {
            return Ok(known);
        }
        let (mut roots, mut other) = (RootCertStore::empty(), None);
        let mut pick = |root: TrustAnchor<'_>| {
            if issuers.contains(&&*root.subject) {
                roots.roots.push(root.to_owned());
            } else if other.is_none() {
                other = Some(root.to_owned());
            }
        };
        match &self.roots {
            Roots::Compiled => {
                webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().flat_map(anchor_from_trusted_cert).for_each(pick);
            }
            Roots::File { file, path, digest } => {
                let file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let read = read_bundle(&file, &self.provider, |root| {
                    if let Ok(root) = anchor_from_trusted_cert(&root) {
                        pick(root);
                    }
                });
                let changed = || unusable(format!("the trust bundle {} has changed since it was read", path.display()));
                if read.map_err(|_| changed())? != *digest {
                    return Err(changed());
                }
            }
        }
        // Without a root there is no verifier. With one that the chain does not name, it says what is wrong with the chain.
        if roots.is_empty() {
            roots.roots.extend(other);
        }
        let judge = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider)).build();
        let judge = judge.map_err(|error| unusable(error.to_string()))?;
        Ok(Arc::new(Known { issuers: issuers.iter().map(|issuer| issuer.to_vec()).collect(), judge }))
    }
}

impl ServerCertVerifier for LeanVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // A certificate that cannot be read names nobody: the judge refuses it or passes it over, as it did before.
        let chain: Vec<_> =
            std::iter::once(end_entity).chain(intermediates).flat_map(EndEntityCert::try_from).collect();
        let issuers: Vec<_> = chain.iter().map(|certificate| certificate.issuer()).collect();
        let known = self.judge(&issuers)?;
        let verified = known.judge.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(verified)
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

/// What a bundle holds, in short.
type Digest = Box<[u8]>;

/// Reads a bundle from its beginning, a small piece at a time, and says what it held.
fn read_bundle(
    mut file: &File,
    provider: &CryptoProvider,
    mut each: impl FnMut(CertificateDer<'_>),
) -> io::Result<Digest> {
    file.rewind()?;
    let mut digest = hash(provider)?.start();
    // The same three buffers for every root: of roots that are allocated and freed one after the other, the heap keeps the holes.
    let mut lines = BufReader::with_capacity(PIECE, file);
    let (mut line, mut text, mut der) = (Vec::with_capacity(80), Vec::with_capacity(2 * PIECE), Vec::new());
    let mut inside = false;
    while lines.read_until(b'\n', &mut line)? > 0 {
        for piece in line.split(|byte| *byte == b'\r').map(<[u8]>::trim_ascii) {
            if piece.starts_with(b"-----BEGIN ") {
                inside = piece == b"-----BEGIN CERTIFICATE-----";
                text.clear();
            } else if inside && piece == b"-----END CERTIFICATE-----" {
                der.resize(base64::decoded_len_estimate(text.len()), 0);
                let length = STANDARD.decode_slice(&text, &mut der).map_err(io::Error::other)?;
                digest.update(&der[..length]);
                each(CertificateDer::from(&der[..length]));
                inside = false;
            } else if inside {
                text.extend_from_slice(piece);
            }
        }
        line.clear();
    }
    if inside {
        return Err(io::Error::other("its last certificate has no end"));
    }
    Ok(digest.finish().as_ref().into())
}

/// A hash function of a provider: that of its first cipher suite.
fn hash(provider: &CryptoProvider) -> io::Result<&'static dyn Hash> {
    let suite = provider.cipher_suites.iter().find_map(SupportedCipherSuite::tls13);
    suite.map(|suite| suite.common.hash_provider).ok_or_else(|| io::Error::other("there is no TLS 1.3"))
}

fn unusable(why: impl Into<String>) -> rustls::Error {
    rustls::Error::General(why.into())
}

#[cfg(test)]
mod tests;
