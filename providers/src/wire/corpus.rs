//! Bodies for the tests of this folder: a few of our own, always, and the recorded ones where they lie beside the project.

use std::fs;
use std::path::Path;

/// An answer of one candidate, as the API writes it.
fn answer(text: &str, finish: Option<&str>) -> String {
    let text = serde_json::to_string(text).unwrap();
    let finish = finish.map_or(String::new(), |reason| format!(r#""finishReason": "{reason}","#));
    format!(
        r#"{{"candidates": [{{"content": {{"parts": [{{"text": {text}}}],"role": "model"}},{finish}"index": 0}}],"usageMetadata": {{"promptTokenCount": 4,"totalTokenCount": 9}},"modelVersion": "gemini-2.5-flash"}}"#
    )
}

/// Streams of our own: name, bytes, and the data of each event that should come out.
pub(super) fn streams() -> Vec<(String, Vec<u8>, Vec<String>)> {
    let events = [
        answer("Es war \u{2028} einmal", None),
        answer("\u{85}\u{2029}\r\n\t\"ein\" \\ Schiff ⚓️ 🚢", None),
        answer("", Some("STOP")),
        answer("after the end", Some("STOP")),
    ];
    let framed = |before: &str, end: &str| {
        let body = events.iter().map(|event| format!("data:{before}{event}{end}{end}")).collect::<String>();
        (body.into_bytes(), events.to_vec())
    };
    let mut streams: Vec<(String, Vec<u8>, Vec<String>)> = [(" ", "\r\n"), (" ", "\n"), (" ", "\r"), ("", "\r\n")]
        .into_iter()
        .map(|(before, end)| {
            let (body, data) = framed(before, end);
            (format!("framed with {before:?} and {end:?}"), body, data)
        })
        .collect();
    let mut odd = |name: &str, body: &str, data: &[&str]| {
        streams.push((name.to_owned(), body.as_bytes().to_vec(), data.iter().map(|data| (*data).to_owned()).collect()));
    };
    odd("nothing", "", &[]);
    odd("empty lines", "\r\n\n\r\r\n", &[]);
    odd("a mark of byte order", "\u{feff}data: 1\n\n", &["1"]);
    odd("a mark of byte order in the second line", "data: 1\n\u{feff}data: 2\n\n", &["1"]);
    odd("comments and other fields", ": hi\r\nevent: x\r\nid: 7\r\nretry: 5\r\ndata: 1\r\n: hi\r\n\r\n", &["1"]);
    odd("lines that only begin like data", "database: 1\ndat: 2\ndata: 3\n\n", &["3"]);
    odd("several lines of data", "data: 1\r\ndata:2\r\ndata\r\ndata:  3\r\n\r\ndata: 4\n\n", &["1\n2\n\n 3", "4"]);
    odd("data that is empty", "data:\r\n\r\ndata: \n\ndata\n\ndata: 1\n\n", &["1"]);
    streams
}

/// Recorded bodies of the folders that `wanted` names by their beginning; none where there is no such folder.
pub(super) fn recorded(wanted: &[&str], extension: &str) -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/traffic");
    let Ok(folders) = fs::read_dir(root) else { return Vec::new() };
    let mut files: Vec<_> = folders
        .filter_map(|folder| folder.ok().map(|folder| folder.path()))
        .filter(|folder| {
            wanted
                .iter()
                .any(|wanted| folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(wanted)))
        })
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flat_map(|files| files.filter_map(|file| file.ok().map(|file| file.path())))
        .filter(|file| file.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files.into_iter().map(|file| (file.display().to_string(), fs::read(&file).unwrap())).collect()
}

/// Every recorded stream of server-sent events.
pub(super) fn recorded_streams() -> Vec<(String, Vec<u8>)> {
    let mut streams = recorded(&["stream_", "vendor_stream", "error_reconstructed"], "sse");
    // Where the recorder took the framing off, it is put back.
    streams.extend(recorded(&["chunks_"], "jsonl").into_iter().map(|(name, lines)| {
        let framed = |line: &[u8]| [b"data: ", line, b"\r\n\r\n"].concat();
        let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        (name, lines.flat_map(framed).collect())
    }));
    streams
}

/// Whole answers of our own, with what can be lifted and what looks like it.
pub(super) fn answers() -> Vec<(String, Vec<u8>)> {
    let long = "0123456789 \u{2028} ⚓️ \" \\ / \u{8}\u{c}\n\r\t\u{1}".repeat(40);
    let value = serde_json::json!({
        "candidates": [
            {"content": {"parts": [
                {"text": long, "thought": true, "thoughtSignature": "c2ln".repeat(100)},
                {"inlineData": {"data": "AAAA".repeat(100), "mimeType": "image/png"}},
                {"functionCall": {"name": "f", "args": {"text": "not lifted", "data": {"text": "deep"}}}, "thoughtSignature": "s"},
                {"text": "\u{0}0"}, {"text": ""}, {"hologram": {"text": "\u{0}1"}},
                {"text": "two kinds", "executableCode": {"code": "print('text')", "language": "PYTHON"}}
            ], "role": "model"}, "finishReason": "STOP", "index": 0},
            {"content": {"parts": [{"text": "second"}]}, "groundingMetadata": {"content": {"parts": [{"text": "a decoy"}]}}},
            {"text": "a decoy", "parts": [{"text": "a decoy"}]}
        ],
        "candidates2": [{"content": {"parts": [{"text": "a decoy"}]}}],
        "content": {"parts": [{"text": "a decoy"}]},
        "usageMetadata": {"promptTokenCount": 1}
    });
    let escaped = r#"{"candidates":[{"content":{"parts":[{"te\u0078t":"under an escaped name"},{"text":"\ud83d\udea2 \u00e9\u2028\/"}]}}]}"#;
    let twice = r#"{"candidates":[{"content":{"parts":[{"text":"a","text":"b"}]}}]}"#;
    let named = |name: &str, text: String| (name.to_owned(), text.into_bytes());
    vec![
        named("everything", value.to_string()),
        named("everything, indented", serde_json::to_string_pretty(&value).unwrap()),
        named("escapes", escaped.to_owned()),
        named("one name twice", twice.to_owned()),
        named("nothing", String::new()),
        named("empty", "{}".to_owned()),
        named("null", "null".to_owned()),
        named("an error", r#"{"error":{"code":500,"message":"x"}}"#.to_owned()),
        named(
            "null everywhere",
            r#"{"candidates":[{"content":{"parts":null}},{"content":null}],"promptFeedback":null}"#.to_owned(),
        ),
        named("too deep", format!("{}{}", "[".repeat(300), "]".repeat(300))),
        named("cut", value.to_string()[..500].to_owned()),
        named("more behind it", format!("{value} x")),
        named("wrong shapes", r#"{"candidates":{"a":{"content":{"parts":{"b":{"text":"x"}}}}}}"#.to_owned()),
    ]
    .into_iter()
    .chain(
        [
            r#""\ud83d""#,
            r#""\ud83dx""#,
            r#""\ud83d\n""#,
            r#""\ud83d\u0041""#,
            r#""\udea2""#,
            r#""\x""#,
            r#""\u12g4""#,
            "\"a\nb\"",
        ]
        .map(|text| named(text, format!(r#"{{"candidates":[{{"content":{{"parts":[{{"text":{text}}}]}}}}]}}"#))),
    )
    .chain([("not UTF-8".to_owned(), b"{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\xff\"}]}}]}".to_vec())])
    .collect()
}
