//! A process's mappings, each by what it is for. A mapping may be cut: two neighbours that the kernel made one, and blocks within it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::ops::Range;
use std::path::Path;

use plimsoll_reports::record::{Area, AreaKind};
use procfs::process::{MMPermissions, MMapPath, MemoryMap, MemoryMaps, Process};

use super::Known;
use super::image::{Image, Resident};
use crate::probe::proc::name_of;

/// The mappings of a process, in the order of their addresses.
pub(super) struct Areas(Vec<Part>);

/// A mapping, or a part of one.
pub(super) struct Part {
    pub(super) range: Range<u64>,
    pub(super) kind: AreaKind,
    name: String,
    permissions: MMPermissions,
    rss: u64,
    anon: u64,
}

impl Areas {
    pub(super) fn of(process: &Process, maps: &MemoryMaps, known: &Known) -> Self {
        let program = process.exe().ok();
        let stacks = stack_pointers(process);
        let mut parts: Vec<Part> = Vec::new();
        for map in maps.iter() {
            let range = map.address.0..map.address.1;
            let of = |key: &str| map.extension.map.get(key).copied().unwrap_or_default();
            // Only what is run has such data: behind a file that was mapped to be read, what lies there is somebody else's.
            let runs =
                |name: &str| parts.iter().any(|p| p.name == name && p.permissions.contains(MMPermissions::EXECUTE));
            let before = parts.last().filter(|p| p.range.end == range.start && p.is_data_of_a_file() && runs(&p.name));
            let (name, kind) = match &map.pathname {
                MMapPath::Path(path) => (name_of(&map.pathname), file(path, program.as_deref(), known)),
                MMapPath::Heap => (name_of(&map.pathname), AreaKind::Heap),
                MMapPath::Stack => (name_of(&map.pathname), AreaKind::Stack),
                // What the loader maps behind a file's data, for what is zero at first.
                MMapPath::Anonymous if let Some(before) = before => {
                    let own = before.kind == AreaKind::Instrument;
                    (before.name.clone(), if own { AreaKind::Instrument } else { AreaKind::Bss })
                }
                MMapPath::Anonymous | MMapPath::TStack(_) => {
                    (name_of(&MMapPath::Anonymous), anonymous(map, &stacks, known.jemalloc))
                }
                MMapPath::Vdso | MMapPath::Vvar | MMapPath::Vsyscall => (name_of(&map.pathname), AreaKind::Kernel),
                _ => (name_of(&map.pathname), AreaKind::Other),
            };
            let (rss, anon) = (of("Rss"), of("Anonymous"));
            parts.push(Part { range, kind, name, permissions: map.perms, rss, anon });
        }
        Self(parts)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Part> {
        self.0.iter()
    }

    /// Takes blocks of memory, each within one part, out of their parts, and calls them `kind`.
    pub(super) fn cut(&mut self, image: &Image, blocks: &[Range<u64>], kind: AreaKind) {
        for block in blocks {
            let Some(part) = self.0.iter_mut().find(|p| p.range.start <= block.start && block.end <= p.range.end)
            else {
                continue;
            };
            let rss = Resident::of(image, block).bytes(block).min(part.rss);
            let anon = rss.min(part.anon);
            part.rss -= rss;
            part.anon -= anon;
            let (name, permissions) = (part.name.clone(), part.permissions);
            self.0.push(Part { range: block.clone(), kind, name, permissions, rss, anon });
        }
    }

    /// Those that have a page in memory, of one name, permission and kind added; largest first.
    pub(super) fn summed(self) -> Vec<Area> {
        let mut sums: BTreeMap<(String, String, AreaKind), Area> = BTreeMap::new();
        for part in self.0.into_iter().filter(|part| part.rss > 0) {
            let permissions = part.permissions.as_str();
            let key = (part.name.clone(), permissions.clone(), part.kind);
            let size = part.range.end - part.range.start;
            let sum = sums.entry(key).or_insert(Area {
                name: part.name,
                permissions,
                kind: part.kind,
                rss: 0,
                anon: 0,
                size: 0,
            });
            sum.rss += part.rss;
            sum.anon += part.anon;
            sum.size += size;
        }
        let mut areas: Vec<Area> = sums.into_values().collect();
        // Stable: those of one size stay in the order of their names.
        areas.sort_by_key(|area| std::cmp::Reverse(area.rss));
        areas
    }
}

impl Part {
    /// Private memory that can be written and belongs to no file.
    pub(super) fn is_anonymous(&self) -> bool {
        let anonymous = matches!(
            self.kind,
            AreaKind::Other | AreaKind::Bss | AreaKind::ThreadStack | AreaKind::Jemalloc | AreaKind::JemallocBase
        );
        anonymous && self.permissions == MMPermissions::READ | MMPermissions::WRITE | MMPermissions::PRIVATE
    }

    /// Data of a file that can be written, behind which its zeroed data lies.
    pub(super) fn is_data_of_a_file(&self) -> bool {
        let file = matches!(self.kind, AreaKind::Program | AreaKind::CLibrary | AreaKind::File | AreaKind::Instrument);
        file && self.permissions.contains(MMPermissions::WRITE)
    }
}

fn file(path: &Path, program: Option<&Path>, known: &Known) -> AreaKind {
    let name = path.file_name().unwrap_or_default();
    if known.instrument.iter().any(|own| own == path) {
        AreaKind::Instrument
    } else if known.roots == path {
        AreaKind::Roots
    } else if program == Some(path) {
        AreaKind::Program
    } else if is_c_library(name) {
        AreaKind::CLibrary
    } else {
        AreaKind::File
    }
}

/// `libc.so.6`, `ld-linux-x86-64.so.2` and their like.
fn is_c_library(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    ["libc.so.", "libc-2.", "ld-linux-", "ld-2."].iter().any(|start| name.starts_with(start))
}

/// jemalloc maps whole multiples of this, so aligned (its `HUGEPAGE`).
pub(super) const JEMALLOC_UNIT: u64 = 2 << 20;

fn anonymous(map: &MemoryMap, stacks: &[u64], jemalloc: bool) -> AreaKind {
    let (start, end) = map.address;
    if stacks.iter().any(|pointer| (start..end).contains(pointer)) {
        AreaKind::ThreadStack
    } else if jemalloc && start.is_multiple_of(JEMALLOC_UNIT) && (end - start).is_multiple_of(JEMALLOC_UNIT) {
        AreaKind::Jemalloc
    } else {
        AreaKind::Other
    }
}

/// The stack pointer of each thread: `/proc/PID/task/TID/syscall` of one that waits ends with it and the program counter.
fn stack_pointers(process: &Process) -> Vec<u64> {
    let tasks = process.tasks().into_iter().flatten().filter_map(Result::ok);
    let pointer = |task: procfs::process::Task| {
        let text = std::fs::read_to_string(format!("/proc/{}/task/{}/syscall", task.pid, task.tid)).ok()?;
        let word = text.split_ascii_whitespace().rev().nth(1)?;
        u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()
    };
    tasks.filter_map(pointer).collect()
}
