//! The elements of a JSON array of objects, read as bytes arrive: a stream without `alt=sse` is one.
//!
//! An element is handed out as a slice of the caller's chunk when it lies in it whole; only what is cut is gathered in the caller's
//! [`Buffer`]. An object that stands alone is handed out too: an error may come without its array.

use std::ops::ControlFlow;

use super::buffer::Buffer;

/// Reads a stream of elements. Holds no bytes itself.
#[derive(Debug, Clone)]
pub struct ArrayReader {
    max_element: usize,
    /// How many containers are open within the element at hand; 0 between elements.
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// Whether the array was opened, and not closed yet.
    open: bool,
}

/// Why a stream cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum ArrayError<F: std::error::Error> {
    /// An element is longer than the limit, in bytes.
    #[error("an element is longer than {0} bytes")]
    TooLong(usize),
    /// The caller's buffer has no room.
    #[error("no room for an element: {0}")]
    Full(F),
    /// Something that is no object stands where one should.
    #[error("an array of objects holds {:?}", char::from(*.0))]
    Stray(u8),
}

impl ArrayReader {
    /// A reader that refuses elements of more than `max_element` bytes.
    pub const fn new(max_element: usize) -> Self {
        Self { max_element, depth: 0, in_string: false, escaped: false, open: false }
    }

    /// Reads a chunk and calls `on_element` with each element that it completes.
    ///
    /// `buffer` must be the same, untouched, from call to call, and empty at the first. After a break the rest of the chunk is lost.
    ///
    /// # Errors
    ///
    /// [`ArrayError`]; where the chunks were cut makes no difference to which element fails.
    pub fn push<B: Buffer, R>(
        &mut self,
        buffer: &mut B,
        chunk: &[u8],
        mut on_element: impl FnMut(&[u8]) -> ControlFlow<R>,
    ) -> Result<ControlFlow<R>, ArrayError<B::Full>> {
        // Where the element at hand begins in the chunk, or goes on in it.
        let mut begin = 0;
        for (at, &byte) in chunk.iter().enumerate() {
            if self.depth == 0 {
                match byte {
                    b'{' => (self.depth, begin) = (1, at),
                    b'[' if !self.open => self.open = true,
                    b']' if self.open => self.open = false,
                    b',' | b' ' | b'\n' | b'\r' | b'\t' => {}
                    other => return Err(ArrayError::Stray(other)),
                }
            } else if self.ends_with(byte) {
                let rest = &chunk[begin..=at];
                let flow = if buffer.bytes().is_empty() {
                    self.fits(rest.len())?;
                    on_element(rest)
                } else {
                    self.gather(buffer, rest)?;
                    let flow = on_element(buffer.bytes());
                    buffer.empty();
                    flow
                };
                if flow.is_break() {
                    return Ok(flow);
                }
            }
        }
        if self.depth > 0 {
            self.gather(buffer, &chunk[begin..])?;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Whether the stream may end here: no element is open, nor the array.
    pub const fn is_whole(&self) -> bool {
        self.depth == 0 && !self.open
    }

    /// Whether the element at hand ends with this byte of it.
    fn ends_with(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if std::mem::take(&mut self.escaped) => {}
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        self.depth == 0
    }

    fn gather<B: Buffer>(&self, buffer: &mut B, bytes: &[u8]) -> Result<(), ArrayError<B::Full>> {
        self.fits(buffer.bytes().len() + bytes.len())?;
        buffer.put(bytes).map_err(ArrayError::Full)
    }

    fn fits<F: std::error::Error>(&self, length: usize) -> Result<(), ArrayError<F>> {
        if length > self.max_element { Err(ArrayError::TooLong(self.max_element)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::corpus;

    /// The elements of a body that is cut at these places, and whether it was whole.
    fn read(body: &[u8], cuts: &[usize], limit: usize) -> Result<(Vec<Vec<u8>>, bool), String> {
        let (mut reader, mut buffer, mut elements) = (ArrayReader::new(limit), Vec::new(), Vec::new());
        let ends = cuts.iter().copied().chain([body.len()]);
        ends.scan(0, |from, to| Some(&body[std::mem::replace(from, to)..to])).try_for_each(|chunk| {
            let flow = reader.push(&mut buffer, chunk, |element| {
                elements.push(element.to_vec());
                ControlFlow::<()>::Continue(())
            });
            flow.map(|_| ()).map_err(|error| error.to_string())
        })?;
        Ok((elements, reader.is_whole()))
    }

    const BODY: &[u8] = "[{\"a\": \"}]{\\\"\\\\\", \"b\": [{}, [1]]}\n,\r\n{\"u\": \"\u{2028}⚓️,\"}\n,{}]\n".as_bytes();

    #[test]
    fn elements_are_the_same_wherever_the_body_is_cut() {
        let recorded = corpus::recorded(&["streamarray_"], "json").into_iter().map(|(_, body)| body);
        for body in recorded.chain([BODY.to_vec()]) {
            let expected: Vec<serde_json::Value> = serde_json::from_slice(&body).unwrap();
            let (whole, _) = read(&body, &[], usize::MAX).unwrap();
            let parsed = whole.iter().map(|element| serde_json::from_slice::<serde_json::Value>(element).unwrap());
            assert!(parsed.eq(expected));
            for cut in 0..=body.len() {
                assert!(read(&body, &[cut], usize::MAX).unwrap() == (whole.clone(), true), "cut at {cut}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn many_cuts_change_nothing(mut cuts in proptest::collection::vec(0..=BODY.len(), 0..12)) {
            cuts.sort_unstable();
            prop_assert_eq!(read(BODY, &cuts, usize::MAX), read(BODY, &[], usize::MAX));
        }
    }

    #[test]
    fn a_body_that_breaks_off_is_not_whole() {
        for end in 1..BODY.len() - 2 {
            assert!(!read(&BODY[..end], &[], usize::MAX).unwrap().1, "{end}");
        }
        assert_eq!(read(b"", &[], 9), Ok((vec![], true)));
        assert_eq!(read(b"{\"error\": 1}", &[3], 99), Ok((vec![b"{\"error\": 1}".to_vec()], true)));
    }

    #[test]
    fn what_is_no_array_of_objects_is_refused() {
        for body in ["<html>", "1", "[1]", "[\"a\"]", "[[]]", "]", "[{}]}"] {
            assert!(read(body.as_bytes(), &[], 99).unwrap_err().contains("array of objects"), "{body}");
        }
    }

    #[test]
    fn the_limit_is_the_same_wherever_an_element_is_cut() {
        for cut in 0..=9 {
            assert!(read(b"[{\"a\":12}]", &[cut], 8).is_ok());
            assert!(read(b"[{\"a\":12}]", &[cut], 7).unwrap_err().contains("longer than 7"));
        }
    }
}
