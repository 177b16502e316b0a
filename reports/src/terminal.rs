//! The table that ends a run in a terminal, in the manner of hyperfine and divan.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use crate::record::Record;
use crate::summary::{self, status_name};
use crate::units::{Bytes, ratio};
use crate::view::{Accounts, Block, Column, Entry, GROUPS, Scenario, View, beside_columns};

/// The record as a table for a terminal of `width` columns (unlimited if `None`), with ANSI colours if `colour`.
#[must_use]
pub fn render(record: &Record, width: Option<u16>, colour: bool) -> String {
    let view = View::new(record);
    let paint = Paint { colour };
    let mut out = String::new();
    for line in header(&view) {
        push_wrapped(&mut out, &line, width, |text| paint.dim(text));
    }
    let columns = view.columns();
    for scenario in &view.scenarios {
        out.push('\n');
        out.push_str(&paint.bold(&scenario.info.id));
        push_wrapped(&mut out, &format!("  {}", scenario_line(scenario)), width, str::to_owned);
        let blocks = view.blocks(scenario, &columns);
        if blocks.is_empty() {
            out.push_str("  nothing measured\n");
        }
        for block in blocks.iter().chain(&view.beside(scenario)) {
            push_wrapped(&mut out, &caption(block), width, |text| paint.dim(text));
            out.push_str(&tables(block, width, &paint));
        }
    }
    push_times(&mut out, &view, &paint);
    push_ledgers(&mut out, &view, &paint);
    push_failures(&mut out, &view, width, &paint);
    out.push('\n');
    let told = summary::of(&view);
    push_wrapped(&mut out, &told.verdict, width, |text| paint.bold(text));
    for line in &told.besides {
        push_wrapped(&mut out, line, width, str::to_owned);
    }
    out.push('\n');
    push_wrapped(&mut out, GLOSSARY, width, |text| paint.dim(text));
    let beside = if view.has_beside() { beside_columns() } else { Vec::new() };
    for column in columns.iter().chain(&beside) {
        push_wrapped(&mut out, &format!("{}: {}.", column.heading, column.meaning), width, |text| paint.dim(text));
    }
    out
}

const GLOSSARY: &str = "Medians over processes; lower is better. =  all processes identical; ±  median absolute deviation; ≈  more than half identical; no mark: \
                        one process. *  lowest of those under the same factors; 0.58×  of the first subject's under them. —  not measured.";

fn header(view: &View) -> Vec<String> {
    let (record, e) = (&view.record, &view.record.environment);
    let dirty = if record.tool.dirty { ", uncommitted changes" } else { "" };
    let git = record.tool.git.as_deref().map_or_else(String::new, |git| format!(" ({git}{dirty})"));
    let told = summary::of(view);
    let memory = Bytes(i64::try_from(e.memory).unwrap_or(i64::MAX));
    vec![
        format!(
            "plimsoll {}{git} · run {} · suite {} · target {}",
            record.tool.version, record.id, record.plan.suite, e.target
        ),
        format!("{} · {} · {} cores · {memory} · {} · {} · {}", e.kernel, e.cpu, e.cores, e.libc, e.rustc, e.profile),
        format!(
            "{} of {} samples count{}{}",
            told.ok,
            told.planned.max(told.ok),
            if told.failed > 0 { format!(", {} failed", told.failed) } else { String::new() },
            if told.unavailable > 0 { format!(", {} unavailable", told.unavailable) } else { String::new() },
        ),
    ]
}

fn scenario_line(scenario: &Scenario) -> String {
    let repeatable = if scenario.info.deterministic { ", deterministic" } else { "" };
    format!("{}{repeatable}", scenario.info.description)
}

/// What a table is about, and the factors that its rows share.
fn caption(block: &Block<'_>) -> String {
    let parts = [block.title, block.labels.common.as_str()];
    format!("  {}", parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(": "))
}

/// A table, cut into as many as it takes to fit the width; the subject stands in front of each.
fn tables(block: &Block<'_>, width: Option<u16>, paint: &Paint) -> String {
    let limit = width.map_or(usize::MAX, usize::from);
    let names = block.labels.names.iter().map(|name| name.chars().count());
    let label = names.max().unwrap_or(0).max("subject".len()) + 2;
    let cells = &block.columns;
    let mut out = String::new();
    let mut from = 0;
    while from < cells.len() {
        let mut to = from;
        let mut used = label;
        while to < cells.len() && (to == from || used + column_width(&cells[to]) <= limit) {
            used += column_width(&cells[to]);
            to += 1;
        }
        out.push_str(&table(&block.labels.names, &cells[from..to], paint));
        from = to;
        if from < cells.len() {
            out.push('\n');
        }
    }
    out
}

fn column_width((column, entries): &(Column, Vec<Option<Entry>>)) -> usize {
    let widest = entries.iter().flatten().map(|entry| show(entry).chars().count()).max().unwrap_or(1);
    widest.max(column.heading.chars().count()) + 2
}

fn table(names: &[String], cells: &[(Column, Vec<Option<Entry>>)], paint: &Paint) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let right = |text: &str| Cell::new(text).set_alignment(CellAlignment::Right);
    let headings = cells.iter().map(|(column, _)| right(column.heading));
    table.set_header(std::iter::once(Cell::new("subject")).chain(headings));
    for (at, name) in names.iter().enumerate() {
        let entries = cells.iter().map(|(_, entries)| right(&entries[at].as_ref().map_or("—".to_owned(), show)));
        table.add_row(std::iter::once(Cell::new(name)).chain(entries));
    }
    let mut out = String::new();
    for (at, line) in table.to_string().lines().enumerate() {
        let line = line.trim_end();
        let best = |row: usize| cells.iter().filter_map(move |(_, entries)| entries[row].as_ref().filter(|e| e.lowest));
        out.push_str(&match at.checked_sub(1) {
            Some(row) if row < names.len() => paint.each(line, best(row).map(show)),
            _ => paint.bold(line),
        });
        out.push('\n');
    }
    out
}

fn show(entry: &Entry) -> String {
    let best =
        if entry.lowest { entry.ratio.map_or(" *".to_owned(), |r| format!(" {} *", ratio(r))) } else { String::new() };
    format!("{}{}{best}", entry.text, entry.mark)
}

/// What thrift costs in time: each row's median time over that of the base level.
fn push_times(out: &mut String, view: &View, paint: &Paint) {
    for times in view.times() {
        let over = |over: Option<f64>| over.map_or_else(|| "—".to_owned(), ratio);
        // The last column only where a row is over another protocol.
        let columns = if times.over_h1() { 4 } else { 3 };
        let mut table = Table::new();
        table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        let right = |text: &str| Cell::new(text).set_alignment(CellAlignment::Right);
        let same = format!("× {}", times.base);
        let header = [Cell::new("subject"), right("p50"), right(&same), right(&format!("{same} over h1"))];
        table.set_header(header.into_iter().take(columns));
        for (timed, name) in times.rows.iter().zip(&times.labels.names) {
            let p50 = timed.p50.median().to_string();
            let row = [Cell::new(name), right(&p50), right(&over(timed.alike)), right(&over(timed.over_h1))];
            table.add_row(row.into_iter().take(columns));
        }
        out.push('\n');
        out.push_str(&paint.bold(&format!("time beside memory, {}", times.scenario.info.id)));
        out.push('\n');
        for line in table.to_string().lines() {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
}

/// Where memory lives: from the live heap to the RSS, lines of a kind together.
fn push_ledgers(out: &mut String, view: &View, paint: &Paint) {
    for scenario in &view.scenarios {
        let Some(Accounts { labels, accounts, .. }) = view.accounts(scenario) else { continue };
        let mut table = Table::new();
        table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        let right = |text: &str| Cell::new(text).set_alignment(CellAlignment::Right);
        let heads = ["RSS"].into_iter().chain(GROUPS.iter().map(|(name, _)| *name)).chain(["of RSS"]);
        table.set_header([Cell::new("subject")].into_iter().chain(heads.map(right)));
        for (account, name) in accounts.iter().zip(&labels.names) {
            let groups = GROUPS.iter().map(|(_, lines)| Bytes(account.together(lines)).to_string());
            let texts =
                [Bytes(account.ledger.rss).to_string()].into_iter().chain(groups).chain([account.unexplained_range()]);
            table.add_row([Cell::new(name)].into_iter().chain(texts.map(|text| right(&text))));
        }
        out.push('\n');
        out.push_str(&paint.bold(&format!("where memory lives, {}", scenario.info.id)));
        out.push_str(&paint.dim(&format!("  {}", labels.common)));
        out.push('\n');
        for line in table.to_string().lines() {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
}

fn push_failures(out: &mut String, view: &View, width: Option<u16>, paint: &Paint) {
    let groups = view.grouped_failures();
    if groups.is_empty() {
        return;
    }
    out.push('\n');
    out.push_str(&paint.bold("samples that do not count"));
    out.push('\n');
    for group in &groups {
        let (count, status) = (group.samples(), status_name(group.status));
        let line = format!("  {}: {count} {status} ({}): {}", group.subject, group.place(), group.error);
        push_wrapped(out, &line, width, str::to_owned);
    }
}

/// Appends `text`, broken between words at the width, each line dressed.
pub(crate) fn push_wrapped(out: &mut String, text: &str, width: Option<u16>, dress: impl Fn(&str) -> String) {
    let limit = width.map_or(usize::MAX, |width| usize::from(width).max(20));
    let indent: String = text.chars().take_while(|c| *c == ' ').collect();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let room = line.chars().count() + 1 + word.chars().count() <= limit;
        if line.is_empty() {
            line = format!("{indent}{word}");
        } else if room {
            line.push(' ');
            line.push_str(word);
        } else {
            out.push_str(&dress(&line));
            out.push('\n');
            line = format!("{indent}{word}");
        }
    }
    out.push_str(&dress(&line));
    out.push('\n');
}

/// Colours, or none.
pub(crate) struct Paint {
    pub(crate) colour: bool,
}

impl Paint {
    pub(crate) fn bold(&self, text: &str) -> String {
        if self.colour { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    pub(crate) fn dim(&self, text: &str) -> String {
        if self.colour { format!("\u{1b}[2m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    pub(crate) fn good(&self, text: &str) -> String {
        if self.colour { format!("\u{1b}[1;32m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    pub(crate) fn bad(&self, text: &str) -> String {
        if self.colour { format!("\u{1b}[1;31m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Colours these texts where they stand in `line`, in order. Done after the layout, which must not count escape sequences as width.
    fn each(&self, line: &str, texts: impl Iterator<Item = String>) -> String {
        if !self.colour {
            return line.to_owned();
        }
        let mut out = String::new();
        let mut rest = line;
        for text in texts {
            let Some((before, after)) = rest.split_once(&text) else { continue };
            out.push_str(before);
            out.push_str(&format!("\u{1b}[1;32m{text}\u{1b}[0m"));
            rest = after;
        }
        out.push_str(rest);
        out
    }
}
