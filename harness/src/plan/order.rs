//! The order of samples: interleaved and shuffled, so that a machine that warms up or gets busy troubles every cell alike.

use plimsoll_reports::record::{Cell, PlannedCell};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

/// A sample to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Its cell.
    pub cell: Cell,
    /// Which of the cell's samples it is, from 0.
    pub index: u32,
    /// Its place in the order, from 0.
    pub order: u32,
}

/// All samples of all cells: round by round, each round shuffled. The same cells and seed give the same order anywhere.
pub fn turns(cells: &[PlannedCell], seed: u64) -> Vec<Turn> {
    // ChaCha8 is specified bit for bit, so a recorded seed stays good across versions and machines.
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let rounds = cells.iter().map(|cell| cell.samples).max().unwrap_or(0);
    let mut turns = Vec::new();
    for index in 0..rounds {
        let mut round: Vec<&Cell> = cells.iter().filter(|c| c.samples > index).map(|c| &c.cell).collect();
        round.shuffle(&mut random);
        for cell in round {
            let order = turns.len() as u32;
            turns.push(Turn { cell: cell.clone(), index, order });
        }
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn cells() -> Vec<PlannedCell> {
        (0..6)
            .map(|n| PlannedCell {
                cell: Cell {
                    subject: format!("s{n}"),
                    scenario: "chat".into(),
                    probe: "rss".into(),
                    factors: BTreeMap::new(),
                },
                samples: 1 + n % 3,
            })
            .collect()
    }

    #[test]
    fn every_sample_has_one_turn_and_the_seed_decides_the_order() {
        let first = turns(&cells(), 7);
        assert_eq!(first.len(), 12);
        assert_eq!(first, turns(&cells(), 7));
        assert_ne!(first, turns(&cells(), 8));
        for (cell, count) in cells().iter().map(|c| (&c.cell, c.samples)) {
            let mine: Vec<u32> = first.iter().filter(|t| t.cell == *cell).map(|t| t.index).collect();
            assert_eq!(mine, (0..count).collect::<Vec<_>>());
        }
    }
}
