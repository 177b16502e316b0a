//! What a subject answered, held to what was asked for and what was served.

use plimsoll_reports::record::{Latency, Status};

use super::{Taking, Trouble};
use crate::process::protocol::{self, Pairs};
use crate::run::mock;

/// What was answered so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) answered: u64,
    crc: u64,
    /// What the sum of what was served is.
    expected: u64,
}

impl Taking<'_> {
    /// Takes the answer to a batch of work into the tally, and compares it with what was asked for and served.
    pub(super) fn tally(&mut self, tally: &mut Tally, asked: u64, script: &str, pairs: &Pairs) -> Result<(), Trouble> {
        self.sample.answers.asked += asked;
        let answered = self.number(pairs, "answered")?;
        self.sample.answers.answered += answered;
        tally.answered += answered;
        let sum = self.number(pairs, "crc")?;
        tally.crc = tally.crc.wrapping_add(sum);
        self.sample.answers.crc = tally.crc.to_string();
        if let Some(protocol) = pairs.get("protocol") {
            self.sample.answers.protocol.clone_from(protocol);
        }
        if answered != asked {
            let message = format!("it answered for {answered} of {asked} requests without saying that any failed");
            return Err(Trouble { status: Status::WrongAnswer, message });
        }
        // What the live service serves is not known; of its answers, which come one by one, only that none is empty: the CRC-32 of no
        // text is 0.
        if self.bench.live.is_some() && sum == 0 {
            let message = format!("the answer to request {} has no text", tally.answered);
            return Err(Trouble { status: Status::WrongAnswer, message });
        }
        self.check(tally, asked, script)
    }

    /// Compares the sum of what was read with the sum of what was served, after every batch.
    pub(super) fn check(&mut self, tally: &mut Tally, asked: u64, script: &str) -> Result<(), Trouble> {
        if self.bench.mock.is_none() {
            return Ok(());
        }
        let Some(text) = script.parse().ok().and_then(|script| crate::corpus::expected_text(&script)) else {
            return Err(Trouble::failed(format!("scenario {} has no reply in the corpus", self.scenario.id)));
        };
        let served = u64::from(crc32fast::hash(text.as_bytes())).wrapping_mul(asked);
        tally.expected = tally.expected.wrapping_add(served);
        let Tally { answered: done, crc, expected } = *tally;
        self.sample.answers.expected = Some(expected.to_string());
        if crc == expected {
            return Ok(());
        }
        let message = format!(
            "what it read is not what was served: after {done} answers the sum of CRC-32 is {crc}, served was {expected}"
        );
        Err(Trouble { status: Status::WrongAnswer, message })
    }

    /// Asks the mock what it saw: all requests, no more, each with the key and no other.
    pub(super) fn check_with_mock(&mut self, done: u64) -> Result<(), Trouble> {
        let Some(mock) = self.bench.mock else { return Ok(()) };
        let stats = mock.stats().map_err(Trouble::failed)?;
        self.sample.answers.seen = Some(stats.requests);
        let lockstep = stats.lockstep;
        self.sample.answers.unpaced = Some(lockstep.unsettled + lockstep.shared + lockstep.unseen);
        if self.sample.answers.protocol.is_empty() {
            self.sample.answers.protocol = mock::protocol(&stats).to_owned();
        }
        if stats.requests != done {
            let message = format!("the mock saw {} requests where {done} were asked for", stats.requests);
            return Err(Trouble { status: Status::WrongAnswer, message });
        }
        if mock::keyed(&stats, &self.bench.shared.key) != done {
            let message = "the mock did not get the key in `x-goog-api-key` with every request".to_owned();
            return Err(Trouble { status: Status::WrongAnswer, message });
        }
        Ok(())
    }

    pub(super) fn number(&self, pairs: &Pairs, key: &'static str) -> Result<u64, Trouble> {
        protocol::number(pairs, key)?
            .ok_or_else(|| Trouble::failed(format!("its answer lacks `{key}=`; see PROTOCOL.md")))
    }

    /// Notes the times of the last batch.
    pub(super) fn time(&mut self, pairs: &Pairs) -> Result<(), Trouble> {
        let of = |key| protocol::number(pairs, key);
        if let (Some(p50_us), Some(p90_us), Some(p99_us), Some(max_us)) =
            (of("p50_us")?, of("p90_us")?, of("p99_us")?, of("max_us")?)
        {
            self.sample.latency = Some(Latency { p50_us, p90_us, p99_us, max_us });
            if let Some(live) = self.bench.live {
                live.timed(max_us);
            }
        }
        Ok(())
    }
}
