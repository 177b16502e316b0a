//! Time as the mock has it: it stands still, and each change of something takes a second. So the same requests get the same bytes.

use jiff::{SignedDuration, Timestamp};

/// The moment that the answers' `date` tells: 2026-01-01T00:00:00Z, in seconds since 1970.
const BEGIN: i64 = 1_767_225_600;

#[derive(Debug, Default)]
pub(super) struct Clock {
    changes: i64,
}

impl Clock {
    /// The time of one more change.
    pub(super) fn tick(&mut self) -> Timestamp {
        self.changes += 1;
        Timestamp::from_second(BEGIN + self.changes).unwrap_or(Timestamp::MAX)
    }
}

/// As the service spells when something was made or changed.
pub(super) fn micros(time: Timestamp) -> String {
    format!("{time:.6}")
}

/// As the service spells when something ends.
pub(super) fn nanos(time: Timestamp) -> String {
    format!("{time:.9}")
}

/// A span like `300s` or `3.000000001s`.
pub(super) fn span(text: &str) -> Option<SignedDuration> {
    let (whole, fraction) = text.strip_suffix('s')?.split_once('.').unwrap_or((text.strip_suffix('s')?, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 9 || !digits(whole) || !digits(fraction) {
        return None;
    }
    Some(SignedDuration::new(whole.parse().ok()?, format!("{fraction:0<9}").parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_by_changes_and_is_spelled_as_observed() {
        let mut clock = Clock::default();
        assert_eq!(micros(clock.tick()), "2026-01-01T00:00:01.000000Z");
        assert_eq!(nanos(clock.tick()), "2026-01-01T00:00:02.000000000Z");
    }

    #[test]
    fn spans_have_up_to_nine_decimals() {
        assert_eq!(span("300s"), Some(SignedDuration::from_secs(300)));
        assert_eq!(span("3.5s"), Some(SignedDuration::new(3, 500_000_000)));
        assert_eq!(span("0.000000001s"), Some(SignedDuration::new(0, 1)));
        for text in ["", "s", "5", "-1s", "1.0000000001s", "1e3s", ".5s"] {
            assert_eq!(span(text), None, "{text}");
        }
    }
}
