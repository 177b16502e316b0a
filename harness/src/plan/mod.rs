//! What a run will measure: the cells of a suite, and the order of their samples.
//!
//! - `scenario`: the work that subjects are put through
//! - `order`: interleaving from a recorded seed
//! - `predict`: how long it will take
//! - `line`: the cells of `plimsoll line`

pub mod line;
pub mod order;
pub mod predict;
pub mod scenario;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

pub use plimsoll_reports::cell::name as cell_name;
use plimsoll_reports::record::{Cell, PlannedCell, SubjectInfo};

use crate::config::{Allocator, ConfigError, Kind, Matrix, Probe, Project, Protocol, Streams, Subject, Suite};
use scenario::Scenario;

/// The cells of a run in the order of reports, and what was left out and why.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The cells, each with its number of samples.
    pub cells: Vec<PlannedCell>,
    /// Cells that a subject cannot do: `python: no probe jemalloc`, each once.
    pub skipped: BTreeSet<String>,
}

/// What the command line narrows a suite to. Empty lists narrow nothing.
#[derive(Debug, Clone, Default)]
pub struct Narrow {
    /// Only these subjects.
    pub subjects: Vec<String>,
    /// Only these scenarios.
    pub scenarios: Vec<String>,
    /// Only these probes.
    pub probes: Vec<Probe>,
    /// Only cells whose name has all of these parts: `original/chat`, `protocol=h2`, `chat*`.
    pub filter: Vec<String>,
    /// So many samples for every cell.
    pub samples: Option<u32>,
}

/// Works out the cells of a suite.
///
/// # Errors
/// When the command line names a subject or a scenario that the suite does not have.
pub fn select(project: &Project, name: &str, narrow: &Narrow) -> Result<Selection, ConfigError> {
    let suite = project.suite(name)?;
    for (flag, wanted, known) in
        [("--subject", &narrow.subjects, &suite.subjects), ("--scenario", &narrow.scenarios, &suite.scenarios)]
    {
        if let Some(unknown) = wanted.iter().find(|id| !known.contains(id)) {
            return Err(ConfigError::Value {
                path: project.path(),
                key: flag.to_owned(),
                message: format!(
                    "suite {name:?} has no {unknown:?}{}; it has: {}",
                    crate::config::suggest(unknown, known),
                    known.join(", ")
                ),
            });
        }
    }
    let mut selection = Selection::default();
    let mut seen = BTreeMap::new();
    for subject in in_order(project, suite) {
        for scenario in suite.scenarios.iter().filter_map(|id| scenario::find(id)) {
            for matrix in &suite.matrix {
                product(subject, scenario, matrix, &mut |probe, factors| match factors {
                    Err(reason) => {
                        selection.skipped.insert(format!("{}: {reason}", subject.id));
                    }
                    Ok(factors) => {
                        let cell = Cell {
                            subject: subject.id.clone(),
                            scenario: scenario.id.to_owned(),
                            probe: probe.as_str().to_owned(),
                            factors,
                        };
                        if !narrow.keeps(&cell, probe) {
                            return;
                        }
                        let samples =
                            narrow.samples.unwrap_or_else(|| matrix.samples.unwrap_or(suite.samples).of(probe));
                        match seen.entry(cell.clone()) {
                            Entry::Vacant(place) => {
                                place.insert(selection.cells.len());
                                selection.cells.push(PlannedCell { cell, samples });
                            }
                            // Each of the suites that this one is made of has samples enough for what it asks.
                            Entry::Occupied(place) if !suite.include.is_empty() => {
                                let planned = &mut selection.cells[*place.get()];
                                planned.samples = planned.samples.max(samples);
                            }
                            Entry::Occupied(_) => {}
                        }
                    }
                });
            }
        }
    }
    Ok(selection)
}

impl Narrow {
    fn keeps(&self, cell: &Cell, probe: Probe) -> bool {
        let any = |wanted: &[String], is: &str| wanted.is_empty() || wanted.iter().any(|w| w == is);
        any(&self.subjects, &cell.subject)
            && any(&self.scenarios, &cell.scenario)
            && (self.probes.is_empty() || self.probes.contains(&probe))
            && self.filter.iter().all(|filter| plimsoll_reports::cell::is_meant(filter, cell))
    }
}

/// A subject as reports describe it.
pub fn subject_info(subject: &Subject) -> SubjectInfo {
    SubjectInfo {
        id: subject.id.clone(),
        description: subject.description.clone(),
        kind: match subject.kind {
            Kind::Level => "level",
            Kind::Baseline => "baseline",
            Kind::Rung => "rung",
            Kind::Peer => "peer",
            Kind::External => "external",
        }
        .to_owned(),
        below: subject.below.clone(),
    }
}

/// The suite's subjects in its own order.
pub fn in_order<'a>(project: &'a Project, suite: &'a Suite) -> impl Iterator<Item = &'a Subject> {
    suite.subjects.iter().filter_map(|id| project.config.subject.iter().find(|s| s.id == *id))
}

type Factors = BTreeMap<String, String>;

/// Calls `each` for every combination: with the factors that apply, or with the reason why the subject cannot do it.
fn product(
    subject: &Subject,
    scenario: &Scenario,
    matrix: &Matrix,
    each: &mut dyn FnMut(Probe, Result<Factors, String>),
) {
    let listed = |list: &Option<Vec<String>>, id: &str| list.as_ref().is_none_or(|l| l.iter().any(|x| x == id));
    if !listed(&matrix.subjects, &subject.id) || !listed(&matrix.scenarios, scenario.id) {
        return;
    }
    for &probe in &matrix.probes {
        if !subject.probes.contains(&probe) {
            each(probe, Err(format!("no probe {probe}")));
            continue;
        }
        if scenario.id == scenario::LINE {
            each(probe, Err(format!("the scenario {} is for `plimsoll line`, which says what to hold", scenario.id)));
            continue;
        }
        if !scenario.held.is_empty() && !probe.is_outside() {
            each(
                probe,
                Err(format!(
                    "no probe {probe} in {}: it would read itself, while it waits for what is held",
                    scenario.id
                )),
            );
            continue;
        }
        let allocators = probe.allocator().map_or_else(|| matrix.allocators.clone(), |a| vec![a]);
        for &allocator in &allocators {
            if probe.allocator().is_none() && !supports_allocator(subject, allocator) {
                each(probe, Err(format!("no allocator {allocator}")));
                continue;
            }
            for protocol in &matrix.protocols {
                if !subject.protocols.contains(protocol) {
                    each(probe, Err(format!("no protocol {protocol}")));
                    continue;
                }
                for runtime in applicable("runtime", &matrix.runtimes, &subject.runtimes, probe, each) {
                    for crypto in applicable("crypto", &matrix.crypto, &subject.crypto, probe, each) {
                        for switches in switches(subject, &matrix.switches, probe, each) {
                            for unlimited in unlimited(*protocol, &matrix.streams) {
                                let mut factors = Factors::new();
                                let mut set =
                                    |factor: &str, value: String| drop(factors.insert(factor.to_owned(), value));
                                set("allocator", allocator.to_string());
                                set("protocol", protocol.to_string());
                                if let Some(runtime) = runtime {
                                    set("runtime", runtime.to_string());
                                }
                                if let Some(crypto) = crypto {
                                    set("crypto", crypto.to_string());
                                }
                                if switches != "default" {
                                    set("switches", switches.clone());
                                }
                                if let Some(streams) = unlimited {
                                    set("streams", streams.to_string());
                                }
                                each(probe, Ok(factors));
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The sets of techniques as cells name them: `default`, `none`, names, or `-NAME`, all but that one. Empty, with the reason, for a subject
/// without techniques where it is asked for other than `default`.
fn switches(
    subject: &Subject,
    wanted: &[String],
    probe: Probe,
    each: &mut dyn FnMut(Probe, Result<Factors, String>),
) -> Vec<String> {
    let mut sets = Vec::new();
    for word in wanted {
        match word.as_str() {
            "none" | "each" | "without-each" if subject.techniques.is_empty() => {
                each(probe, Err("no techniques are named in plimsoll.toml".to_owned()));
            }
            "each" => sets.extend(subject.techniques.iter().cloned()),
            "without-each" => sets.extend(subject.techniques.iter().map(|name| format!("-{name}"))),
            _ => sets.push(word.clone()),
        }
    }
    sets
}

/// The factor `streams`, which only HTTP/2 has, and which is named only where it is not the limit that every server has.
fn unlimited(protocol: Protocol, wanted: &[Streams]) -> Vec<Option<Streams>> {
    match protocol {
        Protocol::H1 => vec![None],
        Protocol::H2 | Protocol::Auto => {
            wanted.iter().map(|&streams| (streams == Streams::Unlimited).then_some(streams)).collect()
        }
    }
}

/// A subject is built with another allocator if its command says so.
fn supports_allocator(subject: &Subject, allocator: Allocator) -> bool {
    allocator == Allocator::System || subject.command.iter().any(|word| word.contains("{allocator}"))
}

/// The wanted values that the subject supports; `[None]` where the factor does not apply to it.
fn applicable<T: Copy + PartialEq + std::fmt::Display>(
    factor: &str,
    wanted: &[T],
    supported: &Option<Vec<T>>,
    probe: Probe,
    each: &mut dyn FnMut(Probe, Result<Factors, String>),
) -> Vec<Option<T>> {
    let Some(supported) = supported else { return vec![None] };
    let mut values = Vec::new();
    for &value in wanted {
        if supported.contains(&value) {
            values.push(Some(value));
        } else {
            each(probe, Err(format!("no {factor} {value}")));
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    fn project(text: &str) -> Project {
        Project {
            root: PathBuf::from("."),
            file: crate::config::FILE.into(),
            config: toml::from_str(text).expect("a valid test configuration"),
            target: None,
        }
    }

    const TWO: &str = r#"
        version = 1
        [[subject]]
        id = "level"
        command = ["{target}/level-{allocator}"]
        probes = ["rss", "count", "jemalloc", "dhat"]
        runtimes = ["current_thread", "multi_thread"]
        protocols = ["h1", "h2"]
        [[subject]]
        id = "script"
        command = ["python3", "x.py"]
        [suite.s]
        subjects = ["level", "script"]
        scenarios = ["chat", "stream"]
        samples = { rss = 3, count = 4 }
        [[suite.s.matrix]]
        probes = ["rss", "jemalloc"]
        runtimes = ["current_thread", "multi_thread"]
        [[suite.s.matrix]]
        probes = ["count"]
        protocols = ["h1", "h2"]
    "#;

    #[test]
    fn a_factor_that_does_not_apply_makes_one_cell_and_what_a_subject_lacks_is_said() {
        let selection = select(&project(TWO), "s", &Narrow::default()).expect("selects");
        let names: Vec<_> = selection.cells.iter().map(|c| cell_name(&c.cell)).collect();
        assert_eq!(names.iter().filter(|n| n.starts_with("script/chat/rss")).count(), 1, "{names:#?}");
        assert_eq!(names.iter().filter(|n| n.starts_with("level/chat/rss")).count(), 2, "{names:#?}");
        assert_eq!(names.iter().filter(|n| n.starts_with("level/stream/count")).count(), 2, "{names:#?}");
        let skipped: Vec<_> = selection.skipped.iter().map(String::as_str).collect();
        assert_eq!(skipped, ["script: no probe jemalloc", "script: no protocol h2"]);
    }

    #[test]
    fn samples_follow_the_probe_unless_the_command_line_says_otherwise() {
        let all = select(&project(TWO), "s", &Narrow::default()).expect("selects");
        let of = |probe: &str| all.cells.iter().find(|c| c.cell.probe == probe).map(|c| c.samples);
        assert_eq!((of("rss"), of("count"), of("jemalloc")), (Some(3), Some(4), Some(2)));
        let narrow = Narrow { samples: Some(9), probes: vec![Probe::Count], ..Narrow::default() };
        let few = select(&project(TWO), "s", &narrow).expect("selects");
        assert!(few.cells.iter().all(|c| c.samples == 9 && c.cell.probe == "count"));
    }

    #[test]
    fn a_cell_of_several_included_suites_has_the_most_samples_that_any_of_them_has() {
        let more = "[suite.t]\nsubjects = [\"level\"]\nscenarios = [\"chat\"]\nsamples = { rss = 9, count = 1 }\n\
                    matrix = [{ probes = [\"rss\", \"count\"] }]\n[suite.both]\ninclude = [\"s\", \"t\"]\n";
        let text = format!("{}{more}", TWO.replace("        ", ""));
        // As it is loaded: what a suite includes is filled in.
        let config = crate::config::Config::read(Path::new("plimsoll.toml"), &text).expect("reads");
        let project = Project { config, ..project("version = 1") };
        let cells = select(&project, "both", &Narrow::default()).expect("selects").cells;
        let of = |wanted: &str| cells.iter().find(|c| cell_name(&c.cell).starts_with(wanted)).map(|c| c.samples);
        assert_eq!((of("level/chat/rss"), of("level/chat/count"), of("level/stream/rss")), (Some(9), Some(4), Some(3)));
    }

    #[test]
    fn unlimited_streams_are_a_factor_of_http_2_only_and_an_entry_can_have_samples_of_its_own() {
        let more = "[[suite.s.matrix]]\nprobes = [\"rss\"]\nprotocols = [\"h1\", \"h2\"]\nstreams = [\"limited\", \"unlimited\"]\nsamples = { rss = 7 }\n";
        let selection = select(&project(&format!("{}{more}", TWO.replace("        ", ""))), "s", &Narrow::default());
        let cells = selection.expect("selects").cells;
        let of = |wanted: &str| cells.iter().find(|c| cell_name(&c.cell) == wanted).map(|c| c.samples);
        // The h1 cell was in an earlier entry already, with that entry's samples.
        assert_eq!(of("level/chat/rss/allocator=system/protocol=h1/runtime=current_thread"), Some(3));
        assert_eq!(of("level/chat/rss/allocator=system/protocol=h2/runtime=current_thread"), Some(7));
        assert_eq!(of("level/chat/rss/allocator=system/protocol=h2/runtime=current_thread/streams=unlimited"), Some(7));
        assert_eq!(cells.iter().filter(|c| c.cell.factors.contains_key("streams")).count(), 2);
    }

    #[test]
    fn each_technique_is_switched_alone_and_left_out_of_all() {
        let techniques = TWO.replace("id = \"level\"\n", "id = \"level\"\ntechniques = [\"a-b\", \"c\"]\n");
        let more = "[[suite.s.matrix]]\nprobes = [\"rss\"]\nscenarios = [\"chat\"]\nswitches = [\"none\", \"default\", \"each\", \"without-each\"]\n";
        let project = project(&format!("{}{more}", techniques.replace("        ", "")));
        let narrow = Narrow { subjects: vec!["level".into()], ..Narrow::default() };
        let cells = select(&project, "s", &narrow).expect("selects").cells;
        let sets: Vec<_> = cells.iter().filter_map(|c| c.cell.factors.get("switches")).collect();
        assert_eq!(sets, ["none", "a-b", "c", "-a-b", "-c"]);
        let skipped = select(&project, "s", &Narrow::default()).expect("selects").skipped;
        assert!(skipped.contains("script: no techniques are named in plimsoll.toml"), "{skipped:?}");
    }

    #[test]
    fn all_filters_together_name_the_cells() {
        let narrow = Narrow { filter: vec!["level/chat".into(), "protocol=h2".into()], ..Narrow::default() };
        let selection = select(&project(TWO), "s", &narrow).expect("selects");
        let names: Vec<_> = selection.cells.iter().map(|c| cell_name(&c.cell)).collect();
        assert_eq!(names, ["level/chat/count/allocator=system/protocol=h2/runtime=current_thread"]);
    }

    #[test]
    fn an_unknown_subject_on_the_command_line_is_refused_with_a_suggestion() {
        let narrow = Narrow { subjects: vec!["levle".into()], ..Narrow::default() };
        let error = select(&project(TWO), "s", &narrow).expect_err("unknown").to_string();
        assert!(error.contains("did you mean \"level\"?"), "{error}");
    }
}
