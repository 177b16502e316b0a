//! A process's memory as it lies there: its words, and which of its pages are in memory.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// Bytes of a page, as `pagemap` counts them.
pub(super) fn page_size() -> u64 {
    procfs::page_size()
}

/// `/proc/PID/mem` and `/proc/PID/pagemap`.
pub(super) struct Image {
    mem: File,
    pagemap: File,
    page: u64,
    /// The page that was read last: headers lie close together.
    last: RefCell<(u64, Vec<u8>)>,
}

impl Image {
    pub(super) fn open(pid: u32) -> Result<Self, (&'static str, io::Error)> {
        let open = |name| File::open(format!("/proc/{pid}/{name}")).map_err(|error| (name, error));
        Ok(Self { mem: open("mem")?, pagemap: open("pagemap")?, page: page_size(), last: RefCell::default() })
    }

    /// Of each page of a range that begins and ends with a page, whether it is in memory; of one that cannot be read, none is.
    pub(super) fn present(&self, range: &Range<u64>) -> Vec<bool> {
        let pages = (range.end.saturating_sub(range.start) / self.page) as usize;
        let mut bytes = vec![0; pages * 8];
        let read = self.pagemap.read_exact_at(&mut bytes, range.start / self.page * 8);
        let bit_63 = |entry: &[u8]| entry.last().is_some_and(|byte| byte & 0x80 != 0);
        bytes.chunks_exact(8).map(|entry| read.is_ok() && bit_63(entry)).collect()
    }

    /// The 64-bit word at an address, in the machine's byte order; `None` where its page is not in memory. Such a page is not touched: to read
    /// it would make the kernel bring it in.
    pub(super) fn word(&self, at: u64) -> Option<u64> {
        let base = at - at % self.page;
        let mut last = self.last.borrow_mut();
        if last.0 != base || last.1.is_empty() {
            last.1.clear();
            if !self.present(&(base..base + self.page)).first().is_some_and(|present| *present) {
                return None;
            }
            let mut bytes = vec![0; self.page as usize];
            self.mem.read_exact_at(&mut bytes, base).ok()?;
            *last = (base, bytes);
        }
        let from = (at - base) as usize;
        last.1.get(from..from + 8)?.try_into().ok().map(u64::from_ne_bytes)
    }
}

/// Which bytes of a range are in memory.
pub(super) struct Resident {
    start: u64,
    page: u64,
    /// Pages in memory before each page, and in all.
    before: Vec<u64>,
}

impl Resident {
    pub(super) fn of(image: &Image, range: &Range<u64>) -> Self {
        Self::new(range.start, image.page, &image.present(range))
    }

    fn new(start: u64, page: u64, present: &[bool]) -> Self {
        let mut before = vec![0];
        let mut sum = 0;
        for present in present {
            sum += u64::from(*present);
            before.push(sum);
        }
        Self { start, page, before }
    }

    /// Bytes of `range` that are in memory.
    pub(super) fn bytes(&self, range: &Range<u64>) -> u64 {
        self.up_to(range.end).saturating_sub(self.up_to(range.start))
    }

    fn up_to(&self, at: u64) -> u64 {
        let offset = at.saturating_sub(self.start);
        let last = self.before.len() - 1;
        let whole = ((offset / self.page) as usize).min(last);
        let partly = self.before.get(whole + 1).is_some_and(|next| *next > self.before[whole]);
        self.before[whole] * self.page + if partly { offset % self.page } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_pages_add_up_to_the_pages_that_are_in_memory() {
        let resident = Resident::new(0x10_000, 4096, &[true, false, true, true]);
        let end = 0x10_000 + 4 * 4096;
        assert_eq!(resident.bytes(&(0x10_000..end)), 3 * 4096);
        for cut in (0x10_000..=end).step_by(48) {
            assert_eq!(resident.bytes(&(0x10_000..cut)) + resident.bytes(&(cut..end)), 3 * 4096);
        }
        assert_eq!(resident.bytes(&(0x10_000 + 4000..0x10_000 + 4096 + 96)), 96);
        assert_eq!(resident.bytes(&(end..end + 4096)), 0, "beyond its end");
    }

    #[test]
    fn a_process_s_own_words_are_read_and_pages_that_it_has_not_touched_are_left_alone() {
        let image = Image::open(std::process::id()).expect("readable");
        let value = Box::new(0x0123_4567_89ab_cdef_u64);
        assert_eq!(image.word(std::ptr::from_ref::<u64>(&value) as u64), Some(*value));
        assert_eq!(image.word(0), None, "nothing is mapped there");
    }
}
