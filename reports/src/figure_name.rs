//! A figure by the name that reports give it: `growth proc.rss`, `heap.allocs per request`, `proc.anon at steady@20`.

use std::str::FromStr;

use thiserror::Error;

use crate::derive::{Figure, Percentile};

/// A text that names no figure.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{given:?} names no figure; write it as reports do: \"growth proc.rss\", \"slope heap.live\", \"residue heap.live\", \"heap.allocs per request\", \
     \"proc.anon at steady@20\", \"proc.anon per request in flight\" or \"latency p50\""
)]
pub struct NoFigure {
    given: String,
}

impl FromStr for Figure {
    type Err = NoFigure;

    fn from_str(text: &str) -> Result<Self, NoFigure> {
        let none = || NoFigure { given: text.chars().take(80).collect() };
        let metric = |name: &str| is_metric(name).then(|| name.to_owned()).ok_or_else(none);
        if let Some((name, checkpoint)) = text.split_once(" since start at ") {
            return Ok(Self::Since { checkpoint: point(checkpoint).ok_or_else(none)?, metric: metric(name)? });
        }
        if let Some((name, checkpoint)) = text.split_once(" at ") {
            return Ok(Self::At { checkpoint: point(checkpoint).ok_or_else(none)?, metric: metric(name)? });
        }
        if let Some(name) = text.strip_suffix(" per request in flight") {
            return Ok(Self::InFlight(metric(name)?));
        }
        if let Some(name) = text.strip_suffix(" per request") {
            return Ok(Self::PerRequest(metric(name)?));
        }
        let (form, name) = text.split_once(' ').ok_or_else(none)?;
        match form {
            "growth" => Ok(Self::Growth(metric(name)?)),
            "slope" => Ok(Self::Slope(metric(name)?)),
            "step" => Ok(Self::Step(metric(name)?)),
            "residue" => Ok(Self::Residue(metric(name)?)),
            "latency" => Percentile::ALL.into_iter().find(|p| p.name() == name).map(Self::Latency).ok_or_else(none),
            _ => Err(none()),
        }
    }
}

/// Whether a word has the form of a metric's name: `proc.anon`.
pub(crate) fn is_metric(name: &str) -> bool {
    name.split_once('.').is_some_and(|(group, rest)| !group.is_empty() && !rest.is_empty())
        && !name.chars().any(char::is_whitespace)
}

fn point(name: &str) -> Option<String> {
    (!name.is_empty() && !name.chars().any(char::is_whitespace)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_figure() -> impl Strategy<Value = Figure> {
        let metric = "[a-z]{1,8}\\.[a-z_]{1,8}";
        let point = "[a-z]{1,8}(@[0-9]{1,4})?";
        prop_oneof![
            (point, metric).prop_map(|(checkpoint, metric)| Figure::At { checkpoint, metric }),
            (point, metric).prop_map(|(checkpoint, metric)| Figure::Since { checkpoint, metric }),
            metric.prop_map(Figure::Growth),
            metric.prop_map(Figure::Slope),
            metric.prop_map(Figure::Step),
            metric.prop_map(Figure::Residue),
            metric.prop_map(Figure::PerRequest),
            metric.prop_map(Figure::InFlight),
            (0usize..4).prop_map(|at| Figure::Latency(Percentile::ALL[at])),
        ]
    }

    proptest! {
        #[test]
        fn what_a_report_prints_is_read_back(figure in any_figure()) {
            prop_assert_eq!(figure.to_string().parse::<Figure>(), Ok(figure));
        }
    }

    #[test]
    fn what_is_no_figure_says_how_one_is_written() {
        for text in
            ["", "rss", "growth", "growth rss", "growths proc.rss", "latency p51", "proc.rss at ", "proc.rss  at x y"]
        {
            let error = text.parse::<Figure>().map_err(|e| e.to_string());
            assert!(error.is_err_and(|e| e.contains("growth proc.rss")), "{text}");
        }
    }
}
