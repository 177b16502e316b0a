//! The rung `http`: HTTP/1.1 over a connection without TLS.

mod exchange;
mod server;
mod text;

use exchange::{Plain, ask, client};
use plimsoll_worker::Failure;

plimsoll_worker::subject! {
    name: "http",
    allocator: system,
    client: |env| client(env, |_| Ok(Plain)),
    chat: |c, _, on_text| ask(c, on_text),
    stream: |_, _, _| async { Err::<(), _>(Failure::unsupported("a rung asks for whole answers only")) },
}
