//! The answer's body, by the techniques that concern it.
//!
//! | zero-copy-body | streaming-json | |
//! |---|---|---|
//! | yes | yes | chunks are read where they lie as they arrive, texts straight into their strings |
//! | yes | no | chunks are kept as they came, read one after the other into a `Value`, and that into types |
//! | no | yes | chunks are copied together, and that is read into types |
//! | no | no | chunks are copied together, read into a `Value`, and that into types |

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use futures_util::Stream;
use smallvec::SmallVec;

use super::gather::Gather;
use crate::error::{Error, Limited};
use crate::net::{self, Wait};
use crate::technique::{Technique, Techniques};
use crate::types::GenerateContentResponse;
use crate::wire::answer::{ANSWER, by_value, judge, typed};
use crate::wire::buffer::Buffer;
use crate::wire::lift::Lifter;

/// Reads a whole answer of at most `limit` bytes.
pub(super) async fn read<S>(
    chunks: S,
    wait: &Wait,
    limit: usize,
    techniques: Techniques,
) -> Result<GenerateContentResponse, Error>
where
    S: Stream<Item = reqwest::Result<Bytes>> + Unpin,
{
    let mut chunks = Chunks { chunks, wait, limit, taken: 0 };
    match (techniques.contains(Technique::ZeroCopyBody), techniques.contains(Technique::StreamingJson)) {
        (false, streaming) => {
            let mut body = Gather::new(techniques);
            while let Some(chunk) = chunks.next().await? {
                let Ok(()) = body.put(&chunk);
            }
            let parse = if streaming { typed } else { by_value };
            judge(parse(body.bytes()), ANSWER)
        }
        (true, true) => {
            // No chunk is held while the next one is waited for: it is a slice of hyper's read buffer, which hyper could otherwise
            // not read into again.
            let mut lifter = Lifter::new(Gather::new(techniques));
            while let Some(chunk) = chunks.next().await? {
                lifter.push(&chunk).map_err(|error| Error::answer(ANSWER, error))?;
            }
            judge(lifter.finish(), ANSWER)
        }
        (true, false) => {
            let mut body = SmallVec::<[Bytes; 4]>::new();
            while let Some(chunk) = chunks.next().await? {
                body.push(chunk);
            }
            let read = match &body[..] {
                [whole] => by_value(whole),
                _ => serde_json::from_reader(Joined(body)).and_then(serde_json::from_value),
            };
            judge(read, ANSWER)
        }
    }
}

/// The chunks of a body, none of them beyond the limit.
struct Chunks<'a, S> {
    chunks: S,
    wait: &'a Wait,
    limit: usize,
    taken: usize,
}

impl<S: Stream<Item = reqwest::Result<Bytes>> + Unpin> Chunks<'_, S> {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let chunk = net::next_chunk(&mut self.chunks, self.wait).await?;
        self.taken += chunk.as_ref().map_or(0, Bytes::len);
        if self.taken > self.limit {
            return Err(Error::TooLong { what: Limited::Body, limit: self.limit });
        }
        Ok(chunk)
    }
}

/// Chunks read one after the other where they lie; each is let go once it is read.
struct Joined(SmallVec<[Bytes; 4]>);

impl Read for Joined {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let Some(first) = self.0.first_mut() else { return Ok(0) };
        let count = first.len().min(to.len());
        first.copy_to_slice(&mut to[..count]);
        if first.is_empty() {
            self.0.remove(0);
        }
        Ok(count)
    }
}
