//! Whom a level that does not stand on reqwest takes for the server: full verification, with either cryptography where there are two.

mod records;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use plimsoll_providers::gemini_bare_http::BareGeminiProvider;
use plimsoll_providers::{Config, Crypto, Error, GenerateContentRequest, Options, Phase, Provider, Trust};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

fn certificates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../harness/src/mock/certs")
}

fn chain() -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(certificates().join("chain.pem")).unwrap().map(Result::unwrap).collect()
}

fn private_key() -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_file(certificates().join("leaf.key.pem")).unwrap()
}

/// How a server sends its answer.
#[derive(Clone, Copy)]
enum Sends {
    /// In records of so many bytes.
    Records(usize),
    /// Up to the end of the connection, without a length and without saying that it is the end.
    Cut,
}

/// A TLS server of one long answer; its port.
fn start(sends: Sends) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(builder.with_no_client_auth().with_single_cert(chain(), private_key()).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let config = config.clone();
            // A client that refuses the certificate ends it.
            thread::spawn(move || serve(connection, config, sends));
        }
    });
    port
}

fn text() -> String {
    "a line on a hull \u{2028}\n".repeat(4000)
}

fn serve(connection: std::net::TcpStream, config: Arc<ServerConfig>, sends: Sends) -> std::io::Result<()> {
    let tls = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(tls, connection);
    let body = serde_json::json!({"candidates": [{"content": {"parts": [{"text": text()}]}, "finishReason": "STOP"}]})
        .to_string();
    let mut request = Vec::new();
    loop {
        let mut chunk = [0; 16 << 10];
        let count = stream.read(&mut chunk)?;
        if count == 0 {
            return Ok(());
        }
        request.extend_from_slice(&chunk[..count]);
        if !request.ends_with(b"}]}]}") {
            continue;
        }
        request.clear();
        match sends {
            Sends::Records(size) => {
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                for record in answer.as_bytes().chunks(size) {
                    stream.write_all(record)?;
                    stream.flush()?;
                }
            }
            Sends::Cut => {
                write!(stream, "HTTP/1.1 200 OK\r\n\r\n{body}")?;
                return stream.flush();
            }
        }
    }
}

async fn ask(name: &str, port: u16, trust: Trust, crypto: Crypto, prompt: &str) -> Result<String, Error> {
    ask_by(BareGeminiProvider::with_options, name, port, trust, crypto, prompt).await
}

/// Asks twice by a provider that `make` makes: the second time on the connection that waited.
async fn ask_by<P: Provider>(
    make: impl AsyncFnOnce(Config, Options) -> Result<P, Error>,
    name: &str,
    port: u16,
    trust: Trust,
    crypto: Crypto,
    prompt: &str,
) -> Result<String, Error> {
    let config =
        Config { api_key: "canary".to_owned(), base_url: Some(format!("https://{name}:{port}")), ..Config::default() };
    let resolve = vec![format!("{name}:{port}:127.0.0.1").parse().unwrap()];
    let provider = make(config, Options { trust, crypto, resolve, ..Options::default() }).await?;
    let request = GenerateContentRequest::user_text(prompt);
    provider.generate(&request).await?;
    provider.generate(&request).await.map(|answer| answer.text())
}

fn ours() -> Trust {
    Trust::PemFile(certificates().join("ca.pem"))
}

#[tokio::test]
async fn the_right_server_is_believed_whatever_the_records_are() {
    for crypto in [Crypto::Default, Crypto::Ring, Crypto::AwsLc] {
        for size in [37, 16 << 10] {
            let port = start(Sends::Records(size));
            assert_eq!(ask("localhost", port, ours(), crypto, "why?").await.unwrap(), text(), "{crypto:?}");
        }
    }
    // A request of many records.
    let port = start(Sends::Records(1000));
    assert_eq!(ask("localhost", port, ours(), Crypto::Ring, &"why? ".repeat(50_000)).await.unwrap(), text());
}

#[tokio::test]
async fn a_wrong_root_and_a_wrong_name_are_refused() {
    let port = start(Sends::Records(1000));
    for crypto in [Crypto::Ring, Crypto::AwsLc] {
        for (name, trust, what) in
            [("localhost", Trust::WebPkiRoots, "UnknownIssuer"), ("elsewhere.invalid", ours(), "not valid for name")]
        {
            let error = ask(name, port, trust, crypto, "why?").await.unwrap_err();
            assert!(matches!(error, Error::Transport { phase: Phase::Connect, .. }), "{error:?}");
            assert!(error.to_string().contains(what), "{error}");
        }
    }
}

#[tokio::test]
async fn a_cut_is_not_taken_for_the_end() {
    let port = start(Sends::Cut);
    let error = ask("localhost", port, ours(), Crypto::Ring, "why?").await.unwrap_err();
    assert!(matches!(error, Error::Transport { phase: Phase::Body, .. }), "{error:?}");
    assert!(error.to_string().contains("close_notify"), "{error}");
}

#[cfg(feature = "libcurl")]
mod libcurl {
    use plimsoll_providers::gemini_libcurl::LibcurlGeminiProvider;

    use super::*;

    async fn ask(name: &str, port: u16, trust: Trust) -> Result<String, Error> {
        // A request of many records.
        ask_by(LibcurlGeminiProvider::with_options, name, port, trust, Crypto::AwsLc, &"why? ".repeat(50_000)).await
    }

    #[tokio::test]
    async fn the_right_server_is_believed_whether_the_roots_are_a_file_or_text() {
        let text = std::fs::read(certificates().join("ca.pem")).unwrap();
        for (size, trust) in [(37, ours()), (16 << 10, Trust::Pem(text))] {
            assert_eq!(ask("localhost", start(Sends::Records(size)), trust).await.unwrap(), super::text());
        }
    }

    #[tokio::test]
    async fn a_wrong_root_and_a_wrong_name_are_refused() {
        let port = start(Sends::Records(1000));
        for (name, trust) in
            [("localhost", Trust::WebPkiRoots), ("localhost", Trust::Platform), ("elsewhere.invalid", ours())]
        {
            let error = ask(name, port, trust).await.unwrap_err();
            assert!(matches!(error, Error::Transport { phase: Phase::Connect, .. }), "{error:?}");
            assert!(error.to_string().contains("certificate"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_cut_is_not_taken_for_the_end() {
        let error = ask("localhost", start(Sends::Cut), ours()).await.unwrap_err();
        assert!(matches!(error, Error::Transport { phase: Phase::Body, .. }), "{error:?}");
    }
}
