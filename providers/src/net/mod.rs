//! What the levels that stand on reqwest share: making its client, waiting no longer than allowed, and turning its failures into ours.

mod address;
mod client;
mod exchange;
mod key;
mod pool;
mod tls;
mod wait;

pub(crate) use address::{Address, Method};
pub(crate) use client::client_builder;
pub(crate) use exchange::{accept, call, next_chunk, transport};
pub(crate) use key::{API_KEY_HEADER, ApiKey};
pub(crate) use pool::BufferPool;
pub(crate) use tls::{Sessions, reqwest_roots, tls_config};
pub(crate) use wait::{Patience, Wait};
