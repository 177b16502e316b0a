//! What libcurl says went wrong, as our errors.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::error::{Error, Phase};
use crate::wire::answer::ANSWER;

/// A failure of libcurl's, and of the system where that is behind it.
#[derive(Debug)]
struct Failure {
    error: curl::Error,
    system: Option<io::Error>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.system.as_ref().map(|error| error as _)
    }
}

/// A transfer's failure. `errno` is the system's, 0 for none; `head`: whether the head of the answer had come; `connect` is the limit
/// for connecting, the only one that libcurl is given.
pub(super) fn transfer(error: curl::Error, errno: i32, head: bool, connect: Duration) -> Error {
    if error.is_operation_timedout() {
        return Error::Timeout { phase: Phase::Connect, limit: connect };
    }
    if error.is_bad_content_encoding() {
        return Error::answer(ANSWER, error);
    }
    let connecting = error.is_couldnt_resolve_host()
        || error.is_couldnt_resolve_proxy()
        || error.is_couldnt_connect()
        || error.is_ssl_connect_error()
        || error.is_peer_failed_verification()
        || error.is_ssl_cacert_badfile();
    let phase = match (connecting, head) {
        (true, _) => Phase::Connect,
        (false, false) => Phase::Head,
        (false, true) => Phase::Body,
    };
    let system = (errno != 0).then(|| io::Error::from_raw_os_error(errno));
    Error::Transport { phase, source: Box::new(Failure { error, system }) }
}

/// The driver's thread is not there: it could not be started, or broke down.
pub(super) fn no_driver(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Transport { phase: Phase::Connect, source: reason.into() }
}
