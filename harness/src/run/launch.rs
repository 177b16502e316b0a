//! How the subject of a cell is started: which program, with which environment.

use std::io::Read;
use std::path::{Path, PathBuf};

use plimsoll_reports::record::Cell;

use super::environment::{COUNT_ENV, JEMALLOC_ENV, SUBJECT_ENV, jemalloc_options};
use crate::config::{Allocator, Probe, Project, Subject};

/// What all samples of a run share.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Where requests go, without the script's prefix: `https://localhost:34567`.
    pub origin: String,
    /// The trust bundle's path. Its length is the same in every run, because it becomes part of what subjects allocate.
    pub ca: PathBuf,
    /// `HOST:PORT:ADDRESS`, where the user said where to connect.
    pub resolve: Option<String>,
    /// The key.
    pub key: Key,
    /// Model name.
    pub model: String,
    /// The file with the counters, made anew for each sample.
    pub count_file: PathBuf,
    /// The same of a subject's proxy.
    pub proxy_count_file: PathBuf,
    /// The folder of Cargo's release build.
    pub target: PathBuf,
    /// Where a subject's proxy may make a socket.
    pub proxy_socket: PathBuf,
    /// `libplimsoll_count.so`.
    pub count_library: PathBuf,
}

/// An API key: shown by nothing.
#[derive(Clone)]
pub struct Key(String);

impl Key {
    /// Takes a key.
    pub fn new(key: String) -> Self {
        Self(key)
    }

    /// The key itself, for the subject's environment only.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `text` with the key, should it be in it, replaced.
    pub fn scrub(&self, text: &str) -> String {
        if self.0.is_empty() { text.to_owned() } else { text.replace(&self.0, "[key]") }
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[key]")
    }
}

/// What the one user part of every request says.
pub const PROMPT: &str = "Why do ships carry a load line? Answer in a few paragraphs.";

/// A factor's value in a cell.
pub fn factor<'a>(cell: &'a Cell, name: &str) -> Option<&'a str> {
    cell.factors.get(name).map(String::as_str)
}

/// The allocator of a cell.
pub fn allocator(cell: &Cell) -> Allocator {
    let named = factor(cell, "allocator");
    Allocator::ALL.iter().copied().find(|a| Some(a.as_str()) == named).unwrap_or(Allocator::System)
}

/// A program of a subject that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// Named without a folder and not in `PATH`: the sample is unavailable on this machine.
    NotInstalled(String),
    /// Named with a folder, and its subject says how to get it: the sample is unavailable until that is done.
    Absent(String),
    /// Named with a folder: it was not built.
    NotBuilt(PathBuf),
}

/// Finds the program of a subject's command, or another of its programs.
///
/// # Errors
/// When it is not there.
pub fn locate(
    project: &Project,
    subject: &Subject,
    command: &[String],
    allocator: Allocator,
) -> Result<(PathBuf, Vec<String>), Missing> {
    let (program, arguments) = project.command(command, allocator);
    if program.components().count() > 1 {
        let path = std::path::absolute(&program).unwrap_or(program);
        return match &subject.install {
            _ if path.is_file() => Ok((path, arguments)),
            Some(how) => Err(Missing::Absent(how.clone())),
            None => Err(Missing::NotBuilt(path)),
        };
    }
    let name = program.to_string_lossy().into_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found: Vec<PathBuf> = std::env::split_paths(&path).map(|dir| dir.join(&name)).filter(|p| p.is_file()).collect();
    // A version manager's shim is a script that needs the environment which a subject does not get: a real executable is preferred.
    let best = found.iter().find(|p| is_elf(p)).or_else(|| found.first());
    best.map(|path| (path.clone(), arguments)).ok_or(Missing::NotInstalled(name))
}

fn is_elf(path: &Path) -> bool {
    let mut magic = [0; 4];
    std::fs::File::open(path).and_then(|mut f| f.read_exact(&mut magic)).is_ok() && magic == *b"\x7fELF"
}

/// The whole environment of a cell's subject.
pub fn environment(
    subject: &Subject,
    cell: &Cell,
    probe: Probe,
    prefix: &str,
    shared: &Shared,
    dhat_file: Option<&Path>,
) -> Vec<(String, String)> {
    let mut env = common(cell, probe, prefix, shared, &shared.count_file);
    let mut set = |key: &str, value: &str| env.push((key.to_owned(), value.to_owned()));
    set("PLIMSOLL_MODEL", &shared.model);
    set("PLIMSOLL_PROMPT", PROMPT);
    set("PLIMSOLL_HTTP", factor(cell, "protocol").unwrap_or("h1"));
    set("PLIMSOLL_RUNTIME", factor(cell, "runtime").unwrap_or("current_thread"));
    set("PLIMSOLL_SWITCHES", &switches(subject, factor(cell, "switches").unwrap_or("default")));
    set("GEMINI_API_KEY", shared.key.expose());
    if let Some(path) = dhat_file {
        set("PLIMSOLL_DHAT_FILE", &path.to_string_lossy());
    }
    for (key, value) in &subject.env {
        set(
            key,
            &value.replace("{ca}", &shared.ca.to_string_lossy()).replace("{target}", &shared.target.to_string_lossy()),
        );
    }
    env
}

/// A set of techniques as the protocol has it, from the word for it in a cell.
fn switches(subject: &Subject, set: &str) -> String {
    match (set, set.strip_prefix('-')) {
        ("none", _) => String::new(),
        (_, Some(left_out)) => {
            let rest: Vec<&str> =
                subject.techniques.iter().map(String::as_str).filter(|name| *name != left_out).collect();
            rest.join(",")
        }
        (names, None) => names.to_owned(),
    }
}

/// The whole environment of a cell's proxy. It gets no key: keys come to it with requests.
pub fn proxy_environment(cell: &Cell, probe: Probe, shared: &Shared) -> Vec<(String, String)> {
    let mut env = common(cell, probe, "", shared, &shared.proxy_count_file);
    env.push(("PLIMSOLL_SOCKET".to_owned(), shared.proxy_socket.to_string_lossy().into_owned()));
    env
}

/// What both are told: where the server is, whom to trust, and how they are measured.
fn common(cell: &Cell, probe: Probe, prefix: &str, shared: &Shared, count_file: &Path) -> Vec<(String, String)> {
    let mut env: Vec<(String, String)> = Vec::new();
    let mut set = |key: &str, value: &str| env.push((key.to_owned(), value.to_owned()));
    let authority = shared.origin.split_once("://").map_or(shared.origin.as_str(), |(_, rest)| rest);
    set("PLIMSOLL_PROTOCOL", crate::process::protocol::VERSION);
    set("PLIMSOLL_BASE_URL", &format!("{}{prefix}", shared.origin));
    set("PLIMSOLL_CA", &shared.ca.to_string_lossy());
    match &shared.resolve {
        Some(resolve) => set("PLIMSOLL_RESOLVE", resolve),
        None if authority.starts_with("localhost:") => set("PLIMSOLL_RESOLVE", &format!("{authority}:127.0.0.1")),
        None => {}
    }
    set("PLIMSOLL_CRYPTO", factor(cell, "crypto").unwrap_or("aws-lc"));
    for (key, value) in SUBJECT_ENV {
        let options = jemalloc_options(allocator(cell)).filter(|_| *key == JEMALLOC_ENV);
        set(key, options.unwrap_or(value));
    }
    if probe == Probe::Ledger {
        // A program that counts what it asks for itself says so.
        set("PLIMSOLL_LEDGER", "1");
    }
    if probe.counts() {
        for (key, value) in COUNT_ENV {
            set(key, value);
        }
        set("LD_PRELOAD", &shared.count_library.to_string_lossy());
        set("PLIMSOLL_COUNT_FILE", &count_file.to_string_lossy());
    }
    env
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A subject whose program is `program` of a project in `/nonexistent`, which somebody may get by `make peers`.
    fn optional(program: &str) -> (Project, Subject) {
        let text = format!(
            r#"
            version = 1
            [[subject]]
            id = "somebody-s"
            command = ["{program}"]
            install = "make peers"
            env = {{ SSL_CERT_FILE = "{{ca}}", PATH = "{{target}}/../peers/bin" }}
            "#
        );
        let mut config: crate::config::Config = toml::from_str(&text).expect("a valid test configuration");
        let subject = config.subject.remove(0);
        let file = crate::config::FILE.into();
        (Project { root: PathBuf::from("/nonexistent"), file, config, target: None }, subject)
    }

    #[test]
    fn a_program_that_need_not_be_there_is_absent_and_one_of_path_is_not_installed() {
        let of = |program: &str| {
            let (project, subject) = optional(program);
            locate(&project, &subject, &subject.command, Allocator::System)
        };
        assert_eq!(of("{target}/nothing"), Err(Missing::Absent("make peers".into())));
        assert_eq!(of("no-such-program-anywhere"), Err(Missing::NotInstalled("no-such-program-anywhere".into())));
        let (project, subject) = optional("{target}/nothing");
        let built = Subject { install: None, ..subject };
        let missing = locate(&project, &built, &built.command, Allocator::System);
        assert!(matches!(missing, Err(Missing::NotBuilt(_))), "{missing:?}");
    }

    #[test]
    fn the_bundle_and_the_build_folder_stand_in_the_values_of_a_subject_s_own_variables() {
        let (_, subject) = optional("python3");
        let shared = Shared {
            origin: "https://localhost:34567".into(),
            ca: "/scratch/ca.pem".into(),
            resolve: None,
            key: Key::new("key".into()),
            model: "m".into(),
            count_file: PathBuf::new(),
            proxy_count_file: PathBuf::new(),
            proxy_socket: PathBuf::new(),
            target: "/project/target/release".into(),
            count_library: PathBuf::new(),
        };
        let cell = Cell {
            subject: subject.id.clone(),
            scenario: "chat".into(),
            probe: "rss".into(),
            factors: Default::default(),
        };
        let env = environment(&subject, &cell, Probe::Rss, "/s/chat", &shared, None);
        let of = |name: &str| env.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        assert_eq!(of("SSL_CERT_FILE"), Some("/scratch/ca.pem"));
        assert_eq!(of("PATH"), Some("/project/target/release/../peers/bin"));
        assert_eq!(of("PLIMSOLL_BASE_URL"), Some("https://localhost:34567/s/chat"));
    }

    #[test]
    fn a_set_of_techniques_is_told_by_names() {
        let subject: Subject =
            toml::from_str("id = \"x\"\ncommand = [\"x\"]\ntechniques = [\"a\", \"b\", \"c\"]").expect("a subject");
        for (set, told) in [("default", "default"), ("none", ""), ("b", "b"), ("a,c", "a,c"), ("-b", "a,c")] {
            assert_eq!(switches(&subject, set), told);
        }
    }

    #[test]
    fn a_key_is_shown_by_nothing_and_taken_out_of_what_others_say() {
        let key = Key::new("canary-0123".into());
        assert_eq!(format!("{key:?}"), "[key]");
        assert_eq!(key.scrub("bad key canary-0123!"), "bad key [key]!");
        assert_eq!(Key::new(String::new()).scrub("as it was"), "as it was");
    }
}
