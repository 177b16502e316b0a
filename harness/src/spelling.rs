//! What somebody may have meant by a name that is none.

use std::collections::BTreeSet;

use plimsoll_reports::cell;
use plimsoll_reports::record::Cell;

/// The known word that is spelled most like this one, if any is near.
pub(crate) fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distances = known.into_iter().map(|word| (strsim::damerau_levenshtein(unknown, word), word));
    let near = |(distance, word): &(usize, &str)| *distance <= word.len().max(4) / 2;
    distances.min().filter(near).map(|(_, word)| word)
}

/// `; did you mean …?` for the nearest of the known words, or nothing if none is near.
pub(crate) fn suggest(unknown: &str, known: &[String]) -> String {
    let nearest = nearest(unknown, known.iter().map(String::as_str));
    nearest.map(|word| format!("; did you mean {word:?}?")).unwrap_or_default()
}

/// What a pattern that means none of these cells may have been meant to be: itself, with each of its words that is a part of none spelled as
/// the part that is like it; or, where they are parts but of no one cell, the cell that has the most of them.
pub(crate) fn nearest_cell(pattern: &str, cells: &[&Cell]) -> Option<String> {
    let parts: BTreeSet<String> =
        cells.iter().flat_map(|cell| cell::name(cell).split('/').map(str::to_owned).collect::<Vec<_>>()).collect();
    let mend = |word| {
        let is_part = cells.iter().any(|cell| cell::is_meant(word, cell));
        if is_part { Some(word) } else { nearest(word, parts.iter().map(String::as_str)) }
    };
    let words: Vec<Option<&str>> = pattern.split('/').filter(|word| !word.is_empty()).map(mend).collect();
    let has = |cell: &Cell, word: &Option<&str>| word.is_some_and(|word| cell::is_meant(word, cell));
    // How many of the words it has, and which: the first say most. Of several cells it is the first: they are in the order of reports.
    let shared = |cell: &&&Cell| {
        let which: Vec<bool> = words.iter().map(|word| has(cell, word)).collect();
        (which.iter().filter(|has| **has).count(), which)
    };
    let best = cells.iter().rev().max_by_key(shared)?;
    match shared(&best).0 {
        0 => None,
        all if all == words.len() => Some(words.into_iter().flatten().collect::<Vec<_>>().join("/")),
        _ => Some(cell::name(best)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_mended_word_by_word_or_led_to_the_cell_that_has_the_most_of_it() {
        let of = |subject: &str, scenario: &str, probe: &str| Cell {
            subject: subject.to_owned(),
            scenario: scenario.to_owned(),
            probe: probe.to_owned(),
            factors: [("protocol".to_owned(), "h1".to_owned())].into(),
        };
        let all = [of("original", "chat", "count"), of("ultra", "chat", "rss"), of("ultra", "stream", "count")];
        let cells: Vec<&Cell> = all.iter().collect();
        for (pattern, nearest) in [
            ("ulra", Some("ultra")),
            ("orignal/chta/count", Some("original/chat/count")),
            ("ultra/protocol=h2", Some("ultra/protocol=h1")),
            ("ultra/chat/count", Some("ultra/chat/rss/protocol=h1")),
            ("something-else-altogether", None),
        ] {
            assert_eq!(nearest_cell(pattern, &cells).as_deref(), nearest, "{pattern}");
        }
    }
}
