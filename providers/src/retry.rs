//! When a call is sent again: one policy for all levels.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use crate::error::{ApiError, Error, Phase};
use crate::net::Wait;

/// When a call is sent again.
///
/// The default is never: a call that was sent twice may cost twice, a caller with a queue of its own knows better when, and a measurement
/// must not hide a failure. [`Retry::modest`] is what a service without a queue should take.
///
/// Never sent again is what had no chance (a bad request, a bad key), what ran into a timeout of the caller, a daily quota, a stream of
/// which something was delivered, and a call that changes something and may have done so. Where the API says how long to wait
/// (`RetryInfo`, `Retry-After`), it is waited for at least so long; where that is longer than [`max_delay`](Self::max_delay) or than the
/// call has left, the error is returned at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How often a call is sent in all; 0 and 1: once.
    pub attempts: u32,
    /// The first pause; each further one is twice as long. Half of it is left to chance, so that callers that failed together do not
    /// come back together.
    pub base_delay: Duration,
    /// The longest pause.
    pub max_delay: Duration,
}

impl Retry {
    /// Three times in all, with half a second before the second and at most half a minute before any.
    pub const fn modest() -> Self {
        Self { attempts: 3, base_delay: Duration::from_millis(500), max_delay: Duration::from_secs(30) }
    }

    /// Begins a call. `repeatable`: asking twice changes nothing.
    pub(crate) fn begin(&self, call: &'static str, repeatable: bool) -> Retries {
        tracing::trace!(call, "sent");
        Retries { retry: *self, call, repeatable, sent: 1 }
    }

    /// The pause before the attempt after `sent` ones; `None`: longer than allowed. `chance` is evenly spread.
    fn pause(&self, sent: u32, asked: Option<Duration>, chance: u32) -> Option<Duration> {
        let doubled = self.base_delay.saturating_mul(1 << (sent - 1).min(16)).min(self.max_delay);
        let half = doubled / 2;
        let jitter = half.mul_f64(f64::from(chance) / f64::from(u32::MAX));
        let Some(asked) = asked else { return Some(half.saturating_add(jitter)) };
        (asked <= self.max_delay).then(|| asked.saturating_add(jitter))
    }
}

impl Default for Retry {
    /// Never, with the pauses of [`modest`](Self::modest) for whoever sets only [`attempts`](Self::attempts).
    fn default() -> Self {
        Self { attempts: 1, ..Self::modest() }
    }
}

/// The attempts of one call.
#[derive(Debug)]
pub(crate) struct Retries {
    retry: Retry,
    call: &'static str,
    repeatable: bool,
    sent: u32,
}

impl Retries {
    /// The call was answered.
    pub(crate) fn done(&self) {
        tracing::debug!(call = self.call, attempts = self.sent, "answered");
    }

    /// The call failed for good. `error` must not hold the key.
    pub(crate) fn failed(&self, error: Error) -> Error {
        tracing::debug!(call = self.call, attempts = self.sent, kind = error.kind().name(), %error, "failed");
        error
    }

    /// Waits until the call may be sent again, or returns `error`, which must not hold the key.
    pub(crate) async fn pause(&mut self, error: Error, wait: &Wait) -> Result<(), Error> {
        let delay = match worth(&error, self.repeatable) {
            Some(asked) if self.sent < self.retry.attempts => self.retry.pause(self.sent, asked, chance()),
            _ => None,
        };
        let Some(delay) = delay.filter(|delay| wait.has_left(*delay)) else { return Err(self.failed(error)) };
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(call = self.call, attempt = self.sent, delay_ms, %error, "will be sent again");
        drop(error);
        tokio::time::sleep(delay).await;
        self.sent += 1;
        Ok(())
    }
}

/// Whether a call that failed so may succeed later, and after how long at the earliest.
fn worth(error: &Error, repeatable: bool) -> Option<Option<Duration>> {
    match error {
        // Nothing was sent.
        Error::Transport { phase: Phase::Connect, .. } | Error::Timeout { phase: Phase::Connect, .. } => Some(None),
        Error::Transport { .. } | Error::Truncated if repeatable => Some(None),
        Error::Api(api) => {
            let refused = matches!(api.code, 429 | 503);
            let failed = repeatable && matches!(api.code, 408 | 500 | 502 | 504);
            ((refused || failed) && !api.is_daily_quota()).then(|| longest(api))
        }
        _ => None,
    }
}

/// How long the API asks to wait.
fn longest(api: &ApiError) -> Option<Duration> {
    api.retry_delay().max(api.retry_after)
}

/// An evenly spread number: the standard library seeds its hashers at random, which needs no generator to be kept.
fn chance() -> u32 {
    let seed = RandomState::new().build_hasher().finish();
    (seed >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Retry =
        Retry { attempts: 9, base_delay: Duration::from_millis(100), max_delay: Duration::from_secs(2) };

    fn ms(count: u64) -> Option<Duration> {
        Some(Duration::from_millis(count))
    }

    fn api(code: u16, details: serde_json::Value) -> Error {
        let body = serde_json::json!({"error": {"code": code, "status": "X", "details": details}}).to_string();
        Error::Api(Box::new(ApiError::from_body(code, body.as_bytes())))
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_half_is_chance() {
        assert_eq!((RETRY.pause(1, None, 0), RETRY.pause(1, None, u32::MAX)), (ms(50), ms(100)));
        assert_eq!((RETRY.pause(3, None, 0), RETRY.pause(3, None, u32::MAX)), (ms(200), ms(400)));
        assert_eq!((RETRY.pause(99, None, 0), RETRY.pause(99, None, u32::MAX)), (ms(1000), ms(2000)));
        let chances: std::collections::HashSet<_> = (0..8).map(|_| chance()).collect();
        assert!(chances.len() > 1, "{chances:?}");
    }

    #[test]
    fn what_the_api_asks_for_is_the_least_and_too_much_of_it_is_an_end() {
        let asked = Duration::new(1, 939_935_699);
        assert_eq!(RETRY.pause(1, Some(asked), 0), Some(asked));
        assert!(RETRY.pause(1, Some(asked), u32::MAX) > Some(asked));
        assert_eq!(RETRY.pause(1, Some(Duration::from_millis(2001)), 0), None);
        // A server may ask for any number of seconds, and a caller may set no bound.
        let endless = Retry { base_delay: Duration::MAX, max_delay: Duration::MAX, ..RETRY };
        assert_eq!(endless.pause(3, Some(Duration::from_secs(u64::MAX)), u32::MAX), Some(Duration::MAX));
        assert!(endless.pause(3, None, u32::MAX).is_some());
    }

    #[test]
    fn only_what_may_succeed_later_is_worth_it() {
        for (code, repeatable, once) in [
            (429, true, true),
            (503, true, true),
            (500, true, false),
            (504, true, false),
            (400, false, false),
            (404, false, false),
        ] {
            let error = api(code, serde_json::Value::Null);
            assert_eq!((worth(&error, true).is_some(), worth(&error, false).is_some()), (repeatable, once), "{code}");
        }
        let info =
            serde_json::json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3.000000001s"});
        assert_eq!(worth(&api(429, serde_json::json!([info])), true), Some(Some(Duration::new(3, 1))));
        let daily = serde_json::json!({"@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]});
        assert_eq!(worth(&api(429, serde_json::json!([info, daily])), true), None);
        let broken = |phase| Error::Transport { phase, source: "reset".into() };
        assert_eq!((worth(&broken(Phase::Body), true), worth(&broken(Phase::Body), false)), (Some(None), None));
        assert_eq!(worth(&broken(Phase::Connect), false), Some(None));
        let late = Error::Timeout { phase: Phase::Head, limit: Duration::ZERO };
        assert_eq!(worth(&late, true), None);
    }
}
