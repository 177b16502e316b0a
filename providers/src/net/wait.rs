//! How long to wait for what: connect, head, silence and the whole call apart.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use crate::config::Config;
use crate::error::{Error, Phase};
use crate::options::Timeouts;

const CONNECT: Duration = Duration::from_secs(10);

/// The limits of every call of a provider.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) connect: Duration,
    header: Option<Duration>,
    idle: Option<Duration>,
    total_generate: Option<Duration>,
    total_stream: Option<Duration>,
}

impl Patience {
    pub(crate) fn new(config: &Config, timeouts: &Timeouts) -> Self {
        let general = (config.timeout_ms > 0).then(|| Duration::from_millis(config.timeout_ms));
        Self {
            connect: timeouts.connect.unwrap_or(CONNECT),
            header: timeouts.header.or(general),
            idle: timeouts.idle.or(general),
            total_generate: timeouts.total.or(general),
            // A long answer may stream for minutes: what is broken shows as silence.
            total_stream: timeouts.total,
        }
    }

    /// The waits of a `generate` call that begins now.
    pub(crate) fn generate(&self) -> Wait {
        self.begin(self.total_generate)
    }

    /// The waits of a `stream` call that begins now.
    pub(crate) fn stream(&self) -> Wait {
        self.begin(self.total_stream)
    }

    /// The shortest time in which something must be heard of the server.
    pub(crate) fn shortest(&self) -> Option<Duration> {
        [self.header, self.idle].into_iter().flatten().min()
    }

    fn begin(&self, total: Option<Duration>) -> Wait {
        // A limit too far away to be a point in time is none.
        let end = total.and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
        Wait { connect: self.connect, header: self.header, idle: self.idle, end }
    }
}

/// The waits of one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wait {
    pub(crate) connect: Duration,
    header: Option<Duration>,
    idle: Option<Duration>,
    end: Option<(Instant, Duration)>,
}

impl Wait {
    /// Whether the call may take so much longer.
    pub(crate) fn has_left(&self, delay: Duration) -> bool {
        self.end.is_none_or(|(end, _)| Instant::now().checked_add(delay).is_some_and(|then| then < end))
    }

    /// Waits for the head of the answer.
    pub(crate) async fn head<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        self.within(Phase::Head, self.header, future).await
    }

    /// Waits for the next bytes of the body.
    pub(crate) async fn body<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        self.within(Phase::Body, self.idle, future).await
    }

    async fn within<F: Future>(&self, phase: Phase, limit: Option<Duration>, future: F) -> Result<F::Output, Error> {
        let own = limit.and_then(|limit| Some((Instant::now().checked_add(limit)?, phase, limit)));
        let whole = self.end.map(|(end, limit)| (end, Phase::Call, limit));
        match own.into_iter().chain(whole).min_by_key(|(end, ..)| *end) {
            None => Ok(future.await),
            Some((end, phase, limit)) => {
                tokio::time::timeout_at(end, future).await.map_err(|_| Error::Timeout { phase, limit })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    fn wait(timeout_ms: u64, timeouts: Timeouts) -> Wait {
        Patience::new(&Config { timeout_ms, ..Config::default() }, &timeouts).generate()
    }

    #[tokio::test]
    async fn the_nearest_limit_is_the_one_that_is_named() {
        let short = Some(Duration::from_millis(5));
        let header = Timeouts { header: short, ..Timeouts::default() };
        assert_eq!(gives_up(wait(60_000, header)).await, (Phase::Head, Duration::from_millis(5)));
        let total = Timeouts { total: short, ..Timeouts::default() };
        assert_eq!(gives_up(wait(60_000, total)).await, (Phase::Call, Duration::from_millis(5)));
    }

    #[tokio::test]
    async fn the_whole_call_is_limited_over_many_waits() {
        // Two silences of 0.3 s fit no call of 0.5 s: the first is cut as a silence, the second as a call.
        let (header, total) = (Some(Duration::from_millis(300)), Some(Duration::from_millis(500)));
        let wait = wait(0, Timeouts { header, total, ..Timeouts::default() });
        assert_eq!(gives_up(wait).await.0, Phase::Head);
        assert_eq!(gives_up(wait).await.0, Phase::Call);
    }

    #[tokio::test]
    async fn zero_is_for_ever_and_so_is_what_no_clock_can_show() {
        let patience = Patience::new(&Config { timeout_ms: 0, ..Config::default() }, &Timeouts::default());
        assert!(patience.generate().end.is_none() && patience.generate().idle.is_none());
        let wait = wait(0, Timeouts { total: Some(Duration::MAX), header: Some(Duration::MAX), ..Timeouts::default() });
        assert_eq!(wait.head(async { 7 }).await.unwrap(), 7);
        assert!(wait.end.is_none());
    }

    async fn gives_up(wait: Wait) -> (Phase, Duration) {
        match wait.head(pending::<()>()).await {
            Err(Error::Timeout { phase, limit }) => (phase, limit),
            other => panic!("{other:?}"),
        }
    }
}
