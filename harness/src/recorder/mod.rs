//! A recorder: a proxy on loopback that passes requests on to the service and keeps what came back as a traffic folder, which the mock can
//! serve.
//!
//! - `proxy`: from a client to the service and back, byte for byte
//! - `upstream`: the service, over verified TLS
//! - [`folder`]: what is kept, and how it is named
//! - [`scrub`]: what is not kept

pub mod folder;
pub mod scrub;

mod proxy;
mod upstream;

use std::path::PathBuf;

use crate::run::live::Access;

/// What a recorder is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The traffic folder to be made.
    pub out: PathBuf,
    /// The service's base URL, `https` only: the key is passed on to it.
    pub upstream: String,
    /// How the service is reached.
    pub access: Access,
    /// The port on 127.0.0.1; 0: any free one.
    pub port: u16,
}

/// What a recorder has to say while it works.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// It listens: the base URL for clients.
    Listening(String),
    /// An answer was kept: its file, and its length in bytes.
    Kept(String, usize),
    /// An answer was passed on and not kept, and why.
    Left(String),
    /// The service could not be asked, and why.
    Failed(String),
}

/// Why a recorder could not start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The upstream's URL does not do.
    #[error("--upstream {url:?}: {why}; name a base URL such as https://generativelanguage.googleapis.com")]
    Upstream {
        /// The URL as given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// Roots of trust that cannot be used.
    #[error("{0}")]
    Roots(String),
    /// The folder holds traffic already.
    #[error("{} holds a MANIFEST.tsv already; choose another folder with --out", .0.display())]
    Taken(PathBuf),
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The port cannot be had, or a signal not be heard.
    #[error("cannot {what}: {source}")]
    System {
        /// What was to be done.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Records until SIGINT or SIGTERM comes. Every answer is on disk before its last byte is passed on; one that is under way when the
/// recorder ends is lost.
///
/// # Errors
/// When it cannot start. An answer that cannot be kept then is a [`Note::Left`], because its client has it all the same.
pub async fn serve(options: Options, tell: impl Fn(Note) + Send + Sync + 'static) -> Result<(), RecordError> {
    proxy::serve(options, Box::new(tell)).await
}
