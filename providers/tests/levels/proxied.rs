//! The level `proxied` and its proxy, where they differ from the others: who connects, who is trusted, what is refused.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use plimsoll_providers::gemini_proxied::{ProxiedGeminiProvider, ProxyAddress, TlsProxy};
use plimsoll_providers::{Crypto, Error, GenerateContentRequest, Options, Phase, Protocol, Provider, Timeouts, Trust};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::server::{Server, Step, answer, whole};
use crate::{Bare, CANARY, Proxied, Subject, config, in_time, question};

fn certificates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../harness/src/mock/certs")
}

fn good() -> Vec<Step> {
    whole("200 OK", "application/json", answer("found", Some("STOP")).as_bytes())
}

/// A server behind TLS with the mock's certificates, in front of one that listens in the clear.
async fn behind_tls(plain: SocketAddr) -> u16 {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let chain = CertificateDer::pem_file_iter(certificates().join("chain.pem")).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(certificates().join("leaf.key.pem")).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = std::sync::Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let acceptor = tokio_rustls::TlsAcceptor::from(config);
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that refuses the certificate ends it.
                let Ok(mut tls) = acceptor.accept(stream).await else { return };
                let mut plain = tokio::net::TcpStream::connect(plain).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut tls, &mut plain).await;
            });
        }
    });
    port
}

fn trusting(trust: Trust, name: &str, port: u16) -> Options {
    Options { trust, resolve: vec![format!("{name}:{port}:127.0.0.1").parse().unwrap()], ..Options::default() }
}

#[tokio::test]
async fn the_proxy_does_the_tls_and_names_the_server() {
    in_time(async {
        let server = Server::new(good()).await;
        let port = behind_tls(server.addr).await;
        for crypto in [Crypto::Ring, Crypto::AwsLc] {
            let options =
                Options { crypto, ..trusting(Trust::PemFile(certificates().join("ca.pem")), "localhost", port) };
            let provider = Proxied::at(&format!("https://localhost:{port}"), options).await;
            for _ in 0..3 {
                assert_eq!(provider.generate(&question()).await.unwrap().text(), "found");
            }
        }
        assert_eq!(server.connections(), 2, "a connection there for each one here, kept alive");
        for request in server.requests() {
            assert!(request.contains(&format!("host: localhost:{port}\r\n")), "{request}");
            assert!(request.contains(&format!("x-goog-api-key: {CANARY}\r\n")), "{request}");
        }
    })
    .await;
}

#[tokio::test]
async fn whom_the_proxy_does_not_believe_gets_no_request() {
    in_time(async {
        let server = Server::new(good()).await;
        let port = behind_tls(server.addr).await;
        for (name, trust, what) in [
            ("localhost", Trust::WebPkiRoots, "UnknownIssuer"),
            ("elsewhere.invalid", Trust::PemFile(certificates().join("ca.pem")), "not valid for name"),
        ] {
            let provider = Proxied::at(&format!("https://{name}:{port}"), trusting(trust, name, port)).await;
            let error = provider.generate(&question()).await.unwrap_err();
            assert_eq!(error.api().map(|api| api.code), Some(502), "{error}");
            assert!(error.to_string().contains(what), "{error}");
        }
        assert_eq!(server.requests().len(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_proxy_that_cannot_reach_the_server_says_so_and_one_that_is_not_there_is_a_connection_error() {
    in_time(async {
        let provider = Proxied::at("http://127.0.0.1:9", Options::default()).await;
        let error = provider.generate(&question()).await.unwrap_err();
        assert!(error.api().is_some_and(|api| api.code == 502 && api.message.contains("refused")), "{error}");
        let silent = Server::new([Step::Silence]).await;
        let limit = Some(std::time::Duration::from_millis(60));
        let options = Options {
            trust: Trust::WebPkiRoots,
            timeouts: Timeouts { connect: limit, ..Timeouts::default() },
            ..Options::default()
        };
        let provider = Proxied::at(&format!("https://localhost:{}", silent.addr.port()), options).await;
        let error = provider.generate(&question()).await.unwrap_err();
        assert!(error.api().is_some_and(|api| api.code == 502 && api.message.contains("in time")), "{error}");
        let nobody = "127.0.0.1:9".parse().unwrap();
        let provider = ProxiedGeminiProvider::new(config("https://localhost"), nobody).await.unwrap();
        let error = provider.generate(&question()).await.unwrap_err();
        assert!(matches!(error, Error::Transport { phase: Phase::Connect, .. }), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_unix_socket_will_do() {
    in_time(async {
        let server = Server::new(good()).await;
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("proxy-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let address = ProxyAddress::Unix(path.clone());
        let proxy = TlsProxy::bind(&address, &server.base(), &Options::default()).await.unwrap();
        assert_eq!(proxy.address().unwrap(), address);
        let serving = tokio::spawn(proxy.serve());
        let provider = ProxiedGeminiProvider::new(config(&server.base()), address).await.unwrap();
        assert_eq!(provider.generate(&question()).await.unwrap().text(), "found");
        serving.abort();
        assert!(serving.await.unwrap_err().is_cancelled());
        // All connections ended with it.
        server.ended(1).await;
        provider.generate(&question()).await.unwrap_err();
        std::fs::remove_file(path).unwrap();
    })
    .await;
}

/// A server that reads no more than the beginning of a request, says no, and hangs up: what it says counts for more than that it hung
/// up, also by way of the proxy.
#[tokio::test]
async fn a_refusal_that_comes_before_all_was_sent_is_heard() {
    async fn hears<S: Subject>(base: &str) {
        let provider = S::at(base, Options::default()).await;
        let request = GenerateContentRequest::user_text("x".repeat(8 << 20));
        for number in 0..5 {
            let error = provider.generate(&request).await.unwrap_err();
            assert_eq!(error.api().map(|api| api.code), Some(413), "{number}: {error}");
        }
    }
    in_time(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                // What was not read makes the end a reset.
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n").await;
            }
        });
        hears::<Bare>(&base).await;
        hears::<Proxied>(&base).await;
    })
    .await;
}

/// A server that takes half a request, answers, and stays: what is sent behind the half is the rest of it and no request.
#[tokio::test]
async fn a_connection_that_has_half_a_request_on_it_is_not_used_again() {
    use std::io::{Read, Write};
    in_time(async {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("half-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for mut stream in listener.incoming().flatten() {
                stream.read_exact(&mut [0; 1024]).unwrap();
                stream.shutdown(std::net::Shutdown::Read).unwrap();
                // What had come before, so that the next byte finds nobody instead of no room.
                std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
                let body = answer("found", Some("STOP"));
                write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
                open.push(stream);
            }
        });
        let address = ProxyAddress::Unix(path.clone());
        let provider = ProxiedGeminiProvider::new(config("http://localhost"), address).await.unwrap();
        let request = GenerateContentRequest::user_text("x".repeat(4 << 20));
        for _ in 0..3 {
            assert_eq!(provider.generate(&request).await.unwrap().text(), "found");
        }
        std::fs::remove_file(path).unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_would_not_be_in_force_is_refused() {
    let make = |proxy: &str, options| {
        ProxiedGeminiProvider::with_options(config("https://localhost"), proxy_of(proxy), options)
    };
    for (options, what) in [
        (Options { trust: Trust::WebPkiRoots, ..Options::default() }, "trust"),
        (Options { crypto: Crypto::Ring, ..Options::default() }, "crypto"),
        (Options { resolve: vec!["a:1:127.0.0.1".parse().unwrap()], ..Options::default() }, "resolve"),
        (Options { protocol: Protocol::Http2, ..Options::default() }, "h1"),
    ] {
        let error = make("127.0.0.1:9", options).await.unwrap_err();
        assert!(matches!(&error, Error::Config(message) if message.contains(what)), "{what}: {error}");
    }
    let error = make("192.0.2.1:9", Options::default()).await.unwrap_err();
    assert!(error.to_string().contains("not on this machine"), "{error}");
    let far = TlsProxy::bind(&proxy_of("192.0.2.1:9"), "https://localhost", &Options::default()).await.unwrap_err();
    assert!(far.to_string().contains("not on this machine"), "{far}");
}

/// An address that was not read from text, and so not checked on the way.
fn proxy_of(address: &str) -> ProxyAddress {
    ProxyAddress::Tcp(address.parse().unwrap())
}
