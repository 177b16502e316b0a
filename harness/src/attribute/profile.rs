//! dhat's file: how much was asked for from which stack of addresses.
//!
//! The names in it are not used. dhat shortens paths to three parts, so that neither crate nor version can be told, and an address says more
//! than a name: it is looked up again in the program's own debug information.

use std::collections::BTreeSet;

use serde::Deserialize;

/// A profile, as numbers and addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What was asked for, by stack.
    pub points: Vec<Point>,
}

/// A place in the program at which memory was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Blocks asked for over the life of the profile, each reallocation included.
    pub blocks: u64,
    /// Bytes asked for in them.
    pub bytes: u64,
    /// Of these, what was not given back at its end.
    pub live: Held,
    /// Of these, what was in use when the process had most in use.
    pub peak: Held,
    /// The addresses that the calls on the stack return to, from the allocator outwards.
    pub stack: Vec<u64>,
}

/// Blocks that are in use at one time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// How many.
    pub blocks: u64,
    /// Bytes asked for in them.
    pub bytes: u64,
}

/// A file that is no profile, or not a whole one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// It ends in the middle.
    #[error(
        "the profile is cut short at line {0}: its process was ended while it wrote, or the disk is full; measure again"
    )]
    CutShort(usize),
    /// It is something else.
    #[error("this is not a heap profile of dhat ({0}); measure again")]
    NotDhat(String),
}

impl Profile {
    /// Reads dhat's file.
    ///
    /// # Errors
    /// When it is cut short, or something else than a heap profile of a Rust program.
    pub fn read(bytes: &[u8]) -> Result<Self, ProfileError> {
        let file: File = serde_json::from_slice(bytes).map_err(|error| {
            if error.is_eof() { ProfileError::CutShort(error.line()) } else { ProfileError::NotDhat(error.to_string()) }
        })?;
        let no = |what: String| Err(ProfileError::NotDhat(what));
        if file.version != 2 || file.mode != "rust-heap" {
            return no(format!("version {}, mode {:?}", file.version, file.mode));
        }
        let addresses: Vec<Option<u64>> = file.functions.iter().map(|text| address(text)).collect();
        let mut points = Vec::with_capacity(file.points.len());
        for point in &file.points {
            let stack = match stack(&point.stack, &addresses) {
                Ok(stack) => stack,
                Err(place) => return no(format!("no address at place {place} of its table of functions")),
            };
            let live = Held { blocks: point.live_blocks, bytes: point.live };
            let peak = Held { blocks: point.peak_blocks, bytes: point.peak };
            points.push(Point { blocks: point.blocks, bytes: point.bytes, live, peak, stack });
        }
        Ok(Self { points })
    }

    /// Bytes asked for in all.
    pub fn bytes(&self) -> u64 {
        self.points.iter().map(|point| point.bytes).sum()
    }
}

/// The file, of which only this is read. The names are dhat's.
#[derive(Deserialize)]
struct File {
    #[serde(rename = "dhatFileVersion")]
    version: u32,
    mode: String,
    #[serde(rename = "pps")]
    points: Vec<FilePoint>,
    #[serde(rename = "ftbl")]
    functions: Vec<String>,
}

#[derive(Deserialize)]
struct FilePoint {
    #[serde(rename = "tb")]
    bytes: u64,
    #[serde(rename = "tbk")]
    blocks: u64,
    #[serde(rename = "gb")]
    peak: u64,
    #[serde(rename = "gbk")]
    peak_blocks: u64,
    #[serde(rename = "eb")]
    live: u64,
    #[serde(rename = "ebk")]
    live_blocks: u64,
    #[serde(rename = "fs")]
    stack: Vec<usize>,
}

/// The address with which a line of the table begins: `0x55555586edba: name (file:line:column)`.
fn address(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x")?.split(':').next()?;
    u64::from_str_radix(digits, 16).ok()
}

/// The addresses of a stack, each call once. dhat gives a line for each function that was inlined at an address; a line that comes again is
/// of a further call, from the same address: the function called itself. Fails with a place that is not in the table, or has no address.
fn stack(places: &[usize], addresses: &[Option<u64>]) -> Result<Vec<u64>, usize> {
    let mut stack: Vec<u64> = Vec::new();
    let mut call = BTreeSet::new();
    for &place in places {
        let address = addresses.get(place).copied().flatten().ok_or(place)?;
        if stack.last() != Some(&address) || !call.insert(place) {
            stack.push(address);
            call = BTreeSet::from([place]);
        }
    }
    Ok(stack)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(mode: &str, stacks: &str) -> String {
        format!(
            r#"{{"dhatFileVersion": 2, "mode": "{mode}", "cmd": "subject", "pps": [{stacks}],
                 "ftbl": ["[root]", "0x10: a (x.rs:1:2)", "0x10: b (x.rs:2:2)", "0x20: main (x.rs:3:1)"]}}"#
        )
    }

    fn point(places: &str) -> String {
        format!(
            r#"{{"tb": 96, "tbk": 3, "tl": 5, "mb": 64, "mbk": 2, "gb": 64, "gbk": 2, "eb": 32, "ebk": 1, "fs": {places}}}"#
        )
    }

    #[test]
    fn inlined_functions_are_one_call_and_a_recursion_is_as_many_as_it_is() {
        for (places, stack) in [
            ("[1, 2, 3]", vec![0x10, 0x20]),
            ("[1, 2, 1, 2, 3]", vec![0x10, 0x10, 0x20]),
            ("[3]", vec![0x20]),
            ("[]", vec![]),
        ] {
            let profile = Profile::read(file("rust-heap", &point(places)).as_bytes()).expect("a profile");
            let (live, peak) = (Held { blocks: 1, bytes: 32 }, Held { blocks: 2, bytes: 64 });
            assert_eq!(profile.points, [Point { blocks: 3, bytes: 96, live, peak, stack }]);
            assert_eq!(profile.bytes(), 96);
        }
    }

    #[test]
    fn a_profile_that_is_cut_short_anywhere_says_so_or_is_no_profile() {
        let whole = file("rust-heap", &point("[1, 2, 3]"));
        for length in 0..whole.len() {
            let said = Profile::read(&whole.as_bytes()[..length]).expect_err("not whole").to_string();
            assert!(said.contains("cut short") && !said.contains('\n'), "{length}: {said}");
        }
    }

    #[test]
    fn what_is_no_heap_profile_is_refused_in_one_line() {
        for (text, part) in [
            (file("rust-ad-hoc", ""), "rust-ad-hoc"),
            (file("rust-heap", &point("[0]")), "place 0"),
            (file("rust-heap", &point("[99]")), "place 99"),
            (file("rust-heap", &point("[1]")).replace("\"tb\": 96", "\"tb\": -1"), "-1"),
            ("{}".to_owned(), "dhatFileVersion"),
            ("[1]".to_owned(), "not a heap profile"),
            ("\u{1}".to_owned(), "not a heap profile"),
        ] {
            let said = Profile::read(text.as_bytes()).expect_err("no heap profile").to_string();
            assert!(said.contains(part) && said.ends_with("measure again") && !said.contains('\n'), "{said}");
        }
    }
}
