//! What was mapped where in a process: between an address that it had and a place in a file.
//!
//! Written beside each profile, because an address alone means nothing: programs are position-independent, and where they and their
//! libraries lie is decided anew for each process unless randomisation is off.

use procfs::process::{MMPermissions, MMapPath, Process};
use serde::{Deserialize, Serialize};

/// The code that a process had mapped, by file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Modules {
    /// Its mappings of code.
    pub modules: Vec<Module>,
}

/// A mapping of code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// The file's name, without its folder.
    pub name: String,
    /// Whether it is the program itself.
    pub program: bool,
    /// Its first address.
    pub start: u64,
    /// The address behind its last.
    pub end: u64,
    /// Where in the file it begins, bytes.
    pub offset: u64,
}

/// Where an address lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the program, at that offset of its file.
    Program(u64),
    /// In a library of that name.
    Library(String),
    /// In no file.
    Nowhere,
}

impl Modules {
    /// Reads those of a living process.
    ///
    /// # Errors
    /// When it is gone, or may not be read.
    pub fn of(pid: u32) -> Result<Self, procfs::ProcError> {
        let process = Process::new(pid.cast_signed())?;
        let program = process.exe()?;
        let mut modules = Vec::new();
        for map in process.maps()? {
            let MMapPath::Path(path) = &map.pathname else { continue };
            if map.perms.contains(MMPermissions::EXECUTE) {
                modules.push(Module {
                    name: path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
                    program: *path == program,
                    start: map.address.0,
                    end: map.address.1,
                    offset: map.offset,
                });
            }
        }
        Ok(Self { modules })
    }

    /// Where the call lies that returns to an address. A call's return address can be the next function's first, so it is the byte before that
    /// is looked for.
    pub fn place(&self, returns_to: u64) -> Place {
        let at = returns_to.wrapping_sub(1);
        match self.modules.iter().find(|module| (module.start..module.end).contains(&at)) {
            Some(module) if module.program => Place::Program((at - module.start).wrapping_add(module.offset)),
            Some(module) => Place::Library(module.name.clone()),
            None => Place::Nowhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_of_the_call_before_it_wherever_the_program_lies() {
        let module =
            |name: &str, program, start, end, offset| Module { name: name.into(), program, start, end, offset };
        for base in [0x5555_5555_4000, 0x7f12_3456_7000] {
            let modules = Modules {
                modules: vec![
                    module("subject", true, base, base + 0x1000, 0x3000),
                    module("libc.so.6", false, base + 0x1000, base + 0x2000, 0),
                ],
            };
            assert_eq!(modules.place(base + 0x10), Place::Program(0x300f));
            assert_eq!(modules.place(base + 0x1000), Place::Program(0x3fff));
            assert_eq!(modules.place(base + 0x1001), Place::Library("libc.so.6".into()));
            assert_eq!(modules.place(base), Place::Nowhere);
            assert_eq!(modules.place(0), Place::Nowhere);
        }
    }

    #[test]
    fn of_this_process_the_program_is_known_and_no_folder_is_named() {
        let modules = Modules::of(std::process::id()).expect("readable");
        let own = modules.modules.iter().find(|module| module.program).expect("this program has code");
        assert!(own.end > own.start);
        assert!(modules.modules.iter().all(|module| !module.name.contains('/') && !module.name.is_empty()));
    }
}
