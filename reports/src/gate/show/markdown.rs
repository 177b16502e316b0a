//! The verdict as a pull request's comment: the verdict first, then only what changed, the rest folded.

use std::fmt::Write as _;

use super::{
    Context, bytes, change, coverage, difference, failing, family, limit, moved, place, smallest, told, versions,
    waiver, what, why,
};
use crate::cell::name;
use crate::gate::blame::{Blame, Part, same_crate};
use crate::gate::verdict::{Outcome, Row, Side, Verdict};
use crate::markdown::{cell, code, prose};

/// By this a comment is found again, to be changed in its place.
pub const TAG: &str = "<!-- plimsoll-gate -->";

/// The most characters of a comment: GitHub takes 65,536.
pub const LIMIT: usize = 65_000;

/// Lines of a list, rows of a table, culprits, before the rest is only counted.
const LINES: usize = 20;
/// The most characters of a list: escaped, a text can be ten times as long.
const LIST: usize = 12_000;
const ROWS: usize = 50;
const CULPRITS: usize = 10;
const PARTS: usize = 5;

/// The comment. `earlier` says that there is one from an earlier push already: then a pass is one line, so that the thread gets quiet again.
#[must_use]
pub fn comment(verdict: &Verdict, context: &Context, earlier: bool) -> String {
    if earlier && verdict.outcome == Outcome::Pass && verdict.notices.is_empty() {
        return format!("{TAG}\n{}\n", one_line(verdict));
    }
    shortened(&format!("{TAG}\n"), verdict, context)
}

/// The job's summary: the same, but that it is not found and changed.
#[must_use]
pub fn step_summary(verdict: &Verdict, context: &Context) -> String {
    shortened("", verdict, context)
}

fn one_line(verdict: &Verdict) -> String {
    format!("**Memory: {}** · {} → {}", prose(&verdict.headline()), side(&verdict.base), side(&verdict.head))
}

/// The parts in their order, as far as they fit; what always stands is short by itself.
fn shortened(tag: &str, verdict: &Verdict, context: &Context) -> String {
    let mut out = format!("{tag}{}", head(verdict));
    let mut length = out.chars().count();
    let mut left_out = false;
    for part in [
        table(verdict),
        culprits(verdict, context),
        reproduce(verdict, context),
        how_to_waive(verdict),
        dependencies(verdict),
        all(verdict, LIMIT.saturating_sub(length + 8_000)),
        method(verdict),
    ] {
        let more = part.chars().count();
        if length + more + 200 > LIMIT {
            left_out = true;
            continue;
        }
        length += more;
        out.push_str(&part);
    }
    if left_out {
        out.push_str("_Shortened: the job's artifact has all of it._\n");
    }
    out
}

fn head(verdict: &Verdict) -> String {
    let mut out = format!("### Memory: {}\n\n", prose(&verdict.headline()));
    let _ = writeln!(out, "{} → {}\n", side(&verdict.base), side(&verdict.head));
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

fn side(side: &Side) -> String {
    let dirty = if side.dirty { " with uncommitted changes" } else { "" };
    let commit = side.git.as_deref().unwrap_or("no commit");
    format!("{}{dirty} (run {})", code(commit), code(&side.run))
}

fn table(verdict: &Verdict) -> String {
    let rows = told(verdict);
    if rows.is_empty() {
        return String::new();
    }
    let mut out =
        "| | cell | figure | base → head | difference | limit | probe |\n|---|---|---|---:|---:|---:|---|\n".to_owned();
    for row in rows.iter().take(ROWS) {
        let state = row.state.name();
        let state = if row.state.fails() { format!("**{state}**") } else { state.to_owned() };
        let (place, figure) = (cell(&place_of(row)), cell(&what(row)));
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
    if rows.len() > ROWS {
        let _ = writeln!(out, "\n_and {} more; the job's artifact has them._", rows.len() - ROWS);
    }
    out.push('\n');
    out
}

/// The cell without its probe, which has a column of its own.
fn place_of(row: &Row) -> String {
    let factors = row.cell.factors.iter().filter(|(name, _)| *name != "allocator").map(|(_, value)| value.as_str());
    let factors: Vec<&str> = factors.collect();
    let factors = if factors.is_empty() { String::new() } else { format!(" ({})", factors.join(", ")) };
    format!("{} · {}{factors}", row.cell.subject, row.cell.scenario)
}

fn culprits(verdict: &Verdict, context: &Context) -> String {
    let blamed: Vec<(&Row, &Blame)> = failing(verdict).filter_map(|row| Some((row, row.blame.as_ref()?))).collect();
    let mut out = String::new();
    for (row, blame) in blamed.iter().take(CULPRITS) {
        let coverage = coverage(row).unwrap_or_default();
        let _ = writeln!(out, "**{}, {}**: {}\n", cell(&place_of(row)), cell(&what(row)), cell(&coverage));
        for part in blame.parts.iter().take(PARTS) {
            let _ =
                writeln!(out, "- {} {}{}", part.difference.signed(), code(&part.name), linked(verdict, context, part));
        }
        if blame.parts.len() > PARTS {
            let _ = writeln!(out, "- and {} more", blame.parts.len() - PARTS);
        }
        out.push('\n');
    }
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
    format!("Reproduce:\n\n{}\n", fenced("sh", &context.reproduce(verdict, row)))
}

fn how_to_waive(verdict: &Verdict) -> String {
    let Some(row) = failing(verdict).next() else { return String::new() };
    format!(
        "<details><summary>How to let it pass on purpose</summary>\n\nIn the base's `plimsoll.toml`, from where waivers are read:\n\n{}\n</details>\n\n",
        fenced("toml", &waiver(verdict, row))
    )
}

/// Crates whose version changed, beside what each asks for.
fn dependencies(verdict: &Verdict) -> String {
    if verdict.lockfile.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "<details><summary>Cargo.lock: {} of other versions</summary>\n\n| crate | base → head | bytes per request, profiled |\n|---|---|---:|\n",
        crate::gate::verdict::count(verdict.lockfile.len(), "crate")
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
         | cell | figure | rule | base → head | difference | limit | smallest change seen | |\n|---|---|---|---:|---:|---:|---:|---|\n",
        crate::gate::verdict::count(verdict.rows.len(), "figure")
    );
    let mut length = out.chars().count();
    for (at, row) in verdict.rows.iter().enumerate() {
        let line = format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} |\n",
            cell(&name(&row.cell)),
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
    out.push_str("\n</details>\n\n");
    out
}

fn method(verdict: &Verdict) -> String {
    format!(
        "<details><summary>How it is judged</summary>\n\nExact figures are the same in every process of a side: any increase counts, \
             and a failing cell is run once more first. {}\n\n</details>\n",
        cell(&family(verdict))
    )
}

/// A block of code, fenced by more backticks than stand in it.
fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{text}{fence}\n")
}
