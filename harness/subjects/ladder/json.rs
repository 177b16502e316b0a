//! The rung `json`: answers of `reqwest` as values of serde_json.

mod library;
mod pinned;
mod server;

use std::sync::{Arc, Mutex, PoisonError};

use library::{Library, library};
use plimsoll_worker::{Env, Failure, Kind};
use serde_json::Value;

plimsoll_worker::subject! {
    name: "json",
    allocator: system,
    client: |env| parsed(env),
    chat: |c, _, on_text| ask(c, on_text),
    stream: |_, _, _| async { Err::<(), _>(Failure::unsupported("a rung asks for whole answers only")) },
}

struct Parsed {
    library: Library,
    /// The last answer, kept until the next: so that what it takes shows while the program stands still.
    last: Mutex<Value>,
}

async fn parsed(env: Env) -> Result<Parsed, Failure> {
    Ok(Parsed { library: library(env).await?, last: Mutex::new(Value::Null) })
}

async fn ask(client: Arc<Parsed>, on_text: impl Fn(&str)) -> Result<(), Failure> {
    let body = client.library.body().await?;
    let value: Value = serde_json::from_slice(&body).map_err(|error| Failure::new(Kind::Answer, error))?;
    for part in value["candidates"][0]["content"]["parts"].as_array().into_iter().flatten() {
        if part["thought"] != true {
            part["text"].as_str().into_iter().for_each(&on_text);
        }
    }
    *client.last.lock().unwrap_or_else(PoisonError::into_inner) = value;
    Ok(())
}
