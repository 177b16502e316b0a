//! The machine: what is looked at, and what is said of it.

use std::collections::BTreeMap;
use std::path::Path;

use nix::sys::resource::{Resource, getrlimit};
use plimsoll_reports::record::Environment;
use plimsoll_reports::units::Bytes;
use procfs::{Current, LoadAverage, Meminfo};

use super::{Finding, Weight};
use crate::config::{Allocator, Project};
use crate::probe::proc::Watched;
use crate::process::group::Group;
use crate::run::launch::{self, Missing};

/// Memory that a run of this repository's suites needs beside what is there already: the harness, the mock and one subject.
const ENOUGH_MEMORY: u64 = 512 << 20;

/// Looks at everything that does not need a subject to run.
#[must_use]
pub fn machine(environment: &Environment) -> Vec<Finding> {
    let e = environment;
    vec![
        Finding::fine("system", format!("{} · {} · {} · {}", e.kernel, e.arch, e.libc, e.cpu)),
        Finding::fine("built by", format!("{} · {}", e.rustc, e.profile)),
        cores(e.cores),
        memory(),
        swap(),
        cgroup(),
        own_group(),
        Finding::fine("page size", Bytes(i64::try_from(e.page_size).unwrap_or_default()).to_string()),
        Finding::fine("huge pages", e.thp.clone()),
        Finding::unless(
            e.aslr_off,
            Weight::Note,
            "randomisation",
            if e.aslr_off { "off for subjects" } else { "cannot be switched off" },
            "file pages and RSS vary from process to process by more than elsewhere; a container needs a seccomp profile that permits \
             personality(2)",
        ),
        proc_files(),
        open_files(),
    ]
}

/// Looks for the subjects' programs.
#[must_use]
pub fn subjects(project: &Project) -> Vec<Finding> {
    let (mut there, mut not_built, mut not_installed) = (0, Vec::new(), Vec::new());
    let mut absent: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for subject in &project.config.subject {
        match launch::locate(project, subject, &subject.command, Allocator::System) {
            Ok(_) => there += 1,
            Err(Missing::NotBuilt(_)) => not_built.push(subject.id.clone()),
            Err(Missing::Absent(how)) => absent.entry(how).or_default().push(subject.id.clone()),
            Err(Missing::NotInstalled(program)) => not_installed.push(format!("{} ({program})", subject.id)),
        }
    }
    let of = |list: &[String]| list.join(", ");
    let mut findings = vec![
        Finding::unless(
            not_built.is_empty(),
            Weight::Note,
            "subjects",
            if not_built.is_empty() {
                format!("{there} can be started")
            } else {
                format!("not built: {}", of(&not_built))
            },
            "`plimsoll run` builds them first, by their `build` in plimsoll.toml",
        ),
        Finding::unless(
            not_installed.is_empty(),
            Weight::Note,
            "programs",
            if not_installed.is_empty() {
                "none is missing".into()
            } else {
                format!("not in PATH: {}", of(&not_installed))
            },
            "their cells will be unavailable; install the program, or leave the subject out",
        ),
    ];
    // Nobody needs these: that they are not there is no fault of the machine.
    findings.extend(absent.iter().map(|(how, ids)| Finding::fine("optional", format!("after {how}: {}", of(ids)))));
    findings
}

fn cores(cores: u32) -> Finding {
    let load = LoadAverage::current().map(|load| load.one).unwrap_or_default();
    Finding::unless(
        f64::from(load) < f64::from(cores) * 0.5,
        Weight::Note,
        "cores",
        format!("{cores}, load {load:.1} over the last minute"),
        "the machine is busy: times mean little, lock-step loses its grip now and then, and a run takes longer",
    )
}

fn memory() -> Finding {
    let Ok(info) = Meminfo::current() else { return Finding::fine("memory", "unknown") };
    let available = info.mem_available.unwrap_or(info.mem_free);
    let said = |bytes| Bytes(i64::try_from(bytes).unwrap_or(i64::MAX)).to_string();
    Finding::unless(
        available > ENOUGH_MEMORY,
        Weight::Note,
        "memory",
        format!("{} available of {}", said(available), said(info.mem_total)),
        "under pressure the kernel takes file pages back and RSS shrinks by itself; end other programs first",
    )
}

fn swap() -> Finding {
    let used = Meminfo::current().map(|info| info.swap_total - info.swap_free).unwrap_or_default();
    Finding::unless(
        used == 0,
        Weight::Note,
        "swap",
        if used == 0 { "none in use".into() } else { format!("{} KiB in use", used / 1024) },
        "pages of a subject may be swapped out and then miss in its RSS; `proc.swap` tells",
    )
}

/// Whether a subject can have a control group of its own.
fn own_group() -> Finding {
    let made = Group::create(None);
    Finding::unless(
        made.is_ok(),
        Weight::Note,
        "own group",
        made.map_or_else(|why| why, |_| "a subject can have a control group of its own".to_owned()),
        "requests in flight are measured without the kernel's memory, and `plimsoll line` proves without a limit",
    )
}

/// The limits of the control group that this process is in; version 2, as containers have it.
fn cgroup() -> Finding {
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let Some(path) = own.lines().find_map(|line| line.strip_prefix("0::")) else {
        return Finding::fine("cgroup", "none of version 2");
    };
    let folder = Path::new("/sys/fs/cgroup").join(path.trim_start_matches('/'));
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).ok().map(|text| text.trim().to_owned());
    let memory = read("memory.max").filter(|limit| limit != "max");
    let cpu = read("cpu.max").filter(|limit| !limit.starts_with("max"));
    let limits: Vec<String> = [memory.as_ref().map(|m| format!("memory.max {m}")), cpu.map(|c| format!("cpu.max {c}"))]
        .into_iter()
        .flatten()
        .collect();
    let tight = memory.and_then(|m| m.parse::<u64>().ok()).is_some_and(|limit| limit < ENOUGH_MEMORY);
    Finding::unless(
        !tight,
        Weight::Note,
        "cgroup",
        if limits.is_empty() { "no limit".into() } else { limits.join(", ") },
        "that is little memory for harness, mock and subject together: they may be killed; raise the limit",
    )
}

/// Whether a child's memory can be read as `rss` needs it.
fn proc_files() -> Finding {
    const WHAT: &str = "/proc";
    let mend = "the probe `rss` needs /proc/PID/smaps_rollup of its own children; mount /proc without hidepid, and use a kernel with \
                CONFIG_PROC_PAGE_MONITOR";
    let spawned = std::process::Command::new(crate::process::exec::SELF)
        .args([crate::process::exec::WORD, &std::process::id().to_string(), "--", "/bin/cat"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    let Ok(mut child) = spawned else {
        return Finding::unless(false, Weight::Bad, WHAT, "a child process could not be started", mend);
    };
    let read = Watched::new(child.id()).and_then(|watched| {
        watched.reset_high_water_mark()?;
        watched.metrics()
    });
    // It waits for input; without any it ends by itself.
    drop(child.stdin.take());
    let _ = child.wait();
    match read {
        Ok(_) => Finding::fine(WHAT, "a child's smaps_rollup can be read and its high-water mark reset"),
        Err(error) => Finding::unless(false, Weight::Bad, WHAT, error.to_string(), mend),
    }
}

/// The largest scenario holds a thousand connections, each with a descriptor here and one in the mock.
const MANY_FILES: u64 = 2_048;

fn open_files() -> Finding {
    let hard = getrlimit(Resource::RLIMIT_NOFILE).map(|(_, hard)| hard).unwrap_or_default();
    Finding::unless(
        hard >= MANY_FILES,
        Weight::Note,
        "open files",
        format!("at most {hard}"),
        "scenarios with a thousand requests in flight do not fit; raise the hard limit (ulimit -Hn)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_says_what_to_do_and_what_is_right_says_nothing() {
        for finding in [cores(u32::MAX), cores(0), memory(), swap(), cgroup(), open_files()] {
            assert_eq!(finding.weight == Weight::Fine, finding.mend.is_empty(), "{finding:?}");
            assert!(!finding.found.is_empty());
        }
        assert_eq!((cores(u32::MAX).weight, cores(0).weight), (Weight::Fine, Weight::Note));
    }
}
