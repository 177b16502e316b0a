//! A name for this very build: the linker's hash of it, from the program's own file.

use std::fmt;
use std::fs::File;
use std::io::Read;

/// Bytes of the hash that are given.
const LENGTH: usize = 8;
/// The note that the linker writes (`NT_GNU_BUILD_ID`).
const GNU_BUILD_ID: u32 = 3;
/// A program header of notes (`PT_NOTE`).
const PT_NOTE: u32 = 4;

/// The first bytes of the linker's build id; shown as hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BuildId([u8; LENGTH]);

impl BuildId {
    /// Of this program; `None` where it has none, or where there is no `/proc`. Allocates nothing.
    pub(crate) fn own() -> Option<Self> {
        // The headers and the note come first in the file.
        let mut head = [0; 4_096];
        let mut file = File::open("/proc/self/exe").ok()?;
        let mut length = 0;
        while length < head.len() {
            match file.read(&mut head[length..]).ok()? {
                0 => break,
                more => length += more,
            }
        }
        Self::of(&head[..length])
    }

    fn of(elf: &[u8]) -> Option<Self> {
        const ELF_64: &[u8] = b"\x7fELF\x02";
        if !elf.starts_with(ELF_64) {
            return None;
        }
        let headers = usize::try_from(word64(elf, 32)?).ok()?;
        let size = usize::from(word16(elf, 54)?);
        let count = usize::from(word16(elf, 56)?);
        (0..count).find_map(|index| {
            let header = elf.get(headers.checked_add(index * size)?..)?;
            if word32(header, 0)? != PT_NOTE {
                return None;
            }
            let offset = usize::try_from(word64(header, 8)?).ok()?;
            let length = usize::try_from(word64(header, 32)?).ok()?;
            in_notes(elf.get(offset..offset.checked_add(length)?)?)
        })
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn in_notes(mut notes: &[u8]) -> Option<BuildId> {
    loop {
        let name_length = (word32(notes, 0)? as usize).next_multiple_of(4);
        let length = word32(notes, 4)? as usize;
        let name = notes.get(12..12 + name_length)?;
        let body = notes.get(12 + name_length..)?;
        if word32(notes, 8)? == GNU_BUILD_ID && name == b"GNU\0" {
            return body.get(..length)?.first_chunk().copied().map(BuildId);
        }
        notes = body.get(length.next_multiple_of(4)..)?;
    }
}

fn word16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_ne_bytes)
}

fn word32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes)
}

fn word64(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().copied().map(u64::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_has_a_build_id() {
        let id = BuildId::own().expect("the linker writes one on Linux").to_string();
        assert_eq!(id.len(), 2 * LENGTH);
        assert_ne!(id, "0".repeat(2 * LENGTH));
    }

    #[test]
    fn what_is_no_program_or_is_cut_off_has_none() {
        let own = std::fs::read("/proc/self/exe").unwrap();
        assert_eq!(BuildId::of(b"#!/bin/sh\n"), None);
        for length in 0..400 {
            BuildId::of(&own[..length]);
        }
        assert_eq!(BuildId::of(&own[..64]), None);
    }
}
