//! What to do, computed from the figures: each recommendation says by which rule it was made and which figures triggered it. Where a rule finds
//! nothing to go by, it says nothing.

use crate::derive::{Figure, SLOPE_AT};
use crate::techniques::{self, Sign};
use crate::units::{Bytes, percent, ratio};
use crate::view::pick::{Pick, Picks, place};
use crate::view::{Row, Scenario, View};

/// How much less memory is worth saying.
const WORTH: f64 = 0.10;
/// How much longer a request may take before thrift is called slow.
const SLOW: f64 = 1.10;
/// The scenario of the rules about one request after another.
const SCENARIO: &str = "chat";

/// A recommendation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recommendation {
    /// For anchors.
    pub id: &'static str,
    /// What to do, names in backticks.
    pub advice: String,
    /// The rule that was applied, with its bounds.
    pub rule: &'static str,
    /// The figures that triggered it.
    pub figures: Vec<String>,
}

/// All that the record gives rise to, the most general first.
#[must_use]
pub fn recommendations(view: &View) -> Vec<Recommendation> {
    let picks = view.picks();
    let mut all: Vec<Recommendation> = Vec::new();
    if let Some(picks) = &picks {
        all.extend([least(picks), in_flight(picks), elsewhere(picks)].into_iter().flatten());
        all.extend(not_worth(picks));
    }
    all.extend([factor(view, &CRYPTO), factor(view, &ALLOCATOR)].into_iter().flatten());
    all.extend(techniques_that_cost(view));
    all.extend(picks.as_ref().and_then(|picks| growing(view, picks)));
    all
}

/// Who wants the least memory without other processes.
fn least(picks: &Picks<'_>) -> Option<Recommendation> {
    let best = *picks.least(place::GROWTH).first()?;
    let base = picks.base()?;
    let (grew, base_grew) = (best.median(place::GROWTH)?, base.median(place::GROWTH)?);
    if best.row.subject == base.row.subject || base_grew <= 0.0 || 1.0 - grew / base_grew < WORTH {
        return None;
    }
    Some(Recommendation {
        id: "least",
        advice: format!(
            "For the least memory in one process, use `{}`: its anonymous memory grows {} less than that of `{}`{}.",
            best.row.subject,
            percent(1.0 - grew / base_grew),
            base.row.subject,
            in_time(best, base)
        ),
        rule: "of the levels that do their own work, the one whose anonymous memory grew least over 20 requests, if that is at least a tenth less than original’s",
        figures: vec![
            beside(best, place::GROWTH, "anon growth"),
            beside(base, place::GROWTH, "anon growth"),
            p50(best),
            p50(base),
        ],
    })
}

/// Who holds many requests.
fn in_flight(picks: &Picks<'_>) -> Option<Recommendation> {
    let ranked = picks.least(place::EACH);
    let (best, base) = (*ranked.first()?, picks.base()?);
    let (each, other) = (best.median(place::EACH)?, base.median(place::EACH)?);
    if best.row.subject == base.row.subject || each <= 0.0 || 1.0 - each / other < WORTH {
        return None;
    }
    Some(Recommendation {
        id: "in-flight",
        advice: format!(
            "For many requests at once, use `{}`: one more in flight takes {} of what it takes with `{}`{}.",
            best.row.subject,
            percent(each / other),
            base.row.subject,
            in_a_crowd(best, base)
        ),
        rule: "of the levels that do their own work, the one with least resident memory for each further request held, if that is at least a tenth less than original’s",
        figures: [best, base]
            .into_iter()
            .flat_map(|line| {
                let crowd = line.text(place::P50_1000).map(|_| beside(line, place::P50_1000, "p50, 1,000 at once"));
                [beside(line, place::EACH, "each in flight"), beside(line, place::HELD_1000, "RSS with 1,000 held")]
                    .into_iter()
                    .chain(crowd)
            })
            .collect(),
    })
}

/// What looks small because others do the work.
fn elsewhere(picks: &Picks<'_>) -> Option<Recommendation> {
    let base = picks.base()?;
    let rss = base.median(place::RSS)?;
    let more: Vec<&Pick<'_>> = picks
        .lines
        .iter()
        .filter(|line| line.is_level() && line.whole && line.median(place::RSS).is_some_and(|whole| whole >= rss))
        .collect();
    let names: Vec<String> = more.iter().map(|line| format!("`{}`", line.row.subject)).collect();
    (!more.is_empty()).then(|| Recommendation {
        id: "elsewhere",
        advice: format!(
            "Use {} to keep a parent small or to give memory back, not to save it: with the processes beside it, it takes more than `{}` alone.",
            names.join(" and "),
            base.row.subject
        ),
        rule: "levels whose work is done by helpers or a proxy, where all of their processes together (PSS) take at least what original takes (RSS)",
        figures: more.iter().map(|line| beside(line, place::RSS, "PSS of all processes")).chain([beside(base, place::RSS, "RSS")]).collect(),
    })
}

/// Levels that cost more than they save.
fn not_worth(picks: &Picks<'_>) -> Vec<Recommendation> {
    let Some(base) = picks.base() else { return Vec::new() };
    let one = |line: &Pick<'_>| {
        let (grew, base_grew) = (line.median(place::GROWTH)?, base.median(place::GROWTH)?);
        let (time, base_time) = (line.median(place::P50)?, base.median(place::P50)?);
        let saves = 1.0 - grew / base_grew.max(1.0) >= WORTH;
        if line.row.subject == base.row.subject || line.whole || !line.is_level() || saves || time <= base_time * SLOW {
            return None;
        }
        Some(Recommendation {
            id: "not-worth",
            advice: format!(
                "Do not take `{}` as it comes to save memory here: it saves none that counts, and a request takes {} as long as with `{}`.",
                line.row.subject,
                ratio(time / base_time),
                base.row.subject
            ),
            rule: "a level that does not save a tenth of original’s growth and takes over a tenth longer for a request",
            figures: vec![
                beside(line, place::GROWTH, "anon growth"),
                beside(base, place::GROWTH, "anon growth"),
                p50(line),
                p50(base),
            ],
        })
    };
    picks.lines.iter().filter_map(one).collect()
}

/// A factor whose two values are held against each other, everything else the same.
struct Choice {
    id: &'static str,
    factor: &'static str,
    /// What is usual, and what else there is.
    values: (&'static str, &'static str),
    rule: &'static str,
}

const CRYPTO: Choice = Choice {
    id: "crypto",
    factor: "crypto",
    values: ("aws-lc", "ring"),
    rule: "the same level, runtime, protocol and allocator with either cryptography: all of at least two pairs differ in the same direction, by a tenth or more, in growth of anonymous memory",
};
const ALLOCATOR: Choice = Choice {
    id: "allocator",
    factor: "allocator",
    values: ("system", "jemalloc"),
    rule: "the same level, runtime, protocol and cryptography with either allocator: all of at least two pairs differ in the same direction, by a tenth or more, in growth of anonymous memory",
};

fn factor(view: &View, choice: &Choice) -> Option<Recommendation> {
    let chat = view.scenario(SCENARIO)?;
    let growth = Figure::growth("proc.anon");
    let mut lines = Vec::new();
    let mut less = Vec::new();
    for row in chat.rows.iter().filter(|row| row.kind == "level" && has(row, choice.factor, choice.values.0)) {
        let Some(other) = counterpart(chat, row, choice) else { continue };
        let (Some(usual), Some(else_)) = (view.figure(row, "rss", &growth), view.figure(other, "rss", &growth)) else {
            continue;
        };
        let share = 1.0 - else_.stats.median / usual.stats.median.max(1.0);
        less.push(share);
        lines.push(format!(
            "{} ({}): {} with {}, {} with {}",
            row.subject,
            ["runtime", "protocol"]
                .into_iter()
                .filter_map(|key| row.factors.get(key))
                .cloned()
                .collect::<Vec<_>>()
                .join(", "),
            usual.median(),
            choice.values.0,
            else_.median(),
            choice.values.1
        ));
    }
    let (low, high) =
        (less.iter().copied().fold(f64::INFINITY, f64::min), less.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    let (better, worse, span) = match (less.len() >= 2, low >= WORTH, high <= -WORTH) {
        (true, true, _) => (choice.values.1, choice.values.0, (low, high)),
        (true, _, true) => {
            (choice.values.0, choice.values.1, (high.abs() / (1.0 + high.abs()), low.abs() / (1.0 + low.abs())))
        }
        _ => return None,
    };
    Some(Recommendation {
        id: choice.id,
        advice: format!(
            "Prefer `{better}` to `{worse}` for memory: growth is {} to {} less.",
            percent(span.0),
            percent(span.1)
        ),
        rule: choice.rule,
        figures: lines,
    })
}

fn has(row: &Row, factor: &str, value: &str) -> bool {
    row.factors.get(factor).is_some_and(|own| own == value) && !row.factors.contains_key("switches")
}

fn counterpart<'a>(scenario: &'a Scenario, row: &Row, choice: &Choice) -> Option<&'a Row> {
    let mut wanted = row.factors.clone();
    wanted.insert(choice.factor.to_owned(), choice.values.1.to_owned());
    scenario.rows.iter().find(|other| other.subject == row.subject && other.factors == wanted)
}

/// Techniques whose cost chance does not explain.
fn techniques_that_cost(view: &View) -> Option<Recommendation> {
    let rows = techniques::ledger(view);
    let mut names: Vec<String> = Vec::new();
    let mut figures = Vec::new();
    // All of them together are no technique that could be left out.
    for row in rows.iter().filter(|row| row.place != techniques::Place::Together) {
        for (effect, measure) in row.effects.iter().zip(techniques::Measure::ALL) {
            let Some(effect) = effect.filter(|effect| effect.sign == Sign::Costs) else { continue };
            // What saves elsewhere is a trade, and no waste.
            if row.effects.iter().flatten().any(|effect| effect.sign == Sign::Saves) {
                continue;
            }
            let name = format!("`{}`", row.technique);
            if !names.contains(&name) {
                names.push(name);
            }
            figures.push(format!(
                "{} of {}, {}: {} {} ({})",
                row.technique,
                row.subject,
                row.place.label(),
                measure.heading(),
                effect.contrast.difference().signed(),
                effect.contrast.range()
            ));
        }
    }
    (!names.is_empty()).then(|| Recommendation {
        id: "techniques",
        advice: match names.as_slice() {
            [one] => format!("Leave out {one}: it costs and saves nothing that was seen."),
            _ => format!("Leave out {}: they cost and save nothing that was seen.", names.join(", ")),
        },
        rule: "a technique with a cost that chance does not explain (Holm, 5 %) in the technique ledger, and without any saving there in the same place",
        figures,
    })
}

/// Levels that did not stop growing.
fn growing(view: &View, picks: &Picks<'_>) -> Option<Recommendation> {
    let mut names = Vec::new();
    let mut figures = Vec::new();
    for scenario in view.scenarios.iter().filter(|scenario| scenario.info.in_flight == 1) {
        for row in view.usual(scenario, "count", &Figure::slope("heap.live")) {
            let Some(slope) = view.figure(row, "count", &Figure::slope("heap.live")) else { continue };
            let is_level = picks.lines.iter().any(|line| line.row.subject == row.subject && line.is_level());
            let grows = slope.stats.min > 0.0 && never_fell(view, row, "heap.live");
            if is_level && grows && !stopped_later(view, scenario, row) {
                let name = format!("`{}`", row.subject);
                if !names.contains(&name) {
                    names.push(name);
                }
                figures.push(format!(
                    "{}, {}: {} of live heap per 1,000 requests",
                    row.subject,
                    scenario.info.id,
                    slope.median().times(1_000)
                ));
            }
        }
    }
    (!names.is_empty()).then(|| Recommendation {
        id: "growing",
        advice: format!("Look for a leak in {} before using it for long.", names.join(", ")),
        rule: "where one request follows another (of several at once the connections come and go), the live heap’s slope, the smaller of two segments, is above zero in every process of the cell, and at no checkpoint is it lower than at one before; nor does it stop in more requests of other work, where these were measured",
        figures,
    })
}

/// Whether the same subject under the same factors has no slope of the live heap in a longer scenario: a pool that two threads fill slowly is full by then.
fn stopped_later(view: &View, scenario: &Scenario, row: &Row) -> bool {
    let last = |scenario: &Scenario| scenario.info.steps.last().copied();
    let longer = view.scenarios.iter().filter(|other| other.info.in_flight == 1 && last(other) > last(scenario));
    let same = longer
        .flat_map(|other| &other.rows)
        .filter(|other| (&other.subject, &other.factors) == (&row.subject, &row.factors));
    let slopes: Vec<_> = same.filter_map(|other| view.figure(other, "count", &Figure::slope("heap.live"))).collect();
    slopes.iter().any(|slope| slope.stats.min <= 0.0)
}

/// Whether a metric, once warm, is at no checkpoint lower than at the one before. What comes and goes with buffers can rise over any two segments by chance.
fn never_fell(view: &View, row: &Row, metric: &str) -> bool {
    let soak = (2..=10).map(|thousand| format!("steady@{thousand}000"));
    let at = SLOPE_AT.iter().map(|name| (*name).to_owned()).chain(soak);
    at.filter_map(|checkpoint| view.figure(row, "count", &Figure::at(&checkpoint, metric)))
        .map(|figure| figure.stats.median)
        .is_sorted()
}

fn beside(line: &Pick<'_>, at: usize, what: &str) -> String {
    format!("{}: {what} {}", line.name, line.text(at).unwrap_or_else(|| "not measured".to_owned()))
}

fn p50(line: &Pick<'_>) -> String {
    beside(line, place::P50, "p50")
}

/// What a crowd takes in time.
fn in_a_crowd(line: &Pick<'_>, base: &Pick<'_>) -> String {
    match (line.median(place::P50_1000), base.median(place::P50_1000)) {
        (Some(own), Some(other)) if other > 0.0 => {
            format!(", and of 1,000 made at once half are answered in {} its time", ratio(own / other))
        }
        _ => String::new(),
    }
}

/// What the thrift costs in time.
fn in_time(line: &Pick<'_>, base: &Pick<'_>) -> String {
    match (line.median(place::P50), base.median(place::P50)) {
        (Some(own), Some(other)) if other > 0.0 => format!(", at {} its time per request", ratio(own / other)),
        _ => String::new(),
    }
}

/// What the old report's target asks: how many levels' growth of resident memory stayed below 8 MB, of how many, and the largest, in words.
#[must_use]
pub fn target(view: &View) -> Option<String> {
    let chat = view.scenario(SCENARIO)?;
    let growth = Figure::growth("proc.rss");
    let rows = view.usual(chat, "rss", &growth);
    let levels: Vec<(&Row, f64)> = rows
        .into_iter()
        .filter(|row| matches!(row.kind.as_str(), "level" | "external"))
        .filter_map(|row| Some((row, view.figure(row, "rss", &growth)?.stats.max)))
        .collect();
    let (largest, most) = levels.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let below = levels.iter().filter(|(_, most)| *most < 8e6).count();
    #[expect(clippy::cast_possible_truncation, reason = "bytes of a process")]
    let most = Bytes(most as i64);
    Some(format!(
        "{below} of {} levels stay below the target of 8 MB growth (resident memory, 20 requests of `{SCENARIO}`); the largest is {most} of `{}`.",
        levels.len(),
        largest.subject
    ))
}
