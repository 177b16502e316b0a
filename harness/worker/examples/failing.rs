//! A subject whose client cannot do anything, says so with the key in its words, and keeps a thread that never ends.

use plimsoll_worker::{Failure, Kind};

plimsoll_worker::subject! {
    name: "failing",
    allocator: system,
    client: |env| async move {
        tokio::task::spawn_blocking(|| loop { std::thread::park() });
        Ok::<_, Failure>(env)
    },
    chat: |env, _| async move { Err::<String, _>(format!("no route to\n{}?key={}", env.base_url, env.key)) },
    stream: |env, _, on_text| async move {
        on_text("a start");
        Err(Failure::new(Kind::Timeout, format!("gave up with {}", env.key)))
    },
}
