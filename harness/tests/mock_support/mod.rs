//! A mock in a process of its own, as the runner has it, and clients for it.

#![allow(dead_code, unreachable_pub)] // each test file is a crate and uses its own part

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use plimsoll::mock::certs::trust_bundle_pem;
use plimsoll::mock::control::{Control, Stats};
use reqwest::{Certificate, Client, ClientBuilder, RequestBuilder};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tempfile::TempDir;

/// The key that test clients send.
pub const KEY: &str = "canary-key-of-the-tests";

/// A running mock.
pub struct Mock {
    pub child: Child,
    pub control: Control,
    pub port: u16,
    dir: TempDir,
}

impl Mock {
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// With more arguments for `plimsoll mock`.
    pub fn with(args: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("control");
        let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
            .args(["mock", "--control", socket.to_str().unwrap()])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().strip_prefix("GEMINI_BASE_URL=https://localhost:").unwrap().parse().unwrap();
        let control = Control::connect(&socket).unwrap();
        Self { child, control, port, dir }
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("control")
    }

    pub fn stats(&mut self) -> Stats {
        self.control.stats().unwrap()
    }

    /// The counters, once this many handshakes have failed: a client tells of its refusal while that is still on its way to the mock.
    pub fn stats_after_refusals(&mut self, at_least: u64) -> Stats {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let stats = self.stats();
            if stats.handshakes_failed >= at_least {
                return stats;
            }
            assert!(Instant::now() < until, "{at_least} failed handshakes in a minute: {stats:?}");
            std::thread::yield_now();
        }
    }

    pub fn url(&self, scheme: &str, script: &str, call: &str) -> String {
        format!("{scheme}://localhost:{}/s/{script}/v1beta/models/gemini-2.5-flash:{call}", self.port)
    }

    /// A request as a level sends it, over TLS.
    pub fn post(&self, client: &Client, script: &str, call: &str) -> RequestBuilder {
        keyed(client.post(self.url("https", script, call)))
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// With the key and a body.
pub fn keyed(request: RequestBuilder) -> RequestBuilder {
    request.header("x-goog-api-key", KEY).body(r#"{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}"#)
}

/// A client that trusts the bundle and nothing else.
pub fn client(adjust: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
    let roots = Certificate::from_pem_bundle(trust_bundle_pem().0.as_bytes()).unwrap();
    adjust(Client::builder().tls_certs_only(roots).timeout(Duration::from_secs(30))).build().unwrap()
}

pub fn h1() -> Client {
    client(ClientBuilder::http1_only)
}

pub fn h2() -> Client {
    client(|builder| builder)
}

/// Recorded traffic beside the repository, where there is any.
pub fn traffic() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/traffic");
    folder.join("MANIFEST.tsv").exists().then_some(folder)
}

/// The bytes of an HTTP/1.1 request.
pub fn spelled(script: &str, call: &str) -> String {
    format!(
        "POST /s/{script}/v1beta/models/m:{call} HTTP/1.1\r\nhost: localhost\r\nx-goog-api-key: {KEY}\r\n\
         content-length: 2\r\n\r\n{{}}"
    )
}

/// TLS by hand over a blocking socket, so that each record can be looked at.
pub struct Records {
    pub tcp: TcpStream,
    pub tls: ClientConnection,
}

impl Records {
    pub fn connect(port: u16, alpn: &[u8]) -> Self {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(trust_bundle_pem().0.as_bytes()) {
            roots.add(root.unwrap()).unwrap();
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        let name = ServerName::try_from("localhost").unwrap();
        let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut tcp = TcpStream::connect(("127.0.0.1", port)).unwrap();
        tcp.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp).unwrap();
        }
        Self { tcp, tls }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.tls.writer().write_all(bytes).unwrap();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.tcp).unwrap();
        }
    }

    /// What the next TLS record that carries data holds, decrypted. Session tickets are passed over.
    pub fn next(&mut self) -> Vec<u8> {
        loop {
            let mut record = vec![0; 5];
            self.tcp.read_exact(&mut record).unwrap();
            let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
            record.resize(5 + length, 0);
            self.tcp.read_exact(&mut record[5..]).unwrap();
            let mut rest: &[u8] = &record;
            while !rest.is_empty() {
                self.tls.read_tls(&mut rest).unwrap();
            }
            let state = self.tls.process_new_packets().unwrap();
            if state.plaintext_bytes_to_read() > 0 {
                let mut plain = vec![0; state.plaintext_bytes_to_read()];
                self.tls.reader().read_exact(&mut plain).unwrap();
                return plain;
            }
        }
    }
}

/// An HTTP/1.1 connection, with TLS or without, on which bytes are what they are.
pub enum Raw {
    Plain(TcpStream),
    Tls(Box<Records>),
}

impl Raw {
    /// One with TLS, one without.
    pub fn both(port: u16) -> [Self; 2] {
        let tcp = TcpStream::connect(("127.0.0.1", port)).unwrap();
        tcp.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        [Self::Tls(Box::new(Records::connect(port, b"http/1.1"))), Self::Plain(tcp)]
    }

    pub fn send(&mut self, bytes: &[u8]) {
        match self {
            Self::Plain(tcp) => tcp.write_all(bytes).unwrap(),
            Self::Tls(records) => records.send(bytes),
        }
    }

    /// What comes up to and with `end`, or to the end of the connection.
    pub fn until(&mut self, end: &[u8]) -> String {
        let mut read = Vec::new();
        let mut more = [0; 4096];
        while !read.ends_with(end) {
            let count = self.read(&mut more).unwrap();
            if count == 0 {
                break;
            }
            read.extend_from_slice(&more[..count]);
        }
        String::from_utf8(read).unwrap()
    }
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(buffer),
            Self::Tls(records) => {
                let Records { tcp, tls } = &mut **records;
                rustls::Stream::new(tls, tcp).read(buffer)
            }
        }
    }
}
