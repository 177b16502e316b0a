//! Budgets: limits of the head alone, whatever the base is.

use super::settings::{Budget, Rules};
use crate::cell::is_meant;
use crate::derive;
use crate::record::{Cell, Record};
use crate::stats::Stats;

/// A budget and what the head makes of it in one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Spent {
    /// The cell.
    pub cell: Cell,
    /// The limit.
    pub budget: Budget,
    /// The figure's median over the head's processes.
    pub median: f64,
    /// Processes.
    pub processes: usize,
}

impl Spent {
    /// Whether it is over the limit.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.median > self.budget.max
    }
}

/// The budgets that hold: the base's, and those that only the head has, which can but tighten.
#[must_use]
pub fn in_force(rules: &Rules, proposed: Option<&Rules>) -> Vec<Budget> {
    let known = |budget: &&Budget| !rules.budgets.iter().any(|b| b.cell == budget.cell && b.figure == budget.figure);
    let further = proposed.into_iter().flat_map(|rules| &rules.budgets).filter(known);
    rules.budgets.iter().chain(further).cloned().collect()
}

/// What the head spends of each budget, in each of these cells that it is for; and the budgets that are for none of them.
#[must_use]
pub fn spent(budgets: &[Budget], head: &Record, cells: &[&Cell]) -> (Vec<Spent>, Vec<Budget>) {
    let mut all = Vec::new();
    for cell in cells {
        let meant: Vec<&Budget> = budgets.iter().filter(|budget| is_meant(&budget.cell, cell)).collect();
        if meant.is_empty() {
            continue;
        }
        let samples: Vec<_> = head.samples.iter().filter(|sample| sample.cell == **cell).collect();
        let values = derive::values(&samples);
        for budget in meant {
            let Some(stats) = values.get(&budget.figure).and_then(|values| Stats::of(values)) else { continue };
            all.push(Spent {
                cell: (*cell).clone(),
                budget: budget.clone(),
                median: stats.median,
                processes: stats.samples,
            });
        }
    }
    let unused = budgets.iter().filter(|budget| !all.iter().any(|spent| spent.budget == **budget)).cloned().collect();
    (all, unused)
}
