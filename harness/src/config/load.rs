//! Finding, reading and checking the file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Allocator, Config, FILE, Probe, Suite, include};
use crate::plan::scenario;
use crate::spelling::suggest;

/// A configuration together with the folder that its paths start from.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder that holds `plimsoll.toml`, or the file that was named in its place.
    pub root: PathBuf,
    /// That file's name in it.
    pub file: PathBuf,
    /// What the file says.
    pub config: Config,
    /// Where its programs are built, if it is not Cargo's usual folder: a side of the gate has one of its own.
    pub target: Option<PathBuf>,
}

/// What can be wrong with `plimsoll.toml`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is none.
    #[error("no {FILE} in {} or any folder above it; `plimsoll init` writes one, --config names one that lies elsewhere", from.display())]
    Missing {
        /// Where the search began.
        from: PathBuf,
    },
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML, or not of this shape.
    #[error("{}: {message}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Place, reason and suggestion.
        message: String,
    },
    /// A value does not fit.
    #[error("{}: {key}: {message}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// No such suite.
    #[error("{} has no suite {name:?}{}; it has: {}", path.display(), suggest(name, known), known.join(", "))]
    Suite {
        /// The file.
        path: PathBuf,
        /// The name asked for.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
}

impl Config {
    /// Reads a text; errors name it by `path`.
    ///
    /// # Errors
    /// When it does not parse, or a value does not fit.
    pub fn read(path: &Path, text: &str) -> Result<Self, ConfigError> {
        parse(path, text)
    }
}

impl Project {
    /// Reads the file at `path`, or the nearest one upwards from `cwd`.
    ///
    /// # Errors
    /// When there is none, or it does not parse, or a value does not fit: each names the file, the key and the mend.
    pub fn load(path: Option<&Path>, cwd: &Path) -> Result<Self, ConfigError> {
        let path = match path {
            Some(path) => cwd.join(path),
            None => cwd
                .ancestors()
                .map(|folder| folder.join(FILE))
                .find(|path| path.is_file())
                .ok_or_else(|| ConfigError::Missing { from: cwd.to_owned() })?,
        };
        let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::Read { path: path.clone(), source })?;
        let config = parse(&path, &text)?;
        let root = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        let file = path.file_name().map_or_else(|| FILE.into(), PathBuf::from);
        Ok(Self { root, file, config, target: None })
    }

    /// The path of the file that was read.
    pub fn path(&self) -> PathBuf {
        self.root.join(&self.file)
    }

    /// The suite of that name.
    ///
    /// # Errors
    /// When there is none; the error lists those that there are.
    pub fn suite(&self, name: &str) -> Result<&Suite, ConfigError> {
        self.config.suite.get(name).ok_or_else(|| ConfigError::Suite {
            path: self.path(),
            name: name.to_owned(),
            known: self.config.suite.keys().cloned().collect(),
        })
    }

    /// The folder of Cargo's release build, as `{target}` stands for it.
    pub fn target_dir(&self) -> PathBuf {
        if let Some(target) = &self.target {
            return target.join("release");
        }
        match std::env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => self.root.join(dir).join("release"),
            None => self.root.join("target/release"),
        }
    }

    /// A command for an allocator: the program's path and its arguments.
    pub fn command(&self, command: &[String], allocator: Allocator) -> (PathBuf, Vec<String>) {
        let target = self.target_dir();
        let fill = |word: &String| {
            word.replace("{allocator}", allocator.program()).replace("{target}", &target.to_string_lossy())
        };
        let mut words = command.iter().map(fill);
        let program = PathBuf::from(words.next().unwrap_or_default());
        let program = if program.components().count() > 1 { self.root.join(program) } else { program };
        // A subject's working directory is `/`: a script named from the project's folder would not be found there.
        let arguments = words
            .map(|word| {
                let path = self.root.join(&word);
                if word.contains('/') && path.is_file() { path.to_string_lossy().into_owned() } else { word }
            })
            .collect();
        (program, arguments)
    }
}

fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
    let mut config: Config = toml::from_str(text).map_err(|error: toml::de::Error| {
        let mut message = error.to_string().trim_end().to_owned();
        if let Some(hint) = suggestion(error.message()) {
            message.push_str(&hint);
        }
        ConfigError::Parse { path: path.to_owned(), message }
    })?;
    include::resolve(&mut config).map_err(|(key, message)| ConfigError::Value {
        path: path.to_owned(),
        key,
        message,
    })?;
    check(path, &config)?;
    Ok(config)
}

/// serde names the unknown word and those it knows between backquotes: the nearest is the suggestion.
fn suggestion(message: &str) -> Option<String> {
    if !message.starts_with("unknown ") {
        return None;
    }
    let mut words = message.split('`').skip(1).step_by(2);
    let unknown = words.next()?;
    let known: Vec<String> = words.map(str::to_owned).collect();
    let hint = suggest(unknown, &known);
    (!hint.is_empty()).then_some(hint)
}

fn check(path: &Path, config: &Config) -> Result<(), ConfigError> {
    let wrong = |key: String, message: String| Err(ConfigError::Value { path: path.to_owned(), key, message });
    if config.version != 1 {
        return wrong("version".into(), format!("{} is not a version this plimsoll knows; it knows 1", config.version));
    }
    let mut ids = BTreeSet::new();
    for subject in &config.subject {
        let key = format!("subject {:?}", subject.id);
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if subject.id.is_empty() || !subject.id.chars().all(plain) {
            return wrong(key, "an id is made of lower-case letters, digits, `-` and `_`".into());
        }
        if !ids.insert(subject.id.as_str()) {
            return wrong(key, "there are two subjects of this id; rename one".into());
        }
        if subject.command.is_empty() {
            return wrong(format!("{key}.command"), "is empty; name the program to run".into());
        }
        if subject.verify.as_ref().is_some_and(Vec::is_empty) {
            return wrong(format!("{key}.verify"), "is empty; name the program to run, or leave the key out".into());
        }
        if subject.proxy.as_ref().is_some_and(Vec::is_empty) {
            return wrong(format!("{key}.proxy"), "is empty; name the program to run, or leave it out".into());
        }
        let word = |name: &String| name.is_empty() || !name.chars().all(plain) || name.starts_with('-');
        if let Some(odd) = subject.techniques.iter().find(|name| word(name)) {
            return wrong(
                format!("{key}.techniques"),
                format!(
                    "{odd:?} is no name: it is made of lower-case letters, digits, `-` and `_`, and begins with no `-`"
                ),
            );
        }
        if let Some(below) = &subject.below
            && !config.subject.iter().any(|other| other.id == *below && other.id != subject.id)
        {
            return wrong(
                format!("{key}.below"),
                format!("there is no other subject {below:?}; name one, or leave it out"),
            );
        }
        for name in subject.env.keys() {
            if name.starts_with("PLIMSOLL_") || matches!(name.as_str(), "GEMINI_API_KEY" | "LD_PRELOAD") {
                return wrong(format!("{key}.env.{name}"), "is set by plimsoll itself; choose another name".into());
            }
        }
    }
    for (name, suite) in &config.suite {
        let known: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let named = suite.subjects.iter().chain(suite.matrix.iter().flat_map(|m| m.subjects.iter().flatten()));
        for id in named {
            if !ids.contains(id.as_str()) {
                return wrong(
                    format!("suite.{name}.subjects"),
                    format!("no subject {id:?}{}; there are: {}", suggest(id, &known), known.join(", ")),
                );
            }
        }
        let known: Vec<String> = scenario::ALL.iter().map(|s| s.id.to_owned()).collect();
        let named = suite.scenarios.iter().chain(suite.matrix.iter().flat_map(|m| m.scenarios.iter().flatten()));
        for id in named {
            if scenario::find(id).is_none() {
                return wrong(
                    format!("suite.{name}.scenarios"),
                    format!("no scenario {id:?}{}; there are: {}", suggest(id, &known), known.join(", ")),
                );
            }
        }
        for (key, samples) in std::iter::once(("samples", suite.samples))
            .chain(suite.matrix.iter().filter_map(|entry| Some(("matrix.samples", entry.samples?))))
        {
            if Probe::ALL.iter().any(|probe| samples.of(*probe) == 0) {
                return wrong(
                    format!("suite.{name}.{key}"),
                    "0 samples measure nothing; say 1 or more, or leave the probe out of the matrix".into(),
                );
            }
        }
        // An entry narrows its suite: what the suite does not have would be measured nowhere, and nobody would be told.
        for entry in &suite.matrix {
            for (key, narrowed, all) in
                [("subjects", &entry.subjects, &suite.subjects), ("scenarios", &entry.scenarios, &suite.scenarios)]
            {
                if let Some(odd) = narrowed.iter().flatten().find(|id| !all.contains(id)) {
                    return wrong(
                        format!("suite.{name}.matrix.{key}"),
                        format!("{odd:?} is not among suite.{name}.{key}; add it there, or take it out here"),
                    );
                }
            }
        }
    }
    if let Some(gate) = config.gate.as_ref().filter(|gate| !config.suite.contains_key(&gate.suite)) {
        let known: Vec<String> = config.suite.keys().cloned().collect();
        let hint = suggest(&gate.suite, &known);
        return wrong("gate.suite".into(), format!("no suite {:?}{hint}; there are: {}", gate.suite, known.join(", ")));
    }
    config.rules().map(drop).or_else(|(key, message)| wrong(key, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(text: &str) -> String {
        parse(Path::new("plimsoll.toml"), text).expect_err("must not parse").to_string()
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_a_suggestion() {
        let error = error_of("version = 1\n[[subject]]\nid = \"a\"\ncomand = [\"x\"]\n");
        assert!(error.contains("line 4"), "{error}");
        assert!(error.contains("did you mean \"command\"?"), "{error}");
    }

    #[test]
    fn an_unknown_scenario_is_an_error_that_lists_the_scenarios() {
        let error = error_of(
            "version = 1\n[[subject]]\nid = \"a\"\ncommand = [\"x\"]\n[suite.s]\nsubjects = [\"a\"]\nscenarios = [\"chatt\"]\nmatrix = []\n",
        );
        assert!(error.contains("suite.s.scenarios") && error.contains("did you mean \"chat\"?"), "{error}");
    }

    #[test]
    fn what_an_entry_of_a_matrix_would_leave_unmeasured_is_refused() {
        let suite = "version = 1\n[[subject]]\nid = \"a\"\ncommand = [\"x\"]\n[[subject]]\nid = \"b\"\ncommand = [\"x\"]\n\
                     [suite.s]\nsubjects = [\"a\"]\nscenarios = [\"chat\"]\n[[suite.s.matrix]]\nprobes = [\"rss\"]\n";
        for (entry, says) in [
            ("subjects = [\"b\"]", "suite.s.matrix.subjects: \"b\" is not among suite.s.subjects"),
            ("scenarios = [\"stream\"]", "suite.s.matrix.scenarios: \"stream\" is not among suite.s.scenarios"),
            ("samples = { rss = 0 }", "suite.s.matrix.samples: 0 samples measure nothing"),
        ] {
            let error = error_of(&format!("{suite}{entry}\n"));
            assert!(error.contains(says), "{error}");
        }
        parse(Path::new("plimsoll.toml"), &format!("{suite}subjects = [\"a\"]\nsamples = {{ rss = 1 }}\n"))
            .expect("parses");
    }

    #[test]
    fn other_versions_twins_and_reserved_names_are_refused() {
        assert!(error_of("version = 2\n").contains("it knows 1"));
        let twins =
            "version = 1\n[[subject]]\nid = \"a\"\ncommand = [\"x\"]\n[[subject]]\nid = \"a\"\ncommand = [\"x\"]\n";
        assert!(error_of(twins).contains("two subjects"));
        let reserved = "version = 1\n[[subject]]\nid = \"a\"\ncommand = [\"x\"]\nenv = { LD_PRELOAD = \"y\" }\n";
        assert!(error_of(reserved).contains("set by plimsoll itself"));
    }

    #[test]
    fn an_unknown_suite_lists_the_suites() {
        let config = parse(
            Path::new("plimsoll.toml"),
            "version = 1\n[[subject]]\nid = \"a\"\ncommand = [\"x\"]\n[suite.quick]\nsubjects = [\"a\"]\nscenarios = [\"chat\"]\n",
        );
        let config = config.expect("parses");
        let project = Project { root: PathBuf::from("."), file: FILE.into(), config, target: None };
        let error = project.suite("quik").expect_err("no such suite").to_string();
        assert!(error.contains("did you mean \"quick\"?"), "{error}");
    }

    #[test]
    fn a_file_of_another_name_is_the_one_that_errors_name() {
        let dir = tempfile::tempdir().expect("a folder");
        let other = dir.path().join("other.toml");
        std::fs::write(&other, "version = 1\n").expect("writable");
        for (named, cwd) in [(Some(other.as_path()), Path::new("/")), (Some(Path::new("other.toml")), dir.path())] {
            let project = Project::load(named, cwd).expect("loads");
            assert_eq!((project.path(), project.root.as_path()), (other.clone(), dir.path()));
            let error = project.suite("quick").expect_err("no such suite").to_string();
            assert!(error.starts_with(&format!("{} has no suite", other.display())), "{error}");
        }
    }
}
