//! What is on the wire, without IO: bytes come in, events and answers go out, and the caller owns every buffer.
//!
//! - [`sse`]: the events of a stream, cut anywhere
//! - [`buffer`]: what a reader can gather bytes in
//! - [`answer`]: what an event or a body means: an answer, an error, an end

pub mod answer;
pub mod buffer;
pub mod sse;
