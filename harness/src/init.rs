//! The `plimsoll.toml` that a project begins with: made of what lies in its folder, and never written over one that is there.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const HEAD: &str = include_str!("init/head.toml");
const RUST: &str = include_str!("init/rust.toml");
const COMMAND: &str = include_str!("init/command.toml");
const GATE: &str = include_str!("init/gate.toml");

/// Cargo's file.
const MANIFEST: &str = "Cargo.toml";

/// The probes that a gate needs, of a program that allocates by the C library.
const OUTSIDE: &str = "\"rss\", \"count\"";

/// Why no file was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// There is one.
    #[error("{} is there already, and nothing was written: edit it, or name another folder with --dir", .0.display())]
    Exists(PathBuf),
    /// It cannot be written.
    #[error("cannot write {}: {source}; --dir names a folder that is there", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What Cargo would not take either.
    #[error("{}: {why}; mend it first", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A package whose programs are built elsewhere.
    #[error("{package} is of the workspace in {at}, where its programs are built: plimsoll init --dir {at} --package {package}", at = root.display())]
    Member {
        /// The package.
        package: String,
        /// The workspace's folder.
        root: PathBuf,
    },
    /// A workspace, and which of its packages is meant is not said.
    #[error("{} is a workspace without a package of its own: say which one has the client, --package NAME{}", path.display(), listed(members))]
    Workspace {
        /// The workspace's manifest.
        path: PathBuf,
        /// Its members, as it lists them.
        members: Vec<String>,
    },
    /// A package was named where it means nothing.
    #[error("--package {package} is for a workspace of Cargo's, and {}; leave it out", instead(only))]
    Package {
        /// What was named.
        package: String,
        /// The only package that there is.
        only: Option<String>,
    },
}

fn listed(members: &[String]) -> String {
    if members.is_empty() { String::new() } else { format!(" (its members: {})", members.join(", ")) }
}

fn instead(only: &Option<String>) -> String {
    match only {
        Some(only) => format!("{only} is the only package here"),
        None => format!("there is no {MANIFEST}"),
    }
}

/// What a project is made of, as far as its files say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A package of Cargo's.
    Rust {
        /// Its name.
        package: String,
        /// Whether it is one of several.
        workspace: bool,
    },
    /// Anything else.
    Program {
        /// What the project is called.
        name: String,
        /// What it is written in, where a file says so.
        language: Option<&'static Language>,
    },
}

/// A language, by the files that tell it, and how its programs are started.
#[derive(Debug, PartialEq, Eq)]
pub struct Language {
    /// Its name.
    pub name: &'static str,
    /// One of these is in the project's folder.
    told_by: &'static [&'static str],
    /// The program to write.
    program: &'static str,
    /// Of a `[[subject]]`, what follows its description.
    subject: &'static str,
    probes: &'static str,
}

const LANGUAGES: [Language; 3] = [
    Language {
        name: "Python",
        told_by: &["pyproject.toml", "setup.py", "requirements.txt"],
        program: "plimsoll_subject.py",
        subject: "command = [\"python3\", \"./plimsoll_subject.py\"]\n\
                  probes = [\"rss\", \"count\", \"ledger\"]\n\
                  env = { PYTHONHASHSEED = \"0\", PYTHONDONTWRITEBYTECODE = \"1\" }  # else its memory is another each time\n",
        probes: OUTSIDE,
    },
    Language {
        name: "Node",
        told_by: &["package.json"],
        program: "plimsoll_subject.mjs",
        subject: "command = [\"node\", \"./plimsoll_subject.mjs\"]\n\
                  probes = [\"rss\", \"count\"]\n\
                  env = { NODE_EXTRA_CA_CERTS = \"{ca}\" }       # the roots to trust\n",
        probes: OUTSIDE,
    },
    Language {
        name: "Go",
        told_by: &["go.mod"],
        program: "cmd/plimsoll_subject",
        subject: "build = [\"go\", \"build\", \"-o\", \"./plimsoll_subject\", \"./cmd/plimsoll_subject\"]\n\
                  command = [\"./plimsoll_subject\"]\n\
                  probes = [\"rss\"]                             # Go's heap is its own: there is no malloc to count\n",
        probes: "\"rss\"",
    },
];

/// Of a `[[subject]]` in any language.
const ANY: &str = "# build = [\"make\", \"plimsoll_subject\"]        # before a run, if it is to be built\n\
                   command = [\"./plimsoll_subject\"]             # an interpreter first, if it needs one: [\"python3\", \"./subject.py\"]\n\
                   probes = [\"rss\", \"count\", \"ledger\"]\n";

/// Looks what lies in a folder. `package` is the one that is meant of a workspace of Cargo's.
///
/// # Errors
/// When Cargo's file cannot be read, or it does not tell one package.
pub fn look(dir: &Path, package: Option<&str>) -> Result<Found, InitError> {
    let manifest = dir.join(MANIFEST);
    if !manifest.is_file() {
        if let Some(package) = package {
            return Err(InitError::Package { package: package.to_owned(), only: None });
        }
        let language = LANGUAGES.iter().find(|language| language.told_by.iter().any(|file| dir.join(file).is_file()));
        return Ok(Found::Program { name: folder_name(dir), language });
    }
    let table = read(&manifest)?;
    let own = table.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str);
    let workspace = table.get("workspace");
    match (package, own, workspace) {
        (Some(package), _, Some(_)) => Ok(Found::Rust { package: package.to_owned(), workspace: true }),
        (None, Some(own), Some(_)) => Ok(Found::Rust { package: own.to_owned(), workspace: true }),
        (None, None, Some(workspace)) => Err(InitError::Workspace { members: members(workspace), path: manifest }),
        (_, Some(own), None) => {
            if let Some(root) = workspace_above(dir)? {
                return Err(InitError::Member { package: own.to_owned(), root });
            }
            match package.filter(|package| *package != own) {
                Some(package) => Err(InitError::Package { package: package.to_owned(), only: Some(own.to_owned()) }),
                None => Ok(Found::Rust { package: own.to_owned(), workspace: false }),
            }
        }
        (_, None, None) => {
            Err(InitError::Manifest { path: manifest, why: "there is neither a package nor a workspace in it".into() })
        }
    }
}

impl Found {
    /// The subject's id: the project's name in the letters that an id may have.
    #[must_use]
    pub fn id(&self) -> String {
        let name = match self {
            Self::Rust { package, .. } => package,
            Self::Program { name, .. } => name,
        };
        let letter = |c: char| match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() || c == '_' => c,
            _ => '-',
        };
        let id: String = name.chars().map(letter).collect();
        let id = id.trim_matches('-');
        if id.is_empty() { "mine".to_owned() } else { id.to_owned() }
    }

    /// What was found, in words.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::Rust { .. } => format!("a program in Rust on plimsoll-worker, because there is a {MANIFEST}"),
            Self::Program { language: Some(language), .. } => format!("a program in {}", language.name),
            Self::Program { language: None, .. } => "a program in any language".to_owned(),
        }
    }

    /// The programs that have to be written before anything can be measured.
    #[must_use]
    pub fn to_write(&self) -> &'static str {
        match self {
            Self::Rust { .. } => "src/bin/plimsoll-system.rs, -jemalloc.rs and -dhat.rs, three lines each",
            Self::Program { language: Some(language), .. } => language.program,
            Self::Program { language: None, .. } => "./plimsoll_subject, or name your program in `command`",
        }
    }

    /// The whole file.
    #[must_use]
    pub fn text(&self) -> String {
        let id = self.id();
        let (body, probes) = match self {
            Self::Rust { package, workspace } => {
                let selected = if *workspace { format!("\"-p\", \"{package}\", ") } else { String::new() };
                (RUST.replace("@PACKAGE@", &selected).replace("@NAME@", &quotable(package)), OUTSIDE)
            }
            Self::Program { name, language } => {
                let of = |language: &&Language| (format!("In {}.", language.name), language.subject, language.probes);
                let (told, subject, probes) =
                    language.as_ref().map_or_else(|| ("In any language.".to_owned(), ANY, OUTSIDE), of);
                let body = COMMAND.replace("@LANGUAGE@", &told).replace("@SUBJECT@", subject);
                (body.replace("@NAME@", &quotable(name)), probes)
            }
        };
        format!("{HEAD}{body}{GATE}").replace("@PROBES@", probes).replace("@ID@", &id)
    }
}

/// Writes a new file; one that is there stays as it is.
///
/// # Errors
/// When there is one, or it cannot be written.
pub fn write(path: &Path, text: &str) -> Result<(), InitError> {
    let error = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => InitError::Exists(path.to_owned()),
        _ => InitError::Write { path: path.to_owned(), source },
    };
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(error)?;
    file.write_all(text.as_bytes()).map_err(error)
}

fn read(manifest: &Path) -> Result<toml::Table, InitError> {
    let error = |why: String| InitError::Manifest { path: manifest.to_owned(), why };
    let text = std::fs::read_to_string(manifest).map_err(|e| error(e.to_string()))?;
    text.parse().map_err(|e: toml::de::Error| error(e.message().to_owned()))
}

/// The folder of the workspace that a package in `dir` is a member of, if it is of one.
fn workspace_above(dir: &Path) -> Result<Option<PathBuf>, InitError> {
    let Ok(dir) = dir.canonicalize() else { return Ok(None) };
    for above in dir.ancestors().skip(1) {
        let manifest = above.join(MANIFEST);
        if !manifest.is_file() {
            continue;
        }
        let Some(workspace) = read(&manifest)?.remove("workspace") else { continue };
        let excluded = |path: &String| dir.starts_with(above.join(path));
        let is_member = !list(&workspace, "exclude").iter().any(excluded);
        return Ok(is_member.then(|| above.to_owned()));
    }
    Ok(None)
}

fn members(workspace: &toml::Value) -> Vec<String> {
    list(workspace, "members")
}

fn list(table: &toml::Value, key: &str) -> Vec<String> {
    let all = table.get(key).and_then(toml::Value::as_array);
    all.into_iter().flatten().filter_map(toml::Value::as_str).map(str::to_owned).collect()
}

fn folder_name(dir: &Path) -> String {
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A name as it may stand between quotes.
fn quotable(name: &str) -> String {
    name.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\')).collect()
}

#[cfg(test)]
mod tests {
    use plimsoll_reports::gate::Rules;

    use super::*;
    use crate::config::{Config, Project};
    use crate::plan::{self, Narrow};

    /// Every form that the file can have.
    fn forms() -> Vec<Found> {
        let program = |language| Found::Program { name: "My \"odd\" project\\".into(), language };
        let mut all: Vec<Found> = LANGUAGES.iter().map(|language| program(Some(language))).collect();
        let rust = |workspace| Found::Rust { package: "gemini_client".into(), workspace };
        all.extend([program(None), rust(false), rust(true)]);
        all
    }

    fn project(text: &str) -> Project {
        let config = Config::read("plimsoll.toml".as_ref(), text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        Project { root: ".".into(), file: crate::config::FILE.into(), config, target: None }
    }

    #[test]
    fn every_form_of_it_loads_fits_the_schema_and_leaves_nothing_out() {
        let validator = jsonschema::validator_for(&crate::config::schema()).expect("a schema");
        for found in forms() {
            let text = found.text();
            assert!(!text.contains('@'), "{text}");
            let project = project(&text);
            let value: serde_json::Value = toml::from_str(&text).expect("TOML");
            let errors: Vec<_> = validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert_eq!(errors, Vec::<String>::new());
            for suite in ["quick", "gate"] {
                let selection = plan::select(&project, suite, &Narrow::default()).expect("selects");
                assert!(
                    !selection.cells.is_empty() && selection.skipped.is_empty(),
                    "{suite}: {:?}",
                    selection.skipped
                );
            }
            // What the gate goes by where nothing is said: a project that says nothing is judged alike.
            assert_eq!(project.config.rules(), Ok(Rules::default()));
        }
    }

    #[test]
    fn the_budget_and_the_waiver_in_comments_are_ones_that_can_be_had_by_taking_the_comments_away() {
        for found in forms() {
            let mut said = false;
            let shown = |line: &str| {
                said |= line.starts_with("# [[");
                let key = line.strip_prefix("# ").filter(|rest| rest.starts_with("[[") || rest.contains(" = "));
                key.filter(|_| said).unwrap_or(line).to_owned() + "\n"
            };
            let text: String = found.text().lines().map(shown).collect();
            let rules = project(&text).config.rules().expect("rules");
            assert_eq!((rules.budgets.len(), rules.waivers.len()), (1, 1), "{text}");
            // Both are of cells that the gate has.
            let cells = plan::select(&project(&text), "gate", &Narrow::default()).expect("selects").cells;
            for pattern in [&rules.budgets[0].cell, &rules.waivers[0].cell] {
                assert!(cells.iter().any(|p| plimsoll_reports::cell::is_meant(pattern, &p.cell)), "{pattern}");
            }
        }
    }

    #[test]
    fn the_program_that_it_shows_is_the_one_of_the_worker_s_own_documentation_which_is_compiled() {
        let documentation = include_str!("../worker/src/lib.rs");
        let body = |text: &str, mark: &str| -> Vec<String> {
            let lines = text.lines().map(|line| line.trim_start_matches(mark).trim().to_owned());
            let is_part = |line: &String| ["client:", "chat:", "stream:"].iter().any(|key| line.starts_with(key));
            lines.filter(is_part).collect()
        };
        let shown = body(RUST, "#");
        assert_eq!(shown.len(), 3);
        assert_eq!(shown, body(documentation, "//!"));
    }

    #[test]
    fn an_id_is_made_of_whatever_the_project_is_called() {
        let id = |name: &str| Found::Program { name: name.to_owned(), language: None }.id();
        for (name, expected) in [("Gemini Client", "gemini-client"), ("ai_2", "ai_2"), ("…", "mine"), ("", "mine")] {
            assert_eq!(id(name), expected, "{name}");
        }
    }

    #[test]
    fn a_workspace_s_package_is_named_where_its_programs_are_built() {
        let dir = tempfile::tempdir().expect("a folder");
        let root = dir.path().canonicalize().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
            std::fs::write(path, text).expect("writable");
        };
        write("Cargo.toml", "[workspace]\nmembers = [\"client\", \"server\"]\nexclude = [\"apart\"]\n");
        write("client/Cargo.toml", "[package]\nname = \"my-client\"\n");
        write("apart/Cargo.toml", "[package]\nname = \"alone\"\n");
        let say = |dir: &str, package| look(&root.join(dir), package).map_err(|error| error.to_string());
        let rust = |package: &str, workspace| Ok(Found::Rust { package: package.to_owned(), workspace });
        assert_eq!(say("", Some("my-client")), rust("my-client", true));
        assert_eq!(say("apart", None), rust("alone", false));
        let error = say("", None).expect_err("which?");
        assert!(error.contains("--package NAME (its members: client, server)"), "{error}");
        let error = say("client", None).expect_err("not here");
        assert!(error.contains(&format!("plimsoll init --dir {} --package my-client", root.display())), "{error}");
        let error = say("apart", Some("other")).expect_err("no such package");
        assert!(error.contains("alone is the only package here"), "{error}");
        write("broken/Cargo.toml", "[package\n");
        let error = say("broken", None).expect_err("not TOML");
        assert!(error.contains("broken/Cargo.toml: ") && !error.contains('\n'), "{error}");
        assert!(look(&root.join("nothing"), Some("x")).is_err());
    }
}
