//! Makes the mock's certificates anew and writes them to `harness/src/mock/certs/`. Run once; what it wrote is committed:
//!
//! ```text
//! cargo run --release -p plimsoll --example make_certificates
//! ```
//!
//! The chain has the shape of a public one: a root that clients are told to trust, two intermediates, a leaf. The keys of the
//! root and of the intermediates are dropped here and never written, so nobody can make a certificate that somebody's copy
//! of the trust bundle would believe; the leaf's key is committed, and is good for `localhost` and nothing else.
//! New certificates are other bytes, so figures measured with them are not comparable with figures from before.

use std::error::Error;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, date_time_ymd,
};

fn main() -> Result<(), Box<dyn Error>> {
    let root = CertifiedIssuer::self_signed(authority("Plimsoll Mock Root", 2), key()?)?;
    let first = CertifiedIssuer::signed_by(authority("Plimsoll Mock Intermediate 1", 1), key()?, &root)?;
    let second = CertifiedIssuer::signed_by(authority("Plimsoll Mock Intermediate 2", 0), key()?, &first)?;
    let leaf_key = key()?;
    let leaf = leaf()?.signed_by(&leaf_key, &second)?;

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mock/certs");
    std::fs::write(folder.join("ca.pem"), root.pem())?;
    std::fs::write(folder.join("chain.pem"), format!("{}{}{}", leaf.pem(), second.pem(), first.pem()))?;
    std::fs::write(folder.join("leaf.key.pem"), leaf_key.serialize_pem())?;
    Ok(())
}

fn key() -> Result<KeyPair, rcgen::Error> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
}

fn authority(name: &str, authorities_below: u8) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(authorities_below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    params
}

fn leaf() -> Result<CertificateParams, rcgen::Error> {
    let mut params = named("localhost");
    params.subject_alt_names = vec![
        SanType::DnsName(Ia5String::try_from("localhost")?),
        SanType::DnsName(Ia5String::try_from("mock.plimsoll.test")?),
        SanType::IpAddress(Ipv4Addr::LOCALHOST.into()),
        SanType::IpAddress(Ipv6Addr::LOCALHOST.into()),
    ];
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// A hundred years, so that no figure ever depends on the day and no clone stops working.
fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Plimsoll");
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2120, 1, 1);
    params
}
