//! One line of the protocol, in a buffer that never allocates, and the pipe that lines come and go by.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::mem::ManuallyDrop;

use crate::sys;

/// The longest line of the protocol, its end included, bytes.
pub(crate) const LONGEST: usize = 4_096;

/// A line that is put together with `write!`. What does not fit is cut off.
pub struct Line {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Line {
    pub(crate) fn new() -> Self {
        Self { bytes: [0; LONGEST], len: 0 }
    }

    fn clear(&mut self) {
        self.len = 0;
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // One byte is left for the end of the line.
        let mut fits = text.len().min(LONGEST - 1 - self.len);
        while !text.is_char_boundary(fits) {
            fits -= 1;
        }
        self.bytes[self.len..self.len + fits].copy_from_slice(&text.as_bytes()[..fits]);
        self.len += fits;
        Ok(())
    }
}

/// Standard input and output, a line at a time.
pub(crate) struct Pipe {
    input: ManuallyDrop<File>,
    output: ManuallyDrop<File>,
    line: Line,
    read: [u8; LONGEST],
    start: usize,
    end: usize,
}

impl Pipe {
    pub(crate) fn open() -> Self {
        let (input, output) = (sys::standard_input(), sys::standard_output());
        Self { input, output, line: Line::new(), read: [0; LONGEST], start: 0, end: 0 }
    }

    /// Puts a line together and sends it.
    pub(crate) fn send(&mut self, compose: impl FnOnce(&mut Line)) -> io::Result<()> {
        self.line.clear();
        compose(&mut self.line);
        self.line.bytes[self.line.len] = b'\n';
        self.output.write_all(&self.line.bytes[..=self.line.len])
    }

    /// Waits for the next line; `None` at the end of the input, or when a line is too long or no UTF-8.
    pub(crate) fn receive(&mut self) -> Option<&str> {
        loop {
            if let Some(length) = self.read[self.start..self.end].iter().position(|&byte| byte == b'\n') {
                let line = self.start..self.start + length;
                self.start = line.end + 1;
                return std::str::from_utf8(&self.read[line]).ok();
            }
            self.read.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            match self.input.read(&mut self.read[self.end..]) {
                Ok(0) => return None,
                Ok(more) => self.end += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn a_line_is_cut_at_a_character_and_leaves_room_for_its_end() {
        let mut line = Line::new();
        for _ in 0..LONGEST {
            write!(line, "é").unwrap();
        }
        assert_eq!(line.len, LONGEST - 2);
        write!(line, "ab").unwrap();
        assert_eq!(line.len, LONGEST - 1);
        assert!(std::str::from_utf8(&line.bytes[..line.len]).unwrap().ends_with("éa"));
    }
}
