//! Whether a process is done: whose socket it is, and whether all of that process's threads sleep.

use std::fs;

/// Which process holds which socket.
#[derive(Debug, Default)]
pub(super) struct Owners {
    /// The owner of the socket that was asked for last.
    last: Option<(u64, u32)>,
    /// Processes that owned a socket before, the latest last: a new socket is mostly one of theirs.
    known: Vec<u32>,
}

/// How many processes are remembered.
const REMEMBERED: usize = 8;

impl Owners {
    /// The process that holds the socket `inode`, if it is one that this user may look at.
    pub(super) fn of(&mut self, inode: u64) -> Option<u32> {
        if let Some((_, process)) = self.last.filter(|(socket, _)| *socket == inode) {
            return Some(process);
        }
        let link = format!("socket:[{inode}]");
        let known = self.known.iter().rev().copied().find(|process| holds(*process, &link));
        let process = known.or_else(|| processes().find(|process| holds(*process, &link)))?;
        self.known.retain(|other| *other != process);
        self.known.push(process);
        if self.known.len() > REMEMBERED {
            self.known.remove(0);
        }
        self.last = Some((inode, process));
        Some(process)
    }
}

/// Whether every thread of `process` sleeps. A process that is gone does.
pub(super) fn asleep(process: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return true };
    threads.flatten().all(|thread| {
        let stat = fs::read(thread.path().join("stat")).unwrap_or_default();
        // The name, in brackets, may hold anything, so the state is what follows the last bracket.
        let state = stat.iter().rposition(|byte| *byte == b')').and_then(|at| stat.get(at + 2));
        matches!(state, Some(b'S' | b'I' | b'Z' | b'X') | None)
    })
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn holds(process: u32, link: &str) -> bool {
    let files = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    files.filter_map(|file| fs::read_link(file.path()).ok()).any(|target| target.as_os_str() == link)
}
