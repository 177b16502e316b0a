//! A control group of a subject's own: it says what a memory limit would count of the subject, the kernel's part included, and sets one.
//!
//! A container's limit is this limit. It counts anonymous memory, kernel memory (page tables, stacks, sockets) and those file pages that the
//! group was the first to read. Both versions of the kernel's interface are spoken; a machine where neither can be written has no
//! such figures, and says so.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use procfs::ProcessCGroup;
use procfs::process::Process;

use crate::probe::Metrics;

/// A control group with no process in it yet. It goes away with its value, after the processes in it.
#[derive(Debug)]
pub struct Group {
    dir: PathBuf,
    version: Version,
}

/// Of the kernel's interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

/// What the names of groups begin with; the harness's process id follows.
const PREFIX: &str = "plimsoll-";

/// How long the processes of a group may take to be gone.
const GONE: Duration = Duration::from_secs(2);

impl Group {
    /// Makes a group beside or below this process's own, with a limit of memory in bytes or without one.
    ///
    /// # Errors
    /// When there is no place for one: one line that says why, and what to do.
    pub fn create(limit: Option<u64>) -> Result<Self, String> {
        static PLACE: LazyLock<Result<(PathBuf, Version), String>> = LazyLock::new(find_place);
        let (parent, version) = PLACE.as_ref().map_err(Clone::clone)?;
        Self::create_in(parent, *version, limit).map_err(|error| format!("{}: {error}", parent.display()))
    }

    fn create_in(parent: &Path, version: Version, limit: Option<u64>) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{PREFIX}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let dir = parent.join(name);
        fs::create_dir(&dir)?;
        let group = Self { dir, version };
        let (memory, swap) = match version {
            Version::V1 => ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"),
            Version::V2 => ("memory.max", "memory.swap.max"),
        };
        // Without a limit it is written all the same, to see that it could be.
        let none = if version == Version::V1 { "-1" } else { "max" };
        let text = limit.map_or_else(|| none.to_owned(), |limit| limit.to_string());
        group.write(memory, &text)?;
        if limit.is_some() {
            // What is swapped out would not be counted. The first version limits both together; a kernel without swap has neither file.
            let _ = group.write(swap, if version == Version::V1 { &text } else { "0" });
        }
        Ok(group)
    }

    /// The file into which a process writes its id to enter.
    pub fn entrance(&self) -> PathBuf {
        self.dir.join("cgroup.procs")
    }

    /// Reads all `cgroup.*` metrics that this kernel has.
    pub fn metrics(&self) -> Metrics {
        let (charged, peak, limit) = match self.version {
            Version::V1 => ("memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.limit_in_bytes"),
            Version::V2 => ("memory.current", "memory.peak", "memory.max"),
        };
        let stat = self.pairs("memory.stat");
        let (kernel, file, hits) = match self.version {
            Version::V1 => {
                (self.number("memory.kmem.usage_in_bytes"), pair(&stat, "cache"), self.number("memory.failcnt"))
            }
            Version::V2 => (
                pair(&stat, "kernel").map(|kernel| kernel + pair(&stat, "sock").unwrap_or_default()),
                pair(&stat, "file"),
                pair(&self.pairs("memory.events"), "max"),
            ),
        };
        // Where there is none, the first version says the largest number of pages.
        let limit = self.number(limit).filter(|limit| *limit < i64::MAX / 2);
        let read = [
            ("cgroup.charged", self.number(charged)),
            ("cgroup.peak", self.number(peak)),
            ("cgroup.kernel", kernel),
            ("cgroup.file", file),
            ("cgroup.hits", hits),
            ("cgroup.limit", limit),
        ];
        read.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    /// Processes that the kernel ended because the limit left it no other way.
    pub fn killed(&self) -> i64 {
        let file = if self.version == Version::V1 { "memory.oom_control" } else { "memory.events" };
        pair(&self.pairs(file), "oom_kill").unwrap_or_default()
    }

    fn write(&self, file: &str, text: &str) -> io::Result<()> {
        // Never made anew: a file that is not there is a controller that is not there.
        let mut file = fs::OpenOptions::new().write(true).open(self.dir.join(file))?;
        io::Write::write_all(&mut file, text.as_bytes())
    }

    fn number(&self, file: &str) -> Option<i64> {
        fs::read_to_string(self.dir.join(file)).ok()?.trim().parse().ok()
    }

    fn pairs(&self, file: &str) -> String {
        fs::read_to_string(self.dir.join(file)).unwrap_or_default()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let until = Instant::now() + GONE;
        // Its processes were ended before; the kernel takes a moment to see them off.
        while fs::remove_dir(&self.dir).is_err() && self.dir.exists() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// The first place where a group can be made and a process can enter it: tried, because permissions say only half of it.
fn find_place() -> Result<(PathBuf, Version), String> {
    let mut why = "this process is in no control group with a memory controller".to_owned();
    let places = places().map_err(|error| format!("cannot read which control groups there are: {error}"))?;
    for (parent, version) in places {
        sweep(&parent);
        match Group::create_in(&parent, version, None).and_then(|group| enter(&group)) {
            Ok(()) => return Ok((parent, version)),
            Err(error) => why = format!("no control group can be made in {}: {error}", parent.display()),
        }
    }
    Err(format!("{why}; run as root, or where one is delegated to you: systemd-run --user --scope -p Delegate=yes …"))
}

/// Lets a process enter that waits for the end of its input.
fn enter(group: &Group) -> io::Result<()> {
    let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    let entered = group.write("cgroup.procs", &child.id().to_string());
    drop(child.stdin.take());
    child.wait()?;
    entered
}

/// Removes groups that a harness left behind when it was killed.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next());
        if owner.is_some_and(|owner| !Path::new("/proc").join(owner).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// A value of a file with a name and a number on each line.
fn pair(text: &str, name: &str) -> Option<i64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

/// Where a group could be made: below this process's own, or beside it, because the second version lets a group that has processes have no
/// groups with controllers below it.
fn places() -> Result<Vec<(PathBuf, Version)>, procfs::ProcError> {
    let me = Process::myself()?;
    let mounts = me.mountinfo()?;
    let groups = me.cgroups()?;
    let mounted = |version: Version| {
        mounts.0.iter().find(|mount| match version {
            Version::V1 => mount.fs_type == "cgroup" && mount.super_options.contains_key("memory"),
            Version::V2 => mount.fs_type == "cgroup2",
        })
    };
    let mut places = Vec::new();
    for version in [Version::V2, Version::V1] {
        let own = groups.0.iter().find(|group| is_of(group, version));
        let (Some(mount), Some(own)) = (mounted(version), own) else { continue };
        // A mount may show a part of the hierarchy only.
        let below = own.pathname.strip_prefix(mount.root.as_str()).unwrap_or(&own.pathname);
        let dir = mount.mount_point.join(below.trim_start_matches('/'));
        places.push((dir.clone(), version));
        if dir != mount.mount_point {
            places.extend(dir.parent().map(|beside| (beside.to_owned(), version)));
        }
    }
    Ok(places)
}

fn is_of(group: &ProcessCGroup, version: Version) -> bool {
    match version {
        Version::V1 => group.controllers.iter().any(|controller| controller == "memory"),
        Version::V2 => group.hierarchy == 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_whole_name() {
        let text = "anon 7\nkernel_stack 5\nkernel 12\nfile 3\n";
        assert_eq!((pair(text, "kernel"), pair(text, "file"), pair(text, "sock")), (Some(12), Some(3), None));
    }
}
