//! What a component costs: the old report's five claims, each answered by the difference between two rungs of the ladder.

use super::{Claim, MB, claim_of, within};
use crate::ladder::{self, Height};
use crate::view::View;

/// A claim about a component.
pub(super) struct Component {
    id: &'static str,
    claim: &'static str,
    why: &'static str,
    /// What was claimed, MB.
    mb: (f64, f64),
    spans: &'static [Span],
}

/// Two rungs between which the component lies.
struct Span {
    name: &'static str,
    rung: &'static str,
    below: &'static str,
    scenario: &'static str,
}

const fn span(name: &'static str, rung: &'static str, below: &'static str, scenario: &'static str) -> Span {
    Span { name, rung, below, scenario }
}

pub(super) const TLS: Component = Component {
    id: "tls-cost",
    claim: "TLS costs 2–3 MB",
    why: "proc.rss of the same requests over TLS (roots, configuration, handshake) less that without, at 20 requests; within a fifth",
    mb: (2.0, 3.0),
    spans: &[span("AWS-LC", "tls-aws-lc", "http", "chat"), span("ring", "tls-ring", "http", "chat")],
};

pub(super) const REQWEST: Component = Component {
    id: "reqwest-cost",
    claim: "reqwest costs ~2 MB",
    why: "proc.rss of the same requests by reqwest less that of HTTP/1.1 by hand over the same TLS, at 20 requests; within a fifth",
    mb: (2.0, 2.0),
    spans: &[span("HTTP/1.1", "reqwest", "tls-aws-lc", "chat")],
};

pub(super) const JSON: Component = Component {
    id: "json-cost",
    claim: "JSON costs 1–2 MB",
    why: "proc.rss with each answer read into a serde_json::Value, the last one kept, less that without, at 20 requests; within a fifth",
    mb: (1.0, 2.0),
    spans: &[span("bodies of 2 KB", "json", "reqwest", "chat"), span("bodies of 64 KB", "json", "reqwest", "large")],
};

pub(super) const TOKIO: Component = Component {
    id: "tokio-cost",
    claim: "tokio costs ~1 MB",
    why: "proc.rss of an empty program with a runtime less that without; within a fifth",
    mb: (1.0, 1.0),
    spans: &[
        span("one thread", "tokio", "main", "client"),
        span("its scheduler for more", "tokio-multi", "main", "client"),
    ],
};

pub(super) const DNS: Component = Component {
    id: "dns-cost",
    claim: "libc and DNS cost ~1 MB",
    why: "proc.rss with one call of getaddrinfo less that without (the C library itself is there before start, and in no growth); within a fifth",
    mb: (1.0, 1.0),
    spans: &[span("getaddrinfo", "dns", "tokio-multi", "client")],
};

/// The claim, with a line for each pair of rungs and runtime that the record has.
pub(super) fn claim(view: &View, component: &Component) -> Claim {
    let (mut lines, mut results) = (Vec::new(), Vec::new());
    for Span { name, rung, below, scenario } in component.spans {
        let mut told: Vec<String> = Vec::new();
        for runtime in ladder::runtimes(view) {
            let beyond = |height| ladder::beyond(view, rung, below, scenario, runtime, height);
            let Some(rss) = beyond(Height::Rss) else { continue };
            let anon = beyond(Height::Anon).map_or_else(String::new, |anon| {
                format!("; anonymous {} ({})", anon.difference().signed(), anon.range())
            });
            let figures = format!("{} ({}){anon}", rss.difference().signed(), rss.range());
            // Rungs without a choice of runtime are the same on every ladder.
            if told.contains(&figures) {
                continue;
            }
            let place = if runtime.is_empty() { String::new() } else { format!(", {runtime}") };
            lines.push(format!("{name}{place}: {figures}"));
            results.push(within(rss.difference().value(), (component.mb.0 * MB, component.mb.1 * MB)));
            told.push(figures);
        }
    }
    claim_of(component.id, component.claim, component.why, lines, &results)
}
