//! The byte ledgers of a scenario, side by side.

use std::collections::BTreeMap;

use super::{Labels, Scenario, View};
use crate::ledger::{self, Account, Line};

/// The ledgers of a scenario's cells.
#[derive(Debug)]
pub struct Accounts {
    /// The cells' names.
    pub labels: Labels,
    /// Their ledgers, in the plan's order.
    pub accounts: Vec<Account>,
    /// The lines that any of them has something on, in the ledger's order; the last is what is unexplained.
    pub lines: Vec<Line>,
}

/// Lines taken together, for where there is no room for each.
pub const GROUPS: [(&str, &[Line]); 9] = [
    ("live heap", &[Line::LiveRust, Line::LiveC, Line::Live]),
    ("allocator", &[Line::Slack, Line::Untouched, Line::Caches, Line::Holes, Line::Dirty, Line::Metadata]),
    ("stacks", &[Line::Stacks]),
    ("written data", &[Line::Relocations]),
    ("other anon", &[Line::OtherAnonymous]),
    ("program", &[Line::Text, Line::Rodata]),
    ("libraries", &[Line::CLibrary, Line::Libraries]),
    ("other files", &[Line::Roots, Line::OtherFiles, Line::Instrument]),
    ("unexplained", &[Line::Unexplained]),
];

impl View {
    /// The byte ledgers of a scenario; `None` where there is none.
    #[must_use]
    pub fn accounts(&self, scenario: &Scenario) -> Option<Accounts> {
        let accounts = ledger::accounts(&self.record, &scenario.info.id);
        let has = |line: &Line| {
            let any = accounts.iter().any(|account| account.ledger.bytes(*line).is_some_and(|bytes| bytes != 0));
            *line == Line::Unexplained || any
        };
        let lines = Line::ALL.into_iter().filter(has).collect();
        let cells: Vec<(&str, &BTreeMap<String, String>)> =
            accounts.iter().map(|account| (account.cell.subject.as_str(), &account.cell.factors)).collect();
        let labels = Labels::of(&cells);
        (!accounts.is_empty()).then_some(Accounts { labels, accounts, lines })
    }
}

impl Account {
    /// Bytes of some lines together.
    #[must_use]
    pub fn together(&self, lines: &[Line]) -> i64 {
        lines.iter().filter_map(|line| self.ledger.bytes(*line)).fold(0, i64::saturating_add)
    }

    /// The share of the RSS that is unexplained, over all processes: `0.1 %`, `−0.2 to 0.1 %`.
    #[must_use]
    pub fn unexplained_range(&self) -> String {
        let shown = |share: f64| {
            let text = format!("{:.1}", share.abs() * 100.0);
            if share < 0.0 && text != "0.0" { format!("−{text}") } else { text }
        };
        let (low, high) = (shown(self.unexplained.0), shown(self.unexplained.1));
        if low == high { format!("{low} %") } else { format!("{low} to {high} %") }
    }
}
