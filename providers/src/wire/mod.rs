//! What is on the wire, without IO: bytes come in, events and answers go out, and the caller owns every buffer.
//!
//! - [`sse`]: the events of a stream, cut anywhere
//! - [`buffer`]: what a reader can gather bytes in
//! - [`answer`]: what an event or a body means: an answer, an error, an end
//! - [`mod@array`]: the elements of a stream in array form, cut anywhere
//! - [`lift`]: an answer read while it arrives
//! - [`head`], [`chunked`], [`gzip`]: HTTP/1.1 and what its bodies are packed in
//! - [`push_json`]: JSON as events while it arrives
//! - `scan`: where the next byte stands that matters
//! - [`visit`]: an answer told to a visitor while it arrives
//! - [`decode`]: JSON by serde, escapes undone in the buffer

pub mod answer;
pub mod array;
pub mod buffer;
pub mod chunked;
pub mod decode;
pub mod gzip;
pub mod head;
pub mod lift;
pub mod push_json;
mod scan;
pub mod sse;
pub mod visit;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod differential;
