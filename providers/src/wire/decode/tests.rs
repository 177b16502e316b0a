use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::types::GenerateContentResponse;
use crate::wire::corpus;

fn ours<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, DecodeError> {
    decode(&mut bytes.to_vec())
}

/// The same verdict and the same value as serde_json's, as an answer and as any JSON.
fn agrees(name: &str, bytes: &[u8]) {
    let value = ours::<Value>(bytes);
    assert_eq!(value.as_ref().ok(), serde_json::from_slice(bytes).ok().as_ref(), "{name}: {value:?}");
    let answer = ours::<GenerateContentResponse>(bytes);
    assert_eq!(answer.as_ref().ok(), serde_json::from_slice(bytes).ok().as_ref(), "{name}: {answer:?}");
}

#[test]
fn answers_are_what_serde_json_makes_of_them() {
    for (name, body) in
        corpus::answers().into_iter().chain(corpus::recorded(&["generate_", "error_", "vendor_"], "json"))
    {
        agrees(&name, &body);
    }
}

#[test]
fn every_beginning_of_an_answer_is_refused() {
    let (_, body) = corpus::answers().swap_remove(0);
    for at in 0..body.len() {
        assert!(ours::<Value>(&body[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn odd_documents_are_judged_as_serde_json_judges_them() {
    for text in [
        "0",
        "-0",
        "-0.0",
        "01",
        "-",
        "1.",
        "1.5e",
        "1.5e+7",
        "1e999",
        ".5",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "0.1",
        "123456789.123456789e-7",
        "1 2",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{1:2}",
        "{\"a\":1 \"b\":2}",
        "{\"a\" : [ ] , \"b\":{ } }",
        "[}",
        "{]",
        "[",
        "{",
        "\"",
        "\"\\",
        "\"\\\"",
        "tru",
        "truex",
        "nulll",
        "\"\\u00e9\\ud83d\\udea2\"",
        "\"\\ud83d\"",
        "\"\\ud83d\\u0041\"",
        "\"\\udea2\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\x\"",
        "\"\t\"",
        "{\"a\\n\":1}",
        "",
        " ",
        "null",
    ] {
        agrees(text, text.as_bytes());
    }
    for bytes in [&b"\"\xff\""[..], b"\"\\u00e9\xe2\x80\"", b"\xff", b"{\"\xc3\":1}"] {
        agrees("not UTF-8", bytes);
    }
    for depth in [127, 128, 100_000] {
        agrees("deep", format!("{}{}", "[".repeat(depth), "]".repeat(depth)).as_bytes());
    }
}

#[test]
fn strings_are_slices_of_the_buffer() {
    let mut bytes = *br#"["one\ntwo \u00e9\ud83d\udea2","plain"]"#;
    let range = bytes.as_ptr_range();
    let strings: Vec<&str> = decode(&mut bytes).unwrap();
    assert_eq!(strings, ["one\ntwo é🚢", "plain"]);
    assert!(strings.iter().all(|string| range.contains(&string.as_ptr())));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_damaged_answer_is_judged_alike(number in 0..8_usize, at in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 0..3)) {
        let (name, mut body) = corpus::answers().swap_remove(number);
        if !body.is_empty() {
            let at = at.index(body.len());
            body.splice(at..at + 1, bytes);
        }
        agrees(&name, &body);
    }

    #[test]
    fn any_string(text in "\\PC{0,30}", escapes in "[\u{0}-\u{20}\"\\\\🚢]{0,10}") {
        let json = serde_json::to_string(&format!("{text}{escapes}{text}")).unwrap();
        agrees("a string", json.as_bytes());
    }
}
