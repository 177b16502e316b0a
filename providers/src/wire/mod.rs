//! What is on the wire, without IO: bytes come in, events and answers go out, and the caller owns every buffer.
//!
//! - [`sse`]: the events of a stream, cut anywhere
//! - [`buffer`]: what a reader can gather bytes in
//! - [`answer`]: what an event or a body means: an answer, an error, an end
//! - [`mod@array`]: the elements of a stream in array form, cut anywhere
//! - `lift`: an answer read while it arrives

pub mod answer;
pub mod array;
pub mod buffer;
pub(crate) mod lift;
pub mod sse;

#[cfg(test)]
mod corpus;
