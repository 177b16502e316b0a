//! What levels share: making reqwest's client, TLS, waiting no longer than allowed, and turning failures into ours.

mod address;
mod client;
mod exchange;
mod key;
mod pool;
mod session;
mod tls;
mod trust;
mod wait;

pub(crate) use address::{Address, Method};
pub(crate) use client::client_builder;
pub(crate) use exchange::{MAX_ERROR_BODY, accept, call, delay, next_chunk, transport};
pub(crate) use key::{API_KEY_HEADER, ApiKey};
pub(crate) use pool::{BufferPool, Lease};
pub(crate) use tls::{Sessions, lean_tls_config, reqwest_roots, tls_config};
pub(crate) use wait::{Patience, Wait};
