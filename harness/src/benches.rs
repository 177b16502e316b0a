//! Benches of criterion's, run with a run and read into its record.
//!
//! They write into the run's own folder, which holds none before: what is read was measured in this run, never in an earlier one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::SystemTime;

use plimsoll_reports::record::{Bench, Measure};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::config::Project;

/// Where criterion writes, in the run's folder.
const FOLDER: &str = "criterion";

/// Benches that give no figures.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The project names none.
    #[error("no benches are named: add [benches] with a command, e.g. [\"cargo\", \"bench\", \"--bench\", \"mine\"]")]
    None,
    /// Their command cannot be run.
    #[error("benches: cannot run `{said}`: {source}")]
    Start {
        /// The command.
        said: String,
        /// Why.
        source: io::Error,
    },
    /// It failed.
    #[error("benches: `{said}` ended with {status}")]
    Failed {
        /// The command.
        said: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// It left nothing.
    #[error("benches: `{0}` wrote nothing into CRITERION_HOME: it must run benches of criterion's")]
    Nothing(String),
    /// A file of criterion's cannot be read.
    #[error("{}: {why}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// Runs the project's benches and reads what they measured; `dir` is the run's folder.
///
/// # Errors
/// When there are none, they fail, or their results cannot be read.
pub fn run(project: &Project, dir: &Path) -> Result<Vec<Bench>, BenchError> {
    let words = project.config.benches.as_ref().map(|benches| benches.command.as_slice()).unwrap_or_default();
    let [program, arguments @ ..] = words else { return Err(BenchError::None) };
    let said = words.join(" ");
    let home = std::path::absolute(dir.join(FOLDER)).map_err(|error| failed(dir, error))?;
    // What an attempt left that was interrupted is not of this one.
    match fs::remove_dir_all(&home) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&home, error)),
        _ => {}
    }
    let status = Command::new(program)
        .args(arguments)
        .current_dir(&project.root)
        .env("CRITERION_HOME", &home)
        // Data goes to standard output, talk does not.
        .stdout(io::stderr())
        .status()
        .map_err(|source| BenchError::Start { said: said.clone(), source })?;
    if !status.success() {
        return Err(BenchError::Failed { said, status });
    }
    let benches = read(&home)?;
    if benches.is_empty() { Err(BenchError::Nothing(said)) } else { Ok(benches) }
}

/// The benches under a folder that criterion wrote, in the order in which they were run.
///
/// # Errors
/// When a file cannot be read or is another than criterion writes.
pub fn read(home: &Path) -> Result<Vec<Bench>, BenchError> {
    let mut found: Vec<(SystemTime, Bench)> = Vec::new();
    let mut folders = vec![home.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(&folder, error)),
        };
        for entry in entries {
            let path = entry.map_err(|error| failed(&folder, error))?.path();
            if path.is_dir() && path.ends_with("new") {
                found.extend(one(&path)?);
            } else if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found.sort_by(|(at, bench), (other_at, other)| {
        (at, &bench.group, &bench.function, &bench.input).cmp(&(other_at, &other.group, &other.function, &other.input))
    });
    Ok(found.into_iter().map(|(_, bench)| bench).collect())
}

/// A bench, and when it was done. `None` where a bench was not run to its end: its name is written last.
fn one(folder: &Path) -> Result<Option<(SystemTime, Bench)>, BenchError> {
    let name = folder.join("benchmark.json");
    if !name.is_file() {
        return Ok(None);
    }
    let done = fs::metadata(&name).and_then(|file| file.modified()).map_err(|error| failed(&name, error))?;
    let Named { group_id, function_id, value_str, throughput } = json(&name)?;
    let Estimates { median } = json(&folder.join("estimates.json"))?;
    let Samples { times } = json(&folder.join("sample.json"))?;
    let (measure, group) = measure(&group_id);
    let bench = Bench {
        group: group.to_owned(),
        // Without a function, criterion's name is the group's alone.
        function: function_id.unwrap_or_else(|| group.to_owned()),
        input: value_str,
        measure,
        median: value(median.point_estimate),
        low: value(median.confidence_interval.lower_bound),
        high: value(median.confidence_interval.upper_bound),
        confidence: median.confidence_interval.confidence_level,
        samples: times.len() as u32,
        reads: throughput.and_then(|throughput| throughput.bytes),
    };
    Ok(Some((done, bench)))
}

/// What a group measures and its name beside that: criterion's files do not say what they are of, so a measurement that is no time says it at
/// the beginning of the group's name.
fn measure(group: &str) -> (Measure, &str) {
    match group.split_once('/') {
        Some(("bytes", rest)) => (Measure::Bytes, rest),
        Some(("allocations", rest)) => (Measure::Allocations, rest),
        _ => (Measure::Time, group),
    }
}

/// Criterion refuses a measurement of zero. The smallest number that there is stands for it (`plimsoll_benches::allocated::NOTHING`); by
/// iterations, it is less.
fn value(raw: f64) -> f64 {
    if raw <= f64::MIN_POSITIVE { 0.0 } else { raw }
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, BenchError> {
    let bytes = fs::read(path).map_err(|error| failed(path, error))?;
    serde_json::from_slice(&bytes).map_err(|error| failed(path, error))
}

fn failed(path: &Path, why: impl ToString) -> BenchError {
    BenchError::Read { path: path.to_owned(), why: why.to_string() }
}

/// `benchmark.json`, of which this is read; criterion may write more.
#[derive(Deserialize)]
struct Named {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
    throughput: Option<Throughput>,
}

#[derive(Deserialize)]
struct Throughput {
    #[serde(rename = "Bytes")]
    bytes: Option<u64>,
}

/// `estimates.json`.
#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    confidence_interval: Interval,
    point_estimate: f64,
}

#[derive(Deserialize)]
struct Interval {
    confidence_level: f64,
    lower_bound: f64,
    upper_bound: f64,
}

/// `sample.json`.
#[derive(Deserialize)]
struct Samples {
    times: Vec<f64>,
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use super::*;

    /// A folder as criterion 0.8 leaves it.
    fn wrote(home: &Path, place: &str, named: &str, median: [&str; 3]) {
        let folder = home.join(place).join("new");
        fs::create_dir_all(&folder).unwrap();
        let [low, point, high] = median;
        let estimate = format!(
            r#"{{"confidence_interval":{{"confidence_level":0.95,"lower_bound":{low},"upper_bound":{high}}},"point_estimate":{point},"standard_error":0.5}}"#
        );
        fs::write(folder.join("estimates.json"), format!(r#"{{"mean":{estimate},"median":{estimate},"slope":null}}"#))
            .unwrap();
        fs::write(folder.join("sample.json"), r#"{"sampling_mode":"Flat","iters":[2.0,2.0],"times":[80.0,82.0]}"#)
            .unwrap();
        fs::write(folder.join("tukey.json"), "[1.0,2.0,3.0,4.0]").unwrap();
        if !named.is_empty() {
            // Each a second after the one before, whatever the file system's clock can tell apart.
            static DONE: AtomicU64 = AtomicU64::new(0);
            let done = Duration::from_secs(DONE.fetch_add(1, Ordering::Relaxed));
            fs::write(folder.join("benchmark.json"), named).unwrap();
            let file = fs::File::options().write(true).open(folder.join("benchmark.json")).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + done).unwrap();
        }
    }

    #[test]
    fn a_time_a_count_and_a_count_of_nothing_are_read_and_what_was_not_finished_is_not() {
        let home = tempfile::tempdir().unwrap();
        let sse = |group: &str| {
            format!(
                r#"{{"group_id":"{group}","function_id":"SseReader","value_str":"stream, cut","throughput":{{"Bytes":6066}},"full_id":"x","directory_name":"x","title":"x"}}"#
            )
        };
        wrote(home.path(), "sse/SseReader/stream_ cut", &sse("sse"), ["40.0", "40.5", "41.0"]);
        let nothing = "2.2250738585072014e-308";
        wrote(home.path(), "bytes_sse/SseReader/stream_ cut", &sse("bytes/sse"), [nothing; 3]);
        let chat = r#"{"group_id":"allocations/levels/chat","function_id":"bare","value_str":null,"throughput":null}"#;
        wrote(home.path(), "allocations_levels_chat/bare", chat, ["13.0"; 3]);
        wrote(home.path(), "sse/cut off", "", ["1.0"; 3]);
        let read = read(home.path()).unwrap();
        let told: Vec<String> = read
            .iter()
            .map(|b| {
                format!(
                    "{} {} {:?} {:?} {} {} {} {:?}",
                    b.group, b.function, b.input, b.measure, b.low, b.median, b.high, b.reads
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "sse SseReader Some(\"stream, cut\") Time 40 40.5 41 Some(6066)",
                "sse SseReader Some(\"stream, cut\") Bytes 0 0 0 Some(6066)",
                "levels/chat bare None Allocations 13 13 13 None",
            ]
        );
        assert!(read.iter().all(|bench| bench.samples == 2 && bench.confidence == 0.95));
    }

    #[test]
    fn another_file_than_criterions_is_refused_with_its_name() {
        let home = tempfile::tempdir().unwrap();
        wrote(home.path(), "a/b", r#"{"group_id":"a"}"#, ["1.0", "\"x\"", "1.0"]);
        let error = read(home.path()).unwrap_err().to_string();
        assert!(error.contains("estimates.json") && error.contains("expected f64"), "{error}");
        assert!(read(&home.path().join("not there")).unwrap().is_empty());
    }
}
