//! Where a run measures: everything that can move a figure without a change of code.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use plimsoll_reports::record::{Environment, Tool, Trust};
use procfs::Current;
use sha2::{Digest, Sha256};

use crate::config::Allocator;
use crate::corpus;
pub(crate) use crate::corpus::hex;

/// What subjects are given besides the protocol's variables, and why:
///
/// - `MALLOC_ARENA_MAX=1`: glibc makes an arena per thread that happens to contend, which is chance.
/// - `_RJEM_MALLOC_CONF`: jemalloc makes four arenas per core of the machine, gives dirty pages back by the clock, and leaves lazily freed
///   pages (`MADV_FREE`) resident. Pinned, they are the same everywhere; a subject reads them back and its record states them.
pub const SUBJECT_ENV: &[(&str, &str)] = &[("MALLOC_ARENA_MAX", "1"), (JEMALLOC_ENV, JEMALLOC)];

/// The variable that the prefixed jemalloc of a Rust program reads its options from.
pub const JEMALLOC_ENV: &str = "_RJEM_MALLOC_CONF";

/// jemalloc as it comes, but for what would differ by machine or by the moment of reading.
const JEMALLOC: &str = "narenas:2,dirty_decay_ms:10000,muzzy_decay_ms:0,background_thread:false,thp:never";

/// What jemalloc's own guide (`TUNING.md`) gives for the least memory where allocations are rare: one arena, no blocks kept for threads, every free
/// page given back at once. A client that waits seconds for an answer of a hundred allocations is such a program.
const JEMALLOC_TUNED: &str =
    "narenas:1,tcache:false,dirty_decay_ms:0,muzzy_decay_ms:0,background_thread:false,thp:never";

/// jemalloc's options for a cell of that allocator; `None` where it is another's.
pub fn jemalloc_options(allocator: Allocator) -> Option<&'static str> {
    match allocator {
        Allocator::Jemalloc => Some(JEMALLOC),
        Allocator::JemallocTuned => Some(JEMALLOC_TUNED),
        Allocator::System | Allocator::Dhat => None,
    }
}

/// Further variables under the `count` probe: Python would otherwise carve small objects out of its own arenas, unseen.
pub const COUNT_ENV: &[(&str, &str)] = &[("PYTHONMALLOC", "malloc")];

/// Gathers the environment of a run.
pub fn gather(root: &Path, trust: Trust, target: &str) -> Environment {
    let mut subject_env: BTreeMap<String, String> = pairs(SUBJECT_ENV).collect();
    subject_env.insert(format!("{JEMALLOC_ENV} ({})", Allocator::JemallocTuned), JEMALLOC_TUNED.to_owned());
    subject_env.extend(pairs(COUNT_ENV).map(|(key, value)| (format!("{key} (count)"), value)));
    let profile = env!("PLIMSOLL_PROFILE");
    Environment {
        kernel: format!("Linux {}", read_line("/proc/sys/kernel/osrelease")),
        cpu: cpu(),
        arch: std::env::consts::ARCH.to_owned(),
        cores: std::thread::available_parallelism().map_or(1, |n| n.get() as u32),
        memory: procfs::Meminfo::current().map(|m| m.mem_total).unwrap_or_default(),
        page_size: procfs::page_size(),
        thp: format!("{}; disabled for subjects", chosen(&read_line("/sys/kernel/mm/transparent_hugepage/enabled"))),
        libc: output(root, "getconf", &["GNU_LIBC_VERSION"]).unwrap_or_else(|| "unknown".into()),
        rustc: env!("PLIMSOLL_RUSTC").to_owned(),
        profile: format!("{profile} (lto {})", if profile == "lto" { "fat" } else { "off" }),
        aslr_off: aslr_can_be_off(),
        open_files: Some(crate::process::exec::open_files()),
        subject_env,
        lockfile: std::fs::read(root.join("Cargo.lock")).ok().map(|bytes| hex(&Sha256::digest(bytes))),
        corpus: corpus::digest(),
        trust,
        jemalloc: BTreeMap::new(),
        target: target.to_owned(),
    }
}

/// What measures, and of which commit. A folder that merely lies below somebody's checkout (in its `target/`, say) is of no commit: the
/// checkout's has nothing of it.
pub fn tool(root: &Path) -> Tool {
    let tracked = output(root, "git", &["rev-parse", "--verify", "--quiet", "HEAD:./"]).is_some();
    let git = tracked.then(|| output(root, "git", &["rev-parse", "HEAD"])).flatten();
    let dirty = git.is_some() && output(root, "git", &["status", "--porcelain"]).is_some_and(|s| !s.is_empty());
    Tool { version: env!("CARGO_PKG_VERSION").to_owned(), git, dirty }
}

fn pairs(list: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
}

fn cpu() -> String {
    let info = procfs::CpuInfo::current().ok();
    let model = info.and_then(|info| info.model_name(0).map(str::to_owned));
    model.unwrap_or_else(|| format!("unknown {}", std::env::consts::ARCH))
}

fn read_line(path: &str) -> String {
    std::fs::read_to_string(path).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

/// The word in brackets: `always [madvise] never`.
fn chosen(text: &str) -> String {
    let word = text.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(word, _)| word.to_owned());
    word.unwrap_or_else(|| text.to_owned())
}

fn output(cwd: &Path, program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).current_dir(cwd).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Asks a child, because a process cannot take randomisation off and put it on again without being changed by it.
fn aslr_can_be_off() -> bool {
    let probe = Command::new(crate::process::exec::SELF)
        .args([crate::process::exec::WORD, &std::process::id().to_string(), "--", "/bin/cat", "/proc/self/personality"])
        .output();
    // ADDR_NO_RANDOMIZE is 0x0040000.
    let bits = probe.ok().and_then(|o| u64::from_str_radix(String::from_utf8_lossy(&o.stdout).trim(), 16).ok());
    bits.is_some_and(|bits| bits & 0x0040000 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(folder: &Path, words: &[&str]) {
        let who = ["-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "init.defaultBranch=main"];
        let done = Command::new("git").args(who).args(words).current_dir(folder).output().expect("git");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    #[test]
    fn a_folder_is_of_a_commit_that_has_it_and_not_of_one_that_it_lies_below() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(tool(dir.path()).git, None);
        let [inside, below] = ["inside", "target/below"].map(|name| dir.path().join(name));
        for folder in [&inside, &below] {
            std::fs::create_dir_all(folder).expect("writable");
            std::fs::write(folder.join("plimsoll.toml"), "version = 1\n").expect("writable");
        }
        std::fs::write(dir.path().join(".gitignore"), "target/\n").expect("writable");
        git(dir.path(), &["init", "--quiet"]);
        // Nothing is committed yet.
        assert_eq!(tool(dir.path()).git, None);
        git(dir.path(), &["add", "--all"]);
        git(dir.path(), &["commit", "--quiet", "-m", "all"]);
        let commit = tool(dir.path()).git;
        assert!(commit.as_ref().is_some_and(|sha| sha.len() == 40), "{commit:?}");
        assert_eq!((tool(&inside).git, tool(&inside).dirty), (commit, false));
        assert_eq!(tool(&below).git, None);
        std::fs::write(inside.join("more"), "").expect("writable");
        assert!(tool(&inside).dirty && !tool(&below).dirty);
    }
}
