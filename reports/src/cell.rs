//! What a cell is called, and patterns that say which cells are meant.

use std::fmt::Write as _;

use crate::record::Cell;

/// A cell's name: `original/chat/rss/allocator=system/protocol=h1`.
#[must_use]
pub fn name(cell: &Cell) -> String {
    let mut name = format!("{}/{}/{}", cell.subject, cell.scenario, cell.probe);
    for (factor, value) in &cell.factors {
        let _ = write!(name, "/{factor}={value}");
    }
    name
}

/// Whether two cells are the same work: alike but for the probe, and for the allocator, which some probes bring along.
#[must_use]
pub fn is_same_work(one: &Cell, other: &Cell) -> bool {
    fn rest(cell: &Cell) -> impl Iterator<Item = (&String, &String)> {
        cell.factors.iter().filter(|(factor, _)| factor.as_str() != "allocator")
    }
    (&one.subject, &one.scenario) == (&other.subject, &other.scenario) && rest(one).eq(rest(other))
}

/// Whether a pattern means this cell: each of its words, with `/` between, is a part of the cell's name; `*` stands for anything within a
/// part. `ultra/chat` means every probe and factor of that subject and scenario, a cell's own name that cell alone, and nothing means all.
#[must_use]
pub fn is_meant(pattern: &str, cell: &Cell) -> bool {
    let name = name(cell);
    let is_part = |word: &str| name.split('/').any(|part| matches(word, part));
    pattern.split('/').filter(|word| !word.is_empty()).all(is_part)
}

/// Whether a word is a part of a name: the same, or the same but for what its `*` stands for.
fn matches(word: &str, part: &str) -> bool {
    let Some((head, tail)) = word.split_once('*') else { return word == part };
    part.strip_prefix(head).is_some_and(|rest| {
        if tail.is_empty() {
            true
        } else {
            (0..=rest.len()).any(|at| rest.is_char_boundary(at) && matches(tail, &rest[at..]))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_parts_and_a_whole_name_one_cell() {
        let factors = [("protocol", "h1"), ("runtime", "current_thread")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        let cell = Cell {
            subject: "ultra".into(),
            scenario: "chat-20x".into(),
            probe: "rss".into(),
            factors: factors.into_iter().collect(),
        };
        assert_eq!(name(&cell), "ultra/chat-20x/rss/protocol=h1/runtime=current_thread");
        for meant in ["", "ultra", "ultra/chat-20x/rss", "chat-*/rss", "*=h1", &name(&cell)] {
            assert!(is_meant(meant, &cell), "{meant}");
        }
        for (word, part, expected) in [
            ("chat", "chat", true),
            ("chat", "chat-20x", false),
            ("chat*", "chat-20x", true),
            ("*20x", "chat-20x", true),
            ("c*-*x", "chat-20x", true),
            ("c*y", "chat-20x", false),
        ] {
            assert_eq!(matches(word, part), expected, "{word} {part}");
        }
        for other in ["ultr", "ultra/chat", "ultra/chat/rss", "h1", "protocol=h2", "count"] {
            assert!(!is_meant(other, &cell), "{other}");
        }
    }
}
