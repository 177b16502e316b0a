//! What levels share of the network: where requests go and with which key, TLS, how long to wait; and for those that stand on reqwest
//! making its client and turning its failures into ours.

mod address;
mod client;
mod exchange;
mod key;
mod origin;
mod pool;
mod session;
mod tls;
mod trust;
mod unpack;
mod wait;

pub(crate) use address::{Address, Method};
pub(crate) use client::client_builder;
pub(crate) use exchange::{MAX_ERROR_BODY, accept, call, delay, next_chunk, transport};
pub(crate) use key::{API_KEY_HEADER, ApiKey};
pub(crate) use origin::Origin;
pub(crate) use pool::{BufferPool, Lease};
pub(crate) use tls::{Sessions, lean_tls_config, reqwest_roots, tls_config};
pub(crate) use unpack::Unpackers;
pub(crate) use wait::{Patience, Wait};
