//! The verdicts are those of rustls's own verifier over all roots, word for word.

use std::fs;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, GeneralSubtree, IsCa, KeyPair,
    NameConstraints, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};

use super::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

fn named(name: &str, alternatives: &[&str]) -> CertificateParams {
    let alternatives: Vec<_> = alternatives.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(alternatives).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2120, 1, 1));
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = named(name, &[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn root(params: CertificateParams) -> Authority {
    CertifiedIssuer::self_signed(params, key()).unwrap()
}

fn below(issuer: &Authority, name: &str) -> Authority {
    CertifiedIssuer::signed_by(authority(name), key(), issuer).unwrap()
}

fn leaf(issuer: &Authority) -> CertificateDer<'static> {
    named("leaf", &["localhost"]).signed_by(&key(), issuer).unwrap().der().clone()
}

fn der(authority: &Authority) -> CertificateDer<'static> {
    authority.as_ref().der().clone()
}

fn at(year: i32) -> UnixTime {
    let seconds = date_time_ymd(year, 1, 1).unix_timestamp().try_into().unwrap();
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

fn providers() -> [Arc<CryptoProvider>; 2] {
    [rustls::crypto::ring::default_provider(), rustls::crypto::aws_lc_rs::default_provider()].map(Arc::new)
}

fn verify(
    verifier: &dyn ServerCertVerifier,
    chain: &[CertificateDer<'_>],
    name: &str,
    now: UnixTime,
) -> Result<(), String> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    // In words: some of these errors are equal to nothing, themselves included.
    verifier.verify_server_cert(&chain[0], &chain[1..], &name, &[], now).map(drop).map_err(|error| format!("{error:?}"))
}

fn bundle(roots: &[&Authority]) -> String {
    roots.iter().map(|root| root.pem()).collect()
}

#[test]
fn every_chain_is_judged_as_by_the_standard_verifier() {
    let (one, other) = (root(authority("Root")), root(authority("Other root")));
    // The same subject, another key: what one signed, the other did not.
    let twin = root(authority("Root"));
    let mut elsewhere_only = authority("Constrained root");
    let permitted_subtrees = vec![GeneralSubtree::DnsName("elsewhere.test".to_owned())];
    elsewhere_only.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
    let constrained = root(elsewhere_only);

    let middle = below(&one, "Middle");
    let by_other = authority("Middle").signed_by(middle.key(), &other).unwrap().der().clone();
    let by_twin = authority("Middle").signed_by(middle.key(), &twin).unwrap().der().clone();
    let by_constrained = authority("Middle").signed_by(middle.key(), &constrained).unwrap().der().clone();
    let deep = below(&middle, "Deep");
    let mut old = named("old", &["localhost"]);
    old.not_after = date_time_ymd(2021, 1, 1);
    let expired = old.signed_by(&key(), &middle).unwrap().der().clone();
    let garbage = CertificateDer::from(vec![0x30, 0x03, 1, 2, 3]);

    let good = leaf(&middle);
    let chains: Vec<Vec<CertificateDer<'_>>> = vec![
        vec![good.clone(), der(&middle)],
        vec![good.clone()],
        vec![good.clone(), by_other.clone()],
        vec![good.clone(), by_twin.clone(), der(&middle)],
        vec![good.clone(), der(&middle), by_other.clone(), by_twin.clone()],
        vec![good.clone(), by_constrained.clone()],
        vec![good.clone(), by_constrained, by_other],
        vec![good.clone(), garbage.clone(), der(&middle)],
        vec![garbage],
        vec![leaf(&one)],
        vec![leaf(&twin), der(&one)],
        vec![leaf(&deep), der(&middle), der(&deep)],
        vec![expired.clone(), der(&middle)],
        vec![expired],
        vec![der(&one)],
        vec![der(&middle)],
    ];
    let bundles: [&[&Authority]; 10] = [
        &[&one],
        &[&twin],
        &[&other],
        &[&constrained],
        &[&one, &twin],
        &[&twin, &one],
        &[&other, &constrained, &twin],
        &[&constrained, &other],
        &[&middle],
        &[&one, &other, &twin, &constrained],
    ];
    let file = tempfile::NamedTempFile::new().unwrap();
    let (mut believed, mut refused) = (0, std::collections::BTreeSet::new());
    for provider in providers() {
        for roots in bundles {
            fs::write(file.path(), bundle(roots)).unwrap();
            let ours = LeanVerifier::file(file.path().to_owned(), Arc::clone(&provider)).unwrap();
            let mut store = RootCertStore::empty();
            store.add_parsable_certificates(roots.iter().map(|root| der(root)));
            let theirs =
                WebPkiServerVerifier::builder_with_provider(store.into(), Arc::clone(&provider)).build().unwrap();
            assert_eq!(ours.supported_verify_schemes(), theirs.supported_verify_schemes());
            for name in ["localhost", "elsewhere.test"] {
                for year in [2019, 2026, 2121] {
                    // One verifier for all of them: what it remembers of one chain must not pass for another's.
                    for chain in &chains {
                        let expected = verify(&*theirs, chain, name, at(year));
                        assert_eq!(verify(&ours, chain, name, at(year)), expected);
                        match expected {
                            Ok(()) => believed += 1,
                            Err(error) => drop(refused.insert(error)),
                        }
                    }
                }
            }
        }
    }
    assert!(believed > 50, "{believed}");
    for why in ["UnknownIssuer", "Expired", "NotValidYet", "NotValidForName", "BadEncoding", "BadSignature"] {
        assert!(refused.iter().any(|error| error.contains(why)), "{why} is not among {refused:#?}");
    }
}

#[test]
fn the_compiled_roots_are_judged_as_by_the_standard_verifier() {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    let unknown = root(authority("Unknown"));
    for provider in providers() {
        let ours = LeanVerifier::compiled(Arc::clone(&provider));
        let theirs = WebPkiServerVerifier::builder_with_provider(Arc::new(store.clone()), provider).build().unwrap();
        // A root names itself as its issuer: its own entry is found, and judged by.
        for chain in webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned().chain([leaf(&unknown)]) {
            let expected = verify(&*theirs, std::slice::from_ref(&chain), "localhost", at(2026));
            assert_eq!(verify(&ours, &[chain], "localhost", at(2026)), expected);
        }
    }
}

#[test]
fn a_root_that_cannot_be_read_is_passed_over() {
    let one = root(authority("Root"));
    let garbage = "-----BEGIN CERTIFICATE-----\nMAMBAgM=\n-----END CERTIFICATE-----\n";
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), [garbage, &bundle(&[&one])].concat()).unwrap();
    let [provider, _] = providers();
    let ours = LeanVerifier::file(file.path().to_owned(), Arc::clone(&provider)).unwrap();
    assert_eq!(verify(&ours, &[leaf(&one)], "localhost", at(2026)), Ok(()));
    fs::write(file.path(), garbage).unwrap();
    assert!(LeanVerifier::file(file.path().to_owned(), provider).unwrap_err().to_string().contains("can be read"));
}

#[test]
fn a_bundle_is_read_as_by_the_standard_reader() {
    use rustls_pki_types::pem::PemObject;
    let roots = [root(authority("Root")), root(authority("Other root"))];
    let foreign = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    let unix = ["# a comment\n", &roots[0].pem(), "\n", foreign, &roots[1].pem()].concat();
    let file = tempfile::NamedTempFile::new().unwrap();
    let [provider, _] = providers();
    for text in [&unix, &unix.replace('\n', "\r\n"), &unix.replace('\n', "\r"), unix.trim_end()] {
        fs::write(file.path(), text).unwrap();
        let standard: Vec<_> = CertificateDer::pem_slice_iter(text.as_bytes()).map(Result::unwrap).collect();
        let mut ours = Vec::new();
        read_bundle(&File::open(file.path()).unwrap(), &provider, |root| ours.push(root.into_owned())).unwrap();
        assert_eq!((ours.len(), &ours), (2, &standard));
    }
    for broken in [&unix[..unix.len() - 30], "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"] {
        fs::write(file.path(), broken).unwrap();
        assert!(read_bundle(&File::open(file.path()).unwrap(), &provider, |_| ()).is_err(), "{broken}");
    }
}

#[test]
fn the_roots_are_those_that_were_there_at_the_beginning() {
    let (one, other) = (root(authority("Root")), root(authority("Other root")));
    let [provider, _] = providers();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let begin = || {
        fs::write(&path, bundle(&[&one])).unwrap();
        LeanVerifier::file(path.clone(), Arc::clone(&provider)).unwrap()
    };
    let judge = |ours: &LeanVerifier, by: &Authority| verify(ours, &[leaf(by)], "localhost", at(2026));

    // Another file in its place, and none.
    let ours = begin();
    fs::write(folder.path().join("new.pem"), bundle(&[&other])).unwrap();
    fs::rename(folder.path().join("new.pem"), &path).unwrap();
    assert!(judge(&ours, &other).is_err());
    fs::remove_file(&path).unwrap();
    assert_eq!(judge(&ours, &one), Ok(()));

    // Other words in the same file.
    let ours = begin();
    fs::write(&path, bundle(&[&one, &other])).unwrap();
    for by in [&one, &other] {
        let error = judge(&ours, by).unwrap_err();
        assert!(error.contains("has changed") && error.contains("ca.pem"), "{error}");
    }
}
