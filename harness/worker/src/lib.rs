//! What is linked into a measured Rust program: Plimsoll's checkpoint protocol (`PROTOCOL.md`) and the choice of allocator.
//!
//! A subject is a few lines: how to make the client, how to ask it, how to stream from it.
//!
//! ```no_run
//! # use std::{convert::Infallible, sync::Arc};
//! # struct MyProvider;
//! # struct Answer { text: String }
//! # impl MyProvider {
//! #     fn new(url: String, key: String, ca: String) -> Result<Self, Infallible> { Ok(Self) }
//! #     async fn generate(&self, req: impl AsRef<str>) -> Result<Answer, Infallible> { Ok(Answer { text: String::new() }) }
//! #     async fn stream(&self, req: impl AsRef<str>, mut on_text: impl FnMut(&str)) -> Result<(), Infallible> { Ok(()) }
//! # }
//! plimsoll_worker::subject! {               // src/bin/plimsoll_subject.rs; one such 3-line bin per allocator wanted
//!   client: |env| async move { MyProvider::new(env.base_url, env.key, env.ca) },
//!   chat:   |c, req| async move { c.generate(req).await.map(|r| r.text) },
//!   stream: |c, req, on_text| async move { c.stream(req, on_text).await },
//! }
//! ```
//!
//! Why its figures are the client's and not the worker's own:
//! - The greeting is the first statement of `main`. What the worker needs (the pipe's buffer, the histogram of latencies, jemalloc's
//!   MIBs) is in place before it, so that none of it is in a growth.
//! - Nothing is printed through the standard library's buffers; a line is put together on the stack.
//! - Requests one after the other are made by one loop in `block_on`, which allocates nothing of its own per request (tested). Requests
//!   in flight together are tasks, one each, as in a server.
//! - At `client` it makes four small blocks of its own: the request's two texts, the shared handle of the client, and the sum of what
//!   was answered. They are gone again at `drop`.
#![deny(unsafe_code)]

pub mod allocator;
mod build_id;
mod env;
mod failure;
mod latency;
mod line;
mod macros;
mod session;
mod sink;
mod steps;
mod subject;
mod sys;
mod work;

pub use env::{Env, Request};
pub use failure::{Failure, Kind};
pub use session::{About, run, runtime};
pub use sink::Sink;
pub use steps::steps;
pub use subject::{Parts, Subject};
