//! The rung `tls-roots-ring`: a TLS configuration with the pinned roots and ring, made and not used.

mod exchange;
mod idle;
mod pinned;
mod server;
mod text;

use exchange::{ask, client};
use idle::Idle;
use plimsoll_worker::Failure;
use rustls::crypto::ring;

plimsoll_worker::subject! {
    name: "tls-roots-ring",
    allocator: system,
    client: |env| client(env, |env| Ok(Idle::new(pinned::roots(env, ring::default_provider())?))),
    chat: |c, _, on_text| ask(c, on_text),
    stream: |_, _, _| async { Err::<(), _>(Failure::unsupported("a rung asks for whole answers only")) },
}
