//! A trial: one program, measured again and again with nothing changed. What differs is the noise of this machine.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_reports::stats::power::Rule;

use crate::config::{
    Allocator, Config, Crypto, Kind, Matrix, Probe, Project, Protocol, Runtime, Samples, Streams, Subject, Suite,
};
use crate::plan::predict::Predictor;
use crate::plan::{self, Narrow, Selection};

/// The name of the suite that is made up for it.
pub const SUITE: &str = "doctor";

/// How the gate decides: twenty pairs, confirmed by twenty more, and here without a floor, one figure at a time.
pub const RULE: Rule = Rule { pairs: 20, family: 1, alpha: 0.05, floor: 0.0 };

/// The fewest samples that say something of a spread.
const FEW: u32 = 5;

/// The subject that is taken where none is named: the first level, or else the first of all.
#[must_use]
pub fn subject<'p>(project: &'p Project, named: Option<&str>) -> Option<&'p Subject> {
    let all = &project.config.subject;
    match named {
        Some(id) => all.iter().find(|subject| subject.id == id),
        None => all.iter().find(|subject| subject.kind == Kind::Level).or_else(|| all.first()),
    }
}

/// The project with a suite of just this trial.
#[must_use]
pub fn project(project: &Project, subject: &Subject, scenarios: Vec<String>) -> Project {
    let matrix = Matrix {
        probes: vec![Probe::Rss, Probe::Count, Probe::Jemalloc],
        subjects: None,
        scenarios: None,
        runtimes: Runtime::ALL.to_vec(),
        protocols: vec![subject.protocols.first().copied().unwrap_or(Protocol::H1)],
        streams: vec![Streams::Limited],
        crypto: vec![Crypto::AwsLc],
        allocators: vec![Allocator::System],
        switches: vec!["default".to_owned()],
        samples: None,
    };
    let suite = Suite {
        description: String::new(),
        include: Vec::new(),
        subjects: vec![subject.id.clone()],
        scenarios,
        samples: Samples::default(),
        matrix: vec![matrix],
    };
    let config = Config { suite: BTreeMap::from([(SUITE.to_owned(), suite)]), ..project.config.clone() };
    Project { config, ..project.clone() }
}

/// The cells of a trial, with as many samples as about `time` allows but not fewer than a spread needs, or with `samples` of each.
///
/// # Errors
/// As [`plan::select`].
pub fn select(
    project: &Project,
    predictor: &Predictor,
    time: Duration,
    samples: Option<u32>,
) -> Result<Selection, crate::config::ConfigError> {
    let mut selection = plan::select(project, SUITE, &Narrow { samples: Some(1), ..Narrow::default() })?;
    let round = predictor.total(&selection.cells).as_secs_f64();
    let rounds = if round > 0.0 { (time.as_secs_f64() / round) as u32 } else { FEW };
    for cell in &mut selection.cells {
        cell.samples = samples.unwrap_or(rounds.max(FEW));
    }
    Ok(selection)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Project {
        let config = toml::from_str(text).expect("a valid test configuration");
        Project { root: ".".into(), file: crate::config::FILE.into(), config, target: None }
    }

    const TWO: &str = r#"
        version = 1
        [[subject]]
        id = "script"
        command = ["python3", "x.py"]
        [[subject]]
        id = "level"
        kind = "level"
        command = ["{target}/level-{allocator}"]
        probes = ["rss", "count", "jemalloc"]
        runtimes = ["current_thread", "multi_thread"]
        crypto = ["aws-lc"]
    "#;

    #[test]
    fn a_level_is_taken_before_anything_else_unless_one_is_named() {
        let two = of(TWO);
        let taken = |named| subject(&two, named).map(|s| s.id.as_str());
        assert_eq!((taken(None), taken(Some("script")), taken(Some("nobody"))), (Some("level"), Some("script"), None));
    }

    #[test]
    fn a_trial_fills_its_time_and_never_has_too_few_samples() {
        let two = of(TWO);
        let trial = project(&two, subject(&two, None).unwrap(), vec!["chat".into()]);
        let cells =
            |seconds, samples| select(&trial, &Predictor::default(), Duration::from_secs(seconds), samples).unwrap();
        let long = cells(60, None);
        assert_eq!(long.cells.len(), 6, "two runtimes of three probes");
        let predicted = Predictor::default().total(&long.cells);
        assert!((50.0..=60.0).contains(&predicted.as_secs_f64()), "{predicted:?}");
        assert!(cells(1, None).cells.iter().all(|cell| cell.samples == FEW));
        assert!(cells(60, Some(20)).cells.iter().all(|cell| cell.samples == 20));
    }
}
