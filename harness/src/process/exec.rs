//! The trampoline: `plimsoll __exec PARENT [ENTRANCE] -- PROGRAM ARGS…` prepares its own process and becomes the subject. `ENTRANCE` is the
//! file of a control group to enter first, so that all that the subject ever takes is charged to it.
//!
//! What must be set between fork and exec is set here, in an ordinary program, because in a forked child of a threaded parent it could
//! only be done by unsafe code. All of it survives `execve`: no address randomisation, no transparent huge pages, as many open files everywhere,
//! death with the parent.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use nix::sys::personality::{self, Persona};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;

/// The word that makes `plimsoll` a trampoline. Not for people.
pub const WORD: &str = "__exec";

/// The harness's own executable, also after a build has put another in its place: a run keeps one instrument from its first sample to its
/// last.
pub const SELF: &str = "/proc/self/exe";

/// `argv[0]` of every subject: its length is part of what is measured.
pub const ARGV0: &str = "subject";

/// Files that a subject may have open where the hard limit allows it: enough for thousands of connections, and a number of its own so that
/// a subject that looks at its limit finds the same on every machine.
const OPEN_FILES: u64 = 16_384;

/// Files that a subject may have open on this machine.
pub fn open_files() -> u64 {
    hard_open_files().min(OPEN_FILES)
}

/// Files that a process may have open here at the most: what the mock takes.
pub fn hard_open_files() -> u64 {
    getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(_, hard)| hard)
}

/// Becomes the program named in `args` (everything after [`WORD`]); returns only if that fails.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut args = args.into_iter();
    let parent = args.next().and_then(|word| word.to_str().and_then(|word| word.parse::<i32>().ok()));
    let mut word = args.next();
    let entrance = word.take_if(|word| word != "--");
    if entrance.is_some() {
        word = args.next();
    }
    let (Some(parent), Some(_), Some(program)) = (parent, word, args.next()) else {
        return fail("usage: plimsoll __exec PARENT [ENTRANCE] -- PROGRAM ARGS…");
    };
    if let Some(entrance) = entrance
        && let Err(error) = std::fs::write(&entrance, std::process::id().to_string())
    {
        return fail(&format!("cannot enter the control group {}: {error}", entrance.to_string_lossy()));
    }
    if let Err(error) = prctl::set_pdeathsig(Signal::SIGKILL) {
        return fail(&format!("cannot ask for death with the parent: {error}"));
    }
    // The parent may have died before the line above took hold.
    if nix::unistd::getppid().as_raw() != parent {
        return fail("the parent is gone");
    }
    // Where this is not permitted (some containers) the run goes on with randomisation, and its record says so.
    if let Ok(persona) = personality::get() {
        let _ = personality::set(persona | Persona::ADDR_NO_RANDOMIZE);
    }
    let _ = prctl::set_thp_disable(true);
    // The soft limit only. Should it fail, a subject that needs more says so itself.
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, open_files(), hard);
    }
    let error = Command::new(&program).arg0(ARGV0).args(args).current_dir("/").exec();
    fail(&format!("cannot start {}: {error}", program.to_string_lossy()))
}

#[allow(clippy::print_stderr)] // the parent shows a subject's standard error
fn fail(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::from(127)
}
