//! Where the next byte stands that matters, looked for eight bytes at a time.
//!
//! A byte is found by arithmetic on a word, without a branch for each: the subtraction borrows out of exactly the bytes that are looked for, and
//! marks their highest bits. A borrow may mark more bytes behind the first, never one before it. (The method is that of Hacker's Delight,
//! 2nd edition, section 6-1; `memchr` has vector code for each kind of processor, which would be more pages of a program than the readers are.)

/// A word with 1 in each byte.
const ONES: u64 = u64::MAX / 0xff;
/// A word with the highest bit of each byte.
const HIGH: u64 = ONES << 7;

/// How many bytes of a JSON string stand for themselves: up to the first quote, backslash or control character, or all.
pub(super) fn plain(bytes: &[u8]) -> usize {
    first(bytes, |word| equal(word, b'"') | equal(word, b'\\') | below(word, 0x20))
}

/// Where the line ends, at a carriage return or line feed; `None` if it does not.
pub(super) fn line_end(bytes: &[u8]) -> Option<usize> {
    let end = first(bytes, |word| equal(word, b'\n') | equal(word, b'\r'));
    (end < bytes.len()).then_some(end)
}

/// Where the first byte is that `marks` marks; the length if there is none. A space must not be marked.
fn first(bytes: &[u8], marks: impl Fn(u64) -> u64) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let marks = marks(u64::from_le_bytes(*word));
        if marks != 0 {
            return index * 8 + lowest(marks);
        }
    }
    let mut last = [b' '; 8];
    last[..rest.len()].copy_from_slice(rest);
    let marks = marks(u64::from_le_bytes(last));
    if marks != 0 { words.len() * 8 + lowest(marks) } else { bytes.len() }
}

/// The first byte of those marked.
fn lowest(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ (ONES * u64::from(byte)), 1)
}

/// Marks bytes smaller than `limit`, which is at most 128.
fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(limit)) & !word & HIGH
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes of all kinds, those that matter and their neighbours more often than chance has them.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![
            4 => prop::sample::select(&b"abc \x7f\x80\xa2\xdc\xff"[..]),
            1 => prop::sample::select(&b"\"\\\x00\x1f\n\r\t!#[]\x0b\x0e\x21\x5b\x5d"[..]),
            1 => any::<u8>(),
        ];
        prop::collection::vec(byte, 0..40)
    }

    proptest! {
        #[test]
        fn they_stop_where_a_look_at_each_byte_does(bytes in bytes()) {
            let plain_end = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            prop_assert_eq!(plain(&bytes), plain_end.unwrap_or(bytes.len()));
            prop_assert_eq!(line_end(&bytes), bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')));
        }
    }

    /// Every byte at every place of a word, behind bytes that a borrow could run through.
    #[test]
    fn each_byte_at_each_place() {
        for before in [0x20, 0x80, 0xff, b'"' + 1, b'\\' + 1, b'\r' + 0x80] {
            for byte in 0..=u8::MAX {
                for at in 0..17 {
                    let mut bytes = [before; 17];
                    bytes[at] = byte;
                    let stops = matches!(byte, b'"' | b'\\' | 0..0x20);
                    assert_eq!(plain(&bytes), if stops { at } else { 17 }, "{before:#x} {byte:#x} {at}");
                    let ends = matches!(byte, b'\n' | b'\r');
                    assert_eq!(line_end(&bytes), ends.then_some(at), "{before:#x} {byte:#x} {at}");
                }
            }
        }
    }
}
