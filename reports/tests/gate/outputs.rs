//! The verdict as people and programs read it.

use std::collections::BTreeMap;

use plimsoll_reports::derive::Figure;
use plimsoll_reports::gate::blame::Part;
use plimsoll_reports::gate::show::{self, Context};
use plimsoll_reports::gate::{Budget, Row, Rules, Settings, Stage, State, Verdict, decide};
use plimsoll_reports::record::{Record, Status};
use plimsoll_reports::units::{Quantity, Unit};

use crate::common;
use crate::made::*;

pub(crate) fn context() -> Context {
    Context {
        command: "plimsoll gate --base 0123abc".into(),
        source: Some("https://git.example/o/r/blob/{sha}/".into()),
    }
}

/// A head with one allocation more in `Wrapper::send`, a crate of another version, a floor that it would loosen.
pub(crate) fn failing() -> Verdict {
    let (base, mut head) = one_more_profiled();
    head.tool.git = Some("4567def".into());
    let lock = |version: &str| format!("[[package]]\nname = \"wrapper\"\nversion = \"{version}\"\n");
    let mut proposed = Rules::default();
    proposed.floors.values_mut().for_each(|floor| *floor *= 2.0);
    let settings = Settings {
        own: ["wrapper".to_owned()].into(),
        lockfiles: Some((lock("1.0.0"), lock("1.1.0"))),
        proposed: Some(proposed),
        ..settings()
    };
    both(&base, &head, &settings, (&base, &head))
}

pub(crate) fn passing() -> Verdict {
    first(&side(MADE), &side(Made { seed: 2, ..MADE }))
}

#[test]
fn the_comment_of_a_failure() {
    insta::assert_snapshot!("comment_of_a_failure", show::comment(&failing(), &context(), true));
}

/// A head in which `Wrapper::send` asks for one block more in the work of two cells, for one function more in one of them.
fn failing_in_two_cells() -> Verdict {
    let mut verdict = failing();
    verdict.base.git = Some("0123abc0123abc0123abc0123abc0123abc01234".into());
    verdict.head.git = Some("4567def4567def4567def4567def4567def45678".into());
    let streamed: Vec<_> = verdict
        .rows
        .clone()
        .into_iter()
        .map(|mut row| {
            row.cell.scenario = "stream".into();
            if let Some(blame) = row.blame.as_mut().filter(|blame| blame.counted.unit() == Unit::Bytes) {
                let more = Quantity::new(16.0, Unit::Bytes).unwrap();
                let other = Part {
                    name: "wrapper::Wrapper::parse".into(),
                    line: Some(40),
                    difference: more,
                    ..blame.parts[0].clone()
                };
                blame.parts.push(other);
                blame.counted = Quantity::new(48.0, Unit::Bytes).unwrap();
                blame.explained = blame.counted;
            }
            row
        })
        .collect();
    verdict.rows.extend(streamed);
    verdict
}

#[test]
fn a_culprit_of_several_cells_is_named_once_with_what_it_moves_in_each() {
    let comment = show::comment(&failing_in_two_cells(), &context(), false);
    insta::assert_snapshot!("comment_of_two_cells", comment);
    let told = comment.split("<details>").next().unwrap();
    assert_eq!(told.matches("wrapper::Wrapper::send").count(), 1, "{told}");
}

#[test]
fn of_a_difference_that_is_explained_by_less_than_half_nobody_is_named() {
    let mut verdict = failing();
    for blame in verdict.rows.iter_mut().filter_map(|row| row.blame.as_mut()) {
        blame.coverage = 0.4;
    }
    let comment = show::comment(&verdict, &context(), false);
    let unknown =
        "**Where it comes from** cannot be said: 40 % of each difference is explained by call site (dhat).\n\n|";
    assert!(comment.contains(unknown), "{comment}");
    assert!(comment.contains("heap.allocs per request**: 40 % of it by call site"), "its parts are told: {comment}");
    assert!(!show::terminal(&verdict, &context(), None, false, false).contains("wrapper::Wrapper::send"));
    for mark in show::annotations(&verdict).lines().filter(|line| line.starts_with("::error ")) {
        assert!(mark.starts_with("::error title=") && mark.contains("; 40 %25 of it"), "{mark}");
    }
}

#[test]
fn commits_are_shortened_and_linked_in_full() {
    let linked = |source: &str| {
        let context = Context { source: Some(source.into()), ..context() };
        show::comment(&failing_in_two_cells(), &context, false)
    };
    let head = "4567def4567def4567def4567def4567def45678";
    for (source, repository) in [
        ("https://git.example/o/r/blob/{sha}".to_owned(), "https://git.example/o/r/commit/"),
        (format!("https://git.example/o/r/blob/{head}"), "https://git.example/o/r/commit/"),
        ("https://git.example/g/o/r/-/blob/{sha}".to_owned(), "https://git.example/g/o/r/-/commit/"),
        ("https://git.example/o/r/src/commit/{sha}".to_owned(), "https://git.example/o/r/commit/"),
        ("https://git.example/o/r/src/{sha}".to_owned(), "https://git.example/o/r/commits/"),
    ] {
        let comment = linked(&source);
        let wanted = format!("[`4567def4567d`]({repository}{head})");
        assert!(comment.contains(&wanted), "{wanted} is not in {comment}");
        assert!(comment.contains("git checkout 4567def4567d\n"), "{comment}");
    }
    // A place that is of some other commit tells nothing of where this one is.
    let other = linked("https://git.example/o/r/blob/main");
    assert!(other.contains("`0123abc0123a` → `4567def4567d` · run"), "{other}");
}

#[test]
fn a_head_with_uncommitted_changes_is_in_no_checkout() {
    let mut verdict = failing();
    verdict.head.dirty = true;
    let comment = show::comment(&verdict, &context(), false);
    assert!(comment.contains("with uncommitted changes · run") && !comment.contains("git checkout"), "{comment}");
}

#[test]
fn of_what_was_not_profiled_no_difference_is_claimed() {
    let (base, head) = (side(MADE), side(Made { seed: 2, ..MADE }));
    let lock = |version: &str| format!("[[package]]\nname = \"hyper\"\nversion = \"{version}\"\n");
    let settings = Settings { lockfiles: Some((lock("1.0.0"), lock("1.1.0"))), ..settings() };
    let comment = show::comment(&decide(&base, &head, &settings, Stage::First), &context(), false);
    assert!(comment.contains("| hyper | 1.0.0 → 1.1.0 | not profiled |"), "{comment}");
}

#[test]
fn the_terminal_of_a_failure() {
    insta::assert_snapshot!("terminal_of_a_failure", show::terminal(&failing(), &context(), Some(120), false, false));
}

#[test]
fn the_annotations_of_a_failure() {
    insta::assert_snapshot!("annotations_of_a_failure", show::annotations(&failing()));
}

/// A workflow command as GitHub reads it: its name, its properties, its message.
fn as_github_reads_it(line: &str) -> (String, BTreeMap<String, String>, String) {
    let (head, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
    let (name, properties) = head.split_once(' ').unwrap();
    let data = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%");
    let property = |text: &str| data(&text.replace("%3A", ":").replace("%2C", ","));
    let properties = properties.split(',').map(|one| one.split_once('=').unwrap());
    let properties = properties.map(|(key, value)| (key.to_owned(), property(value))).collect();
    (name.to_owned(), properties, data(message))
}

#[test]
fn each_culprit_has_one_mark_at_its_line_and_a_row_without_one_has_its_own() {
    let mut verdict = failing_in_two_cells();
    verdict.rows.push(Row { state: State::Missing, figure: None, blame: None, ..verdict.rows[0].clone() });
    let all = show::annotations(&verdict);
    let read: Vec<_> = all.lines().map(as_github_reads_it).collect();
    let errors: Vec<_> = read.iter().filter(|(name, ..)| name == "error").collect();
    let places: Vec<_> = errors
        .iter()
        .map(|(_, at, _)| (at.get("file").map(String::as_str), at.get("line").map(String::as_str)))
        .collect();
    assert_eq!(places, [(Some("src/wrapper.rs"), Some("15")), (Some("src/wrapper.rs"), Some("40")), (None, None)]);
    let (_, properties, message) = errors[0];
    assert_eq!(properties["title"], "Plimsoll: memory");
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines[0], "wrapper::Wrapper::send: +1 heap.allocs per request, +32 B heap.bytes per request");
    assert_eq!(lines.len(), 5, "its four rows: {message}");
    assert!(lines[4].ends_with("100 % of it by call site (dhat): +48 B of +48 B"), "{message}");
    assert!(errors[2].2.contains("the whole cell: the head has it no more"), "{}", errors[2].2);
    let warnings = read.iter().filter(|(name, ..)| name == "warning").count();
    assert_eq!((warnings, read.len()), (2, 5), "the rules that the head would loosen");
}

#[test]
fn what_a_property_or_a_message_holds_is_read_back_as_it_was() {
    let (file, function) = ("src/a, b: 100%,line=7::error::.rs", "wrapper::send<A, B>: 50% %0A ::warning::");
    let mut verdict = failing();
    for part in verdict.rows.iter_mut().filter_map(|row| row.blame.as_mut()).flat_map(|blame| &mut blame.parts) {
        (part.file, part.name) = (Some(file.into()), function.into());
    }
    let all = show::annotations(&verdict);
    let (name, properties, message) = as_github_reads_it(all.lines().next().unwrap());
    assert_eq!((name.as_str(), properties["file"].as_str(), properties["line"].as_str()), ("error", file, "15"));
    assert!(message.starts_with(function) && message.contains("100 % of it"), "{message}");
    // Of a file that is not in the repository no line can be marked.
    for part in verdict.rows.iter_mut().filter_map(|row| row.blame.as_mut()).flat_map(|blame| &mut blame.parts) {
        part.file = Some("/usr/src/a.rs".into());
    }
    let (_, properties, _) = as_github_reads_it(show::annotations(&verdict).lines().next().unwrap());
    assert_eq!(properties.keys().collect::<Vec<_>>(), ["title"]);
}

#[test]
fn an_advisory_failure_only_notices_and_ten_marks_are_the_most() {
    let mut verdict = failing();
    verdict.advisory = Some("two instruments".into());
    assert!(show::annotations(&verdict).lines().next().unwrap().starts_with("::notice "));
    verdict.advisory = None;
    let missing = Row { state: State::Missing, figure: None, blame: None, ..verdict.rows[0].clone() };
    verdict.rows.extend(vec![missing; 30]);
    let all = show::annotations(&verdict);
    let errors: Vec<&str> = all.lines().filter(|line| line.starts_with("::error ")).collect();
    // GitHub would show ten: the last of them says that there are more.
    assert_eq!(errors.len(), 10);
    assert!(errors[9].contains("22 more"), "{}", errors[9]);
}

#[test]
fn the_junit_of_a_failure() {
    insta::assert_snapshot!("junit_of_a_failure", show::junit(&failing()));
}

#[test]
fn a_pass_is_short_and_one_line_where_there_was_a_comment_before() {
    let verdict = passing();
    let collapsed = show::comment(&verdict, &context(), true);
    assert_eq!(
        collapsed,
        "<!-- plimsoll-gate -->\n**Memory: PASS: no growth in 7 figures of 2 cells** · \
         [`0123abc`](https://git.example/o/r/commit/0123abc) → [`0123abc`](https://git.example/o/r/commit/0123abc) · run `20200102-030405-fake`\n"
    );
    let whole = show::comment(&verdict, &context(), false);
    assert!(whole.starts_with("<!-- plimsoll-gate -->\n### Memory: PASS"), "{whole}");
    assert!(whole.contains("smallest change") && !whole.contains("Reproduce"), "{whole}");
    assert!(!show::step_summary(&verdict, &context()).contains("<!--"));
    assert_eq!(show::annotations(&verdict), "");
}

#[test]
fn json_is_what_its_schema_says() {
    let schema = jsonschema::validator_for(&show::schema()).unwrap();
    for verdict in [failing(), passing(), hostile(), first(&side(MADE), &broken())] {
        let document: serde_json::Value = serde_json::from_str(&show::json(&verdict)).unwrap();
        let errors: Vec<String> = schema.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        assert_eq!(document["exit_code"], verdict.exit_code());
    }
    let document: serde_json::Value = serde_json::from_str(&show::json(&failing())).unwrap();
    let row =
        document["rows"].as_array().unwrap().iter().find(|row| row["figure"] == "heap.allocs per request").unwrap();
    assert_eq!((&row["state"], &row["base"], &row["head"]), (&"fails".into(), &119.0.into(), &120.0.into()));
    assert_eq!(row["blame"]["parts"][0]["line"], 15);
}

pub(crate) fn broken() -> Record {
    let mut record = side(MADE);
    fail(&mut record, count("ultra"), Status::Failed, "it broke");
    record
}

/// Everything that comes from a record is hostile, and everything fails.
pub(crate) fn hostile() -> Verdict {
    let base = common::hostile();
    let mut head = base.clone();
    for sample in &mut head.samples {
        for point in &mut sample.checkpoints {
            for value in point.metrics.values_mut() {
                *value *= 3;
            }
        }
    }
    let budgets = vec![Budget { cell: String::new(), figure: Figure::growth("proc.anon"), max: 0.0 }];
    let settings = Settings {
        advisory: Some("]]> <b>| `x`\n::error::y @everyone".into()),
        lockfiles: Some((String::new(), "[[package]]\nname = \"<b>|`\"\nversion = \"](javascript:1)\"\n".into())),
        ..Settings::new(Rules { budgets, ..Rules::default() })
    };
    decide(&base, &head, &settings, Stage::First)
}

#[test]
fn nothing_of_a_hostile_record_is_markup() {
    let verdict = hostile();
    let markdown = show::comment(&verdict, &context(), false);
    for line in markdown.lines() {
        assert!(!line.contains("<script") && !line.contains("<img") && !line.contains("<b>"), "{line}");
        assert!(!line.contains('@') && !line.replace("\\]", "").contains("](javascript"), "{line}");
    }
    assert_eq!(markdown.matches("<!--").count(), 1, "the tag");
    let xml = show::junit(&verdict);
    assert!(!xml.contains("]]>") && !xml.contains("<script"), "{xml}");
    for line in show::annotations(&verdict).lines() {
        assert!(["::error ", "::notice ", "::warning "].iter().any(|start| line.starts_with(start)), "{line}");
    }
    let terminal = show::terminal(&verdict, &context(), None, false, true);
    assert!(!terminal.contains('\u{1b}') && !terminal.contains('\u{202e}'));
    for text in [markdown, xml, terminal, show::json(&verdict), show::annotations(&verdict)] {
        assert!(!text.contains("canary-password") && !text.contains("/home/user"));
    }
}

#[test]
fn rows_of_a_markdown_table_have_as_many_cells_as_its_head() {
    for verdict in [failing(), hostile()] {
        let mut columns = None;
        for line in show::comment(&verdict, &context(), false).lines() {
            let bars = line.replace("\\|", "").matches('|').count();
            match (line.starts_with('|'), columns) {
                (false, _) => columns = None,
                (true, None) => columns = Some(bars),
                (true, Some(wanted)) => assert_eq!(bars, wanted, "{line}"),
            }
        }
    }
}

#[test]
fn a_comment_of_thousands_of_rows_is_shortened_and_keeps_what_matters() {
    let names: Vec<String> = (0..400).map(|at| format!("subject-with-quite-a-long-name-{at}")).collect();
    let sides = |seed| {
        let made: Vec<(&str, Made)> = names.iter().map(|n| (n.as_str(), Made { processes: 2, seed, ..MADE })).collect();
        of(&made)
    };
    let budgets = vec![Budget { cell: String::new(), figure: Figure::growth("proc.anon"), max: 0.0 }];
    let settings = Settings::new(Rules { budgets, pairs: 2, exact: 2, ..Rules::default() });
    let verdict = decide(&sides(1), &sides(2), &settings, Stage::First);
    let comment = show::comment(&verdict, &context(), false);
    assert!(verdict.rows.len() > 3_000, "{}", verdict.rows.len());
    let length = comment.chars().count();
    assert!((30_000..=show::LIMIT).contains(&length), "{length}");
    assert!(comment.contains("more do not fit a comment") && comment.contains("Reproduce"), "{comment}");
}

#[test]
fn links_go_to_the_head_and_nowhere_else() {
    let linked = |source: &str| {
        let context = Context { source: Some(source.into()), ..context() };
        show::comment(&failing(), &context, false)
    };
    for (source, link) in [
        ("https://git.example/o/r/blob/{sha}", "(https://git.example/o/r/blob/4567def/src/wrapper.rs#L15)"),
        (
            "https://git.example/{file}?at={sha}#lines-{line}",
            "(https://git.example/src/wrapper.rs?at=4567def#lines-15)",
        ),
    ] {
        assert!(linked(source).contains(link), "{}", linked(source));
    }
    for source in ["javascript:alert(1)", "ftp://x", ""] {
        assert!(!linked(source).contains("]("), "{source}");
        assert!(linked(source).contains(" at `src/wrapper.rs:15`"), "{source}");
    }
}
