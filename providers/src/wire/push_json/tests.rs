use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;
use crate::wire::corpus;

/// Builds a value from events, by a stack; serde_json reads nothing but the numbers.
#[derive(Default)]
struct Builder {
    stack: Vec<(Value, Option<String>)>,
    text: String,
    root: Option<Value>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::BeginObject => self.stack.push((Value::Object(Map::new()), None)),
            Event::BeginArray => self.stack.push((Value::Array(Vec::new()), None)),
            Event::EndObject | Event::EndArray => {
                let (value, _) = self.stack.pop().unwrap();
                assert_eq!(value.is_object(), event == Event::EndObject);
                self.value(value);
            }
            Event::Name(piece, last) => {
                self.text += piece;
                if last {
                    self.stack.last_mut().unwrap().1 = Some(std::mem::take(&mut self.text));
                }
            }
            Event::Text(piece, last) | Event::Number(piece, last) => {
                self.text += piece;
                if last {
                    let text = std::mem::take(&mut self.text);
                    let number = matches!(event, Event::Number(..));
                    // A number too great for serde_json's types is JSON all the same.
                    self.value(if number { serde_json::from_str(&text).unwrap_or_default() } else { text.into() });
                }
            }
            Event::Bool(value) => self.value(value.into()),
            Event::Null => self.value(Value::Null),
        }
    }

    fn value(&mut self, value: Value) {
        match self.stack.last_mut() {
            None => self.root = Some(value),
            Some((Value::Array(items), _)) => items.push(value),
            Some((container, name)) => container[name.take().unwrap()] = value,
        }
    }
}

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, room: usize) -> Result<Value, JsonError> {
    let (mut reader, mut builder, mut scratch) = (PushJson::new(), Builder::default(), vec![0; room]);
    for piece in pieces {
        reader.push(piece, &mut scratch, &mut |event| builder.event(event))?;
    }
    reader.finish(&mut |event| builder.event(event))?;
    Ok(builder.root.unwrap())
}

/// Whole and cut at every byte, with no scratch and with some: always what serde_json says.
fn agrees(name: &str, bytes: &[u8]) {
    let expected: Option<Value> = serde_json::from_slice(bytes).ok();
    let whole = read([bytes], 64);
    assert_eq!(whole.as_ref().ok(), expected.as_ref(), "{name}: {whole:?}");
    for at in 0..=bytes.len() {
        for room in [0, 3, 64] {
            let (head, tail) = bytes.split_at(at);
            assert_eq!(read([head, tail], room), whole, "{name}, cut at {at}, room for {room}");
        }
    }
    assert_eq!(read(bytes.chunks(1), 5), whole, "{name}, byte by byte");
}

#[test]
fn our_answers_cut_at_every_byte() {
    for (name, body) in corpus::answers() {
        agrees(&name, &body);
    }
}

#[test]
fn recorded_answers_cut_anywhere() {
    for (name, body) in corpus::recorded(&["generate_", "error_", "count_", "vendor_"], "json") {
        let expected: Option<Value> = serde_json::from_slice(&body).ok();
        // Every byte of a body of megabytes would be hours: every byte of what is small, and a thousand places of what is not.
        for at in (0..=body.len()).step_by(body.len() / 1000 + 1) {
            let (head, tail) = body.split_at(at);
            assert_eq!(read([head, tail], 64).ok(), expected, "{name}, cut at {at}");
        }
    }
}

#[test]
fn odd_documents_are_judged_as_serde_json_judges_them() {
    for text in [
        "0",
        "-0",
        "01",
        "-",
        "1.",
        "1.5e",
        "1.5e+7",
        ".5",
        "+1",
        "1e5",
        "-x",
        "0x1",
        "1 2",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{1:2}",
        "{\"a\":1 \"b\":2}",
        "{\"a\" : [ ] , \"b\":{ } }",
        "[}",
        "{]",
        "]",
        "}",
        "[",
        "{",
        "\"",
        "\"\\",
        "tru",
        "truex",
        "true false",
        "nulll",
        "\"\u{7f}\"",
        "\"\t\"",
        "\"a\\u00e9\\ud83d\\udea2\"",
        " \r\n\t1 \n",
        "\u{feff}1",
        "'a'",
        "\"\\u12\"",
        "\"\\ud83d\\\"",
        "{\"\":{\"\":[[],{}]}}",
        "[1,-2.5E-3,true,false,null,\"x\"]",
        "é",
        "\u{c}1",
        "/**/1",
    ] {
        agrees(text, text.as_bytes());
    }
    for bytes in [
        &b"\"\xff\""[..],
        b"\"\xe2\x80\"",
        b"\"\xe2\x80",
        b"\"\xed\xa0\x80\"",
        b"\"\xf0\x9f\x9a\"",
        b"\xff",
        b"{\"\xc3\":1}",
    ] {
        agrees("not UTF-8", bytes);
    }
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    agrees("as deep as it may be", deep(127).as_bytes());
    assert_eq!(read([deep(128).as_bytes()], 0), Err(JsonError::TooDeep));
}

#[test]
fn a_string_without_escapes_is_not_copied_and_one_with_them_comes_in_one_piece() {
    let pieces = |text: &str| {
        let (mut count, mut inside, mut scratch) = (0, true, [0; 256]);
        let range = text.as_bytes().as_ptr_range();
        let mut event = |event: Event<'_>| {
            if let Event::Text(piece, _) = event {
                count += 1;
                inside &= range.contains(&piece.as_ptr());
            }
        };
        PushJson::new().push(text.as_bytes(), &mut scratch, &mut event).unwrap();
        (count, inside)
    };
    assert_eq!(pieces(&format!("\"{}\"", "x".repeat(1000))), (1, true));
    assert_eq!(pieces(r#""one\ntwo\nthree\u00e9\ud83d\udea2 \"four\"""#), (1, false));
}

/// JSON of any shape.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "[\u{0}-\u{20}\"\\\\é\u{2028}🚢]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec(("\\PC{0,6}", inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_document_in_any_pieces(json in any_json(), pretty in any::<bool>(), cuts in prop::collection::vec(0..600_usize, 0..10), room in 0..40_usize) {
        let text = if pretty { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) }.unwrap();
        let expected: Value = serde_json::from_str(&text).unwrap();
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(text.len())).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        prop_assert_eq!(read(cuts.windows(2).map(|cut| &text.as_bytes()[cut[0]..cut[1]]), room), Ok(expected));
    }

    #[test]
    fn damage_is_judged_as_serde_json_judges_it(json in any_json(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = json.to_string().into_bytes();
        let place = at.index(bytes.len());
        bytes[place] = byte;
        let whole = read([&bytes[..]], 16);
        let expected: Result<Value, _> = serde_json::from_slice(&bytes);
        // It refuses numbers that fit no type of its own.
        if !expected.as_ref().is_err_and(|error| error.to_string().contains("out of range")) {
            prop_assert_eq!(whole.as_ref().ok(), expected.as_ref().ok());
        }
        let (head, tail) = bytes.split_at(cut.index(bytes.len() + 1));
        prop_assert_eq!(read([head, tail], 16), whole);
    }
}
