//! gzip, unpacked as it arrives into the caller's buffer.
//!
//! [flate2](https://docs.rs/flate2) inflates; the container around it (RFC 1952, several members one after the other included) is read
//! here, because flate2's own readers bring buffers of their own.

use flate2::{Crc, Decompress, FlushDecompress, Status};

/// Bits of the flags that say what is optional in a member's head.
const HEAD_CRC: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

/// Unpacks gzip. About 43 KiB, the window that deflate looks back into: made once and used again.
#[derive(Debug)]
pub struct Gunzip {
    inflate: Decompress,
    crc: Crc,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the ten fixed bytes of a head, which `first` says may be missing: then there is no further member.
    Head {
        at: u8,
        flags: u8,
        first: bool,
    },
    ExtraLength {
        at: u8,
        length: u16,
        flags: u8,
    },
    Extra {
        left: u16,
        flags: u8,
    },
    /// In a text that ends with a NUL.
    Name {
        flags: u8,
    },
    Comment {
        flags: u8,
    },
    HeadCrc {
        at: u8,
    },
    Deflate,
    Trailer {
        at: u8,
        bytes: [u8; 8],
    },
}

/// Why something cannot be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GzipError {
    /// It is not gzip.
    #[error("it is labelled gzip and is not")]
    Head,
    /// It is damaged.
    #[error("the gzip data is damaged")]
    Damaged,
    /// It ends too early.
    #[error("the gzip data ends too early")]
    Cut,
}

impl Gunzip {
    /// Room to unpack in.
    pub fn new() -> Self {
        Self { inflate: Decompress::new(false), crc: Crc::new(), state: START }
    }

    /// Begins anew in the same memory.
    pub fn reset(&mut self) {
        self.inflate.reset(false);
        self.crc.reset();
        self.state = START;
    }

    /// Unpacks from `input` into `out`: how many bytes were taken and how many were written. To be called again until all of `input`
    /// is taken and `out` was not filled.
    ///
    /// # Errors
    ///
    /// [`GzipError`].
    pub fn unpack(&mut self, input: &[u8], out: &mut [u8]) -> Result<(usize, usize), GzipError> {
        let (mut taken, mut written) = (0, 0);
        loop {
            if self.state == State::Deflate {
                let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
                let status = self
                    .inflate
                    .decompress(&input[taken..], &mut out[written..], FlushDecompress::None)
                    .map_err(|_| GzipError::Damaged)?;
                // Differences between two readings of a slice's bounds fit its length.
                let count_in = (self.inflate.total_in() - before_in) as usize;
                let count_out = (self.inflate.total_out() - before_out) as usize;
                self.crc.update(&out[written..written + count_out]);
                taken += count_in;
                written += count_out;
                if status == Status::StreamEnd {
                    self.state = State::Trailer { at: 0, bytes: [0; 8] };
                } else if written == out.len() || taken == input.len() {
                    return Ok((taken, written));
                } else if count_in == 0 && count_out == 0 {
                    return Err(GzipError::Damaged);
                }
                continue;
            }
            let Some(byte) = input.get(taken) else { return Ok((taken, written)) };
            taken += 1;
            self.state = self.step(*byte)?;
        }
    }

    /// Whether nothing was unpacked yet.
    pub fn is_fresh(&self) -> bool {
        self.state == START
    }

    /// The input has ended.
    ///
    /// # Errors
    ///
    /// [`GzipError::Cut`] if it is not whole.
    pub fn finish(&self) -> Result<(), GzipError> {
        if matches!(self.state, State::Head { at: 0, first: false, .. }) { Ok(()) } else { Err(GzipError::Cut) }
    }

    /// The state after one byte of the container.
    fn step(&mut self, byte: u8) -> Result<State, GzipError> {
        Ok(match self.state {
            State::Head { at: 9, flags, .. } => {
                if flags & EXTRA != 0 {
                    State::ExtraLength { at: 0, length: 0, flags }
                } else {
                    after_extra(flags)
                }
            }
            State::Head { at, flags, first } => {
                let good = match at {
                    0 => byte == 0x1f,
                    1 => byte == 0x8b,
                    2 => byte == 8,
                    3 => byte & RESERVED == 0,
                    _ => true,
                };
                if !good {
                    return Err(GzipError::Head);
                }
                State::Head { at: at + 1, flags: if at == 3 { byte } else { flags }, first }
            }
            State::ExtraLength { at: 0, flags, .. } => State::ExtraLength { at: 1, length: u16::from(byte), flags },
            State::ExtraLength { length, flags, .. } => match length | u16::from(byte) << 8 {
                0 => after_extra(flags),
                left => State::Extra { left, flags },
            },
            State::Extra { left: 1, flags } => after_extra(flags),
            State::Extra { left, flags } => State::Extra { left: left - 1, flags },
            State::Name { flags } if byte == 0 => after_name(flags),
            State::Comment { flags } if byte == 0 => after_comment(flags),
            State::HeadCrc { at: 1 } => State::Deflate,
            State::HeadCrc { .. } => State::HeadCrc { at: 1 },
            State::Trailer { at: 7, mut bytes } => {
                bytes[7] = byte;
                let [a, b, c, d, e, f, g, h] = bytes;
                let sums = [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])];
                if sums != [self.crc.sum(), self.crc.amount()] {
                    return Err(GzipError::Damaged);
                }
                self.inflate.reset(false);
                self.crc.reset();
                State::Head { at: 0, flags: 0, first: false }
            }
            State::Trailer { at, mut bytes } => {
                bytes[usize::from(at)] = byte;
                State::Trailer { at: at + 1, bytes }
            }
            state => state,
        })
    }
}

impl Default for Gunzip {
    fn default() -> Self {
        Self::new()
    }
}

const START: State = State::Head { at: 0, flags: 0, first: true };

const fn after_extra(flags: u8) -> State {
    if flags & NAME != 0 { State::Name { flags } } else { after_name(flags) }
}

const fn after_name(flags: u8) -> State {
    if flags & COMMENT != 0 { State::Comment { flags } } else { after_comment(flags) }
}

const fn after_comment(flags: u8) -> State {
    if flags & HEAD_CRC != 0 { State::HeadCrc { at: 0 } } else { State::Deflate }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::GzEncoder;
    use flate2::{Compression, GzBuilder};
    use proptest::prelude::*;

    use super::*;

    fn unpack<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, room: usize) -> Result<Vec<u8>, GzipError> {
        let (mut gunzip, mut all, mut out) = (Gunzip::new(), Vec::new(), vec![0; room]);
        for piece in pieces {
            let mut rest = piece;
            loop {
                let (taken, written) = gunzip.unpack(rest, &mut out)?;
                all.extend_from_slice(&out[..written]);
                rest = &rest[taken..];
                if rest.is_empty() && written < room {
                    break;
                }
            }
        }
        gunzip.finish().map(|()| all)
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// A member with everything that is optional, and a second one.
    fn rich(text: &[u8]) -> Vec<u8> {
        let mut builder = GzBuilder::new()
            .filename("name")
            .comment("comment")
            .extra(*b"extra")
            .write(Vec::new(), Compression::best());
        builder.write_all(text).unwrap();
        let mut bytes = builder.finish().unwrap();
        bytes[3] |= HEAD_CRC;
        let end = bytes.windows(8).position(|text| text == b"comment\0").unwrap() + 8;
        bytes.splice(end..end, [0xab, 0xcd]);
        bytes.extend(packed(b" and more"));
        bytes
    }

    #[test]
    fn cut_at_every_byte_it_is_the_same() {
        let text = "a line on a hull, ".repeat(50);
        let bytes = rich(text.as_bytes());
        let expected = format!("{text} and more").into_bytes();
        for room in [1, 7, 4096] {
            for at in 0..=bytes.len() {
                let (head, tail) = bytes.split_at(at);
                assert_eq!(unpack([head, tail], room).as_deref(), Ok(&expected[..]), "cut at {at}, room for {room}");
            }
        }
    }

    #[test]
    fn every_beginning_is_cut() {
        let first = packed(&b"hull ".repeat(100)).len();
        let bytes = [packed(&b"hull ".repeat(100)), packed(b"x")].concat();
        for at in (0..bytes.len()).filter(|at| *at != first) {
            assert_eq!(unpack([&bytes[..at]], 64), Err(GzipError::Cut), "cut at {at}");
        }
    }

    #[test]
    fn damage_is_seen() {
        assert_eq!(unpack([&b"{\"a\": 1}"[..]], 64), Err(GzipError::Head));
        let bytes = packed(b"a line on a hull");
        for at in [bytes.len() - 1, bytes.len() - 8, 14] {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            assert!(matches!(unpack([&bytes[..]], 64), Err(GzipError::Damaged | GzipError::Cut)), "{at}");
        }
        let behind = [&bytes[..], b"x"].concat();
        assert_eq!(unpack([&behind[..]], 64), Err(GzipError::Head));
    }

    #[test]
    fn the_same_room_unpacks_again() {
        let mut gunzip = Gunzip::new();
        let mut out = [0; 64];
        assert_eq!(gunzip.unpack(&packed(b"one")[..15], &mut out).unwrap().0, 15);
        gunzip.reset();
        assert_eq!(gunzip.unpack(&packed(b"two"), &mut out).unwrap().1, 3);
        assert_eq!((&out[..3], gunzip.finish()), (&b"two"[..], Ok(())));
    }

    proptest! {
        #[test]
        fn anything_in_any_pieces(
            bytes in prop::collection::vec(any::<u8>(), 0..2000), cuts in prop::collection::vec(0..3000_usize, 0..8), room in 1..300_usize
        ) {
            let packed = packed(&bytes);
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(packed.len())).chain([0, packed.len()]).collect();
            cuts.sort_unstable();
            prop_assert_eq!(unpack(cuts.windows(2).map(|cut| &packed[cut[0]..cut[1]]), room), Ok(bytes));
        }

        #[test]
        fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = unpack([&[&[0x1f, 0x8b, 8][..], &bytes].concat()[..]], 16);
        }
    }
}
