//! What the samples of one time are taken with: the folder for sockets and counters, the servers that requests go to, and what subjects are
//! told of them. Several runs can share one: then their subjects speak to the same server under the same address.

use std::path::{Path, PathBuf};

use super::launch::{self, Shared};
use super::live::{self, Live};
use super::mock::Mock;
use super::scratch::Scratch;
use super::{Order, RunError, Target};
use crate::config::Streams;
use crate::plan::order::Turn;

/// The model that is asked unless `--model` names another. The mock answers to any; its name's length is part of what is measured.
const MODEL: &str = "gemini-2.5-flash";

/// Servers that run, and what else samples need.
#[derive(Debug)]
pub struct Session {
    limited: Served,
    /// A second mock, because a limit of streams is told when a connection begins, before its first request.
    unlimited: Option<Served>,
    live: Option<Live>,
    /// Goes last.
    _scratch: Scratch,
}

/// What requests go to, and what subjects are told of it.
#[derive(Debug)]
pub(super) struct Served {
    mock: Option<Mock>,
    shared: Shared,
}

impl Session {
    /// Starts what an order needs; `unlimited` says whether cells are measured that want any number of streams.
    ///
    /// # Errors
    /// When the mock does not start, or the folder for temporary files cannot be written; and in a debug build, which measures nothing.
    pub fn open(order: &Order, unlimited: bool) -> Result<Self, RunError> {
        if cfg!(debug_assertions) {
            return Err(RunError::Debug);
        }
        let scratch = Scratch::create().map_err(RunError::Scratch)?;
        let (pem, _) = order.access.trust().map_err(RunError::Roots)?;
        let ca = scratch.path().join("ca.pem");
        std::fs::write(&ca, pem).map_err(RunError::Scratch)?;
        let serve = |streams| Served::start(order, scratch.path(), &ca, streams);
        let limited = serve(Streams::Limited)?;
        let unlimited = unlimited.then(|| serve(Streams::Unlimited)).transpose()?;
        let live = (order.target == Target::Live).then(|| Live::new(order.access.rate.unwrap_or(live::RATE)));
        Ok(Self { limited, unlimited, live, _scratch: scratch })
    }

    pub(super) fn served(&self, turn: &Turn) -> &Served {
        self.unlimited.as_ref().filter(|_| wants_unlimited(turn)).unwrap_or(&self.limited)
    }

    pub(super) fn live(&self) -> Option<&Live> {
        self.live.as_ref()
    }
}

impl Served {
    /// Starts what requests go to, if it is ours.
    fn start(order: &Order, scratch: &Path, ca: &Path, streams: Streams) -> Result<Self, RunError> {
        let mock = match order.target {
            Target::Mock => Some(Mock::start(&scratch.join(streams.as_str()), order.traffic.as_deref(), streams)?),
            Target::Live | Target::Url(_) => None,
        };
        let access = &order.access;
        let shared = Shared {
            origin: match (&order.target, &mock) {
                (Target::Url(url), _) => url.trim_end_matches('/').to_owned(),
                (Target::Live, _) => access.live_origin(),
                (Target::Mock, mock) => mock.as_ref().map(|m| m.origin().to_owned()).unwrap_or_default(),
            },
            ca: ca.to_owned(),
            resolve: access.resolve.as_ref().map(ToString::to_string),
            key: order.key.clone(),
            model: access.model.clone().unwrap_or_else(|| MODEL.to_owned()),
            count_file: scratch.join("count"),
            proxy_count_file: scratch.join("proxy-count"),
            target: PathBuf::new(),
            proxy_socket: scratch.join("proxy"),
            count_library: count_library()?,
        };
        Ok(Self { mock, shared })
    }

    pub(super) fn mock(&self) -> Option<&Mock> {
        self.mock.as_ref()
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

/// Whether a sample's server must grant any number of streams.
pub fn wants_unlimited(turn: &Turn) -> bool {
    launch::factor(&turn.cell, "streams") == Some(Streams::Unlimited.as_str())
}

/// `libplimsoll_count.so` lies beside the executable, or where `PLIMSOLL_COUNT_LIBRARY` says.
fn count_library() -> Result<PathBuf, RunError> {
    let named = std::env::var_os("PLIMSOLL_COUNT_LIBRARY").map(PathBuf::from);
    let beside = || std::env::current_exe().ok().map(|exe| exe.with_file_name("libplimsoll_count.so"));
    let path = named.or_else(beside).unwrap_or_else(|| "libplimsoll_count.so".into());
    if path.is_file() { Ok(path) } else { Err(RunError::NoCountLibrary(path)) }
}
