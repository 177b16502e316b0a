//! The design's nasty cases, each with every level: a test, or the reason why the case cannot happen to it.
//!
//! [`CASES`] says what is tried for each case, [`LEVELS`] who is tried. What of it there *is*, this program is asked itself: it lists
//! its own tests. So a pair that nobody tests is a failure here, and so is a test that nobody listed.
//!
//! `NASTY_CASES.md` beside the tests is this table for people. It is written anew by
//! `PLIMSOLL_WRITE=1 cargo nextest run --release --locked -p plimsoll-providers --test levels matrix`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::within;

/// Who is tried. A level that is tried with several sets of techniques is one column.
const LEVELS: &[Level] = &[
    Level { name: "original", cannot: &[] },
    Level { name: "optimized", cannot: &[] },
    Level { name: "ultra", cannot: &[] },
    Level { name: "bare", cannot: &[(Wire::Http2, "speaks HTTP/1.1 only, and refuses to be set up for HTTP/2")] },
    Level { name: "libcurl", cannot: &[] },
    Level { name: "mux", cannot: &[(Wire::Http1, "speaks HTTP/2 only, and refuses to be set up for HTTP/1.1")] },
    Level { name: "isolated", cannot: &[] },
    Level { name: "proxied", cannot: &[(Wire::Http2, "speaks HTTP/1.1 only, and refuses to be set up for HTTP/2")] },
];

/// Single tests that make no sense with a level, and why.
const EXCEPT: &[(&str, &str, &str)] = &[];

/// What is tried, by the design's numbers and in its words.
const CASES: [Case; 19] = [
    Case {
        says: "a bare JSON error after SSE events under HTTP 200, also as `data: {\"error\":…}`",
        forms: &[
            any("case_1_an_error_after_events_is_typed"),
            any("case_1_an_error_in_an_array_is_typed"),
            any("case_1_an_error_under_200_is_an_error"),
        ],
    },
    Case { says: "finishReason before the last event", forms: &[any("case_2_a_finish_reason_before_the_last_event")] },
    Case {
        says: "end of stream without finishReason is an error",
        forms: &[
            any("case_3_a_stream_without_a_finish_reason_is_an_error"),
            any("case_3_an_array_that_breaks_off_is_cut"),
        ],
    },
    Case {
        says: "any split point: inside UTF-8, inside `\\r\\n\\r\\n`, inside `data:`; U+2028 is no line end",
        forms: &[
            any("case_4_any_cut_gives_the_same_text"),
            any("case_4_every_split_point_gives_the_same_events"),
            any("case_4_an_array_is_asked_for_without_alt_and_any_cut_gives_the_same"),
        ],
    },
    Case {
        says: "one event of megabytes, with a configured limit",
        forms: &[
            any("case_5_an_event_of_megabytes"),
            any("case_5_an_event_over_the_limit_is_refused"),
            any("case_5_an_element_over_the_limit_is_refused"),
        ],
    },
    Case {
        says: "200 with empty content",
        forms: &[any("case_6_answers_without_text_are_answers"), any("case_6_a_stream_with_empty_content")],
    },
    Case { says: "200 with only promptFeedback", forms: &[any("case_7_a_blocked_prompt_is_an_answer")] },
    Case {
        says: "429 whose delay has nine decimals; a daily quota that must not be retried",
        forms: &[
            any("case_8_a_refusal_is_typed"),
            any("case_8_the_apis_own_delay_is_waited_for"),
            any("case_8_a_delay_that_is_too_long_is_an_end"),
            any("case_8_a_daily_quota_is_an_end"),
        ],
    },
    Case {
        says: "an error labelled `text/event-stream`, an HTML 404",
        forms: &[
            any("case_9_a_refusal_of_a_stream_is_typed_whatever_its_label"),
            any("case_9_a_refusal_that_is_not_the_apis_is_quoted"),
        ],
    },
    Case { says: "thoughtSignature round trip", forms: &[any("case_10_a_thought_signature_goes_back_unchanged")] },
    Case {
        says: "functionCall without id, several in parallel",
        forms: &[any("case_11_function_calls_without_ids_in_parallel")],
    },
    Case {
        says: "connection reset before, in and after the body",
        forms: &[
            any("case_12_a_reset_before_the_head_is_a_transport_error"),
            any("case_12_a_body_that_breaks_off_is_a_transport_error"),
            any("case_12_a_stream_that_breaks_off_is_an_error"),
            any("case_12_a_reset_behind_the_body_takes_nothing_back"),
        ],
    },
    Case { says: "silence before headers", forms: &[any("case_13_silence_before_the_head_times_out")] },
    Case {
        says: "unknown enums, integer enums, null args",
        forms: &[any("case_14_unknown_and_integer_enums_and_null_arguments")],
    },
    Case { says: "redirects never carry the key", forms: &[any("case_15_a_redirect_is_not_followed")] },
    Case { says: "gzip on JSON", forms: &[any("case_16_gzip_is_offered_and_read")] },
    Case {
        says: "a body over the limit, a gzip bomb",
        forms: &[any("case_17_a_body_over_the_limit_is_refused"), any("case_17_a_gzip_bomb_is_refused")],
    },
    Case {
        says: "h1: 1xx responses, chunk extensions, trailers, bad chunk size, `Connection: close`, a keep-alive connection closed just \
               as it is reused",
        forms: &[
            h1("case_18_informational_heads_come_first"),
            h1("case_18_chunk_extensions_and_trailers"),
            h1("case_18_a_bad_chunk_size"),
            h1("case_18_connection_close"),
            h1("case_18_a_kept_connection_is_closed_before_it_is_used_again"),
            h1("case_18_a_kept_connection_is_closed_as_it_is_used_again"),
            h1("case_18_a_head_that_is_no_http"),
            h1("case_18_a_head_without_end"),
        ],
    },
    Case {
        says: "h2: GOAWAY in mid-stream, REFUSED_STREAM, RST_STREAM after headers, a lowered stream limit, zero window, a flood of \
               CONTINUATION, no PING answer",
        forms: &[
            h2("case_19_going_away_in_mid_stream"),
            h2("case_19_a_request_that_was_not_looked_at_is_sent_again_or_typed"),
            h2("case_19_a_refused_stream_is_sent_again_or_typed"),
            h2("case_19_a_reset_after_the_head"),
            h2("case_19_a_stream_limit_of_one"),
            h2("case_19_a_stream_limit_that_is_lowered_in_flight"),
            h2("case_19_a_window_that_never_opens"),
            h2("case_19_a_flood_of_continuations"),
            h2("case_19_silence_after_the_settings"),
            h2("case_19_silence_in_mid_stream"),
        ],
    },
];

struct Level {
    name: &'static str,
    /// What its transport does not speak, and why not.
    cannot: &'static [(Wire, &'static str)],
}

struct Case {
    says: &'static str,
    forms: &'static [Form],
}

/// One test, the same for all levels.
struct Form {
    test: &'static str,
    wire: Wire,
}

/// What a case happens on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    Any,
    Http1,
    Http2,
}

const fn any(test: &'static str) -> Form {
    Form { test, wire: Wire::Any }
}

const fn h1(test: &'static str) -> Form {
    Form { test, wire: Wire::Http1 }
}

const fn h2(test: &'static str) -> Form {
    Form { test, wire: Wire::Http2 }
}

impl Level {
    /// Whether this program has it: one is behind a feature.
    fn is_built(&self) -> bool {
        self.name != "libcurl" || cfg!(feature = "libcurl")
    }

    /// Why `form` cannot happen to this level; `None`: it can.
    fn reason(&self, form: &Form) -> Option<&'static str> {
        let by_wire = self.cannot.iter().find(|(wire, _)| *wire == form.wire).map(|(_, reason)| *reason);
        let by_itself = EXCEPT.iter().find(|(test, level, _)| *test == form.test && *level == self.name);
        by_wire.or(by_itself.map(|(.., reason)| *reason))
    }
}

#[test]
fn every_case_meets_every_level_or_cannot_happen_to_it() {
    let (there, ignored) = (tests(&[]), tests(&["--ignored"]));
    let mut wrong = Vec::new();
    for (number, case) in (1..).zip(&CASES) {
        for form in case.forms {
            if !form.test.starts_with(&format!("case_{number}_")) {
                wrong.push(format!("{} is listed under case {number}", form.test));
            }
            for level in LEVELS.iter().filter(|level| level.is_built()) {
                let tested = there.get(form.test).is_some_and(|levels| levels.contains(level.name));
                match (tested, level.reason(form)) {
                    (false, None) => wrong.push(format!("{} is not tested with {}", form.test, level.name)),
                    (true, Some(reason)) => {
                        wrong.push(format!("{} is tested with {}, which {reason}", form.test, level.name));
                    }
                    (true, None) | (false, Some(_)) => {}
                }
            }
        }
    }
    let listed: BTreeSet<_> = CASES.iter().flat_map(|case| case.forms).map(|form| form.test).collect();
    let names: BTreeSet<_> = LEVELS.iter().map(|level| level.name).collect();
    for (test, levels) in &there {
        if !listed.contains(&**test) {
            wrong.push(format!("{test} is a test, but not in CASES"));
        }
        for level in levels.iter().filter(|level| !names.contains(&***level)) {
            wrong.push(format!("{test} is tested with {level}, which is not in LEVELS"));
        }
    }
    wrong.extend(ignored.keys().map(|test| format!("{test} is ignored")));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_table_for_people_says_the_same() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/levels/NASTY_CASES.md");
    let table = table();
    if std::env::var_os("PLIMSOLL_WRITE").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written == table, "{} is not what matrix.rs says; its first lines tell how it is written", path.display());
}

/// A case that hangs fails by itself, and does not wait for whoever runs the tests to lose patience.
#[tokio::test]
#[should_panic(expected = "the test hangs")]
async fn a_hang_is_a_failure() {
    within(Duration::from_millis(10), std::future::pending::<()>()).await;
}

/// The levels that each case's test runs with, as this program lists its tests: `nasty::case_2_…::original`.
fn tests(also: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let listed = Command::new(std::env::current_exe().unwrap())
        .args(["--list", "--format", "terse"])
        .args(also)
        .output()
        .unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let mut tests = BTreeMap::<_, BTreeSet<_>>::new();
    for line in String::from_utf8(listed.stdout).unwrap().lines() {
        let mut path = line.trim_end_matches(": test").rsplit("::");
        if let (Some(variant), Some(case)) = (path.next(), path.next())
            && case.starts_with("case_")
        {
            let level = variant.split_once("_with").map_or(variant, |(level, _)| level);
            tests.entry(case.to_owned()).or_default().insert(level.to_owned());
        }
    }
    tests
}

fn table() -> String {
    let mut text = String::from(
        "# The nasty cases, level by level\n\n\
         Written by `matrix.rs`, and held to it by its tests: `PLIMSOLL_WRITE=1 cargo nextest run --release --locked -p \
         plimsoll-providers --test levels matrix` writes it anew. A figure is the number of tests that the case is with that level; a \
         letter is a reason why it, or some of it, cannot happen there. A case that hangs fails after 30 seconds.\n\n| | case |",
    );
    let mut reasons: Vec<(&str, &str)> = Vec::new();
    for level in LEVELS {
        let _ = write!(text, " `{}` |", level.name);
    }
    let _ = writeln!(text, "\n|---|---|{}", "---|".repeat(LEVELS.len()));
    for (number, case) in (1..).zip(&CASES) {
        let _ = write!(text, "| {number} | {} |", case.says);
        for level in LEVELS {
            let tested = case.forms.iter().filter(|form| level.reason(form).is_none()).count();
            let mut cell = if tested > 0 { vec![tested.to_string()] } else { Vec::new() };
            let mut letters = BTreeSet::new();
            for reason in case.forms.iter().filter_map(|form| level.reason(form)) {
                let of = (level.name, reason);
                let at = reasons.iter().position(|known| *known == of).unwrap_or_else(|| {
                    reasons.push(of);
                    reasons.len() - 1
                });
                letters.insert(at);
            }
            cell.extend(letters.into_iter().map(letter));
            let _ = write!(text, " {} |", cell.join(" "));
        }
        text.push('\n');
    }
    if !reasons.is_empty() {
        text.push('\n');
    }
    for (at, (level, reason)) in reasons.iter().enumerate() {
        let _ = writeln!(text, "- **{}** `{level}` {reason}.", letter(at));
    }
    text.push_str("\n## The tests\n\n");
    for (number, case) in (1..).zip(&CASES) {
        let tests: Vec<_> = case.forms.iter().map(|form| format!("`{}`", form.test)).collect();
        let _ = writeln!(text, "- {number}: {}", tests.join(", "));
    }
    text
}

fn letter(at: usize) -> String {
    u8::try_from(at).map_or_else(|_| "?".to_owned(), |at| char::from(b'a' + at.min(25)).to_string())
}
