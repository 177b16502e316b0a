//! What of a report fits a comment: its parts by their weight, each whole or left out, in the order in which they are read.

/// Longest comment that GitHub takes, less what a tag and a heading need, bytes.
const LIMIT: usize = 60_000;
/// What is said of parts that were left out, at most, bytes.
const TOLD: usize = 400;

/// How much a reader misses a part that is left out: the first is left out last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// The report is none without it.
    Always,
    /// What the first questions are answered from.
    First,
    /// Further questions.
    Second,
    /// What is looked up.
    Third,
    /// A table of a scenario, of which there may be many.
    Scenario,
}

/// A part of the report.
pub(super) struct Part {
    pub(super) weight: Weight,
    /// What it is called where it is left out.
    pub(super) title: String,
    /// Empty where there is nothing to show.
    pub(super) text: String,
}

/// The parts that fit, in their order, with the others named before the last that is always there.
pub(super) fn fitting(parts: Vec<Part>) -> String {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|at| (parts[*at].weight, *at));
    let mut room = LIMIT - TOLD;
    let mut fits = vec![false; parts.len()];
    for at in order {
        let Part { weight, text, .. } = &parts[at];
        if *weight == Weight::Always || text.len() <= room {
            fits[at] = true;
            room = room.saturating_sub(text.len());
        }
    }
    let left_out = |scenarios: bool| -> Vec<&str> {
        let all =
            parts.iter().zip(&fits).filter(|(part, fits)| !**fits && (part.weight == Weight::Scenario) == scenarios);
        all.map(|(part, _)| part.title.as_str()).collect()
    };
    let mut told = String::new();
    let scenarios = left_out(true).len();
    if scenarios > 0 {
        told.push_str(&format!("_{scenarios} more scenarios do not fit a comment; they are in the HTML report._\n\n"));
    }
    let others = left_out(false).join(", ");
    if !others.is_empty() {
        let they = if scenarios > 0 {
            "Nor do these, which are there too"
        } else {
            "Not in this summary, but in the HTML report"
        };
        told.push_str(&format!("_{they}: {others}._\n\n"));
    }
    let last = parts.iter().rposition(|part| part.weight == Weight::Always).unwrap_or(0);
    let mut out = String::new();
    for (at, part) in parts.iter().enumerate() {
        if at == last {
            out.push_str(&told);
        }
        if fits[at] {
            out.push_str(&part.text);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(weight: Weight, title: &str, bytes: usize) -> Part {
        Part { weight, title: title.to_owned(), text: format!("{title}{}\n", ".".repeat(bytes)) }
    }

    #[test]
    fn what_weighs_less_is_left_out_and_named_and_the_order_stays() {
        let out = fitting(vec![
            part(Weight::Always, "head", 10),
            part(Weight::Third, "third", 30_000),
            part(Weight::First, "first", 40_000),
            part(Weight::Scenario, "small", 100),
            part(Weight::Scenario, "large", 50_000),
            part(Weight::Always, "tail", 10),
        ]);
        assert!(out.len() < LIMIT);
        let places: Vec<Option<usize>> =
            ["head.", "first.", "small.", "_1 more scenarios", "third._", "tail."].map(|text| out.find(text)).into();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
        assert!(!out.contains("third.\u{2e}") && !out.contains("large."));
    }

    #[test]
    fn where_all_fits_nothing_is_said() {
        assert_eq!(fitting(vec![part(Weight::Always, "a", 1), part(Weight::Third, "b", 1)]), "a.\nb.\n");
    }
}
