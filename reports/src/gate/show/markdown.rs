//! The verdict as a pull request's comment: the verdict first, then only what changed, the rest folded.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::culprits::{blamed, culprits, explained};
use super::{
    Context, bytes, change, coverage, difference, failing, family, limit, moved, named, place, runs, smallest, told,
    versions, waiver, what, why,
};
use crate::gate::blame::{Part, same_crate};
use crate::gate::verdict::{Outcome, Row, Side, State, Verdict, count};
use crate::markdown::{cell, code, prose};
use crate::record::Cell;
use crate::view::Labels;

/// By this a comment is found again, to be changed in its place.
pub const TAG: &str = "<!-- plimsoll-gate -->";

/// The most characters of a comment: GitHub takes 65,536.
pub const LIMIT: usize = 65_000;

/// Lines of a list, rows of a table, culprits or differences, a culprit's cells, a difference's parts, before the rest is only counted.
const LINES: usize = 20;
/// The most characters of a list: escaped, a text can be ten times as long.
const LIST: usize = 12_000;
const ROWS: usize = 50;
const CULPRITS: usize = 10;
const CELLS: usize = 6;
const PARTS: usize = 5;

/// The comment. `earlier` says that there is one from an earlier push already: then a pass is one line, so that the thread gets quiet again.
#[must_use]
pub fn comment(verdict: &Verdict, context: &Context, earlier: bool) -> String {
    if earlier && verdict.outcome == Outcome::Pass && verdict.notices.is_empty() {
        return format!("{TAG}\n**Memory: {}** · {}\n", prose(&verdict.headline()), sides(verdict, context));
    }
    shortened(&format!("{TAG}\n"), verdict, context)
}

/// The job's summary: the same, but that it is not found and changed.
#[must_use]
pub fn step_summary(verdict: &Verdict, context: &Context) -> String {
    shortened("", verdict, context)
}

/// The parts in their order, as far as they fit; what always stands is short by itself, and the last but one takes what room is left.
fn shortened(tag: &str, verdict: &Verdict, context: &Context) -> String {
    let mut out = Room { text: format!("{tag}{}", head(verdict, context)), left_out: false };
    let names = Names::of(&told(verdict));
    out.push(&blame(verdict, context, &names));
    out.push(&table(verdict, &names));
    out.push(&reproduce(verdict, context));
    out.push(&by_difference(verdict, context, &names));
    out.push(&how_to_waive(verdict));
    out.push(&dependencies(verdict));
    let method = method(verdict);
    out.push(&all(verdict, out.left().saturating_sub(method.chars().count())));
    out.push(&method);
    if out.left_out {
        out.text.push_str("_Shortened: the job's artifact has all of it._\n");
    }
    out.text
}

/// A comment as long as one may be.
struct Room {
    text: String,
    left_out: bool,
}

impl Room {
    /// Characters that it still takes; some are kept for the lines that say what is left out.
    fn left(&self) -> usize {
        LIMIT.saturating_sub(self.text.chars().count() + 200)
    }

    fn push(&mut self, part: &str) {
        if part.chars().count() > self.left() {
            self.left_out = true;
        } else {
            self.text.push_str(part);
        }
    }
}

fn head(verdict: &Verdict, context: &Context) -> String {
    let mut out = format!("### Memory: {}\n\n{}", prose(&verdict.headline()), sides(verdict, context));
    let counts = counts(verdict);
    if !counts.is_empty() {
        let _ = write!(out, "<br>{counts}");
    }
    out.push_str("\n\n");
    if let Some(why) = &verdict.advisory {
        let _ = writeln!(out, "Advisory: {}.\n", prose(why));
    }
    list(&mut out, verdict.invalid.iter().chain(&verdict.misconfigured));
    list(&mut out, verdict.notices.iter().map(|notice| &notice.text));
    out
}

fn list<'a>(out: &mut String, texts: impl Iterator<Item = &'a String>) {
    let texts: Vec<&String> = texts.collect();
    let (mut said, mut length) = (0, 0);
    for line in texts.iter().take(LINES).map(|text| format!("- {}\n", prose(text))) {
        length += line.chars().count();
        if length > LIST {
            break;
        }
        out.push_str(&line);
        said += 1;
    }
    if texts.len() > said {
        let _ = writeln!(out, "- and {} more", texts.len() - said);
    }
    if !texts.is_empty() {
        out.push('\n');
    }
}

/// Base and head, and the run or the runs that they are of.
fn sides(verdict: &Verdict, context: &Context) -> String {
    let side = |side: &Side| {
        let dirty = if side.dirty { " with uncommitted changes" } else { "" };
        let name = code(named(side));
        match context.link_to_commit(verdict, side) {
            Some(link) => format!("[{name}]({link}){dirty}"),
            None => format!("{name}{dirty}"),
        }
    };
    let runs: Vec<String> = runs(verdict).into_iter().map(code).collect();
    format!("{} → {} · run {}", side(&verdict.base), side(&verdict.head), runs.join(" and "))
}

/// `2 over the limit · 1 improved · 42 pass`: how many rows came to what, the worst first.
fn counts(verdict: &Verdict) -> String {
    let mut states: BTreeMap<State, usize> = BTreeMap::new();
    for row in &verdict.rows {
        *states.entry(row.state).or_default() += 1;
    }
    let name = |state: State| if state == State::Fails { "over the limit" } else { state.name() };
    let counts: Vec<String> = states.into_iter().map(|(state, rows)| format!("{rows} {}", name(state))).collect();
    counts.join(" · ")
}

/// What to call the cells of some rows: by what tells them apart, and what they have in common once.
struct Names<'a> {
    names: BTreeMap<&'a Cell, String>,
    common: String,
}

impl<'a> Names<'a> {
    fn of(rows: &[&'a Row]) -> Self {
        let cells: BTreeSet<&Cell> = rows.iter().map(|row| &row.cell).collect();
        let work: Vec<String> = cells.iter().map(|cell| format!("{} · {}", cell.subject, cell.scenario)).collect();
        let labels =
            Labels::of(&work.iter().zip(&cells).map(|(work, cell)| (work.as_str(), &cell.factors)).collect::<Vec<_>>());
        Self { names: cells.into_iter().zip(labels.names).collect(), common: labels.common }
    }

    /// The cell without its probe, inert.
    fn name(&self, of: &Cell) -> String {
        self.names.get(of).map(|name| cell(name)).unwrap_or_default()
    }

    /// What stands under a table of them.
    fn in_common(&self) -> String {
        if self.common.is_empty() { String::new() } else { format!("\nEach with {}.\n", cell(&self.common)) }
    }
}

/// A cell's name where it is another than in the row above.
struct Once<'a> {
    names: &'a Names<'a>,
    above: Option<&'a Cell>,
}

impl<'a> Once<'a> {
    fn new(names: &'a Names<'a>) -> Self {
        Self { names, above: None }
    }

    fn name(&mut self, of: &'a Cell) -> String {
        if self.above.replace(of) == Some(of) { String::new() } else { self.names.name(of) }
    }
}

fn table(verdict: &Verdict, names: &Names<'_>) -> String {
    let rows = told(verdict);
    if rows.is_empty() {
        return String::new();
    }
    let mut out =
        "| | cell | figure | base → head | difference | limit | probe |\n|---|---|---|---:|---:|---:|---|\n".to_owned();
    let mut once = Once::new(names);
    for row in rows.iter().take(ROWS) {
        let state = row.state.name();
        let state = if row.state.fails() { format!("**{state}**") } else { state.to_owned() };
        let (place, figure) = (once.name(&row.cell), cell(&what(row)));
        let note = why(row).map(|why| format!("<br>{}", cell(&why))).unwrap_or_default();
        let _ = writeln!(
            out,
            "| {state} | {place} | {figure}{note} | {} | {} | {} | {} |",
            change(row),
            difference(row),
            limit(row),
            cell(&row.cell.probe)
        );
    }
    out.push_str(&names.in_common());
    if rows.len() > ROWS {
        let _ = writeln!(out, "\n_and {} more; the job's artifact has them._", rows.len() - ROWS);
    }
    out.push('\n');
    out
}

/// The functions behind the failing rows: what each moves, and in which cells.
fn blame(verdict: &Verdict, context: &Context, names: &Names<'_>) -> String {
    let all = culprits(verdict);
    let Some(explained) = explained(verdict) else { return String::new() };
    let begins = if all.is_empty() { " cannot be said" } else { "" };
    let mut out = format!("**Where it comes from**{begins}: {}.\n\n", cell(&explained));
    for culprit in all.iter().take(CULPRITS) {
        let (cells, amounts) = (culprit.cells(), culprit.amounts());
        let amounts: Vec<String> = amounts.iter().map(|amount| cell(amount)).collect();
        let mut places: Vec<String> = cells.iter().take(CELLS).map(|cell| names.name(cell)).collect();
        if cells.len() > CELLS {
            places.push(format!("{} more", cells.len() - CELLS));
        }
        let (name, at) = (code(&culprit.part.name), linked(verdict, context, culprit.part));
        let _ = writeln!(out, "- {name}{at}<br>{}<br>in {}", amounts.join(", "), places.join(", "));
    }
    if all.len() > CULPRITS {
        let _ = writeln!(out, "- and {} more", all.len() - CULPRITS);
    }
    if !all.is_empty() {
        out.push('\n');
    }
    out
}

/// Each difference and its parts, folded.
fn by_difference(verdict: &Verdict, context: &Context, names: &Names<'_>) -> String {
    let blamed: Vec<_> = blamed(verdict).collect();
    if blamed.is_empty() {
        return String::new();
    }
    let mut out = "<details><summary>Each difference in its parts</summary>\n\n".to_owned();
    for (row, blame) in blamed.iter().take(CULPRITS) {
        let coverage = coverage(row).unwrap_or_default();
        let _ = writeln!(out, "**{}, {}**: {}\n", names.name(&row.cell), cell(&what(row)), cell(&coverage));
        for part in blame.parts.iter().take(PARTS) {
            let _ =
                writeln!(out, "- {} {}{}", part.difference.signed(), code(&part.name), linked(verdict, context, part));
        }
        if blame.parts.len() > PARTS {
            let _ = writeln!(out, "- and {} more", blame.parts.len() - PARTS);
        }
        out.push('\n');
    }
    if blamed.len() > CULPRITS {
        let _ = writeln!(out, "_and {} more; the job's artifact has them._\n", blamed.len() - CULPRITS);
    }
    out.push_str("</details>\n\n");
    out
}

/// ` at file:line`, linked to the head's blob where one is known.
fn linked(verdict: &Verdict, context: &Context, part: &Part) -> String {
    let (Some(file), Some(place)) = (&part.file, place(part)) else { return String::new() };
    match context.link(verdict, file, part.line) {
        // Encoded, so that no bracket of a path ends the link.
        Some(link) => format!(" at [{}]({link})", cell(&place)),
        None => format!(" at {}", code(&place)),
    }
}

fn reproduce(verdict: &Verdict, context: &Context) -> String {
    let Some(row) = failing(verdict).next() else { return String::new() };
    let cells = failing(verdict).map(|row| &row.cell).collect::<BTreeSet<_>>().len();
    let which = if cells > 1 { format!(" the first of {cells} cells; without `--only`, all") } else { String::new() };
    format!("Reproduce{which}:\n\n{}\n", fenced("sh", &context.reproduce(verdict, row)))
}

fn how_to_waive(verdict: &Verdict) -> String {
    let waivers: Vec<String> = failing(verdict).map(|row| waiver(verdict, row)).collect();
    if waivers.is_empty() {
        return String::new();
    }
    let first = waivers.iter().take(CULPRITS).cloned().collect::<Vec<_>>().join("\n");
    let more = waivers.len().saturating_sub(CULPRITS);
    let more = if more > 0 { format!("_and {more} more of that form._\n\n") } else { String::new() };
    format!(
        "<details><summary>How to let it pass on purpose</summary>\n\nIn the base's `plimsoll.toml`, from where waivers are read, for each figure:\n\n{}\n{more}</details>\n\n",
        fenced("toml", &first)
    )
}

/// Crates whose version changed, beside what each asks for.
fn dependencies(verdict: &Verdict) -> String {
    if verdict.lockfile.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "<details><summary>Cargo.lock: {} of other versions</summary>\n\n| crate | base → head | bytes per request, profiled |\n|---|---|---:|\n",
        count(verdict.lockfile.len(), "crate")
    );
    for change in verdict.lockfile.iter().take(ROWS) {
        let _ = writeln!(out, "| {} | {} | {} |", cell(&change.name), cell(&versions(change)), bytes(verdict, change));
    }
    if verdict.lockfile.len() > ROWS {
        let _ = writeln!(out, "\n_and {} more._", verdict.lockfile.len() - ROWS);
    }
    let named = |krate: &str| verdict.lockfile.iter().any(|change| same_crate(&change.name, krate));
    let others: Vec<_> = verdict.crates.iter().filter(|row| !named(&row.krate)).take(ROWS).collect();
    if !others.is_empty() {
        out.push_str(
            "\nOther crates whose bytes per request moved:\n\n| crate | bytes per request, profiled |\n|---|---:|\n",
        );
        for row in others {
            let _ = writeln!(out, "| {} | {} |", cell(&row.krate), moved(row.base, row.head));
        }
    }
    out.push_str("\n</details>\n\n");
    out
}

/// Every row, as many as fit in `room` characters.
fn all(verdict: &Verdict, room: usize) -> String {
    if verdict.rows.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "<details><summary>All of {}, and the smallest change that would have been seen</summary>\n\n\
         | cell | probe | figure | rule | base → head | difference | limit | smallest change seen | |\n|---|---|---|---|---:|---:|---:|---:|---|\n",
        count(verdict.rows.len(), "figure")
    );
    let names = Names::of(&verdict.rows.iter().collect::<Vec<_>>());
    let mut once = Once::new(&names);
    // Its last lines come after it is full.
    let mut length = out.chars().count() + names.in_common().chars().count() + 100;
    for (at, row) in verdict.rows.iter().enumerate() {
        let line = format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
            once.name(&row.cell),
            cell(&row.cell.probe),
            cell(&what(row)),
            row.rule.name(),
            change(row),
            difference(row),
            limit(row),
            smallest(row),
            row.state.name()
        );
        length += line.chars().count();
        if length > room {
            let _ = writeln!(
                out,
                "\n_{} more do not fit a comment; the job's artifact has them._",
                verdict.rows.len() - at
            );
            break;
        }
        out.push_str(&line);
    }
    out.push_str(&names.in_common());
    out.push_str("\n</details>\n\n");
    out
}

fn method(verdict: &Verdict) -> String {
    let noisy = family(verdict).map(|family| format!(" {}", cell(&family))).unwrap_or_default();
    format!(
        "<details><summary>How it is judged</summary>\n\nExact figures are the same in every process of a side: any increase counts, \
             and a failing cell is run once more first.{noisy}\n\n</details>\n"
    )
}

/// A block of code, fenced by more backticks than stand in it.
fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{text}{fence}\n")
}
