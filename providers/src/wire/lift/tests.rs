use proptest::prelude::*;

use super::*;
use crate::wire::answer::typed;
use crate::wire::corpus;

fn lift<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Result<GenerateContentResponse, LiftError> {
    let mut lifter = Lifter::new(Vec::new());
    for chunk in chunks {
        lifter.push(chunk)?;
    }
    lifter.finish()
}

/// What serde_json makes of the whole body is what the lifter must make of its pieces.
fn assert_same(name: &str, body: &[u8], read: Result<GenerateContentResponse, LiftError>) {
    match (typed(body), read) {
        (Ok(expected), Ok(read)) => assert_eq!(read, expected, "{name}"),
        (Err(_), Err(_)) => {}
        (expected, read) => panic!("{name}: {expected:?} became {read:?}"),
    }
}

#[test]
fn every_body_cut_at_every_byte_is_the_same() {
    for (name, body) in corpus::answers() {
        for at in 0..=body.len() {
            assert_same(&name, &body, lift([&body[..at], &body[at..]]));
        }
        assert_same(&name, &body, lift(body.chunks(1)));
    }
}

#[test]
fn every_recorded_body_in_small_pieces_is_the_same() {
    for (name, body) in corpus::recorded(&["generate_", "vendor_unary", "error_"], "json") {
        for size in [1, 7, 1000] {
            assert_same(&name, &body, lift(body.chunks(size)));
        }
    }
}

#[test]
fn a_long_text_is_not_in_the_skeleton() {
    let text = "x".repeat(100_000);
    let body = serde_json::json!({"candidates": [{"content": {"parts": [{"text": text}]}}]}).to_string();
    let mut lifter = Lifter::new(Vec::new());
    lifter.push(body.as_bytes()).unwrap();
    assert!(lifter.skeleton.len() < 100, "{}", String::from_utf8_lossy(&lifter.skeleton));
    let answer = lifter.finish().unwrap();
    assert_eq!(answer.text(), text);
    let Data::Text(text) = &answer.candidates[0].content.as_ref().unwrap().parts[0].data else { panic!() };
    assert!(text.capacity() < 113_000, "the string keeps {} bytes", text.capacity());
}

proptest! {
    #[test]
    fn any_text_in_any_spelling_cut_anywhere_is_the_same(
        text in ".{0,60}", escape in any::<bool>(), cuts in proptest::collection::vec(0_usize..400, 0..6)
    ) {
        let quoted = if escape {
            text.encode_utf16().fold("\"".to_owned(), |quoted, unit| format!("{quoted}\\u{unit:04x}")) + "\""
        } else {
            serde_json::to_string(&text).unwrap()
        };
        let body = format!(r#"{{"candidates": [{{"content": {{"parts": [{{"text": {quoted}, "thoughtSignature": {quoted}}}]}}}}]}}"#);
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(body.len())).chain([0, body.len()]).collect();
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &body.as_bytes()[cut[0]..cut[1]]);
        prop_assert_eq!(lift(pieces).unwrap().text(), text);
    }
}
