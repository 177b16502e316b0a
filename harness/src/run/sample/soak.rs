//! A mixed scenario: pieces of a few requests each, answered as each piece says, in an order that the run's seed decides.
//!
//! Every subject gets the same pieces in the same order, and every thousand requests are mixed alike: what one thousand adds more than
//! another is not the work.

use plimsoll_reports::record::Status;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use super::answers::Tally;
use super::{Subjected, Taking, Trouble, understood};
use crate::plan::scenario::Portion;
use crate::process::protocol::{self, Answer};

/// The pieces of each step, one list after the other.
pub(super) fn pieces(mix: &'static [Portion], seed: u64) -> impl Iterator<Item = Vec<&'static Portion>> {
    // Specified bit for bit, as for the order of samples.
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    std::iter::repeat_with(move || {
        let mut pieces: Vec<&Portion> =
            mix.iter().flat_map(|portion| std::iter::repeat_n(portion, portion.pieces as usize)).collect();
        pieces.shuffle(&mut random);
        pieces
    })
}

impl Taking<'_> {
    /// The requests of one step, a command for each piece.
    pub(super) fn soak(&mut self, it: &mut Subjected, pieces: &[&Portion], tally: &mut Tally) -> Result<(), Trouble> {
        let Some(mock) = self.bench.mock else {
            return Err(Trouble::unavailable("its answers are mixed by the mock: measure this with --target mock"));
        };
        for portion in pieces {
            mock.serve(Some(&self.script(portion.script))).map_err(Trouble::failed)?;
            let command = format!("{} {} 1", portion.work.command(), portion.piece);
            if portion.refused {
                self.refused(it, &command, tally)?;
            } else {
                let pairs = self.command(it, &command)?;
                self.tally(tally, portion.piece, portion.script, &pairs)?;
            }
        }
        Ok(())
    }

    /// One request that is answered by an error, which the subject must say; it goes on after that.
    fn refused(&mut self, it: &mut Subjected, command: &str, tally: &mut Tally) -> Result<(), Trouble> {
        it.process.tell(command)?;
        let line = it.process.listen(self.bench.timeout, self.interrupted)?;
        match protocol::answer(command, &line)? {
            Answer::Error(kind, _) if kind == "status" => {}
            Answer::Ok(_) => {
                let message = format!("at {command:?}: it took a refusal for an answer");
                return Err(Trouble { status: Status::WrongAnswer, message });
            }
            _ => return understood(command, &line).map(drop),
        }
        self.sample.answers.asked += 1;
        self.sample.answers.answered += 1;
        tally.answered += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::scenario;

    #[test]
    fn every_step_has_the_same_pieces_in_an_order_of_its_own_that_the_seed_decides() {
        let soak = scenario::find("soak").expect("a scenario");
        let steps = |seed| pieces(soak.mix, seed).take(soak.steps.len()).collect::<Vec<_>>();
        let mut all = steps(7);
        assert_eq!(all, steps(7));
        assert_ne!(all, steps(8));
        assert_ne!(all[0], all[1]);
        for step in &mut all {
            assert_eq!(step.iter().map(|portion| portion.piece).sum::<u64>(), 1_000);
            step.sort_by_key(|portion| (portion.script, portion.piece));
        }
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
    }
}
