//! Which two spellings of JSON say the same, and what a visitor is told of an answer.

use serde_json::{Map, Value, json};

/// The spellings that are taken for the same, each with its reason. Whatever is not here must come back as it was served.
pub const SAME: [(&str, &str); 4] = [
    (
        "a member that is null, or an empty list, and one that is absent",
        "proto JSON writes a field that is not set in any of these ways; not within args and response, which are the user's JSON",
    ),
    ("numbers of one value (1, 1.0, 1e0)", "JSON has one kind of number"),
    (
        "fractions that are neighbours in 64 bits",
        "serde_json as it comes reads the 17th digit of a fraction to within one unit in the last place, and every level takes it as it comes",
    ),
    (
        "an error's text that is empty and one that is absent",
        "an error's fields are texts, and a refusal may lack any of them",
    ),
];

/// What is the user's own JSON: nothing in it is the same as anything else.
const FREE: [&str; 2] = ["args", "response"];

/// `value` in one spelling for all that are the same.
pub fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let free = |name: &String| FREE.contains(&name.as_str());
            let set = map.iter().filter(|(name, value)| free(name) || !value.is_null() && **value != json!([]));
            set.map(|(name, value)| (name.clone(), if free(name) { value.clone() } else { canonical(value) }))
                .collect::<Map<_, _>>()
                .into()
        }
        Value::Array(items) => items.iter().map(canonical).collect(),
        other => other.clone(),
    }
}

/// An error in one spelling.
pub fn canonical_error(error: &Value) -> Value {
    let mut error = canonical(error);
    if let Value::Object(map) = &mut error {
        map.retain(|_, value| value != "");
    }
    error
}

/// Whether two numbers have one value.
pub fn same_number(a: &serde_json::Number, b: &serde_json::Number) -> bool {
    let whole =
        |number: &serde_json::Number| number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| a == b || a.next_up() == b || a.next_down() == b),
    }
}

/// What of an answer a visitor is told: the rest of it stays untold, and nothing else may be told.
pub fn told(answer: &Value) -> Value {
    let candidates = answer.get("candidates").and_then(Value::as_array);
    let candidates: Vec<Value> = candidates.into_iter().flatten().map(told_candidate).collect();
    json!({
        "candidates": candidates,
        "promptFeedback": only(answer.get("promptFeedback"), &["blockReason"]).unwrap_or_else(|| json!({})),
        "usageMetadata": only(
            answer.get("usageMetadata"),
            &["promptTokenCount", "cachedContentTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount"],
        ),
    })
}

fn told_candidate(candidate: &Value) -> Value {
    let parts = candidate.pointer("/content/parts").and_then(Value::as_array);
    let parts: Vec<Value> = parts.into_iter().flatten().map(told_part).collect();
    let reason = candidate.get("finishReason");
    // A visitor is told the reason as it is written, a number included.
    let reason = reason.filter(|reason| !reason.is_null()).map(|reason| match reason {
        Value::Number(number) => Value::from(number.to_string()),
        named => named.clone(),
    });
    json!({"content": {"parts": parts}, "finishReason": reason, "index": candidate.get("index")})
}

fn told_part(part: &Value) -> Value {
    let mut told = Map::new();
    for name in ["text", "thoughtSignature"] {
        told.extend(part.get(name).filter(|text| text.is_string()).map(|text| (name.to_owned(), text.clone())));
    }
    // It is told as a yes or no, and no is what is not said.
    if part.get("thought") == Some(&Value::Bool(true)) {
        told.insert("thought".to_owned(), true.into());
    }
    told.extend(only(part.get("inlineData"), &["data"]).map(|blob| ("inlineData".to_owned(), blob)));
    if let Some(mut call) = only(part.get("functionCall"), &["id", "name", "args"]) {
        // It is told an empty name where there is none: in a call that comes in pieces.
        if let Some(call) = call.as_object_mut().filter(|call| call.get("name") == Some(&"".into())) {
            call.remove("name");
        }
        told.insert("functionCall".to_owned(), call);
    }
    told.into()
}

fn only(value: Option<&Value>, names: &[&str]) -> Option<Value> {
    let map = value?.as_object()?;
    let kept = names.iter().filter_map(|name| Some(((*name).to_owned(), map.get(*name)?.clone())));
    Some(kept.collect::<Map<_, _>>().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_left_out_but_not_of_what_is_the_users() {
        let value = json!({"a": null, "b": [], "c": {"d": null}, "e": [null, []], "args": {"f": null, "g": []}});
        assert_eq!(canonical(&value), json!({"c": {}, "e": [null, []], "args": {"f": null, "g": []}}));
        assert_eq!(canonical(&json!({"args": null, "response": []})), json!({"args": null, "response": []}));
    }

    #[test]
    fn numbers_of_one_value_are_the_same_and_large_ones_are_not_rounded() {
        let number = |text: &str| serde_json::from_str::<serde_json::Number>(text).unwrap();
        assert!(same_number(&number("1"), &number("1.0")) && same_number(&number("-0.0"), &number("0")));
        assert!(same_number(&number("-18.224568342149926"), &number("-18.22456834214993")));
        assert!(!same_number(&number("-18.224568342149926"), &number("-18.224568342149933")));
        assert!(!same_number(&number("9007199254740993"), &number("9007199254740992")));
        assert!(!same_number(&number("18446744073709551615"), &number("18446744073709551614")));
    }

    #[test]
    fn a_visitor_is_told_of_a_part_of_an_answer() {
        let answer = json!({
            "candidates": [{
                "content": {"parts": [
                    {"text": "t", "thought": true, "new": 1}, {"inlineData": {"data": "AA", "mimeType": "a/b"}},
                    {"functionCall": {"name": "f", "args": {"x": null}, "new": 1}}, {"hologram": {}}
                ], "role": "model"},
                "finishReason": 7, "index": 2, "safetyRatings": []
            }],
            "usageMetadata": {"totalTokenCount": 3, "promptTokensDetails": []}, "modelVersion": "m"
        });
        let told = canonical(&told(&answer));
        assert_eq!(
            told,
            json!({
                "candidates": [{
                    "content": {"parts": [
                        {"text": "t", "thought": true}, {"inlineData": {"data": "AA"}},
                        {"functionCall": {"name": "f", "args": {"x": null}}}, {}
                    ]},
                    "finishReason": "7", "index": 2
                }],
                "promptFeedback": {}, "usageMetadata": {"totalTokenCount": 3}
            })
        );
    }
}
