//! The gate held against what it must find: five regressions around three levels, and none around them.
//!
//! The programs are of `benches/selftest`, whose argument says what they do besides asking. All of them are measured in one loop against
//! one base and judged by the function that judges a change.

use std::collections::BTreeMap;

use plimsoll_reports::derive::Figure;
use plimsoll_reports::gate::{Outcome, Row, Rules, State};
use plimsoll_reports::record::Tool;

use super::cells::{self, Planned};
use super::contest::Judged;
use super::side::Side;
use crate::config::{Config, ConfigError, Project};

/// A regression, and what has to be found of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Injected {
    /// The programs' argument.
    pub argument: &'static str,
    /// What it is.
    pub what: &'static str,
    /// The function that must be blamed; `None` where nothing may be found.
    pub function: Option<&'static str>,
    /// Whether what it takes is kept, more with each request: then the slope of the live heap must fail, too.
    pub kept: bool,
}

/// Everything that is injected. The first is nothing: the same program on both sides.
pub const INJECTED: [Injected; 6] = [
    Injected { argument: "nothing", what: "nothing (A/A)", function: None, kept: false },
    Injected {
        argument: "allocation",
        what: "one allocation more per request",
        function: Some("allocates_once_more"),
        kept: false,
    },
    Injected { argument: "leak", what: "64 B leaked per request", function: Some("leaks"), kept: true },
    Injected { argument: "clone", what: "the request's body cloned", function: Some("clones_the_body"), kept: false },
    Injected { argument: "buffer", what: "a buffer of twice its size", function: Some("makes_room"), kept: false },
    Injected { argument: "client", what: "a client built per request", function: Some("builds_a_client"), kept: false },
];

/// The levels that something is put around.
pub const LEVELS: [&str; 3] = ["original", "ultra", "bare"];

/// How much of a counted difference must be explained.
pub const COVERAGE: f64 = 0.95;

/// The crate whose functions are blamed.
pub const OWN: &str = "plimsoll-selftest";

/// The command that builds the programs.
pub const BUILD: [&str; 6] = ["cargo", "build", "--locked", "--release", "-p", OWN];

/// The suite's name.
pub const SUITE: &str = "self-test";

/// What is measured, on the base and on every head.
///
/// # Errors
/// Never, as long as the configuration of the self-test is one.
pub fn planned(project: &Project, rules: &Rules, only: Option<&str>) -> Result<Vec<Planned>, ConfigError> {
    let project = with(project, INJECTED[0].argument)?;
    let mut planned = cells::of_commit(&project, None, rules, only)?;
    planned.iter_mut().for_each(|planned| planned.samples.resize(1 + INJECTED.len(), planned.samples[0]));
    Ok(planned)
}

/// The base, and a head for each of [`INJECTED`].
///
/// # Errors
/// As [`planned`].
pub fn sides(project: &Project, tool: &Tool) -> Result<(Side, Vec<Side>), ConfigError> {
    let side = |name, argument| Ok(Side { name, project: with(project, argument)?, tool: tool.clone() });
    let base = side("base", INJECTED[0].argument)?;
    let heads = INJECTED.iter().map(|injected| side(injected.argument, injected.argument));
    Ok((base, heads.collect::<Result<_, ConfigError>>()?))
}

/// The project with the self-test's subjects and suite in place of its own.
fn with(project: &Project, argument: &str) -> Result<Project, ConfigError> {
    let subjects = LEVELS.map(|level| {
        format!(
            "[[subject]]\nid = \"{level}\"\ncommand = [\"{{target}}/selftest-{level}-{{allocator}}\", \"{argument}\"]\n\
             probes = [\"count\", \"dhat\"]\nruntimes = [\"current_thread\"]\ncrypto = [\"aws-lc\"]\n"
        )
    });
    let levels = LEVELS.map(|level| format!("{level:?}")).join(", ");
    let text = format!(
        "version = 1\n{}[suite.{SUITE}]\nsubjects = [{levels}]\nscenarios = [\"chat\"]\nsamples = {{ count = 10 }}\n\
         [[suite.{SUITE}.matrix]]\nprobes = [\"count\"]\n[gate]\nsuite = \"{SUITE}\"\n",
        subjects.concat()
    );
    let config = Config::read("the self-test's configuration".as_ref(), &text)?;
    Ok(Project { config, ..project.clone() })
}

/// What became of one regression around one level.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The level.
    pub level: String,
    /// The regression.
    pub injected: Injected,
    /// Figures that failed, of those that were judged.
    pub failed: (usize, usize),
    /// Who is blamed for what is asked for per request: the function of the figure that is explained worst.
    pub culprit: Option<String>,
    /// How much of that figure is explained, from 0 to 1.
    pub coverage: Option<f64>,
    /// How much is explained of what is held, as of request 128: slope, live heap, its peak. Less of a peak, where C holds a part of it.
    pub held: Option<f64>,
    /// Whether it was found as it must be, or, of nothing, not found.
    pub good: bool,
}

/// Looks through the verdicts, in the order of [`INJECTED`].
pub fn found(judged: &[Judged]) -> Vec<Found> {
    let mut all = Vec::new();
    for (judged, injected) in judged.iter().zip(INJECTED) {
        let verdict = &judged.verdict;
        let mut levels: BTreeMap<usize, Vec<&Row>> = BTreeMap::new();
        for row in &verdict.rows {
            let at = LEVELS.iter().position(|level| *level == row.cell.subject).unwrap_or(LEVELS.len());
            levels.entry(at).or_default().push(row);
        }
        for rows in levels.into_values() {
            all.push(one(&rows, injected, verdict.outcome));
        }
    }
    all
}

fn one(rows: &[&Row], injected: Injected, outcome: Outcome) -> Found {
    let failing: Vec<&Row> = rows.iter().copied().filter(|row| row.state == State::Fails).collect();
    let asked = |row: &&&Row| matches!(row.figure, Some(Figure::PerRequest(_)));
    let worst = |rows: &mut dyn Iterator<Item = &&Row>| {
        let blamed = rows.filter_map(|row| row.blame.as_ref());
        blamed.min_by(|a, b| a.coverage.total_cmp(&b.coverage)).cloned()
    };
    let (per_request, held) =
        (worst(&mut failing.iter().filter(asked)), worst(&mut failing.iter().filter(|row| !asked(row))));
    let culprit = per_request.as_ref().and_then(|blame| blame.culprit()).map(|part| part.name.clone());
    let coverage = per_request.map(|blame| blame.coverage);
    let slope = Figure::slope("heap.live");
    let slopes = failing.iter().any(|row| row.figure.as_ref() == Some(&slope));
    let good = match injected.function {
        None => outcome == Outcome::Pass && failing.is_empty(),
        Some(function) => {
            let named = culprit.as_ref().is_some_and(|name| name.contains(function));
            named && coverage.is_some_and(|coverage| coverage >= COVERAGE) && (slopes || !injected.kept)
        }
    };
    Found {
        level: rows.first().map(|row| row.cell.subject.clone()).unwrap_or_default(),
        injected,
        failed: (failing.len(), rows.len()),
        culprit,
        coverage,
        held: held.map(|blame| blame.coverage),
        good,
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_reports::gate::Rule;
    use plimsoll_reports::gate::blame::{Blame, Part};
    use plimsoll_reports::record::Cell;
    use plimsoll_reports::units::{Quantity, Unit};

    use super::*;

    /// A row whose figure grew by 64 B, all of it explained by a function.
    fn failing(figure: Figure, function: &str) -> Row {
        let bytes = Quantity::new(64.0, Unit::Bytes).expect("finite");
        let none = Quantity::new(0.0, Unit::Bytes).expect("finite");
        let part = Part {
            name: format!("plimsoll_selftest::{function}"),
            file: None,
            line: None,
            own: true,
            base: none,
            head: bytes,
            difference: bytes,
        };
        let blame = Blame {
            by: "by call site (dhat)",
            as_of: None,
            counted: bytes,
            explained: bytes,
            coverage: 1.0,
            parts: vec![part],
        };
        Row {
            cell: Cell {
                subject: "bare".to_owned(),
                scenario: "chat".to_owned(),
                probe: "count".to_owned(),
                factors: BTreeMap::new(),
            },
            figure: Some(figure),
            rule: Rule::Exact,
            state: State::Fails,
            base: Some(none),
            head: Some(bytes),
            difference: Some(bytes),
            interval: None,
            p: None,
            limit: Some(none),
            smallest: None,
            processes: 10,
            again: true,
            waived: None,
            blame: Some(blame),
        }
    }

    #[test]
    fn a_leak_is_found_if_the_slope_fails_too_and_by_its_name() {
        let of = |argument| INJECTED.into_iter().find(|injected| injected.argument == argument).expect(argument);
        let good = |injected, figures: &[&Figure], function| {
            let rows: Vec<Row> = figures.iter().map(|&figure| failing(figure.clone(), function)).collect();
            one(&rows.iter().collect::<Vec<_>>(), injected, Outcome::Fail).good
        };
        let (asked, live, slope) =
            (Figure::per_request("heap.bytes"), Figure::at("steady@256", "heap.live"), Figure::slope("heap.live"));
        assert!(good(of("leak"), &[&asked, &live, &slope], "leaks"));
        assert!(!good(of("leak"), &[&asked, &live], "leaks"));
        assert!(!good(of("leak"), &[&asked, &slope], "allocates_once_more"));
        assert!(good(of("allocation"), &[&asked], "allocates_once_more"));
        assert!(!good(of("nothing"), &[&asked], "leaks"));
    }

    #[test]
    fn the_self_test_s_own_configuration_is_one() {
        let config = Config::read("x".as_ref(), "version = 1\n").expect("reads");
        let project = Project { root: ".".into(), file: crate::config::FILE.into(), config, target: None };
        let planned = planned(&project, &Rules::default(), None).expect("plans");
        assert_eq!(planned.iter().map(|planned| planned.cell.subject.as_str()).collect::<Vec<_>>(), LEVELS);
        assert!(planned.iter().all(|planned| planned.samples == [Some(10); 7]), "{planned:?}");
        let tool = Tool { version: String::new(), git: None, dirty: false };
        let (base, heads) = sides(&project, &tool).expect("sides");
        let names: std::collections::BTreeSet<&str> = heads.iter().chain([&base]).map(|side| side.name).collect();
        assert_eq!(names.len(), 7, "each side has a folder of its own");
    }
}
