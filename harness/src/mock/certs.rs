//! The mock's certificates and the trust bundle that every cell is given.
//!
//! Made once by `examples/make_certificates.rs` and committed, because certificates made at each start would be other bytes,
//! of other lengths, each time. The keys of the root and of the intermediates were thrown away when they were made: a bundle
//! that trusts this root trusts nothing but the one leaf here. The leaf's key is public on purpose; the leaf names
//! `localhost`, `mock.plimsoll.test` and the loopback addresses only.

use std::fmt::Write as _;
use std::sync::LazyLock;

/// The root that clients of the mock trust, as PEM.
pub const CA_PEM: &str = include_str!("certs/ca.pem");
/// Leaf, intermediate, intermediate, as PEM: what the server sends, in the length that public chains have.
pub const CHAIN_PEM: &str = include_str!("certs/chain.pem");
/// The leaf's private key, as PEM.
pub const LEAF_KEY_PEM: &str = include_str!("certs/leaf.key.pem");
/// The host names and addresses that the leaf is good for.
pub const NAMES: [&str; 4] = ["localhost", "mock.plimsoll.test", "127.0.0.1", "::1"];

/// The pinned public roots and the mock's own, as one PEM file, and how many there are. The same bytes on every machine, so
/// that reading the roots costs every subject the same everywhere.
pub fn trust_bundle_pem() -> (String, u32) {
    static BUNDLE: LazyLock<(String, u32)> = LazyLock::new(|| {
        let mut pem = String::with_capacity(256 * 1024);
        for root in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
            write_pem(&mut pem, root);
        }
        pem.push_str(CA_PEM);
        let roots = pem.matches("-----BEGIN CERTIFICATE-----").count();
        (pem, u32::try_from(roots).unwrap_or(u32::MAX))
    });
    BUNDLE.clone()
}

fn write_pem(pem: &mut String, der: &[u8]) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    let _ = writeln!(pem, "-----BEGIN CERTIFICATE-----");
    // 48 bytes are the 64 characters of a PEM line.
    for line in der.chunks(48) {
        for three in line.chunks(3) {
            let bits =
                three.iter().enumerate().fold(0_u32, |bits, (at, byte)| bits | u32::from(*byte) << (16 - 8 * at));
            for place in 0..4 {
                let filled = place <= three.len();
                let six = bits >> (18 - 6 * place) & 63;
                pem.push(if filled { char::from(ALPHABET[six as usize]) } else { '=' });
            }
        }
        pem.push('\n');
    }
    let _ = writeln!(pem, "-----END CERTIFICATE-----");
}

#[cfg(test)]
mod tests {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject;

    use super::*;

    #[test]
    fn the_bundle_reads_back_as_the_pinned_roots_and_ours() {
        let (pem, roots) = trust_bundle_pem();
        let read: Vec<CertificateDer<'_>> =
            CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().unwrap();
        assert_eq!(read.len(), roots as usize);
        let (ours, public) = read.split_last().unwrap();
        assert_eq!(public, webpki_root_certs::TLS_SERVER_ROOT_CERTS);
        assert_eq!(*ours, CertificateDer::from_pem_slice(CA_PEM.as_bytes()).unwrap());
    }

    #[test]
    fn the_chain_is_a_leaf_and_two_intermediates() {
        let chain = CertificateDer::pem_slice_iter(CHAIN_PEM.as_bytes()).collect::<Result<Vec<_>, _>>().unwrap();
        assert_eq!(chain.len(), 3);
    }
}
