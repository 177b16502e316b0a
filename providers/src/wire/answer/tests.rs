use super::*;
use crate::wire::corpus;

/// What a stream delivers and how it ends.
fn run(body: &str, max_event: usize) -> (String, Result<(), Error>) {
    let mut text = String::new();
    let mut events = EventStream::new(StreamForm::Sse, Vec::new(), max_event, typed);
    let mut on_event = |event: &GenerateContentResponse| {
        text.push_str(&event.text());
        ControlFlow::Continue(())
    };
    let end = events.push(body.as_bytes(), &mut on_event).and_then(|_| events.finish(&mut on_event));
    (text, end)
}

const FIRST: &str = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"one\"}]}}]}\r\n\r\n";
const STOP: &str =
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"two\"}]},\"finishReason\":\"STOP\"}]}\r\n\r\n";

#[test]
fn a_finish_reason_before_the_last_event_is_no_end() {
    let (text, end) = run(&format!("{STOP}{FIRST}"), 1000);
    assert_eq!(text, "twoone");
    end.unwrap();
}

#[test]
fn no_finish_reason_is_an_error() {
    for body in ["", FIRST, "data: {}\n\n"] {
        assert!(matches!(run(body, 1000).1, Err(Error::Truncated)), "{body:?}");
    }
}

#[test]
fn an_event_that_breaks_off_is_a_cut_not_bad_json() {
    let (text, end) = run(&format!("{FIRST}{}", &STOP[..STOP.len() - 10]), 1000);
    assert_eq!(text, "one");
    assert!(matches!(end, Err(Error::Truncated)), "{end:?}");
}

#[test]
fn a_last_event_without_its_empty_line_counts() {
    let (text, end) = run(STOP.trim_end(), 1000);
    assert_eq!(text, "two");
    end.unwrap();
}

#[test]
fn a_blocked_prompt_is_an_end() {
    run("data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\r\n\r\n", 1000).1.unwrap();
}

#[test]
fn errors_in_mid_stream_come_in_two_forms() {
    let bare = "{\n  \"error\": {\n    \"code\": 503,\n    \"message\": \"overloaded\",\n    \"status\": \"UNAVAILABLE\"\n  }\n}\n";
    let event = "data: {\"error\":{\"code\":503,\"message\":\"overloaded\",\"status\":\"UNAVAILABLE\"}}\r\n\r\n";
    for tail in [bare.to_owned(), format!("[{bare}]"), event.to_owned(), event.trim_end().to_owned()] {
        for before in [FIRST, STOP] {
            let (_, end) = run(&format!("{before}{tail}"), 1000);
            let error = end.unwrap_err();
            let api = error.api().unwrap();
            assert_eq!((api.code, &*api.status, &*api.message), (503, "UNAVAILABLE", "overloaded"), "{tail}");
        }
    }
}

#[test]
fn what_is_no_stream_says_so() {
    let array = "[{\"candidates\":[{\"finishReason\":\"STOP\"}]}]";
    assert!(matches!(run(array, 1000).1, Err(Error::Answer { .. })));
    assert!(matches!(run("data: <html>\n\n", 1000).1, Err(Error::Answer { .. })));
    assert!(matches!(run("<html>\n<body>\n", 1000).1, Err(Error::Truncated)));
}

#[test]
fn an_event_over_the_limit_names_the_limit() {
    let error = run(STOP, 40).1.unwrap_err();
    assert!(matches!(error, Error::TooLong { limit: 40, what: Limited::Event }), "{error:?}");
}

#[test]
fn a_break_ends_without_an_error_and_without_more() {
    let mut seen = 0;
    let mut events = EventStream::new(StreamForm::Sse, Vec::new(), 1000, typed);
    let flow = events.push(format!("{FIRST}{STOP}").as_bytes(), &mut |_: &GenerateContentResponse| {
        seen += 1;
        ControlFlow::Break(())
    });
    assert!(flow.unwrap().is_break());
    assert_eq!(seen, 1);
}

#[test]
fn both_ways_of_parsing_agree_on_every_answer() {
    let recorded = corpus::recorded(&["generate_", "vendor_unary", "error_"], "json");
    for (name, body) in corpus::answers().into_iter().chain(recorded) {
        match (typed(&body), by_value(&body)) {
            (Ok(typed), Ok(by_value)) => assert_eq!(typed, by_value, "{name}"),
            (Err(_), Err(_)) => {}
            (typed, by_value) => panic!("{name}: {typed:?} and {by_value:?}"),
        }
    }
}

#[test]
fn every_recorded_answer_comes_back_equal_in_value() {
    let streamed = corpus::recorded(&["stream_", "vendor_stream"], "sse").into_iter().flat_map(|(name, body)| {
        let body = String::from_utf8(body).unwrap();
        let events: Vec<_> =
            body.lines().filter_map(|line| line.strip_prefix("data: ")).map(|data| data.as_bytes().to_vec()).collect();
        events.into_iter().map(move |event| (name.clone(), event))
    });
    for (name, body) in corpus::recorded(&["generate_", "vendor_unary"], "json").into_iter().chain(streamed) {
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let read = typed(&body).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (written, value) = (without_empty(serde_json::to_value(read).unwrap()), without_empty(value));
        assert_eq!(written, value, "{name}");
    }
}

/// Empty lists and absent ones mean the same and are written the same, and so is a content that is null.
fn without_empty(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value::{Array, Object};
    match value {
        Object(map) => map
            .into_iter()
            .map(|(name, value)| (name, without_empty(value)))
            .filter(|(name, value)| {
                let empty = matches!(value, Array(items) if items.is_empty());
                let null = name == "content" && value.is_null();
                !empty && !null
            })
            .collect(),
        Array(items) => items.into_iter().map(without_empty).collect(),
        other => other,
    }
}
