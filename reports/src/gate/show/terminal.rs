//! What ends `plimsoll gate` in a terminal: the verdict first, then what changed, then what to do.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use super::culprits::{culprits, explained};
use super::{
    Context, bytes, change, coverage, difference, failing, family, limit, named, place, runs, smallest, told, versions,
    waiver, what, why,
};
use crate::cell::name;
use crate::gate::verdict::{Outcome, Row, Side, Verdict};
use crate::terminal::{Paint, push_wrapped};

/// Culprits, cells of a culprit and parts of a difference that are told.
const CULPRITS: usize = 10;
const CELLS: usize = 6;
const PARTS: usize = 5;
/// Crates of other versions that are told.
const CRATES: usize = 20;

/// The verdict for a terminal of `width` columns (unlimited if `None`), with ANSI colours if `colour`. `everything` shows the rows that passed
/// as well, with the smallest change that would have been seen in each, and each difference in its parts.
#[must_use]
pub fn terminal(verdict: &Verdict, context: &Context, width: Option<u16>, colour: bool, everything: bool) -> String {
    let paint = Paint { colour };
    let mut out = String::new();
    let headline = verdict.headline();
    push_wrapped(&mut out, &headline, width, |text| match verdict.outcome {
        Outcome::Pass => paint.good(text),
        Outcome::Undecided | Outcome::Unfinished => paint.bold(text),
        Outcome::Fail | Outcome::Misconfigured | Outcome::Invalid => paint.bad(text),
    });
    let runs = runs(verdict).join(" and ");
    let sides = format!("base {} → head {} (run {runs})", side(&verdict.base), side(&verdict.head));
    push_wrapped(&mut out, &sides, width, |text| paint.dim(text));
    if let Some(why) = &verdict.advisory {
        push_wrapped(&mut out, &format!("advisory: {why}"), width, str::to_owned);
    }
    let said = verdict.invalid.iter().chain(&verdict.misconfigured);
    for text in said.chain(verdict.notices.iter().map(|notice| &notice.text)) {
        push_wrapped(&mut out, &format!("  {text}"), width, str::to_owned);
    }
    let rows: Vec<&Row> = if everything { verdict.rows.iter().collect() } else { told(verdict) };
    if !rows.is_empty() {
        out.push('\n');
        out.push_str(&table(&rows, &paint, everything));
    }
    for row in &rows {
        if let Some(why) = why(row) {
            let line = format!("  {}, {}: {why}", name(&row.cell), what(row));
            push_wrapped(&mut out, &line, width, |text| paint.dim(text));
        }
    }
    push_culprits(&mut out, verdict, width, &paint);
    for row in failing(verdict).filter(|_| everything) {
        push_blame(&mut out, row, width, &paint);
    }
    push_dependencies(&mut out, verdict, width, &paint);
    if let Some(row) = failing(verdict).next() {
        out.push_str(&format!("\n{}\n", paint.bold("reproduce")));
        for line in context.reproduce(verdict, row).lines() {
            out.push_str(&format!("  {line}\n"));
        }
        let others = failing(verdict).count() - 1;
        let others = if others > 0 { format!(", and {others} more of that form") } else { String::new() };
        let heading = format!("to let it pass on purpose, in the base's plimsoll.toml{others}");
        out.push_str(&format!("\n{}\n", paint.bold(&heading)));
        for line in waiver(verdict, row).lines() {
            out.push_str(&format!("  {line}\n"));
        }
    }
    if let Some(family) = family(verdict) {
        out.push('\n');
        push_wrapped(&mut out, &family, width, |text| paint.dim(text));
    }
    out
}

fn side(side: &Side) -> String {
    let dirty = if side.dirty { " with uncommitted changes" } else { "" };
    format!("{}{dirty}", named(side))
}

fn table(rows: &[&Row], paint: &Paint, everything: bool) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let right = |text: &str| Cell::new(text).set_alignment(CellAlignment::Right);
    let mut header = vec![Cell::new(""), Cell::new("cell"), Cell::new("figure")];
    header.extend(["base → head", "difference", "limit"].map(right));
    if everything {
        header.push(right("smallest change seen"));
    }
    table.set_header(header);
    for row in rows {
        let mut cells = vec![Cell::new(row.state.name()), Cell::new(name(&row.cell)), Cell::new(what(row))];
        cells.extend([change(row), difference(row), limit(row)].iter().map(|text| right(text)));
        if everything {
            cells.push(right(&smallest(row)));
        }
        table.add_row(cells);
    }
    let mut out = String::new();
    for (at, line) in table.to_string().lines().enumerate() {
        let line = line.trim_end();
        let fails = at.checked_sub(1).and_then(|at| rows.get(at)).is_some_and(|row| row.state.fails());
        out.push_str(&match at {
            0 => paint.bold(line),
            _ if fails => paint.bad(line),
            _ => line.to_owned(),
        });
        out.push('\n');
    }
    out
}

/// Crates whose version changed, beside what each asks for.
fn push_dependencies(out: &mut String, verdict: &Verdict, width: Option<u16>, paint: &Paint) {
    if verdict.lockfile.is_empty() {
        return;
    }
    out.push_str(&format!("\n{}\n", paint.bold("Cargo.lock, with bytes per request as profiled")));
    for change in verdict.lockfile.iter().take(CRATES) {
        push_wrapped(
            out,
            &format!("  {}: {}, {}", change.name, versions(change), bytes(verdict, change)),
            width,
            str::to_owned,
        );
    }
    if verdict.lockfile.len() > CRATES {
        out.push_str(&format!("  and {} more\n", verdict.lockfile.len() - CRATES));
    }
}

/// The functions behind the failing rows, each once.
fn push_culprits(out: &mut String, verdict: &Verdict, width: Option<u16>, paint: &Paint) {
    let all = culprits(verdict);
    let Some(explained) = explained(verdict) else { return };
    let begins = if all.is_empty() { " cannot be said" } else { "" };
    out.push('\n');
    push_wrapped(out, &format!("where it comes from{begins}: {explained}"), width, |text| paint.bold(text));
    for culprit in all.iter().take(CULPRITS) {
        let at = place(culprit.part).map(|place| format!(" at {place}")).unwrap_or_default();
        push_wrapped(out, &format!("  {}{at}", culprit.part.name), width, str::to_owned);
        push_wrapped(out, &format!("    {}", culprit.amounts().join(", ")), width, str::to_owned);
        let cells = culprit.cells();
        for cell in cells.iter().take(CELLS) {
            push_wrapped(out, &format!("    in {}", name(cell)), width, |text| paint.dim(text));
        }
        if cells.len() > CELLS {
            push_wrapped(out, &format!("    and in {} more", cells.len() - CELLS), width, |text| paint.dim(text));
        }
    }
    if all.len() > CULPRITS {
        out.push_str(&format!("  and {} more\n", all.len() - CULPRITS));
    }
}

/// A difference in its parts.
fn push_blame(out: &mut String, row: &Row, width: Option<u16>, paint: &Paint) {
    let (Some(blame), Some(coverage)) = (&row.blame, coverage(row)) else { return };
    let heading = format!("{}, {}: {coverage}", name(&row.cell), what(row));
    out.push('\n');
    push_wrapped(out, &heading, width, |text| paint.bold(text));
    for part in blame.parts.iter().take(PARTS) {
        let at = place(part).map(|place| format!("  {place}")).unwrap_or_default();
        push_wrapped(out, &format!("  {}  {}{at}", part.difference.signed(), part.name), width, str::to_owned);
    }
    if blame.parts.len() > PARTS {
        out.push_str(&format!("  and {} more\n", blame.parts.len() - PARTS));
    }
}
