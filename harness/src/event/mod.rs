//! What happens in a run, for whoever wants to show or store it: the runner tells, reporters listen.

mod progress;

pub use progress::Progress;

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use plimsoll_reports::record::{Cell, Sample, Status};
use serde::Serialize;

/// Something that happened. Written by `--events` as one JSON object a line, tagged `event`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// A run begins or goes on.
    RunStarted {
        /// The run's id.
        id: String,
        /// Samples that it will have in all.
        samples: usize,
        /// Of these, measured already (`--resume`).
        done: usize,
        /// How long the rest will take.
        predicted_s: f64,
    },
    /// What was measured says what to measure next.
    PlanGrew {
        /// Samples that the run will have in all.
        samples: usize,
    },
    /// A sample is about to be taken.
    SampleStarted {
        /// Its cell.
        cell: Cell,
        /// Its index in the cell.
        index: u32,
        /// Its place in the order.
        order: u32,
        /// How long the run will still take.
        left_s: f64,
    },
    /// A sample was taken.
    SampleFinished {
        /// Its cell.
        cell: Cell,
        /// Its index in the cell.
        index: u32,
        /// Its place in the order.
        order: u32,
        /// How it ended.
        status: Status,
        /// Why it is not `ok`.
        error: Option<String>,
        /// How long it took.
        took_ms: f64,
    },
    /// The run ended.
    RunFinished {
        /// Samples that are ok.
        ok: usize,
        /// Samples that are not.
        not_ok: usize,
        /// How long it took.
        took_s: f64,
    },
}

impl Event {
    /// That a sample was taken, in so long.
    pub fn finished(sample: &Sample, took: Duration) -> Self {
        Self::SampleFinished {
            cell: sample.cell.clone(),
            index: sample.index,
            order: sample.order,
            status: sample.status,
            error: sample.error.clone(),
            took_ms: took.as_secs_f64() * 1e3,
        }
    }
}

/// Hears what happens.
pub trait Reporter {
    /// Is told of one event.
    fn hear(&mut self, event: &Event);
}

/// Writes events as JSON lines.
#[derive(Debug)]
pub struct JsonLines {
    file: File,
}

impl JsonLines {
    /// Writes to a new file.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        File::create(path).map(|file| Self { file })
    }
}

impl Reporter for JsonLines {
    fn hear(&mut self, event: &Event) {
        // The events are a by-product: a full disk must not cost the samples, whose own file reports it.
        if let Ok(mut line) = serde_json::to_vec(event) {
            line.push(b'\n');
            let _ = self.file.write_all(&line);
        }
    }
}

/// `1 min 20 s`, `45 s`, `0.4 s`.
pub fn human(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 9.95 {
        format!("{seconds:.1} s")
    } else if seconds < 119.5 {
        format!("{seconds:.0} s")
    } else {
        let whole = seconds.round() as u64;
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_as_people_say_them() {
        let said = |s| human(Duration::from_secs_f64(s));
        assert_eq!(
            (said(0.42), said(45.2), said(100.0), said(200.0)),
            ("0.4 s".into(), "45 s".into(), "100 s".into(), "3 min 20 s".into())
        );
    }
}
