//! The mock: a process of its own that answers as the service does, so that its memory is never the subject's and its answers
//! never vary.
//!
//! - [`script`]: what a client can ask for in the base path; [`help`] says it to people
//! - [`certs`]: the certificates, and the one trust bundle of every cell; [`tls`] serves with them
//! - [`control`]: what happened, and `release` for held answers, over a Unix socket; [`control_server`] is its other end
//! - [`front`]: one port for TLS and plain, HTTP/1.1 ([`h1`]) and HTTP/2 ([`h2`])
//! - [`origin`]: wiremock, which chooses status and body; [`service`]: what it cannot choose, because it depends on a body or on what
//!   came before
//! - [`request`] → [`answer`] → [`steps`] → [`plan`]: a request becomes an answer and that a list of steps, [`faults`] change both, a
//!   writer walks the list
//! - [`lockstep`]: the next step only when the client is done with the last
//! - [`state`]: the counters and the gate

pub mod certs;
pub mod control;
pub mod help;
pub mod script;

mod answer;
mod control_server;
mod events;
mod faults;
mod front;
mod h1;
mod h2;
mod headers;
mod limits;
mod lockstep;
mod origin;
mod plan;
mod request;
mod service;
mod state;
mod steps;
mod tls;
mod wire;

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::corpus::traffic::TrafficError;
use script::Script;

/// What a mock is started with.
#[derive(Clone, Debug)]
pub struct MockOptions {
    /// The port on 127.0.0.1 and, where there is IPv6, on ::1. 0: any free one.
    pub port: u16,
    /// Where to listen for [`control::Control`]: the path of a Unix socket that is not there yet.
    pub control: Option<PathBuf>,
    /// A folder of recorded bodies, served as `traffic~FOLDER~FILE`.
    pub traffic: Option<PathBuf>,
    /// SETTINGS_MAX_CONCURRENT_STREAMS; `None` sets no limit.
    pub max_concurrent_streams: Option<u32>,
    /// What requests without `/s/<script>` get.
    pub default_script: Script,
    /// Whom it says to be, where that is not itself.
    pub identity: Option<Identity>,
}

/// A certificate chain and its key, as PEM files: to stand in for another host in a rehearsal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The chain, leaf first.
    pub chain: PathBuf,
    /// The leaf's private key.
    pub key: PathBuf,
}

impl Default for MockOptions {
    fn default() -> Self {
        Self {
            port: 0,
            control: None,
            traffic: None,
            // What public front ends say.
            max_concurrent_streams: Some(100),
            default_script: Script::default(),
            identity: None,
        }
    }
}

/// What is known once the mock listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The port.
    pub port: u16,
    /// The base URL over TLS, without a script: `https://localhost:PORT`.
    pub base_url_tls: String,
    /// The base URL without TLS: `http://localhost:PORT`.
    pub base_url_plain: String,
    /// Open files allowed after raising the limit: about how many connections fit.
    pub open_files: u64,
}

/// Why the mock could not start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MockError {
    /// The port cannot be had.
    #[error("cannot listen on {address}: {source}; choose another --port, or 0 for any")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The control socket cannot be had.
    #[error("cannot listen on the control socket {}: {source}; the path must be new and shorter than 108 bytes", path.display())]
    Control {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The traffic folder cannot be served.
    #[error(transparent)]
    Traffic(#[from] TrafficError),
    /// The default script names a recorded body that is not in the traffic folder.
    #[error("the default script asks for `{name}`, which is not in the --traffic folder")]
    NoSuchRecording {
        /// The reply's name.
        name: String,
    },
    /// The embedded certificates were refused by the TLS library.
    #[error("the mock's own certificates are not usable: {0}; make them anew with the example make_certificates")]
    Certificates(String),
    /// A certificate of the user's cannot be served.
    #[error("cannot serve with the certificate in {}: {why}; --chain and --key want PEM files, the leaf first and its key", path.display())]
    Identity {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A thread or a signal handler could not be set up.
    #[error("cannot set up {what}: {source}")]
    System {
        /// What was to be set up.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Serves until the owning control connection ends (see [`control::Control::connect`]), or SIGINT or SIGTERM comes.
///
/// `on_ready` is called once, when both protocols can be spoken on the port and the control socket exists.
pub async fn serve(options: MockOptions, on_ready: impl FnOnce(&Ready)) -> Result<(), MockError> {
    front::serve(options, on_ready).await
}
