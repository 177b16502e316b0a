//! A verdict read back from a file that anybody may have written.

use plimsoll_reports::gate::show::{self, Context, VerdictError};
use serde_json::{Value, json};

use crate::made::*;
use crate::outputs::{broken, context, failing, hostile, passing};

#[test]
fn what_was_written_reads_and_renders_the_same() {
    for verdict in [failing(), passing(), first(&side(MADE), &broken()), hostile()] {
        let written = show::json(&verdict);
        let read = show::read(written.as_bytes()).unwrap();
        assert_eq!(show::json(&read), written);
        for earlier in [false, true] {
            assert_eq!(show::comment(&read, &context(), earlier), show::comment(&verdict, &context(), earlier));
        }
        assert_eq!(show::annotations(&read), show::annotations(&verdict));
    }
}

/// The failing verdict as it is written, `from`, with one value replaced.
fn with(from: &Value, pointer: &str, value: Value) -> Result<String, VerdictError> {
    let mut document = from.clone();
    *document.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
    let bytes = serde_json::to_vec(&document).unwrap();
    show::read(&bytes).map(|verdict| show::comment(&verdict, &context(), false))
}

#[test]
fn what_is_not_of_the_schema_is_refused_with_its_place() {
    let row = "/rows/0";
    let from: Value = serde_json::from_str(&show::json(&failing())).unwrap();
    for (pointer, value, says) in [
        ("/outcome", json!("GREAT"), "`outcome`"),
        ("/exit_code", json!(0), "its outcome FAIL ends with 1"),
        ("/rows", json!({}), "`rows`"),
        ("/base/started", json!("yesterday"), "`base.started`"),
        ("/rows/0/state", json!("splendid"), "`rows[0].state`"),
        ("/rows/0/figure", json!("everything"), "`rows[0].figure`"),
        ("/rows/0/unit", json!("count"), "`rows[0].unit`"),
        ("/rows/0/base", json!(1e300), "`rows[0].base`: is beyond 2^53"),
        ("/rows/0/smallest", json!({ "kind": "over", "value": null }), "`rows[0].smallest`"),
        ("/rows/3/blame/by", json!("by hearsay"), "`rows[3].blame.by`"),
        ("/rows/3/blame/parts/0/line", json!(-1), "line"),
        (row, json!({ "cell": "x" }), "`rows[0]"),
        ("/schema", json!("plimsoll.verdict/2"), "plimsoll.verdict/2"),
        ("/schema", json!("x".repeat(100_000)), "this version reads"),
        ("/next", json!([{ "cell": "a/b/c", "processes": 1, "why": "rerun" }]), "unfinished"),
        ("/outcome", json!("UNFINISHED"), "unfinished"),
    ] {
        let error = with(&from, pointer, value).expect_err(pointer).to_string();
        assert!(error.contains(says), "{pointer}: {error}");
        assert!(error.len() < 1_500, "{pointer}: {} bytes", error.len());
    }
    let mut document = from.clone();
    document["more"] = json!(1);
    let error = show::read(&serde_json::to_vec(&document).unwrap()).unwrap_err().to_string();
    assert!(error.contains("unknown field `more`"), "{error}");
    for bytes in ["", "{", "[]", "null", "\u{0}", "{\"schema\":\"plimsoll.verdict/1\"}"] {
        assert!(matches!(show::read(bytes.as_bytes()), Err(VerdictError::Shape { .. })), "{bytes:?}");
    }
    let doubled = format!("{from}{from}");
    assert!(matches!(show::read(doubled.as_bytes()), Err(VerdictError::Shape { .. })));
    let large = " ".repeat(show::MOST + 1);
    assert_eq!(show::read(large.as_bytes()), Err(VerdictError::TooLarge(show::MOST + 1)));
}

/// One of each thing that GitHub would make something of.
const EVIL: &str = "<img src=x onerror=alert(1)> @octocat @org/team #1 GH-2 o/r#3 [x](https://evil.example) ![y](//evil.example) \
    https://evil.example www.evil.example me@evil.example `code` ```\n\n# heading\n</details>\n\n- [ ] task |cell| <!-- plimsoll-gate --> \u{202e}\u{200b}";

#[test]
fn nothing_of_a_hostile_verdict_does_anything_in_a_comment() {
    let text = |pointer: &str| (pointer.to_owned(), json!(EVIL));
    let row = |field: &str| text(&format!("/rows/3/{field}"));
    let part = |field: &str| text(&format!("/rows/3/blame/parts/0/{field}"));
    let waived = json!({ "reason": EVIL, "owner": EVIL, "expires": "2027-01-31" });
    let all = [
        text("/advisory"),
        text("/headline"),
        text("/base/git"),
        text("/base/run"),
        ("/head/git".to_owned(), json!("../../../../evil/repository")),
        text("/head/run"),
        text("/notices/0/text"),
        row("cell"),
        row("subject"),
        row("scenario"),
        row("probe"),
        ("/rows/3/factors".to_owned(), json!({ EVIL: EVIL, "protocol": EVIL })),
        part("name"),
        part("file"),
        text("/lockfile/0/name"),
        ("/lockfile/0/base".to_owned(), json!([EVIL])),
        text("/crates/0/crate"),
        ("/invalid".to_owned(), json!([EVIL, "x\u{7}".repeat(5_000)])),
        ("/rows/0/waived".to_owned(), waived),
    ];
    let mut document: Value = serde_json::from_str(&show::json(&failing())).unwrap();
    for (pointer, value) in all {
        *document.pointer_mut(&pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
    }
    document["rows"][0]["state"] = json!("waived");
    document["exit_code"] = json!(0);
    let verdict = show::read(&serde_json::to_vec(&document).unwrap()).unwrap();
    let comment = show::comment(&verdict, &context(), false);
    assert!(comment.contains("octocat"), "{comment}");
    assert_eq!(comment.matches("<!--").count(), 1, "{comment}");
    assert_eq!(comment.matches("<details>").count(), comment.matches("</details>").count());
    for link in comment.replace("\\]", "").split("](").skip(1) {
        assert!(link.starts_with("https://git.example/o/r/blob/HEAD/"), "{link}");
    }
    let without_ours = comment.replace("](https://git.example/o/r/blob/HEAD/", "");
    for active in ["@", "://e", "www.e", "<img", "\u{202e}", "\u{200b}", "\u{7}", "GH-2", "#1", "#3"] {
        assert!(!without_ours.contains(active), "{active:?} in {comment}");
    }
    // Where lines begin is where blocks begin: there stands nothing of it.
    for line in comment.lines() {
        assert!(!line.starts_with(['\t', '>', '=']) && !line.starts_with("# ") && !line.starts_with("- [ ]"), "{line}");
    }
}

#[test]
fn a_verdict_of_enormous_texts_still_fits_a_comment() {
    let notice = json!({ "kind": "other", "text": "@".repeat(10_000) });
    let mut document: Value = serde_json::from_str(&show::json(&failing())).unwrap();
    document["notices"] = Value::Array(vec![notice; 200]);
    document["invalid"] = json!(vec!["#1 ".repeat(10_000); 100]);
    let name = "[".repeat(500);
    let row = document["rows"][3].clone();
    document["rows"] = (0..900)
        .map(|at| {
            let mut row = row.clone();
            row["subject"] = json!(format!("{at}{name}"));
            row["blame"]["parts"][0]["name"] = json!(name);
            row
        })
        .collect();
    let bytes = serde_json::to_vec(&document).unwrap();
    let verdict = show::read(&bytes[..]).unwrap();
    let comment = show::comment(&verdict, &Context::default(), false);
    let length = comment.chars().count();
    assert!(length <= show::LIMIT, "{length}");
    assert!(comment.contains("- and 99 more") && comment.contains("- and 200 more"), "{comment}");
}
