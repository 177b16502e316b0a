use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::types::{Data, GenerateContentResponse};
use crate::wire::corpus;

/// What was told, by candidate.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    texts: Vec<(String, bool)>,
    signature: String,
    data: String,
    calls: Vec<(Option<String>, String, Option<Value>)>,
    finishes: Vec<(usize, String)>,
    indexes: Vec<Option<u64>>,
    blocked: String,
    total: Option<u64>,
    text: String,
}

impl Visitor for Heard {
    fn text(&mut self, _: usize, piece: &str) {
        self.text += piece;
    }

    fn signature(&mut self, _: usize, piece: &str) {
        self.signature += piece;
    }

    fn inline_data(&mut self, _: usize, piece: &str) {
        self.data += piece;
    }

    fn function_call(&mut self, _: usize, call: Call<'_>) {
        let args = call.args.map(|args| serde_json::from_str(args).unwrap());
        self.calls.push((call.id.map(str::to_owned), call.name.to_owned(), args));
    }

    fn part_end(&mut self, _: usize, thought: bool) {
        self.texts.push((std::mem::take(&mut self.text), thought));
    }

    fn finish(&mut self, candidate: usize, reason: &str) {
        self.finishes.push((candidate, reason.to_owned()));
    }

    fn candidate_end(&mut self, _: usize, index: Option<u64>) {
        self.indexes.push(index);
    }

    fn blocked(&mut self, reason: &str) {
        self.blocked += reason;
    }

    fn usage(&mut self, usage: Usage) {
        self.total = usage.total;
    }
}

fn tell<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<(Heard, Told), JsonError> {
    let (mut teller, mut kept, mut heard) = (Teller::default(), Vec::new(), Heard::default());
    for piece in pieces {
        teller.push(piece, &mut kept, &mut heard)?;
    }
    let told = teller.finish(&mut kept, &mut heard)?;
    Ok((heard, told))
}

fn rich() -> String {
    let args =
        json!({"text": "x\n\"\u{1}é", "args": [1, -2.5, {"a": null, "b": [true, false, [], {}]}], "name": "decoy"});
    json!({"candidates": [
        {"content": {"role": "model", "parts": [
            {"text": "hm \u{2028}\n", "thought": true, "thoughtSignature": "c2ln"},
            {"text": "one\ntwo ⚓️"},
            {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
            {"functionCall": {"id": "7", "name": "f", "args": args}},
            {"functionCall": {"name": "g", "args": null}},
            {"functionCall": {"name": "h"}},
            {"hologram": {"text": "a decoy", "parts": [{"text": "a decoy"}]}}
        ]}, "finishReason": "STOP", "index": 1, "groundingMetadata": {"finishReason": "a decoy", "deep": [[[[[[[{"text": "a decoy"}]]]]]]]}},
        {"content": {"parts": [{"text": "second"}]}, "finishReason": 7}
    ], "usageMetadata": {"totalTokenCount": 42, "promptTokensDetails": [{"totalTokenCount": 1}]}, "text": "a decoy"})
    .to_string()
}

#[test]
fn everything_is_told_wherever_it_is_cut() {
    let body = rich();
    let (heard, told) = tell([body.as_bytes()]).unwrap();
    assert_eq!(told, Told::Answer { finished: true });
    // The reading by serde is the measure.
    let answer: GenerateContentResponse = serde_json::from_str(&body).unwrap();
    let parts = answer.candidates.iter().flat_map(|candidate| &candidate.content.as_ref().unwrap().parts);
    let texts: Vec<_> =
        parts.clone().map(|part| (part.as_text().unwrap_or_default().to_owned(), part.is_thought())).collect();
    assert_eq!(heard.texts, texts);
    let calls: Vec<_> = parts
        .filter_map(|part| match &part.data {
            Data::FunctionCall(call) => Some((call.id.clone(), call.name.clone(), call.args.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(heard.calls, calls);
    assert_eq!((&*heard.signature, &*heard.data, heard.total), ("c2ln", "AAAA", Some(42)));
    assert_eq!(heard.finishes, [(0, "STOP".to_owned()), (1, "7".to_owned())]);
    assert_eq!(heard.indexes, [Some(1), None]);
    for at in 0..=body.len() {
        let (head, tail) = body.as_bytes().split_at(at);
        assert_eq!(tell([head, tail]).unwrap().0, heard, "cut at {at}");
    }
    assert_eq!(tell(body.as_bytes().chunks(1)).unwrap().0, heard);
}

#[test]
fn refusals_blocks_and_foreign_documents() {
    let refusal = r#"{"error": {"code": 503, "message": "over\"loaded", "status": "UNAVAILABLE", "details": [{"@type": "x", "a": [1]}]}}"#;
    for at in 0..=refusal.len() {
        let (head, tail) = refusal.as_bytes().split_at(at);
        let Told::Refusal(error) = tell([head, tail]).unwrap().1 else { panic!("cut at {at}") };
        assert_eq!(Some(*error), ApiError::from_json(refusal.as_bytes()), "cut at {at}");
    }
    assert!(matches!(tell([&br#"{"error":"boom"}"#[..]]).unwrap().1, Told::Refusal(_)));
    assert_eq!(tell([&br#"{"error":null}"#[..]]).unwrap().1, Told::Answer { finished: false });
    let (heard, told) = tell([&br#"{"promptFeedback":{"blockReason":"SAFETY"}}"#[..]]).unwrap();
    assert_eq!((&*heard.blocked, told), ("SAFETY", Told::Answer { finished: true }));
    for foreign in ["[]", "null", "7", "[{\"candidates\":[]}]"] {
        assert_eq!(tell([foreign.as_bytes()]).unwrap(), (Heard::default(), Told::Foreign), "{foreign}");
    }
    assert_eq!(tell([&b"{\"candidates\":"[..]]), Err(JsonError::Cut));
}

#[test]
fn texts_of_our_answers_are_those_that_serde_reads() {
    for (name, body) in corpus::answers() {
        let (Ok(answer), Ok((heard, _))) =
            (serde_json::from_slice::<GenerateContentResponse>(&body), tell([&body[..]]))
        else {
            continue;
        };
        let parts = answer
            .candidates
            .iter()
            .filter_map(|candidate| candidate.content.as_ref())
            .flat_map(|content| &content.parts);
        // A member that comes twice is told twice.
        if name != "one name twice" {
            let told: Vec<_> = heard.texts.iter().map(|(text, _)| &**text).collect();
            // A text beside another kind of data is told as a text; the types keep it apart.
            let beside =
                |part: &'_ crate::types::Part| part.extra.get("text").and_then(Value::as_str).map(str::to_owned);
            let read: Vec<_> = parts
                .map(|part| part.as_text().map(str::to_owned).or_else(|| beside(part)).unwrap_or_default())
                .collect();
            assert_eq!(told, read, "{name}");
        }
    }
}

proptest! {
    #[test]
    fn any_cuts_tell_the_same(cuts in prop::collection::vec(0..1500_usize, 0..12)) {
        let body = rich();
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(body.len())).chain([0, body.len()]).collect();
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &body.as_bytes()[cut[0]..cut[1]]);
        prop_assert_eq!(tell(pieces).unwrap().0, tell([body.as_bytes()]).unwrap().0);
    }
}
