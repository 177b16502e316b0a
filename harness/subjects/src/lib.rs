//! What the measured programs of this repository share: each level's few lines, as a stranger would write them.
//!
//! The programs are in `src/bin`, one for each level and allocator, three lines each. A program holds one level only, because what else
//! is linked in moves the figures at `start` (tested with `nm`). `tls-proxy` is the proxy of `proxied`, measured beside it. The level `libcurl` has a package of its own, `libcurl/`, for what it links
//! would be in every program of this one. `ladder/` is the component ladder, twelve programs that share nothing with this library. `probe-*` are for the harness's own tests, `c/` and `python/` hold
//! subjects in other languages. [`conform`] is not measured: it says what each level understood.
#![forbid(unsafe_code)]

pub mod ask;
pub mod bare;
pub mod bare_visitor;
pub mod conform;
pub mod isolated;
pub mod mux;
pub mod optimized;
pub mod original;
pub mod probe;
pub mod proxied;
pub mod ultra;

use std::time::Duration;

use plimsoll_providers::{Error, ErrorKind, Level, Options, Techniques, Timeouts, Trust};
use plimsoll_worker::{Env, Failure, Kind};

/// How long a call may take, milliseconds. The harness has limits of its own: this one only ends what hangs.
pub const TIMEOUT_MS: u64 = 60_000;

/// What the environment says, as the levels take it.
///
/// # Errors
///
/// A word that no level, or not this one, knows.
pub fn options(env: &Env, level: Level) -> Result<Options, Failure> {
    level_options(env, level).map_err(failure)
}

fn level_options(env: &Env, level: Level) -> Result<Options, Error> {
    Ok(Options {
        trust: if env.ca.is_empty() { Trust::Platform } else { Trust::PemFile(env.ca.clone().into()) },
        crypto: env.crypto.parse()?,
        protocol: env.http.parse()?,
        resolve: match env.resolve.as_str() {
            "" => Vec::new(),
            resolve => vec![resolve.parse()?],
        },
        // A thousand handshakes at once take longer than one may in production.
        timeouts: Timeouts { connect: Some(Duration::from_millis(TIMEOUT_MS)), ..Timeouts::default() },
        techniques: Techniques::parse(&env.switches, level)?,
        ..Options::default()
    })
}

/// A level's error as the protocol has it.
pub fn failure(error: Error) -> Failure {
    let kind = match error.kind() {
        ErrorKind::Status => Kind::Status,
        ErrorKind::Transport => Kind::Transport,
        ErrorKind::Timeout => Kind::Timeout,
        ErrorKind::Answer => Kind::Answer,
        _ => Kind::Other,
    };
    Failure::new(kind, error)
}
