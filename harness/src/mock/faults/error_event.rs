use bytes::Bytes;

use crate::corpus::{self, Call};
use crate::mock::events::{Form, pieces};

/// The first half of the events, and then the service's 503 under HTTP 200: framed as an event, or bare where an event should
/// begin. A whole answer is the error and nothing else.
pub(in crate::mock) fn error_event(body: &Bytes, form: Form, framed: bool) -> Bytes {
    let error = corpus::reply("error-503").map(|reply| reply.served(Call::Unary).body).unwrap_or_default();
    let events = pieces(body, form);
    let said = events[..events.len() / 2].concat();
    match form {
        Form::Whole => error,
        // In an array there is one way to say it.
        Form::Array => [&said[..], &error, b"]"].concat().into(),
        Form::Sse if framed => {
            let line: Vec<u8> = error.split(|byte| *byte == b'\n').flat_map(<[u8]>::trim_ascii).copied().collect();
            [&said[..], b"data: ", &line, b"\r\n\r\n"].concat().into()
        }
        Form::Sse => [&said[..], &error].concat().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_answer_is_followed_by_an_error() {
        for (call, framed, last) in
            [(Call::Sse, true, "data: {\"error\""), (Call::Sse, false, "{\n"), (Call::Array, true, "{\n")]
        {
            let served = corpus::reply("stream").unwrap().served(call);
            let form = Form::of(served.content_type, Some(call));
            let body = error_event(&served.body, form, framed);
            let half = pieces(&served.body, form)[..6].concat();
            assert!(body.starts_with(&half) && body[half.len()..].starts_with(last.as_bytes()), "{call:?} {framed}");
            if call == Call::Array {
                let values: Vec<serde_json::Value> = serde_json::from_slice(&body).unwrap();
                assert_eq!(values.last().unwrap().pointer("/error/code"), Some(&503.into()));
            }
        }
    }
}
