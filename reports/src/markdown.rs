//! The report as a pull request's comment shows it: the verdict first, then what to do, then tables of the rows that stand for their subjects, the rest
//! folded or left to the HTML report.

mod advice;
mod allocators;
mod at_once;
mod benches;
mod claims;
pub(crate) mod compare;
mod fit;
mod inert;
mod ladder;
mod peers;
mod sites;
mod techniques;

use std::fmt::Write as _;

pub(crate) use inert::{cell, code, prose};

use self::fit::{Part, Weight};
use crate::format::Extras;
use crate::line;
use crate::model::Model;
use crate::record::Record;
use crate::summary::{self, Summary, status_name};
use crate::units::{Bytes, Count, ratio, whole};
use crate::view::{Accounts, Block, Entry, Labels, Scenario, Times, View, beside_columns};

/// Failures that are listed one by one before the rest is only counted.
const FAILURES: usize = 20;

/// The record as Markdown.
#[must_use]
pub fn render(record: &Record, extras: Extras<'_>) -> String {
    let view = View::linked(record, extras.source).beside_record(extras.beside);
    let told = summary::of(&view);
    let part = |weight, title: &str, text| Part { weight, title: title.to_owned(), text };
    let mut parts = vec![
        part(Weight::Always, "", head(&view, &told)),
        part(Weight::Always, "", advice::section(&view)),
        part(Weight::First, "the old report’s claims", claims::section(&view)),
    ];
    // The scenario that the verdict speaks of stands before what is made of all.
    let headline = told.headline.as_ref().map(|headline| headline.scenario.as_str());
    for scenario in &view.scenarios {
        let weight = if headline == Some(scenario.info.id.as_str()) { Weight::First } else { Weight::Scenario };
        parts.push(part(weight, &cell(&scenario.info.id), table(&view, scenario)));
    }
    parts.extend([
        part(Weight::First, "what a given memory holds", lines(&view)),
        part(Weight::First, "time by requests at once", at_once::section(&view)),
        part(Weight::First, "mock against live", compare::live(&view)),
        part(Weight::Third, "what memory depends on", models(&view)),
        part(Weight::Second, "other people’s clients", peers::section(&view)),
        part(Weight::Third, "time beside memory", times(&view)),
        part(Weight::Third, "benches", benches::section(&view)),
        part(Weight::Third, "where memory lives", ledgers(&view)),
        part(Weight::First, "why 8 MB was thought hard", ladder::section(&view)),
        part(Weight::First, "technique ledger", techniques::section(&view)),
        part(Weight::Third, "allocators", allocators::section(&view)),
        part(Weight::Third, "call sites", sites::table(&view)),
        part(Weight::Always, "", failures(&view)),
        part(Weight::Always, "", environment(&view)),
        part(Weight::Always, "", glossary(&view)),
    ]);
    fit::fitting(parts)
}

/// The verdict, what it is worth, and how many samples it is made of; the same under other factors is folded.
fn head(view: &View, told: &Summary) -> String {
    let mut out = format!("## Memory per level\n\n**{}**\n\n", prose(&told.verdict));
    let live = usize::from(summary::is_live(&view.record.environment.target)).min(told.besides.len());
    let (advisory, others) = told.besides.split_at(live);
    for line in advisory {
        let _ = writeln!(out, "{}\n", prose(line));
    }
    let count = |count: u64| Count(i64::try_from(count).unwrap_or(i64::MAX));
    let _ = writeln!(
        out,
        "{} of {} samples count, {} failed, {} unavailable · run {} · suite {} · target {}\n",
        count(told.ok),
        count(told.planned.max(told.ok)),
        count(told.failed),
        count(told.unavailable),
        code(&view.record.id),
        code(&view.record.plan.suite),
        code(&view.record.environment.target)
    );
    match others {
        [] => {}
        [one] => {
            let _ = writeln!(out, "{}\n", prose(one));
        }
        several => {
            out.push_str("<details><summary>The same under other factors, and requests in flight</summary>\n\n");
            several.iter().for_each(|line| out.push_str(&format!("- {}\n", prose(line))));
            out.push_str("\n</details>\n\n");
        }
    }
    out
}

fn table(view: &View, scenario: &Scenario) -> String {
    let mut out = format!("### {}\n\n{}\n\n", cell(&scenario.info.id), prose(&scenario.info.description));
    let columns = view.columns();
    let (usual, whole) = (view.face_blocks(scenario, &columns), view.main_blocks(scenario, &columns));
    let rows = |blocks: &[Block<'_>]| blocks.iter().map(|block| block.rows.len()).sum::<usize>();
    // One table says it where no subject was measured under several factors.
    let hidden = rows(&whole).saturating_sub(rows(&usual));
    let blocks = if hidden > 0 { usual } else { whole };
    if blocks.is_empty() {
        out.push_str("Nothing was measured.\n\n");
    }
    for block in blocks.iter().filter(|block| !block.columns.is_empty()).chain(&view.beside(scenario)) {
        push_block(&mut out, block);
    }
    match hidden {
        0 => {}
        1 => out.push_str("_One more row, under other factors, is in the HTML report._\n\n"),
        _ => out.push_str(&format!("_{hidden} more rows, under other factors, are in the HTML report._\n\n")),
    }
    out
}

fn push_block(out: &mut String, block: &Block<'_>) {
    let caption = [block.title, block.labels.common.as_str()];
    let caption: Vec<String> = caption.iter().filter(|part| !part.is_empty()).map(|part| cell(part)).collect();
    if !caption.is_empty() {
        let _ = writeln!(out, "{}\n", caption.join(": "));
    }
    out.push_str("| subject |");
    for (column, _) in &block.columns {
        let _ = write!(out, " {} |", column.heading);
    }
    out.push_str("\n|---|");
    out.push_str(&"---:|".repeat(block.columns.len()));
    out.push('\n');
    for (at, name) in block.labels.names.iter().enumerate() {
        let _ = write!(out, "| {} |", cell(name));
        for (_, entries) in &block.columns {
            let _ = write!(out, " {} |", entries[at].as_ref().map_or_else(|| "—".to_owned(), show));
        }
        out.push('\n');
    }
    out.push('\n');
}

fn show(entry: &Entry) -> String {
    let text = format!("{}{}{}", entry.text, entry.mark, entry.far);
    match (entry.lowest, entry.ratio) {
        (true, Some(r)) => format!("**{text}** ({})", ratio(r)),
        (true, None) => format!("**{text}**"),
        (false, _) => text,
    }
}

/// How many requests in flight a memory holds, where the record is of `plimsoll line`.
fn lines(view: &View) -> String {
    let Some(memory) = line::memory(&view.record) else { return String::new() };
    let lines = line::lines(&view.record, memory);
    let (heading, names) = line::headed(&lines, memory);
    let mut out = format!("### What a given memory holds\n\n{}\n\n", cell(&heading));
    let _ = writeln!(out, "| {} |\n|---|{}", line::HEAD.join(" | "), "---:|".repeat(line::HEAD.len() - 1));
    for (lined, name) in lines.iter().zip(&names) {
        let texts = line::row(lined).map(|text| cell(&text)).join(" | ");
        let _ = writeln!(out, "| {} | {texts} |", cell(name));
    }
    let _ = writeln!(out, "\n{} {}\n", cell(line::ABOUT), cell(line::how(&lines)));
    out
}

/// What memory depends on.
fn models(view: &View) -> String {
    let models: Vec<Model> = view.models().into_iter().filter(|model| view.is_usual_model(model)).collect();
    if models.is_empty() {
        return String::new();
    }
    let labels =
        Labels::of(&models.iter().map(|model| (model.cell.subject.as_str(), &model.cell.factors)).collect::<Vec<_>>());
    let mut out =
        "### What memory depends on\n\nfixed + slope·N + inflight·C, with N requests answered and C in flight.\n\n"
            .to_owned();
    if !labels.common.is_empty() {
        let _ = writeln!(out, "{}\n", cell(&labels.common));
    }
    out.push_str(
        "| scenario | subject | metric | fixed | slope /1,000 | in flight | residual, max | residual, RMS |\n|---|---|---|---:|---:|---:|---:|---:|\n",
    );
    for (model, name) in models.iter().zip(&labels.names) {
        let texts = model.texts().map(|text| cell(&text)).join(" | ");
        let _ =
            writeln!(out, "| {} | {} | {} | {texts} |", cell(&model.cell.scenario), cell(name), code(&model.metric));
    }
    out.push('\n');
    out
}

/// What thrift costs in time: each row's median time over that of the base level.
fn times(view: &View) -> String {
    let all = view.usual_times();
    let Some(first) = all.first() else { return String::new() };
    let base = cell(first.base);
    let over_h1 = all.iter().any(Times::over_h1);
    let mut out =
        format!("### Time beside memory\n\nMedian time per request, over that of {base} under the same factors");
    if over_h1 {
        let _ = write!(out, ", and of rows over another protocol over that of {base} over h1");
    }
    let _ = write!(out, ".\n\n| scenario | subject | p50 | anon growth | × {base} |");
    out.push_str(&if over_h1 {
        format!(" × {base} over h1 |\n|---|---|---:|---:|---:|---:|\n")
    } else {
        "\n|---|---|---:|---:|---:|\n".to_owned()
    });
    let over = |over: Option<f64>| over.map_or_else(|| "—".to_owned(), ratio);
    for times in &all {
        for (timed, name) in times.rows.iter().zip(&times.labels.names) {
            let growth = timed.growth.map_or_else(|| "—".to_owned(), |growth| growth.median().to_string());
            let (id, name, p50) = (cell(&times.scenario.info.id), cell(name), timed.p50.median());
            let _ = write!(out, "| {id} | {name} | {p50} | {growth} | {} |", over(timed.alike));
            out.push_str(&if over_h1 { format!(" {} |\n", over(timed.over_h1)) } else { "\n".to_owned() });
        }
    }
    out.push('\n');
    out
}

/// Where memory lives: from the live heap to the RSS, in KiB.
fn ledgers(view: &View) -> String {
    let mut out = String::new();
    for scenario in &view.scenarios {
        let Some(accounts) = view.accounts(scenario) else { continue };
        let Accounts { labels, accounts, lines } = &accounts;
        let title = cell(&scenario.info.id);
        let _ = writeln!(out, "### Where memory lives, {title}\n");
        let _ = writeln!(
            out,
            "From the live heap to the RSS, KiB; one process each, that of the median RSS. {}\n",
            cell(&labels.common)
        );
        let _ = write!(out, "| subject | RSS |");
        for line in lines {
            let _ = write!(out, " {} |", line.name());
        }
        let _ = writeln!(out, " share | sockets, apart |\n|---|{}", "---:|".repeat(lines.len() + 3));
        for (account, name) in accounts.iter().zip(&labels.names) {
            let _ = write!(out, "| {} | {} |", cell(name), kib(account.ledger.rss));
            for line in lines {
                let _ = write!(out, " {} |", account.ledger.bytes(*line).map_or_else(|| "—".to_owned(), kib));
            }
            let sockets = account.ledger.sockets.map_or_else(|| "—".to_owned(), kib);
            let _ = writeln!(out, " {} | {sockets} |", account.unexplained_range());
        }
        out.push('\n');
    }
    out
}

fn kib(bytes: i64) -> String {
    let text = format!("{:.1}", whole(bytes.saturating_abs()) / 1024.0);
    if bytes < 0 && text != "0.0" { format!("−{text}") } else { text }
}

fn failures(view: &View) -> String {
    let all = view.grouped_failures();
    if all.is_empty() {
        return String::new();
    }
    let mut out =
        "### Samples that do not count\n\n| subject | samples | status | reason | where |\n|---|---:|---|---|---|\n"
            .to_owned();
    for group in all.iter().take(FAILURES) {
        let error: String = group.error.chars().take(300).collect();
        let (name, status, place) = (cell(group.subject), status_name(group.status), cell(&group.place()));
        let _ = writeln!(out, "| {name} | {} | {status} | {} | {place} |", group.samples(), cell(&error));
    }
    out.push('\n');
    if all.len() > FAILURES {
        let _ = writeln!(out, "_and {} more; they are in the HTML report._\n", all.len() - FAILURES);
    }
    out
}

fn environment(view: &View) -> String {
    let (e, tool) = (&view.record.environment, &view.record.tool);
    let memory = Bytes(i64::try_from(e.memory).unwrap_or(i64::MAX));
    let dirty = if tool.dirty { ", uncommitted changes" } else { "" };
    let rows = [
        ("measured", view.record.started.to_string()),
        ("plimsoll", format!("{} {}{dirty}", tool.version, tool.git.as_deref().unwrap_or("not a git checkout"))),
        ("system", format!("{} · {}", e.kernel, e.libc)),
        ("machine", format!("{} · {} · {} cores · {memory}", e.cpu, e.arch, e.cores)),
        ("pages", format!("{} · huge pages: {}", Bytes(i64::try_from(e.page_size).unwrap_or(0)), e.thp)),
        ("build", format!("{} · {}", e.rustc, e.profile)),
        ("address randomisation", if e.aslr_off { "off" } else { "on" }.to_owned()),
        ("roots trusted", e.trust.roots.to_string()),
        ("seed", view.record.plan.seed.to_string()),
    ];
    let mut out = "<details><summary>Environment</summary>\n\n| | |\n|---|---|\n".to_owned();
    for (name, value) in rows {
        let _ = writeln!(out, "| {name} | {} |", cell(&value));
    }
    out.push_str("\n</details>\n\n");
    out
}

fn glossary(view: &View) -> String {
    let mut out = "<details><summary>How to read this</summary>\n\nMedians over processes; lower is better. `=` all processes identical; `±` \
                   median absolute deviation; `≈` more than half identical; no mark: one process; `↑` `↓` an end that lies more than four such deviations and 5 % from the median. **Bold**: lowest of those under the same factors, with its ratio to \
                   the first subject under them. — not measured.\n\n"
        .to_owned();
    let beside = if view.has_beside() { beside_columns() } else { Vec::new() };
    for column in view.columns().into_iter().chain(beside) {
        let _ = writeln!(out, "- **{}**: {}.", column.heading, column.meaning);
    }
    out.push_str("\n</details>\n");
    out
}
