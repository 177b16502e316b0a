//! `plimsoll line`: what it measures to predict how many requests in flight a memory holds, and then what it runs to prove it.

use std::collections::BTreeMap;

use plimsoll_reports::line::{self, IN_FLIGHT, LIMIT, MEMORY, Prediction};
use plimsoll_reports::record::{Cell, PlannedCell, Record};

use crate::config::{
    Allocator, Config, Crypto, Matrix, Probe, Project, Protocol, Runtime, Samples, Streams, Subject, Suite,
};
use crate::plan::scenario;
use crate::run::launch::factor;

/// The name of the suite that is made up for it.
pub const SUITE: &str = "line";

/// Under what a line is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Under {
    /// The runtime, for subjects that can choose.
    pub runtime: Runtime,
    /// The protocol, where the subject's first one is not meant.
    pub protocol: Option<Protocol>,
    /// The crypto provider, for subjects that can choose.
    pub crypto: Crypto,
    /// Processes for each number of requests.
    pub samples: u32,
}

/// The project with a suite of just these lines.
#[must_use]
pub fn project(project: &Project, subjects: &[&Subject], under: Under) -> Project {
    let matrix = |subject: &&Subject| Matrix {
        probes: vec![Probe::Rss],
        subjects: Some(vec![subject.id.clone()]),
        scenarios: None,
        runtimes: vec![under.runtime],
        protocols: vec![under.protocol.or(subject.protocols.first().copied()).unwrap_or(Protocol::H1)],
        streams: vec![Streams::Limited],
        crypto: vec![under.crypto],
        allocators: vec![Allocator::System],
        switches: vec!["default".to_owned()],
        samples: None,
    };
    let suite = Suite {
        description: String::new(),
        include: Vec::new(),
        subjects: subjects.iter().map(|subject| subject.id.clone()).collect(),
        scenarios: vec![line::MODEL.to_owned()],
        samples: Samples { rss: under.samples, ..Samples::default() },
        matrix: subjects.iter().map(matrix).collect(),
    };
    let config = Config { suite: BTreeMap::from([(SUITE.to_owned(), suite)]), ..project.config.clone() };
    Project { config, ..project.clone() }
}

/// What bounds the number of requests in flight besides memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Connections that a subject may have: its open files.
    pub subject: u64,
    /// Connections that the mock may have: its open files.
    pub mock: u64,
    /// Connections that one address can make to another: its ephemeral ports.
    pub ports: u64,
}

impl Bounds {
    /// The most that a cell can have in flight.
    #[must_use]
    pub fn most(self, cell: &Cell) -> u64 {
        let connections = self.subject.min(self.mock).min(self.ports);
        match factor(cell, "protocol") {
            Some("h2") => connections.saturating_mul(STREAMS),
            _ => connections,
        }
    }
}

/// Streams that the mock grants on a connection, as public front ends do.
const STREAMS: u64 = 100;

/// The cells that prove the lines of a record: for each the number that the model says, and a tenth more where that is possible. `limited` says
/// whether limits can be set.
#[must_use]
pub fn proofs(record: &Record, memory: u64, bounds: Bounds, limited: bool, samples: u32) -> Vec<PlannedCell> {
    let model = record.plan.cells.iter().map(|planned| &planned.cell).filter(|cell| cell.scenario == line::MODEL);
    model
        .filter_map(|cell| Some((cell, line::predict(record, cell, as_f64(memory)).ok()?)))
        .flat_map(|(cell, prediction)| {
            let most = bounds.most(cell);
            let at = prediction.in_flight.min(most);
            let above = line::above(at);
            let counts = [Some(at).filter(|at| *at > 0), Some(above).filter(|above| *above <= most)];
            let cell = cell.clone();
            counts.into_iter().flatten().map(move |count| PlannedCell {
                cell: proof(&cell, count, memory, limited.then(|| limit(memory, &prediction))),
                samples,
            })
        })
        .collect()
}

/// What is left of the memory for a control group: file pages are in memory already, and charged to whoever read them first.
fn limit(memory: u64, prediction: &Prediction) -> u64 {
    memory.saturating_sub(prediction.file as u64)
}

fn proof(cell: &Cell, count: u64, memory: u64, limit: Option<u64>) -> Cell {
    let mut factors = cell.factors.clone();
    factors.insert(IN_FLIGHT.to_owned(), count.to_string());
    factors.insert(MEMORY.to_owned(), memory.to_string());
    factors.extend(limit.map(|limit| (LIMIT.to_owned(), limit.to_string())));
    Cell { scenario: scenario::LINE.to_owned(), factors, ..cell.clone() }
}

fn as_f64(memory: u64) -> f64 {
    memory as f64
}

/// Reads a size: `32MiB`, `1.5GiB`, `65536`.
///
/// # Errors
/// When it is none: what may stand there.
pub fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let unit = text[digits.len()..].trim();
    let worth = match unit {
        "" | "B" => 1_u64,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(format!("{unit:?} is no unit here: KiB, MiB or GiB, which are binary, or none for bytes")),
    };
    let number: f64 = digits.parse().map_err(|_| format!("{digits:?} is not a number"))?;
    let bytes = number * worth as f64;
    if bytes.is_finite() && bytes >= 1.0 && bytes < i64::MAX as f64 {
        Ok(bytes as u64)
    } else {
        Err("a memory is a number of bytes above zero".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_binary_and_say_so() {
        assert_eq!((size("32MiB"), size("1.5 GiB"), size("65536")), (Ok(32 << 20), Ok(3 << 29), Ok(65_536)));
        for wrong in ["32MB", "MiB", "-1MiB", "0", "nanMiB", "32 bytes"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn connections_bound_what_streams_share() {
        let bounds = Bounds { subject: 1_000, mock: 900, ports: 2_000 };
        let cell = |protocol: &str| Cell {
            subject: "s".into(),
            scenario: line::MODEL.into(),
            probe: "rss".into(),
            factors: BTreeMap::from([("protocol".to_owned(), protocol.to_owned())]),
        };
        assert_eq!((bounds.most(&cell("h1")), bounds.most(&cell("h2"))), (900, 90_000));
    }
}
