//! From places in a program's file to functions and lines, by its debug information: inlined functions included, names demangled.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use addr2line::Context;
use addr2line::gimli::{Dwarf, EndianSlice, RunTimeEndian, SectionId};
use object::{Object, ObjectSection, ObjectSegment};

/// A function at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Its name, demangled.
    pub function: String,
    /// The path of its source file, as the compiler noted it.
    pub file: Option<String>,
    /// The line in it, from 1.
    pub line: Option<u32>,
    /// Whether it was inlined into the next.
    pub inlined: bool,
}

/// A program that cannot be looked up in.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the debug information of {}: {why}; build it again, and measure again", program.display())]
pub struct SymboliseError {
    /// The program's file name.
    pub program: PathBuf,
    /// Why.
    pub why: String,
}

/// A program's file, in memory.
#[derive(Debug)]
pub struct Program {
    name: PathBuf,
    bytes: Vec<u8>,
}

impl Program {
    /// Reads a program's file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(path: &Path) -> Result<Self, SymboliseError> {
        let name = path.file_name().map_or_else(|| path.to_owned(), PathBuf::from);
        match std::fs::read(path) {
            Ok(bytes) => Ok(Self { name, bytes }),
            Err(error) => Err(SymboliseError { program: name, why: error.to_string() }),
        }
    }

    /// The linker's name for this very build, hexadecimal; `None` where it gave none.
    pub fn build_id(&self) -> Option<String> {
        let object = object::File::parse(&*self.bytes).ok()?;
        let id = object.build_id().ok()??;
        Some(id.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The functions at offsets of the file: from the one that the code is of outwards, the ones that it was inlined into after it.
    ///
    /// # Errors
    /// When it is not a program, or its debug information cannot be read.
    pub fn symbolise(&self, offsets: &BTreeSet<u64>) -> Result<BTreeMap<u64, Vec<Symbol>>, SymboliseError> {
        let fail = |why: String| SymboliseError { program: self.name.clone(), why };
        let object = object::File::parse(&*self.bytes).map_err(|e| fail(e.to_string()))?;
        let endian = if object.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
        let mut sections: BTreeMap<&'static str, Cow<'_, [u8]>> = BTreeMap::new();
        for id in SECTIONS {
            let data = object.section_by_name(id.name()).map(|section| section.uncompressed_data()).transpose();
            sections.insert(id.name(), data.map_err(|e| fail(e.to_string()))?.unwrap_or_default());
        }
        let none: &[u8] = &[];
        let section = |id: SectionId| {
            let data = sections.get(id.name()).map_or(none, |data| data.as_ref());
            Ok::<_, addr2line::gimli::Error>(EndianSlice::new(data, endian))
        };
        let dwarf = Dwarf::load(section).map_err(|e| fail(e.to_string()))?;
        let context = Context::from_dwarf(dwarf).map_err(|e| fail(e.to_string()))?;
        let table = object.symbol_map();
        let mut found = BTreeMap::new();
        for &offset in offsets {
            let Some(address) = loaded_at(&object, offset) else {
                found.insert(offset, Vec::new());
                continue;
            };
            let mut symbols = frames(&context, address).map_err(|e| fail(e.to_string()))?;
            if symbols.is_empty() {
                symbols.extend(table.containing(address).map(|symbol| Symbol {
                    function: demangled(symbol.name()),
                    file: None,
                    line: None,
                    inlined: false,
                }));
            }
            found.insert(offset, symbols);
        }
        Ok(found)
    }
}

/// The sections that functions and lines are read from.
const SECTIONS: [SectionId; 10] = [
    SectionId::DebugAbbrev,
    SectionId::DebugAddr,
    SectionId::DebugAranges,
    SectionId::DebugInfo,
    SectionId::DebugLine,
    SectionId::DebugLineStr,
    SectionId::DebugRanges,
    SectionId::DebugRngLists,
    SectionId::DebugStr,
    SectionId::DebugStrOffsets,
];

/// The address that an offset of the file has in the program, before it is moved to where it is mapped.
fn loaded_at(object: &object::File<'_>, offset: u64) -> Option<u64> {
    object.segments().find_map(|segment| {
        let (start, size) = segment.file_range();
        (start..start.checked_add(size)?).contains(&offset).then(|| segment.address() + (offset - start))
    })
}

type Slice<'a> = EndianSlice<'a, RunTimeEndian>;

fn frames(context: &Context<Slice<'_>>, address: u64) -> Result<Vec<Symbol>, addr2line::gimli::Error> {
    let mut frames = context.find_frames(address).skip_all_loads()?;
    let mut symbols = Vec::new();
    while let Some(frame) = frames.next()? {
        let Some(name) = frame.function else { continue };
        symbols.push(Symbol {
            function: demangled(&name.raw_name()?),
            file: frame.location.as_ref().and_then(|location| location.file).map(str::to_owned),
            line: frame.location.as_ref().and_then(|location| location.line).filter(|line| *line > 0),
            inlined: true,
        });
    }
    // The last is the function that the others were inlined into.
    if let Some(last) = symbols.last_mut() {
        last.inlined = false;
    }
    Ok(symbols)
}

/// A name as people write it, without the compiler's hash.
fn demangled(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_program_says_so_in_one_line_and_names_no_folder() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("subject");
        std::fs::write(&path, b"#!/bin/sh\n").expect("writable");
        let program = Program::read(&path).expect("readable");
        assert_eq!(program.build_id(), None);
        let said = program.symbolise(&BTreeSet::from([1])).expect_err("no program").to_string();
        assert!(said.starts_with("cannot read the debug information of subject: ") && !said.contains('\n'), "{said}");
        let said = Program::read(&dir.path().join("gone")).expect_err("not there").to_string();
        assert!(said.contains(" of gone: "), "{said}");
    }

    #[test]
    fn names_are_demangled_without_their_hash() {
        for (mangled, name) in [
            ("_ZN4core3ptr13drop_in_place17h0123456789abcdefE", "core::ptr::drop_in_place"),
            ("_RNvCs1234_7mycrate3foo", "mycrate::foo"),
            ("malloc", "malloc"),
            ("", ""),
        ] {
            assert_eq!(demangled(mangled), name);
        }
    }
}
