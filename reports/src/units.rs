//! Quantities with their units, and the one place where they become text.
//!
//! KiB and MiB are binary and written so; a bare MB appears only where a claim is quoted. Thousands are separated by commas.

use std::fmt;

use serde::Serialize;

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// A plain number: allocations, threads, requests.
    Count,
    /// Microseconds.
    Micros,
    /// Nanoseconds: of benches only.
    Nanos,
}

impl Unit {
    /// Its name in JSON and CSV.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Count => "count",
            Self::Micros => "micros",
            Self::Nanos => "nanos",
        }
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub i64);

/// A plain number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Count(pub i64);

/// A span of time, microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(pub i64);

/// A figure with its unit; it may be a fraction (a slope of 0.5 bytes per request), and is always finite.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Quantity {
    value: f64,
    unit: Unit,
}

impl Quantity {
    /// A figure of `value` in `unit`; `None` when it is not a finite number.
    #[must_use]
    pub fn new(value: f64, unit: Unit) -> Option<Self> {
        value.is_finite().then_some(Self { value, unit })
    }

    /// Its value in its own unit: bytes, a count, microseconds.
    #[must_use]
    pub fn value(self) -> f64 {
        self.value
    }

    /// Its unit.
    #[must_use]
    pub fn unit(self) -> Unit {
        self.unit
    }

    /// The same figure `times` over: a slope per 1,000 requests from one per request.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { value: self.value * f64::from(times), unit: self.unit }
    }

    /// How far it is above `other`, negative when below; `None` when the units differ.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        (self.unit == other.unit).then_some(())?;
        Self::new(self.value - other.value, self.unit)
    }

    /// This over `other`; `None` when the units differ or `other` is not above zero, because no honest ratio exists then.
    #[must_use]
    pub fn ratio(self, other: Self) -> Option<f64> {
        (self.unit == other.unit && other.value > 0.0 && self.value >= 0.0).then(|| self.value / other.value)
    }

    /// Written with a sign even when it is above zero.
    #[must_use]
    pub fn signed(self) -> String {
        if self.value > 0.0 { format!("+{self}") } else { self.to_string() }
    }

    /// Written in full, bytes not folded into KiB: `13,412 B`.
    #[must_use]
    pub fn in_full(self) -> String {
        match self.unit {
            Unit::Bytes => format!("{} B", plain(self.value)),
            Unit::Count | Unit::Micros | Unit::Nanos => self.to_string(),
        }
    }
}

impl From<Bytes> for Quantity {
    fn from(bytes: Bytes) -> Self {
        Self { value: whole(bytes.0), unit: Unit::Bytes }
    }
}

impl From<Count> for Quantity {
    fn from(count: Count) -> Self {
        Self { value: whole(count.0), unit: Unit::Count }
    }
}

impl From<Duration> for Quantity {
    fn from(span: Duration) -> Self {
        Self { value: whole(span.0), unit: Unit::Micros }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.unit {
            Unit::Bytes => scaled(self.value, &BYTES),
            Unit::Count => plain(self.value),
            Unit::Micros => scaled(self.value, &MICROS),
            Unit::Nanos => scaled(self.value, &NANOS),
        };
        f.write_str(&text)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Quantity::from(*self).fmt(f)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Quantity::from(*self).fmt(f)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Quantity::from(*self).fmt(f)
    }
}

/// A ratio as tables show it: `0.43×`.
#[must_use]
pub fn ratio(value: f64) -> String {
    format!("{value:.2}×")
}

/// A share as sentences show it, without decimals: `43 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// Bytes and times never reach 2^53, so that no figure of a record is rounded here.
#[expect(clippy::cast_precision_loss, reason = "figures of a record are far below 2^53")]
pub(crate) fn whole(value: i64) -> f64 {
    value as f64
}

/// Units from the smallest up: what one of it is worth, its name, and the decimals it is shown with.
type Scale = [(f64, &'static str, usize)];

const BYTES: [(f64, &str, usize); 4] =
    [(1.0, "B", 0), (1024.0, "KiB", 1), (1_048_576.0, "MiB", 2), (1_073_741_824.0, "GiB", 2)];
const NANOS: [(f64, &str, usize); 4] = [(1.0, "ns", 0), (1e3, "µs", 2), (1e6, "ms", 2), (1e9, "s", 2)];
const MICROS: [(f64, &str, usize); 3] = [(1.0, "µs", 0), (1e3, "ms", 2), (1e6, "s", 2)];

/// `value` in the largest unit in which it is at least one *after rounding*, so that 1,048,575 B reads 1.00 MiB, not 1,024.0 KiB.
fn scaled(value: f64, scale: &Scale) -> String {
    let mut chosen = scale[0];
    for (step, next) in scale.iter().enumerate().skip(1) {
        let below = scale[step - 1];
        let rounded = round_to(value.abs() / below.0, below.2);
        if rounded * below.0 >= next.0 {
            chosen = *next;
        }
    }
    let (worth, name, decimals) = chosen;
    if worth <= 1.0 {
        return format!("{} {name}", plain(value));
    }
    format!("{} {name}", grouped(value / worth, decimals))
}

/// A number as short as it can be without hiding a fraction: whole, or with up to two decimals.
pub(crate) fn plain(value: f64) -> String {
    let text = grouped(value, 2);
    text.strip_suffix(".00").map_or_else(|| text.strip_suffix('0').unwrap_or(&text).to_owned(), str::to_owned)
}

fn round_to(value: f64, decimals: usize) -> f64 {
    let tens = if decimals == 0 {
        1.0
    } else if decimals == 1 {
        10.0
    } else {
        100.0
    };
    (value * tens).round() / tens
}

/// Thousands separated, a real minus sign, no `-0`.
fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(w, f)| (w, Some(f)));
    let mut out = String::with_capacity(text.len() + 8);
    if value < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        out.push('−');
    }
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_binary_and_separated() {
        let shown: Vec<String> =
            [0, 1, 1023, 1024, 1536, 102_400, 1_048_000, 1_048_575, 4_404_019, -9000, 5_368_709_120]
                .map(|n| Bytes(n).to_string())
                .into();
        assert_eq!(
            shown,
            [
                "0 B",
                "1 B",
                "1,023 B",
                "1.0 KiB",
                "1.5 KiB",
                "100.0 KiB",
                "1,023.4 KiB",
                "1.00 MiB",
                "4.20 MiB",
                "−8.8 KiB",
                "5.00 GiB"
            ]
        );
    }

    #[test]
    fn counts_and_times() {
        assert_eq!(Count(1_234_567).to_string(), "1,234,567");
        assert_eq!(Duration(812).to_string(), "812 µs");
        assert_eq!(Duration(1_240).to_string(), "1.24 ms");
        assert_eq!(Duration(2_500_000).to_string(), "2.50 s");
        let nanos = |value| Quantity::new(value, Unit::Nanos).map(|q| q.to_string());
        assert_eq!(nanos(35.714).as_deref(), Some("35.71 ns"));
        assert_eq!(nanos(58_312.0).as_deref(), Some("58.31 µs"));
    }

    #[test]
    fn fractions_are_not_hidden() {
        let shown = |value| Quantity::new(value, Unit::Count).map(|q| q.to_string());
        assert_eq!(shown(0.5).as_deref(), Some("0.5"));
        assert_eq!(shown(119.03).as_deref(), Some("119.03"));
        assert_eq!(shown(120.0).as_deref(), Some("120"));
        assert_eq!(shown(-0.001).as_deref(), Some("0"));
    }

    #[test]
    fn differences_carry_their_sign() {
        let (a, b) = (Quantity::from(Bytes(3 * 1024)), Quantity::from(Bytes(1024)));
        assert_eq!(a.minus(b).map(Quantity::signed).as_deref(), Some("+2.0 KiB"));
        assert_eq!(b.minus(a).map(Quantity::signed).as_deref(), Some("−2.0 KiB"));
        assert_eq!(a.minus(a).map(Quantity::signed).as_deref(), Some("0 B"));
        assert_eq!(a.minus(Count(1).into()), None);
    }

    #[test]
    fn no_ratio_over_zero_and_no_figure_that_is_not_a_number() {
        assert_eq!(Quantity::from(Bytes(5)).ratio(Bytes(0).into()), None);
        assert_eq!(Quantity::from(Bytes(5)).ratio(Count(5).into()), None);
        assert_eq!(Quantity::new(f64::NAN, Unit::Bytes), None);
        assert_eq!(Quantity::new(f64::INFINITY, Unit::Bytes), None);
    }

    #[test]
    fn in_full_shows_every_byte() {
        assert_eq!(Quantity::from(Bytes(13_412)).in_full(), "13,412 B");
    }
}
