//! A certificate for the live service's host, of an authority that exists for one test only.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use tempfile::TempDir;

use crate::mock_support::Mock;

/// The host that every request of a live run is for.
pub(crate) const HOST: &str = plimsoll::run::live::HOST;

/// A mock that stands in for the live service, and the root that vouches for it.
pub(crate) struct StandIn {
    pub(crate) mock: Mock,
    pub(crate) ca: PathBuf,
    _dir: TempDir,
}

impl StandIn {
    /// Stands in for the live service; requests get `script`.
    pub(crate) fn serving(script: &str) -> Self {
        Self::named(HOST, script)
    }

    /// Shows a certificate for `name`.
    pub(crate) fn named(name: &str, script: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |file: &str| dir.path().join(file);
        let root = authority();
        let mut leaf = CertificateParams::new([name.to_owned()]).unwrap();
        leaf.is_ca = IsCa::ExplicitNoCa;
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().unwrap();
        std::fs::write(at("chain.pem"), leaf.signed_by(&key, &root).unwrap().pem()).unwrap();
        std::fs::write(at("key.pem"), key.serialize_pem()).unwrap();
        std::fs::write(at("ca.pem"), root.pem()).unwrap();
        let (chain, key) = (text(&at("chain.pem")), text(&at("key.pem")));
        let mock = Mock::with(&["--chain", &chain, "--key", &key, "--script", script]);
        Self { mock, ca: at("ca.pem"), _dir: dir }
    }

    /// The arguments that lead `plimsoll` here in place of the live service.
    pub(crate) fn here(&self) -> [String; 4] {
        let resolve = format!("{HOST}:{}:127.0.0.1", self.mock.port);
        ["--resolve".to_owned(), resolve, "--ca".to_owned(), text(&self.ca)]
    }
}

/// Somebody who signs certificates.
pub(crate) fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

pub(crate) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
