//! What is compared of a cell.

use crate::derive::{CellFigures, Figure, GROWTH_AT, Percentile};
use crate::units::Quantity;

/// A figure that is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The figure.
    pub figure: Figure,
    /// Its name in words.
    pub heading: &'static str,
    /// Multiplied by this: 1,000 for slopes per 1,000 requests.
    times: u32,
    /// Whether bytes are written in full.
    in_full: bool,
}

impl Asked {
    fn new(heading: &'static str, figure: Figure) -> Self {
        Self { figure, heading, times: 1, in_full: false }
    }

    /// A value of the figure as it is written.
    #[must_use]
    pub fn text(&self, value: Quantity) -> String {
        let value = value.times(self.times);
        if self.in_full { value.in_full() } else { value.to_string() }
    }

    /// The same with a sign even when it is above zero.
    #[must_use]
    pub fn signed(&self, value: Quantity) -> String {
        let text = self.text(value);
        if value.value() > 0.0 { format!("+{text}") } else { text }
    }
}

/// The figures of a cell that are compared where both sides have them: the main ones of each probe.
pub(super) fn of(cell: &CellFigures) -> Vec<Asked> {
    let new = Asked::new;
    let mut all = vec![
        new("anonymous growth", Figure::growth("proc.anon")),
        new("RSS growth", Figure::growth("proc.rss")),
        new("RSS at start", Figure::at("start", "proc.rss")),
        new("peak RSS", Figure::at(GROWTH_AT, "proc.hwm")),
        new("anonymous growth with helpers and proxy", Figure::growth("whole.anon")),
        new("PSS with helpers and proxy", Figure::at(GROWTH_AT, "whole.pss")),
        new("anonymous left when dropped", Figure::residue("proc.anon")),
        new("anonymous per request in flight", Figure::in_flight("proc.anon")),
        new("RSS per request in flight", Figure::in_flight("proc.rss")),
        new("kernel memory per request in flight", Figure::in_flight("cgroup.kernel")),
        new("RSS with 1,000 held", Figure::at("held@1000", "proc.rss")),
        new("time per request, p50", Figure::Latency(Percentile::P50)),
        new("time per request, p99", Figure::Latency(Percentile::P99)),
        new("allocations per request", Figure::per_request("heap.allocs")),
        Asked { in_full: true, ..new("bytes per request", Figure::per_request("heap.bytes")) },
        Asked { times: 1_000, ..new("live heap that 1,000 requests leave", Figure::slope("heap.live")) },
        new("peak heap", Figure::at(GROWTH_AT, "heap.peak")),
        new("live heap per request in flight", Figure::in_flight("heap.live")),
        new("allocated from jemalloc", Figure::at(GROWTH_AT, "jemalloc.allocated")),
    ];
    // Who asks nothing is read when it is made.
    if !cell.checkpoints.iter().any(|name| name == GROWTH_AT) {
        all.push(new("anonymous when made", Figure::since("client", "proc.anon")));
        all.push(new("RSS when made", Figure::since("client", "proc.rss")));
        all.push(new("allocations until made", Figure::at("client", "heap.allocs")));
        all.push(new("live heap when made", Figure::since("client", "heap.live")));
    }
    all
}
