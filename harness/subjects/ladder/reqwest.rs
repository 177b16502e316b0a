//! The rung `reqwest`: the same requests by a library.

mod library;
mod pinned;
mod server;
mod text;

use library::library;
use plimsoll_worker::Failure;

plimsoll_worker::subject! {
    name: "reqwest",
    allocator: system,
    client: |env| library(env),
    chat: |c, _, on_text| async move { text::each(&c.body().await?, on_text) },
    stream: |_, _, _| async { Err::<(), _>(Failure::unsupported("a rung asks for whole answers only")) },
}
