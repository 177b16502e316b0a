//! A function's name short enough for a table: without the types that it is generic over, and without the path before its type.

/// `GeminiProvider::generate` of `<a::b::GeminiProvider as a::Provider>::generate`, `Vec::push` of `alloc::vec::Vec<T,A>::push`.
pub(crate) fn short(function: &str) -> String {
    let mut parts = parts(function);
    let last = parts.pop().unwrap_or_default();
    match parts.pop() {
        None => last,
        Some(before) => format!("{before}::{last}"),
    }
}

/// The same for the name of a root or a crate, which may be a function's or none.
pub(crate) fn short_of_root(name: &str) -> String {
    if name.contains("::") { short(name) } else { name.to_owned() }
}

/// The parts of its path. `<A as B>` and `<impl A for B>` are one part: of the first, what `A` ends with; of the second, what `B` does.
fn parts(path: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut depth = 0_usize;
    let mut from = 0;
    let bytes = path.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'<' | b'(' | b'[' | b'{' => depth += 1,
            // Not of `->`.
            b'>' if at > 0 && bytes[at - 1] == b'-' => {}
            b'>' | b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b':' if depth == 0 && bytes.get(at + 1) == Some(&b':') => {
                parts.extend(part(&path[from..at], from == 0));
                at += 1;
                from = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.extend(part(&path[from..], from == 0));
    parts
}

fn part(part: &str, first: bool) -> Option<String> {
    let inside = part.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let Some(inside) = inside else {
        let name = part.split('<').next().unwrap_or(part).trim();
        return (!name.is_empty() && name != "_").then(|| name.to_owned());
    };
    let of = match (inside.strip_prefix("impl "), outside(inside, " as ")) {
        (Some(rest), _) => outside(rest, " for ").map_or(rest, |(_, of)| of),
        (None, Some((of, _))) => of,
        (None, None) if first => inside,
        // `drop_in_place::<Vec<u8>>`: what it is generic over is no part.
        (None, None) => return None,
    };
    let of = of
        .trim_start_matches(['&', '*'])
        .trim_start_matches("mut ")
        .trim_start_matches("const ")
        .trim_start_matches("dyn ");
    match of.starts_with('[') || of.starts_with('(') {
        true => Some(of.to_owned()),
        false => parts(of).pop(),
    }
}

/// Splits at the first `word` that is inside of no brackets.
fn outside<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '<' | '(' | '[' | '{' => depth += 1,
            '>' | ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 && text[at..].starts_with(word) => return Some((&text[..at], &text[at + word.len()..])),
            _ => {}
        }
    }
    None
}

/// The whole name, or as much of it as is of use to somebody who points at it.
pub(crate) fn cut(name: &str) -> String {
    const LONGEST: usize = 120;
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    name.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_its_type_and_its_function() {
        for (function, name) in [
            ("plimsoll_providers::gemini_original::GeminiProvider::post", "GeminiProvider::post"),
            (
                "<plimsoll_providers::gemini_original::GeminiProvider as plimsoll_providers::provider::Provider>::generate",
                "GeminiProvider::generate",
            ),
            ("alloc::vec::Vec<T,A>::extend_from_slice", "Vec::extend_from_slice"),
            ("<alloc::vec::Vec<u8>>::with_capacity", "Vec::with_capacity"),
            (
                "<&mut serde_json::de::Deserializer<R> as serde_core::de::Deserializer>::deserialize_map",
                "Deserializer::deserialize_map",
            ),
            ("alloc::slice::<impl [T]>::to_vec", "[T]::to_vec"),
            ("core::ptr::drop_in_place::<alloc::vec::Vec<u8>>", "ptr::drop_in_place"),
            (
                "plimsoll_providers::types::content::_::<impl serde_core::de::Deserialize for plimsoll_providers::types::content::Content>::deserialize",
                "Content::deserialize",
            ),
            (
                "<<a::_::<impl x::D for a::b::Answer>::deserialize::__Visitor as x::V>::visit_map::__DeserializeWith as x::D>::deserialize",
                "__DeserializeWith::deserialize",
            ),
            ("serde_json::from_slice", "serde_json::from_slice"),
            ("main", "main"),
            ("a::b::{{closure}}", "b::{{closure}}"),
            ("", ""),
            ("::::", ""),
        ] {
            assert_eq!(short(function), name, "{function}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_name_is_it_has_a_short_form(function in "[a-z<>:(\\[\\])&é -]{0,60}") {
            let shown = short(&function);
            proptest::prop_assert!(shown.len() <= function.len() + 2, "{shown}");
        }
    }
}
