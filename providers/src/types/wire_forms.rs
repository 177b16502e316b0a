//! Forms that numbers, names and spans of time take on the wire and nowhere else.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

/// A 64-bit number: the API writes it as a string, because JSON's numbers are too narrow for some readers.
pub(super) mod int64 {
    use super::*;

    pub(in crate::types) fn serialize<S: Serializer>(number: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        match number {
            Some(number) => serializer.collect_str(number),
            None => serializer.serialize_none(),
        }
    }

    pub(in crate::types) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(u64),
            Text(String),
        }
        match Option::deserialize(deserializer)? {
            None => Ok(None),
            Some(Form::Number(number)) => Ok(Some(number)),
            Some(Form::Text(text)) => text.parse().map(Some).map_err(D::Error::custom),
        }
    }
}

/// A span of time: seconds with up to nine decimals and an `s` behind them.
pub(super) mod span {
    use super::*;

    pub(in crate::types) fn serialize<S: Serializer>(
        span: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match span {
            Some(span) => serializer.serialize_str(&write_span(*span)),
            None => serializer.serialize_none(),
        }
    }

    pub(in crate::types) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        read_span(&text).map(Some).ok_or_else(|| D::Error::custom(format!("{text:?} is no span of time like 300s")))
    }
}

/// Reads a span of time such as `48.939935699s`.
pub(crate) fn read_span(text: &str) -> Option<Duration> {
    let seconds = text.strip_suffix('s')?;
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 9 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let nanos = fraction
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(9)
        .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    Some(Duration::new(whole.parse().ok()?, nanos))
}

fn write_span(span: Duration) -> String {
    let text = format!("{}.{:09}", span.as_secs(), span.subsec_nanos());
    format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A model's name as bodies have it: with its collection before it.
pub(super) fn model_name<S: Serializer>(model: &str, serializer: S) -> Result<S::Ok, S::Error> {
    if model.is_empty() || model.contains('/') {
        serializer.serialize_str(model)
    } else {
        serializer.collect_str(&format_args!("models/{model}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_keep_nine_decimals() {
        for (text, span) in [
            ("48.939935699s", Duration::new(48, 939_935_699)),
            ("7s", Duration::from_secs(7)),
            ("0.5s", Duration::from_millis(500)),
            ("0s", Duration::ZERO),
        ] {
            assert_eq!(read_span(text), Some(span));
            assert_eq!(write_span(span), text);
        }
        for wrong in ["", "s", "7", "-1s", ".5s", "+1s", "1.0000000001s", "1.x s", "99999999999999999999s"] {
            assert_eq!(read_span(wrong), None, "{wrong:?}");
        }
    }
}
