//! Where memory lives: the byte ledger of each cell, from its live heap to its RSS.

use maud::{Markup, html};

use super::chart::{Chart, Data, pc, px};
use super::not_measured;
use crate::ledger::{self, Account, Line};
use crate::record::AreaKind;
use crate::units::{Bytes, Quantity, whole};
use crate::view::{Accounts, Row, Scenario, View};

/// The width that names take, and where bars end, per cent.
const NAMES: f64 = 30.0;
const SPAN: f64 = 52.0;
const ROW: f64 = 22.0;

/// A table and a waterfall for each ledger.
pub(super) fn section(view: &View) -> Markup {
    let shown: Vec<Markup> = view.scenarios.iter().enumerate().filter_map(|(at, s)| accounts_of(view, s, at)).collect();
    if shown.is_empty() {
        return not_measured("no sample under the probe `ledger` counts.");
    }
    html! {
        p { "From what the code holds to all of the resident memory, each line read or counted by itself. What they leave is the last line: it has a sign, and says how good the account is. Each ledger is that of one process, the one whose RSS is the median, because medians of lines would not add up. What the kernel holds for sockets is in no RSS and stands apart." }
        @for part in &shown { (part) }
        dl.defs { @for line in Line::ALL { dt { (line.name()) } dd { (line.meaning()) "." } } }
    }
}

fn accounts_of(view: &View, scenario: &Scenario, at: usize) -> Option<Markup> {
    let accounts = view.accounts(scenario)?;
    let id = format!("where-{}", at + 1);
    // What stands for its subject is drawn; all are in the table.
    let is_its =
        |row: &Row, account: &Account| view.cell(row, ledger::PROBE).is_some_and(|cell| cell.cell == account.cell);
    let shows = |row: &Row| accounts.accounts.iter().any(|account| is_its(row, account));
    let usual = view.faces(scenario, shows).into_iter().next().map_or_else(Vec::new, |face| face.rows);
    let named = accounts.accounts.iter().zip(&accounts.labels.names).enumerate();
    let drawn: Vec<(usize, (&Account, &String))> =
        named.filter(|(_, (account, _))| usual.iter().any(|row| is_its(row, account))).collect();
    let charts: Vec<Chart> = drawn
        .iter()
        .map(|(number, (account, name))| waterfall(&format!("{id}-{}", number + 1), name, account))
        .collect();
    Some(html! {
        h3 { (scenario.info.id) }
        (table(&accounts, &id, &scenario.info.id))
        div.charts { @for chart in &charts { (chart.frame(false)) } }
        details {
            summary { "Every mapping, " (scenario.info.id) }
            @for (number, (account, name)) in &drawn {
                (mappings(account, name, &format!("{id}-{}-mappings", number + 1)))
            }
        }
    })
}

/// Mappings that are named one by one.
const NAMED: usize = 12;

fn mappings(account: &Account, name: &str, id: &str) -> Markup {
    let bytes = |bytes: u64| self::bytes(i64::try_from(bytes).unwrap_or(i64::MAX));
    let rest = account.areas.iter().skip(NAMED);
    let rest = rest
        .fold((0, 0_u64, 0_u64), |(n, rss, anon), a| (n + 1, rss.saturating_add(a.rss), anon.saturating_add(a.anon)));
    html! {
        div.scroll id=(id) tabindex="0" role="region" aria-label={ "Mappings of " (name) } {
            table.wide {
                thead { tr { th scope="col" { (name) } th scope="col" { "permissions" } th scope="col" { "for" } th.num scope="col" { "resident" } th.num scope="col" { "of it anonymous" } } }
                tbody {
                    @for area in account.areas.iter().take(NAMED) { tr {
                        th scope="row" { (area.name) } td { code { (area.permissions) } } td { (kind(area.kind)) } td.num { (bytes(area.rss)) } td.num { (bytes(area.anon)) }
                    } }
                    @if rest.0 > 0 { tr { th scope="row" { (rest.0) " more" } td {} td {} td.num { (bytes(rest.1)) } td.num { (bytes(rest.2)) } } }
                }
            }
        }
    }
}

fn kind(kind: AreaKind) -> &'static str {
    match kind {
        AreaKind::Program => "the program",
        AreaKind::CLibrary => "the C library",
        AreaKind::File => "a file",
        AreaKind::Roots => "the trust bundle",
        AreaKind::Instrument => "the instrument",
        AreaKind::Bss => "zeroed data",
        AreaKind::Heap => "the C library’s heap",
        AreaKind::MappedBlock => "large blocks",
        AreaKind::Stack => "the stack",
        AreaKind::ThreadStack => "threads’ stacks",
        AreaKind::Jemalloc => "jemalloc",
        AreaKind::JemallocBase => "jemalloc’s book-keeping",
        AreaKind::Kernel => "the kernel",
        AreaKind::Other => "other",
    }
}

fn table(accounts: &Accounts, id: &str, scenario: &str) -> Markup {
    html! {
        @if !accounts.labels.common.is_empty() { p.caption { span.soft { (accounts.labels.common) } } }
        div.scroll id=(id) tabindex="0" role="region" aria-label={ "Byte ledgers, " (scenario) } {
            table.wide {
                thead { tr {
                    th scope="col" { "subject" }
                    th.num scope="col" title="resident memory in all" { "RSS" }
                    @for line in &accounts.lines { th.num scope="col" title=(line.meaning()) { (line.name()) } }
                    th.num scope="col" title="of the RSS, over all processes that were read" { "unexplained, share" }
                    th.num scope="col" title="what the kernel holds for its sockets, apart from the RSS" { "sockets" }
                } }
                tbody { @for (account, name) in accounts.accounts.iter().zip(&accounts.labels.names) { tr {
                    th scope="row" { (name) }
                    td.num title={ "at " (account.checkpoint) ", the median of " (account.samples) } { (bytes(account.ledger.rss)) }
                    @for line in &accounts.lines { td.num { (account.ledger.bytes(*line).map_or_else(|| "—".to_owned(), bytes)) } }
                    td.num { (account.unexplained_range()) }
                    td.num { (account.ledger.sockets.map_or_else(|| "—".to_owned(), bytes)) }
                } } }
            }
        }
    }
}

/// From zero, line by line, to the RSS.
fn waterfall(id: &str, name: &str, account: &Account) -> Chart {
    let ledger = &account.ledger;
    let lines: Vec<(Line, i64)> =
        ledger.lines.iter().copied().filter(|(line, bytes)| *bytes != 0 || *line == Line::Unexplained).collect();
    let mut steps: Vec<(&str, String, i64, i64)> = Vec::new();
    let mut sum = 0_i64;
    for (line, bytes) in &lines {
        let next = sum.saturating_add(*bytes);
        steps.push((line.name(), colour(*line, *bytes), sum, next));
        sum = next;
    }
    steps.push(("RSS", "s7".to_owned(), 0, ledger.rss));
    let ends = || steps.iter().flat_map(|(_, _, from, to)| [*from, *to]);
    let (low, high) = (ends().fold(0, i64::min), ends().fold(1, i64::max));
    let place = |value: i64| NAMES + whole(value.saturating_sub(low)) / whole(high.saturating_sub(low).max(1)) * SPAN;
    let row = |at: usize, (name, class, from, to): &(&str, String, i64, i64)| {
        let top = ROW * f64::from(u32::try_from(at).unwrap_or(0));
        let (left, right) = (place(*from.min(to)), place(*from.max(to)));
        let difference = if *name == "RSS" { *to } else { to.saturating_sub(*from) };
        html! {
            text x="0" y=(px(top + 15.0)) { (name) }
            rect class={ "bar " (class) } x=(pc(left)) y=(px(top + 4.0)) width=(pc(right - left)) height=(px(ROW - 8.0)) {}
            text x=(pc(right)) dx="6" y=(px(top + 15.0)) { (bytes(difference)) }
        }
    };
    let share = format!("{:.1} %", ledger.unexplained_share().abs() * 100.0);
    Chart {
        id: id.to_owned(),
        title: format!("From the live heap to the RSS: {name}"),
        about: format!(
            "One process of {} at {}; {share} of its RSS is unexplained.",
            account.samples, account.checkpoint
        ),
        legend: Vec::new(),
        class: "",
        height: ROW * f64::from(u32::try_from(steps.len()).unwrap_or(0)),
        drawing: html! { @for (at, step) in steps.iter().enumerate() { (row(at, step)) } },
        data: data(account, &lines),
    }
}

/// What the code holds, what the allocator adds, what else is anonymous, and file pages: a colour each. What is taken off is pale.
fn colour(line: Line, bytes: i64) -> String {
    let own = match line {
        Line::LiveRust | Line::LiveC | Line::Live => "s0",
        Line::Slack | Line::Untouched | Line::Caches | Line::Holes | Line::Dirty | Line::Metadata => "s1",
        Line::Stacks | Line::Relocations | Line::OtherAnonymous => "s3",
        Line::Text | Line::Rodata | Line::CLibrary | Line::Libraries | Line::Roots | Line::OtherFiles => "s2",
        Line::Instrument => "s5",
        Line::Unexplained => "s4",
    };
    if bytes < 0 { format!("{own} pale") } else { own.to_owned() }
}

fn data(account: &Account, lines: &[(Line, i64)]) -> Data {
    let ledger = &account.ledger;
    let share = |bytes: i64| {
        let share = Quantity::new(whole(bytes) / whole(ledger.rss.max(1)) * 100.0, crate::units::Unit::Count);
        share.map_or_else(String::new, |share| format!("{share} %"))
    };
    let since = |line: Option<Line>, bytes: i64| {
        account.start.as_ref().map_or_else(
            || "—".to_owned(),
            |start| {
                let before = line.map_or(start.rss, |line| start.bytes(line).unwrap_or_default());
                Quantity::from(Bytes(bytes.saturating_sub(before))).signed()
            },
        )
    };
    let row = |name: &str, line: Option<Line>, bytes: i64| {
        vec![name.to_owned(), self::bytes(bytes), share(bytes), since(line, bytes)]
    };
    let mut rows: Vec<Vec<String>> = lines.iter().map(|(line, bytes)| row(line.name(), Some(*line), *bytes)).collect();
    rows.push(row("RSS", None, ledger.rss));
    if let Some(sockets) = ledger.sockets {
        rows.push(vec!["kernel, for sockets (apart)".to_owned(), bytes(sockets), String::new(), String::new()]);
    }
    Data { head: ["line", "bytes", "of the RSS", "since start"].map(str::to_owned).to_vec(), rows }
}

fn bytes(value: i64) -> String {
    Bytes(value).to_string()
}
