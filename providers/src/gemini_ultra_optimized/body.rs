//! The answer's body, by the techniques that concern it.

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use reqwest::Response;
use smallvec::SmallVec;

use super::gather::Gather;
use crate::error::Error;
use crate::net::{self, Wait};
use crate::technique::{Technique, Techniques};
use crate::types::GenerateContentResponse;
use crate::wire::answer::{ANSWER, by_value, judge, typed};
use crate::wire::buffer::Buffer;

/// Reads a whole answer of at most `limit` bytes.
pub(super) async fn read(
    response: &mut Response,
    wait: &Wait,
    limit: usize,
    techniques: Techniques,
) -> Result<GenerateContentResponse, Error> {
    let mut chunks = Chunks { response, wait, limit, taken: 0 };
    match (techniques.contains(Technique::ZeroCopyBody), techniques.contains(Technique::StreamingJson)) {
        (false, streaming) => {
            let mut body = Gather::new(techniques);
            while let Some(chunk) = chunks.next().await? {
                let Ok(()) = body.put(&chunk);
            }
            let parse = if streaming { typed } else { by_value };
            judge(parse(body.bytes()), ANSWER)
        }
        (true, streaming) => {
            let mut body = SmallVec::<[Bytes; 4]>::new();
            while let Some(chunk) = chunks.next().await? {
                body.push(chunk);
            }
            let read = match &body[..] {
                [whole] if streaming => typed(whole),
                [whole] => by_value(whole),
                _ if streaming => serde_json::from_reader(Joined(body)),
                _ => serde_json::from_reader(Joined(body)).and_then(serde_json::from_value),
            };
            judge(read, ANSWER)
        }
    }
}

/// The chunks of a body, none of them beyond the limit.
struct Chunks<'a> {
    response: &'a mut Response,
    wait: &'a Wait,
    limit: usize,
    taken: usize,
}

impl Chunks<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let chunk = net::next_chunk(self.response, self.wait).await?;
        self.taken += chunk.as_ref().map_or(0, Bytes::len);
        if self.taken > self.limit {
            return Err(Error::TooLong { what: "the answer", limit: self.limit, field: "max_body" });
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
