use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::*;
use crate::config::Config;
use crate::net;
use crate::options::{Crypto, Options, Protocol, Trust};

/// A server that says again what it hears; its port.
fn echo() -> u16 {
    let certificates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../harness/src/mock/certs");
    let chain = CertificateDer::pem_file_iter(certificates.join("chain.pem")).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(certificates.join("leaf.key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut tls = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
            let mut heard = [0; 100];
            while let Ok(count @ 1..) = tls.read(&mut heard) {
                if tls.write_all(&heard[..count]).is_err() {
                    break;
                }
            }
        }
    });
    port
}

#[tokio::test]
async fn a_key_that_is_used_up_is_changed_and_without_another_nothing_is_sent() {
    let port = echo();
    for crypto in [Crypto::Ring, Crypto::AwsLc] {
        let options =
            Options { resolve: vec![format!("localhost:{port}:127.0.0.1").parse().unwrap()], ..Options::default() };
        let base_url = Some(format!("https://localhost:{port}"));
        let origin = Origin::new(&Config { base_url, ..Config::default() }, &options).unwrap();
        let ca = Path::new(env!("CARGO_MANIFEST_DIR")).join("../harness/src/mock/certs/ca.pem");
        let mut tls = net::lean_tls_config(&Trust::PemFile(ca), crypto, Protocol::Http1).unwrap();
        tls.enable_secret_extraction = true;
        let (pool, tickets) = (BufferPool::new(4, 4 * RECORD_ROOM), Tickets::default());
        let mut connection = Connection::open(&origin, Some(&Arc::new(tls)), &pool, &tickets).await.unwrap();
        let Tls::Records(records) = &mut connection.tls else { panic!("TLS 1.3 was not taken over") };
        records.limit = 3;
        // Two records a key, and the third says that the next ones are encrypted with another.
        for _ in 0..6 {
            connection.send(b"again").await.unwrap();
            let (mut inbox, mut heard) = (None, 0);
            while heard < 5 {
                assert!(connection.receive(&mut inbox).await.unwrap());
                heard = inbox.as_ref().map_or(0, |inbox| inbox.as_ref().len());
            }
            assert_eq!(inbox.unwrap().as_ref(), b"again");
        }
        let error = connection.send(b"again").await.unwrap_err();
        assert!(error.to_string().contains("changed too often"), "{error}");
        assert!(!connection.is_quiet(), "it is not used again");
    }
}
