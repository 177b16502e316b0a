//! Samples that do not count, by their reason.

use super::View;
use crate::derive::Failure;
use crate::record::{Cell, Status};

impl View {
    /// Every sample that does not count, with its cell.
    pub fn failures(&self) -> impl Iterator<Item = (&Cell, &Failure)> {
        self.cells.iter().flat_map(|cell| cell.failures.iter().map(move |failure| (&cell.cell, failure)))
    }

    /// The same, those of one subject with the same reason together.
    #[must_use]
    pub fn grouped_failures(&self) -> Vec<FailureGroup<'_>> {
        let mut groups: Vec<FailureGroup<'_>> = Vec::new();
        for (cell, failure) in self.failures() {
            let same = |g: &&mut FailureGroup<'_>| {
                g.subject == cell.subject && g.status == failure.status && g.error == failure.error
            };
            match groups.iter_mut().find(same) {
                Some(group) => group.add(cell, failure.index),
                None => groups.push(FailureGroup::new(cell, failure)),
            }
        }
        groups
    }
}

/// Samples of a subject that do not count for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureGroup<'a> {
    /// The subject.
    pub subject: &'a str,
    /// How they ended.
    pub status: Status,
    /// Why.
    pub error: &'a str,
    /// Their cells, each with the samples' numbers.
    pub cells: Vec<(&'a Cell, Vec<u32>)>,
}

impl<'a> FailureGroup<'a> {
    fn new(cell: &'a Cell, failure: &'a Failure) -> Self {
        let cells = vec![(cell, vec![failure.index])];
        Self { subject: &cell.subject, status: failure.status, error: &failure.error, cells }
    }

    fn add(&mut self, cell: &'a Cell, index: u32) {
        match self.cells.iter_mut().find(|(known, _)| *known == cell) {
            Some((_, indices)) => indices.push(index),
            None => self.cells.push((cell, vec![index])),
        }
    }

    /// How many samples they are.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.cells.iter().map(|(_, indices)| indices.len()).sum()
    }

    /// The cell with its samples' numbers, or how many cells they are spread over: `chat rss protocol=h1 #0, #3`, `8 cells`.
    #[must_use]
    pub fn place(&self) -> String {
        let [(cell, indices)] = self.cells.as_slice() else { return format!("{} cells", self.cells.len()) };
        let factors = cell.factors.iter().fold(String::new(), |text, (key, value)| format!("{text} {key}={value}"));
        let numbers: Vec<String> = indices.iter().map(|index| format!("#{index}")).collect();
        format!("{} {}{factors} {}", cell.scenario, cell.probe, numbers.join(", "))
    }
}
