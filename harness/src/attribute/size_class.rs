//! What glibc hands out where a program asks for a size: the whole block. Counters in front of the allocator see that, and dhat what was asked for.

use super::profile::Held;

/// Bytes of a block that was asked for with so many, of glibc on a 64-bit machine: chunks are multiples of 16 B with 8 B of their own, of at
/// least 32 B. Of blocks with a mapping of their own, from 128 KiB, it is less than a page too little.
pub fn usable(asked: u64) -> u64 {
    let chunk = asked.saturating_add(8 + 15) & !15;
    chunk.max(32) - 8
}

/// The bytes of what is held, in whole blocks. A profile says how many blocks and how many bytes: of blocks that are of one size that is each of
/// them; of others the sizes are not known, and they are taken as asked for.
pub fn in_whole_blocks(held: Held) -> u64 {
    match held.bytes.checked_div(held.blocks) {
        Some(each) if each * held.blocks == held.bytes => usable(each).saturating_mul(held.blocks),
        _ => held.bytes,
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What glibc itself says of every size up to 4,096 B, a line each.
    const ASK: &str = "#include <malloc.h>\n#include <stdio.h>\n#include <stdlib.h>\n\
        int main(void) { for (size_t n = 0; n <= 4096; n++) { void *p = malloc(n); printf(\"%zu\\n\", malloc_usable_size(p)); } }\n";

    #[test]
    fn it_is_what_glibc_hands_out() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (source, program) = (dir.path().join("ask.c"), dir.path().join("ask"));
        std::fs::write(&source, ASK).expect("writable");
        let compiled = Command::new("cc").arg("-O0").arg("-o").arg(&program).arg(&source).status();
        assert!(compiled.expect("cc is needed to build this project").success());
        let said = Command::new(&program).output().expect("it runs").stdout;
        let said: Vec<u64> =
            String::from_utf8(said).expect("text").lines().map(|line| line.parse().expect("a number")).collect();
        assert_eq!(said.len(), 4097);
        for (asked, handed_out) in said.into_iter().enumerate() {
            assert_eq!(usable(u64::try_from(asked).expect("small")), handed_out, "{asked} B");
        }
    }

    #[test]
    fn of_blocks_of_one_size_each_is_whole_and_others_are_as_asked_for() {
        let held = |blocks, bytes| in_whole_blocks(Held { blocks, bytes });
        assert_eq!((held(0, 0), held(1, 64), held(64, 64 * 64)), (0, 72, 64 * 72));
        assert_eq!(held(3, 100), 100, "not of one size");
        assert_eq!((usable(0), usable(24), usable(25), usable(100)), (24, 24, 40, 104));
    }
}
