//! Subjects whose every allocation is known: what Plimsoll says of them can be checked to the byte. They answer nothing, without network,
//! but for `original-vec`, which answers as `original` does.

use std::convert::Infallible;
use std::sync::Arc;

use plimsoll_providers::Provider;
use plimsoll_worker::{Env, Failure, Request};

use crate::{ask, original};

/// Bytes of the block that `probe-vec` and `probe-original-vec` make for each request, and give back.
pub const VEC: usize = 4_096;
/// Bytes of the block that `probe-leak` makes for each request and keeps for ever.
pub const LEAK: usize = 64;

/// The baseline: does nothing.
pub mod null {
    pub use super::{client, nothing as chat, nothing as stream};
}

/// One more block of [`VEC`] bytes per request.
pub mod vec {
    pub use super::{client, one_vec as chat, one_vec as stream};
}

/// One more block of [`LEAK`] bytes per request, leaked.
pub mod leak {
    pub use super::{client, one_leak as chat, one_leak as stream};
}

/// The level `original`, with one more block of [`VEC`] bytes per request, for as long as the request is in flight.
pub mod original_vec {
    pub use super::{original::client, original_vec_chat as chat, original_vec_stream as stream};
}

/// Asks once, at the cost of one more block while it waits.
pub async fn original_vec_chat<P: Provider>(
    client: Arc<P>,
    request: Request,
    on_text: impl Fn(&str),
) -> Result<(), Failure> {
    let block = std::hint::black_box(vec![1_u8; VEC]); // the one more block of chat
    let outcome = ask::chat(client, request, on_text).await;
    drop(std::hint::black_box(block));
    outcome
}

/// Streams once, at the cost of one more block while it waits.
pub async fn original_vec_stream<P: Provider>(
    client: Arc<P>,
    request: Request,
    on_text: impl Fn(&str) + Send,
) -> Result<(), Failure> {
    let block = std::hint::black_box(vec![1_u8; VEC]);
    let outcome = ask::stream(client, request, on_text).await;
    drop(std::hint::black_box(block));
    outcome
}

/// Makes no client.
pub async fn client(_: Env) -> Result<(), Infallible> {
    Ok(())
}

/// Answers nothing at no cost.
pub async fn nothing(_: Arc<()>, _: Request, _: impl Fn(&str)) -> Result<(), Infallible> {
    Ok(())
}

/// Answers nothing at the cost of a block that it gives back.
pub async fn one_vec(_: Arc<()>, _: Request, _: impl Fn(&str)) -> Result<(), Infallible> {
    // Without the black box the compiler would see that nobody looks at the block, and not make it.
    std::hint::black_box(Vec::<u8>::with_capacity(VEC));
    Ok(())
}

/// Answers nothing at the cost of a block that it keeps.
pub async fn one_leak(_: Arc<()>, _: Request, _: impl Fn(&str)) -> Result<(), Infallible> {
    std::mem::forget(std::hint::black_box(Vec::<u8>::with_capacity(LEAK)));
    Ok(())
}
