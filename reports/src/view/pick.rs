//! Which level fits a budget: of each subject what it takes at rest, with requests in flight, and in time, on the usual factors.

use super::{Row, Scenario, View};
use crate::derive::{Figure, GROWTH_AT, Measured, Percentile};

/// The scenario of one request after another, and those of twenty, a hundred and a thousand at once.
const AT_ONCE: [&str; 4] = ["chat", "chat-20x", "crowd-100", "crowd"];
/// The scenarios that hold requests, the first that was measured being taken.
const HELD: [&str; 2] = ["inflight-event", "inflight-head"];
/// The level that others are held against.
const BASE: &str = "original";

/// The figures of a line: heading and meaning.
pub const FIGURES: [(&str, &str); 12] = [
    ("RSS", "resident memory after 20 requests one after another: the whole process"),
    ("RSS, 100 held", "the same with 100 requests held open"),
    ("RSS, 1,000 held", "the same with 1,000"),
    ("each in flight", "resident memory that one more request in flight takes: (held@1000 − held@100) / 900"),
    ("anon growth", "anonymous memory at steady@20 minus that at start: what the code asked for"),
    ("peak RSS", "highest resident memory up to steady@20"),
    ("allocs/request", "calls of malloc and realloc per request, over requests 64 to 128"),
    ("bytes/request", "bytes asked for in those calls"),
    ("p50", "median time per request, one after another"),
    ("p50, 20 at once", "median time per request with 20 in flight"),
    ("p50, 100 at once", "median time per request with 100 in flight"),
    ("p50, 1,000 at once", "median time per request with 1,000 in flight"),
];

/// The places of those that a table for picking has: the peak is of no other use than to set a limit by.
pub const SHOWN: [usize; 11] = [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11];

/// Places of the figures in a line.
pub mod place {
    /// Resident memory at rest.
    pub const RSS: usize = 0;
    /// With 100 held.
    pub const HELD_100: usize = 1;
    /// With 1,000 held.
    pub const HELD_1000: usize = 2;
    /// For each in flight.
    pub const EACH: usize = 3;
    /// Growth of anonymous memory.
    pub const GROWTH: usize = 4;
    /// The highest.
    pub const PEAK: usize = 5;
    /// Allocations per request.
    pub const ALLOCS: usize = 6;
    /// Median time.
    pub const P50: usize = 8;
    /// The same with 1,000 at once.
    pub const P50_1000: usize = 11;
}

/// A subject's line.
#[derive(Debug)]
pub struct Pick<'a> {
    /// The row that stands for it.
    pub row: &'a Row,
    /// Its name, with the protocol.
    pub name: String,
    /// Whether helpers or a proxy do its work: its memory is then that of all of them together.
    pub whole: bool,
    /// One for each of [`FIGURES`]; `None` is not measured.
    pub figures: Vec<Option<Measured>>,
}

impl Pick<'_> {
    /// The median in a place.
    #[must_use]
    pub fn median(&self, at: usize) -> Option<f64> {
        Some(self.figures.get(at)?.as_ref()?.stats.median)
    }

    /// A figure as text; bytes per request to the byte.
    #[must_use]
    pub fn text(&self, at: usize) -> Option<String> {
        let median = self.figures.get(at)?.as_ref()?.median();
        Some(if at == 7 { median.in_full() } else { median.to_string() })
    }

    /// Whether it is a level, or somebody's own program.
    #[must_use]
    pub fn is_level(&self) -> bool {
        matches!(self.row.kind.as_str(), "level" | "external")
    }
}

/// The lines of a record.
#[derive(Debug)]
pub struct Picks<'a> {
    /// Least resident memory first.
    pub lines: Vec<Pick<'a>>,
    /// Factors that all have in common.
    pub common: String,
}

impl<'a> Picks<'a> {
    /// The level that the others are held against, if it was measured.
    #[must_use]
    pub fn base(&self) -> Option<&Pick<'a>> {
        self.lines.iter().find(|line| line.row.subject == BASE)
    }

    /// The levels that do their own work, with least in a place first; those without that figure are left out.
    #[must_use]
    pub fn least(&self, at: usize) -> Vec<&Pick<'a>> {
        let mut own: Vec<(&Pick<'a>, f64)> = self
            .lines
            .iter()
            .filter(|line| line.is_level() && !line.whole)
            .filter_map(|line| Some((line, line.median(at)?)))
            .collect();
        own.sort_by(|a, b| a.1.total_cmp(&b.1));
        own.into_iter().map(|(line, _)| line).collect()
    }
}

impl View {
    /// A line for each subject of the scenario `chat`; `None` where that was not measured. Rungs are no subjects to pick.
    #[must_use]
    pub fn picks(&self) -> Option<Picks<'_>> {
        let chat = self.scenario(AT_ONCE[0])?;
        let mut rows = self.usual(chat, "rss", &Figure::at(GROWTH_AT, "proc.rss"));
        rows.retain(|row| row.kind != "rung");
        let labels = self.labels(&rows, "rss");
        let mut lines: Vec<Pick<'_>> =
            rows.iter().zip(labels.names).map(|(row, name)| self.pick(chat, row, name)).collect();
        lines.sort_by(|a, b| a.median(place::RSS).unwrap_or(0.0).total_cmp(&b.median(place::RSS).unwrap_or(0.0)));
        (!lines.is_empty()).then_some(Picks { lines, common: labels.common })
    }

    fn pick<'a>(&'a self, chat: &'a Scenario, row: &'a Row, name: String) -> Pick<'a> {
        let whole = self.shares_work(row);
        // Of several processes, pages that they share count once; of one it is its RSS.
        let memory = |row: &Row, checkpoint: &str| {
            let metric = if whole { "whole.pss" } else { "proc.rss" };
            self.figure(row, "rss", &Figure::at(checkpoint, metric)).copied()
        };
        let held = HELD
            .iter()
            .filter_map(|id| self.scenario(id))
            .find_map(|scenario| self.stands_for(scenario, row, &Figure::at("held@1000", "proc.rss")));
        let at_held = |checkpoint: &str| held.and_then(|row| memory(row, checkpoint));
        let each = if whole { "whole.pss" } else { "proc.rss" };
        let time = |at: usize| {
            let scenario = self.scenario(AT_ONCE[at])?;
            let p50 = Figure::Latency(Percentile::P50);
            self.figure(self.stands_for(scenario, row, &p50)?, "rss", &p50).copied()
        };
        let own = |figure: &Figure| self.figure(row, "rss", figure).copied();
        let counted = |metric: &str| {
            let metric = if whole { metric.replace("heap.", "whole.") } else { metric.to_owned() };
            self.told(chat, row, "count", &Figure::per_request(&metric)).copied()
        };
        Pick {
            row,
            name,
            whole,
            figures: vec![
                memory(row, GROWTH_AT),
                at_held("held@100"),
                at_held("held@1000"),
                held.and_then(|row| self.figure(row, "rss", &Figure::in_flight(each)).copied()),
                own(&Figure::growth(if whole { "whole.anon" } else { "proc.anon" })),
                if whole { None } else { own(&Figure::at(GROWTH_AT, "proc.hwm")) },
                counted("heap.allocs"),
                counted("heap.bytes"),
                time(0),
                time(1),
                time(2),
                time(3),
            ],
        }
    }

    /// The row of the same subject, and of the same protocol where there is a choice, that stands for it in another scenario.
    pub(super) fn stands_for<'a>(&'a self, scenario: &'a Scenario, row: &Row, figure: &Figure) -> Option<&'a Row> {
        let same =
            |other: &Row| other.subject == row.subject && other.factors.get("protocol") == row.factors.get("protocol");
        let shows = |other: &Row| same(other) && self.figure(other, "rss", figure).is_some();
        self.faces(scenario, shows).into_iter().next()?.rows.into_iter().next()
    }
}
