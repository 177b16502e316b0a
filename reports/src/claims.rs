//! The claims of the hand-written report that this one replaces, each with what was measured and a verdict.
//!
//! - `component`: the five that say what a component costs, answered by the ladder
//!
//! They are about the levels as they come: cells whose techniques were set one by one enter none, and two levels are held against each
//! other on the same allocator. A claim that the record cannot answer is `not measured`, never a guess. Claimed figures are quoted in MB as
//! they were written, and taken as 10^6 bytes; a figure holds when the measured one is within a fifth of it.

mod component;

use std::collections::{BTreeMap, BTreeSet};

use crate::derive::{Figure, GROWTH_AT, Measured};
use crate::ladder;
use crate::units::{Bytes, Quantity, percent};
use crate::view::{Row, Scenario, View};

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every measured figure agrees.
    Holds,
    /// Some do.
    Partly,
    /// None does.
    Fails,
    /// The record does not hold what it takes.
    NotMeasured,
}

impl Verdict {
    /// Its name as it stands in a report.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Partly => "holds in part",
            Self::Fails => "does not hold",
            Self::NotMeasured => "not measured",
        }
    }
}

/// A row of the ledger of claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its name, for anchors.
    pub id: &'static str,
    /// The claim, quoted.
    pub claim: &'static str,
    /// What was measured, one line for each condition; empty when nothing was.
    pub measured: Vec<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// Which figure answers it, and by what rule.
    pub why: &'static str,
}

/// The claims about what a component costs, by their names.
pub const COMPONENTS: [&str; 5] = ["tls-cost", "reqwest-cost", "json-cost", "tokio-cost", "dns-cost"];

/// All claims, in the order of the old report.
#[must_use]
pub fn ledger(view: &View) -> Vec<Claim> {
    let v = Ledger::new(view);
    vec![
        v.growth("original-growth", "original provider: ~16 MB growth over 20 requests", "original", (16.0, 16.0)),
        v.growth("optimized-growth", "optimized: ~12 MB", "optimized", (12.0, 12.0)),
        v.saving_share("optimized-saving", "optimized: 25 % less than original", "optimized", (0.25, 0.25)),
        v.growth("ultra-growth", "ultra-optimized: 8–10 MB", "ultra", (8.0, 10.0)),
        v.saving_share("ultra-saving", "ultra-optimized: 40–50 % less than original", "ultra", (0.40, 0.50)),
        v.minimum(),
        v.target(),
        v.python(),
        component::claim(view, &component::TLS),
        component::claim(view, &component::REQWEST),
        component::claim(view, &component::JSON),
        if ladder::is_rung(view, "tokio") { component::claim(view, &component::TOKIO) } else { v.tokio() },
        component::claim(view, &component::DNS),
        v.no_allocations(),
        v.recycling(),
        v.concurrency(),
        not("features", "all features retained", "a matter of the providers' own tests, which a run does not repeat"),
        v.saving("libcurl-saving", "libcurl would save 2–3 MB", "libcurl", (2.0, 3.0)),
        v.saving("own-http-saving", "own HTTP would save 3–4 MB", "bare", (3.0, 4.0)),
        v.isolation(),
        v.saving(
            "proxy-saving",
            "a proxy removes TLS from the process (2–3 MB by the claim above)",
            "proxied",
            (2.0, 3.0),
        ),
        v.alert(),
    ]
}

/// How many hold, in a sentence.
#[must_use]
pub fn told(rows: &[Claim]) -> String {
    let of = |verdict: Verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    format!(
        "Of the old report’s {} claims {} hold, {} hold in part and {} do not; not measured here: {}.",
        rows.len(),
        of(Verdict::Holds),
        of(Verdict::Partly),
        of(Verdict::Fails),
        of(Verdict::NotMeasured)
    )
}

/// The scenarios that the old report's claims are about: 20 requests one after another, and 20 at once.
const SCENARIOS: [&str; 2] = ["chat", "chat-20x"];
const GROWTH: &str = "growth of proc.rss, steady@20 − start, within a fifth of the figure";
const MB: f64 = 1e6;
const NEAR: f64 = 0.2;

struct Ledger<'a> {
    view: &'a View,
    /// The factors by which the rows differ, which have to be said beside each figure.
    varying: Vec<&'a str>,
}

/// A measured figure and the conditions it was measured under.
struct Found {
    place: String,
    measured: Measured,
}

impl<'a> Ledger<'a> {
    fn new(view: &'a View) -> Self {
        let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let scenarios = SCENARIOS.iter().filter_map(|id| view.scenario(id));
        for (key, value) in scenarios.flat_map(as_they_come).flat_map(|row| &row.factors) {
            values.entry(key).or_default().insert(value);
        }
        let varies = |(key, values): (&'a str, BTreeSet<&str>)| (values.len() > 1).then_some(key);
        Self { view, varying: values.into_iter().filter_map(varies).collect() }
    }

    /// The conditions of a row in short: `chat, multi_thread`.
    fn place(&self, scenario: &str, row: &Row) -> String {
        let values = self.varying.iter().filter_map(|key| row.factors.get(*key));
        values.fold(scenario.to_owned(), |place, value| format!("{place}, {value}"))
    }

    fn growth(&self, id: &'static str, claim: &'static str, subject: &str, mb: (f64, f64)) -> Claim {
        let found = self.find(subject, "rss", &Figure::growth("proc.rss"));
        let inside = |m: &Measured| within(m.stats.median, (mb.0 * MB, mb.1 * MB));
        judge(id, claim, GROWTH, &found, inside)
    }

    fn saving_share(&self, id: &'static str, claim: &'static str, subject: &str, share: (f64, f64)) -> Claim {
        let mut lines = Vec::new();
        let mut results = Vec::new();
        for (place, ours, base) in self.pairs(subject) {
            if let Some(ratio) = ours.median().ratio(base.median()) {
                let saved = 1.0 - ratio;
                let text =
                    if saved >= 0.0 { format!("{} less", percent(saved)) } else { format!("{} more", percent(-saved)) };
                lines.push(format!("{place}: {text} ({} against {})", ours.median(), base.median()));
                results.push(within(saved, share));
            }
        }
        claim_of(
            id,
            claim,
            "share of original's growth of proc.rss that is saved, within a fifth of the claimed share",
            lines,
            &results,
        )
    }

    fn saving(&self, id: &'static str, claim: &'static str, subject: &str, mb: (f64, f64)) -> Claim {
        let mut lines = Vec::new();
        let mut results = Vec::new();
        for (place, ours, base) in self.pairs(subject) {
            if let Some(saved) = base.median().minus(ours.median()) {
                lines.push(format!("{place}: {saved} ({} against {} of original)", ours.median(), base.median()));
                results.push(within(saved.value(), (mb.0 * MB, mb.1 * MB)));
            }
        }
        claim_of(
            id,
            claim,
            "original's growth of proc.rss less this level's, within a fifth of the figure",
            lines,
            &results,
        )
    }

    fn minimum(&self) -> Claim {
        let (id, claim) = ("near-minimum", "ultra-optimized is near the theoretical minimum");
        let why =
            "growth of proc.anon against the least that any other level of this run reached; near is within a fifth";
        let mut lines = Vec::new();
        let mut results = Vec::new();
        for scenario in self.scenarios() {
            for ultra in as_they_come(scenario).filter(|row| row.subject == "ultra") {
                let figure = Figure::growth("proc.anon");
                let others = as_they_come(scenario)
                    .filter(|row| row.kind == "level" && row.subject != "ultra" && same_conditions(row, ultra))
                    .filter(|row| !self.view.shares_work(row));
                let least = others
                    .filter_map(|row| Some((row, self.view.figure(row, "rss", &figure)?)))
                    .min_by(|a, b| a.1.stats.median.total_cmp(&b.1.stats.median));
                let (Some(ours), Some((row, least))) = (self.view.figure(ultra, "rss", &figure), least) else {
                    continue;
                };
                let place = self.place(&scenario.info.id, ultra);
                lines.push(format!("{place}: {} against {} of {}", ours.median(), least.median(), row.subject));
                results.push(ours.stats.median <= least.stats.median * (1.0 + NEAR));
            }
        }
        claim_of(id, claim, why, lines, &results)
    }

    fn target(&self) -> Claim {
        let mut found = Vec::new();
        for subject in self.levels() {
            found.extend(self.find_named(&subject, "rss", &Figure::growth("proc.rss")));
        }
        judge("target", "target: below 8 MB growth", "growth of proc.rss of every level, below 8 MB", &found, |m| {
            m.stats.max < 8.0 * MB
        })
    }

    fn python(&self) -> Claim {
        let (id, claim) = ("python", "a Python baseline grows from 26.09 to 39.75 MB (+13.66)");
        let why = "proc.rss with everything imported (runtime) and at steady@20, because 26.09 MB is a Python with its libraries in it; growth within a \
                   fifth, of `httpx-each` (a client of httpx for each request) where that was measured, else of `python` (http.client)";
        let measured = |subject: &str| !self.find(subject, "rss", &Figure::growth("proc.rss")).is_empty();
        let judged = if measured("httpx-each") { "httpx-each" } else { "python" };
        let mut lines = Vec::new();
        let mut results = Vec::new();
        for subject in ["httpx-each", "httpx", "python"] {
            let rows = self.scenarios().flat_map(|s| as_they_come(s).map(move |row| (s, row)));
            for (scenario, row) in rows.filter(|(_, row)| row.subject == subject) {
                let at = |name: &str| Some(self.view.figure(row, "rss", &Figure::at(name, "proc.rss"))?.median());
                let (Some(start), Some(from), Some(to)) = (at("start"), at("runtime"), at(GROWTH_AT)) else { continue };
                let Some(growth) = to.minus(from) else { continue };
                let place = self.place(&scenario.info.id, row);
                lines.push(format!(
                    "{subject}, {place}: {from} → {to} ({}); {start} before its imports",
                    growth.signed()
                ));
                if subject == judged {
                    results.push(within(growth.value(), (13.66 * MB, 13.66 * MB)));
                }
            }
        }
        // What stands beside the client that is judged says nothing without it.
        let lines = if results.is_empty() { Vec::new() } else { lines };
        claim_of(id, claim, why, lines, &results)
    }

    fn tokio(&self) -> Claim {
        let (id, claim) = ("tokio-cost", "tokio costs ~1 MB");
        let why = "proc.rss of original at runtime minus at start, medians: what bringing the runtime up took; within a fifth";
        let mut lines = Vec::new();
        let mut results = Vec::new();
        for scenario in self.scenarios() {
            for row in as_they_come(scenario).filter(|row| row.subject == "original") {
                let at = |name: &str| self.view.figure(row, "rss", &Figure::at(name, "proc.rss"));
                let (Some(start), Some(runtime)) = (at("start"), at("runtime")) else { continue };
                if let Some(cost) = runtime.median().minus(start.median()) {
                    lines.push(format!("{}: {cost}", self.place(&scenario.info.id, row)));
                    results.push(within(cost.value(), (MB, MB)));
                }
            }
        }
        claim_of(id, claim, why, lines, &results)
    }

    fn no_allocations(&self) -> Claim {
        let mut found = Vec::new();
        for subject in self.levels() {
            found.extend(self.find_named(&subject, "count", &Figure::per_request("heap.allocs")));
        }
        let why = "heap.allocs per request between the 64th and the 128th, Rust and C: zero or not";
        judge("zero-allocations", "zero allocations after warmup", why, &found, |m| m.stats.max == 0.0)
    }

    fn recycling(&self) -> Claim {
        let mut found = Vec::new();
        for subject in ["optimized", "ultra"] {
            found.extend(self.find_named(subject, "count", &Figure::slope("heap.live")));
        }
        let why = "what is recycled does not pile up: slope of heap.live per request over requests 64 to 256 is not above zero";
        judge("recycling", "automatic recycling", why, &found, |m| m.stats.median <= 0.0)
    }

    fn concurrency(&self) -> Claim {
        let mut found = Vec::new();
        for scenario in self.view.scenarios.iter().filter(|scenario| scenario.info.in_flight >= 1_000) {
            for row in as_they_come(scenario).filter(|row| row.subject == "ultra") {
                let cell = self.view.cell(row, "rss");
                if let Some(cell) = cell.filter(|cell| cell.ok > 0 || !cell.failures.is_empty()) {
                    let all = u64::from(cell.ok) + cell.failures.len() as u64;
                    let line = format!(
                        "{}: {} of {all} samples answered every request",
                        self.place(&scenario.info.id, row),
                        cell.ok
                    );
                    found.push((line, cell.failures.is_empty()));
                }
            }
        }
        let (lines, results): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let why = "a scenario with 1,000 or more requests in flight, every answer right";
        claim_of("concurrency", "can handle 1000+ concurrent requests", why, lines, &results)
    }

    fn isolation(&self) -> Claim {
        let found = self.find("isolated", "rss", &Figure::at(GROWTH_AT, "proc.hwm"));
        let why = "proc.hwm of the parent up to steady@20, helpers not included";
        judge("isolation", "process isolation keeps the parent below 8 MB", why, &found, |m| m.stats.max < 8.0 * MB)
    }

    fn alert(&self) -> Claim {
        let (id, claim) = ("alert", "alert when growth is above 10 MB");
        let mut largest: Option<(String, Measured)> = None;
        for subject in self.levels() {
            for found in self.find_named(&subject, "rss", &Figure::growth("proc.rss")) {
                if largest.as_ref().is_none_or(|(_, m)| m.stats.max < found.measured.stats.max) {
                    largest = Some((found.place, found.measured));
                }
            }
        }
        let lines = largest.iter().map(|(place, m)| format!("largest, {place}: {}", m.max())).collect();
        // An alert is of use when healthy levels stay below it, and near enough that something is noticed: within a factor of two.
        let results: Vec<bool> =
            largest.iter().map(|(_, m)| m.stats.max < 10.0 * MB && m.stats.max * 2.0 > 10.0 * MB).collect();
        let why = "of use when the largest healthy growth is below 10 MB and above half of it; lower, the alert would sleep through a doubling";
        claim_of(id, claim, why, lines, &results)
    }

    fn scenarios(&self) -> impl Iterator<Item = &Scenario> {
        SCENARIOS.into_iter().filter_map(|id| self.view.scenario(id))
    }

    fn levels(&self) -> Vec<String> {
        let subjects = self.view.record.plan.subjects.iter();
        subjects.filter(|subject| subject.kind == "level").map(|subject| subject.id.clone()).collect()
    }

    fn find(&self, subject: &str, probe: &str, figure: &Figure) -> Vec<Found> {
        let mut found = Vec::new();
        for scenario in self.scenarios() {
            for row in as_they_come(scenario).filter(|row| row.subject == subject) {
                if let Some(measured) = self.view.figure(row, probe, figure) {
                    found.push(Found { place: self.place(&scenario.info.id, row), measured: *measured });
                }
            }
        }
        found
    }

    fn find_named(&self, subject: &str, probe: &str, figure: &Figure) -> Vec<Found> {
        let mut found = self.find(subject, probe, figure);
        for one in &mut found {
            one.place = format!("{subject}, {}", one.place);
        }
        found
    }

    /// A level's growth and original's under the same conditions.
    fn pairs(&self, subject: &str) -> Vec<(String, Measured, Measured)> {
        let figure = Figure::growth("proc.rss");
        let mut pairs = Vec::new();
        for scenario in self.scenarios() {
            for row in as_they_come(scenario).filter(|row| row.subject == subject) {
                let base = as_they_come(scenario).find(|base| base.subject == "original" && same_conditions(base, row));
                let (Some(ours), Some(base)) = (
                    self.view.figure(row, "rss", &figure),
                    base.and_then(|base| self.view.figure(base, "rss", &figure)),
                ) else {
                    continue;
                };
                pairs.push((self.place(&scenario.info.id, row), *ours, *base));
            }
        }
        pairs
    }
}

/// The rows of a scenario that stand for their subjects as they come.
fn as_they_come(scenario: &Scenario) -> impl Iterator<Item = &Row> {
    scenario.rows.iter().filter(|row| !row.is_special())
}

fn same_conditions(a: &Row, b: &Row) -> bool {
    ["runtime", "protocol", "crypto", "allocator"].iter().all(|key| a.factors.get(*key) == b.factors.get(*key))
}

fn judge(
    id: &'static str,
    claim: &'static str,
    why: &'static str,
    found: &[Found],
    holds: impl Fn(&Measured) -> bool,
) -> Claim {
    let line = |found: &Found| {
        let Measured { stats, .. } = &found.measured;
        let quantity = |value: f64| Quantity::new(value, found.measured.unit).unwrap_or(Bytes(0).into());
        let (low, high) = (quantity(stats.min).to_string(), quantity(stats.max).to_string());
        let range = if low == high { String::new() } else { format!(" ({low} to {high})") };
        format!("{}: {}{range}", found.place, found.measured.median())
    };
    let results: Vec<bool> = found.iter().map(|found| holds(&found.measured)).collect();
    claim_of(id, claim, why, found.iter().map(line).collect(), &results)
}

fn claim_of(
    id: &'static str,
    claim: &'static str,
    why: &'static str,
    measured: Vec<String>,
    results: &[bool],
) -> Claim {
    let verdict = match (results.iter().filter(|holds| **holds).count(), results.len()) {
        (_, 0) => Verdict::NotMeasured,
        (0, _) => Verdict::Fails,
        (n, all) if n == all => Verdict::Holds,
        _ => Verdict::Partly,
    };
    Claim { id, claim, measured, verdict, why }
}

fn not(id: &'static str, claim: &'static str, why: &'static str) -> Claim {
    claim_of(id, claim, why, Vec::new(), &[])
}

fn within(value: f64, (low, high): (f64, f64)) -> bool {
    value >= low * (1.0 - NEAR) && value <= high * (1.0 + NEAR)
}
