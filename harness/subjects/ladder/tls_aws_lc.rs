//! The rung `tls-aws-lc`: TLS with the pinned roots and AWS-LC, under every request.

mod exchange;
mod pinned;
mod secured;
mod server;
mod text;

use exchange::{ask, client};
use plimsoll_worker::Failure;
use rustls::crypto::aws_lc_rs;
use secured::Tls;

plimsoll_worker::subject! {
    name: "tls-aws-lc",
    allocator: system,
    client: |env| client(env, |env| Tls::new(env, pinned::roots(env, aws_lc_rs::default_provider())?)),
    chat: |c, _, on_text| ask(c, on_text),
    stream: |_, _, _| async { Err::<(), _>(Failure::unsupported("a rung asks for whole answers only")) },
}
