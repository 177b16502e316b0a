//! Bodies in chunks, read as they arrive and handed out where they lie.
//!
//! Extensions and trailers are passed over, up to a limit. Line ends are strict: a lone `\n` in a chunk's head is how one reader is
//! made to see another body than the next one.

/// The most bytes of extensions and trailers of one body.
const MAX_EXTRA: u32 = 16 << 10;
/// The most digits of a chunk's size: more than any body has, and no overflow.
const MAX_DIGITS: u8 = 15;

/// Reads a body in chunks. Holds no bytes itself.
#[derive(Debug, Clone)]
pub struct ChunkedReader {
    state: State,
    /// What of [`MAX_EXTRA`] is left.
    extra: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In a size: so many digits with this value.
    Size {
        digits: u8,
        size: u64,
    },
    /// In the space behind a size.
    Space {
        size: u64,
    },
    /// In an extension.
    Extension {
        size: u64,
    },
    /// After the `\r` of a chunk's head.
    SizeEnd {
        size: u64,
    },
    /// In a chunk with so many bytes left.
    Data {
        left: u64,
    },
    /// After a chunk.
    DataReturn,
    /// After a chunk's `\r`.
    DataEnd,
    /// At the beginning of a trailer line.
    TrailerStart,
    /// In one.
    Trailer,
    /// After one's `\r`.
    TrailerEnd,
    /// After the `\r` of the last, empty line.
    LastEnd,
    Done,
}

/// Why a body in chunks cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChunkError {
    /// A chunk has no size, or one that is no number.
    #[error("a chunk has a size that is no hexadecimal number")]
    Size,
    /// A line of the framing has no proper end.
    #[error("a chunk does not end where its size says")]
    End,
    /// Extensions and trailers have no end.
    #[error("the chunks have more than {MAX_EXTRA} bytes of extensions and trailers")]
    TooMuch,
}

impl ChunkedReader {
    /// A reader at the beginning of a body.
    pub const fn new() -> Self {
        Self { state: State::Size { digits: 0, size: 0 }, extra: MAX_EXTRA }
    }

    /// Whether the body is whole, its last line included.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Reads the beginning of `input` up to the end of the first piece of data: how many bytes were read, and that piece, which is
    /// empty only when `input` holds no more data or the body is whole.
    ///
    /// # Errors
    ///
    /// [`ChunkError`].
    pub fn read<'i>(&mut self, input: &'i [u8]) -> Result<(usize, &'i [u8]), ChunkError> {
        for (at, byte) in input.iter().copied().enumerate() {
            self.state = match self.state {
                State::Data { left } => {
                    let rest = &input[at..];
                    let count = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    let left = left - count as u64;
                    self.state = if left == 0 { State::DataReturn } else { State::Data { left } };
                    return Ok((at + count, &rest[..count]));
                }
                State::Done => return Ok((at, &[])),
                state => self.step(state, byte)?,
            };
        }
        Ok((input.len(), &[]))
    }

    /// The state after one byte of framing.
    fn step(&mut self, state: State, byte: u8) -> Result<State, ChunkError> {
        Ok(match (state, byte) {
            (State::Size { digits, size }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') if digits < MAX_DIGITS => {
                let digit = char::from(byte).to_digit(16).ok_or(ChunkError::Size)?;
                State::Size { digits: digits + 1, size: size << 4 | u64::from(digit) }
            }
            (State::Size { digits: 1.., size } | State::Space { size }, b'\r') => State::SizeEnd { size },
            (State::Size { digits: 1.., size } | State::Space { size }, b';') => State::Extension { size },
            (State::Size { digits: 1.., size } | State::Space { size }, b' ' | b'\t') => {
                self.extra = self.extra.checked_sub(1).ok_or(ChunkError::TooMuch)?;
                State::Space { size }
            }
            (State::Size { .. } | State::Space { .. }, _) => return Err(ChunkError::Size),
            (State::Extension { size }, b'\r') => State::SizeEnd { size },
            (State::Extension { .. }, b'\n') => return Err(ChunkError::End),
            (State::Extension { .. } | State::Trailer, _) if self.extra == 0 => return Err(ChunkError::TooMuch),
            (State::Extension { size }, _) => {
                self.extra -= 1;
                State::Extension { size }
            }
            (State::SizeEnd { size: 0 }, b'\n') => State::TrailerStart,
            (State::SizeEnd { size }, b'\n') => State::Data { left: size },
            (State::DataReturn, b'\r') => State::DataEnd,
            (State::DataEnd, b'\n') => State::Size { digits: 0, size: 0 },
            (State::TrailerStart, b'\r') => State::LastEnd,
            (State::Trailer, b'\r') => State::TrailerEnd,
            (State::TrailerStart | State::Trailer, b'\n') => return Err(ChunkError::End),
            (State::TrailerStart | State::Trailer, _) => {
                self.extra = self.extra.checked_sub(1).ok_or(ChunkError::TooMuch)?;
                State::Trailer
            }
            (State::TrailerEnd, b'\n') => State::TrailerStart,
            (State::LastEnd, b'\n') => State::Done,
            _ => return Err(ChunkError::End),
        })
    }
}

impl Default for ChunkedReader {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::corpus;

    /// The body, whether it is whole, and what lies behind it.
    fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<(String, bool, String), ChunkError> {
        let (mut reader, mut body, mut behind) = (ChunkedReader::new(), Vec::new(), Vec::new());
        for piece in pieces {
            let mut rest = piece;
            while !rest.is_empty() {
                let (count, data) = reader.read(rest)?;
                body.extend_from_slice(data);
                rest = &rest[count..];
                if reader.is_done() {
                    behind.extend_from_slice(rest);
                    break;
                }
            }
        }
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ok((text(body), reader.is_done(), text(behind)))
    }

    const BODY: &str = "4\r\nWiki\r\n6;a=\"b;c\" ;d\r\npedia \r\nE \r\nin \r\n\r\nchunks.\r\n0;last\r\nx-trailer: 1\r\ny: 2\r\n\r\nHTTP";
    const TEXT: &str = "Wikipedia in \r\n\r\nchunks.";

    #[test]
    fn a_body_cut_at_every_byte_is_the_same_body() {
        for at in 0..=BODY.len() {
            let (head, tail) = BODY.as_bytes().split_at(at);
            assert_eq!(read([head, tail]), Ok((TEXT.to_owned(), true, "HTTP".to_owned())), "cut at {at}");
        }
        assert_eq!(read(BODY.as_bytes().chunks(1)).unwrap().0, TEXT);
    }

    /// A stream's name, its bytes, and the same in chunks.
    type Chunked = (String, Vec<u8>, Vec<u8>);

    /// Every stream there is, in chunks of many sizes.
    fn streams() -> Vec<Chunked> {
        let own = corpus::streams().into_iter().map(|(name, body, _)| (name, body));
        let streams = own.chain(corpus::recorded_streams());
        streams
            .map(|(name, body)| {
                let (mut chunks, mut rest, mut size) = (Vec::new(), &body[..], 1);
                while !rest.is_empty() {
                    let (chunk, more) = rest.split_at(rest.len().min(size));
                    chunks.extend([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
                    (rest, size) = (more, size * 7 % 1_009);
                }
                chunks.extend(b"0\r\n\r\n");
                (name, body, chunks)
            })
            .collect()
    }

    #[test]
    fn every_stream_cut_at_every_byte_is_the_same_stream() {
        for (name, body, chunks) in streams() {
            let whole = Ok((String::from_utf8(body).unwrap(), true, String::new()));
            for at in 0..=chunks.len() {
                let (head, tail) = chunks.split_at(at);
                assert!(read([head, tail]) == whole, "{name}, cut at {at}");
            }
        }
    }

    #[test]
    fn every_beginning_is_not_the_whole() {
        let end = BODY.len() - "HTTP".len();
        for at in 0..end {
            assert!(!read([&BODY.as_bytes()[..at]]).unwrap().1, "cut at {at}");
        }
    }

    #[test]
    fn bad_framing_is_refused_wherever_it_is_cut() {
        for (body, error) in [
            ("\r\n", ChunkError::Size),
            ("x\r\n", ChunkError::Size),
            ("-1\r\n", ChunkError::Size),
            ("+1\r\n", ChunkError::Size),
            (";a\r\n", ChunkError::Size),
            ("0x4\r\nWiki\r\n", ChunkError::Size),
            ("4\nWiki\r\n", ChunkError::Size),
            // Another reader may see 0x44 bytes, or a chunk that ends elsewhere.
            ("4 4\r\nWiki\r\n", ChunkError::Size),
            ("4 x\r\nWiki\r\n", ChunkError::Size),
            ("4 \nWiki\r\n", ChunkError::Size),
            ("1000000000000000\r\n", ChunkError::Size),
            ("ffffffffffffffffffffff\r\n", ChunkError::Size),
            ("4;a\nWiki\r\n", ChunkError::End),
            ("4\rWiki", ChunkError::End),
            ("4\r\nWikix\r\n", ChunkError::End),
            ("4\r\nWiki\n", ChunkError::End),
            ("0\r\n\n", ChunkError::End),
            ("0\r\na: b\n\r\n", ChunkError::End),
            ("0\r\n\rx", ChunkError::End),
        ] {
            for at in 0..=body.len() {
                let (head, tail) = body.as_bytes().split_at(at);
                assert_eq!(read([head, tail]), Err(error), "{body:?}, cut at {at}");
            }
        }
    }

    #[test]
    fn extensions_and_trailers_have_an_end() {
        let long = "x".repeat(MAX_EXTRA as usize);
        assert!(read([format!("0;{long}\r\n\r\n").as_bytes()]).unwrap().1);
        for body in [
            format!("0;{long}x\r\n\r\n"),
            format!("0\r\n{long}x\r\n\r\n"),
            format!("0{}\r\n\r\n", " ".repeat(long.len() + 1)),
            "1;aaaaaaaaaaaaaaa\r\nx\r\n".repeat(1100),
        ] {
            assert_eq!(read([body.as_bytes()]), Err(ChunkError::TooMuch));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_stream_cut_in_many_places(
            stream in 0_usize..64, cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)
        ) {
            static STREAMS: std::sync::LazyLock<Vec<Chunked>> = std::sync::LazyLock::new(streams);
            let (name, body, chunks) = &STREAMS[stream % STREAMS.len()];
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(chunks.len() + 1)).chain([0, chunks.len()]).collect();
            cuts.sort_unstable();
            let (read, done, behind) = read(cuts.windows(2).map(|cut| &chunks[cut[0]..cut[1]])).unwrap();
            prop_assert!(read.as_bytes() == body && done && behind.is_empty(), "{}", name);
        }

        #[test]
        fn any_body_in_any_chunks_in_any_pieces(
            chunks in prop::collection::vec("[a-z\r\n]{1,40}", 0..8), cuts in prop::collection::vec(0..400_usize, 0..12)
        ) {
            let mut body: String = chunks.iter().map(|chunk| format!("{:X}\r\n{chunk}\r\n", chunk.len())).collect();
            body += "0\r\n\r\n";
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(body.len())).chain([0, body.len()]).collect();
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|cut| &body.as_bytes()[cut[0]..cut[1]]);
            prop_assert_eq!(read(pieces), Ok((chunks.concat(), true, String::new())));
        }
    }
}
